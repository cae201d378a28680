"""The zip that Gradescope wants for an assignment: `setup.sh`, `run_autograder`, the course and this package.

Hidden tests are in it, so it is for Gradescope only. Running it there is in `gradescope`.
"""

from __future__ import annotations

import importlib.metadata as metadata
import stat
import tempfile
import zipfile
from pathlib import Path

import msgspec

from grading_utils.authoring.kit import DISTRIBUTION, build_wheel, pins
from grading_utils.course.course import CONFIG_FILE, Course
from grading_utils.platforms.gradescope import SETTINGS, Settings

_TEMPLATES = Path(__file__).parent / "templates"
_EXECUTABLE = ("setup.sh", "run_autograder")


def write_bundle(course: Course, settings: Settings, target: Path) -> list[str]:
    """Write the autograder zip of one assignment.

    Args:
        course: The course; of its `source/` only this assignment travels.
        settings: What the instructor wants.
        target: The zip to write.

    Returns:
        The names of the files in it.

    Raises:
        CourseError: There is no such assignment.
    """
    course.require(settings.assignment)
    files: dict[str, bytes] = {name: (_TEMPLATES / name).read_bytes() for name in _EXECUTABLE}
    root = course.source(settings.assignment)
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".")):
        files[f"course/source/{settings.assignment}/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    if (course.root / CONFIG_FILE).exists():
        files[f"course/{CONFIG_FILE}"] = (course.root / CONFIG_FILE).read_bytes()
    files[f"course/{SETTINGS}"] = msgspec.json.encode(settings)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch), whole=True)
        files[wheel.name] = wheel.read_bytes()
    # The package itself is the wheel beside the list, and on no index.
    needed = [pin for pin in pins([DISTRIBUTION, *_grading()]) if not pin.startswith(f"{DISTRIBUTION}==")]
    files["requirements.txt"] = ("\n".join(needed) + "\n").encode()
    partial = target.with_name(f".{target.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            mode = 0o755 if name in _EXECUTABLE else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED)
    partial.replace(target)
    return sorted(files)


def _grading() -> list[str]:
    """Names of the distributions that grading needs beside what students have."""
    from packaging.requirements import Requirement

    needed = (Requirement(text) for text in metadata.requires(DISTRIBUTION) or [])
    return [one.name for one in needed if one.marker is not None and one.marker.evaluate({"extra": "grade"})]
