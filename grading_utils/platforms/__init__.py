"""Places that run this grader for somebody: Gradescope's autograders and CI jobs.

Each module writes what one platform wants and reads what it gives; grading itself is `grading/`.
"""
