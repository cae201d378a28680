"""Who may say what: tester to student's process, back, and tester to coordinator.

The conversation is a strict stack. T asks and P answers; while it works on an answer, P may call back into an object
of T's that it was given, and T may ask again before it returns from that. Whatever doesn't fit ends the conversation.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.raised import Raised

MAX_PRINTED = 1 << 16
"""Characters of printed text that travel with one answer."""
MAX_NESTING = 64
"""Calls within callbacks within calls."""
MAX_SNAPSHOTS = 48
"""Copies of a student's process, for test cells, that may be alive at once."""

_Printed = Annotated[str, msgspec.Meta(max_length=MAX_PRINTED)]
_Sequence = nodes.Natural
_Rebound = Annotated[list[nodes.Name], msgspec.Meta(max_length=10_000)]
"""Names that were answered with something callable, and are bound to something else by now."""


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True, kw_only=True):
    """Anything on the socket between T and P; `seq` says which question it belongs to."""

    seq: _Sequence


# --- T asks P ---


class RunCell(_Message, frozen=True, kw_only=True, tag="run"):
    """Execute a cell in the notebook's namespace → `CellDone`."""

    source: str
    index: int
    instructor: bool
    draws: bool = True
    """Whether figures are drawn; otherwise only their names are shown."""
    earlier: tuple[str, ...] = ()
    """What students can read of the test cells before it."""


class ListNames(_Message, frozen=True, kw_only=True, tag="names"):
    """Which names are bound in the notebook's namespace? → `Names`."""


class Lookup(_Message, frozen=True, kw_only=True, tag="lookup"):
    """What is bound to this name? → `Answer` or `Threw` (NameError)."""

    name: str


class Bind(_Message, frozen=True, kw_only=True, tag="bind"):
    """Assign to a name → `Answer`."""

    name: str
    value: nodes.Value
    is_offer: bool = False
    """Does the test only make it available, as what it imports itself?"""


class Borrow(_Message, frozen=True, kw_only=True, tag="borrow"):
    """A function of a library as it is in P → `Answer`."""

    module: nodes.Name
    name: nodes.Name


class Unbind(_Message, frozen=True, kw_only=True, tag="unbind"):
    """Delete a name → `Answer` or `Threw` (NameError)."""

    name: str


class Operate(_Message, frozen=True, kw_only=True, tag="do"):
    """Do something with an object of P's → `Answer` or `Threw`."""

    id: int
    op: str
    """One of `kinds.SPECIALS`, or getattr, setattr, delattr, isinstance, dir."""
    arguments: list[nodes.Value] = []
    keywords: list[str] = []
    """Names of the last arguments."""
    random: list[nodes.Randomness] = []
    """States that P's global random number generators shall have first."""
    replaced: dict[nodes.Name, nodes.Value] = {}
    """What stands in place of some builtin functions meanwhile."""
    warns: bool = False
    """Are warnings asked for?"""


class Take(_Message, frozen=True, kw_only=True, tag="take"):
    """Up to `count` further items of an iterator of P's → `Batch`."""

    id: int
    count: int


class Describe(_Message, frozen=True, kw_only=True, tag="describe"):
    """Name, docstring and signature of an object of P's → `Description`."""

    id: int


class Place(_Message, frozen=True, kw_only=True, tag="place"):
    """Put files beside the notebook → `Answer`."""

    files: nodes.Value
    """A dict of relative paths and bytes."""


class Exchange(_Message, frozen=True, kw_only=True, tag="files"):
    """Put these files into the working folder; what else has changed there? → `Answer` with the same kind of dict."""

    files: nodes.Value
    """A dict of relative paths: the content of a file, True for a folder, None for what is gone."""
    all: bool = False
    """Whether all files are asked for, and not only those that have changed since the last time."""


class Fork(_Message, frozen=True, kw_only=True, tag="fork"):
    """Go on in a child with the descriptor that follows in one byte → `Answer`."""


class End(_Message, frozen=True, kw_only=True, tag="end"):
    """End the child forked as number `child` at once → `Answer`."""

    child: int


class Return(_Message, frozen=True, kw_only=True, tag="return"):
    """What a callback returned."""

    value: nodes.Value


