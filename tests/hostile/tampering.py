"""What a student can do to the notebook file itself, each as a function that the attacks name.

Each edits a notebook (a plain dict) in place or returns other bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .course import ASSIGNMENT, code_cell, entry, functions_of
from .not_notebooks import DAMAGE

Notebook = dict[str, Any]
Tampering = Callable[[Notebook], bytes | None]
NAME = f"{ASSIGNMENT}.ipynb"


def _tests(notebook: Notebook) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if entry(c).get("grade") and c["cell_type"] == "code"]


def _solutions(notebook: Notebook) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if entry(c).get("solution") and c["cell_type"] == "code"]


def _managed(notebook: Notebook) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if entry(c)]


# --- metadata ---


def tag_everything_to_be_skipped(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell", "student-process"]
        cell["metadata"]["deletable"] = True


def unlock_and_empty_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        entry(cell).update(locked=False, solution=False)
        cell["source"] = "pass"


def print_points_in_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        cell["source"] = "2.0"


def raise_the_points(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        entry(cell)["points"] = 1000


def infinite_and_odd_points(notebook: Notebook) -> bytes:
    for cell, points in zip(_tests(notebook), [float("inf"), float("nan"), -5, "2", None], strict=True):
        entry(cell)["points"] = points
    return json.dumps(notebook).encode()


def no_points_for_what_is_wrong(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        entry(cell)["points"] = 0


def forge_checksums(notebook: Notebook) -> None:
    for cell in _managed(notebook):
        entry(cell)["checksum"] = "0" * 32


def old_schema(notebook: Notebook) -> None:
    for number, cell in enumerate(_managed(notebook)):
        entry(cell)["schema_version"] = number % 3


def metadata_of_wrong_types(notebook: Notebook) -> None:
    values: list[Any] = [None, [], "grade", 7, {"grade_id": None}, {"grade_id": ["squares"]}, {"grade_id": 3}]
    for number, cell in enumerate(_tests(notebook)):
        cell["metadata"]["nbgrader"] = values[number % len(values)]
    notebook["cells"][0]["metadata"] = None
    notebook["metadata"] = []


def ids_like_paths(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "../../../../etc/passwd"
    notebook["cells"].append(
        code_cell("tried()", nbgrader={"grade_id": "../../gradebook.db", "grade": True, "points": 9})
    )
    notebook["cells"].append(code_cell("tried()", nbgrader={"grade_id": "x" * 100_000, "grade": True, "points": 9}))


def a_bonus_of_its_own(notebook: Notebook) -> None:
    bonus = {
        "grade": True, "solution": False, "locked": True, "task": False, "points": 100, "schema_version": 3,
        "cell_type": "code", "grade_id": "bonus",
    }  # fmt: skip
    notebook["cells"].append(code_cell("100.0", nbgrader=bonus))


def solutions_that_claim_to_be_tests(notebook: Notebook) -> None:
    for cell in _solutions(notebook):
        entry(cell).update(grade=True, solution=False, locked=True, points=50)


def tests_that_claim_to_be_solutions(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        entry(cell).update(grade=False, solution=True, locked=False)
        cell["source"] = "answer = 42"


def longer_time_limits(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["grading_utils"] = {"time_limit": 1e9, "message": "well done", "hidden": False}


def another_kernel(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "bash", "display_name": "sh -c 'touch @MARK@'", "language": "bash"}
    notebook["metadata"]["language_info"] = {"name": "bash", "file_extension": ".sh", "nbconvert_exporter": "script"}


def heavy_widgets(notebook: Notebook) -> None:
    notebook["metadata"]["widgets"] = {"state": {str(number): {"x": [number] * 50} for number in range(5_000)}}
    notebook["metadata"]["celltoolbar"] = "Create Assignment"


# --- structure ---


def duplicate_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        copy = json.loads(json.dumps(cell))
        copy["source"] = "pass"
        notebook["cells"].insert(0, copy)


def delete_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        notebook["cells"].remove(cell)


def move_the_tests_to_the_front(notebook: Notebook) -> None:
    tests = _tests(notebook)
    notebook["cells"] = tests + [cell for cell in notebook["cells"] if cell not in tests]


def turn_it_around(notebook: Notebook) -> None:
    notebook["cells"].reverse()


def tests_as_text(notebook: Notebook) -> None:
    for number, cell in enumerate(_tests(notebook)):
        cell["cell_type"] = "markdown" if number % 2 else "raw"
        cell.pop("outputs")
        cell.pop("execution_count")


def answers_as_text(notebook: Notebook) -> None:
    for cell in _solutions(notebook):
        cell["cell_type"] = "markdown"
        cell.pop("outputs")
        cell.pop("execution_count")


def edit_the_locked_cell(notebook: Notebook) -> None:
    setup = next(cell for cell in notebook["cells"] if entry(cell).get("grade_id") == "setup")
    setup["source"] = "REFERENCE = {'answer': None}\nanswer = None\ndef share(right, asked): return 2.0"


def a_second_locked_cell(notebook: Notebook) -> None:
    setup = next(cell for cell in notebook["cells"] if entry(cell).get("grade_id") == "setup")
    second = json.loads(json.dumps(setup))
    second["source"] = "REFERENCE['answer'] = None\nanswer = None"
    notebook["cells"].append(second)


def answer_twice(notebook: Notebook) -> None:
    answer = next(cell for cell in notebook["cells"] if entry(cell).get("grade_id") == "answer")
    second = json.loads(json.dumps(answer))
    second["source"] = "answer = 41"
    notebook["cells"].append(second)


def one_id_for_all(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "same"


def stored_outputs(notebook: Notebook) -> None:
    value = {"output_type": "execute_result", "data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1}
    html = {"text/html": "<script>document.title='owned'</script>"}
    page = {"output_type": "display_data", "data": html, "metadata": {}}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [value, page], 1


def _before(notebook: Notebook, name: str, sources: list[str]) -> None:
    """Add cells of the student's own in front of one of the assignment's."""
    cells = notebook["cells"]
    place = next(number for number, cell in enumerate(cells) if entry(cell).get("grade_id") == name)
    cells[place:place] = [{**code_cell(source), "id": f"added-{number}"} for number, source in enumerate(sources)]


def nap_in_sixteen_cells(notebook: Notebook) -> None:
    _before(notebook, "count", ["import time\ntime.sleep(1.8)\ntried()"] * 16)


def compute_in_nineteen_hundred_cells(notebook: Notebook) -> None:
    busy = "import time\nend = time.process_time() + 1.7\nwhile time.process_time() < end: pass\ntried()"
    _before(notebook, "count", [busy] * 1_900)


def sixty_small_cells(notebook: Notebook) -> None:
    _before(notebook, "count", [f"step_{n} = {n}\nprint(step_{n})\ntried()" for n in range(60)])


def _picture(megabytes: float) -> str:
    return (
        "from IPython.display import Image\ntried()\n"
        f"Image(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(int({megabytes} * 750_000)), format='png')"
    )


def twelve_pictures(notebook: Notebook) -> None:
    _before(notebook, "count", [_picture(7.9)] * 12)


def two_big_pictures(notebook: Notebook) -> None:
    _before(notebook, "count", [_picture(7), _picture(7)])


def texts_that_no_parser_likes(notebook: Notebook) -> None:
    """Deep, endless, odd: each is a cell of its own, and one is the answer to a question."""
    texts = [
        "x = " + "not " * 9_000 + "1", "lambda: " * 9_000 + "1", "(" * 9_000, "[" * 180 + "]" * 180, "f" * 10**6,
        "x" + ".x" * 9_000, "1" + "+1" * 50_000, "if 1: pass\n" + "elif 1: pass\n" * 9_000, "x = '''" + "\n" * 10**5,
        "!" * 2_000, "%%time\n" + "-" * 9_000 + "1", "a = b = " * 9_000 + "1", "@x\n" * 9_000 + "def f(): pass",
        "".join(" " * n + "if 1:\n" for n in range(99)) + " " * 99 + "pass", "f'" + "{f" * 3_000, "\0", "\f\v\x1b",
        "\udc80 = 1", "x = {" * 5_000, "def f(" + "a, " * 30_000 + "): pass", "class A:\n" + " pass\n" * 10**5,
        "x = " + "-" * 9_000 + "1", "try: pass\n" + "except x: pass\n" * 5_000, "print(" + "*" * 50_000, "?" * 9_000,
        "match x:\n" + " case _: pass\n" * 5_000, "for x in " * 9_000, "x: " * 9_000, "yield " * 9_000 + "1",
    ]  # fmt: skip
    _before(notebook, "squares", texts)
    answer = next(cell for cell in notebook["cells"] if entry(cell).get("grade_id") == "answer")
    answer["source"] = "answer = " + "-" * 9_000 + "42"


def texts_that_no_page_likes(notebook: Notebook) -> None:
    """Lines of nothing, formulas that never end, formulas without number: seconds to hours for each."""
    for number in range(15):
        for length in (9_000, 29_000):
            notebook["cells"].append(code_cell("tried()" + " \n" * length))
            notebook["cells"].append({"cell_type": "markdown", "source": "\\\\[ " * (length // 2), "metadata": {}})
        formulas = " ".join(f"${'x+' * 80}{number}{n}$" for n in range(40))
        notebook["cells"].append({"cell_type": "markdown", "source": formulas, "metadata": {}})


def attachments_that_run(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {
                "a.html": {"text/html": "<script>document.title='owned'</script>"},
                "a.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
                "../../x": {"image/png": 7},
            }
            cell["source"] += "\n![x](attachment:a.svg)<script>document.title='owned'</script>"


def attachments_that_break_out(notebook: Notebook) -> None:
    out = 'x" onerror="document.title=\'owned\'" x="'
    notebook["cells"][-1]["source"] = "![a](attachment:a.png) ![b](attachment:b) <img src='attachment:a.png'>"
    notebook["cells"][-1]["attachments"] = {
        "a.png": {"image/png": out}, "b": {"image/gif": "</textarea><script>1</script>"}, "../../c": {"image/png": out},
    }  # fmt: skip


def texts_that_reorder_themselves(notebook: Notebook) -> None:
    notebook["cells"].append(code_cell("x = 'a\u202e' # \u2066\u2069\x1b[2J\ud800\nprint(x)\ntried()"))


def fifteen_hundred_cells(notebook: Notebook) -> None:
    for number in range(1_500):
        notebook["cells"].append(code_cell("pass", nbgrader={"grade_id": f"g{number}", "grade": True, "points": 1}))


def malformed_cells(notebook: Notebook) -> None:
    notebook["cells"] += [None, [], "cell", {"cell_type": "code"}, {"source": 7}]
    notebook["cells"] += [{"cell_type": ["code"], "source": "1"}]
    notebook["cells"] += [code_cell(["answer = 42\n", 7]), {**code_cell("1"), "cell_type": "heading"}]  # type: ignore[arg-type]


def marks_of_hidden_tests(notebook: Notebook) -> None:
    for cell in _solutions(notebook):
        cell["source"] = "### BEGIN HIDDEN TESTS\n" + cell["source"] + "\n### END SOLUTION\n### BEGIN SOLUTION"


def worksheets_beside_cells(notebook: Notebook) -> None:
    notebook["worksheets"] = [{"cells": [code_cell("2.0")], "metadata": {}}]


def a_minor_version_from_the_future(notebook: Notebook) -> None:
    notebook["nbformat_minor"] = 2**70


def format_three(notebook: Notebook) -> None:
    cells = [
        {**cell, "input": cell["source"], "language": "python", "prompt_number": None, "collapsed": False}
        if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]  # fmt: skip
    notebook.pop("cells")
    notebook.update(nbformat=3, nbformat_minor=0, worksheets=[{"cells": cells, "metadata": {}}])
    notebook["metadata"]["name"] = "old"


def cells_named_twice(notebook: Notebook) -> bytes:
    text = json.dumps(notebook)
    return (text[:-1] + ', "cells": ' + json.dumps([code_cell("2.0")]) + "}").encode()


TAMPER: dict[str, Tampering] = {**functions_of(__name__, globals()), **DAMAGE}
