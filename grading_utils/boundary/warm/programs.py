"""Other programs that a notebook's cell starts: `!ls`, `x = !cat file`, `%pip install`, `%%bash`.

They run as they do in a notebook, in whatever sandbox the cell runs in. There is no network in it, so what only
fetches something says so at once instead of trying for minutes. Nothing here ever raises: a failing command doesn't
end a cell in a notebook either.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

NOT_FOUND = 127
"""The exit code of a command that could not be run."""

NOT_RUN = "not run"
"""How the text begins that is said instead of running a command."""

_SHELL = "/bin/sh"
_LONGEST = 1 << 18
_FETCHERS = (
    r"(?:python[\d.]*\s+-m\s+|uv\s+)?pip[\d.]*\s+(?:install|download|uninstall)",
    r"(?:conda|mamba|micromamba)\s+(?:install|create|update|env)",
    r"(?:apt|apt-get|yum|brew|npm|yarn|cargo|poetry|uv)\s",
    r"git\s+(?:clone|pull|fetch|push)",
    r"(?:wget|curl|gdown|kaggle|aria2c|scp|ssh|rsync|huggingface-cli|hf|ping)\b",
)
_FETCHES = re.compile(rf"(?:^|[;&|]\s*|\bsudo\s+)\s*(?:\S*/)?(?:{'|'.join(_FETCHERS)})")
_SCRIPT_CELLS = ("bash", "sh", "script", "perl", "ruby", "python", "python2", "python3", "pypy", "cmd")
_PACKAGE_LINES = ("conda", "mamba", "micromamba", "uv")


def run(command: str, text: str = "") -> tuple[str, int]:
    """Run a command line in a shell.

    Args:
        command: For `/bin/sh -c`.
        text: What it reads from standard input.

    Returns:
        What it printed on both streams, and its exit code.
    """
    if _FETCHES.search(command):
        return f"{NOT_RUN}, there is no network while a notebook is graded: {command[:200]}\n", NOT_FOUND
    if not Path(_SHELL).exists():
        return f"{NOT_RUN}, there is no shell here while a notebook is graded: {command[:200]}\n", NOT_FOUND
    try:
        done = subprocess.run(
            [_SHELL, "-c", command],
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except (OSError, ValueError) as error:
        return f"{NOT_RUN} while a notebook is graded, {error}: {command[:200]}\n", NOT_FOUND
    return done.stdout[:_LONGEST].decode("utf-8", "replace"), done.returncode


def register(shell: Any) -> None:
    """Give a shell its magics that start programs, in place of IPython's, which raise where one fails."""

    def package_line(name: str) -> Any:
        return lambda line: shell.system(f"{name} {line}")

    def script_cell(name: str) -> Any:
        def magic(line: str, cell: str) -> None:
            words = _without_options(line) if name == "script" else [name, *_without_options(line)]
            is_shell = words in ([], ["bash"], ["sh"])
            printed, shell.user_ns["_exit_code"] = run(cell) if is_shell else run(" ".join(words), cell)
            print(printed, end="")

        return magic

    for name in _PACKAGE_LINES:
        shell.register_magic_function(package_line(name), "line", name)
    for name in _SCRIPT_CELLS:
        shell.register_magic_function(script_cell(name), "cell", name)


def _without_options(line: str) -> list[str]:
    """A script cell's arguments but for IPython's own, such as `--no-raise-error` and `--out name`."""
    kept = re.sub(r"--(?:out|err|proc)\s+\S+|--(?:bg|no-raise-error)\b", "", line)
    return kept.split()
