"""Whatever a platform made of a submission's names, the notebook is found, or the message says what is there."""

from __future__ import annotations

import io
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from grading_utils.errors import SubmissionError
from grading_utils.intake import archives, folder, submission
from grading_utils.intake.submission import Submission, open_submission

from ..conftest import ROOT

ACCENTED = unicodedata.normalize("NFC", "Übung-1")


def hand_in(root: Path, *names: str, text: str = "{}") -> Path:
    """A submission folder with files of these names."""
    place = root / "submitted" / "ann" / "hw"
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


def found(place: Path, *expected: str) -> tuple[Submission, dict[str, str]]:
    """The submission, and where each notebook was found."""
    with open_submission(place, set(expected or ("hw",))) as opened:
        return opened, {name: path.name for name, path in opened.notebooks.items()}


CHANGED_ON_THE_WAY = {
    "text": "hw.ipynb.txt",
    "json": "hw.ipynb.json",
    "twice": "hw.ipynb.json.txt",
    "no ipynb": "hw.json",
    "no ending": "hw",
    "upper case": "HW.IPYNB",
    "spaces": "hw.ipynb ",
    "folder": "hw/hw.ipynb",
    "folders": "Downloads/HW/hw.ipynb.txt",
    "folder with the name of the notebook": "hw.ipynb/hw.ipynb",
}


@pytest.mark.parametrize("change", CHANGED_ON_THE_WAY)
def test_a_name_that_was_changed_on_the_way_is_found_and_noted(change: str, tmp_path: Path) -> None:
    name = CHANGED_ON_THE_WAY[change]
    opened, notebooks = found(hand_in(tmp_path, name))
    assert notebooks == {"hw": Path(name).name}
    assert opened.repairs == [f"the notebook was handed in as {name}"]
    assert opened.attention == []
    assert opened.files == {}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_may_be_composed_or_not(form: str, tmp_path: Path) -> None:
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    place = hand_in(tmp_path, unicodedata.normalize(form, ACCENTED) + ".ipynb")
    assert list(found(place, unicodedata.normalize(other, ACCENTED))[1]) == [unicodedata.normalize(other, ACCENTED)]


def test_what_operating_systems_leave_is_no_notebook_and_no_file(tmp_path: Path) -> None:
    place = hand_in(tmp_path, "._hw.ipynb", "hw_final.ipynb", "._hw_final.ipynb", ".DS_Store", "__MACOSX/._hw.ipynb")
    opened, notebooks = found(place)
    assert notebooks == {"hw": "hw_final.ipynb"}
    assert opened.attention == ["the notebook is named hw_final.ipynb instead of hw.ipynb; it was graded"]
    assert opened.files == {}


def test_the_notebook_itself_counts_more_than_copies_and_data_of_its_name(tmp_path: Path) -> None:
    place = hand_in(tmp_path, "hw.ipynb", "hw.txt", "old/hw.ipynb", "hw.ipynb.txt")
    opened, notebooks = found(place)
    assert notebooks == {"hw": "hw.ipynb"}
    assert opened.attention == ["hw.ipynb.txt was handed in too, and was not graded"]
    assert opened.repairs == ["old/hw.ipynb was handed in too, and was not graded"]
    assert PurePosixPath("hw.txt") in opened.files


def test_names_that_a_platform_has_put_something_before_go_to_the_notebook_they_contain(tmp_path: Path) -> None:
    place = hand_in(tmp_path, "smith_12_part-1.ipynb", "smith_13_part-2.ipynb", "part-3.ipynb")
    opened, notebooks = found(place, "part-1", "part-2", "part-3")
    assert notebooks == {
        "part-1": "smith_12_part-1.ipynb",
        "part-2": "smith_13_part-2.ipynb",
        "part-3": "part-3.ipynb",
    }
    assert len(opened.attention) == 2


@pytest.mark.parametrize("names", [("Part_1.ipynb", "Part_2.ipynb"), ("ann part 1.ipynb", "ann part 2.ipynb")])
def test_signs_that_a_platform_has_changed_do_not_hide_a_notebook(names: tuple[str, str], tmp_path: Path) -> None:
    opened, notebooks = found(hand_in(tmp_path, *names), "part-1", "part-2")
    assert notebooks == {"part-1": names[0], "part-2": names[1]}
    assert len(opened.attention) == 2


def test_where_nothing_is_found_the_message_lists_what_is_there(tmp_path: Path) -> None:
    place = hand_in(tmp_path, "homework.docx", "hw.rar", "data/table.csv")
    with pytest.raises(SubmissionError, match=r"there is no hw\.ipynb \(found: homework\.docx, hw\.rar, data/"):
        found(place)


