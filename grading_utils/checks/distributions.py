"""`check_probabilities` and `check_samples`: is this a distribution, and do these samples come from that one?

Both work for any number of outcomes and without SciPy. They do not compare two distributions value by value:
that is `check_tensor`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

from grading_utils.checks.failure import CheckFailed, Phrase
from grading_utils.checks.tensors import storage_bits
from grading_utils.checks.values import as_array, describe, is_from, is_plain, is_tensor, number, shown


def check_probabilities(
    p: object,
    *,
    dim: int = -1,
    partial: bool = False,
    atol: float | None = None,
    name: str = "your probabilities",
) -> None:
    """Check that numbers are probabilities: finite, from 0 to 1, with sum 1 along `dim`.

    Args:
        p: The student's value: tensor, array or list.
        dim: The dimension that counts the outcomes.
        partial: They are a part of a distribution, such as the top k, so the sum may be less than 1.
        atol: How far a sum may be off; by default 1e-4, or 2e-2 for 16-bit numbers.
        name: What the message calls the value.

    Raises:
        CheckFailed: An AssertionError that says what is wrong with them and the usual reason.
    """
    import numpy

    wanted = {"dim": dim}
    array = as_array(p, name)
    if array.ndim == 0:
        array = array.reshape(1)
        if not partial:
            raise CheckFailed("{name} should be one number for each outcome, but it is a single number.", name=name)
    if array.size == 0:
        raise CheckFailed("{name} should be one number for each outcome, but there are none.", name=name)
    if array.dtype.kind == "c":
        raise CheckFailed("{name} should be real numbers, but they are complex.", name=name)
    if not -array.ndim <= dim < array.ndim:
        lacking = "{name} has {count} dimension(s), so there is no dimension {dim}."
        raise CheckFailed(lacking, name=name, mine={"count": array.ndim}, right=wanted)
    array = array.astype(float)
    atol = atol if atol is not None else (2e-2 if storage_bits(p) == 16 else 1e-4)
    if numpy.isnan(array).any():
        raise CheckFailed("{name} contain nan: a 0/0, log(0), or softmax of only -inf?", name=name)
    with numpy.errstate(all="ignore"):
        sums, exp_sums = array.sum(axis=dim), numpy.exp(array).sum(axis=dim)
    if (array < -atol).any():
        if abs(exp_sums - 1).max() <= atol and (array <= atol).all():
            logs = "{name} are negative: these look like log-probabilities; apply exp, or use softmax."
            raise CheckFailed(logs, name=name)
        raise CheckFailed(
            "{name} contain negative numbers« (the smallest is {least})»: these look like logits; "
            "apply softmax over the vocabulary (dim={dim}).",
            name=name,
            mine={"least": number(float(array.min()))},
            right=wanted,
        )
    if partial:
        if (array > 1 + atol).any():
            raise _too_large(array, sums, dim, name)
        if (sums > 1 + atol).any():
            more = "{name} sum to« {sum},» more than 1: did you apply softmax over the vocabulary (dim={dim})?"
            raise CheckFailed(more, name=name, mine={"sum": _range(sums)}, right=wanted)
        return
    if abs(sums - 1).max() <= atol:
        return
    for other in range(array.ndim):
        if other != dim % array.ndim and abs(array.sum(axis=other) - 1).max() <= atol:
            raise CheckFailed(
                "{name} sum to 1 along dimension {other}, not along dimension {dim}: "
                "you applied softmax over the wrong one; use dim={dim}.",
                name=name,
                mine={"other": Phrase(str(other))},
                right=wanted,
            )
    if array.ndim > 1 and abs(array.sum() - 1) <= atol:
        together = "{name} sum to 1 only all together: apply softmax for each position (dim={dim})."
        raise CheckFailed(together, name=name, right=wanted)
    if (array > 1 + atol).any():
        raise _too_large(array, sums, dim, name)
    if (sums < 1).all():
        reason = "are some outcomes left out (a top k), or did you divide by too much?"
    else:
        reason = "did you apply softmax over the vocabulary (dim={dim})?"
    raise CheckFailed(
        "{name} sum to {sum} instead of 1: " + reason, name=name, mine={"sum": _range(sums)}, right=wanted
    )


def _too_large(array: Any, sums: Any, dim: int, name: str) -> CheckFailed:
    if abs(sums - 100).max() <= 0.1:
        return CheckFailed("{name} sum to 100: these are percentages; use fractions of 1.", name=name)
    largest = number(float(array.max())) if math.isfinite(array.max()) else "infinite"
    mine = {"sum": _range(sums), "largest": largest}
    if (array == array.round()).all():
        counts = "{name} sum to {sum}: these look like counts; divide them by their sum."
        return CheckFailed(counts, name=name, mine=mine)
    reason = "{name} go up to {largest}« and sum to {sum}»: did you apply softmax over the vocabulary (dim={dim})?"
    return CheckFailed(reason, name=name, mine=mine, right={"dim": dim})


def _range(sums: Any) -> str:
    low, high = float(sums.min()), float(sums.max())
    if not math.isfinite(low) or not math.isfinite(high):
        return "infinity"
    return number(low) if number(low) == number(high) else f"{number(low)} … {number(high)}"


def check_samples(samples: object, expected: object, *, false_alarm: float = 1e-6, name: str = "your samples") -> None:
    """Check that samples could have been drawn independently from a distribution.

    A correct sampler fails with a probability of at most `false_alarm`, for any number of samples, also a small one.
    Half of it goes to a G-test of all outcomes together with the bound P(G/2 ≥ t) ≤ e^-t (e t / (k-1))^(k-1) for
    t > k-1 (R. Agrawal, "Finite-sample concentration of the multinomial in relative entropy", IEEE Transactions on
    Information Theory 66, 2020); the other half to an exact binomial test of each outcome (Bonferroni).

    Args:
        samples: The outcomes, as a list or tensor; or a mapping from outcome to count.
        expected: A mapping from outcome to probability, or the probabilities of outcomes 0, 1, 2, ….
        false_alarm: Largest acceptable probability of rejecting a correct sampler.
        name: What the message calls the value.

    Raises:
        CheckFailed: An AssertionError that says which outcome is off, and the usual reason.
        ValueError: `expected` is not a distribution.
    """
    probabilities = _distribution(expected)
    counts = _counts(samples, name)
    total = sum(counts.values())
    if total == 0:
        raise CheckFailed("{name} are empty.", name=name)
    for outcome in counts:
        if probabilities.get(outcome, 0.0) == 0.0 and counts[outcome]:
            raise CheckFailed(
                "{name} contain {outcome}, which can't occur. The possible ones are {known}.",
                name=name,
                mine={"outcome": shown(outcome)},
                right={"known": shown([o for o, p in probabilities.items() if p > 0])},
            )
    possible = {outcome: p for outcome, p in probabilities.items() if p > 0}
    level = false_alarm / 2
    if _g_tail_bound(counts, possible, total) >= level:
        each = level / (2 * len(possible))
        off = [o for o, p in possible.items() if _binomial_tail(counts.get(o, 0), total, p) < each]
        if not off:
            return
    raise _off_distribution(counts, possible, total, false_alarm, name)


def _distribution(expected: object) -> dict[Hashable, float]:
    if isinstance(expected, Mapping):
        probabilities = {outcome: float(p) for outcome, p in expected.items()}
    else:
        probabilities = dict(enumerate(as_array(expected, Phrase("expected")).astype(float).reshape(-1).tolist()))
    total = math.fsum(probabilities.values())
    if not probabilities or min(probabilities.values()) < 0 or not abs(total - 1) <= 1e-3:
        raise ValueError("expected must be probabilities with sum 1")
    return {outcome: p / total for outcome, p in probabilities.items()}


def _counts(samples: Any, name: str) -> Counter[Hashable]:
    if is_tensor(samples) or is_from(samples, "numpy", "ndarray") or is_from(samples, "pandas", "Series"):
        if is_from(samples, "numpy", "ndarray") and samples.dtype.kind in "OUS":
            samples = samples.reshape(-1).tolist()
        elif is_from(samples, "pandas", "Series"):
            samples = samples.tolist()
        else:
            samples = as_array(samples, name).reshape(-1).tolist()
    if is_plain(samples, dict):
        if not all(type(n) is int and n >= 0 for n in samples.values()):
            how_often = "{name} should map each outcome to how often it was drawn, a whole number."
            raise CheckFailed(how_often, name=name)
        return Counter[Hashable](samples)
    if not is_plain(samples, list, tuple):
        wanted = "{name} should be a list or tensor of outcomes, but it is {found}."
        raise CheckFailed(wanted, name=name, mine={"found": describe(samples)})
    plain: list[Hashable] = []
    for item in samples:
        if is_tensor(item) or (is_from(item, "numpy", "generic") and not is_plain(item, str)):
            item = as_array(item, name).reshape(-1).tolist()
            item = item[0] if len(item) == 1 else tuple(item)
        if item is not None and not is_plain(item, str, int, float, bool, tuple):
            wanted = "{name} should be a list of outcomes, but it contains {found}."
            raise CheckFailed(wanted, name=name, mine={"found": describe(item)})
        plain.append(item)
    try:
        return Counter(plain)
    except TypeError:
        raise CheckFailed("{name} contain a list inside a tuple, which is no outcome.", name=name) from None


def _g_tail_bound(counts: Counter[Hashable], possible: dict[Hashable, float], total: int) -> float:
    """An upper bound on the probability of a G statistic at least this large."""
    t = sum(n * math.log(n / (total * possible[outcome])) for outcome, n in counts.items() if n)
    degrees = len(possible) - 1
    if degrees == 0 or t <= degrees:
        return 1.0
    return math.exp(-t + degrees * (1 + math.log(t / degrees)))


def _binomial_tail(count: int, total: int, p: float) -> float:
    """Probability of a count at least as far on its side of the mean: P(X ≥ count) or P(X ≤ count)."""
    if p >= 1.0:
        return 1.0
    step = 1 if count > total * p else -1
    tail, k = 0.0, count
    while 0 <= k <= total:
        term = math.exp(
            math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
            + k * math.log(p) + (total - k) * math.log1p(-p)
        )  # fmt: skip
        tail += term
        if term < tail * 1e-12 or term == 0.0:
            break
        k += step
    return min(tail, 1.0)


def _off_distribution(
    counts: Counter[Hashable], possible: dict[Hashable, float], total: int, false_alarm: float, name: str
) -> CheckFailed:
    def surprise(outcome: Hashable) -> float:
        return abs(counts.get(outcome, 0) - total * possible[outcome]) / math.sqrt(total * possible[outcome])

    worst = max(possible, key=surprise)
    drawn, due = counts.get(worst, 0), total * possible[worst]
    mine = {"worst": shown(worst), "drawn": drawn, "total": total, "due": number(round(due, 1))}

    def failed(reason: str) -> CheckFailed:
        return CheckFailed(
            "{name} don't follow the distribution«: {worst} came up {drawn} times in {total}, where about {due} are "
            "expected» (a correct sampler fails this check once in {alarm}): " + reason,
            name=name,
            mine=mine,
            right={"alarm": number(1 / false_alarm)},
        )

    likeliest = max(possible, key=lambda outcome: possible[outcome])
    if set(counts) == {likeliest}:
        return failed("you always take the most likely outcome; sample from the probabilities instead of argmax.")
    if sum(1 for n in counts.values() if n) == 1:
        return failed("every sample is the same; is the seed set again before each draw?")
    even = dict.fromkeys(possible, 1 / len(possible))
    if len(possible) > 1 and total >= 5 * len(possible) and _g_tail_bound(counts, even, total) > 1e-3:
        return failed("all outcomes come up about equally often; do you pass the probabilities as weights?")
    logs = sum(n * math.log(possible[outcome]) for outcome, n in counts.items()) / total
    entropy = sum(p * math.log(p) for p in possible.values())
    more = "likely outcomes come up too often" if logs > entropy else "unlikely outcomes come up too often"
    return failed(f"{more}; check the probabilities (temperature, softmax, top-k) that you draw from.")
