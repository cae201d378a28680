"""`grading-utils doctor`: what this machine can do, what it cannot, and the command that mends it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from grading_utils.cli import CANNOT_GRADE, DONE, options
from grading_utils.errors import GradingError, SandboxError

GOOD, CAUTION, BAD = "PASS", "CAUTION", "FAIL"
_COLORS = {GOOD: "green", CAUTION: "yellow", BAD: "red"}
_PACKAGES = ("torch", "transformers", "pandas", "localscope", "nbgrader", "ipykernel")
_FREE_BYTES = 2 * 10**9


@dataclass(frozen=True)
class Check:
    """One line of the doctor's answer."""

    verdict: str
    what: str
    detail: str
    fix: str = ""


@click.command()
@options.course
def command(course_folder: Path) -> None:
    """Check this machine and this course: what works, what does not, and what to do about it.

    The exit code is 3 when submissions cannot be graded safely here, else 0.
    """
    checks = []
    for check in (*_python(), *_machine(), *_sandbox(), *_gpus(), *_model(), *_browser(), *_course(course_folder)):
        checks.append(check)
        click.echo(f"{click.style(f'{check.verdict:8}', fg=_COLORS[check.verdict])}{check.what}: {check.detail}")
        if check.fix:
            click.echo(f"{'':8}  → {check.fix}")
    sys.exit(CANNOT_GRADE if any(check.verdict == BAD for check in checks) else DONE)


def _python() -> Iterator[Check]:
    yield Check(GOOD, "Python", platform.python_version())
    for package in _PACKAGES:
        try:
            yield Check(GOOD, package, version(package))
        except PackageNotFoundError:
            yield Check(BAD, package, "is not installed", "run `make setup`")


def _machine() -> Iterator[Check]:
    yield Check(GOOD, "cores", f"{os.cpu_count()}; that many submissions are graded at the same time")
    free = shutil.disk_usage(".").free
    enough = free >= _FREE_BYTES
    yield Check(
        GOOD if enough else CAUTION,
        "disk",
        f"{free / 1e9:.1f} GB free",
        "" if enough else "free some space; a class of 500 needs about 1 GB",
    )


def _sandbox() -> Iterator[Check]:
    from grading_utils.sandbox.probe import probe

    for finding in probe():
        verdict = GOOD if finding.available else (BAD if finding.required else CAUTION)
        yield Check(verdict, finding.name, finding.detail, finding.fix)


def _gpus() -> Iterator[Check]:
    from grading_utils.devices import nvidia
    from grading_utils.devices.choice import problem_with

    cards = nvidia.cards()
    if not cards:
        driver = nvidia.driver_version()
        said = f"NVIDIA's driver {driver} lists no card" if driver else "none: NVIDIA's driver is not loaded"
        yield Check(GOOD, "GPU", f"{said}; submissions are graded on the processor")
    for card in cards:
        problem = problem_with(card)
        name = f"{card.name} (cuda:{card.index}), driver {nvidia.driver_version()}"
        yield Check(CAUTION if problem else GOOD, "GPU", f"{name}: {problem}" if problem else name)


def _model() -> Iterator[Check]:
    from grading_utils.language_model.resolver import resolve_model

    try:
        model = resolve_model("distilgpt2")
    except GradingError as error:
        yield Check(BAD, "language model", str(error), "run `make model`, or unset GRADING_UTILS_MODEL")
        return
    yield _for_students("language model", Path(model.path), f"{model.path} ({model.reason})")


def _for_students(what: str, path: Path, detail: str) -> Check:
    """Whether students' code may read a path, all of it, with one line for any number of files that it may not."""
    from grading_utils.sandbox.probe import unreadable

    try:
        refused = unreadable([str(path.absolute())])
    except SandboxError:
        return Check(GOOD, what, detail)  # without a jail nothing is graded here, as a line above says
    if not refused:
        return Check(GOOD, what, detail)
    others = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    problem = f"{refused[0]}{others} cannot be read by the user whom students' code runs as"
    return Check(BAD, what, problem, f"chmod -R a+rX {path.absolute()}")


def _browser() -> Iterator[Check]:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    yield Check(
        GOOD if browser else CAUTION,
        "browser",
        browser or "no chromium: only the browser tests of this pack need one, and they skip",
        "" if browser else "apt-get install chromium",
    )


def _course(folder: Path) -> Iterator[Check]:
    from grading_utils.course.course import Course
    from grading_utils.course.readable import OPTION, readable_paths

    try:
        course = Course.open(folder)
    except GradingError as error:
        yield Check(CAUTION, "course", str(error))
        return
    names = course.assignments()
    yield Check(GOOD if names else CAUTION, "course", f"{course.root}: {len(names)} assignments")
    for path in readable_paths(course):
        if path.exists():
            yield _for_students("readable for notebooks", path, str(path))
            continue
        fix = f"mend {OPTION} in {course.root / 'nbgrader_config.py'}"
        yield Check(BAD, "readable for notebooks", f"{path} does not exist", fix)
    for step in ("autograded_directory", "feedback_directory"):
        parent = course.folder(str(getattr(course.layout, step)))
        while not parent.exists():
            parent = parent.parent
        if not os.access(parent, os.W_OK):
            yield Check(BAD, "course", f"{parent} cannot be written", f"chmod u+w {parent}")
