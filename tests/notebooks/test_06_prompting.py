"""`06-prompting` runs from top to bottom, asks the model fairly, and draws what it measured."""

from __future__ import annotations

import ast
import html
import inspect
import math
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from grading_utils.course.cells import is_demonstration
from grading_utils.language_model.resolver import resolve_model

from .notebooks import ROOT, Page, assert_true_on_the_page, is_answer, is_check, metadata, read, real_model, tied
from .sentences_06 import SENTENCES

PATH = ROOT / "source" / "06-prompting" / "06-prompting.ipynb"
SMOLLM2 = "HuggingFaceTB/SmolLM2-360M"
REVEALED = re.findall(r"```python\n(.*?)```", read(PATH).cells[-1].source, re.DOTALL)[-1]
PROBES = {
    "calibrated": REVEALED
    + """
def _calibrated(text, examples):
    return calibrated(text, examples, ["good", "bad"], few_shot_prompt, scores)

_kinds = {name: example_orders[name] for name in ("all good ones first", "all bad ones first")}
print(*accuracy_table(unseen_reviews, _kinds, [2, 4], _calibrated)["accuracy"])
""",
}


@pytest.fixture(scope="module")
def asked() -> Any:
    """The shipped model, asked as in the notebook."""
    transformers = pytest.importorskip("transformers")
    from grading_utils.lessons.prompting import Prompted

    folder = resolve_model("shipped").path
    return Prompted(
        transformers.AutoModelForCausalLM.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)
    )


