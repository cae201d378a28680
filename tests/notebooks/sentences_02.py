"""What the pages of `02-context-and-temperature` say about outputs, and what makes it true."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from .notebooks import Page, Sentences


def grams(page: Page, text: str, n: int) -> list[str]:
    return [" ".join(gram) for gram in page["get_ngrams"](text.split(), n)]


def rows(page: Page, text: str, length: int) -> dict[str, list[str]]:
    return {" ".join(key): list(row) for key, row in page["ngram_model"](text.split(), length).items()}


def choices(page: Page, length: int) -> list[int]:
    """How many different followers each context of the verse has."""
    return [len(set(row)) for row in page["ngram_model"](page["VERSE_TOKENS"], length).values()]


def copied(page: Page, length: int, n: int) -> float:
    """The copied share of the n-grams of fifteen verses, as in the picture."""
    model, start = page["ngram_model"](page["VERSE_TOKENS"], length), tuple(page["VERSE_TOKENS"][:length])
    verses = [page["generate_verse"](model, start, random.Random(seed), max_tokens=170) for seed in range(15)]
    found = [tuple(gram) for verse in verses for gram in page["get_ngrams"](verse, n)]
    share: float = page["copied_share"](found, [tuple(gram) for gram in page["get_ngrams"](page["VERSE_TOKENS"], n)])
    return share


def verses(page: Page, length: int) -> list[str]:
    """Ten verses, each up to the blank line."""
    model, start = page["ngram_model"](page["VERSE_TOKENS"], length), tuple(page["VERSE_TOKENS"][:length])
    texts = [" ".join(page["generate_verse"](model, start, random.Random(seed))) for seed in range(10)]
    return [text.partition("\n\n")[0] for text in texts]


def new_lines(page: Page, length: int) -> list[str]:
    lines = [line.strip() for verse in verses(page, length) for line in verse.split("\n")]
    return [line for line in lines if line not in page["VERSE"]]


def tale_followers(page: Page) -> Counter[str]:
    """What follows `the` in the tale of the picture."""
    tale = re.search(r'TALE = """(.*?)"""', page.sources["sample-word-picture"], re.DOTALL)
    assert tale is not None
    words = tale[1].split()
    return Counter(after for before, after in pairwise(words) if before == "the")


def entropy(page: Page, probabilities: list[float]) -> float:
    names: dict[str, Any] = {"math": math}
    exec(page.sources["softmax-picture"].split("\n\n\nwith ")[0], names)
    bits: float = names["entropy"](probabilities)
    return bits


def intervals(page: Page) -> list[tuple[float, ...]]:
    """Perplexity, low and high end of the interval, for context lengths 1, 2 and 3."""
    found = re.findall(r"length \d: ([\d.]+) on .* chance ([\d.]+) to ([\d.]+)", page.shown("perplexity-picture"))
    return [tuple(map(float, row)) for row in found]


SENTENCES: Sentences = {
    ("title", "you watch it go from nonsense to copying"): lambda page: (
        copied(page, 1, 8) < 0.2 and copied(page, 8, 8) == 1
    ),
    ("get-ngrams-example", "punctuation sticks to its word"): lambda page: (
        {"up,", "home?"} <= set(page["VERSE_TOKENS"])
    ),
    ("get-ngrams-example", '`"\\n\\n"`, which separates the verses'): lambda page: (
        page["VERSE_TOKENS"].count("\n\n") == page["VERSE"].count("\n\n") == 1
    ),
    ("get-ngrams-example", "| 3 | `not to be` |"): lambda page: (
        grams(page, "to be or not to be", 3) == ["to be or", "be or not", "or not to", "not to be"]
    ),
    ("get-ngrams-example", "A window of seven does not fit anywhere."): lambda page: (
        grams(page, "to be or not to be", 7) == []
    ),
    ("ngram-model-example", '| `("di", "la")` | `["di"]` |'): lambda page: (
        rows(page, "la di la di da", 2) == {"la di": ["la", "da"], "di la": ["di"]}
    ),
    ("ngram-model-task", "The longer the context, the more seldom it comes back."): lambda page: (
        re.findall(r"\d+\.\d\d", page.shown("ngram-model-prediction"))
        == sorted(re.findall(r"\d+\.\d\d", page.shown("ngram-model-prediction")), reverse=True)
    ),
    ("generate-verse-task", "can only stop at one word"): lambda page: (
        "It stops at da," in page.shown("explore-context")
    ),
    ("explore-context-example", "A verse starts with the first tokens of the text."): lambda page: all(
        verse.startswith("Oh, how many") for verse in verses(page, 3)
    ),
    ("explore-context-example", "the number of contexts that leave a choice"): lambda page: (
        "120 contexts, 9 of them with more than one possible follower" in page.shown("explore-context")
        and sum(count > 1 for count in choices(page, 2)) == 9
    ),
    ("explore-context-example", "verses that are silly and still grammatical"): lambda page: (
        len(new_lines(page, 2)) > 5 and copied(page, 2, 3) == 1 and new_lines(page, 8) == []
    ),
    ("copied-share-task", "so the copied share is 3/4 = 0.75"): lambda page: (
        page["copied_share"]([("b", "c"), ("c", "b"), ("b", "c"), ("a", "b")], [("a", "b"), ("b", "c"), ("c", "d")])
        == 0.75
    ),
    ("copied-share-picture", "where no row leaves a choice any more"): lambda page: (
        "from context length 6 on" in page.shown("copied-share-picture")
        and max(choices(page, 6)) == 1 < max(choices(page, 5))
    ),
    ("copying-question", "The curve for 3-grams is at 1 from context length 2 on."): lambda page: (
        copied(page, 1, 3) < 1 and all(copied(page, length, 3) == 1 for length in range(2, 9))
    ),
    ("copying-answer", "With length 8 there is exactly one follower for every context"): lambda page: (
        max(choices(page, 8)) == 1
    ),
    ("hidden-lyrics-example", "Start with 1, where you have a choice most often."): lambda page: (
        max(range(1, 9), key=lambda n: sum(count > 1 for count in choices(page, n)) / len(choices(page, n))) == 1
    ),
    ("softmax-example", "so the probabilities are 1/4, 1/4 and 1/2"): lambda page: (
        page["softmax"]([0, 0, math.log(2)]) == pytest.approx([0.25, 0.25, 0.5])
    ),
    ("softmax-example", "the softmax gives the same probabilities back"): lambda page: (
        page["softmax"](list(map(math.log, (0.2, 0.3, 0.5)))) == pytest.approx([0.2, 0.3, 0.5])
    ),
    ("softmax-example", "the largest score takes it all. A large T shrinks them"): lambda page: (
        page["softmax"]([1, 2], 0.01)[1] > 0.999 and page["softmax"]([1, 2], 1000)[1] == pytest.approx(0.5, abs=0.001)
    ),
    ("softmax-example", "e to the power of 1000 is too large for a computer"): lambda page: (
        "e to the power of 1000: OverflowError" in page.shown("softmax-demo")
        and "e to the power of -1000: 0.0" in page.shown("softmax-demo")
    ),
    (
        "softmax-example",
        "0 if the outcome is certain, 1 for a fair coin, 2 for four equally likely words",
    ): lambda page: [entropy(page, [1.0]), entropy(page, [0.5] * 2), entropy(page, [0.25] * 4)] == [0, 1, 2],
    ("softmax-task", "What will be the largest one, about? And with T = 100?"): lambda page: (
        "T = 0.1: 0.95, nearly all." in page.shown("softmax-picture")
        and "T = 100: 0.25, about 1/4" in page.shown("softmax-picture")
    ),
    ("sample-word-task", "`is` from 0 to 0.5, `can` from 0.5 to 0.875"): lambda page: (
        [page["AFTER_BEFORE_IT"]["is"], page["AFTER_BEFORE_IT"]["is"] + page["AFTER_BEFORE_IT"]["can"]] == [0.5, 0.875]
    ),
    (
        "sample-word-task",
        "by `cat` 7 times, by `mouse` and `dog` 4 times each, and by seven other words once or twice",
    ): (
        lambda page: (
            [count for _, count in tale_followers(page).most_common()][:3] == [7, 4, 4]
            and dict(tale_followers(page).most_common(3)).keys() == {"cat", "mouse", "dog"}
            and sorted(tale_followers(page).values())[:-3] in ([1] * k + [2] * (7 - k) for k in range(1, 7))
        )
    ),
    ("sample-word-task", "go on with a random known word"): lambda page: (
        len(page.shown("sample-word-picture").partition("known one: ")[2].split("\n")[0].split()) == 9
        and "your generate_verse stops: unicorn\n" in page.shown("sample-word-picture")
    ),
    ("perplexity-task", "as surprised as if it had to choose among 8 equally likely words"): lambda page: (
        page["perplexity"]([1 / 8] * 5) == pytest.approx(8)
    ),
    ("perplexity-task", "The probabilities 0.5 and 0.125 have the logarithms −0.693 and −2.079."): lambda page: (
        [f"{math.log(0.5):.3f}", f"{math.log(0.125):.3f}"] == ["-0.693", "-2.079"]
        and page["perplexity"]([0.5, 0.125]) == pytest.approx(4)
    ),
    ("held-out-question", "the shaded band and the printed intervals say how far"): lambda page: (
        len(intervals(page)) == 3 and all(low < found < high for found, low, high in intervals(page))
    ),
    ("held-out-answer", "Its interval overlaps with that of length 2"): lambda page: (
        intervals(page)[1][1] < intervals(page)[0][2]
    ),
    ("held-out-answer", "that 3 is worse than 1 is safe"): lambda page: intervals(page)[2][1] > intervals(page)[0][2],
    ("held-out-answer", "its probability is 1 at every temperature"): lambda page: (
        [page["softmax"]([0.0], T) for T in (0.1, 1, 10)] == [[1.0]] * 3
    ),
    ("next-notebook", "so the answer is what followed `can` alone"): lambda page: (
        page.revealed("next-notebook").strip() == str(page["ngram_model"](page["VERSE_TOKENS"], 1)[("can",)])
    ),
}
