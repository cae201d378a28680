"""Who is in the course, from whatever table the instructor has."""

from __future__ import annotations

from pathlib import Path

import pytest

from grading_utils.errors import CourseError
from grading_utils.lms.rosters import read_people
from grading_utils.lms.sheets import Sheet

from .conftest import CANVAS, MOODLE

AMARA = {"first_name": "Amara", "last_name": "Okafor", "email": "amara@example.org"}


def read(text: str, tmp_path: Path) -> dict[str, dict[str, str]]:
    (tmp_path / "roster.csv").write_bytes(text.encode())
    return read_people(Sheet.read(tmp_path / "roster.csv"))


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("id,first_name,last_name,email\namara,Amara,Okafor,amara@example.org\n", "amara"),
        ("\ufeffVorname;Nachname;ID-Nummer;E-Mail-Adresse\r\nAmara;Okafor;17;amara@example.org\r\n", "17"),
        ("First Name,Last Name,SID,Email,Role\nAmara,Okafor,77,amara@example.org,Student\n", "77"),
        ("First name,Last name,Email address,Groups\nAmara,Okafor,amara@example.org,\n", "amara@example.org"),
        (
            "Identifier,Full name,Email address,Grade\nParticipant 9,Amara Okafor,amara@example.org,\n",
            "amara@example.org",
        ),
    ],
)
def test_rosters_of_several_systems_say_the_same(text: str, id: str, tmp_path: Path) -> None:
    assert read(text, tmp_path) == {id: AMARA}


def test_canvas_gradebook_is_a_roster_without_its_test_student(tmp_path: Path) -> None:
    people = read(CANVAS, tmp_path)
    assert list(people) == ["jdoe", "zoe", "bob", "eve"]
    assert people["zoe"] == {"first_name": "Zoë", "last_name": "Müller", "lms_user_id": "4712"}


def test_a_student_without_login_has_canvas_own_number(tmp_path: Path) -> None:
    assert "4711" in read(CANVAS.replace("s1,jdoe", ","), tmp_path)


def test_moodle_worksheet_is_a_roster(tmp_path: Path) -> None:
    assert list(read(MOODLE, tmp_path)) == ["jane@example.org", "zoe@example.org"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id\n../x\n", "can't name a folder"),
        ("id\na+b\n", "can't name a folder"),
        ("id,email\na,x@example.org\na,y@example.org\n", "two rows"),
        ("foo,bar\n1,2\n", "foo, bar"),
    ],
)
def test_what_cannot_be_a_roster_is_named(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=said):
        read(text, tmp_path)
