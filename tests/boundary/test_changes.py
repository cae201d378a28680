"""What a student's function does in place to an argument, done to the test's own object."""

from __future__ import annotations

import numpy as np
import pytest

from grading_utils.boundary.tester.changes import assign_in_place
from grading_utils.boundary.wire.errors import Refused


@pytest.mark.parametrize("change", [np.ones(3), np.ones(9), np.ones(8, np.float32)])
def test_an_array_of_the_tests_keeps_its_memory(change):
    mine = np.zeros(8)
    view = mine[2:4]
    with pytest.raises(Refused):
        assign_in_place(mine, change)
    assign_in_place(mine, np.ones((2, 4)))
    assert (view.tolist(), mine.shape) == ([1.0, 1.0], (2, 4))
