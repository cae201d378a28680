"""From the answers of a class to points in the gradebook: by table, and from the formgrader."""

from __future__ import annotations

import copy
import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from grading_utils.cli import main
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.solutions import solution_notebook
from grading_utils.lms.sheets import Sheet
from grading_utils.marking.sheet import guarded, unguarded

from ..conftest import ASSIGNMENT, cell_named, hand_in, write_course

SAME = "Everything hashable can be counted."
TEXTS = {
    "007": SAME,
    "amara": "everything  hashable can be counted",
    "bo": SAME,
    "cy": "Everything hashable can not be counted.",
    "dee": "=HYPERLINK(\"http://elsewhere.invalid/\" & A1) <script>alert(1)</script>",
}  # fmt: skip


def call(course: Course, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = Course.open(write_course(tmp_path_factory.mktemp("class") / "course"))
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    perfect = solution_notebook(path, build_bundle(course, ASSIGNMENT).notebooks[ASSIGNMENT])
    for student, text in TEXTS.items():
        write_answer(course, student, perfect, text)
    call(course, "grade")
    return course.root


def write_answer(course: Course, student: str, notebook: Any, text: str) -> None:
    written = copy.deepcopy(notebook)
    cell_named(written, "why").source = text
    hand_in(course, student, written)


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Course:
    return Course.open(Path(shutil.copytree(graded, tmp_path / "course")))


@pytest.fixture
def sheet(course: Course) -> Path:
    call(course, "answers", ASSIGNMENT, "--to", str(course.root / "answers.csv"))
    return course.root / "answers.csv"


def fill(path: Path, **scores: tuple[str, str]) -> None:
    """Fill score and comment of the row in which a student is, as a spreadsheet program would."""
    table = Sheet.read(path)
    for row in table.rows[1:]:
        for student, (score, comment) in scores.items():
            if student in row[table.header.index("students")].lstrip("'").splitlines():
                row[table.header.index("score")], row[table.header.index("comment")] = score, comment
    table.write(path)


def standing(course: Course) -> dict[str, tuple[float, list[str]]]:
    call(course, "export", "--to", "json", "--output", str(course.root / "out.json"))
    told = json.loads((course.root / "out.json").read_text())
    return {entry["student"]: (entry["score"], entry["waiting"]) for entry in told}


def comment_of(course: Course, student: str) -> str | None:
    with Gradebook(course.layout.db_url) as gradebook:
        comment: str | None = gradebook.find_comment("why", ASSIGNMENT, ASSIGNMENT, student).manual_comment
    return comment


def test_the_table_has_a_row_for_each_kind_of_answer_with_rubric_and_no_formula(sheet: Path) -> None:
    rows = list(csv.DictReader(sheet.read_text("utf-8-sig").splitlines(keepends=True)))
    assert [row["students"].lstrip("'").splitlines() for row in rows] == [["007", "bo", "amara"], ["cy"], ["dee"]]
    assert "Because a Counter counts" in rows[0]["model answer"]
    assert SAME in rows[0]["answer"]
    assert TEXTS["amara"] in rows[0]["answer"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_one_row_gives_points_and_comment_to_everybody_in_it(course: Course, sheet: Path) -> None:
    fill(sheet, bo=("1,5", "-Nearly."), cy=("0", ""))
    assert "4 given, 0 as before, 0 refused" in call(course, "mark", str(sheet))
    assert standing(course) == {
        "007": (4.5, []), "amara": (4.5, []), "bo": (4.5, []), "cy": (3.0, []), "dee": (3.0, ["why"])
    }  # fmt: skip
    assert comment_of(course, "amara") == "-Nearly."
    assert "0 given, 4 as before" in call(course, "mark", str(sheet))
    assert "1 answers wait, to be read 1 times" in call(course, "answers", ASSIGNMENT, "--to", str(sheet))


def test_what_a_person_gave_is_never_replaced_unless_asked(course: Course, sheet: Path) -> None:
    fill(sheet, bo=("2", "Good."))
    call(course, "mark", str(sheet))
    fill(sheet, bo=("1", "Hm."))
    said = call(course, "mark", str(sheet), code=1)
    assert "amara, why: a person gave 2, the sheet says 1" in said
    assert standing(course)["amara"] == (5.0, [])
    call(course, "mark", str(sheet), "--replace")
    assert standing(course)["amara"] == (4.0, [])
    assert comment_of(course, "bo") == "Hm."


def test_a_member_of_a_group_can_have_something_else(course: Course, sheet: Path) -> None:
    fill(sheet, bo=("2", ""))
    table = Sheet.read(sheet)
    names, score = table.header.index("students"), table.header.index("score")
    own = list(table.rows[1])
    own[names], own[score] = "amara", "0.5"
    table.rows.append(own)
    table.write(sheet)
    assert "amara has another score" in call(course, "mark", str(sheet), code=2)
    assert standing(course)["bo"] == (3.0, ["why"]), "nothing is given from a table that contradicts itself"
    table.rows[1][names] = "'007\nbo"
    table.write(sheet)
    call(course, "mark", str(sheet))
    assert {name: score for name, (score, _) in standing(course).items() if name in ("007", "bo", "amara")} == {
        "007": 5.0, "bo": 5.0, "amara": 3.5
    }  # fmt: skip


def test_an_answer_that_has_changed_since_is_refused_by_name_and_the_others_are_not(
    course: Course, sheet: Path
) -> None:
    import nbformat

    before = nbformat.read(course.submitted(ASSIGNMENT, "bo") / f"{ASSIGNMENT}.ipynb", as_version=4)
    write_answer(course, "bo", before, "Something else entirely.")
    call(course, "grade")
    fill(sheet, amara=("2", ""))
    said = call(course, "mark", str(sheet), code=1)
    assert "bo, why: the answer has changed since the sheet was written" in said
    assert "2 given, 0 as before, 1 refused" in said
    assert (standing(course)["bo"], standing(course)["amara"]) == ((3.0, ["why"]), (5.0, []))


@pytest.mark.parametrize(
    ("score", "sentence"),
    [("two", "row 2: the score 'two' is no number"), ("3", "row 2: the score 3 is not between 0 and 2"),
     ("-1", "not between"), ("nan", "not between")],
)  # fmt: skip
def test_a_score_that_cannot_be_is_one_sentence_and_nothing_is_given(
    score: str, sentence: str, course: Course, sheet: Path
) -> None:
    fill(sheet, cy=("1", ""), bo=(score, ""))
    assert sentence in call(course, "mark", str(sheet), code=2)
    assert standing(course)["cy"] == (3.0, ["why"])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_saved_by_another_spreadsheet_is_read(separator: str, course: Course, sheet: Path) -> None:
    fill(sheet, bo=("1,5", "Gut."))
    table = Sheet.read(sheet)
    Sheet(table.rows, encoding="utf-8", separator=separator, newline="\n").write(sheet)
    assert "3 given" in call(course, "mark", str(sheet))


def test_points_for_an_earlier_answer_are_shown_apart(course: Course, sheet: Path) -> None:
    import nbformat

    fill(sheet, cy=("2", ""))
    call(course, "mark", str(sheet))
    before = nbformat.read(course.submitted(ASSIGNMENT, "cy") / f"{ASSIGNMENT}.ipynb", as_version=4)
    write_answer(course, "cy", before, SAME)
    call(course, "grade", code=1)
    call(course, "answers", ASSIGNMENT, "--to", str(sheet))
    row = next(csv.DictReader(sheet.read_text("utf-8-sig").splitlines(keepends=True)))
    assert (row["count"], row["score"], row["given"]) == ("4", "", "2 for an earlier answer (cy)")
    fill(sheet, cy=("1", ""))
    call(course, "mark", str(sheet))
    assert standing(course)["cy"] == (4.0, [])


def test_what_one_got_in_the_formgrader_goes_to_all_that_are_alike(course: Course) -> None:
    with Gradebook(course.layout.db_url) as gradebook:
        grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "bo")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.find_comment("why", ASSIGNMENT, ASSIGNMENT, "bo").manual_comment = "See page 3."
        gradebook.db.commit()
    assert "2 given" in call(course, "mark-alike", ASSIGNMENT)
    assert {name for name, (_, waiting) in standing(course).items() if waiting} == {"cy", "dee"}
    assert comment_of(course, "amara") == "See page 3."
    with Gradebook(course.layout.db_url) as gradebook:
        for student, score in (("amara", 2.0), ("007", None)):
            grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, student)
            grade.manual_score, grade.needs_manual_grade = score, score is None
        gradebook.db.commit()
    assert "alike answers were given" in call(course, "mark-alike", ASSIGNMENT, code=1)
    assert standing(course)["007"] == (3.0, ["why"])


