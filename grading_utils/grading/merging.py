"""Putting together what several machines graded of one class: `grade --shard 1/3` on each, then one gradebook.

A shard's folder holds `gradebook.db`, `grades.json` and `autograded/` as `grade` left them. Automatic scores are taken
over as if they had been graded here, so points and comments of people stay, and merging again changes nothing.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from nbgrader.api import Gradebook, MissingEntry

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.gradebook import GradebookWriter
from grading_utils.results import CellResult, Status, SubmissionResult


@dataclass(frozen=True)
class Shard:
    """Part `number` of `count`, from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `"3/10"`.

        Raises:
            ValueError: It is not of this form, or there is no such part.
        """
        number, _, count = text.partition("/")
        shard = cls(int(number), int(count))
        if not 1 <= shard.number <= shard.count:
            raise ValueError(f"there is no part {shard.number} of {shard.count}")
        return shard

    def holds(self, student: str) -> bool:
        """Does a student belong to this part? The same on every machine, whoever else is in the class."""
        return int.from_bytes(hashlib.sha256(student.encode()).digest()[:8]) % self.count == self.number - 1


@dataclass
class _Part:
    """One shard's folder, read."""

    folder: Path
    course: Course
    results: list[SubmissionResult] = field(default_factory=list)


def merge(course: Course, folders: Sequence[Path]) -> list[SubmissionResult]:
    """Take over what shards graded.

    Args:
        course: The course; its gradebook and `autograded/` are written.
        folders: The shards' folders, in any order.

    Returns:
        All results of the shards, with the scores that count here.

    Raises:
        CourseError: A folder is no shard, or two of them graded one submission differently.
    """
    parts = [_read(course, folder) for folder in folders]
    seen: dict[tuple[str, str], tuple[SubmissionResult, Path]] = {}
    for part in parts:
        for result in part.results:
            key = result.assignment, result.student
            other = seen.setdefault(key, (result, part.folder))
            if _without_time(other[0]) != _without_time(result):
                raise CourseError(f"{result.student} was graded differently in {other[1]} and in {part.folder}")
    merged = []
    with GradebookWriter(course) as gradebook:
        for assignment in sorted({assignment for assignment, _ in seen}):
            gradebook.sync(build_bundle(course, assignment))
        for part in parts:
            for result in part.results:
                merged.append(_take_over(course, gradebook, part, result))
    return sorted({(one.assignment, one.student): one for one in merged}.values(), key=lambda one: one.student)


def _read(course: Course, folder: Path) -> _Part:
    where = str(folder)
    try:
        results = msgspec.json.decode((folder / "grades.json").read_bytes(), type=list[SubmissionResult])
    except (OSError, msgspec.MsgspecError) as error:
        raise CourseError("holds no grades.json of a shard", where=where) from error
    if any(result.status is not Status.FAILED for result in results) and not (folder / "gradebook.db").is_file():
        raise CourseError("holds no gradebook.db of a shard", where=where)
    if folder.resolve() == course.root:
        raise CourseError("is this course itself, no shard of it", where=where)
    return _Part(folder, course, results)


def _without_time(result: SubmissionResult) -> SubmissionResult:
    cells = tuple(msgspec.structs.replace(cell, seconds=0.0) for cell in result.cells)
    return msgspec.structs.replace(result, seconds=0.0, cells=cells)


def _take_over(course: Course, gradebook: GradebookWriter, part: _Part, result: SubmissionResult) -> SubmissionResult:
    if not result.cells:
        return result
    said = {cell.grade_id: cell for cell in result.cells}
    scores: dict[str, list[CellResult]] = {}
    unanswered: dict[str, frozenset[str]] = {}
    with Gradebook(f"sqlite:///{part.folder / 'gradebook.db'}") as theirs:
        try:
            submission = theirs.find_submission(result.assignment, result.student)
        except MissingEntry as error:
            where = str(part.folder)
            raise CourseError(f"its gradebook knows no submission of {result.student}", where=where) from error
        timestamp = submission.timestamp
        for notebook in submission.notebooks:
            automatic = {grade.name: grade.auto_score for grade in notebook.grades}
            scores[notebook.name] = [
                msgspec.structs.replace(said[name], score=automatic[name]) for name in said if name in automatic
            ]
            unanswered[notebook.name] = frozenset(
                comment.name for comment in notebook.comments if comment.auto_comment == "No response."
            )
    counted = gradebook.record(result.student, result.assignment, scores, unanswered, timestamp)
    _copy_graded(course, part, result)
    by_name = {cell.grade_id: cell for cells in counted.values() for cell in cells}
    cells = tuple(by_name.get(cell.grade_id, cell) for cell in result.cells)
    return msgspec.structs.replace(result, cells=cells, score=sum(cell.score or 0.0 for cell in cells))


def _copy_graded(course: Course, part: _Part, result: SubmissionResult) -> None:
    source = part.folder / "autograded" / result.student / result.assignment
    target = course.autograded(result.assignment, result.student)
    if not source.is_dir():
        return
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source, fresh, symlinks=True)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
