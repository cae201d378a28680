"""What student code may not do to a verdict, and what it may not learn or tell."""

from __future__ import annotations

from pathlib import Path

import pytest

# A student's cell that tries to make the check below it pass, or to learn what it may not; none may succeed.
FORGERIES = sorted((Path(__file__).parent / "forgeries").glob("*.txt"))


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda path: path.stem)
def test_forgery_fails(forgery, check):
    source, test = forgery.read_text().split("----- test -----\n")
    run = check(source, test, leading="REFERENCE = {'x': 42}\ndef reference(): return 42")
    assert run.status in ("error", "stopped", "open"), run


def test_a_rebound_model_fools_nobody(notebook):
    leading = "import torch\ntorch.manual_seed(0)\nmodel = torch.nn.Linear(2, 1)\n"
    student = "original = model\nmodel = None\ndef use(m): return m is original\ndef give(): return original"
    test = "import torch\nassert use(model) and give() is model and isinstance(model, torch.nn.Linear)"
    assert notebook(("student", student), ("test", test), leading=leading)[1].status == "ok"


SECRET = "xylophone quartz 7351942"
SMUGGLERS = {
    "returned": "def f(x): return x",
    "returned backwards": "def f(x): return x[::-1]",
    "returned as numbers": "def f(x): return [ord(c) for c in x]",
    "raised": "def f(x): raise ValueError(x)",
    "raised as an assertion": "def f(x): raise AssertionError(x)",
    "as a class name": "def f(x): return type('_'.join(x.split()), (), {})()",
    "as a function's name": "def f(x):\n    def g(): pass\n    g.__name__ = x\n    return g",
    "printed": "def f(x):\n    print(x)\n    return 1",
    "as a key": "def f(x): return {x: 1}",
}
HIDDEN_TEST = f"""f('ab')
### BEGIN HIDDEN TESTS
got = f({SECRET!r})
assert got == 5, f'wrong result: {{got}} {{type(got).__name__}} {{getattr(got, "__name__", "")}}'
### END HIDDEN TESTS"""


@pytest.mark.parametrize("source", SMUGGLERS.values(), ids=SMUGGLERS)
def test_a_hidden_checks_message_carries_no_argument(source, check):
    source = source.replace("(x):", "(x):\n    if x == 'ab': return 0\n   ", 1) if "\n" not in source else source
    run = check(source, HIDDEN_TEST)
    assert run.status == "error"
    assert run.hidden
    for text in (*SECRET.split(), *(word[::-1] for word in SECRET.split()), "120, 121", SECRET):
        assert text not in run.message
    assert run.message.startswith("A hidden check did not pass")


def test_after_a_hidden_check_a_visible_one_tells_nothing_either(check):
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return 1\ndef g(): return seen"
    test = f"### BEGIN HIDDEN TESTS\nf({SECRET!r})\n### END HIDDEN TESTS\nassert g() == [], f'left {{g()}}'"
    run = check(source, test)
    assert not run.hidden
    assert "xylophone" not in run.message


def test_a_visible_checks_message_is_shown_in_full(check):
    run = check("def f(x): return 'something long'", "assert f(1) == 2, f'got {f(1)!r}'")
    assert (run.message, run.hidden, run.failed_line) == ("got 'something long'", False, 1)


def test_what_hidden_lines_print_is_not_in_the_outputs(check):
    run = check(
        "def f(x): return x", "print('shown')\n### BEGIN HIDDEN TESTS\nprint(f('secret'))\n### END HIDDEN TESTS"
    )
    assert [output["text"] for output in run.outputs] == ["shown\n"]


def test_no_cell_output_can_hold_what_a_hidden_check_passed(notebook):
    source = (
        "import os\nreader, writer = os.pipe()\nos.set_blocking(reader, False)\nstore = []\n"
        "def f(x):\n    os.write(writer, repr(x).encode())\n    store.append(x)\n    return x"
    )
    spy = "try:\n    print(os.read(reader, 1000))\nexcept BlockingIOError:\n    pass\nprint(store)"
    test = "### BEGIN HIDDEN TESTS\nassert f('secret') == 'secret'\n### END HIDDEN TESTS"
    runs = notebook(("student", source), ("test", test), ("student", spy))
    assert runs[2].outputs == [{"output_type": "stream", "name": "stdout", "text": "[]\n"}]


def test_test_functions_of_an_earlier_cell_cannot_be_replaced_by_the_student(notebook):
    runs = notebook(
        ("test", "def check(x): assert x == 42\nlimit = 1"), ("student", "def check(x): pass\nanswer = 1\nlimit = 7"),
        ("test", "check(answer)"), ("test", "assert limit == 7"),
    )  # fmt: skip
    assert [str(run.status) for run in runs] == ["ok", "ok", "error", "ok"]


def test_the_source_for_the_static_check_comes_from_the_tester(check):
    source = "k = 3\ndef f(x):\n    return x + k\nf.__name__ = 'g'\nf.__qualname__ = 'g'\ndef g(x): return x"
    test = (
        "source = f.__student_source__\nassert source.qualname == 'f' and 'return x + k' in source.source\n"
        "assert {'k', 'f', 'g'} <= source.module_names\nassert f.__name__ == 'g'"
    )
    assert check(source, test).status == "ok"
