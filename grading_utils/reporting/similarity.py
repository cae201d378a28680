"""Pairs of submissions with code in common that few others have: places to look, and no more than that.

copydetect does the comparing: winnowed fingerprints of code in which names don't matter (S. Schleimer, D. Wilkerson,
A. Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003). The release's code is subtracted,
and so is, as in that paper, what many of the class wrote.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, groupby, islice
from typing import Any

NOISE = 25
"""Shorter pieces in common mean nothing (copydetect's default)."""
GUARANTEE = 30
"""Longer ones are always found (copydetect's default)."""
COMMON = 4
"""What more students than this wrote, or more than a tenth of the class, is common knowledge."""
LEAST_SHARE = 0.5
LEAST_TOKENS = 60
MOST_CODE = 100_000
_SHOWN = 1_200


@dataclass(frozen=True)
class Pair:
    """Two submissions with code in common.

    Attributes:
        shares: How much of the unusual code of each is in the other's, between 0 and 1.
        piece: The longest piece in common, as the first one wrote it; untrusted.
    """

    students: tuple[str, str]
    shares: tuple[float, float]
    piece: str


def similar_pairs(released: str, code: Mapping[str, str]) -> list[Pair]:
    """Find the pairs of a class that have most in common, the closest first.

    Args:
        released: The code that everybody was given.
        code: Each student's own code, by student.
    """
    from copydetect.detector import CodeFingerprint, compare_files  # with Matplotlib's state machine: half a second

    given = set(_fingerprint(CodeFingerprint, "released", released, every=True).hashes)
    prints = {student: _fingerprint(CodeFingerprint, student, text) for student, text in code.items() if text.strip()}
    authors = Counter(mark for found in prints.values() for mark in found.hashes)
    limit = max(COMMON, len(code) / 10)
    usual = given | {mark for mark, count in authors.items() if count > limit}
    for found in prints.values():
        _subtract(found, usual)
    pairs = (_pair(prints[one], prints[two], compare_files) for one, two in _candidates(prints))
    return sorted(filter(None, pairs), key=lambda pair: (-max(pair.shares), pair.students))


def _fingerprint(make: Any, name: str, code: str, *, every: bool = False) -> Any:
    window = 1 if every else GUARANTEE - NOISE + 1
    return make(f"{name}.py", NOISE, window, language="python", fp=io.StringIO(_without_gaps(code[:MOST_CODE])))


def _without_gaps(code: str) -> str:
    """Code with a few empty lines where there are many: these say nothing, and can take a lexer hours."""
    runs = groupby(code.split("\n"), key=lambda line: not line.strip())
    return "\n".join(line for is_gap, lines in runs for line in islice(lines, 3 if is_gap else None))


def _subtract(found: Any, usual: set[Any]) -> None:
    """Forget what is usual; copydetect's own parameter for it drops the wrong marks where one occurs twice."""
    from copydetect.utils import get_token_coverage

    found.hashes = found.hashes - usual
    found.hash_idx = {mark: places for mark, places in found.hash_idx.items() if mark not in usual}
    found.token_coverage = get_token_coverage(found.hash_idx, found.k, len(found.filtered_code))


def _candidates(prints: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs that have any mark in common; by now no mark has many authors."""
    authors: dict[Any, list[str]] = defaultdict(list)
    for student in sorted(prints):
        for mark in prints[student].hashes:
            authors[mark].append(student)
    return sorted({pair for students in authors.values() for pair in combinations(students, 2)})


def _pair(one: Any, two: Any, compare: Any) -> Pair | None:
    tokens, shares, slices = compare(one, two)
    if tokens < LEAST_TOKENS or max(shares) < LEAST_SHARE:
        return None
    starts, ends = slices[0]
    longest = max(zip(starts, ends, strict=True), key=lambda piece: piece[1] - piece[0])
    piece = one.raw_code[int(longest[0]) : int(longest[1])].strip("\n")
    names = (one.filename.removesuffix(".py"), two.filename.removesuffix(".py"))
    return Pair(names, (min(1.0, float(shares[0])), min(1.0, float(shares[1]))), piece[:_SHOWN])
