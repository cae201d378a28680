"""nbgrader's own lists of preprocessors, with ours in the places where they stand.

So a stage that a new version of nbgrader adds comes along by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grading_utils.errors import CourseError


def stages(
    converter: type, trait: str, *, instead: Mapping[type, type] | None = None, without: Iterable[type] = ()
) -> list[Any]:
    """The default list of a converter, changed.

    Args:
        converter: One of `nbgrader.converters`.
        trait: Which of its lists.
        instead: For some of the stages the one that takes its place.
        without: Stages to leave out.

    Raises:
        CourseError: nbgrader's list doesn't have one of these stages, so that what is promised may not hold.
    """
    instead, without = instead or {}, tuple(without)
    stock = list(converter.class_traits()[trait].default())  # type: ignore[attr-defined]
    if missing := {*instead, *without} - set(stock):
        names = ", ".join(sorted(kind.__name__ for kind in missing))
        raise CourseError(f"this version of nbgrader has no stage {names} in {converter.__name__}.{trait}")
    return [instead.get(kind, kind) for kind in stock if kind not in without]
