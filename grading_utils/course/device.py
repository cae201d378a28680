"""What submissions of a course are computed on, as the course's configuration and its notebooks' cells say.

::

    c.Device.default = "auto"                             # or "cpu" (as it is without this line), "cuda", "cuda:1"
    c.Device.assignments = {"08-train-a-tiny-model": "cuda"}
    c.Device.memory_mib = 6000                            # of the card's memory, for one submission

One check can ask for a GPU in its cell's metadata, `"grading_utils": {"device": "cuda"}`. Then its notebook is graded
on one where there is one; elsewhere that check is left open, and the others are graded. Which cards there are is none
of this module's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from traitlets import Dict, Int, Unicode
from traitlets.config import Configurable

from grading_utils.course.cells import grade_id
from grading_utils.course.course import CONFIG_FILE, Course
from grading_utils.devices.choice import AUTO, CPU, CUDA, SHARE_MIB, is_wish
from grading_utils.errors import AuthoringError, CourseError


class Device(Configurable):
    """What `nbgrader_config.py` may say about devices."""

    default = Unicode(CPU, help="What submissions are computed on: auto, cpu, cuda or cuda:n.").tag(config=True)
    assignments = Dict(
        key_trait=Unicode(), value_trait=Unicode(), help="The same for single assignments, by name."
    ).tag(config=True)
    memory_mib = Int(SHARE_MIB, min=1, help="Memory of the GPU for one submission, in MiB.").tag(config=True)


def wish_for(course: Course, assignment: str, cells: Iterable[Any], asked: str | None = None) -> str:
    """What a notebook is to be graded on.

    Args:
        course: The course, whose configuration may say something.
        assignment: The assignment that the notebook is of.
        cells: The instructor's cells of the notebook, which may ask for a GPU.
        asked: What the person who grades wants; it has the last word.

    Raises:
        CourseError: The configuration names no device.
        AuthoringError: A cell's metadata does.
    """
    configured = Device(config=course.config)
    wish = str(configured.assignments.get(assignment, configured.default))
    if not is_wish(wish):
        raise CourseError(f"c.Device says {wish!r}: there are auto, cpu, cuda and cuda:n", where=CONFIG_FILE)
    if asked is not None:
        return asked
    return AUTO if wish == CPU and gpu_checks(cells) else wish


def share_mib(course: Course) -> int:
    """The memory of a card that one submission may hold, in MiB."""
    return int(Device(config=course.config).memory_mib)


def gpu_checks(cells: Iterable[Any]) -> frozenset[str]:
    """The cells (by `grade_id`) whose metadata asks for a GPU.

    Raises:
        AuthoringError: It asks for something else.
    """
    found = set()
    for cell in cells:
        wish = cell.get("metadata", {}).get("grading_utils", {}).get("device")
        if wish not in (None, CUDA):
            raise AuthoringError(
                f"the metadata asks for the device {wish!r}; there is: {CUDA}", where=f"cell {grade_id(cell)}"
            )
        if wish == CUDA:
            found.add(grade_id(cell) or "")
    return frozenset(found)