class Fail(_Message, frozen=True, kw_only=True, tag="fail"):
    """What a callback raised."""

    error: Raised


Question = (
    RunCell | ListNames | Lookup | Bind | Borrow | Unbind | Operate | Take | Describe | Place | Exchange | Fork | End
    | Return | Fail
)  # fmt: skip


# --- P answers T ---


def is_kept(node: nodes.Value) -> bool:
    """Does the tester keep what a name was answered with until it is told that the name was bound again?

    So a test that calls a function in a loop need not ask for it each time. Data can change in place, and is asked for.
    """
    return isinstance(node, nodes.Remote) and "__call__" in node.can


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A mutable argument which the call has changed."""

    position: nodes.Natural
    value: nodes.Value


class _WithTraces(_Message, frozen=True, kw_only=True):
    """What a call leaves behind besides its result."""

    changes: Annotated[list[Change], msgspec.Meta(max_length=100)] = []
    stdout: _Printed = ""
    stderr: _Printed = ""
    drew: Annotated[list[nodes.Name], msgspec.Meta(max_length=3)] = []
    """Which global random number generators were used."""
    too_large: bool = False
    """Was there something that the student's code wanted to hand over, and that does not fit in a message?"""
    rebound: _Rebound = []
    warned: Annotated[list[Raised], msgspec.Meta(max_length=100)] = []
    """The warnings that it gave, where they were asked for."""


class Answer(_WithTraces, frozen=True, kw_only=True, tag="answer"):
    """It worked."""

    value: nodes.Value = None


class Threw(_WithTraces, frozen=True, kw_only=True, tag="threw"):
    """It raised."""

    error: Raised


class Batch(_Message, frozen=True, kw_only=True, tag="batch"):
    """Items of an iterator; `finished` with or without an error."""

    items: list[nodes.Value]
    finished: bool
    error: Raised | None = None
    stdout: _Printed = ""
    rebound: _Rebound = []


class Names(_Message, frozen=True, kw_only=True, tag="names"):
    """Names bound in the notebook's namespace."""

    names: Annotated[list[nodes.Name], msgspec.Meta(max_length=100_000)]


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """One parameter of a signature."""

    name: nodes.Name
    kind: Annotated[int, msgspec.Meta(ge=0, le=4)]
    has_default: bool
    default: nodes.Value
    annotation: nodes.Value


class Description(_Message, frozen=True, kw_only=True, tag="description"):
    """What an object says about itself."""

    name: nodes.Name | None
    qualname: nodes.Name | None
    doc: Annotated[str, msgspec.Meta(max_length=1 << 16)] | None
    parameters: Annotated[list[Parameter], msgspec.Meta(max_length=256)] | None
    returns: nodes.Value
    returns_given: bool


class CellDone(_Message, frozen=True, kw_only=True, tag="ran"):
    """A cell ran to its end or to an exception."""

    ok: bool
    outputs: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=2000)]
    binds: Annotated[list[nodes.Name], msgspec.Meta(max_length=1000)] = []
    """Names that a student's cell binds at its top level, as its text says; read in P, where that text is at home."""
    defines: Annotated[list[nodes.Name], msgspec.Meta(max_length=1000)] = []
    """Names of the functions and classes that it defines."""


class CallBack(_Message, frozen=True, kw_only=True, tag="callback"):
    """P asks something of an object of T's → `Return` or `Fail`."""

    id: nodes.Natural
    op: nodes.Name
    arguments: Annotated[list[nodes.Value], msgspec.Meta(max_length=1000)] = []
    keywords: Annotated[list[nodes.Name], msgspec.Meta(max_length=1000)] = []


Reply = Answer | Threw | Batch | Names | Description | CellDone | CallBack


# --- the coordinator, T and W: trusted on both sides (a job and its results are in `grading_utils.jobs`) ---


class JobDone(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """Every cell has been reported."""


class WarmRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the warm process shall run before anything is forked from it."""

    cells: list[str]
    """The leading instructor cells."""
    later: list[str] = []
    """The instructor cells after those, which it may rehearse."""
    seconds: float = 240.0
    """Wall-clock time for the leading cells together."""


class WarmReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the leading instructor cells that ran printed and displayed."""

    outputs: list[list[dict[str, Any]]]
    ok: list[bool]
