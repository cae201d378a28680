"""The checkers that notebooks call and that hidden tests use; each raises an AssertionError that teaches.

`global_vars` says which notebook variables a function leans on; `tensors`, `tables`, `text` and
`distributions` compare a student's value with the expected one. Nothing here executes student code.
"""
