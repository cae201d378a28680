"""Tables, texts, probabilities and samples: right in any form is accepted, wrong is named by the likely slip."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from grading_utils import check_probabilities, check_samples, check_table, check_text

LOGITS = torch.tensor([[[2.0, -1.0, 0.5, 0.1], [0.3, 1.2, -0.7, 3.0], [1.0, 0.0, -2.0, 0.7]]])
P = LOGITS.softmax(-1)

# --- tables


def table(tokens: Any = (" go", " take", " be"), probabilities: Any = (0.06, 0.04, 0.03), **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"tokens": list(tokens), "probabilities": list(probabilities), **more})


RIGHT = table()
OBJECT_COLUMN = table()
OBJECT_COLUMN["probabilities"] = pd.Series([torch.tensor(v) for v in (0.06, 0.04, 0.03)], dtype=object)
RIGHT_TABLES = {
    "the same": RIGHT,
    "another index": RIGHT.set_index(pd.Index([7, 8, 9])),
    "float32": RIGHT.astype({"probabilities": "float32"}),
    "torch scalars in an object column": OBJECT_COLUMN,
    "object strings": RIGHT.astype({"tokens": object}),
    "nullable numbers": RIGHT.convert_dtypes(),
    "noise": table(probabilities=(0.0600001, 0.04, 0.03)),
}


@pytest.mark.parametrize("actual", RIGHT_TABLES.values(), ids=RIGHT_TABLES.keys())
def test_table_accepts(actual: pd.DataFrame) -> None:
    check_table(actual, RIGHT, columns=["tokens", "probabilities"], rows=3, sorted_by="probabilities")


WRONG_TABLES: list[tuple[str, Any, str]] = [
    ("a dict", {"tokens": []}, "should be a DataFrame, but it is a dict"),
    ("a styled table", RIGHT.style, "return the DataFrame itself, and apply `.style` when you display it"),
    ("a column", RIGHT["tokens"], "a single column"),
    ("a missing column", RIGHT[["tokens"]], r"lacks the column\(s\) \['probabilities'\]; it has \['tokens'\]"),
    ("another spelling", RIGHT.rename(columns={"tokens": "Token"}), "'Token' that should be called 'tokens'"),
    ("columns in another order", RIGHT[["probabilities", "tokens"]], "right columns in another order"),
    ("an extra column", table(id=[1, 2, 3]), r"not asked for: \['id'\]"),
    ("no names", pd.DataFrame([[" go", 0.06]]), "Give the columns names"),
    ("a doubled column", pd.concat([RIGHT, RIGHT], axis=1), "more than once"),
    ("one row short", RIGHT[:2], r"2 row\(s\) instead of 3: is a slice or a range off by one"),
    ("too many rows", pd.concat([RIGHT, RIGHT]), "k in topk"),
    ("empty", RIGHT[:0], "it is empty"),
    ("ascending", RIGHT[::-1], "sorted ascending by 'probabilities': the largest should come first"),
    ("unsorted", RIGHT.iloc[[1, 0, 2]], "is not sorted by 'probabilities'.*row 0 has 0.04, row 1 has 0.06"),
    ("stripped tokens", table(tokens=("go", "take", "be")), "should be ' go' with its leading space; use"),
    ("raw tokens", table(tokens=("Ġgo", "Ġtake", "Ġbe")), "'Ġ' is how the tokenizer writes a space"),
    ("repr", table(tokens=("' go'", "' take'", "' be'")), "its repr"),
    ("ids", table(tokens=(1, 2, 3)), "turn each id into a string with tokenizer.decode"),
    ("tensor ids", table(tokens=[torch.tensor(i) for i in (1, 2, 3)]), "with tokenizer.decode"),
    ("lists of tokens", table(tokens=([" go"], [" take"], [" be"])), "each row should hold one string"),
    ("tokens shuffled", table(tokens=(" take", " go", " be")), "right strings in another order"),
    ("case", table(tokens=(" Go", " take", " be")), "upper and lower case"),
    ("another token", table(tokens=(" run", " take", " be")), "wrong in row 0: ' run' instead of ' go'"),
    ("percentages", table(probabilities=(6, 4, 3)), "percentages"),
    ("logits", table(probabilities=(3.0, 2.0, -1.0)), "look like logits; apply softmax"),
    ("large logits", table(probabilities=(3.0, 2.0, 1.5)), "look like logits"),
    ("logs", table(probabilities=np.log([0.06, 0.04, 0.03])), "log-probabilities"),
    ("renormalized", table(probabilities=np.array([6, 4, 3]) / 13), "softmax over the whole vocabulary first"),
    ("formatted", table(probabilities=("6%", "4%", "3%")), "should hold numbers, not|holds text|only numbers"),
    ("nan", table(probabilities=(0.06, math.nan, 0.03)), "contains nan"),
    ("lists of numbers", table(probabilities=([0.06], [0.04], [0.03])), "one number"),
]


@pytest.mark.parametrize(("actual", "message"), [case[1:] for case in WRONG_TABLES], ids=[c[0] for c in WRONG_TABLES])
def test_table_diagnoses(actual: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_table(actual, RIGHT, sorted_by="probabilities")


def test_rows_that_tie_may_come_in_any_order() -> None:
    expected = table(("a", "b", "c"), (0.5, 0.25, 0.25))
    check_table(table(("a", "c", "b"), (0.5, 0.25, 0.25)), expected, sorted_by="probabilities")
    with pytest.raises(AssertionError, match="another order"):
        check_table(table(("b", "a", "c"), (0.5, 0.25, 0.25)), expected, sorted_by="probabilities")


def test_table_numbers_in_another_order_without_sorting() -> None:
    with pytest.raises(AssertionError, match="right numbers in another order"):
        check_table(table(probabilities=(0.03, 0.04, 0.06)), RIGHT)


def test_table_sorted_ascending_on_request() -> None:
    check_table(RIGHT[::-1], sorted_by="probabilities", descending=False)
    with pytest.raises(AssertionError, match="the smallest should come first"):
        check_table(RIGHT, sorted_by="probabilities", descending=False)


# --- text

WRONG_TEXT = [
    (" a", "a", "only at its ends, in spaces or line breaks: ' a' instead of 'a'"),
    ("a b", "a  b", "only in spaces or line breaks"),
    ("a\r\nb", "a\nb", "only in its line endings"),
    ("Abc", "abc", "only in upper and lower case"),
    ("", "abc", "is empty"),
    ("abc def", "abc", "goes on with ' def'"),
    ("abc", "abc def", "stops before ' def'"),
    ("Ġgo", " go", "use tokenizer.decode"),
    ("ﬁne", "fine", "how the same characters are encoded"),
    ("cat", "car", "First difference at character 3: 'cat' instead of 'car'"),
    ("one\ntwo", "one\ntwi", r"character 7 \(line 2\)"),
    (["a"], "a", r"a list with one string"),
    (b"a", "a", "decode"),
    (3, "3", r"it is an int \(3\)"),
    (None, "a", "`return`"),
]


@pytest.mark.parametrize(("actual", "expected", "message"), WRONG_TEXT)
def test_text_diagnoses(actual: Any, expected: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_text(actual, expected)


def test_text_may_ignore_case_and_spaces() -> None:
    check_text("same", "same")
    check_text(" A  b\n", "a B", ignore_case=True, ignore_whitespace=True)


# --- probabilities

WRONG_PROBABILITIES: list[tuple[str, Any, str]] = [
    ("logits", LOGITS, r"\(the smallest is -2\): these look like logits; apply softmax over the vocabulary"),
    ("positive logits", [2.0, 1.2, 0.0], r"sum to 3.2: did you apply softmax over the vocabulary \(dim=-1\)\?"),
    ("small logits", [0.9, 0.9, 0.9], "sum to 2.7 instead of 1: did you apply softmax over the vocabulary"),
    ("log-probabilities", P.log(), "log-probabilities; apply exp"),
    ("wrong axis", LOGITS.softmax(1), "sum to 1 along dimension 1, not along dimension -1"),
    ("all together", LOGITS.flatten().softmax(0).reshape(3, 4), "only all together"),
    ("percentages", P[0, 0] * 100, "percentages"),
    ("counts", [3, 1, 2], "look like counts"),
    ("a part", P[0, 0, :2] / 2, "are some outcomes left out"),
    ("nan", [math.nan, 1.0], "nan"),
    ("inf", [math.inf, 1.0], "infinit"),
    ("empty", [], "there are none"),
    ("one number", 0.5, "a single number"),
]


@pytest.mark.parametrize(
    ("p", "message"), [case[1:] for case in WRONG_PROBABILITIES], ids=[c[0] for c in WRONG_PROBABILITIES]
)
def test_probabilities_diagnoses(p: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_probabilities(p)


@pytest.mark.parametrize("p", [P, P.half(), P.bfloat16(), P.tolist(), [1, 0], torch.randn(2, 50257).softmax(-1)])
def test_probabilities_accepts(p: Any) -> None:
    check_probabilities(p)


def test_probabilities_of_a_part() -> None:
    check_probabilities([0.3, 0.2], partial=True)
    check_probabilities(0.3, partial=True)
    with pytest.raises(AssertionError, match="more than 1"):
        check_probabilities([0.9, 0.2], partial=True)
    with pytest.raises(AssertionError, match="go up to 3"):
        check_probabilities([3, 0.2], partial=True)


def test_probabilities_along_another_dimension() -> None:
    check_probabilities(LOGITS.softmax(1), dim=1)


# --- samples

WEIGHTS = {"a": 0.6, "b": 0.3, "c": 0.1}


def draw(weights: dict[str, float], n: int, seed: int = 0) -> list[str]:
    return random.Random(seed).choices(list(weights), list(weights.values()), k=n)


@pytest.mark.parametrize(
    "samples",
    [
        draw(WEIGHTS, 1000),
        draw(WEIGHTS, 3),
        Counter(draw(WEIGHTS, 500)),
        tuple(draw(WEIGHTS, 500)),
        np.array(draw(WEIGHTS, 500)),
        pd.Series(draw(WEIGHTS, 500)),
    ],
)
def test_samples_accepts(samples: Any) -> None:
    check_samples(samples, WEIGHTS)


def test_samples_as_indices() -> None:
    p = torch.tensor([0.7, 0.2, 0.1, 0.0])
    generator = torch.Generator().manual_seed(0)
    drawn = torch.multinomial(p, 500, replacement=True, generator=generator)
    check_samples(drawn, p)
    check_samples(list(drawn), p)


WRONG_SAMPLES: list[tuple[str, Any, str]] = [
    ("argmax", ["a"] * 200, "instead of argmax"),
    ("one outcome", ["c"] * 50, "is the seed set again"),
    ("uniform", ["a", "b", "c"] * 100, "equally often; do you pass the probabilities as weights"),
    ("too cold", draw({"a": 0.85, "b": 0.13, "c": 0.02}, 1000), "likely outcomes come up too often"),
    ("too hot", draw({"a": 0.42, "b": 0.33, "c": 0.25}, 1000), "unlikely outcomes come up too often"),
    ("impossible", ["a", "d"], "contain 'd', which can't occur"),
    ("empty", [], "empty"),
    ("text", "abc", "should be a list or tensor of outcomes"),
    ("bad counts", {"a": -1}, "a whole number"),
]


@pytest.mark.parametrize(("samples", "message"), [c[1:] for c in WRONG_SAMPLES], ids=[c[0] for c in WRONG_SAMPLES])
def test_samples_diagnoses(samples: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_samples(samples, WEIGHTS)


@pytest.mark.parametrize("n", [1, 5, 30, 300])
@pytest.mark.parametrize("weights", [WEIGHTS, {"x": 0.999, "y": 0.001}, dict.fromkeys(range(50), 1 / 50)])
def test_a_correct_sampler_is_rejected_no_more_often_than_stated(weights: Any, n: int) -> None:
    rejected = 0
    for seed in range(400):
        try:
            check_samples(draw(weights, n, seed), weights, false_alarm=0.05)
        except AssertionError:
            rejected += 1
    assert rejected <= 20 + 3 * math.sqrt(20)


def test_the_message_states_the_false_alarm_rate() -> None:
    with pytest.raises(AssertionError, match="once in 1000000"):
        check_samples(["c"] * 50, WEIGHTS)


def test_an_expected_distribution_must_be_one() -> None:
    with pytest.raises(ValueError, match="sum 1"):
        check_samples(["a"], {"a": 0.5})


def test_a_long_string_does_not_flood_the_message() -> None:
    with pytest.raises(AssertionError) as error:
        check_table(table(tokens=("x" * 10**6, "b", "c")), RIGHT)
    assert len(str(error.value)) < 300
