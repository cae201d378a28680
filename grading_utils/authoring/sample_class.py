"""The sample class: students as data, each with the score that an honest grader gives.

`sample_class/<assignment>/<student>.yaml` says what the student changed in the instructor's solution or in the
release, how the file was damaged, and what grading must say. This module turns that into submissions, and compares
results with it. Used by `make demo` and by the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml

from grading_utils.course.bundle import Bundle, build_bundle
from grading_utils.course.cells import grade_id
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.solutions import solution_notebook
from grading_utils.results import SubmissionResult

FOLDER = "sample_class"


@dataclass(frozen=True)
class SampleStudent:
    """One student of the sample class.

    Attributes:
        base: `"solution"` or `"release"`: what the submission starts from.
        cells: Replacement texts by `grade_id`.
        drop: `grade_id`s of cells that the student deleted.
        file: Damage to the file: `"truncated"`, `"empty"`, or "" for none.
        expected: `status`, `score` (automatic points) and `cells` (points by `grade_id`).
    """

    student: str
    assignment: str
    about: str
    expected: dict[str, Any]
    base: str = "solution"
    cells: dict[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    file: str = ""


def read_sample_class(course: Course, assignment: str) -> list[SampleStudent]:
    """All sample students of an assignment, sorted by name.

    Raises:
        CourseError: A file is not as it should be; names it.
    """
    students = []
    for path in sorted((course.root / FOLDER / assignment).glob("*.yaml")):
        try:
            entry = yaml.safe_load(path.read_text(encoding="utf-8"))
            students.append(SampleStudent(student=path.stem, assignment=assignment, **entry))
        except (yaml.YAMLError, TypeError) as error:
            raise CourseError(f"is no sample student: {error}", where=str(path)) from error
    return students


def write_sample_class(course: Course, assignments: Iterable[str] | None = None) -> int:
    """Write the sample submissions to `submitted/`.

    Returns:
        How many submissions were written.

    Raises:
        CourseError: There is no sample class, or `submitted/` holds other students.
    """
    chosen = [course.require(name) for name in assignments or course.assignments()]
    sample = {name: read_sample_class(course, name) for name in chosen}
    known = {student.student for name in course.assignments() for student in read_sample_class(course, name)}
    if not any(sample.values()):
        raise CourseError(
            f"there is no sample class in {course.root / FOLDER} for {', '.join(chosen) or 'any assignment'}"
        )
    for name in course.assignments():
        strangers = [student for student in course.students(name) if student not in known]
        if strangers:
            raise CourseError(
                f"submitted/ already holds {strangers[0]} for {name}, who is not in the sample class; "
                "use a copy of the course to try the sample class in"
            )
    for name, students in sample.items():
        bundle = build_bundle(course, name)
        for student in students:
            write_submission(course, bundle, student)
    return sum(map(len, sample.values()))


def write_submission(course: Course, bundle: Bundle, student: SampleStudent) -> Path:
    """Write one sample submission; returns its folder."""
    folder = course.submitted(bundle.assignment, student.student)
    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in bundle.notebooks.items():
        path = folder / f"{name}.ipynb"
        if student.base == "solution":
            made = solution_notebook(course.source(bundle.assignment) / path.name, notebook)
        else:
            released = course.release(bundle.assignment) / path.name
            if not released.exists():
                raise CourseError(f"{released} is missing; run `grading-utils release {bundle.assignment}` first")
            made = nbformat.read(released, as_version=4)
        made.cells = [cell for cell in made.cells if grade_id(cell) not in student.drop]
        for cell in made.cells:
            if (replacement := student.cells.get(grade_id(cell) or "")) is not None:
                cell.source = replacement.rstrip("\n")
        text = nbformat.writes(made)
        damaged = {"truncated": text[: len(text) * 2 // 3], "empty": ""}.get(student.file, text)
        path.write_text(damaged, encoding="utf-8")
    return folder


def check_expectations(
    course: Course, results: Sequence[SubmissionResult], assignments: Iterable[str] | None = None
) -> list[str]:
    """Every way in which results differ from what the sample class expects, in words.

    Args:
        course: With its sample class.
        results: Of submissions that were graded.
        assignments: Those to look at; None for all.

    Raises:
        CourseError: There is no such assignment.
    """
    found = {(result.assignment, result.student): result for result in results}
    surprises = []
    for assignment in [course.require(name) for name in assignments or course.assignments()]:
        for student in read_sample_class(course, assignment):
            who = f"{student.student} {assignment}"
            result = found.get((assignment, student.student))
            if result is None:
                surprises.append(f"{who}: was not graded")
                continue
            expected = student.expected
            if result.status != expected["status"]:
                surprises.append(f"{who}: is {result.status}, not {expected['status']} ({result.message})")
            if abs(result.score - expected["score"]) > 1e-9:
                surprises.append(f"{who}: scored {result.score:g}, not {expected['score']:g}")
            scores = {cell.grade_id: cell for cell in result.cells}
            for name, points in expected.get("cells", {}).items():
                cell = scores.get(name)
                if cell is None or cell.score is None or abs(cell.score - points) > 1e-9:
                    got = "nothing" if cell is None else f"{cell.score} ({cell.message})"
                    surprises.append(f"{who}: {name} scored {got}, not {points:g}")
    return surprises
