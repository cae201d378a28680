"""Keeps what calibration has learned about an assignment, for as long as nothing that it depends on has changed.

One JSON file for each assignment, in the course's own hidden folder. Its key is a hash of the solution, the tests, the
data files, the course's configuration, the grader, the installed packages and the model.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec

import grading_utils
from grading_utils.course.bundle import Bundle
from grading_utils.course.course import CONFIG_FILE, OWN_FOLDER, Course
from grading_utils.devices.choice import CPU
from grading_utils.grading.calibration import Calibration, calibrate
from grading_utils.grading.jobs import Engine
from grading_utils.language_model.resolver import resolve_model


class _Kept(msgspec.Struct):
    key: str
    notebooks: dict[str, Calibration]


def calibrations(
    course: Course, bundle: Bundle, engine_of: Callable[[str], Engine], device: str = CPU
) -> dict[str, Calibration]:
    """What is known about every notebook of an assignment; learned now where it isn't, or isn't true any more.

    Args:
        course: The course.
        bundle: The assignment.
        engine_of: The engine that grades a notebook; asked for only where there is something to find out.
        device: What the engines compute on; see `engines.devices_of`.

    Raises:
        SandboxError: An engine broke.
        AuthoringError: A cell's metadata asks for what there is not.
    """
    path = course.root / OWN_FOLDER / "calibration" / f"{bundle.assignment}.json"
    key = key_of(course, bundle, device)
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        if kept.key == key:
            return kept.notebooks
    except (OSError, msgspec.MsgspecError):
        pass
    engines = {name: engine_of(name) for name in bundle.notebooks}
    notebooks = {
        name: calibrate(bundle.root / f"{name}.ipynb", notebook, engines[name])
        for name, notebook in bundle.notebooks.items()
    }
    if not all(engine.isolated for engine in engines.values()):
        return notebooks  # true of a place that has no rights to give, and of no other
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(_Kept(key, notebooks)), indent=1))
    partial.replace(path)
    return notebooks


def key_of(course: Course, bundle: Bundle, device: str = CPU) -> str:
    """A hash of everything that the score of a submission depends on beside the submission itself."""
    digest = hashlib.sha256(bundle.digest.encode())
    for path in (*sorted(bundle.root.glob("*.ipynb")), course.root / CONFIG_FILE):
        digest.update(path.read_bytes() if path.is_file() else b"")
    digest.update(_installed().encode())
    digest.update(b"" if device == CPU else device.encode())
    model = Path(resolve_model().path)
    for path in sorted(model.iterdir()) if model.is_dir() else ():
        state = path.stat()
        digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@cache
def _installed() -> str:
    """The grader's own text, the interpreter, and every package beside it."""
    digest = hashlib.sha256(sys.version.encode())
    package = Path(grading_utils.__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        digest.update("\n".join(sorted(path.name for path in Path(folder).glob("*.dist-info"))).encode())
    return digest.hexdigest()