def test_a_text_of_the_notebooks_name_is_no_notebook(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"there is no hw\.ipynb \(found: hw\.txt\)"):
        found(hand_in(tmp_path, "hw.txt", text="It is on its way."))


def test_files_lie_where_the_notebook_saw_them_when_it_was_in_a_folder(tmp_path: Path) -> None:
    place = hand_in(tmp_path, "hw/hw.ipynb", "hw/myhelp.py", "hw/data/weights.csv", "notes.txt")
    opened, _ = found(place)
    assert {str(name) for name in opened.files} == {"myhelp.py", "data/weights.csv", "notes.txt"}


@pytest.mark.parametrize("environment", ["venv", ".venv", "node_modules", "mine"])
def test_an_environment_in_the_folder_is_passed_over_with_a_note(environment: str, tmp_path: Path) -> None:
    place = hand_in(tmp_path, "hw.ipynb", "help.py", f"{environment}/pyvenv.cfg", f"{environment}/lib/m.py")
    opened, _ = found(place)
    assert list(opened.files) == [PurePosixPath("help.py")]
    assert opened.attention == []
    assert f"{environment}/" in opened.repairs[0]


def test_too_many_and_too_large_files_are_left_out_and_the_notebook_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "MAX_FILES", 3)
    monkeypatch.setattr(submission, "MAX_ALL_BYTES", 50)
    place = hand_in(tmp_path, "hw.ipynb", "a.txt", *(f"deep/{n}.txt" for n in range(5)))
    (place / "b.txt").write_text("b" * 60)
    opened, notebooks = found(place)
    assert notebooks == {"hw": "hw.ipynb"}
    assert {str(name) for name in opened.files} == {"a.txt", "deep/0.txt", "deep/1.txt"}
    assert "4 files were left out" in opened.attention[0]


def test_thousands_of_folders_are_looked_at_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MAX_ENTRIES", 100)
    place = hand_in(tmp_path, "hw.ipynb", *(f"{n}/{n}/x" for n in range(80)))
    opened, notebooks = found(place)
    assert notebooks == {"hw": "hw.ipynb"}
    assert "many files were left out" in opened.attention[0]


def test_links_sockets_and_fifos_are_never_among_the_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("key")
    place = hand_in(tmp_path, "hw.ipynb")
    (place / "key").symlink_to(secret / "key")
    (place / "folder").symlink_to(secret)
    os.mkfifo(place / "pipe")
    opened, _ = found(place)
    assert opened.files == {}
    assert [note.split(" is ")[0] for note in opened.attention] == ["folder", "key", "pipe"]


# Zip files. What is in them is untrusted twice.


def zipped(*members: tuple[str, bytes] | tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_zip_file_is_unpacked_where_the_notebook_is_missing_without_it(tmp_path: Path) -> None:
    place = hand_in(tmp_path)
    content = zipped(("hw/hw.ipynb", b"{}"), ("hw/data.csv", b"1"), ("__MACOSX/hw/._hw.ipynb", b"x"))
    (place / "hw.zip").write_bytes(content)
    with open_submission(place, {"hw"}) as opened:
        assert opened.notebooks["hw"].read_text() == "{}"
        assert opened.files[PurePosixPath("data.csv")].read_text() == "1"
        unpacked = opened.notebooks["hw"]
    assert opened.repairs == ["hw.zip was unpacked", "the notebook was handed in as hw/hw.ipynb"]
    assert not unpacked.exists()
    assert [path.name for path in place.iterdir()] == ["hw.zip"]


PACKED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "under the notebook's name": ("hw.ipynb.zip", lambda: zipped(("hw.ipynb", b"{}"))),
    "in capitals": ("HW.ZIP", lambda: zipped(("HW.IPYNB", b"{}"))),
    "in folders with backslashes": ("hw.zip", lambda: zipped(("week 1\\hw.ipynb", b"{}"))),
    "in a zip file": ("hw.zip", lambda: zipped(("hw.zip", zipped(("hw.ipynb", b"{}"))))),
    "with what a Mac adds": ("a.zip", lambda: zipped(("hw.ipynb", b"{}"), ("__MACOSX/._hw.ipynb", b"x"), ("._a", b""))),
    "with a name that was changed": ("a.zip", lambda: zipped(("a/hw.ipynb.txt", b"{}"))),
}


