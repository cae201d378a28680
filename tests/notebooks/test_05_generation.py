"""`05-generation` runs from top to bottom, its pages say what the screen shows, its rules agree with the library's."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from grading_utils.course.cells import is_demonstration

from .notebooks import ROOT, Page, assert_true_on_the_page, is_answer, is_check, metadata, read, real_model, tied
from .sentences_05 import SENTENCES

PATH = ROOT / "source" / "05-generation" / "05-generation.ipynb"
SMOLLM2 = "HuggingFaceTB/SmolLM2-360M"
REVEALED = re.findall(r"```python\n(.*?)```", read(PATH).cells[-1].source, re.DOTALL)[-1]
PROBES = {
    "stretch": REVEALED
    + """
_poet = tokenizer("Shakespeare was a")["input_ids"]
_both = [generate_ids(_poet, _ask, most_likely, 60, END, CONTEXT) for _ask in (endless_logits, calmer_logits)]
print([repeated(_ids[len(_poet):]) for _ids in _both])
""",
}


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


@tied(SENTENCES)
def test_what_the_page_says_is_so(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    assert_true_on_the_page(page, cell, words, holds)


def test_the_instructors_version_runs_without_an_error(executed: dict[str, Any]) -> None:
    assert {name: cell["error"] for name, cell in executed.items() if cell["error"]} == {}


def test_no_cell_writes_a_warning(executed: dict[str, Any]) -> None:
    warned = [name for name, cell in executed.items() if any(o.get("name") == "stderr" for o in cell.outputs)]
    assert warned == []


def test_pictures_and_sliders_are_shown(executed: dict[str, Any]) -> None:
    for name in ("temperature-demo", "filters-demo", "beam-search-demo"):
        assert any("<img" in output.get("data", {}).get("text/html", "") for output in executed[name].outputs), name
    widgets = "application/vnd.jupyter.widget-view+json"
    assert any(widgets in output.get("data", {}) for output in executed["filters-demo"].outputs)


def test_all_ways_to_decode_are_demonstrated_on_one_prompt(executed: dict[str, Any]) -> None:
    lines = printed(executed["generate-text-demo"]).splitlines()
    for way in ("greedy", "three beams", "sampling", "top-p 0.9", "temperature 0.2", "temperature 14, of all"):
        assert any(line.startswith(f"{way}:") for line in lines), way


def shown(cell: Any) -> str:
    """Everything that a cell prints or shows as text."""
    return "".join(output.get("text", "") + output.get("data", {}).get("text/html", "") for output in cell.outputs)


def lines_by_title(cell: Any) -> dict[str, str]:
    """What a cell prints as `title: text`."""
    return dict(re.findall(r"^([^:\n]+): +(.+)$", printed(cell), re.MULTILINE))


def test_greedy_text_goes_round_in_circles_and_drawn_text_does_not(executed: dict[str, Any]) -> None:
    said = printed(executed["generate-loop-truth"])
    favorite = re.search(r"always the favorite: (\d+)% of all runs", said)
    draws = re.search(r"always a draw: (\d+)% to (\d+)% of them, in five texts", said)
    assert favorite is not None
    assert draws is not None
    assert int(favorite[1]) > 40
    assert int(draws[1]) <= int(draws[2]) < int(favorite[1]) / 2
    assert "It goes round in circles" in shown(executed["generate-loop-truth"])
    endless = lines_by_title(executed["generate-loop"])["endless"]
    assert endless.count("He wrote plays and poems.") > 3


def test_a_conversation_comes_to_its_end_by_itself(executed: dict[str, Any]) -> None:
    assert lines_by_title(executed["generate-loop"])["greedy"].endswith("<|endoftext|>'")


def test_at_a_low_temperature_the_favorite_has_most_of_the_probability(executed: dict[str, Any]) -> None:
    assert "At temperature 0.2: it has 53.1% at 0.2" in shown(executed["temperature-truth"])


def test_top_p_keeps_more_where_the_model_has_no_idea(executed: dict[str, Any]) -> None:
    kept = dict(re.findall(r"your (\S+ \S+) keeps (\d+ and \d+)", printed(executed["filters-truth"])))
    assert kept == {"top-p 0.9": "1 and 114", "top-k 10": "10 and 10"}
    assert "114 tokens after" in shown(executed["filters-truth"])


def test_three_beams_find_likelier_texts_than_greedy(executed: dict[str, Any]) -> None:
    times = re.findall(r"is ([\d.]+) times as likely", printed(executed["beam-search-truth"]))
    assert len(times) == 3
    assert all(float(factor) > 2 for factor in times)
    wide = re.findall(r"^3 beam\(s\): .*", printed(executed["beam-search"]), re.MULTILINE)
    assert "laws of motion by Newton" in wide[0]


def test_ways_to_decode_give_different_texts(executed: dict[str, Any]) -> None:
    texts = lines_by_title(executed["generate-text-demo"])
    greedy, beams, no_repeats = (texts[way] for way in ("greedy", "three beams", "greedy, no three tokens twice"))
    penalty = texts["greedy, repetition penalty"]
    assert len({greedy, beams, no_repeats, penalty, texts["sampling"], texts["top-p 0.9"]}) == 6
    assert greedy.count(" the old harbor") == 2
    assert no_repeats.count(" the old harbor") == penalty.count(" the old harbor") == 1


def test_at_temperature_14_the_best_fifty_give_words_and_all_tokens_give_fragments(executed: dict[str, Any]) -> None:
    texts = lines_by_title(executed["generate-text-demo"])
    prompt = len("'When you visit Boston, make sure you visit the")
    fifty, everything = (texts[f"temperature 14, of {which}"][prompt:] for which in ("the best 50", "all"))
    assert fifty.startswith(" central gallery You")
    assert len(fifty.split()) > len(everything.split())


def test_ten_samples_of_one_prompt_differ_and_one_is_fed_back(executed: dict[str, Any]) -> None:
    text = printed(executed["generate-text-truth"])
    samples = re.findall(r"^    ?[' \"](.+)$", text.split("A sample,")[0], re.MULTILINE)
    assert len(samples) == 10
    assert len(set(samples)) >= 8
    half, longer = re.findall(r"'(When you visit .+)'$", text, re.MULTILINE)
    assert longer.startswith(half)
    assert len(longer) > len(half)


def test_the_stretch_task_leads_out_of_the_circle(notebook: Any, executed: dict[str, Any]) -> None:
    assert not executed["stretch"]["error"]
    circle, calm = ast.literal_eval(printed(executed["stretch"]).splitlines()[-1])
    assert circle > 0.4
    assert calm < 0.1


def test_no_section_uses_what_an_earlier_answer_computed(notebook: Any) -> None:
    bound_by_answers: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        local = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        local |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        leaning = ({node.id for node in names} - local - defined) & bound_by_answers.keys()
        if is_answer(cell):
            assert not leaning, f"{cell.id} needs {leaning}"
            at_top = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
            bound_by_answers |= dict.fromkeys(defined | {t.id for t in at_top if isinstance(t, ast.Name)}, cell.id)
        elif metadata(cell) and not is_check(cell) and not is_demonstration(cell):
            assert not leaning, f"the locked cell {cell.id} uses {leaning}"


def test_it_is_worth_25_points_of_which_19_are_automatic(notebook: Any) -> None:
    automatic = sum(metadata(cell)["points"] for cell in filter(is_check, notebook.cells))
    everything = sum(metadata(cell).get("points", 0) for cell in notebook.cells)
    assert (automatic, everything) == (19, 25)


def test_the_pictures_module_refuses_a_temperature_of_zero() -> None:
    torch = pytest.importorskip("torch")
    from grading_utils.lessons.decoding_pictures import Setting, reshaped

    with pytest.raises(ValueError, match="temperature"):
        reshaped(torch.tensor([1.0, 2.0]), Setting(temperature=0.0))


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ((1.0, 0, 1.0), [0.4, 0.3, 0.2, 0.1]),
        ((0.5, 0, 1.0), [0.16 / 0.3, 0.09 / 0.3, 0.04 / 0.3, 0.01 / 0.3]),
        ((1.0, 2, 1.0), [4 / 7, 3 / 7, 0, 0]),
        ((1.0, 0, 0.75), [4 / 9, 3 / 9, 2 / 9, 0]),
        ((0.5, 3, 0.75), [16 / 25, 9 / 25, 0, 0]),
    ],
)
def test_the_pictures_show_what_generate_would_draw_from(
    setting: tuple[float, int, float], expected: list[float]
) -> None:
    torch = pytest.importorskip("torch")
    from grading_utils.lessons.decoding_pictures import Setting, reshaped

    found = reshaped(torch.tensor([0.4, 0.3, 0.2, 0.1]).log(), Setting(*setting))
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


def test_the_pictures_module_holds_no_solution(notebook: Any) -> None:
    from grading_utils.lessons import decoding_pictures

    module = {"".join(line.split()) for line in inspect.getsource(decoding_pictures).splitlines()}
    for cell in filter(is_answer, notebook.cells):
        for region in cell.source.split("### BEGIN SOLUTION")[1:]:
            for line in region.split("### SCAFFOLD")[0].splitlines():
                squeezed = "".join(line.split())
                assert len(squeezed) < 12 or squeezed not in module, line


def test_smollm2_continues_shakespeare_as_in_the_printed_lesson() -> None:
    folder = real_model(SMOLLM2)
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer("Shakespeare was a", return_tensors="pt")["input_ids"]
    assert ids.tolist() == [[4370, 10735, 436, 253]]
    with torch.no_grad():
        assert int(model(ids).logits[0, -1].argmax()) == 1109
    made = model.generate(ids, max_new_tokens=16, do_sample=False, pad_token_id=tokenizer.eos_token_id)
    assert tokenizer.decode(made[0]).startswith("Shakespeare was a great writer, but he was also a great actor.")
