"""What all of one tester's conversations have in common, and what is known about the check that is running."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grading_utils.boundary.tester.locked import Parts
from grading_utils.boundary.tester.made import Made
from grading_utils.boundary.tester.received import Received
from grading_utils.boundary.tester.wording import Allowance
from grading_utils.boundary.wire.errors import Limit
from grading_utils.boundary.wire.raised import ENDS_OF_ITERATION
from grading_utils.boundary.wire.references import SharedNames
from grading_utils.jobs import Cell, Rights

if TYPE_CHECKING:
    from grading_utils.boundary.tester.folder import Folder

_MOST_LIMITS = 20


@dataclass
class Context:
    """One for each tester."""

    shared: SharedNames
    source: Callable[[str], Any]
    """The text in which a function of that qualified name was defined, for `check_global_vars`."""
    cell_stdout: io.TextIOBase | None = None
    """The stream of the test cell itself; what student code prints goes only to a stream put in its place."""
    why_died: Callable[[], str] = str
    """Why the student's process has ended, in words; empty where nothing is known."""
    earlier: Callable[[], Sequence[Cell]] = tuple
    """The notebook's cells before the one that is running."""
    binds: Callable[[Cell], frozenset[str]] = lambda _: frozenset()
    """Names that a student's cell binds, as its process says."""
    machine: Callable[[], str] = str
    """What the machine did to the student's process, as a sentence; empty where it did nothing."""
    has_gpu: bool = False
    """Do students' processes have a card, on which others may be as well?"""
    made: Made = field(default_factory=Made)
    """What the instructor's answers make of constants, as the tester makes it."""
    received: Received = field(default_factory=Received)
    """What came from the student's process during this test cell."""
    allowance: Allowance = field(default_factory=Allowance)
    """What hidden checks may still say about values of the student's."""
    rights: Rights = field(default_factory=Rights)
    """What student code may do in the check that is running."""
    limits: list[str] = field(default_factory=list)
    """Limits of ours that were hit in the check that is running, each as a sentence for the instructor."""
    hindrances: list[str] = field(default_factory=list)
    """Limits that count only where the check fails: a right answer may have met one without harm."""
    source_text: str = ""
    """What the check that is running says."""
    faults: list[BaseException] = field(default_factory=list)
    """Exceptions of our own machinery in the check that is running, also where the test has caught them."""

    expects_an_end: bool = False
    """Does the check that is running say `StopIteration` or the like, so that it may be raised in it?"""
    withheld: bool = False
    """Has student code changed an argument in a check that doesn't let it?"""

    folder: Folder | None = None
    """Where tests and student code have files in common; None where no check needs that."""

    _locked: Parts | None = None

    @property
    def locked(self) -> Parts:
        """What the instructor's cells have bound, with all that it holds, as the check that is running found it."""
        if self._locked is None:
            self._locked = Parts(self.shared.by_name.values())
        return self._locked

    def begin(self, cell: Cell) -> None:
        """Forget the last check; a new one begins."""
        self.rights = cell.rights
        self.expects_an_end = any(kind.__name__ in cell.source for kind in ENDS_OF_ITERATION)
        self.limits = []
        self.hindrances = []
        self.source_text = cell.source
        self.faults = []
        self.withheld = False
        self._locked = None

    def limit(self, sentence: str) -> Limit:
        """Note that a limit of ours was hit, which leaves the score open, and give the exception to raise.

        Args:
            sentence: What can't be done here and why, for the instructor; it may name what the test did, and holds
                nothing that a student may not read.
        """
        if len(self.limits) < _MOST_LIMITS:
            self.limits.append(sentence)
        return Limit(sentence)

    def hinder(self, sentence: str) -> None:
        """Note a limit of ours that leaves the score open if the check fails; see `limit` for the sentence."""
        if len(self.hindrances) < _MOST_LIMITS:
            self.hindrances.append(sentence)
