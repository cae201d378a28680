"""Downloads become submissions: everybody's in the right folder, and nothing lost."""

from __future__ import annotations

import unicodedata
import zipfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.lms import canvas, collecting, downloads, moodle
from grading_utils.lms.archives import read_entries, write_zip
from grading_utils.lms.dates import read_utc
from grading_utils.lms.matching import Person, Roster
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
    handed = downloads.from_canvas(read_entries(make_zip(tmp_path, CANVAS_ZIP)))
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
        assert collecting.collect(small_course, ASSIGNMENT, downloads.from_canvas(entries), roster).new == expected
    assert submitted(small_course) == {f"jane/{ASSIGNMENT}/{NOTEBOOK}": b"two"}
    replaced = small_course.root / "downloaded" / ASSIGNMENT / "earlier" / "jane" / "replaced-1" / NOTEBOOK
    assert replaced.read_bytes() == b"one"


def test_a_group_hands_in_for_all_its_members(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("Group,Student\nNight Owls,jane\nNight Owls,zoe\n")
    groups = downloads.read_groups(tmp_path / "groups.csv")
    handed = downloads.from_canvas(read_entries(make_zip(tmp_path, {f"nightowls_4711_9001_{NOTEBOOK}": b"ours"})))
    collecting.collect(small_course, ASSIGNMENT, handed, roster, groups=groups)
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
    handed = downloads.from_moodle(read_entries(make_zip(tmp_path, files)), worksheet)
    collecting.collect(small_course, ASSIGNMENT, handed, roster, timezone="Europe/Berlin")
    assert submitted(small_course) == {
        f"jane/{ASSIGNMENT}/{NOTEBOOK}": b"jane",
        f"jane/{ASSIGNMENT}/timestamp.txt": b"2025-12-01 21:15:00 UTC\n",
        f"zoe/{ASSIGNMENT}/{NOTEBOOK}": b"zoe",
        f"zoe/{ASSIGNMENT}/onlinetext.html": b"text",
    }


def test_gradescope_folders_are_found_through_its_index(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    index = (
        "submission_55:\n  :submitters:\n  - :name: Jane Doe\n    :sid: '4711'\n    :email: jane@example.org\n"
        "  :created_at: 2025-12-01 20:00:00.482347000 Z\n"
        "  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess\n    score: !ruby/object:Float 1.5\n"
        "submission_56:\n  :submitters:\n  - {':name': Zoe Muller, ':sid': 4712, ':email': zoe@example.org}\n"
        "  - {':name': Nobody, ':sid':, ':email': nobody@example.org}\n  :created_at: 2025-12-01 15:00:00 -05:00\n"
    )
    files = {
        "assignment_7_export/submission_metadata.yml": index.encode(),
        f"assignment_7_export/submission_55/{NOTEBOOK}": b"jane",
        f"assignment_7_export/submission_56/{NOTEBOOK}": b"a group",
    }
    handed = downloads.from_gradescope(read_entries(make_zip(tmp_path, files)))
    done = collecting.collect(small_course, ASSIGNMENT, handed, roster)
    assert submitted(small_course) == {
        f"jane/{ASSIGNMENT}/{NOTEBOOK}": b"jane",
        f"jane/{ASSIGNMENT}/timestamp.txt": b"2025-12-01 20:00:00 UTC\n",
        f"zoe/{ASSIGNMENT}/{NOTEBOOK}": b"a group",
        f"zoe/{ASSIGNMENT}/timestamp.txt": b"2025-12-01 20:00:00 UTC\n",
    }
    assert [note for note in done.notes if "belongs to nobody" in note]


def test_folders_named_like_students_need_no_roster(small_course: Course, tmp_path: Path) -> None:
    for student in ("ann", "bo"):
        folder = tmp_path / "class" / student
        folder.mkdir(parents=True)
        (folder / NOTEBOOK).write_bytes(student.encode())
    handed = downloads.from_folder(read_entries(tmp_path / "class"))
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
        small_course, ASSIGNMENT, downloads.from_canvas(read_entries(tmp_path / "evil.zip")), roster
    )
    assert done.new == []
    assert len(done.notes) == 4
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_zip_bomb_is_left_packed_and_named(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    path = make_zip(tmp_path, {f"doejane_4711_1_{NOTEBOOK}": b"0" * 5_000_000, f"doejane_4711_2_b{NOTEBOOK}": b"ok"})
    done = collecting.collect(small_course, ASSIGNMENT, downloads.from_canvas(read_entries(path)), roster)
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
        ("doejane_LATE_4711_text.html", ("doejane", "4711", "text.html", True)),
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


def test_a_group_whose_members_nobody_named_is_said(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    handed = downloads.from_canvas(read_entries(make_zip(tmp_path, {f"nightowls_4711_9001_{NOTEBOOK}": b"ours"})))
    (note,) = collecting.collect(small_course, ASSIGNMENT, handed, roster).notes
    assert "went to jane (Jane Doe) alone" in note


def test_a_groups_number_is_not_taken_for_a_students(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(MOODLE)
    worksheet = moodle.Worksheet(Sheet.read(tmp_path / "w.csv"))
    files = {f"Night Owls_101_assignsubmission_file/{NOTEBOOK}": b"ours"}
    handed = downloads.from_moodle(read_entries(make_zip(tmp_path, files)), worksheet)
    done = collecting.collect(small_course, ASSIGNMENT, handed, roster)
    assert done.new == []
    assert "belongs to nobody" in done.notes[0]


def test_hidden_names_are_found_by_their_number_alone(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    hidden = MOODLE.replace("Participant ", "Teilnehmer/in")
    (tmp_path / "w.csv").write_text(hidden)
    files = {f"Teilnehmer_in_102_assignsubmission_file_/{NOTEBOOK}": b"zoe"}
    handed = downloads.from_moodle(
        read_entries(make_zip(tmp_path, files)), moodle.Worksheet(Sheet.read(tmp_path / "w.csv"))
    )
    assert collecting.collect(small_course, ASSIGNMENT, handed, roster).new == ["zoe"]


def test_two_students_of_one_name_are_both_named(small_course: Course, tmp_path: Path) -> None:
    twins = Roster([Person("jane1", "Jane", "Doe"), Person("jane2", "Jane", "Doe")])
    handed = downloads.from_canvas(read_entries(make_zip(tmp_path, {f"doejane_1_2_{NOTEBOOK}": b"x"})))
    (note,) = collecting.collect(small_course, ASSIGNMENT, handed, twins).notes
    assert "could be jane1 or jane2's" in note


def test_names_in_two_spellings_of_accents_are_one(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", f"Zoë Müller_102_assignsubmission_file_/{NOTEBOOK}")
    handed = downloads.from_moodle(read_entries(make_zip(tmp_path, {name: b"zoe"})), None)
    assert collecting.collect(small_course, ASSIGNMENT, handed, roster).new == ["zoe"]


def test_a_zip_with_the_separators_of_windows_is_read(small_course: Course, roster: Roster, tmp_path: Path) -> None:
    files = {f"Jane Doe_101_assignsubmission_file\\{NOTEBOOK}": b"jane", "..\\..\\up_1_2_x.ipynb": b"x"}
    with zipfile.ZipFile(tmp_path / "windows.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    handed = downloads.from_moodle(read_entries(tmp_path / "windows.zip"), None)
    done = collecting.collect(small_course, ASSIGNMENT, handed, roster)
    assert done.new == ["jane"]
    assert done.notes == ["up_1_2_x.ipynb: has a path that leads outside"]


def test_an_encrypted_file_is_named_and_an_empty_download_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {f"doejane_4711_1_{NOTEBOOK}": b"secret"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1  # the flag that says so
    path.write_bytes(data)
    (entry,) = read_entries(path)
    assert entry.problem.startswith("is encrypted")
    with pytest.raises(CourseError, match="holds no files"):
        downloads.read_download(make_zip(tmp_path, {"__MACOSX/._x": b""}), "canvas")


@pytest.mark.parametrize(
    "text",
    [
        "Monday, 1 December 2025, 10:15 PM",
        "Montag, 1. Dezember 2025, 22:15",
        "lundi 1 décembre 2025, 22:15",
        "lunes, 1 de diciembre de 2025, 22:15",
        "lunedì, 1 dicembre 2025, 22:15",
        "понедельник, 1 декабря 2025, 22:15",
        "01.12.2025, 22:15",
    ],
)
def test_dates_are_read_in_the_teachers_language(text: str) -> None:
    assert read_utc(text, "Europe/Berlin") == datetime(2025, 12, 1, 21, 15, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "-", "kesäkuun 99. 2025, 22:15", "1 Brumaire 2025, 22:15", "2025-13-45"])
def test_what_is_no_date_is_not_guessed(text: str) -> None:
    assert read_utc(text, "UTC") is None


def test_a_worksheet_in_any_language_knows_when_work_came(tmp_path: Path) -> None:
    french = (
        "Identifiant,Nom complet,Note,Dernière modification (travail remis),Dernière modification (note)\n"
        'Participant 101,Jane Doe,,"lundi 1 décembre 2025, 22:15",-\nParticipant 102,Zoë Müller,,-,-\n'
    )
    (tmp_path / "w.csv").write_text(french)
    worksheet = moodle.Worksheet(Sheet.read(tmp_path / "w.csv"))
    assert [worksheet.submitted(row) for row in worksheet.rows] == ["lundi 1 décembre 2025, 22:15", ""]


def test_work_that_came_nobody_knows_when_is_said(tmp_path: Path) -> None:
    jane, zoe = (f"{name}_assignsubmission_file/{NOTEBOOK}" for name in ("Jane Doe_101", "Zoë Müller_102"))
    (tmp_path / "w.csv").write_text(MOODLE)
    zipped = make_zip(tmp_path, {jane: b"", zoe: b""})
    assert "name Moodle's --worksheet" in downloads.undated(downloads.read_download(zipped, "moodle"))[0]
    (note,) = downloads.undated(downloads.read_download(zipped, "moodle", tmp_path / "w.csv"))
    assert note.startswith("Zoë Müller: ")
