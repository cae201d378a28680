"""`check_table`: compare a DataFrame with the expected one, or with a description of it.

Looks at columns, number of rows, order and values; the index does not matter, nor which type holds a number. Rows
that tie in the column the table is sorted by may come in any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from grading_utils.checks.failure import CheckFailed, Phrase
from grading_utils.checks.values import as_array, describe, is_frame, is_from, is_plain, is_tensor, number, shown


def check_table(
    actual: object,
    expected: object = None,
    *,
    columns: Sequence[str] | None = None,
    rows: int | None = None,
    sorted_by: str | None = None,
    descending: bool = True,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    name: str = "your table",
) -> None:
    """Check a DataFrame.

    Args:
        actual: The student's value.
        expected: The right DataFrame, if values are to be compared.
        columns: The right column names, in order; by default those of `expected`.
        rows: The right number of rows; by default that of `expected`.
        sorted_by: A column of numbers that the rows must be sorted by.
        descending: Largest first.
        rtol: Relative tolerance for numbers, meant for probabilities computed in float32.
        atol: Absolute tolerance for numbers.
        name: What the message calls the value.

    Raises:
        CheckFailed: An AssertionError that says what differs and the usual reason.
    """
    if not is_frame(actual):
        raise CheckFailed(
            "{name} should be a DataFrame, but it is {found}.", name=name, mine={"found": describe(actual)}
        )
    if expected is not None and not is_frame(expected):
        raise TypeError("expected must be a DataFrame")
    mine: Any = actual
    right: Any = expected
    if columns is None and right is not None:
        columns = list(right.columns)
    if columns is not None:
        _check_columns(list(mine.columns), list(columns), name)
    if rows is None and right is not None:
        rows = len(right)
    if rows is not None:
        _check_rows(len(mine), rows, name)
    if sorted_by is not None:
        _check_sorted(_column(mine, sorted_by, name), sorted_by, descending, name)
    if right is None:
        return
    theirs = Phrase("expected")
    groups = [] if sorted_by is None else list(_ties(as_array(_column(right, sorted_by, theirs), theirs), rtol, atol))
    for column in right.columns:
        _check_column(_column(mine, column, name), _column(right, column, theirs), column, groups, rtol, atol, name)


def _check_columns(mine: list[Any], right: list[str], name: str) -> None:
    if mine == right:
        return
    missing = [column for column in right if column not in mine]
    extra = [column for column in mine if column not in right]
    hint = ""

    def failed(template: str, **more: object) -> CheckFailed:
        found: dict[str, object] = {"mine": mine, "extra": extra, **more}
        return CheckFailed(template, name=name, mine=found, right={"right": right, "missing": missing})

    if not missing and not extra and len(mine) == len(right):
        raise failed("{name} has the right columns in another order«: {mine} instead of {right}».")
    if not missing and not extra:
        raise failed("{name} has a column more than once«: {mine} instead of {right}».")
    if not missing:
        raise failed("{name} has column(s) that were not asked for«: {extra}». It should have only {right}.")
    for column in missing:
        for other in extra:
            if str(other).strip().lower().rstrip("s") == column.strip().lower().rstrip("s"):
                wanted = Phrase("{column}", right={"column": repr(column)})
                raise failed(
                    "{name} has a column {other} that should be called {column}, exactly.",
                    other=repr(other),
                    column=wanted,
                )
    if mine == list(range(len(right))):
        hint = " Give the columns names: pd.DataFrame({{'name': values, …}})."
    raise failed("{name} lacks the column(s) {missing}«; it has {mine}»." + hint)


def _check_rows(mine: int, right: int, name: str) -> None:
    if mine == right:
        return
    if mine == 0:
        reason = "it is empty"
    elif abs(mine - right) == 1:
        reason = "is a slice or a range off by one?"
    elif mine > right:
        reason = "did you use the number of rows that was asked for, k in topk(k)?"
    else:
        reason = "some are missing: is the number fixed in your code instead of taken from the parameter?"
    rows = "{name} has {mine} row(s) instead of {right}: " + reason
    raise CheckFailed(rows, name=name, mine={"mine": mine}, right={"right": right})


def _column(table: Any, column: object, name: str) -> Any:
    positions = [i for i, label in enumerate(table.columns) if label == column]
    if not positions:
        lacks = "{name} lacks the column {column}«; it has {found}»."
        raise CheckFailed(lacks, name=name, mine={"found": list(table.columns)}, right={"column": repr(column)})
    series = table.iloc[:, positions[0]]
    return series.to_numpy() if series.dtype.kind in "biufc" and hasattr(series.dtype, "itemsize") else series.tolist()


def _check_sorted(values: Any, column: str, descending: bool, name: str) -> None:
    label = Phrase("column {column} of {name}", name=name, right={"column": repr(column)}, of="sorted_by")
    array = as_array(values, label).astype(float)
    if (array != array).any():
        raise CheckFailed("{name} contains nan, so its rows can't be put in order.", name=label)
    steps = array[1:] - array[:-1]
    tolerance = 1e-7 * abs(array[:-1]) + 1e-12
    is_falling, is_rising = bool((steps <= tolerance).all()), bool((steps >= -tolerance).all())
    if is_falling if descending else is_rising:
        return
    right = {"column": repr(column)}
    if is_rising and descending:
        ascending = "{name} is sorted ascending by {column}: the largest should come first, as topk gives them."
        raise CheckFailed(ascending, name=name, right=right, of="sorted_by")
    if is_falling:
        raise CheckFailed(
            "{name} is sorted descending by {column}: the smallest should come first.", name=name, right=right
        )
    first = "largest" if descending else "smallest"
    at = int(((steps > tolerance) if descending else (steps < -tolerance)).argmax())
    found = {"row": at, "next": at + 1, "here": number(float(array[at])), "there": number(float(array[at + 1]))}
    raise CheckFailed(
        f"{{name}} is not sorted by {{column}} ({first} first)"
        "«: row {row} has {here}, row {next} has {there}».",
        name=name,
        mine=found,
        right=right,
    )


def _ties(values: Any, rtol: float, atol: float) -> Iterator[tuple[int, int]]:
    """Ranges of rows whose sort values cannot be told apart: [0.5, 0.2, 0.2] → (0, 1), (1, 3)."""
    start = 0
    for row in range(1, len(values) + 1):
        here = float(values[row]) if row < len(values) else math.inf
        if here == math.inf or abs(here - float(values[row - 1])) > atol + rtol * abs(here):
            yield start, row
            start = row


def _check_column(
    mine: Any, right: Any, column: str, groups: list[tuple[int, int]], rtol: float, atol: float, name: str
) -> None:
    label = Phrase("column {column} of {name}", name=name, right={"column": repr(column)}, of="expected")
    if all(isinstance(value, str) for value in right):
        _check_strings(list(mine), list(right), label, groups)
        return
    if any(is_plain(value, str) for value in mine):
        text = "{name} holds text, but should hold numbers: keep the numbers, format them for display."
        raise CheckFailed(text, name=label)
    import numpy

    a, e = (as_array(values, label).astype(float) for values in (mine, right))
    if a.shape != e.shape:
        raise CheckFailed("{name} holds lists or tensors: each row should hold one number.", name=label)
    if groups:
        for start, stop in groups:
            a[start:stop], e[start:stop] = numpy.sort(a[start:stop]), numpy.sort(e[start:stop])
    wrong = ~numpy.isclose(a, e, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return
    row = int(wrong.argmax())
    found = {"row": row, "got": number(float(a[row])), "right": number(float(e[row]))}

    def same(changed: Any) -> bool:
        return bool(numpy.allclose(changed, e, rtol=rtol, atol=atol))

    reason = "."
    with numpy.errstate(all="ignore"):
        if same(a / 100):
            reason = ": these are percentages; use fractions of 1."
        elif numpy.allclose(numpy.sort(a), numpy.sort(e), rtol=rtol, atol=atol):
            reason = ": the right numbers in another order; does each row keep its own?"
        elif same(numpy.exp(a)):
            reason = ": these are log-probabilities; take softmax, or exp of them."
        elif (a < 0).any() and (e >= 0).all() and (e <= 1).all():
            reason = ": these look like logits; apply softmax over the vocabulary (dim=-1) first."
        elif (e > 0).all() and e.sum() < 0.999 and abs(a.sum() - 1) < 1e-3:
            reason = ": they sum to 1; apply softmax over the whole vocabulary first, then select the top k."
        elif (a > 1).any() and (e >= 0).all() and (e <= 1).all():
            reason = ": a probability can't exceed 1; these look like logits, so apply softmax (dim=-1) first."
    raise CheckFailed("{name} is wrong« in row {row}: {got} instead of {right}»" + reason, name=label, mine=found)


def _check_strings(mine: list[Any], right: list[str], label: str, groups: list[tuple[int, int]]) -> None:
    for row, value in enumerate(mine):
        if is_plain(value, str):
            continue
        if is_plain(value, list, tuple) and len(value) == 1 and is_plain(value[0], str):
            raise CheckFailed(
                "{name} holds lists« in row {row}»: each row should hold one string.", name=label, mine={"row": row}
            )
        if is_plain(value, int, float) or is_tensor(value) or is_from(value, "numpy", "generic"):
            numbers = "{name} holds numbers, not text: turn each id into a string with tokenizer.decode."
            raise CheckFailed(numbers, name=label)
        strings = "{name} should hold strings, but« row {row}» holds {found}."
        raise CheckFailed(strings, name=label, mine={"row": row, "found": describe(value)})
    a, e = list(mine), list(right)
    for start, stop in groups:
        a[start:stop], e[start:stop] = sorted(a[start:stop]), sorted(e[start:stop])
    wrong = [i for i, (got, wanted) in enumerate(zip(a, e, strict=True)) if got != wanted]
    if not wrong:
        return
    row = wrong[0]
    got, wanted = a[row], e[row]
    found = {"row": row, "got": shown(got), "right": shown(wanted), "token": repr(wanted)}
    if sorted(a) == sorted(e):
        reason = ": the right strings in another order; does each row keep its own?"
    elif "Ġ" in got and "Ġ" not in wanted:
        reason = ": 'Ġ' is how the tokenizer writes a space; use tokenizer.decode on the id."
    elif got.strip() == wanted.strip() and wanted.startswith(" "):
        reason = ": the token should be« {token}» with its leading space; use tokenizer.decode on the id, no strip()."
    elif got.strip() == wanted.strip():
        reason = ": they differ in the spaces at their ends."
    elif got.strip("'\"") == wanted:
        reason = ": you stored its repr, quotes included; store the string itself."
    elif got.lower() == wanted.lower():
        reason = ": they differ in upper and lower case."
    else:
        reason = "."
    raise CheckFailed("{name} is wrong« in row {row}: {got} instead of {right}»" + reason, name=label, mine=found)
