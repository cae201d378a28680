"""Everything that is written for people and for other tools: feedback pages, report.html, JSON, JUnit, CSV.

Nothing here scores or changes a grade.
"""
