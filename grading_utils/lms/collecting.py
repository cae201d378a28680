"""From an LMS's download to `submitted/<student>/<assignment>/`, with nothing lost.

Whose a file is and what it is called in the assignment is decided here; what an LMS says of it is read in `downloads`.
A file that belongs to nobody goes to `downloaded/<assignment>/unmatched/`, an older attempt and whatever a new one
replaces to `downloaded/<assignment>/earlier/`.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from grading_utils.course.course import Course
from grading_utils.lms.dates import read_utc
from grading_utils.lms.downloads import Handed
from grading_utils.lms.matching import Roster, letters

TIMESTAMP = "timestamp.txt"
_COPY = re.compile(r"-(\d+)(?=(\.[^.]+)?\Z)")


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
        groups: Ids of the members by the letters of a group's name, for assignments that groups hand in.
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
            result.notes.append(f"{one.entry.path}: {problem or _unmatched(one, roster)}")
            if not problem:
                _keep(shelf / "unmatched" / one.entry.path, one.entry.content)
            continue
        if note := _another_name(one, owners, roster, groups or {}):
            result.notes.append(note)
        for owner in owners:
            files[owner][released_name(one.file, wanted)].append(one)
    for student in sorted(files):
        _place(course, assignment, student, files[student], shelf, result, timezone)
    return result


def owners_of(one: Handed, roster: Roster, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Ids of the students whom a file belongs to: a group's members, or the one whom the roster finds."""
    if members := _members(one, groups):
        return list(members)
    person = roster.find(one.ids, one.name)
    if person is not None:
        return [person.id]
    usable = next((key for key in one.ids if key and not re.search(r"[/\\\0]|^\.|\+", key)), "")
    return [usable] if usable and not roster.people else []


def _members(one: Handed, groups: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return groups.get(letters(one.group)) or groups.get(letters(one.name)) or ()


def _unmatched(one: Handed, roster: Roster) -> str:
    named = roster.called(one.name)
    if len(named) > 1:
        return f"could be {' or '.join(named)}'s; give them the LMS's ids with `grading-utils students import`"
    return "belongs to nobody in the gradebook"


def _another_name(one: Handed, owners: Sequence[str], roster: Roster, groups: Mapping[str, Sequence[str]]) -> str:
    """What to say of a file that names somebody else than its owner: Canvas gives a group's file one member's id."""
    person = roster.people.get(owners[0])
    if person is None or not one.group or _members(one, groups):
        return ""
    names = [letters(name) for name in (person.first_name, person.last_name, person.id) if name]
    if len(names) < 2 or any(name in letters(one.group) for name in names):
        return ""
    whole = f"{person.first_name} {person.last_name}".strip()
    return f"{one.entry.path}: went to {person.id} ({whole}) alone; if it is a group's, name its members with --groups"


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
        if (when := read_utc(last.when, timezone)) is not None:
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
