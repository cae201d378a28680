"""Run nbgrader's own tests with this project's `nbgrader_config.py` as a Jupyter configuration.

They ship inside of the installed package; those that autograde, release, validate and give feedback are run, each in a
course of its own. A test in `ON_PURPOSE` has to fail, and every other has to pass: `make nbgrader-tests`. The page
`docs/compatibility.md` gives the reasons at length. More arguments go to pytest, for example `-k autotest`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from nbgrader.tests import apps

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    "test_nbgrader_autograde.py",
    "test_nbgrader_generate_assignment.py",
    "test_nbgrader_generate_feedback.py",
    "test_nbgrader_validate.py",
)
_UNSOLVED = "the source notebook fails one of its own checks, which therefore waits for a person"
ON_PURPOSE = {
    "test_side_effects": "what student code writes stays in the sandbox and goes with it",
    "test_grade": _UNSOLVED,
    "test_showtraceback_exploit": _UNSOLVED,
    "test_late_submission_penalty_none": _UNSOLVED,
    "test_late_submission_penalty_zero": _UNSOLVED,
    "test_late_submission_penalty_plugin": _UNSOLVED,
}
"""Tests that fail because we differ on purpose, and why."""


def main(arguments: list[str]) -> int:
    """Run the tests; returns 0 where each ended as it should."""
    with tempfile.TemporaryDirectory() as scratch:
        configuration, report = Path(scratch, "config"), Path(scratch, "report.xml")
        configuration.mkdir()
        (configuration / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text())
        files = [str(Path(str(apps.__file__)).with_name(name)) for name in FILES]
        options = ["-q", "-p", "no:cacheprovider", "--rootdir", scratch, f"--junitxml={report}"]
        environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(configuration),
            "JUPYTER_CONFIG_PATH": str(configuration),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "pytest", *options, *files, *arguments]
        subprocess.run(command, cwd=scratch, env=environment, check=False)
        if not report.exists():
            print("pytest did not come to its end", file=sys.stderr)
            return 1
        failed, passed = outcomes(report)
    surprises = [f"fails: {name}" for name in sorted(failed - set(ON_PURPOSE))]
    surprises += [f"passes, although we differ on purpose: {name}" for name in sorted(passed & set(ON_PURPOSE))]
    for name in sorted(failed & set(ON_PURPOSE)):
        print(f"fails on purpose: {name}: {ON_PURPOSE[name]}")
    for surprise in surprises:
        print(surprise)
    print(f"{len(passed)} of {len(passed) + len(failed)} tests pass, {len(surprises)} not as they should")
    return 1 if surprises or not passed else 0


def outcomes(report: Path) -> tuple[set[str], set[str]]:
    """The tests of a JUnit file that failed, and those that passed, by name; skipped ones are left out."""
    failed, passed = set(), set()
    for case in ET.parse(report).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed.add(str(case.get("name")))
        elif "skipped" not in kinds:
            passed.add(str(case.get("name")))
    return failed, passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
