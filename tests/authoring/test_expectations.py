"""`release` warns where a test works out its expectation from what it has already handed over."""

from __future__ import annotations

import pytest

from grading_utils.authoring.expectations import late_expectations

LATE = {
    "a comprehension": "got = halves(given)\nassert got == [v / 2 for v in given]",
    "a call": "got = total(given)\nassert got == sum(given)",
    "no constant any more": "given = 1; given = [2]; got = total(given)\nassert got == sum(given)",
    "a keyword": "got = total(values=given)\nassert got == sum(given)",
}
FINE = {
    "before": "expected = sum(given)\nassert total(given) == expected",
    "a copy": "got = total(list(given))\nassert got == sum(given)",
    "the argument itself": "halves(given)\nassert given == [2, 4]",
    "made anew": "total(given)\ngiven = [1]\nassert sum(given) == 1",
    "a text": "given = 'a b'\ngot = total(given)\nassert got.startswith(given)",
    "somebody else's function": "got = other(given)\nassert got == sum(given)",
    "no Python": "%%time\ntotal(given)",
}


@pytest.mark.parametrize("test", LATE.values(), ids=LATE)
def test_an_expectation_from_what_was_handed_over_is_named(test: str) -> None:
    [warning] = late_expectations(test, {"halves", "total"})
    assert "line 2 reads `given` again, which line 1 has handed to" in warning


@pytest.mark.parametrize("test", FINE.values(), ids=FINE)
def test_a_test_that_nothing_can_fool_gives_no_warning(test: str) -> None:
    assert late_expectations(test, {"halves", "total"}) == []
