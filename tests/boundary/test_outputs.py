"""What a notebook's own cells show: as in a notebook, but only what is harmless in a page."""

from __future__ import annotations

import base64

import pytest

from grading_utils.boundary.tester import sanitizer


def test_cells_show_results_prints_errors_and_figures(notebook):
    runs = notebook(
        ("student", "print('a'); print('b')\n1 + 1"), ("student", "1 + 1;"), ("student", "1/0"),
        ("student", "import pandas as pd\npd.DataFrame({'a': [1]})"), ("student", "display('x')\nNone"),
        ("student", "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"),
        ("student", "%time 3"),
        ("student", "get_ipython().history_manager.enabled"),
    )  # fmt: skip
    shown = [run.outputs for run in runs]
    assert shown[0][0]["text"] == "a\nb\n"
    assert shown[0][1]["data"] == {"text/plain": "2"}
    assert shown[1] == []
    assert (shown[2][0]["ename"], shown[2][0]["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert not any("site-packages" in line for line in shown[2][0]["traceback"])
    assert "<td>1</td>" in shown[3][0]["data"]["text/html"]
    assert shown[4][0]["output_type"] == "display_data"
    assert base64.b64decode(shown[5][0]["data"]["image/png"]).startswith(b"\x89PNG")
    assert [str(run.status) for run in runs] == ["ok", "ok", "error", "ok", "ok", "ok", "ok", "ok"]


def test_input_has_nobody_to_ask(notebook):
    run = notebook(("student", "input()"), ("student", "1"))[0]
    assert run.status == "error"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("!echo hi", "hi"), ("%%bash\necho hi; exit 3", "hi"), ("x = !echo hi\nprint(x[0] + str(_exit_code))", "hi0"),
        ("!pip install nosuch", "no network"), ("%pip install nosuch", "no network"), ("!!wget -q x", "no network"),
        ("!cd data && sudo apt-get install x", "no network"), ("%conda install x", "no network"),
        ("x = !curl x\nprint(_exit_code, x)", "127 ['not run"), ("!no-such-program", "not found"),
        ("%%bash\nno-such-program", "not found"), ("ls -d .", "."), ("%%script sh -e\necho hi", "hi"),
    ],
)  # fmt: skip
def test_a_shell_line_says_what_came_of_it_and_the_cell_goes_on(source, said, notebook):
    run = notebook(
        ("student", source if source.startswith(("%%", "ls")) else f"{source}\nafter = 1"), ("student", "1")
    )[0]
    printed = "".join(str(o.get("text") or o.get("data", {}).get("text/plain")) for o in run.outputs)
    assert (run.status, said in printed) == ("ok", True), printed


def test_a_failing_shell_line_sets_the_exit_code(check):
    assert check("!exit 3\ncode = _exit_code", "assert code == 3").status == "ok"


def test_outputs_without_end_are_cut(notebook):
    runs = notebook(
        ("student", "for i in range(100_000): print('x' * 100)"), ("student", "for i in range(5000): display(i)"),
        ("student", "1")
    )  # fmt: skip
    assert len(runs[0].outputs[0]["text"]) <= sanitizer.MAX_TEXT + 100
    assert len(runs[1].outputs) <= sanitizer.MAX_OUTPUTS
    assert runs[2].outputs[0]["data"] == {"text/plain": "1"}
