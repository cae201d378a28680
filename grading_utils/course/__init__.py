"""Where things are in an nbgrader course, who owns each cell, and what one assignment consists of."""
