"""Gradescope by file: its "Export submissions" folder or zip read, and scores as a table of its own columns.

The export's index, `submission_metadata.yml`, has Ruby's symbols as keys (`":submitters"`) and may have Ruby's objects
as values; it is read with a safe loader, which takes those for the plain data that they consist of. Gradescope takes no
scores by file, so `score_rows` is for people and spreadsheets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from grading_utils.errors import CourseError
from grading_utils.reporting.standings import Standing
from grading_utils.results import Status

INDEX = "submission_metadata.yml"
HEADER = (
    "First Name", "Last Name", "SID", "Email", "Total Score", "Max Points", "Status", "Submission Time",
    "Lateness (H:M:S)",
)  # fmt: skip


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Makes no objects, whatever a file asks for."""


def _plain(loader: Any, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Loader.add_multi_constructor("!", _plain)


@dataclass(frozen=True)
class Submitter:
    """One of the people who handed in a submission."""

    ids: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Upload:
    """What the index says of one submission's folder."""

    submitters: tuple[Submitter, ...]
    created: str


def read_index(content: bytes) -> dict[str, Upload]:
    """The submissions of an export, by the name of their folder.

    Raises:
        CourseError: This is no index of a Gradescope export.
    """
    try:
        told = yaml.load(content, Loader=_Loader)
    except yaml.YAMLError as error:
        raise CourseError(f"cannot be read: {' '.join(str(error).split())}", where=INDEX) from error
    if not isinstance(told, dict):
        raise CourseError("is no index of a Gradescope export", where=INDEX)
    return {str(folder): _upload(entry) for folder, entry in told.items() if isinstance(entry, dict)}


def _upload(entry: Mapping[Any, Any]) -> Upload:
    people = _get(entry, "submitters")
    submitters = [
        Submitter(tuple(str(_get(one, key) or "") for key in ("sid", "email")), str(_get(one, "name") or ""))
        for one in (people if isinstance(people, list) else [])
        if isinstance(one, dict)
    ]
    return Upload(tuple(submitters), str(_get(entry, "created_at") or ""))


def _get(entry: Mapping[Any, Any], key: str) -> Any:
    return entry.get(f":{key}", entry.get(key))


def folder_of(path: PurePosixPath, index: Mapping[str, Upload]) -> tuple[str, PurePosixPath] | None:
    """Which submission a file belongs to, and its path inside; None where it belongs to none."""
    for depth, part in enumerate(path.parts[:-1]):
        if part in index:
            return part, PurePosixPath(*path.parts[depth + 1 :])
    return None


def score_rows(standings: Iterable[Standing]) -> list[list[str]]:
    """Gradescope's own columns for an assignment's scores, the header first; then one column for each question."""
    standings = list(standings)
    questions = {cell.grade_id: cell.max_score for standing in standings for cell in standing.cells}
    titles = [f"{name} ({worth:g} pts)" for name, worth in questions.items()]
    rows = [[*HEADER, *titles]]
    for standing in standings:
        points = {cell.grade_id: cell.score for cell in standing.cells}
        told = [points.get(name) for name in questions]
        rows.append(
            [
                standing.first_name, standing.last_name, standing.lms_id or standing.student, standing.email,
                f"{standing.score:.10g}", f"{standing.max_score:.10g}",
                "Missing" if standing.status is Status.MISSING else "Graded" if not standing.waiting else "Ungraded",
                standing.timestamp, _clock(standing), *("" if score is None else f"{score:.10g}" for score in told),
            ]
        )  # fmt: skip
    return rows


def _clock(standing: Standing) -> str:
    """How late it came, as Gradescope writes it; nothing for work of which that isn't known."""
    if not (standing.duedate and standing.timestamp):
        return ""
    minutes, seconds = divmod(int(standing.seconds_late), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
