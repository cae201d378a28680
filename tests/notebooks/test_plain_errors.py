"""Students read what a failed check has to say, where a blank is left, and what is wrong with a call into a library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from grading_utils.language_model.resolver import resolve_model
from grading_utils.lessons.blanks import Blank, blank_behind, bound_names, first_blank, names_in
from grading_utils.lessons.plain_errors import Place, places_of, plain_message
from grading_utils.lessons.wrong_calls import explain

from .notebooks import kernel

SETUP = "from grading_utils.lessons.plain_errors import use_plain_errors\nuse_plain_errors()"
BLANK = "def double(x):\n    return x * ..."
CHECK = '"""Check 1: doubling."""\nassert double(2) == 4, f"twice two is four, not {double(2)}"'
TWO = "def double(x):\n    return x * 2\n\ndef half(x):\n    return x / ..."


@pytest.mark.parametrize(
    ("source", "blank"),
    [
        (BLANK, Blank(2, "return x * ...")),
        ("x = 1\ny = ...\nz = ...", Blank(2, "y = ...")),
        ("if x:\n    ...", Blank(2, "...")),
        ("y = x[...]", Blank(1, "y = x[...]")),
        ('"""A text with ... in it."""\nx = "..."  # and ... here', None),
        ("y = x[..., 0]", None),
        ("y = x[:, ..., -1] + 1", None),
        ("y = x[..., f(...)]", Blank(1, "y = x[..., f(...)]")),
        ("%timeit ...", None),
        ("", None),
    ],
)
def test_only_dots_that_stand_for_code_count_as_a_blank(source: str, blank: Blank | None) -> None:
    assert first_blank(source) == blank


def test_a_blank_belongs_to_its_function() -> None:
    assert first_blank(TWO, 2) is None
    assert first_blank(TWO, 5) == Blank(5, "return x / ...")
    assert blank_behind(["double"], [TWO]) is None
    assert blank_behind(["double", "half"], [TWO]) == Blank(5, "return x / ...")
    assert blank_behind(["half"], [TWO, "half = abs"]) is None
    assert names_in(CHECK) == ["double"]
    assert bound_names(TWO + "\na, b = 1, 2") == {"double", "half", "a", "b"}


def test_a_failed_check_shows_its_message_alone() -> None:
    lines = plain_message(AssertionError("four, not five"), ["def double(x): return 5", CHECK])
    assert lines is not None
    assert "\n".join(lines).endswith("four, not five")
    assert len(lines) == 1


@pytest.mark.parametrize("inputs", [[BLANK, CHECK], ["x = ...", BLANK, CHECK, CHECK], [BLANK, "other = ...", CHECK]])
def test_a_check_names_the_blank_of_what_it_uses(inputs: list[str]) -> None:
    text = "\n".join(plain_message(AssertionError("four"), inputs) or [])
    assert "Not answered yet" in text
    assert "line 2 of your answer cell" in text
    assert "return x * ..." in text


@pytest.mark.parametrize("inputs", [[BLANK, "double = abs", CHECK], [TWO, CHECK], ["x = ...", "double = abs", CHECK]])
def test_a_blank_of_something_else_is_not_blamed(inputs: list[str]) -> None:
    assert "blank" not in "\n".join(plain_message(AssertionError("four"), inputs) or [])


def test_an_error_in_a_filled_function_is_not_blamed_on_a_blank() -> None:
    source = f"{TWO}\ndouble(None)"
    assert plain_message(TypeError("no"), [source], [Place(source, 6), Place(source, 2)]) is None
    text = "\n".join(plain_message(TypeError("no"), [source], [Place(source, 6), Place(source, 5)]) or [])
    assert "line 5 of this cell" in text


def test_a_name_that_is_still_a_blank_is_named_where_it_is_used() -> None:
    cells = ["x = ...\ny = 1", "print(len(x))"]
    text = "\n".join(plain_message(TypeError("no len()"), cells, [Place(cells[1], 1)], {"x": ..., "y": 1}) or [])
    assert "x = ..." in text


def test_a_check_of_something_that_is_not_there_says_which_cell_to_run() -> None:
    lines = plain_message(NameError("name 'double' is not defined", name="double"), [CHECK], [Place(CHECK, 2)])
    assert "Run the cell that defines double first" in "\n".join(lines or [])


def test_all_other_errors_keep_their_traceback() -> None:
    source = "int('no')"
    assert plain_message(ValueError("no"), [source], [Place(source, 1)]) is None
    assert plain_message(AssertionError("my own"), ["assert False, 'my own'"]) is None
    assert plain_message(ValueError("no"), []) is None


def test_in_a_kernel_the_error_keeps_its_type_and_message(tmp_path: Path) -> None:
    with kernel(tmp_path) as run:
        run.run(SETUP)
        run.run(BLANK)
        message, checked = run.run(CHECK)
        assert message.startswith("TypeError: unsupported operand")
        shown = "\n".join(checked.outputs[0].traceback)
        assert "there is a blank left in line 2 of your answer cell" in shown
        assert "Traceback" not in shown
        run.run("def double(x):\n    return x + 3")
        message, checked = run.run(CHECK)
        assert message == "AssertionError: twice two is four, not 5"
        assert "Traceback" not in "\n".join(checked.outputs[0].traceback)
        message, other = run.run("int('no')")
        assert message.startswith("ValueError")
        assert "Traceback" in "\n".join(other.outputs[0].traceback)


def test_in_a_kernel_a_check_that_can_do_nothing_with_a_blank_result_names_the_blank(tmp_path: Path) -> None:
    with kernel(tmp_path) as run:
        run.run(SETUP)
        run.run("def losses():\n    return [...]")
        message, checked = run.run('"""Check 1: numbers."""\nfound = [float(loss) for loss in losses()]')
        assert message.startswith("TypeError: float()")
        shown = "\n".join(checked.outputs[0].traceback)
        assert "there is a blank left in line 2 of your answer cell" in shown
        assert "Traceback" not in shown


def test_in_a_kernel_an_error_inside_a_library_shows_the_students_line_and_folds_the_rest(tmp_path: Path) -> None:
    with kernel(tmp_path) as run:
        run.run(SETUP)
        message, failed = run.run("import json\n\ntext = '{'\njson.loads(text)")
        assert message.startswith("JSONDecodeError")
        error, folded = failed.outputs
        shown = "\n".join(error.traceback)
        assert "json.loads(text)" in shown
        assert "decoder.py" not in shown
        assert "decoder.py" in folded.data["text/html"]
        assert folded.data["text/html"].startswith("<details>")


def test_in_a_kernel_a_check_after_a_failed_cell_says_that_it_looks_at_an_earlier_run(tmp_path: Path) -> None:
    with kernel(tmp_path) as run:
        run.run(SETUP)
        run.run("def double(x):\n    return x * 2")
        run.run("def double(x):\n    return x * 3\n\n1 / 0")
        _, checked = run.run(CHECK.replace("4", "6").replace("double(2)", "double(2)"))
        assert "ended with an error" in checked.outputs[0].text
        run.run("def double(x):\n    return x * 2")
        _, checked = run.run(CHECK)
        assert checked.outputs == []


def test_outside_a_kernel_nothing_happens() -> None:
    exec(SETUP, {})


@pytest.fixture(scope="module")
def library() -> dict[str, Any]:
    folder = resolve_model("shipped").path
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("We had soup", return_tensors="pt")["input_ids"]
    return {"torch": torch, "tokenizer": tokenizer, "model": AutoModelForCausalLM.from_pretrained(folder), "ids": ids}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("model('We had soup')", "reads ids, not text"),
        ("model.generate('We had soup')", "reads ids, not text"),
        ("model(ids[0])", "these have [3]"),
        ("model.generate(ids[0])", "these have [3]"),
        ("model(ids[0, 0])", "these have []"),
        ("model([1, 2])", "it was given a list"),
        ("model(tokenizer('soup', return_tensors='pt'))", 'batch["input_ids"]'),
        ("model(ids.float())", "Ids are whole numbers"),
        ("model(ids + 10**6)", "larger than the vocabulary"),
        ("[score for score in model]", "called like a function"),
        ("next(tokenizer)", "called like a function"),
        ("[token for token in tokenizer]", "called like a function"),
        ("tokenizer['soup']", "called like a function"),
        ("tokenizer(ids)", "a Tensor of shape [1, 3]"),
        ("tokenizer(17)", "given a int"),
        ("tokenizer.encode(17)", "given a int"),
        ("tokenizer.decode('soup')", "from ids to text"),
        ("tokenizer.decode(['soup'])", "whole numbers"),
        ("torch.softmax(torch.ones(3))", "along which axis"),
        ("bool(ids == ids)", ".all()"),
        ("float(ids)", "has several"),
        ("model(ids).logits.numpy()", ".detach()"),
        ("torch.ones(2, 3) @ torch.ones(2, 3)", "do not fit"),
    ],
)
def test_the_commonest_wrong_calls_are_explained(library: dict[str, Any], line: str, sentence: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one is the library's business
        eval(compile(line, "<ipython-input-1>", "eval"), library)
    place = places_of(raised.value.__traceback__)[-1]
    assert sentence in explain(raised.value, place.call)
