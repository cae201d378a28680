"""The state that testers and students are forked with: the shell, and the instructor's cells that have run in it."""
