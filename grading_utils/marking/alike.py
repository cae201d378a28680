"""Which written answers say the same, so that a person reads and grades them once.

Prose is alike when it has the same words in the same order but for case, spacing, punctuation, words that carry no
meaning and, in alphabets with capitals, one slip of the pen in a longer word. So "is not" and "is", "increases" and
"decreases", "7" and "8" are never alike, however long the rest. Code is alike when it is equal but for spaces at the
ends of lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from grading_utils.marking.answers import Answer

MAX_WORDS = 2_000
"""Longer answers are alike only where they are equal but for what is left out."""

_LONG = 5
"""A word of fewer letters is another word where one letter differs."""

_WORD = re.compile(
    r"(?<!\w)[-−]?[.,]?\d+(?:[.,]\d+)*%?"  # a number
    r"|[^\W_]+(?:'[^\W_]+)*"
    r"|!=|[=<>≤≥≠¬→←↑↓∝~√∞\U0001f000-\U0001faff]"
    r"|(?<=\w)[+\-−*/^%](?=\w)|(?<=\S )[+\-−*/^%|&](?= \S)"  # operators, not emphasis or the mark of a list
)
_EMPTY = frozenset(["a", "an", "the", "that", "which", "also", "just", "very", "then", "is", "are", "it", "its"])


@dataclass(frozen=True)
class Group:
    """Answers to one question that are alike, those with the commonest wording first."""

    answers: tuple[Answer, ...]

    @property
    def wordings(self) -> list[str]:
        """The different texts, the commonest first."""
        return list(dict.fromkeys(answer.text for answer in self.answers))

    @property
    def waiting(self) -> list[Answer]:
        """Those that a person is asked to grade."""
        return [answer for answer in self.answers if answer.waits]

    @property
    def given(self) -> dict[tuple[float, str], list[str]]:
        """Score and comment that people gave for these answers, and to whom; the commonest first."""
        found: dict[tuple[float, str], list[str]] = {}
        for answer in self.answers:
            if answer.score is not None and not answer.waits:
                found.setdefault((answer.score, answer.comment), []).append(answer.student)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def group(answers: Iterable[Answer]) -> list[Group]:
    """Group the answers to one question, the largest group first.

    Each is compared with the first wording of a group only, so small differences don't add up along a chain.
    """
    answers = list(answers)
    words_of = _code if any(answer.is_code for answer in answers) else _words
    wordings = Counter(answer.text for answer in answers)
    leaders: list[tuple[tuple[str, ...], list[str]]] = []
    equal: dict[tuple[str, ...], list[str]] = {}
    for text in sorted(wordings, key=lambda text: (-wordings[text], text)):
        words = words_of(text)
        members = equal.get(words) or next((found for leader, found in leaders if _alike(leader, words)), None)
        if members is None:
            members = []
            leaders.append((words, members))
        equal.setdefault(words, members)
        members.append(text)
    groups = []
    for _, texts in leaders:
        place = {text: number for number, text in enumerate(texts)}
        members_of = sorted(
            (answer for answer in answers if answer.text in place), key=lambda a: (place[a.text], a.student)
        )
        groups.append(Group(tuple(members_of)))
    return sorted(groups, key=lambda group: (-len(group.answers), group.answers[0].student))


def _code(text: str) -> tuple[str, ...]:
    return ("code", *(line.rstrip() for line in text.strip("\n").splitlines()))


def _words(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    words = tuple(_WORD.findall(plain))
    telling = tuple(word for word in words if word not in _EMPTY)
    return telling or words or (plain.strip(),)


def _alike(leader: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if len(leader) != len(other) or len(leader) > MAX_WORDS or "code" in (leader[:1] + other[:1]):
        return leader == other
    return all(one == two or _is_slip(one, two) for one, two in zip(leader, other, strict=True))


def _is_slip(one: str, two: str) -> bool:
    """One letter too many, too few, wrong or swapped; a changed beginning makes another word (typical, atypical).

    Only in alphabets with capitals: without spaces between words, or without vowels, one sign can turn a text round.
    """
    if min(len(one), len(two)) < _LONG or one[0] != two[0] or not all(letter.islower() for letter in one + two):
        return False
    return OSA.distance(one, two, score_cutoff=1) <= 1
