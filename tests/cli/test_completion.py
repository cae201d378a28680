"""The Tab key completes in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pexpect
import pytest
from click.testing import CliRunner

from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, hand_in

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `grading-utils` of this Python, also where the package is not installed."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "grading-utils"
    command.write_text(f"#!{sys.executable}\nfrom grading_utils.cli import main\nmain(prog_name='grading-utils')\n")
    command.chmod(0o755)
    return folder


def press_tab(line: str, course: Course, program: Path) -> list[str]:
    """What bash offers for a line, by the function that the script registers."""
    words = line.split(" ")
    script = f"""
        export PATH={program}:$PATH PYTHONPATH={Path(__file__).parents[2]}
        eval "$(grading-utils completion bash)"
        COMP_WORDS=({" ".join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}
        compopt() {{ :; }}
        $(complete -p grading-utils | sed 's/.*-F \\([^ ]*\\) .*/\\1/') grading-utils
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=course.root, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


def test_bash_completes_commands_options_assignments_and_students(
    small_course: Course, solution: Any, program: Path
) -> None:
    hand_in(small_course, "amara", solution)
    assert press_tab("grading-utils rep", small_course, program) == ["report"]
    assert press_tab("grading-utils grade --stu", small_course, program) == ["--student"]
    assert press_tab("grading-utils grade cou", small_course, program) == [ASSIGNMENT]
    assert press_tab("grading-utils grade --student a", small_course, program) == ["amara"]
    assert press_tab("grading-utils students li", small_course, program) == ["list"]
    assert press_tab("grading-utils export --to moo", small_course, program) == ["moodle"]


def test_assignments_of_another_course_are_completed_too(small_course: Course, program: Path, tmp_path: Path) -> None:
    line = f"grading-utils due --course {small_course.root} c"
    assert press_tab(line, small_course, program) == [ASSIGNMENT]
    assert press_tab(f"grading-utils due --course {tmp_path}/none c", small_course, program) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_reads_its_script(shell: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0, result.output
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    (tmp_path / "script").write_text(result.output)
    done = subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_fish_completes_commands(small_course: Course, program: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("no fish on this machine")
    script = f"""
        set -x PATH {program} $PATH; set -x PYTHONPATH {Path(__file__).parents[2]}
        grading-utils completion fish | source
        complete --do-complete 'grading-utils rep'
        complete --do-complete 'grading-utils grade cou'
    """
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], cwd=small_course.root, capture_output=True, text=True, check=True
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["report", ASSIGNMENT]


def test_zsh_completes_with_nothing_else_in_its_zshrc(small_course: Course, program: Path, tmp_path: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("no zsh on this machine")
    (home := tmp_path / "home").mkdir()
    written = CliRunner().invoke(main, ["completion", "zsh"]).output
    (home / ".zshrc").write_text(f"PS1='ready> '\n{written}")
    told = {"HOME": str(home), "ZDOTDIR": str(home), "PATH": f"{program}:{os.environ['PATH']}", "TERM": "dumb"}
    shell = pexpect.spawn(
        "zsh", ["-d", "-i"], env={**told, "PYTHONPATH": str(Path(__file__).parents[2])}, cwd=str(small_course.root),
        timeout=120, encoding="utf-8", dimensions=(24, 200),
    )  # fmt: skip
    try:
        shell.expect_exact("ready> ")
        for typed, completed in (("grading-utils rep", "report"), ("grading-utils grade cou", ASSIGNMENT)):
            shell.send(f"{typed}\t")
            shell.expect_exact(f"{completed} ")
            shell.send("\x15")  # forget the line
    finally:
        shell.close(force=True)


def commands(command: click.Command, name: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        return [(name, command)]
    context = click.Context(command)
    found = ((child, command.get_command(context, child)) for child in command.list_commands(context))
    return [leaf for child, one in found if one is not None for leaf in commands(one, (*name, child))]


COMMANDS = [pytest.param(name, command, id=" ".join(name)) for name, command in commands(main)]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_command_and_every_option_has_help(name: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not (option.help or "").strip().endswith((".", "]"))] == []


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_course_names_the_folder_that_a_command_works_on(
    name: tuple[str, ...], command: click.Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command with --course says the same about a folder that is no course, wherever it is run."""
    if not any("--course" in option.opts for option in command.params):
        assert name in [("init",), ("compare-gradebooks",), ("model", "evaluate"), ("completion",)]
        return
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.csv").write_text("id\n")
    given = {
        "assignment": "counting", "student": "amara", "date": "2030-12-01", "file": "file.csv", "download": "file.csv",
        "shards": "empty", "output": "out.zip", "system": None, "source": None, "fill": "file.csv",
        "sheet": "file.csv", "target": "out.csv",
    }  # fmt: skip
    words: list[str] = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and parameter.required:
            words.append(str(given[str(parameter.name)]))
        elif isinstance(parameter, click.Option) and parameter.required:
            choice = parameter.type
            value = choice.choices[0] if isinstance(choice, click.Choice) else given[str(parameter.name)]
            words += [parameter.opts[0], str(value)]
    result = CliRunner().invoke(main, [*name, *words, "--course", str(tmp_path / "empty")])
    finding = f"{tmp_path / 'empty'} is no nbgrader course" in result.output
    assert (result.exit_code, finding) == (0 if name == ("doctor",) else 2, True), result.output