def test_the_page_shows_every_kind_of_answer_once_and_nothing_in_it_runs(course: Course) -> None:
    page = course.root / "answers.html"
    call(course, "answers", ASSIGNMENT, "--to", str(page), "--formgrader", "http://hub.example/formgrader/")
    shown = page.read_text()
    assert shown.count("hashable can not be counted") == 1
    assert "Because a Counter counts" in shown
    assert "<script" not in shown
    with Gradebook(course.layout.db_url) as gradebook:
        id = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "bo").id
    assert f'href="http://hub.example/formgrader/submissions/{id}/#why"' in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("answers", ASSIGNMENT, "--question", "whi", "--to", "x.csv"), "there are: why"),
     (("answers", "nothing", "--to", "x.csv"), "no assignment 'nothing'"),
     (("mark", "grades.csv"), "is no sheet of")],
)  # fmt: skip
def test_wrong_use_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course.root)
    Path("grades.csv").write_text("a,b\n1,2\n")
    assert sentence in call(course, *arguments, code=2)


@pytest.mark.parametrize("text", ["plain", "=1", "'=1", "''=1", "'tis", " +x", "", "-", "a\n=b", "@me", "'"])
def test_guarded_text_comes_back_as_it_was(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).lstrip(" ").startswith(("=", "+", "-", "@"))
