"""From untrusted bytes to a notebook whose instructor-owned cells are the instructor's again."""
