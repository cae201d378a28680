"""Each comparison accepts what is right in any of its forms, and names the likely slip in what is wrong."""

from __future__ import annotations

import math
import re
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
    with pytest.raises(AssertionError, match=r"None \(does your function `return` its result\?\)\.$"):
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


def test_no_message_shows_a_python_address() -> None:
    for value in HOSTILE:
        with pytest.raises(AssertionError) as error:
            check_tensor(value, [1.0])
        assert not re.search(r"0x[0-9a-f]+", str(error.value))
