"""What travels to a worker before it can run a notebook: all that its warm process is made from, and no more.

The instructor's cells that students see, the assignment's data, and where both may read. Answers, hidden tests,
grades and other students' work are not in it; a parcel is named by the hash of its content, so a worker that has it
needs it only once. How it travels is `cluster.py`'s business.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
from nbformat import from_dict
from nbformat.v4 import new_code_cell

from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import Role, role
from grading_utils.devices.choice import CPU, SHARE_MIB
from grading_utils.errors import MachineError

MOST_BYTES = 256 << 20
"""All data files of an assignment together; more belongs onto the workers' disks, named in `c.Sandbox.readable`."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One notebook of an assignment, as a worker needs it."""

    assignment: str
    notebook: str
    leading: tuple[dict[str, Any], ...]
    """The instructor's code cells before the first answer or check."""
    later: tuple[dict[str, Any], ...]
    """The instructor's ungraded code cells after it."""
    files: tuple[tuple[str, bytes], ...]
    """The assignment's data: relative paths and contents."""
    readable: tuple[str, ...]
    """What notebooks may read on the worker, at the same paths as here."""
    device: str = CPU
    """`cpu`, or `cuda` for a card of the worker's own."""
    share_mib: int = SHARE_MIB

    def packed(self) -> tuple[str, bytes]:
        """The name of the parcel, and the parcel as bytes.

        Raises:
            MachineError: The data files are too large to travel.
        """
        size = sum(len(content) for _, content in self.files)
        if size > MOST_BYTES:
            raise MachineError(
                f"its data files are {size >> 20} MB, and at most {MOST_BYTES >> 20} MB are sent to workers: put them "
                "on every worker and name their folder in c.Sandbox.readable",
                where=self.assignment,
            )
        packed = msgspec.msgpack.encode(self)
        return hashlib.sha256(packed).hexdigest(), packed

    def unpack(self, folder: Path) -> tuple[Bundle, NotebookBundle]:
        """The assignment as far as a warm process needs it, with its data files written into a folder."""
        paths = []
        for name, content in self.files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            paths.append(path)
        answers = new_code_cell()  # the first one is where the leading cells end, and none of them travels
        cells = (*map(from_dict, self.leading), answers, *map(from_dict, self.later))
        notebook = NotebookBundle(self.notebook, cells, {})
        return Bundle(self.assignment, {self.notebook: notebook}, tuple(paths), folder, ""), notebook


def parcel_of(
    bundle: Bundle,
    notebook: NotebookBundle,
    readable: tuple[str, ...],
    *,
    device: str = CPU,
    share_mib: int = SHARE_MIB,
) -> Parcel:
    """The parcel of one notebook.

    Args:
        bundle: The assignment.
        notebook: One of its notebooks.
        readable: What the course lets notebooks read beside the assignment.
        device: What the worker is to compute on; see `devices.choice.choose`.
        share_mib: Memory of its card for one submission.
    """
    theirs = [cell for cell in notebook.cells if cell.cell_type == "code" and role(cell) is Role.INSTRUCTOR]
    leading = len(notebook.leading)
    files = tuple((path.relative_to(bundle.root).as_posix(), path.read_bytes()) for path in bundle.files)
    return Parcel(
        assignment=bundle.assignment,
        notebook=notebook.name,
        leading=tuple(map(dict, theirs[:leading])),
        later=tuple(map(dict, theirs[leading:])),
        files=files,
        readable=readable,
        device=device,
        share_mib=share_mib,
    )
