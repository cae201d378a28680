"""What students get: the released notebooks, the part of this package that they need, and a page on how to start.

The wheel in it is built from `checks/`, `lessons/` and `language_model/` alone, so nothing that grades, restores or
redacts is handed out. Versions are those installed here, with which the release was proven.
"""

from __future__ import annotations

import importlib.metadata as metadata
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from flit_core.wheel import make_wheel_in
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import grading_utils
from grading_utils.authoring import install_kit
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.reporting.pages import render

DISTRIBUTION = "slm-course"
STUDENT_DISTRIBUTION = "slm-course-notebooks"
PARTS = ("__init__.py", "py.typed", "errors.py", "checks", "lessons", "language_model")
"""What of `grading_utils` students get."""
FRONT_ENDS = ("jupyterlab", "notebook")

_PACKAGE = Path(grading_utils.__file__).parent


def write_kit(course: Course, assignments: Sequence[str], folder: Path) -> list[Path]:
    """Put everything that students need into a new folder.

    Args:
        course: The course, with its releases made.
        assignments: Which of them; none for all.
        folder: The folder; it must be new or empty.

    Returns:
        The notebooks in the kit.

    Raises:
        CourseError: The folder holds something, or an assignment was not released.
    """
    if folder.exists() and any(folder.iterdir()):
        raise CourseError(f"{folder} is not empty; name a new folder")
    chosen = [course.require(name) for name in assignments] or course.assignments()
    unreleased = [name for name in chosen if not any(course.release(name).glob("*.ipynb"))]
    if unreleased:
        raise CourseError(f"not released yet: {', '.join(unreleased)}; run `grading-utils release` first")
    folder.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        shutil.copytree(course.release(name), folder / name, ignore=shutil.ignore_patterns(".*"))
    wheel = build_wheel(folder)
    requirements = [f"./{wheel.name}", *pins((*_direct(), *FRONT_ENDS))]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    shutil.copy(install_kit.__file__, folder / "install.py")
    (folder / "environment.yml").write_text(_conda(), encoding="utf-8")
    page = render(
        "start-here.html", course=course.name, assignments=chosen, wheel=wheel.name, first=_first(folder, chosen[0])
    )
    (folder / "start-here.html").write_text(page, encoding="utf-8")
    return sorted(folder.glob("*/*.ipynb"))


def build_wheel(folder: Path, *, whole: bool = False) -> Path:
    """Build a wheel into a folder, without network or subprocess.

    Args:
        folder: Where to put it.
        whole: The whole package, for machines that grade, in place of the part for students.
    """
    parts = sorted(path.name for path in _PACKAGE.iterdir() if path.name != "__pycache__") if whole else PARTS
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        for part in parts:
            source, target = _PACKAGE / part, root / "grading_utils" / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        name, version = DISTRIBUTION if whole else STUDENT_DISTRIBUTION, metadata.version(DISTRIBUTION)
        listed = "\n".join(f'    "{requirement}",' for requirement in _requirements(DISTRIBUTION))
        (root / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n\n[project]\n'
            f'name = "{name}"\nversion = "{version}"\n'
            'description = "Checks, lessons and the small model of the notebooks"\n'
            f'requires-python = "{metadata.metadata(DISTRIBUTION)["Requires-Python"]}"\n'
            f'dependencies = [\n{listed}\n]\n\n[tool.flit.module]\nname = "grading_utils"\n',
            encoding="utf-8",
        )
        made = make_wheel_in(root / "pyproject.toml", folder)
    return Path(made.file)


def pins(names: Sequence[str]) -> list[str]:
    """Exact versions of some distributions and of all that they need, as installed here, sorted by name."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        try:
            found[name] = _version(name)
        except metadata.PackageNotFoundError:
            continue  # needed on another system or Python only
        waiting += [requirement.name for requirement in _requirements(name)]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _version(name: str) -> str:
    return metadata.version(name).partition("+")[0]  # `+cpu` is another build of the same version


def _requirements(name: str) -> Iterator[Requirement]:
    """What a distribution needs here, without its extras."""
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def _direct() -> list[str]:
    return [requirement.name for requirement in _requirements(DISTRIBUTION)]


def _conda() -> str:
    return (
        "name: small-language-models\nchannels:\n  - conda-forge\ndependencies:\n"
        f"  - python{metadata.metadata(DISTRIBUTION)['Requires-Python']}\n"
        f"  - pytorch-cpu={_version('torch')}  # with a graphics card: pytorch-gpu\n  - pip\n"
        "  - pip:\n      - --requirement requirements.txt\n"
    )


def _first(folder: Path, assignment: str) -> str:
    return sorted((folder / assignment).glob("*.ipynb"))[0].relative_to(folder).as_posix()
