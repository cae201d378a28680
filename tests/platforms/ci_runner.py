"""A CI runner, as far as the shell of its steps goes: the steps of all workflow files, and a bare place to run them.

What a step would download is there already: pip finds all that this environment has installed, may not use the network,
and builds only the package itself. `gh`, `sudo` and `sysctl` are stand-ins where a step needs them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = [ROOT / ".gitlab-ci.yml", ROOT / "ci" / "grade.gitlab-ci.yml"]
TOOLS = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """What one shell runs, with the options that the platform starts it with."""

    file: str
    name: str
    script: str
    options: tuple[str, ...]


def steps() -> Iterator[Step]:
    """Every shell of every workflow file; GitLab has one for a whole job."""
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        for job in workflow["jobs"].values():
            shell = job.get("defaults", workflow.get("defaults", {})).get("run", {}).get("shell")
            for step in job["steps"]:
                if "run" in step:
                    # Without a word about the shell GitHub's ignores what fails in a pipe.
                    options = ("-e", "-o", "pipefail") if step.get("shell", shell) == "bash" else ("-e",)
                    yield Step(path.name, step["name"], step["run"], options)
    for path in GITLAB:
        for name, job in yaml.safe_load(path.read_text()).items():
            if "script" in job:
                yield Step(path.name, name, "\n".join(job["script"]), ("-e", "-o", "pipefail"))


def step(file: str, name: str) -> Step:
    """The step of a file that is called so."""
    return next(step for step in steps() if (step.file, step.name) == (file, name))


class Runner:
    """A machine for one job, with a folder of its own in which an ordinary user can work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = folder / "tools"
        self.tools.mkdir(parents=True)

    def stand_in(self, name: str, script: str) -> None:
        """Put a program on the path, before all others."""
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    def python(self) -> Path:
        """Make a Python that has only what this one has, and whose pip needs no network; the folder of its programs."""
        home = self.folder / "python"
        venv.create(home, with_pip=False)
        self.lend(home)
        for name in ("pip", "uv"):
            self.stand_in(name, f'exec "{TOOLS / name}" "$@"')
        return home / "bin"

    def lend(self, environment: Path) -> None:
        """Let a virtual environment find what is installed here, this pack itself excepted."""
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(self, what: Step, folder: Path, *path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a step without a terminal, HOME or anything else of ours, as an ordinary user where one may."""
        identity: dict[str, Any] = {}
        nobody = pwd.getpwnam("nobody")
        if os.geteuid() == 0 and _can_run_this_python(nobody.pw_uid):
            identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for one in (self.folder, *self.folder.rglob("*")):
                os.chown(one, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        places = [str(place) for place in (self.tools, *path, TOOLS)]
        bare = {
            "PATH": ":".join([*places, os.defpath]), "CI": "true", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_OFFLINE": "1", **environment,
        }  # fmt: skip
        return subprocess.run(
            ["bash", "--noprofile", "--norc", *what.options, "-c", what.script],
            cwd=folder, env=bare, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **identity,
        )  # fmt: skip

    def checkout(self) -> Path:
        """A copy of this pack, as far as a check-out has it."""
        target = self.folder / "pack"
        unwanted = shutil.ignore_patterns(
            ".git", ".venv", "__pycache__", ".*_cache", ".import_linter_cache", "build", "*.egg-info", ".grading_utils",
            "submitted", "autograded", "feedback", "gradebook.db", ".hypothesis",
        )  # fmt: skip
        shutil.copytree(ROOT, target, ignore=unwanted, symlinks=True)
        return target


def _can_run_this_python(user: int) -> bool:
    try:
        return subprocess.run([sys.executable, "-c", ""], user=user, cwd="/", check=False).returncode == 0
    except OSError:
        return False
