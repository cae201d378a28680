"""Downloads become submissions: everybody's in the right folder, and nothing lost."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.lms import canvas, collecting, moodle
from grading_utils.lms.archives import read_entries, write_zip
from grading_utils.lms.matching import Roster
from grading_utils.lms.sheets import Sheet

from ..conftest import ASSIGNMENT
from .conftest import MOODLE

NOTEBOOK = f"{ASSIGNMENT}.ipynb"


def make_zip(folder: Path, files: dict[str, bytes]) -> Path:
    write_zip(files, folder / "download.zip")
    return folder / "download.zip"


def submitted(course: Course) -> dict[str, bytes]:
    root = course.root / "submitted"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


CANVAS_ZIP = {
    f"doejane_4711_9001_{NOTEBOOK}": b"first",
    f"doejane_4711_9002_{ASSIGNMENT}-1.ipynb": b"second",
    "doejane_4711_9003_notes, final (1).txt": b"notes",
    f"müllerzoë_LATE_4712_9004_{NOTEBOOK}": b"zoe",
    f"evilbob_4713_9005_{ASSIGNMENT}_my_copy.ipynb": b"bob",
    f"nobodyknown_9999_9006_{NOTEBOOK}": b"stranger",
    "__MACOSX/._x": b"",
}


def test_canvas_files_go_to_their_students_under_the_released_name(
    small_course: Course, roster: Roster, tmp_path: Path
) -> None:
    handed = collecting.from_canvas(read_entries(make_zip(tmp_path, CANVAS_ZIP)))
    done = collecting.collect(small_course, ASSIGNMENT, handed, roster)
    assert submitted(small_course) == {
        f"jane/{ASSIGNMENT}/{NOTEBOOK}": b"second",
        f"jane/{ASSIGNMENT}/notes, final (1).txt": b"notes",
        f"zoe/{ASSIGNMENT}/{NOTEBOOK}": b"zoe",
        f"bob/{ASSIGNMENT}/{ASSIGNMENT}_my_copy.ipynb": b"bob",
    }
    assert (done.new, done.late) == (["bob", "jane", "zoe"], ["zoe"])
    kept = {path.read_bytes() for path in (small_course.root / "downloaded").rglob("*") if path.is_file()}
    assert kept == {b"first", b"stranger"}
    assert any("nobodyknown" in note for note in done.notes)


def test_collecting_again_changes_nothing_and_a_newer_download_keeps_what_it_replaces(
    small_course: Course, roster: Roster, tmp_path: Path
) -> None:
    for content, expected in ((b"one", ["jane"]), (b"one", []), (b"two", ["jane"])):
        entries = read_entries(make_zip(tmp_path, {f"doejane_4711_9001_{NOTEBOOK}": content}))
        assert collecting.collect(small_course, ASSIGNMENT, collecting.from_canvas(entries), roster).new == expected
    assert submitted(small_course) == {f"jane/{ASSIGNMENT}/{NOTEBOOK}": b"two"}
    replaced = small_course.root / "downloaded" / ASSIGNMENT / "earlier" / "jane" / "replaced-1" / NOTEBOOK
    assert replaced.read_bytes() == b"one"


def test_a_group_hands_in_for_all_its_members(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    handed = collecting.from_canvas(read_entries(make_zip(tmp_path, {f"owls_4711_9001_{NOTEBOOK}": b"ours"})))
    collecting.collect(small_course, ASSIGNMENT, handed, roster, groups={"owls": ["jane", "zoe"]})
    assert sorted(submitted(small_course)) == [f"{name}/{ASSIGNMENT}/{NOTEBOOK}" for name in ("jane", "zoe")]


def test_moodle_folders_and_flat_names_mean_the_same_and_the_worksheet_knows_when(
    small_course: Course, roster: Roster, tmp_path: Path
) -> None:
    (tmp_path / "w.csv").write_text(MOODLE)
    worksheet = moodle.Worksheet(Sheet.read(tmp_path / "w.csv"))
    files = {
        f"Course/Jane Doe_101_assignsubmission_file/{NOTEBOOK}": b"jane",
        f"Zoë Müller_102_assignsubmission_file_{NOTEBOOK}": b"zoe",
        "Zoë Müller_102_assignsubmission_onlinetext.html": b"text",
    }
    handed = collecting.from_moodle(read_entries(make_zip(tmp_path, files)), worksheet)
    collecting.collect(small_course, ASSIGNMENT, handed, roster, timezone="Europe/Berlin")
    assert submitted(small_course) == {
        f"jane/{ASSIGNMENT}/{NOTEBOOK}": b"jane",
        f"jane/{ASSIGNMENT}/timestamp.txt": b"2025-12-01 21:15:00 UTC\n",
        f"zoe/{ASSIGNMENT}/{NOTEBOOK}": b"zoe",
    }


def test_gradescope_folders_are_found_through_its_index(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    index = (
        "submission_55:\n  :submitters:\n  - :name: Jane Doe\n    :sid: '4711'\n    :email: jane@example.org\n"
        "  :created_at: 2025-12-01 20:00:00 Z\n"
    )
    files = {
        "assignment_7_export/submission_metadata.yml": index.encode(),
        f"assignment_7_export/submission_55/{NOTEBOOK}": b"jane",
    }
    handed = collecting.from_gradescope(read_entries(make_zip(tmp_path, files)))
    collecting.collect(small_course, ASSIGNMENT, handed, roster)
    assert submitted(small_course)[f"jane/{ASSIGNMENT}/{NOTEBOOK}"] == b"jane"
    assert submitted(small_course)[f"jane/{ASSIGNMENT}/timestamp.txt"] == b"2025-12-01 20:00:00 UTC\n"


def test_folders_named_like_students_need_no_roster(small_course: Course, tmp_path: Path) -> None:
    for student in ("ann", "bo"):
        folder = tmp_path / "class" / student
        folder.mkdir(parents=True)
        (folder / NOTEBOOK).write_bytes(student.encode())
    handed = collecting.from_folder(read_entries(tmp_path / "class"))
    collecting.collect(small_course, ASSIGNMENT, handed, Roster([]))
    assert sorted(submitted(small_course)) == [f"{name}/{ASSIGNMENT}/{NOTEBOOK}" for name in ("ann", "bo")]


def test_no_name_in_a_download_leads_outside(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("doejane_4711_1_link.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../doejane_4711_2_up.ipynb", b"x")
        archive.writestr("/etc/doejane_4711_3_abs.ipynb", b"x")
        archive.writestr("doejane_4711_4_..", b"x")
        archive.writestr(link, b"/etc/passwd")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    done = collecting.collect(
        small_course, ASSIGNMENT, collecting.from_canvas(read_entries(tmp_path / "evil.zip")), roster
    )
    assert done.new == []
    assert len(done.notes) == 4
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_zip_bomb_is_left_packed_and_named(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    path = make_zip(tmp_path, {f"doejane_4711_1_{NOTEBOOK}": b"0" * 5_000_000, f"doejane_4711_2_b{NOTEBOOK}": b"ok"})
    done = collecting.collect(small_course, ASSIGNMENT, collecting.from_canvas(read_entries(path)), roster)
    assert done.notes == [f"doejane_4711_1_{NOTEBOOK}: is too large"]


@pytest.mark.parametrize("name", ["no.zip", "text.zip"])
def test_what_is_no_download_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(CourseError, match=name):
        list(read_entries(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("doejane_4711_90210_04-next-token.ipynb", ("doejane", "4711", "04-next-token.ipynb", False)),
        ("doejane_LATE_4711_90210_a_b_1_2.ipynb", ("doejane", "4711", "a_b_1_2.ipynb", True)),
        ("LATE_anon_ab12_90210_hw.ipynb", ("", "ab12", "hw.ipynb", True)),
        ("hw.ipynb", None),
    ],
)
def test_names_in_canvas_zips(name: str, expected: Any) -> None:
    said = canvas.read_upload(PurePosixPath(name))
    assert (said and (said.name, said.user, said.file, said.is_late)) == expected


def test_feedback_is_named_so_that_it_finds_its_way_back() -> None:
    assert canvas.feedback_name(PurePosixPath("doejane_LATE_1_2_hw.ipynb"), "hw.html") == "doejane_LATE_1_2_hw.html"
    folder = PurePosixPath("Jane Doe_5_assignsubmission_file_/hw.ipynb")
    assert moodle.feedback_name(folder, "hw.html") == "Jane Doe_5_assignsubmission_file/hw.html"
