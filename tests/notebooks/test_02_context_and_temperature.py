"""`02-context-and-temperature` runs from top to bottom, and its slider shows what it should."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from grading_utils.lessons.context_explorer import ContextExplorer
from grading_utils.lessons.line_plots import describe_lines, draw_lines
from grading_utils.lessons.tools import STANDARD_TOOLS

from .notebooks import ROOT, Page, assert_all_resolved, assert_true_on_the_page, is_check, metadata, tied
from .sentences_02 import SENTENCES

PATH = ROOT / "source" / "02-context-and-temperature" / "02-context-and-temperature.ipynb"
PROBES = {
    "modules": "import sys; print(sorted({'torch', 'transformers'} & set(sys.modules)))",
    "ends": "print(one_verse({('a',): ['b'], ('b',): ['\\n\\n'], ('\\n\\n',): ['a']}, ('a',), random.Random(1)))",
    "names": "print(set(HELD_OUT_TOKENS) <= set(VERSE_TOKENS), curves)",
}
SONG = ["how", "many", "stars", "\n", "how", "many", "moons", "\n", "how", "many", "stars", "are", "there"]


def build(tokens: list[str], length: int) -> dict[tuple[str, ...], list[str]]:
    table: dict[tuple[str, ...], list[str]] = {}
    for end in range(length, len(tokens)):
        table.setdefault(tuple(tokens[end - length : end]), []).append(tokens[end])
    return table


def generate(model: Any, start: tuple[str, ...], rng: random.Random) -> list[str]:
    text = list(start)
    while tuple(text[-len(start) :]) in model and len(text) < 12:
        text.append(rng.choice(model[tuple(text[-len(start) :])]))
    return text


def text_of(cell: Any) -> str:
    return "".join(output.get("text", "") + output.get("data", {}).get("text/html", "") for output in cell.outputs)


@tied(SENTENCES)
def test_what_the_page_says_is_so(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    assert_true_on_the_page(page, cell, words, holds)


def test_the_instructors_version_runs_without_an_error(executed: dict[str, Any]) -> None:
    errors = {name: cell["error"] for name, cell in executed.items() if cell.get("error")}
    assert errors == {}


def test_nothing_is_written_to_stderr_which_would_cost_points_under_stock_nbgrader(executed: dict[str, Any]) -> None:
    for name, cell in executed.items():
        assert all(output.get("name") != "stderr" for output in cell.outputs), name


def test_it_needs_no_model_library(executed: dict[str, Any]) -> None:
    assert text_of(executed["modules"]).strip() == "[]"


@pytest.mark.parametrize(
    ("cell", "pictures"), [("copied-share-picture", 1), ("softmax-picture", 3), ("perplexity-picture", 1)]
)
def test_pictures_are_shown_with_a_text_alternative(executed: dict[str, Any], cell: str, pictures: int) -> None:
    assert len(re.findall(r'<img alt="\w', text_of(executed[cell]))) == pictures


def test_three_temperatures_are_shown_side_by_side(executed: dict[str, Any]) -> None:
    for temperature in ("0.1", "0.5", "1.0"):
        assert f"temperature {temperature}" in text_of(executed["sample-word-picture"])


@pytest.mark.parametrize("cell", ["explore-context", "hidden-lyrics"])
def test_widgets_come_with_something_for_where_they_do_not_run(executed: dict[str, Any], cell: str) -> None:
    kinds = {kind for output in executed[cell].outputs for kind in output.get("data", {})}
    assert "application/vnd.jupyter.widget-view+json" in kinds
    assert "<table>" in text_of(executed[cell])


def test_held_out_text_uses_known_words_and_surprises_the_longer_the_context(executed: dict[str, Any]) -> None:
    known, curves = text_of(executed["names"]).split(" ", 1)
    assert known == "True"
    verse, new = (list(map(float, values.split(", "))) for values in re.findall(r"\[([^]]+)\]", curves))
    assert verse[0] > verse[-1]
    assert new[0] < new[2] < new[-1]
    assert all(a < b for a, b in zip(verse, new, strict=True))


def test_what_is_said_about_predictions_is_true(executed: dict[str, Any]) -> None:
    assert_all_resolved(executed)
    cells = re.findall(r"<td[^>]*>([\d.]+)</td>", text_of(executed["ngram-model-prediction"]))
    sizes, lists = [int(size) for size in cells[1::4]], [float(size) for size in cells[2::4]]
    assert len(cells) == 8 * 4
    assert lists == sorted(lists, reverse=True)
    assert lists[-1] == 1
    assert sizes.index(max(sizes)) in range(1, 7), "the rows become more, and then fewer"
    assert "It stops at da" in text_of(executed["explore-context"])
    assert "nearly all" in text_of(executed["softmax-picture"])
    assert "5 words with 1/100 each: 100" in text_of(executed["perplexity-picture"])
    assert "unicorn" in text_of(executed["sample-word-picture"])


def test_stories_at_a_low_temperature_have_fewer_different_words(executed: dict[str, Any]) -> None:
    said = re.findall(
        r"(\d+) different words of 21 \(in 20 stories (\d+) to (\d+)\)", text_of(executed["sample-word-picture"])
    )
    (cold, *_, coldest_most), (warm, warmest_least, _) = [list(map(int, row)) for row in said]
    assert cold + 3 <= warm
    assert coldest_most > warmest_least, "single stories overlap, which is why there are twenty"


def test_single_verses_copy_different_shares_and_more_with_a_longer_context(executed: dict[str, Any]) -> None:
    rows = re.findall(
        r"single verses copy (\d+)% to (\d+)% of their 5-grams", text_of(executed["copied-share-picture"])
    )
    lows, highs = zip(*[tuple(map(int, row)) for row in rows], strict=True)
    assert list(lows) == sorted(lows)
    assert all(low < high for low, high in zip(lows, highs, strict=True))


def test_the_perplexities_are_as_the_question_says(executed: dict[str, Any], notebook: Any) -> None:
    _, curves = text_of(executed["names"]).split(" ", 1)
    verse, new = (list(map(float, values.split(", "))) for values in re.findall(r"\[([^]]+)\]", curves))
    assert verse[-1] < 2
    assert abs(max(new) - 86) < 1
    assert "84 different words" in next(cell.source for cell in notebook.cells if cell.id == "held-out-question")
    assert "The 84 different ones" in text_of(executed["setup"])
    assert new[0] == min(new), "the model answer chooses length 1"


def test_a_generated_verse_ends_where_the_blank_line_is_drawn(executed: dict[str, Any]) -> None:
    assert "168 tokens" in text_of(executed["setup"])
    assert "\\n\\n" in text_of(executed["setup"])
    assert text_of(executed["ends"]).strip() == "['a', 'b']"


def test_it_is_worth_30_points_of_which_26_are_automatic(notebook: Any) -> None:
    automatic = sum(metadata(cell)["points"] for cell in filter(is_check, notebook.cells))
    everything = sum(metadata(cell).get("points", 0) for cell in notebook.cells)
    assert (automatic, everything) == (26, 30)


def test_moving_the_slider_changes_verse_graph_and_table() -> None:
    explorer = ContextExplorer(build, generate, SONG)
    before = explorer.widget.children[2].value
    explorer.set_context_length(1)
    after = explorer.widget.children[2].value
    assert "6 contexts, 2 of them with more than one possible follower" in after
    assert "<img" in after
    assert "<table>" in after
    assert before != after


def test_the_button_gives_the_verse_of_the_next_seed() -> None:
    explorer = ContextExplorer(build, generate, SONG, context_length=1)
    verses = set()
    for seed in range(1, 7):
        explorer.widget.children[0].children[1].click()
        assert explorer.seed == seed
        assert f"seed {seed}" in explorer.widget.children[1].value
        verses.add(explorer.widget.children[1].value.split("</b>")[1])
    assert len(verses) > 1


def test_the_slider_goes_from_1_to_8() -> None:
    slider = ContextExplorer(build, generate, SONG).widget.children[0].children[0]
    assert (slider.min, slider.max) == (1, 8)


def test_without_widgets_there_is_a_verse_for_every_context_length() -> None:
    page = ContextExplorer(build, generate, SONG).static_html()
    assert page.count("<tr>") >= 9
    assert "<img" in page


def test_curves_are_drawn_with_gaps_where_a_value_is_infinite() -> None:
    axes = draw_lines([1, 2, 3], {"a": [1.0, float("inf"), 3.0], "b": [0, 1, 2]}, xlabel="x", ylabel="y").axes[0]
    assert [str(height) for height in axes.lines[0].get_ydata()] == ["1.0", "nan", "3.0"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]


def test_a_curve_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 values for 3 positions"):
        draw_lines([1, 2, 3], {"a": [1, 2]}, xlabel="x", ylabel="y")


def test_the_alternative_text_of_curves_names_their_ends() -> None:
    assert "loss: 4 at 1, 0.5 at 3" in describe_lines([1, 2, 3], {"loss": [4, 2, 0.5]}, "epochs")


def test_students_may_use_the_standard_library_but_not_the_notebooks_data() -> None:
    assert {"Counter", "accumulate", "fmean", "pairwise", "math", "np"} <= STANDARD_TOOLS
    assert not {"VERSE_TOKENS", "SONG_TOKENS", "softmax", "model"} & STANDARD_TOOLS