@pytest.mark.parametrize("case", PACKED)
def test_a_packed_notebook_is_found_however_it_was_packed(case: str, tmp_path: Path) -> None:
    name, content = PACKED[case]
    place = hand_in(tmp_path)
    (place / name).write_bytes(content())
    with open_submission(place, {"hw"}) as opened:
        assert opened.notebooks["hw"].read_text() == "{}"
        assert opened.attention == []


LISTED = {
    "a zip file of something else": ("work.zip", lambda: zipped(("essay.docx", b"")), "work.zip, essay"),
    "a copy that an editor left": (".ipynb_checkpoints/hw-checkpoint.ipynb", lambda: b"{}", ".ipynb_checkpoints"),
    "what a Mac leaves": ("._hw.ipynb", lambda: b"x", "._hw.ipynb"),
    "a download that did not end": ("hw.ipynb.part", lambda: b"{", "hw.ipynb.part"),
    "another program's file": ("hw.py", lambda: b"x = 1", "hw.py"),
}


@pytest.mark.parametrize("case", LISTED)
def test_what_is_there_instead_of_a_notebook_is_listed(case: str, tmp_path: Path) -> None:
    name, content, listed = LISTED[case]
    place = hand_in(tmp_path)
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_bytes(content())
    with pytest.raises(SubmissionError, match=rf"there is no hw\.ipynb \(found: {re.escape(listed)}"):
        found(place)


def test_a_zip_file_beside_the_notebook_stays_packed(tmp_path: Path) -> None:
    place = hand_in(tmp_path, "hw.ipynb")
    (place / "data.zip").write_bytes(zipped(("hw.ipynb", b"other")))
    opened, _ = found(place)
    assert list(opened.files) == [PurePosixPath("data.zip")]
    assert opened.repairs == []


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def lying_about_the_size() -> bytes:
    content = bytearray(zipped(("hw.ipynb", bytes(1 << 21))))
    place = content.rindex(b"PK\x01\x02") + 24
    content[place : place + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def nested(depth: int) -> bytes:
    content = zipped(("hw.ipynb", b"{}"))
    for _ in range(depth):
        content = zipped(("hw.zip", content))
    return content


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a bomb": (lambda: zipped(("hw.ipynb", bytes(3 << 20))), "unpacks to more than"),
    "many small bombs": (lambda: zipped(*((f"{n}.ipynb", bytes(1 << 18)) for n in range(12))), "unpacks to more than"),
    "more files than anybody has": (lambda: zipped(*((f"{n}", b"") for n in range(300))), "holds more than"),
    "an endless table of contents": (lambda: zipped(*((f"{n:0250}", b"") for n in range(5000))), "table of contents"),
    "a path that leads up": (lambda: zipped(("../../../escaped.ipynb", b"{}")), "there is no hw.ipynb"),
    "an absolute path": (lambda: zipped(("/tmp/escaped.ipynb", b"{}")), "there is no hw.ipynb"),
    "a link": (lambda: zipped(link("hw.ipynb", "/etc/passwd")), "there is no hw.ipynb"),
    "a file that is a folder too": (lambda: zipped(("a", b""), ("a/hw.ipynb", b"")), "cannot be unpacked"),
    "a lie about the size": (lying_about_the_size, "cannot be unpacked"),
    "half of it": (lambda: zipped(("hw.ipynb", os.urandom(5000)))[:2500], "cannot be unpacked"),
    "no zip file": (lambda: b"Rar!", "cannot be unpacked"),
    "zip files without end": (lambda: nested(5), "there is no hw.ipynb"),
    "a path that leads up, as on Windows": (
        lambda: zipped(("..\\..\\..\\escaped.ipynb", b"{}")),
        "there is no hw.ipynb",
    ),
    "a very deep path": (lambda: zipped(("d/" * 2000 + "hw.ipynb", b"{}")), "there is no hw.ipynb"),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_hostile_archive_is_refused_in_words_and_writes_nothing_outside(
    trick: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(archives, "MAX_FILES", 200)
    scratch = tmp_path / "a" / "b" / "scratch"
    scratch.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    make, sentence = HOSTILE[trick]
    place = hand_in(tmp_path)
    (place / "hw.zip").write_bytes(make())
    with pytest.raises(SubmissionError, match=sentence) as caught:
        found(place)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "a",
        "ann",
        "b",
        "hw",
        "hw.zip",
        "scratch",
        "submitted",
    ]
    assert not Path("/tmp/escaped.ipynb").exists()


def test_the_page_on_security_names_the_bounds_of_archives() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert f"at most {archives.MAX_FILES:,} files and {archives.MAX_BYTES // 1_000_000} MB of them" in page
