"""What running a notebook is asked with and answered with: cells with their rights, and how each of them ended.

The seam of the package: `grading` makes jobs, `boundary` runs them, and everything that scores or reports reads the
answers. Nothing here runs or decides anything.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any

import msgspec

from grading_utils.course.cells import Role


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What a student's code may do in one check, beyond answering it with data.

    Each is a door; `grading.calibration` finds out which of them the instructor's own solution needs.
    """

    inside: bool = False
    """The test's text runs in a copy of the student's process, made at the cell's own place in the notebook."""
    history: bool = False
    """All earlier test cells run in that copy first: this one is about what student code did when they called it."""
    methods: bool = False
    """Methods of the student's objects are given values by the test, and their answers are believed."""
    changes: bool = False
    """What student code does in place to an argument is done to the test's own object."""
    files: bool = False
    """What student code writes is put beside the test as data, and what the test writes is sent along."""
    figures: bool = False
    """Pyplot's functions, called by the test, run in the student's process, and what they give is believed."""
    comparisons: bool = False
    """Methods and operators of the student's classes may decide something that the check is about."""

    @property
    def needs_process(self) -> bool:
        """Is it not enough to know what the check reads?"""
        return self.inside or self.files or self.figures


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One code cell to run; which `grading.jobs` makes from a notebook."""

    index: int
    role: Role
    source: str
    grade_id: str | None = None
    time_limit: float = 30.0
    draws: bool = True
    """Whether the pictures that the cell displays are drawn; often that costs more than all its computing."""
    hidden_lines: tuple[tuple[int, int], ...] = ()
    rights: Rights = Rights(methods=True, changes=True, comparisons=True)
    returns_points: bool = False
    """Is it a test whose last expression gives points, at least for the solution?"""


class Solution(msgspec.Struct, frozen=True, kw_only=True):
    """What the instructor's own answers do to the names of the notebook, and what the tests make of them."""

    answers: frozenset[str] = frozenset()
    """Names that they bind."""
    imports: dict[str, tuple[str, str]] = {}
    """Names that they import from libraries: the module, and the name in it or ""."""
    makes: dict[str, str] = {}
    """Names that they bind to what a library makes of constants, and the expression: `unittest.TestCase()`."""
    points: frozenset[str] = frozenset()
    """Tests, by `grade_id`, that end with a number of points for them; then only a number counts for anybody."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One notebook of one submission."""

    leading: int
    """How many cells at the beginning the warm process has already run."""
    cells: tuple[Cell, ...]
    lost: tuple[int, ...] = ()
    """Cells (by `index`) that ended an earlier tester, and must not be run in one again."""
    seconds: float = math.inf
    """Time for all of the student's cells together."""
    solution: Solution | None = None
    """What is known of the instructor's own answers."""
    files: tuple[tuple[str, bytes], ...] = ()
    """What the student handed in beside the notebook: relative paths and contents. Only student code sees them."""


class CellStatus(StrEnum):
    """How running one cell ended."""

    OK = "ok"
    ERROR = "error"
    STOPPED = "stopped"
    """It broke a limit of the policy, or ended its process."""
    OPEN = "open"
    """A limit of ours, or the machine, kept us from finding out: a person has to look."""
    FAULT = "fault"
    """Our own machinery broke: a person has to look, and nothing of it is the student's business."""


UNDECIDED = "This check could not be decided automatically; a person will look at it."
"""All that a student reads of an open score, whatever it was that kept it open."""


class CellRun(msgspec.Struct, frozen=True, kw_only=True, tag="cell"):
    """What running one cell gave."""

    index: int
    status: CellStatus
    outputs: list[dict[str, Any]] = []
    message: str = ""
    """One line that is safe to show to the student."""
    details: str = ""
    """For the instructor: all that a hidden check said, the student's values and exceptions included."""
    hidden: bool = False
    """The failure happened in a hidden test."""
    failed_line: int | None = None
    """Line of the cell, from 1."""
    reason: str = ""
    """For the instructor: why a score is open, or what of ours broke."""
    seconds: float = 0.0
    """How long it took; 0 where unknown."""
