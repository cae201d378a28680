"""Grading by hand, question by question: what people read, which answers are alike, and the points they give."""
