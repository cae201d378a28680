"""What the pages of `03-tokenization` say about outputs, whatever the tokenizer learned, and what makes it true."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from .notebooks import Page, Sentences, section_table_agrees

LOW = {("_", "l", "o", "w"): 2, ("_", "o", "w", "l"): 1}
OW_LOW = [("o", "w"), ("l", "ow")]


def survives(text: str) -> bool:
    """Does a text come back from the worked example's dishonest tokenizer?"""
    return " ".join(text.split(" ")).split() == text.split(" ")


def saved(page: Page) -> list[int]:
    """By how many symbols each of forty merges shortens the five lines."""
    merges, sizes = page["train_bpe"](page["snow_words"], 40), []
    for k in range(41):
        sizes.append(sum(len(page["bpe_encode"](line, merges[:k])) for line in page["SNOW"]))
    return [before - after for before, after in pairwise(sizes)]


def costs(page: Page) -> list[int]:
    """Tokens of one sentence in English, German, Turkish and Greek."""
    counted = re.compile(r"^[A-Z][a-z]+ +\d+ letters and signs, +(\d+) tokens: ", re.MULTILINE)
    return [int(count) for count in counted.findall(page.shown("tokens-per-word-prediction"))]


def trained(page: Page, words: dict[Any, int], merges: int) -> Any:
    return page["train_bpe"](words, merges)


SENTENCES: Sentences = {
    ("title", "| section | you write | minutes | points |"): section_table_agrees,
    ("token-strings-task", "A space is drawn as ␣. Look where the spaces are: they belong to the word *after* them."): (
        lambda page: "␣neighbor" in page.shown("token-strings-demo").replace(" ", "")
    ),
    ("token-strings-task", "for one text alone it is all ones"): lambda page: (
        "mask: [1, 1, 1, 1, 1, 1]" in page.shown("token-strings-demo")
    ),
    ("token-strings-task", "The last line shows the masks of a batch of two texts"): lambda page: (
        "masks of a batch: [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]" in page.shown("token-strings-demo")
    ),
    ("spaces-example", "while `bread` at the start of a text is another one or falls apart"): lambda page: (
        [len(page["tokenizer"].tokenize(text)) for text in (" bread", "bread")] == [1, 2]
    ),
    ("trailing-space-answer", "that space has become a token of its own"): lambda page: (
        "␣drink ␣is ␣ tokens" in " ".join(re.sub(r"\d+", " ", page.shown("spaces-demo")).split())
        and page["tokenizer"].tokenize("My favorite drink is ")[-1] == page["tokenizer"].tokenize(" ")[0]
    ),
    ("spaces-example", "With 1, 3, 5 and 7 spaces between the two words"): lambda page: all(
        f"{count} space" in page.shown("spaces-demo") for count in (1, 3, 5, 7)
    ),
    ("round-trip-task", "`a␣b` survives this trip, `a␣␣b` and `␣a␣b` do not"): lambda _page: (
        [survives(text) for text in ("a b", "a  b", " a b")] == [True, False, False]
    ),
    ("round-trip-task", "*e* is one byte, *é* two, 🙂 four"): lambda page: (
        "bytes of é and 🙂: [195, 169] [240, 159, 153, 130]" in page.shown("round-trip")
    ),
    ("round-trip-task", "A tokenizer whose smallest pieces are bytes can write every text."): lambda page: (
        "0 of 309 texts did not survive" in page.shown("round-trip")
    ),
    ("round-trip-task", "survive the round trip?"): lambda page: (
        "['tea', '1 2 3'] survive, ['Tea', '3 TEAS'] do not." in page.shown("round-trip-prediction")
    ),
    ("tokens-per-word-task", "What is the least that is possible?"): lambda page: (
        "The least is 1" in page.shown("tokens-per-word-prediction")
    ),
    ("unequal-cost-answer", "English words are mostly one token, while words of a rare language fall into many"): (
        lambda page: costs(page)[0] < 15 and min(costs(page)[1:]) > 30 and len(costs(page)) == 4
    ),
    ("count-pairs-task", "The next cell prints a text about snow."): lambda page: all(
        line in page.shown("count-pairs-demo") for line in page["SNOW"]
    ),
    ("count-pairs-task", "The pair `('o', 'w')` stands in both words: 2 + 1 = **3** times."): lambda page: (
        dict(page["count_pairs"](LOW)) == {("o", "w"): 3, ("_", "l"): 2, ("l", "o"): 2, ("_", "o"): 1, ("w", "l"): 1}
    ),
    ("count-pairs-task", "Which pair of letters will be the most frequent in it?"): lambda page: (
        "('o', 'w'), 15 times." in page.shown("count-pairs-prediction")
    ),
    ("merge-pair-task", "| `('_', 'w', 'o')` | `('_', 'w', 'o')`, nothing to do: the order counts |"): lambda page: (
        [page["merge_pair"](tuple(word), ("o", "w")) for word in ("_low", "owow", "_wo")]
        == [("_", "l", "ow"), ("ow", "ow"), ("_", "w", "o")]
    ),
    ("merge-pair-task", "What becomes of `('a', 'a', 'a')`"): lambda page: (
        page["merge_pair"](("a", "a", "a"), ("a", "a")) == ("aa", "a")
        and "('aa', 'a'): the second a is used up" in page.shown("merge-pair-prediction")
    ),
    ("train-bpe-task", "| 2 | `('_', 'l')` or `('l', 'ow')`, 2 times each |"): lambda page: (
        trained(page, LOW, 1) == [("o", "w")]
        and page["count_pairs"]({("_", "l", "ow"): 2, ("_", "ow", "l"): 1})["_", "l"]
        == page["count_pairs"]({("_", "l", "ow"): 2, ("_", "ow", "l"): 1})["l", "ow"]
        == 2
    ),
    ("train-bpe-task", 'How many merges until the frequent word *"_the"* is one symbol?'): lambda page: (
        "_the is one symbol after 4 merges." in page.shown("train-bpe-demo")
        and "every word is one symbol: after 56 merges" in page.shown("train-bpe-demo")
    ),
    (
        "encode-decode-task",
        "so the result is the list `['_', 'low', '_', 'ow', 'l']`, and decoding gives `'low owl'` again",
    ): (
        lambda page: (
            page["bpe_encode"]("low owl", OW_LOW) == ["_", "low", "_", "ow", "l"]
            and page["bpe_decode"](["_", "low", "_", "ow", "l"]) == "low owl"
        )
    ),
    ("encode-decode-task", "With the merges in the other order"): lambda page: (
        page["bpe_encode"]("low", OW_LOW[::-1]) == ["_", "l", "ow"]
        and "['_', 'l', 'ow']" in page.shown("encode-decode-demo")
    ),
    ("new-letters-answer", "but é (and c) never occurred in the training text"): lambda page: (
        not {"é", "c"} & set("".join(page["SNOW"])) and "a" in "".join(page["SNOW"])
    ),
    ("next-notebook", "the numbers only ever fall or stay"): lambda page: (
        saved(page) == sorted(saved(page), reverse=True)
    ),
    (
        "next-notebook",
        "It agrees with a library that trains the tokenizers of large models, merge for merge.",
    ): lambda page: (
        "40 of 40 merges are the same" in page.shown("train-bpe-demo")
        and "same as the library: True" in page.shown("encode-decode-demo")
    ),
}
