"""Everything that decides: the process that holds the tests, and believes nothing that a student's process says."""
