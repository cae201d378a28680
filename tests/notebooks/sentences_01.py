"""What the pages of `01-follower-tables` say about outputs, and what makes it true."""

from __future__ import annotations

import random
import re
from itertools import pairwise

from grading_utils.lessons.follower_graph import follower_graph

from .notebooks import Page, Sentences


def steps_of(page: Page, line: str) -> list[bool]:
    """For each step of a line of the song, and for its end: does the follower table have it?"""
    table, words = page["follower_table"](page["SONG_TOKENS"]), [*line.split(), "\n"]
    return [follower in table[word] for word, follower in pairwise(words)]


def can_be_written_and_is_new(page: Page, line: str) -> bool:
    return all(steps_of(page, line)) and line not in page["SONG"]


SENTENCES: Sentences = {
    ("vocabulary-example", "`split()` cuts at *any* white space and throws it all away"): lambda page: (
        "split():    ['hello', 'moon', 'hello', 'stars']" in page.shown("vocabulary-demo")
    ),
    ("vocabulary-example", "The line breaks are surrounded by spaces, so they become tokens too"): lambda page: (
        "'moon', '\\n', 'hello'" in page.shown("vocabulary-demo")
    ),
    ("vocabulary-task", "The song has 25 tokens."): lambda page: len(page["SONG_TOKENS"]) == 25,
    ("vocabulary-task", '`vocabulary(["so", "la", "so", "mi", "la"])` → `["so", "la", "mi"]`'): lambda page: (
        page["vocabulary"](["so", "la", "so", "mi", "la"]) == ["so", "la", "mi"] and page["vocabulary"]([]) == []
    ),
    ("follower-table-example", "| `boom` | 4 | nothing: the text is over |"): lambda page: (
        page["follower_table"](["tick", "tock", "tick", "tick", "boom"])
        == {"tick": ["tock", "tick", "boom"], "tock": ["tick"]}
    ),
    ("follower-table-task", "although there are five line breaks"): lambda page: page["SONG_TOKENS"].count("\n") == 5,
    ("follower-table-task", '`follower_table(["a", "b", "a", "c"])` → `{"a": ["b", "c"], "b": ["a"]}`'): lambda page: (
        page["follower_table"](["a", "b", "a", "c"]) == {"a": ["b", "c"], "b": ["a"]}
    ),
    ("follower-table-task", "A text of 25 tokens has 24 such pairs"): lambda page: (
        sum(map(len, page["follower_table"](page["SONG_TOKENS"]).values())) == 24
    ),
    ("follower-graph-example", "every walk is a song that your model can write"): lambda page: (
        set(follower_graph(page["follower_table"](page["SONG_TOKENS"])).edges) == set(pairwise(page["SONG_TOKENS"]))
    ),
    ("follower-probabilities-example", "Together that is 0.6 + 0.2 + 0.2 = 1"): lambda page: (
        page["follower_probabilities"](["red", "red", "blue", "red", "green"])
        == {"red": 0.6, "blue": 0.2, "green": 0.2}
    ),
    ("follower-probabilities-task", '→ `{"roof": 0.75, "river": 0.25}`; an empty list gives an'): lambda page: (
        page["follower_probabilities"](["roof", "river", "roof", "roof"]) == {"roof": 0.75, "river": 0.25}
        and page["follower_probabilities"]([]) == {}
    ),
    ("you-are-the-model-example", "at least three lines, one of which the song does not have"): lambda page: (
        can_be_written_and_is_new(page, "Rain on my roof tonight")
    ),
    ("next-word-example", "two generators with the same seed draw the same"): lambda page: (
        len(set(re.findall(r"seed 3: (.*)", page.shown("next-word-demo")))) == 1
        and len(re.findall(r"seed \d: (.*)", page.shown("next-word-demo"))) == 3
    ),
    ("next-word-task", "how often about will it be `my`?"): lambda page: all(
        12 < int(times) < 40 for times in re.findall(r"\b\d\d\b(?=,| times)", page.shown("next-word-prediction"))[1:]
    ),
    ("next-word-task", "`snow`, a word that the song does not have"): lambda page: "snow" not in page["SONG"],
    ("generate-line-example", "check *before every step* whether to stop"): lambda page: (
        "[4, 3, 2, 1, 0]" in page.shown("generate-line-demo")
    ),
    ("generate-line-task", "a start word that was never seen gives the list `[start]`"): lambda page: (
        page["generate_line"]({}, "snow", random.Random(1)) == ["snow"]
    ),
    ("new-lines-question", "never writes `Rain on my river tonight`, although every word"): lambda page: (
        steps_of(page, "Rain on my river tonight") == [True, True, False, False, True]
        and {"Rain", "on", "my", "river", "tonight"} <= set(page["SONG_TOKENS"])
    ),
    ("new-lines-answer", "`my` was only ever followed by `roof`"): lambda page: (
        set(page["follower_table"](page["SONG_TOKENS"])["my"]) == {"roof"}
    ),
    ("new-lines-answer", "(Rain on my roof tonight, Wind on the roof tonight, Wind on the river again)"): lambda page: (
        all(
            can_be_written_and_is_new(page, line)
            for line in ("Rain on my roof tonight", "Wind on the roof tonight", "Wind on the river again")
        )
    ),
    ("unseen-word-question", "your model gives up after that word"): lambda page: (
        page["generate_line"](page["follower_table"](page["SONG_TOKENS"]), "snow", random.Random(1)) == ["snow"]
    ),
    ("next-notebook", "can write three different lines that start with `Rain`"): lambda page: (
        len(re.findall(r"Rain on \w+ \w+ \w+", page.shown("generate-line-picture").partition("What is true")[2])) == 3
    ),
    ("next-notebook", "They are 0.5, 0.25 and 0.25."): lambda page: (
        re.findall(r"[\d.]+$", page.revealed("next-notebook"), re.MULTILINE) == ["0.5", "0.25", "0.25"]
    ),
}
