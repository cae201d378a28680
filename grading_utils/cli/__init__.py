"""The `grading-utils` command: one module per sub-command, loaded only when it is asked for.

Exit codes, the same for every sub-command:

    0  done; every submission was graded
    1  done, but some submission needs a person
    2  wrong use, or something in the course needs a change; nothing was graded
    3  this machine cannot grade safely, or has no room, no permission, no gradebook
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any

try:
    import click
except ModuleNotFoundError:  # the package without what grading needs still brings the command
    print("grading-utils: the package click is missing; install 'slm-course[grade]'", file=sys.stderr)
    sys.exit(3)

from grading_utils import patches
from grading_utils.errors import GradingError, MachineError, SandboxError, machine_trouble

patches.skip_grammars_of_addresses()

COMMANDS = {
    "init": "Make a course of your own from this pack.",
    "release": "Make release/ from source/, and refuse if anything would leak.",
    "kit": "Put what students need into one folder or zip.",
    "solutions": "Write worked notebooks for students, for after the deadline.",
    "grade": "Grade submissions, each in its own sandbox.",
    "merge": "Make one gradebook of what several machines graded (`grade --shard`).",
    "diff": "Show whose score moved when the class was graded last, and why.",
    "students": "Who is in the course: import a roster, list it.",
    "due": "Set when an assignment is due.",
    "extend": "Give one student longer.",
    "collect": "Put what Canvas, Moodle or Gradescope hands out into submitted/.",
    "export": "Write the gradebook as CSV or JSON, or into a file of Canvas or Moodle.",
    "answers": "List written answers by question, those that are alike together, to grade them once.",
    "mark": "Give the points and comments that were filled into such a list.",
    "mark-alike": "Give answers that are alike what one of them was given in the formgrader.",
    "feedback": "Write one page of feedback per graded submission.",
    "hand-back": "Make the zip with which Canvas or Moodle hands out feedback.",
    "gradescope": "Write the autograder zip of an assignment for Gradescope.",
    "report": "Write report.html about everything graded so far.",
    "check-tests": "Mutate the solutions and see whether the tests notice.",
    "check-answers": "Grade collected right and wrong answers and see what the tests make of them.",
    "agreement": "Compare the points that a GPU and the processor give.",
    "doctor": "Say what this machine can and cannot do, and how to mend it.",
    "sample-class": "Write the submissions of the sample class to submitted/.",
    "compare-gradebooks": "Compare two gradebooks cell by cell.",
    "completion": "Print the script that lets bash, zsh or fish complete commands.",
    "model": "The shipped language model: evaluate it.",
}

DONE, NEEDS_A_PERSON, WRONG_USE, CANNOT_GRADE = 0, 1, 2, 3


class _Lazy(click.Group):
    """Lists commands without importing them: nbgrader and torch take seconds to import."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"grading_utils.cli.{name.replace('-', '_')}").command
        command.short_help = COMMANDS[name]
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except GradingError as error:
            known = error
        except Exception as error:
            trouble = machine_trouble(error)
            if trouble is None:
                raise
            known = trouble
        click.echo(f"grading-utils: {known}", err=True)
        sys.exit(CANNOT_GRADE if isinstance(known, SandboxError | MachineError) else WRONG_USE)


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="slm-course")
def main() -> None:
    """Release Jupyter assignments, grade what students hand in, and see how the class did.

    Works on any nbgrader course directory: run it there, or give a command its name with --course.
    """
    # nbformat logs pages about a malformed notebook; our own one-line message says it already.
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    # nbgrader's gradebook logs the traceback of each error that it raises, and one line of ours says it.
    logging.getLogger("tornado.application").setLevel(logging.CRITICAL)
