"""`01-follower-tables` runs from top to bottom, and its graph and its game show what they should."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path as Outline

from grading_utils.lessons.follower_graph import describe_follower_graph, draw_follower_graph, follower_graph
from grading_utils.lessons.lyrics import lyrics_text, token_label
from grading_utils.lessons.share_bars import draw_share_bars
from grading_utils.lessons.showing import figure_html, follower_table_html, table_html, when_ready
from grading_utils.lessons.word_picker import BlindfoldedGame, WordPicker

from .notebooks import ROOT, Page, assert_all_resolved, assert_true_on_the_page, is_check, metadata, tied
from .sentences_01 import SENTENCES

PATH = ROOT / "source" / "01-follower-tables" / "01-follower-tables.ipynb"
PROBES = {
    "modules": "import sys; print(sorted({'torch', 'transformers'} & set(sys.modules)))",
}
TABLE = {"\n": ["Rain", "Rain"], "Rain": ["on", "on"], "on": ["the", "my", "the"], "the": ["\n"]}
CONTEXTS = {("a", "b"): ["c", "c", "d"], ("b", "c"): ["a"]}


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


def test_the_graph_is_shown_with_a_text_alternative(executed: dict[str, Any]) -> None:
    alternative = '<img alt="Directed graph: ↵ is followed by Rain 3 times, Wind 1 times;'
    assert alternative in text_of(executed["follower-graph-demo"])


def test_the_game_is_a_widget_with_a_table_for_where_widgets_do_not_run(executed: dict[str, Any]) -> None:
    cell = executed["you-are-the-model"]
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    assert "application/vnd.jupyter.widget-view+json" in kinds
    assert "<table>" in text_of(cell)


def test_the_model_of_the_song_can_write_a_line_that_the_song_does_not_have(executed: dict[str, Any]) -> None:
    lines = set(re.findall(r"seed \d: (.*)", text_of(executed["generate-line-picture"])))
    assert lines & {"Rain on my roof tonight", "Wind on the roof tonight", "Wind on the river again"}


def test_what_is_said_about_predictions_is_true(executed: dict[str, Any]) -> None:
    assert_all_resolved(executed)
    assert "10 different tokens, and the first one is &#x27;\\n&#x27;" in text_of(executed["vocabulary-prediction"])
    assert "list of the line break has 4 entries" in text_of(executed["follower-graph-demo"])
    assert "the → roof: 0.67." in text_of(executed["follower-probabilities-picture"])
    assert "Rain → on: 1.00" in text_of(executed["follower-probabilities-picture"])
    assert text_of(executed["generate-line-picture"]).count("(not in the song)") == 1


def test_what_stands_in_the_jar_three_times_comes_about_three_times_as_often(executed: dict[str, Any]) -> None:
    red, blue, green = map(int, re.findall(r"'\w+': (\d+)", text_of(executed["next-word-demo"])))
    assert 2.5 < red / blue < 3.5
    assert 2.5 < red / green < 3.5


def test_it_is_worth_25_points_of_which_21_are_automatic(notebook: Any) -> None:
    automatic = sum(metadata(cell)["points"] for cell in filter(is_check, notebook.cells))
    everything = sum(metadata(cell).get("points", 0) for cell in notebook.cells)
    assert (automatic, everything) == (21, 25)


def test_the_graph_has_one_edge_per_different_follower_with_its_count() -> None:
    graph = follower_graph(TABLE)
    assert graph.edges["on", "the"] == {"count": 2, "total": 3}
    assert graph.edges["on", "my"] == {"count": 1, "total": 3}
    assert graph.number_of_edges() == 5
    assert nx.is_directed(graph)


def test_in_the_graph_of_contexts_an_edge_leads_to_the_next_context() -> None:
    graph = follower_graph(CONTEXTS)
    assert set(graph.successors(("a", "b"))) == {("b", "c"), ("b", "d")}
    assert graph.edges[("a", "b"), ("b", "c")]["count"] == 2


def test_a_drawn_graph_shows_words_and_says_how_often_a_choice_was_taken() -> None:
    texts = {text.get_text() for text in draw_follower_graph(TABLE, start="\n").axes[0].texts}
    assert {"↵", "Rain", "on", "the", "my", "2 of 3", "1 of 3"} == texts


def test_a_count_stands_on_its_own_arrow_and_on_nothing_else() -> None:
    fan = {"go": [*"abcdefgh", "a"], **{word: ["end"] for word in "abcdefgh"}}
    figure = draw_follower_graph(fan)
    figure.draw_without_rendering()
    arrows = [
        [
            Outline(line)
            for line in arrow.get_transform().transform_path(arrow.get_path()).to_polygons(closed_only=False)
        ]
        for arrow in figure.findobj(FancyArrowPatch)
    ]
    extents = [text.get_window_extent() for text in figure.axes[0].texts if " of 9" in text.get_text()]
    assert len(extents) == 8
    for extent in extents:
        assert sum(any(line.intersects_bbox(extent, filled=False) for line in arrow) for arrow in arrows) == 1
        assert sum(extent.overlaps(other) for other in extents) == 1


@pytest.mark.parametrize("table", [{"x": ["x", "y"], "y": ["x"]}, {("a",): ["a"]}, {i: [i + 1] for i in range(200)}])
def test_any_table_can_be_drawn(table: dict[Any, list[Any]]) -> None:
    assert '<img alt="alt"' in figure_html(draw_follower_graph(table), "alt")


def test_a_large_graph_is_cut_to_what_is_near_the_start() -> None:
    star = {"hub": [f"spoke {number}" for number in range(300)]}
    texts = [text.get_text() for text in draw_follower_graph(star, max_nodes=10).axes[0].texts]
    assert sum("spoke" in text for text in texts) == 9


@pytest.mark.parametrize(("table", "start"), [({}, None), (TABLE, "snow")])
def test_what_cannot_be_drawn_is_refused(table: dict[Any, list[Any]], start: str | None) -> None:
    with pytest.raises(ValueError, match="table"):
        draw_follower_graph(table, start=start)


def test_the_alternative_text_names_counts() -> None:
    assert "on is followed by the 2 times, my 1 times" in describe_follower_graph(TABLE)


def test_the_game_offers_what_the_table_allows_most_frequent_first() -> None:
    game = WordPicker(TABLE, ["\n"])
    game.pick("Rain")
    game.pick("on")
    assert game.options() == ["the", "my"]
    game.pick("my")
    assert game.lyrics == ["\n", "Rain", "on", "my"]
    assert game.options() == []


def test_choosing_in_the_dropdown_appends_the_word_and_reset_starts_over() -> None:
    game = WordPicker(TABLE, ["\n"])
    dropdown = game.widget.children[1].children[0]
    dropdown.value = "Rain"
    dropdown.value = "on"
    assert game.lyrics == ["\n", "Rain", "on"]
    game.widget.children[1].children[1].click()
    assert game.lyrics == ["\n"]


def test_a_word_that_cannot_come_next_is_refused() -> None:
    with pytest.raises(ValueError, match="never followed"):
        WordPicker(TABLE, ["\n"]).pick("the")


@pytest.mark.parametrize(("table", "start"), [({}, ["a"]), (CONTEXTS, ["a"]), (TABLE, [])])
def test_a_game_without_a_first_context_is_refused(table: dict[Any, list[str]], start: list[str]) -> None:
    with pytest.raises(ValueError, match=r"table is empty|the start has"):
        WordPicker(table, start)


def test_the_hidden_game_shows_only_the_context_until_the_spoiler_is_opened() -> None:
    game = WordPicker(CONTEXTS, ["z", "a", "b"], hidden=True)
    game.pick("c")
    shown, _, spoiler = game.widget.children
    assert "b c" in shown.value
    assert "z" not in shown.value
    assert spoiler.selected_index is None
    assert "z a b c" in spoiler.children[0].value


def test_a_spoiler_that_was_opened_stays_open() -> None:
    game = WordPicker(CONTEXTS, ["z", "a", "b"], hidden=True)
    spoiler = game.widget.children[2]
    spoiler.selected_index = 0
    game.pick("c")
    assert game.widget.children[2] is spoiler
    assert spoiler.selected_index == 0


def test_the_blindfolded_game_follows_the_context_length() -> None:
    tokens = ["la", "di", "la", "di", "da"]

    def build(given: list[str], n: int) -> dict[tuple[str, ...], list[str]]:
        return {tuple(given[i : i + n]): [given[i + n]] for i in range(len(given) - n)}

    blindfolded = BlindfoldedGame(build, tokens)
    assert blindfolded.game.lyrics == ["la"]
    blindfolded.set_context_length(3)
    assert blindfolded.game.lyrics == ["la", "di", "la"]
    assert "la di la" in blindfolded.widget.children[1].children[0].value


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["\n", "Rain", "on", "\n", "Wind", "\n"], "Rain on\nWind"),
        (["a", "\n", "\n", "b"], "a\n\nb"),
        (["\n"], ""),
        ([], ""),
    ],
)
def test_lyrics_are_laid_out_in_lines(tokens: list[str], text: str) -> None:
    assert lyrics_text(tokens) == text


@pytest.mark.parametrize(("token", "label"), [("\n", "↵"), ("word", "word"), (("on", "\n"), "on ↵")])
def test_a_line_break_has_a_visible_sign(token: object, label: str) -> None:
    assert token_label(token) == label


def test_tables_keep_markup_of_students_as_text() -> None:
    assert "<script>" not in table_html(["<script>"], [["<script>"]])
    assert "<script>" not in follower_table_html({"<script>": ["<script>"]})


def test_bars_name_every_word_and_its_percentage() -> None:
    axes = draw_share_bars({"after on": {"the": 0.75, "\n": 0.25}}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["the", "↵"]
    assert [text.get_text() for text in axes.texts] == ["75%", "25%"]


def test_a_demonstration_of_unfinished_work_says_which_task_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    with when_ready("follower_table"):
        raise TypeError("'ellipsis' object is not iterable")
    assert "HTML" in capsys.readouterr().out


def test_lessons_import_no_model_library_and_nothing_from_graders() -> None:
    pictures = ("follower_graph", "share_bars", "line_plots")
    for name in (*pictures, "word_picker", "context_explorer", "showing", "lyrics", "tools"):
        tree = ast.parse(Path(ROOT, "grading_utils", "lessons", f"{name}.py").read_text(encoding="utf-8"))
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        ours = {module for module in modules if module and module.startswith("grading_utils")}
        assert all(module.startswith("grading_utils.lessons") for module in ours), name
        assert not modules & {"torch", "transformers"}, name
