"""The cell at the end of a notebook says which visible checks pass, and never more than that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grading_utils.lessons.progress import title_of

from .notebooks import NOTEBOOKS, Kernel, is_check, kernel, read

ANSWER = "def double(number):\n    return helper(number) * 2"
HELPER = "def helper(number):\n    return number"
CHECK = '"""Check 1: doubling."""\ndef _try(text):\n    assert double(text) == 2 * text, "no"\n\n_try(3)'
COUNTS = "counts = {'a': 1, 'of': [1, 2]}"
COUNTED = '"""Check 1: a table that a cell fills."""\nassert counts["a"] == 1, "no"'
SHOW = 'show_progress("Check 1", "Check 2a")'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel(tmp_path_factory.mktemp("progress")) as run:
        run.run("from grading_utils.lessons.plain_errors import use_plain_errors\nuse_plain_errors()")
        run.run("from grading_utils.lessons.progress import show_progress, watch_checks")
        yield run


def progress_after(run: Kernel, *sources: str) -> str:
    run.run("watch_checks()")
    for source in sources:
        run.run(source)
    message, cell = run.run(SHOW)
    assert message == ""
    return " ".join(re.sub(r"<[^>]+>", " ", cell.outputs[0].data["text/html"]).split())


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], "0 of 2 visible checks pass."),
        ([HELPER, ANSWER, CHECK], "1 of 2 visible checks pass."),
        ([HELPER, ANSWER, CHECK, "text = 7"], "1 of 2 visible checks pass."),
        ([HELPER, ANSWER.replace("* 2", "* 3"), CHECK], "0 of 2 visible checks pass."),
        ([HELPER, ANSWER, CHECK, ANSWER.replace("* 2", "* 3")], "0 of 2 visible checks pass."),
        ([HELPER, ANSWER, CHECK, HELPER.replace("number\n", "other\n")], "0 of 2 visible checks pass."),
        ([HELPER, ANSWER, CHECK, ANSWER.replace("* 2", "* 3"), CHECK], "0 of 2 visible checks pass."),
        ([HELPER, ANSWER, CHECK, "del double"], "0 of 2 visible checks pass."),
        ([COUNTS, COUNTED], "1 of 2 visible checks pass."),
        ([COUNTS, COUNTED, "counts['a'] += 0"], "1 of 2 visible checks pass."),
        ([COUNTS, COUNTED, "counts['a'] += 1"], "0 of 2 visible checks pass."),
        ([COUNTS, COUNTED, "counts.clear()"], "0 of 2 visible checks pass."),
        ([HELPER, ANSWER, CHECK.replace("assert", "asert")], "0 of 2 visible checks pass."),
    ],
)
def test_only_checks_that_passed_on_what_is_still_there_are_counted(run: Kernel, sources: list[str], said: str) -> None:
    assert said in progress_after(run, *sources)


def test_every_state_has_words(run: Kernel) -> None:
    assert "· Check 2a not run since the kernel started" in progress_after(run, HELPER, ANSWER, CHECK)
    assert "✔ Check 1 passes" in progress_after(run, HELPER, ANSWER, CHECK)
    assert "✘ Check 1 fails" in progress_after(run, HELPER, "def double(number): ...", CHECK)
    assert "↻ Check 1 passed, but" in progress_after(run, HELPER, ANSWER, CHECK, ANSWER)
    assert "The grader tries more cases" in progress_after(run)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cell_before_the_last_lists_all_visible_checks_of_the_notebook(path: Path) -> None:
    cells = read(path).cells
    progress: Any = cells[-2]
    assert (progress.id, progress.metadata.tags) == ("progress", ["demonstration"])
    call = ast.parse(progress.source).body[-1]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    listed = [ast.literal_eval(argument) for argument in call.value.args]
    assert listed == [title_of(cell.source) for cell in filter(is_check, cells)]
    assert len(set(listed)) == len(listed)
    assert "watch_checks()" in next(cell for cell in cells if cell.cell_type == "code").source