@tied(SENTENCES)
def test_what_the_page_says_is_so(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    assert_true_on_the_page(page, cell, words, holds)


def test_the_instructors_version_runs_without_an_error(executed: dict[str, Any]) -> None:
    assert {name: cell["error"] for name, cell in executed.items() if cell["error"]} == {}


def test_no_cell_writes_a_warning(executed: dict[str, Any]) -> None:
    warned = [name for name, cell in executed.items() if any(o.get("name") == "stderr" for o in cell.outputs)]
    assert warned == []


def test_the_grid_of_wordings_and_the_curve_of_accuracies_are_shown(executed: dict[str, Any]) -> None:
    for name in ("label-score-demo", "experiment"):
        assert any("<img" in output.get("data", {}).get("text/html", "") for output in executed[name].outputs), name
    widgets = "application/vnd.jupyter.widget-view+json"
    assert any(widgets in output.get("data", {}) for output in executed["label-score-demo"].outputs)


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def resolved(cell: Any) -> str:
    """What a cell says is true, beside the prediction."""
    pages = [output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]
    return html.unescape(next(page for page in pages if "What is true" in page))


def test_one_wording_in_five_does_not_name_the_job_as_something_else_stood_there(executed: dict[str, Any]) -> None:
    truth = resolved(executed["wordings-reveal"])
    assert "Shakespeare: 4 of 5 templates" in truth
    assert "Charles Darwin: 4 of 5 templates" in truth
    lines = printed(executed["wordings-reveal"])
    assert all(
        re.search(rf"{name}'s job was\" +' to (work|think) ", lines) for name in ("Shakespeare", "Charles Darwin")
    )


def test_three_ways_to_ask_for_a_capital_work_and_a_hint_does_not(executed: dict[str, Any]) -> None:
    lines = [line for line in printed(executed["wordings-demo"]).splitlines() if "->" in line]
    assert [("Paris" in line or "Tokyo" in line) for line in lines] == [True] * 6 + [False] * 2


def test_a_bare_question_gets_no_place_and_a_conversation_does(executed: dict[str, Any]) -> None:
    bare = printed(executed["dialogue-demo"]).splitlines()[:2]
    assert not any("old" in line or "visit" in line or "A:" in line for line in bare)
    truth = resolved(executed["dialogue-reveal"])
    assert "I liked the old harbor best" in truth
    assert "Anna:" in truth.split("And then the text goes on")[1]


def test_two_speak_in_turn_in_both_scenes_and_no_third(executed: dict[str, Any]) -> None:
    said = resolved(executed["dialogue-reveal"]).split("And then the text goes on")[1]
    assert re.findall(r"(\w+): ", said.removeprefix(": ")) == ["Anna", "Ben"]
    scene, reply = printed(executed["dialogue-reveal"]).split("first_reply:")
    assert re.findall(r"^(\w+): ", scene, re.MULTILINE) == ["Boston", "NYC", "Boston"]
    assert "\\n" not in reply.splitlines()[0]


def test_a_space_at_the_end_of_a_prompt_spoils_all_four_continuations(executed: dict[str, Any]) -> None:
    lines = [line for line in printed(executed["dialogue-reveal"]).splitlines() if " with a space " in line]
    assert len(lines) == 4
    for line, wanted in zip(lines, ("Paris", "the old", "meow", "there was"), strict=True):
        without, _, spaced = line.partition(" with a space ")
        assert wanted in without
        assert not spaced.startswith((f"'{wanted}", f"' {wanted}"))


def test_the_grid_is_found_again_with_the_students_label_score(executed: dict[str, Any]) -> None:
    agreeing = re.search(r"for (\d) of 6 reviews", resolved(executed["label-score-reveal"]))
    assert agreeing is not None
    assert 0 < int(agreeing[1]) < 6


def test_the_experiment_uses_the_students_scores_and_tells_order_from_composition(executed: dict[str, Any]) -> None:
    assert "scores: your label_score" in printed(executed["experiment"])
    truth = resolved(executed["experiment"])
    shares = [int(share) for share in re.findall(r"(\d+)%", truth)]
    in_turn, one_kind = shares[:6], shares[6:]
    assert min(in_turn) >= 90
    assert max(abs(a - b) for a, b in zip(in_turn[:3], in_turn[3:], strict=True)) <= 5
    assert max(one_kind) <= min(in_turn) - 15
    assert 40 <= one_kind[1] <= 60
    without = re.findall(r"\b0 examples (\d+)%", str(executed["experiment"].outputs))
    assert without
    assert all(40 <= int(share) <= 60 for share in without)


def test_an_unfinished_label_score_leaves_the_experiment_to_the_courses_own(capsys: pytest.CaptureFixture[str]) -> None:
    from grading_utils.lessons.prompting import remembered

    def unfinished(_prompt: str, _continuation: str) -> float:
        raise TypeError("a blank")

    for own in (None, unfinished, lambda _prompt, _continuation: 3.0):
        assert remembered(own, lambda _prompt, _continuation: -1.5)("any", " label") == -1.5
    assert capsys.readouterr().out.count("not done yet") == 3


def test_the_interval_of_an_accuracy_holds_it_and_narrows_with_more_cases() -> None:
    from grading_utils.lessons.prompting import bootstrap_interval

    few, many = bootstrap_interval([True, True, True, False] * 6), bootstrap_interval([True, True, True, False] * 60)
    assert few[0] < many[0] < 0.75 < many[1] < few[1]
    assert bootstrap_interval([True] * 24) == (1.0, 1.0)


def test_the_experiment_stays_within_what_the_model_can_read(executed: dict[str, Any]) -> None:
    printed = "".join(o.text for o in executed["experiment"].outputs if o.get("name") == "stdout")
    assert printed.count("rows are true, columns predicted") == 2


def test_no_section_uses_what_an_earlier_answer_computed(notebook: Any) -> None:
    bound_by_answers: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or is_demonstration(cell):  # these show what the answers can do, alone and together
            continue
        tree = ast.parse(cell.source)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        stored |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        used = {node.id for node in names if isinstance(node.ctx, ast.Load)} - stored - defined
        if is_answer(cell):
            assert not used & bound_by_answers.keys(), f"{cell.id} needs {used & bound_by_answers.keys()}"
            bound_by_answers |= dict.fromkeys(defined, cell.id)
        elif metadata(cell) and not is_check(cell):
            leaning = used & bound_by_answers.keys()
            assert not leaning, f"the locked cell {cell.id} uses {leaning}"


def test_it_is_worth_25_points_of_which_19_are_automatic(notebook: Any) -> None:
    automatic = sum(metadata(cell)["points"] for cell in filter(is_check, notebook.cells))
    everything = sum(metadata(cell).get("points", 0) for cell in notebook.cells)
    assert (automatic, everything) == (19, 25)


@pytest.mark.parametrize("continuation", [" good", " not good", " a very long way from home"])
def test_the_score_is_the_sum_of_the_log_probabilities_of_the_tokens(asked: Any, continuation: str) -> None:
    import torch

    prompt = "Review: It was fun.\nDecision:"
    ids = asked.tokenizer(prompt)["input_ids"]
    expected = 0.0
    for token in asked.tokenizer(continuation)["input_ids"]:
        with torch.no_grad():
            expected += float(asked.model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)[token])
        ids = [*ids, token]
    assert asked.log_probability(prompt, continuation) == pytest.approx(expected, abs=1e-4)
    assert asked.log_probability(prompt, continuation) == pytest.approx(expected, abs=1e-4), "asked once more"


