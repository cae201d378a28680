"""Scores in the files of Canvas and Moodle: nobody's by mistake, nothing else changed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from grading_utils.errors import CourseError
from grading_utils.lms import canvas, moodle
from grading_utils.lms.filling import Choices
from grading_utils.lms.matching import Person, Roster
from grading_utils.lms.sheets import Sheet
from grading_utils.results import points

from .conftest import CANVAS, MOODLE, PEOPLE, standing


def sheet(text: str, tmp_path: Path) -> Sheet:
    (tmp_path / "in.csv").write_bytes(text.encode())
    return Sheet.read(tmp_path / "in.csv")


def written(table: Sheet, tmp_path: Path) -> str:
    table.write(tmp_path / "out.csv")
    return (tmp_path / "out.csv").read_bytes().decode()


@pytest.mark.parametrize(("score", "text"), [(3.0, "3"), (0.0, "0"), (2.5, "2.5"), (0.125, "0.13"), (10.0, "10")])
def test_scores_have_at_most_two_decimals(score: float, text: str) -> None:
    assert points(score) == text


def test_canvas_gets_scores_in_the_one_column_and_everything_else_back(tmp_path: Path, roster: Roster) -> None:
    table = sheet(CANVAS, tmp_path)
    done = canvas.fill_scores(
        table, [standing("jane", 4.5), standing("zoe", 3.0), standing("bob")], {}, roster, Choices()
    )["counting"]
    assert done.changed == ["jane", "zoe"]
    assert [line for line in done.left if line.startswith(("bob", "Student, Test"))] == [
        "bob: handed in nothing",
        "Student, Test: nobody in the gradebook, the row stays as it is",
    ]
    wanted = CANVAS.replace(",8.00,,2.00,70.00", ",8.00,,4.5,70.00").replace("zoe,One,EX,,,", "zoe,One,EX,,3,")
    assert written(table, tmp_path) == wanted


def test_a_score_that_is_there_already_in_another_spelling_is_no_change(tmp_path: Path, roster: Roster) -> None:
    table = sheet(CANVAS, tmp_path)
    assert canvas.fill_scores(table, [standing("jane", 2.0)], {}, roster, Choices())["counting"].changed == []
    assert written(table, tmp_path) == CANVAS


def test_excused_students_stay_excused(tmp_path: Path, roster: Roster) -> None:
    table = sheet(CANVAS, tmp_path)
    canvas.fill_scores(table, [standing("eve", 5.0)], {}, roster, Choices())
    assert written(table, tmp_path) == CANVAS


def test_a_title_with_commas_and_brackets_is_found_when_it_is_named(tmp_path: Path, roster: Roster) -> None:
    table = sheet(CANVAS, tmp_path)
    columns = {"counting": "Counting, part (1)"}
    canvas.fill_scores(table, [standing("jane", 1.0)], columns, roster, Choices())
    assert written(table, tmp_path) == CANVAS.replace(",8.00,,2.00", ",8.00,1,2.00")


def test_canvas_columns_that_could_be_meant_are_listed(tmp_path: Path, roster: Roster) -> None:
    with pytest.raises(CourseError, match=r"Reading \(11\).*--column"):
        canvas.fill_scores(sheet(CANVAS, tmp_path), [standing("jane", 1.0)], {"counting": "x"}, roster, Choices())


def test_somebody_without_a_row_is_refused_by_name_or_left_out_when_asked(tmp_path: Path) -> None:
    roster = Roster((*PEOPLE, Person("stranger")))
    handed_in = [standing("jane", 1.0), standing("stranger", 5.0)]
    with pytest.raises(CourseError, match="stranger"):
        canvas.fill_scores(sheet(CANVAS, tmp_path), handed_in, {}, roster, Choices())
    left_out = Choices(skip_unmatched=True)
    done = canvas.fill_scores(sheet(CANVAS, tmp_path), handed_in, {}, roster, left_out)["counting"]
    assert (done.changed, done.left[-1]) == (["jane"], "stranger: no row there")


def test_other_points_in_the_lms_are_refused_or_converted_when_asked(tmp_path: Path, roster: Roster) -> None:
    ten = CANVAS.replace("10.00,5.00,5.00", "10.00,5.00,10.00")
    with pytest.raises(CourseError, match="5 points here and 10 there"):
        canvas.fill_scores(sheet(ten, tmp_path), [standing("jane", 4.5)], {}, roster, Choices())
    table = sheet(ten, tmp_path)
    canvas.fill_scores(table, [standing("jane", 4.5)], {}, roster, Choices(scale=True))
    assert written(table, tmp_path) == ten.replace(",2.00,70.00", ",9,70.00")


def test_a_score_that_waits_for_a_person_is_left_out_unless_asked_for(tmp_path: Path, roster: Roster) -> None:
    waits = standing("jane", 4.0, waiting=("why",))
    done = canvas.fill_scores(sheet(CANVAS, tmp_path), [waits], {}, roster, Choices())["counting"]
    assert done.changed == []
    assert "jane: waits for a person: why" in done.left
    so_far = canvas.fill_scores(sheet(CANVAS, tmp_path), [waits], {}, roster, Choices(partial=True))["counting"]
    assert so_far.changed == ["jane"]


def test_moodle_gets_scores_and_its_dates_identifiers_and_comments_back(tmp_path: Path, roster: Roster) -> None:
    table = sheet(MOODLE, tmp_path)
    done = moodle.Worksheet(table).fill_scores([standing("jane", 4.5), standing("zoe", 0.0)], roster, Choices())
    assert done.changed == ["jane", "zoe"]
    assert written(table, tmp_path) == MOODLE.replace("Submitted,2.00", "Submitted,4.5").replace(
        "Submitted,,5.00", "Submitted,0,5.00"
    )


def test_a_worksheet_in_another_language_keeps_its_decimal_commas(tmp_path: Path, roster: Roster) -> None:
    german = "ID;Vollständiger Name;E-Mail-Adresse;Bewertung;Beste Bewertung\nTeilnehmer/in101;Jane Doe;;2,50;5,00\n"
    table = sheet(german, tmp_path)
    moodle.Worksheet(table).fill_scores([standing("jane", 4.5)], roster, Choices())
    assert written(table, tmp_path) == german.replace("2,50", "4,5")


def test_columns_of_a_language_we_do_not_know_can_be_named(tmp_path: Path, roster: Roster) -> None:
    text = MOODLE.replace("Identifier", "Идентификатор").replace("Grade,Maximum grade", "Оценка,Макс")
    with pytest.raises(CourseError, match="--column 'identifier=NAME'"):
        moodle.Worksheet(sheet(text, tmp_path))
    named = {"identifier": "Идентификатор", "grade": "Оценка", "maximum": "Макс"}
    table = sheet(text, tmp_path)
    moodle.Worksheet(table, named).fill_scores([standing("jane", 3.0)], roster, Choices())
    assert "Submitted,3,5.00" in written(table, tmp_path)


def test_two_people_of_one_name_are_not_taken_for_each_other(tmp_path: Path) -> None:
    twins = Roster([Person("jane1", "Jane", "Doe"), Person("jane2", "Jane", "Doe")])
    with pytest.raises(CourseError, match="jane1"):
        moodle.Worksheet(sheet(MOODLE, tmp_path)).fill_scores([standing("jane1", 3.0)], twins, Choices())


def test_what_goes_back_is_still_a_table_of_the_same_shape(tmp_path: Path, roster: Roster) -> None:
    table = sheet(CANVAS, tmp_path)
    canvas.fill_scores(table, [standing("jane", 4.5)], {}, roster, Choices())
    rows = list(csv.reader(written(table, tmp_path).splitlines()))
    assert {len(row) for row in rows} == {9}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("counting (13)", "counting Final Score (13)", "rename"),
        ("5.00,5.00,(read", "5.00,(read only),(read", "read only"),
    ],
)
def test_a_column_that_canvas_would_not_import_is_refused(
    before: str, after: str, said: str, tmp_path: Path, roster: Roster
) -> None:
    columns = {"counting": "counting Final Score" if said == "rename" else "counting"}
    table = sheet(CANVAS.replace(before, after), tmp_path)
    with pytest.raises(CourseError, match=said):
        canvas.fill_scores(table, [standing("jane", 1.0)], columns, roster, Choices())
