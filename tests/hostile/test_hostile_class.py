"""A class of attackers and a few honest students, graded together: everybody gets what the work deserves.

The attackers stand in `attacks/*.yaml`. Those of one file are graded in one run, which is then looked at from outside;
`-k theft` is all of it for one file, and `-k a-daemon` one attack beside the honest students.
"""

from __future__ import annotations

import contextlib
import html
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading_utils.course.bundle import Bundle, NotebookBundle, build_bundle
from grading_utils.course.course import Course
from grading_utils.grading import unchanged
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import Engine
from grading_utils.grading.pipeline import EngineFactory, grade
from grading_utils.grading.solutions import solution_notebook
from grading_utils.reporting.feedback import write_feedback
from grading_utils.results import SubmissionResult

from ..conftest import cell_named
from . import watching
from .attacks import Attack, read_attacks
from .beside import FILES
from .course import ASSIGNMENT, HIDDEN, POINTS, write_course
from .tampering import TAMPER

ATTACKS = read_attacks()
FAST = [attack for attack in ATTACKS if attack.fast]

NOISY = """
import sys, warnings
warnings.warn('honest, but loud')
print('progress: 50 %', file=sys.stderr)

def shout(text):
    print('shouting', text)
    warnings.warn('loud')
    print(text, file=sys.stderr)
    return text.upper() + '!'
"""
HONEST: dict[str, tuple[dict[str, str], dict[str, float | None]]] = {
    "right": ({}, {}),
    "noisy": ({"shout": NOISY}, {}),
    "half": ({"squares": "def squares(n): return [1, 4, 9]", "double": "def double(n): return 2 * min(n, 2)"},
             {"squares-test": 0, "double-test": 1}),
    "wrong": ({"count": "def count(text, key): return 1 / 0", "answer": "answer = '42'"},
              {"count-test": 0, "answer-test": 0}),
}  # fmt: skip
"""Students who do nothing but their work: their cells, and the points that differ from a perfect solution's."""


MOST_BYTES = 20 << 20
"""A graded notebook may be so large, whatever its cells show."""


@dataclass
class Graded:
    """The class after grading, with what the watchers saw."""

    course: Course
    mark: str
    results: dict[str, SubmissionResult]
    skipped: set[str] = field(default_factory=set)
    changed_files: list[str] = field(default_factory=list)
    new_mounts: list[str] = field(default_factory=list)
    left_files: list[str] = field(default_factory=list)
    left_processes: list[Any] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def canary(self) -> str:
        """The secret that lies about in the course, the home folder and the environment."""
        return f"canary-{self.mark}"

    def notebook(self, student: str) -> Any:
        """A graded notebook."""
        return nbformat.read(self.course.autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb", as_version=4)

    def size(self, student: str) -> int:
        """Bytes of a graded notebook."""
        return (self.course.autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb").stat().st_size

    def feedback(self, student: str) -> str:
        """Everything that a student gets to read."""
        folder = self.course.root / "feedback" / student / ASSIGNMENT
        return "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.html"))


def _hand_in_all(course: Course, bundle: Bundle, attacks: list[Attack], mark: str) -> set[str]:
    """Write every submission; returns the attacks that this machine has no means for."""
    source = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    right = solution_notebook(source, bundle.notebooks[ASSIGNMENT])
    unanswered = nbformat.from_dict({**right, "cells": bundle.notebooks[ASSIGNMENT].cells})
    unanswered = nbformat.reads(nbformat.writes(unanswered), as_version=4)
    for cell in unanswered.cells:
        if "BEGIN HIDDEN TESTS" in cell.source:
            cell.source = cell.source.partition("\n### BEGIN HIDDEN TESTS")[0]
    cell_named(right, "why").source = f"My own words. canary-{mark}"
    for student, (cells, _) in HONEST.items():
        notebook = Attack(name=student, family="honest", about="", cells=cells or {"last": ""}).notebook(
            right, unanswered, {}
        )
        _write(course, student, json.dumps(notebook).encode())
    cell_named(right, "why").source = "My own words."
    skipped = set()
    for attack in attacks:
        words = {"MARK": mark, "COURSE": str(course.root)}
        document = json.loads(json.dumps(attack.notebook(right, unanswered, words)))
        document["metadata"]["mark"] = f"mark-is-{mark}"
        tampered = TAMPER[attack.tamper](document) if attack.tamper else None
        data = json.dumps(document).encode() if tampered is None else tampered
        try:
            _write(course, attack.name, data, attack.file)
        except PermissionError:
            skipped.add(attack.name)
    return skipped


