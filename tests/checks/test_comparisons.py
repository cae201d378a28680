"""Each comparison accepts what is right in any of its forms, and names the likely slip in what is wrong."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from grading_utils import check_probabilities, check_samples, check_table, check_tensor, check_text

LOGITS = torch.tensor([[[2.0, -1.0, 0.5, 0.1], [0.3, 1.2, -0.7, 3.0], [1.0, 0.0, -2.0, 0.7]]])
P = LOGITS.softmax(-1)


class Impostor:
    """Claims to be of a type that a check would open; any use of it fails the test."""

    def __init__(self, claim: type) -> None:
        self.claim = claim

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return self.claim

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"the check touched {name}")

    __eq__ = __len__ = __iter__ = __bool__ = __getitem__ = __float__ = __array__ = __getattr__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


CLAIMS = [torch.Tensor, np.ndarray, pd.DataFrame, pd.Series, list, dict, str, bytes, float, type(len)]
HOSTILE = [
    None,
    ...,
    object(),
    *map(Impostor, CLAIMS),
    int,
    len,
    {"q": 1},
    b"x",
    {1},
    iter([1]),
    lambda: 1,
    [Impostor(torch.Tensor)],
    [[None]],
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "check",
    [
        lambda v: check_tensor(v, [1.0, 2.0]),
        lambda v: check_table(v, pd.DataFrame({"a": [1]})),
        lambda v: check_text(v, "a"),
        lambda v: check_probabilities(v),
        lambda v: check_samples(v, {"a": 1.0}),
    ],
    ids=["tensor", "table", "text", "probabilities", "samples"],
)
def test_a_value_of_a_wrong_type_gets_a_message_and_nothing_of_it_runs(check: Any, value: object) -> None:
    with pytest.raises(AssertionError) as error:
        check(value)
    assert str(error.value).startswith("your ")


@pytest.mark.parametrize("check", [check_table, check_tensor, lambda value: check_text(value, "a")])
def test_none_asks_about_return(check: Any) -> None:
    with pytest.raises(AssertionError, match="does your function `return` its result"):
        check(None)


def test_a_function_asks_about_the_call() -> None:
    with pytest.raises(AssertionError, match=r"a function: did you forget to call it, with `\(\)`"):
        check_text(lambda: "a", "a")


# --- tensors

RIGHT_TENSORS: list[tuple[str, Any, Any]] = [
    ("the same tensor", P, P),
    ("a nested list", P.tolist(), P),
    ("a tuple", (1, 2), torch.tensor([1, 2])),
    ("an array", P.numpy(), P),
    ("a list of scalar tensors", [torch.tensor(1.0), torch.tensor(2.0)], [1.0, 2.0]),
    ("float64", P.double(), P),
    ("float32 noise", P + 1e-6, P),
    ("half precision", P.half(), P),
    ("bfloat16", P.bfloat16(), P),
    ("a tensor with a gradient", P.clone().requires_grad_(), P),
    ("a number", 3, torch.tensor(3)),
    ("expected nan", [math.nan, 1.0], [math.nan, 1.0]),
    ("expected -inf", [-math.inf, 1.0], torch.tensor([-math.inf, 1.0])),
    ("booleans", [True, False], torch.tensor([True, False])),
    ("an object array of numbers", np.array([1.0, torch.tensor(2.0)], dtype=object), [1.0, 2.0]),
    ("a column", pd.Series([1.0, 2.0]), [1.0, 2.0]),
    ("empty", [], torch.zeros(0)),
]


@pytest.mark.parametrize(("actual", "expected"), [c[1:] for c in RIGHT_TENSORS], ids=[c[0] for c in RIGHT_TENSORS])
def test_tensor_accepts(actual: Any, expected: Any) -> None:
    check_tensor(actual, expected)


M = torch.arange(9.0).reshape(3, 3) ** 2
V = torch.tensor([0.5, 0.3, 0.1, 0.07])
WRONG_TENSORS: list[tuple[str, Any, Any, str]] = [
    ("batch kept", P[:, -1], P[0, -1], r"has shape \[1, 4\] instead of \[4\]: you kept the batch dimension"),
    ("batch missing", P[0], P, "the batch dimension is missing"),
    ("position not selected", P[0], P[0, -1], r"forget to select one position, as in \[0, -1\]"),
    ("column of ones", V[:, None], V, "forget to select|length 1"),
    ("transposed shape", torch.zeros(2, 3), torch.zeros(3, 2), "is it transposed"),
    ("transposed inside a batch", torch.zeros(5, 2, 3), torch.zeros(5, 3, 2), "is it transposed"),
    ("one short", torch.zeros(4), torch.zeros(5), "one fewer than there should be: is a slice or a range off by one"),
    ("one long", torch.zeros(6), torch.zeros(5), "one more than there should be"),
    ("transposed values", M.T, M, "is it transposed"),
    ("one late", torch.roll(V, -1), V, "one position too early|one position too late"),
    ("reversed", V.flip(0), V, "reverse order"),
    ("shuffled", V[[1, 0, 3, 2]], V, "right values in another order"),
    ("sign", -V, V, "wrong sign"),
    ("log", V.log(), V, "look like the logarithms"),
    ("exp", V.exp(), V, "look like exp"),
    ("factor", V * 100, V, "every value is 100 times the right one"),
    ("softmax after topk", V / V.sum(), V, "did you apply softmax after topk"),
    ("nan", [0.5, math.nan], [0.5, 0.5], r"1 nan value\(s\), the first at \[1\]"),
    ("inf", [0.5, math.inf], [0.5, 0.5], "infinite"),
    ("a single wrong value", [1, 2, 4], [1, 2, 3], r"wrong in 1 of 3 place\(s\), first at \[2\]: 4 instead of 3"),
    ("off by one integer is wrong", [10**6 + 1], [10**6], "1000001 instead of 1000000"),
    ("ragged", [[1, 2], [3]], [[1, 2], [3, 4]], "rows have different lengths"),
    ("strings", ["a"], [1], "contains a str"),
    ("a string", "abc", [1], r"it is a str \('abc'\)"),
    ("a scaffold left", ..., [1], "replace the dots"),
]


@pytest.mark.parametrize(
    ("actual", "expected", "message"), [case[1:] for case in WRONG_TENSORS], ids=[c[0] for c in WRONG_TENSORS]
)
def test_tensor_diagnoses(actual: Any, expected: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_tensor(actual, expected)


def test_which_way_a_tensor_is_shifted() -> None:
    values = torch.tensor([3.0, 7.0, 1.0, 9.0])
    with pytest.raises(AssertionError, match="too late"):
        check_tensor([0.0, 3.0, 7.0, 1.0], values)
    with pytest.raises(AssertionError, match="too early"):
        check_tensor([7.0, 1.0, 9.0, 0.0], values)


SPECIAL_TENSORS = {
    "sparse": torch.eye(3).to_sparse(),
    "without data": torch.empty(3, device="meta"),
    "complex": torch.ones(3, dtype=torch.complex64).conj(),
    "8 bits": torch.zeros(3).to(torch.float8_e4m3fn),
}


@pytest.mark.parametrize("tensor", SPECIAL_TENSORS.values(), ids=SPECIAL_TENSORS.keys())
def test_a_special_kind_of_tensor_is_no_crash(tensor: torch.Tensor) -> None:
    for check in (check_probabilities, lambda value: check_tensor(value, [1.0, 2.0, 3.0])):
        with pytest.raises(AssertionError):
            check(tensor)


def test_a_long_string_does_not_flood_the_message() -> None:
    with pytest.raises(AssertionError) as error:
        check_table(table(tokens=("x" * 10**6, "b", "c")), RIGHT)
    assert len(str(error.value)) < 300


def test_tensor_shape_alone() -> None:
    check_tensor(P, shape=[1, None, 4])
    with pytest.raises(AssertionError, match=r"instead of \[1, any, 5\]"):
        check_tensor(P, shape=(1, None, 5))


def test_tensor_kind_of_number() -> None:
    check_tensor([1, 2], dtype_kind="int")
    with pytest.raises(AssertionError, match=r"should hold whole numbers, but it holds decimal numbers \(float64\)"):
        check_tensor([1.0], dtype_kind="int")


def test_tensor_tolerances_can_be_set() -> None:
    check_tensor([1.1], [1.0], atol=0.2)
    with pytest.raises(AssertionError):
        check_tensor([1.0001], [1.0], rtol=1e-6, atol=0)
    check_tensor([101], [100], rtol=0.02)


def test_half_precision_is_not_a_licence_to_be_wrong() -> None:
    with pytest.raises(AssertionError, match="wrong in"):
        check_tensor((P + 0.1).half(), P)


def test_the_message_uses_the_given_name() -> None:
    with pytest.raises(AssertionError, match=r"^last_token_logits has shape"):
        check_tensor([1, 2], [1], name="last_token_logits")


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


def test_no_message_shows_a_python_address() -> None:
    for value in HOSTILE:
        with pytest.raises(AssertionError) as error:
            check_tensor(value, [1.0])
        assert not re.search(r"0x[0-9a-f]+", str(error.value))
