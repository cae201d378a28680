"""Results and standings as files for other programs: JSON, JUnit XML and CSV.

`grades.json` keeps what `grade` recorded and is read back; everything else is made of standings, so that all files say
the same.

A path of `-` is standard output. Every writer puts submissions in the order (assignment, student), so the same
results give the same bytes. Text that students control is made safe for the format it goes into; it is not made safe
for HTML here.
"""

from __future__ import annotations

import csv
import io
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from grading_utils.errors import CourseError
from grading_utils.replacing import replace_file
from grading_utils.reporting.standings import Standing
from grading_utils.results import CellResult, Status, SubmissionResult

RESULTS = "grades.json"
"""The file in the course's folder with what `grade` recorded last for each submission."""

NBGRADER_COLUMNS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)
"""The header of `nbgrader export`; our own columns come after it."""

NOTHING_GRADED = "nothing was graded here yet: run `grading-utils grade` first"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_Told = TypeVar("_Told", SubmissionResult, Standing)
_FORMULA = ("=", "+", "-", "@", "\t", "\n")


def in_order(results: Iterable[_Told]) -> list[_Told]:
    """Results sorted by assignment, then student."""
    return sorted(results, key=lambda result: (result.assignment, result.student))


def write_json(results: Iterable[_Told], path: Path) -> None:
    """Write results or standings as a JSON list; the file is replaced in one step, so nobody reads half of it."""
    encoded = msgspec.json.encode([without_surrogates(result) for result in in_order(results)])
    _replace(path, msgspec.json.format(encoded, indent=2) + b"\n")


def merge_json(results: Iterable[SubmissionResult], path: Path) -> None:
    """Add results to those in a JSON file; a submission that was graded again replaces its older result.

    Raises:
        CourseError: The file exists and does not hold results; it is left as it is.
    """
    known = read_json(path) if path.exists() else []
    merged = {(result.assignment, result.student): result for result in (*known, *results)}
    write_json(merged.values(), path)


def read_json(path: Path) -> list[SubmissionResult]:
    """Read results that `write_json` wrote.

    Raises:
        CourseError: The file does not exist or does not hold results.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[SubmissionResult])
    except FileNotFoundError as error:
        raise CourseError(NOTHING_GRADED, where=str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CourseError(
            f"does not hold grading results ({error}): delete it and run `grading-utils grade` again",
            where=str(path),
        ) from error


def write_junit(standings: Iterable[Standing], path: Path) -> None:
    """Write JUnit XML: a test suite per assignment and student, a test case per grade cell.

    A cell below full marks is a failure, a cell that waits for a person is skipped, as is a student who handed in
    nothing, and a submission that could not be graded is an error. The time is the submission's; cells are not timed.
    """
    root = ET.Element("testsuites", name="grading-utils")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for result in in_order(standings):
        name = f"{result.assignment}/{result.student}"
        suite = ET.SubElement(root, "testsuite", name=_xml(name), time=f"{result.seconds:.3f}")
        properties = ET.SubElement(suite, "properties")
        for key, value in (
            ("status", str(result.status)),
            ("score", _number(result.score)),
            ("late_submission_penalty", _number(result.penalty)),
            ("max_score", _number(result.max_score)),
        ):
            ET.SubElement(properties, "property", name=key, value=value)
        counts = dict.fromkeys(totals, 0)
        for cell in result.cells:
            counts["tests"] += 1
            kind = _add_case(suite, result, cell)
            if kind is not None:
                counts[kind] += 1
        if result.status is Status.FAILED:
            counts["tests"] += 1
            counts["errors"] += 1
            case = ET.SubElement(suite, "testcase", classname=_xml(name), name="submission")
            ET.SubElement(case, "error", message=_xml(result.message or "the submission could not be graded"))
        elif result.status is Status.MISSING:
            counts["tests"] += 1
            counts["skipped"] += 1
            case = ET.SubElement(suite, "testcase", classname=_xml(name), name="submission")
            ET.SubElement(case, "skipped", message="nothing was handed in")
        elif result.message:
            ET.SubElement(suite, "system-out").text = _xml(result.message)
        for key, count in counts.items():
            suite.set(key, str(count))
            totals[key] += count
    for key, count in totals.items():
        root.set(key, str(count))
    ET.indent(root)
    _replace(path, ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _add_case(suite: ET.Element, result: Standing, cell: CellResult) -> str | None:
    """Add one grade cell; returns which count it belongs to besides `tests`."""
    classname = f"{result.assignment}/{result.student}"
    case = ET.SubElement(suite, "testcase", classname=_xml(classname), name=_xml(cell.grade_id))
    if cell.score is None:
        ET.SubElement(case, "skipped", message="waits for a person to grade it")
        return "skipped"
    if cell.score >= cell.max_score:
        return None
    points = f"{_number(cell.score)} of {_number(cell.max_score)} points"
    failure = ET.SubElement(case, "failure", type="points-lost", message=_xml(_join(points, cell.message)))
    failure.text = _xml(cell.message)
    return "failures"


def write_csv(standings: Iterable[Standing], path: Path) -> None:
    """Write one row per student and assignment: nbgrader's export columns, status, message, points per question."""
    standings = in_order(standings)
    questions = list(dict.fromkeys(cell.grade_id for standing in standings for cell in standing.cells))
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    titles = [_cell(f"points: {question}") for question in questions]
    table.writerow([*NBGRADER_COLUMNS, "status", "message", *titles])
    for standing in standings:
        points = {cell.grade_id: cell.score for cell in standing.cells}
        people = (standing.student, standing.last_name, standing.first_name, standing.email)
        numbers = (standing.raw_score, standing.penalty, standing.score, standing.max_score)
        table.writerow(
            [
                *map(_cell, (standing.assignment, standing.duedate, standing.timestamp, *people)),
                *map(_number, numbers),
                str(standing.status),
                _cell(standing.message),
                *(_number(points.get(question)) for question in questions),
            ]
        )
    _replace(path, rows.getvalue().encode("utf-8", "replace"))


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula, and no reader of CSV for the end of the row."""
    text = text.replace("\0", "�").replace("\r", "\n")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _join(*parts: str) -> str:
    return ": ".join(part for part in parts if part)


def _xml(text: str) -> str:
    """Text with every character that XML 1.0 forbids replaced."""
    return _NOT_XML.sub("�", text)


def without_surrogates(result: _Told) -> _Told:
    """The same result in text that UTF-8 can hold; a student's exception may have half a surrogate pair."""

    def mend(text: str) -> str:
        return _SURROGATE.sub("�", text)

    cells = tuple(
        msgspec.structs.replace(
            cell, grade_id=mend(cell.grade_id), message=mend(cell.message), details=mend(cell.details)
        )
        for cell in result.cells
    )
    return msgspec.structs.replace(
        result,
        student=mend(result.student),
        assignment=mend(result.assignment),
        message=mend(result.message),
        cells=cells,
    )


def _replace(path: Path, content: bytes) -> None:
    if path == Path("-"):
        sys.stdout.write(content.decode())
        return
    replace_file(path, content)