def _write(course: Course, student: str, data: bytes, file: str = "") -> None:
    folder = course.submitted(ASSIGNMENT, student)
    folder.mkdir(parents=True)
    if file:
        FILES[file](folder, data)
    else:
        (folder / f"{ASSIGNMENT}.ipynb").write_bytes(data)


def _watched(make_engine: EngineFactory, seen: dict[int, str]) -> EngineFactory:
    """Engines that note, just before they close, which processes have started below this one."""

    def start(bundle: Bundle, notebook: NotebookBundle) -> Engine:
        others = watching.descendants(os.getpid())  # of tests that ran before in this process
        engine = make_engine(bundle, notebook)
        close = engine.close

        def note_and_close() -> None:
            seen.update(watching.descendants(os.getpid()).items() - others.items())
            close()

        engine.close = note_and_close  # type: ignore[method-assign]
        return engine

    return start


def _grade_class(root: Path, attacks: list[Attack]) -> Iterator[Graded]:
    mark = f"gu{secrets.token_hex(6)}"
    home_canary = Path.home() / f".{mark}-canary"
    home_canary.write_text(f"canary-{mark}")
    os.environ["GRADING_CANARY"] = f"canary-{mark}"
    try:
        course = Course.open(write_course(root))
        (root / "canary.txt").write_text(f"canary-{mark}")
        bundle = build_bundle(course, ASSIGNMENT)
        graded = Graded(course, mark, {})
        graded.skipped = _hand_in_all(course, bundle, attacks, mark)
        before = watching.contents(root)
        mounts = watching.mounts()
        known: dict[int, str] = {}
        factory = _watched(engine_factory(course, isolate=True), known)
        for result in grade(course, bundle, course.students(ASSIGNMENT), factory, workers=4, everything=True):
            graded.results[result.student] = result
        after = watching.contents(root)
        ours = ("autograded", "gradebook.db", ".gradebook.db.lock", ".grading_utils")
        allowed = tuple(str(root / name) for name in ours)
        graded.changed_files = [
            path for path in before.keys() | after.keys()
            if before.get(path) != after.get(path) and not path.startswith(allowed)
        ]  # fmt: skip
        graded.new_mounts = sorted(set(watching.mounts()) - set(mounts))
        graded.left_processes = [*watching.still_alive(known), *watching.processes_named(mark)]
        graded.left_files = [path for path in watching.files_named(mark, root) if path != str(home_canary)]
        graded.rows = watching.gradebook_rows(root / "gradebook.db")
        write_feedback(course, graded.results.values())
        yield graded
    finally:
        os.environ.pop("GRADING_CANARY", None)  # in a run of everything two classes live side by side
        home_canary.unlink()


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    """The honest students among the most different attackers."""
    yield from _grade_class(tmp_path_factory.mktemp("few"), FAST)


@pytest.fixture(scope="module")
def class_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Graded]]:
    """The honest students among the attackers of one family, which is graded when it is asked for first.

    These are all that the tests of this run ask about; all of the family where none does.
    """
    chosen = [item.callspec.params.get("attack") for item in request.session.items if hasattr(item, "callspec")]
    with contextlib.ExitStack() as stack:

        @cache
        def graded(family: str) -> Graded:
            attacks = [attack for attack in ATTACKS if attack.family == family]
            attacks = [attack for attack in attacks if attack in chosen] or attacks
            return stack.enter_context(
                contextlib.contextmanager(_grade_class)(tmp_path_factory.mktemp(family), attacks)
            )

        yield graded