def test_a_prompt_longer_than_the_context_is_refused_with_the_numbers(asked: Any) -> None:
    prompt = "one two " * asked.context
    with pytest.raises(ValueError, match=str(asked.context)):
        asked.log_probability(prompt, " good")
    with pytest.raises(ValueError, match="shorten the prompt"):
        asked.complete(prompt)


def test_a_completion_leaves_out_the_prompt_and_special_tokens(asked: Any) -> None:
    made = asked.complete("Once upon a time", 30)
    assert not made.startswith("Once")
    assert asked.tokenizer.eos_token not in made


@pytest.mark.parametrize(("first", "second", "expected"), [(-1.0, -1.0, 0.5), (0.0, -math.log(3), 0.75), (-900, 0, 0)])
def test_two_labels_share_their_probability(first: float, second: float, expected: float) -> None:
    from grading_utils.lessons.prompting_pictures import share

    def score(_prompt: str, label: str) -> float:
        return {" a": first, " b": second}[label]

    assert share(score, "any", (" a", " b")) == pytest.approx(expected)


def test_the_curve_says_in_words_what_it_draws() -> None:
    from grading_utils.lessons.prompting_pictures import accuracy_html

    table = pd.DataFrame({"order": ["x", "x"], "examples": [0, 4], "accuracy": [0.5, 0.75]})
    assert "x: 0 examples 50%, 4 examples 75%" in accuracy_html(table, chance=0.5)


def test_the_lesson_modules_hold_no_solution(notebook: Any) -> None:
    from grading_utils.lessons import prompting, prompting_pictures

    sources = inspect.getsource(prompting) + inspect.getsource(prompting_pictures)
    module = {"".join(line.split()) for line in sources.splitlines()}
    for cell in filter(is_answer, notebook.cells):
        for region in cell.source.split("### BEGIN SOLUTION")[1:]:
            for line in region.split("### SCAFFOLD")[0].splitlines():
                squeezed = "".join(line.split())
                assert len(squeezed) < 12 or squeezed not in module, line


@pytest.mark.parametrize(
    ("prompt", "count", "expected"),
    [
        ("Shakespeare's job was", 10, " to write plays, and he did that very well"),
        ("Shakespeare's occupation was as a", 1, " playwright"),
        ("The best places to visit in Boston are", 8, " the Boston Museum of Science, the Boston"),
    ],
)
def test_smollm2_completes_as_in_the_printed_lesson(prompt: str, count: int, expected: str) -> None:
    folder = real_model(SMOLLM2)
    transformers = pytest.importorskip("transformers")
    from grading_utils.lessons.prompting import Prompted

    asked = Prompted(
        transformers.AutoModelForCausalLM.from_pretrained(folder),
        transformers.AutoTokenizer.from_pretrained(folder),
    )
    assert asked.complete(prompt, count) == expected
