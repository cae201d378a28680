"""From an LMS's download to `submitted/<student>/<assignment>/`, with nothing lost.

Whose a file is and what it is called in the assignment is decided here; what an LMS puts into names is in its own
module. A file that belongs to nobody goes to `downloaded/<assignment>/unmatched/`, an older attempt and whatever a new
one replaces to `downloaded/<assignment>/earlier/`.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from dateutil import parser as dates

from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.lms import canvas, gradescope, moodle
from grading_utils.lms.archives import Entry, read_entries
from grading_utils.lms.matching import Roster
from grading_utils.lms.sheets import Sheet

TIMESTAMP = "timestamp.txt"
_COPY = re.compile(r"-(\d+)(?=(\.[^.]+)?\Z)")


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


@dataclass
class Collected:
    """What became of a download, in sentences for the instructor.

    Attributes:
        new: Students whose submission was put into `submitted/`, or replaced.
        same: Students whose submission was there already, to the byte.
        late: Students whose submission the LMS marks as late without saying by how much.
        notes: Files that belong to nobody, older attempts, and what else a person should know.
    """

    new: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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
        ids, name = worksheet.who(row) if worksheet is not None and row is not None else ([], said.name)
        when = worksheet.submitted(row) if worksheet is not None and row is not None else ""
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


def collect(
    course: Course,
    assignment: str,
    handed: Sequence[Handed],
    roster: Roster,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    timezone: str = "UTC",
) -> Collected:
    """Put what was handed in where nbgrader looks for it.

    Args:
        course: The course.
        assignment: The assignment that it was handed in for.
        handed: The files.
        roster: Everybody in the course; where it is empty, the LMS's own ids become the students' ids.
        groups: Ids of the members by the name of a group, for assignments that groups hand in.
        timezone: The zone of dates without one.
    """
    result = Collected()
    wanted = {path.stem for path in course.source(assignment).glob("*.ipynb")}
    shelf = course.root / "downloaded" / assignment
    files: dict[str, dict[str, list[Handed]]] = defaultdict(lambda: defaultdict(list))
    for one in handed:
        owners = owners_of(one, roster, groups or {})
        problem = one.entry.problem or ("has a name that leads outside" if ".." in one.file.parts else "")
        if problem or not owners:
            result.notes.append(f"{one.entry.path}: {problem or 'belongs to nobody in the gradebook'}")
            if not problem:
                _keep(shelf / "unmatched" / one.entry.path, one.entry.content)
            continue
        for owner in owners:
            files[owner][released_name(one.file, wanted)].append(one)
    for student in sorted(files):
        _place(course, assignment, student, files[student], shelf, result, timezone)
    return result


def owners_of(one: Handed, roster: Roster, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Ids of the students whom a file belongs to: a group's members, or the one whom the roster finds."""
    members = groups.get(one.group) or groups.get(one.name)
    if members:
        return list(members)
    person = roster.find(one.ids, one.name)
    if person is not None:
        return [person.id]
    usable = next((key for key in one.ids if key and not re.search(r"[/\\\0]|^\.|\+", key)), "")
    return [usable] if usable and not roster.people else []


def released_name(file: PurePosixPath, wanted: set[str]) -> str:
    """The path in the submission; an LMS's `hw-1.ipynb` for a second attempt is `hw.ipynb` where that was released."""
    if len(file.parts) == 1 and file.stem not in wanted and _COPY.sub("", file.stem) in wanted:
        return f"{_COPY.sub('', file.stem)}{file.suffix}"
    return str(file)


def _attempt(one: Handed) -> tuple[str, datetime, int]:
    number = _COPY.search(one.file.name)
    return one.when, one.entry.changed or datetime.min, int(number[1]) if number else 0


def _place(
    course: Course,
    assignment: str,
    student: str,
    files: Mapping[str, list[Handed]],
    shelf: Path,
    result: Collected,
    timezone: str,
) -> None:
    content: dict[str, bytes] = {}
    for name, attempts in files.items():
        *older, last = sorted(attempts, key=_attempt)
        content[name] = last.entry.content
        if last.is_late and student not in result.late:
            result.late.append(student)
        for number, one in enumerate(older, start=1):
            _keep(shelf / "earlier" / student / f"attempt-{number}" / one.file, one.entry.content)
            result.notes.append(f"{student}: {one.file} is an earlier attempt; {last.file} counts")
        if (when := _utc(last.when, timezone)) is not None:
            content[TIMESTAMP] = f"{when:%Y-%m-%d %H:%M:%S} UTC\n".encode()
        elif last.when:
            result.notes.append(f"{student}: {last.when!r} is no date that can be read, so lateness is unknown")
    target = course.submitted(assignment, student)
    if target.is_dir() and _content(target) == content:
        result.same.append(student)
        return
    fresh = target.with_name(f".{target.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, data in content.items():
        _keep(fresh / name, data)
    if target.exists():
        kept = _next(shelf / "earlier" / student)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(target, kept)
        result.notes.append(f"{student}: what was in submitted/ is in {kept.relative_to(course.root)} now")
    fresh.rename(target)
    result.new.append(student)


def _content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def _next(folder: Path) -> Path:
    number = 1
    while (folder / f"replaced-{number}").exists():
        number += 1
    return folder / f"replaced-{number}"


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _utc(text: str, timezone: str) -> datetime | None:
    if not text:
        return None
    try:
        when: datetime = dates.parse(text)
    except (ValueError, OverflowError):
        return None
    local = when if when.tzinfo is not None else when.replace(tzinfo=ZoneInfo(timezone))
    return local.astimezone(ZoneInfo("UTC"))


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
    if system != "moodle":
        return _READERS[system](read_entries(download))
    sheet = moodle.Worksheet(Sheet.read(worksheet), columns) if worksheet is not None else None
    return from_moodle(read_entries(download), sheet)


def read_groups(path: Path) -> dict[str, list[str]]:
    """Ids of the members of each group, from a CSV with columns `group` and `student`.

    Raises:
        CourseError: The file cannot be read, or has other columns.
    """
    table = Sheet.read(path)
    group, student = table.column("group"), table.column("student", "student_id", "id")
    if group is None or student is None:
        raise CourseError(f"needs columns group and student; it has: {', '.join(table.header)}", where=str(path))
    groups: dict[str, list[str]] = defaultdict(list)
    for row in table.rows[1:]:
        groups[table.cell(row, group)].append(table.cell(row, student))
    return dict(groups)