def check(graded: Graded, attack: Attack) -> None:
    """An attack got what it deserves, and told and shows nothing that it may not know."""
    if attack.name in graded.skipped:
        pytest.skip("this user may not make such a file")
    result = graded.results[attack.name]
    # An open score is no point: where a process sends what we can't read, a person looks.
    opened = {cell.grade_id for cell in result.cells if cell.open and attack.deserved.get(cell.grade_id) == 0}
    scores = {cell.grade_id: 0 if cell.grade_id in opened else cell.score for cell in result.cells}
    status = "graded" if opened and result.status == "needs-attention" else str(result.status)
    assert (status, scores) == (attack.status, attack.deserved), result
    assert attack.message in result.message
    assert result.message.isprintable()
    said = ""
    if result.status != "failed":
        notebook = graded.notebook(attack.name)
        nbformat.validate(notebook)
        said = watching.student_outputs(notebook, of_tests=False)
        assert attack.says in said
        assert graded.size(attack.name) < MOST_BYTES
        if attack.must_have_run:
            assert "TRIED" in said, said
        assert "LOOT" not in said + watching.student_outputs(notebook, of_tests=True), said
        assert graded.canary not in watching.student_outputs(notebook, of_tests=True)
    messages = "\n".join(cell.message for cell in result.cells)
    assert not [text for text in attack.unsaid if text in messages], messages
    assert all(html.escape(text, quote=False) in graded.feedback(attack.name) for text in attack.shows)
    public = said + graded.feedback(attack.name) + result.message + "".join(cell.message for cell in result.cells)
    assert watching.told(public, HIDDEN) == []
    assert watching.told(public, graded.canary) == []


def check_the_rest(graded: Graded) -> None:
    """Honest students have their scores, and everything else is as it was before."""
    for student, (_, differs) in HONEST.items():
        result = graded.results[student]
        assert ({cell.grade_id: cell.score for cell in result.cells}, str(result.status)) == (
            {**POINTS, **differs},
            "graded",
        ), result
    assert graded.left_processes == []
    assert graded.new_mounts == []
    assert graded.left_files == []
    assert graded.changed_files == []
    gradable = [result for result in graded.results.values() if result.status != "failed"]
    assert graded.rows["student"] == graded.rows["submitted_assignment"] == len(gradable)
    assert graded.rows["grade"] == len(gradable) * len(POINTS)
    assert graded.rows["grade_cells"] == len(POINTS)
    with Gradebook(graded.course.layout.db_url) as gradebook:
        for result in gradable:
            submission = gradebook.find_submission(ASSIGNMENT, result.student)
            assert submission.score == result.score, result
            assert [grade.manual_score for grade in submission.notebooks[0].grades] == [None] * len(POINTS)


@pytest.mark.parametrize("attack", FAST, ids=lambda attack: attack.name)
def test_a_quick_attack_is_defeated(attack: Attack, few: Graded) -> None:
    check(few, attack)


def test_nothing_but_the_grades_changed_after_the_quick_attacks(few: Graded) -> None:
    check_the_rest(few)


@pytest.mark.hostile
@pytest.mark.timeout(3600)  # the first one of a family waits for all of it to be graded, on a machine of any speed
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.family}-{attack.name}")
def test_an_attack_is_defeated(attack: Attack, class_of: Callable[[str], Graded]) -> None:
    check(class_of(attack.family), attack)


@pytest.mark.hostile
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", sorted({attack.family for attack in ATTACKS}))
def test_nothing_but_the_grades_changed_after_all_attacks(family: str, class_of: Callable[[str], Graded]) -> None:
    check_the_rest(class_of(family))


@pytest.mark.parametrize("file", FILES)
def test_whatever_was_handed_in_can_be_told_from_what_is_handed_in_later(file: str, tmp_path: Path) -> None:
    folder = tmp_path / "submitted" / "assignment" / "hostile"  # some attacks reach for what lies three folders up
    folder.mkdir(parents=True)
    try:
        FILES[file](folder, b"{}")
    except PermissionError:
        pytest.skip("devices are for root to make")
    before = unchanged.digest_of(folder)
    assert unchanged.digest_of(folder) == before
    if folder.is_dir():
        (folder / "later.txt").write_text("later")
        assert unchanged.digest_of(folder) != before


def test_the_hostile_class_is_large_and_each_family_takes_part_in_the_quick_one() -> None:
    assert len(ATTACKS) >= 80
    assert {attack.family for attack in FAST} == {attack.family for attack in ATTACKS}
    assert {attack.tamper for attack in ATTACKS} | {""} == TAMPER.keys() | {""}
    assert {attack.file for attack in ATTACKS} | {""} == FILES.keys() | {""}
