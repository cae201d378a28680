"""What Canvas, Moodle and Gradescope hand out: files, each with what its name and place say of whose it is.

What an LMS puts into names is in its own module, where a file goes in `collecting`. Nothing is decided or written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grading_utils.errors import CourseError
from grading_utils.lms import canvas, gradescope, moodle
from grading_utils.lms.archives import Entry, read_entries
from grading_utils.lms.matching import letters
from grading_utils.lms.sheets import Sheet


@dataclass
class Handed:
    """One file that was handed in, before it is decided whose it is.

    Attributes:
        ids: What may identify the student, best first.
        file: The path under which the student handed it in.
        group: The group's name, where a group handed it in.
        when: When it was handed in, as the LMS writes it; "" where it doesn't say.
    """

    entry: Entry
    ids: list[str]
    name: str
    file: PurePosixPath
    group: str = ""
    when: str = ""
    is_late: bool = False


def from_canvas(entries: Iterable[Entry]) -> list[Handed]:
    """Files of Canvas's "Download Submissions"."""
    handed = []
    for entry in entries:
        said = canvas.read_upload(entry.path)
        if said is None:
            handed.append(Handed(entry, [], "", PurePosixPath(entry.path.name)))
        else:
            file = PurePosixPath(said.file)
            handed.append(Handed(entry, [said.user], said.name, file, group=said.name, is_late=said.is_late))
    return handed


def from_moodle(entries: Iterable[Entry], worksheet: moodle.Worksheet | None) -> list[Handed]:
    """Files of Moodle's "Download all submissions"; the worksheet says whose a participant's number is."""
    rows = {worksheet.participant(row): row for row in worksheet.rows} if worksheet is not None else {}
    handed = []
    for entry in entries:
        said = moodle.read_upload(entry.path)
        if said is None:
            handed.append(Handed(entry, [], "", PurePosixPath(entry.path.name)))
            continue
        row = rows.get(said.participant)
        ids, name, when = list[str](), said.name, ""
        if worksheet is not None and row is not None and worksheet.is_row_of(row, said.name):
            (ids, name), when = worksheet.who(row), worksheet.submitted(row)
        handed.append(Handed(entry, ids, name or said.name, said.file, group=said.name, when=when))
    return handed


def from_gradescope(entries: Iterable[Entry]) -> list[Handed]:
    """Files of Gradescope's "Export Submissions".

    Raises:
        CourseError: The export has no index.
    """
    entries = list(entries)
    index = next((entry for entry in entries if entry.path.name == gradescope.INDEX), None)
    if index is None:
        raise CourseError(f"there is no {gradescope.INDEX} in it; is this Gradescope's export of submissions?")
    uploads = gradescope.read_index(index.content)
    handed = []
    for entry in entries:
        place = gradescope.folder_of(entry.path, uploads)
        if entry is index:
            continue
        if place is None or not uploads[place[0]].submitters:
            handed.append(Handed(entry, [], "", PurePosixPath(entry.path.name)))
            continue
        upload = uploads[place[0]]
        for person in upload.submitters:
            handed.append(Handed(entry, list(person.ids), person.name, place[1], when=upload.created))
    return handed


def from_folder(entries: Iterable[Entry]) -> list[Handed]:
    """Files in folders that are named like students: `<student>/…/hw.ipynb`, also below one folder more."""
    entries = list(entries)
    tops = {entry.path.parts[0] for entry in entries if len(entry.path.parts) > 2}
    shared = len(tops) == 1 and all(len(entry.path.parts) > 2 for entry in entries)
    handed = []
    for entry in entries:
        parts = entry.path.parts[1:] if shared else entry.path.parts
        owner = parts[0] if len(parts) > 1 else ""
        handed.append(Handed(entry, [owner] if owner else [], owner, PurePosixPath(*parts[1:] or parts)))
    return handed


_READERS: dict[str, Callable[[Iterable[Entry]], list[Handed]]] = {
    "canvas": from_canvas,
    "gradescope": from_gradescope,
    "folder": from_folder,
}


def read_download(
    download: Path, system: str, worksheet: Path | None = None, columns: Mapping[str, str] | None = None
) -> list[Handed]:
    """The files of a zip or folder that an LMS handed out.

    Args:
        download: The zip or folder.
        system: `"canvas"`, `"moodle"`, `"gradescope"` or `"folder"`.
        worksheet: Moodle's grading worksheet.
        columns: Names of the worksheet's columns in another language; see `moodle.COLUMNS`.

    Raises:
        CourseError: The download or the worksheet cannot be read.
    """
    sheet = moodle.Worksheet(Sheet.read(worksheet), columns) if worksheet is not None else None
    entries = list(read_entries(download))
    if not entries:
        raise CourseError("holds no files; is it the right download?", where=str(download))
    return from_moodle(entries, sheet) if system == "moodle" else _READERS[system](entries)


def undated(handed: Iterable[Handed]) -> list[str]:
    """What to say of files of which it is not known when they came, so that they can't count as late."""
    handed = [one for one in handed if one.name]
    if not any(one.when for one in handed):
        return ["when work was handed in is not known, so nothing counts as late: name Moodle's --worksheet"]
    names = sorted({one.name for one in handed if not one.when})
    return [f"{name}: the worksheet does not say when this was handed in, so it can't count as late" for name in names]


def read_groups(path: Path) -> dict[str, list[str]]:
    """Ids of the members of each group by the letters of its name, from a CSV with columns `group` and `student`.

    Raises:
        CourseError: The file cannot be read, or has other columns.
    """
    table = Sheet.read(path)
    group, student = table.column("group"), table.column("student", "student_id", "id")
    if group is None or student is None:
        raise CourseError(f"needs columns group and student; it has: {', '.join(table.header)}", where=str(path))
    groups: dict[str, list[str]] = defaultdict(list)
    for row in table.rows[1:]:
        groups[letters(table.cell(row, group))].append(table.cell(row, student))
    return dict(groups)
