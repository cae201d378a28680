"""Canvas, Moodle and Gradescope by file: what they export comes in, and scores and feedback go back.

`sheets` reads and writes their tables, `archives` their zips; `canvas`, `moodle` and `gradescope` know one system each;
`collecting` puts submissions where nbgrader wants them; `matching` finds whose file or row it is. Nothing here talks to
a server, grades, or decides a score.
"""
