"""Two models on the same held-out prompts and texts: each line's difference, and how far chance could move it.

Run as `python -m grading_utils.language_model.compare OLD NEW`; prints a table in Markdown. The interval is that of the
prompts drawn (a paired bootstrap): what another training seed would change is not in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from grading_utils.language_model.evaluate import FAMILIES, fact_hits, held_out
from grading_utils.language_model.sentiment import NEW_PAIRS, PAIRS, few_shot_hits
from grading_utils.language_model.subject import Subject

RESAMPLES = 2000
FLIPPED = (("bad", "good"), ("negative", "positive"), ("dog", "cat"))


@dataclass(frozen=True)
class Comparison:
    """One line: both values, and the middle 95 % of the differences of resampled prompts or texts."""

    name: str
    old: float
    new: float
    low: float
    high: float
    more_is_better: bool

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `within sampling error` where the interval holds 0."""
        if self.low <= 0 <= self.high:
            return "within sampling error"
        return "better" if (self.low > 0) == self.more_is_better else "worse"


def compare(old: Subject, new: Subject, samples: int) -> Iterator[Comparison]:
    """All lines in which two models can be compared.

    Args:
        old: The model that stands first in the table.
        new: The other one; better and worse are said of it.
        samples: How many prompts, questions, and texts of each family.
    """
    for pair in (*PAIRS, *NEW_PAIRS, *FLIPPED):
        hits = (few_shot_hits(subject, pair, samples) for subject in (old, new))
        yield of_hits(f"few-shot, {'/'.join(pair)}", *hits)
    hits = (few_shot_hits(subject, ("good", "bad"), samples, split="unlabelled words") for subject in (old, new))
    yield of_hits("few-shot, good/bad, with opinion words never labelled", *hits)
    facts = ([hit for _, hit in fact_hits(subject, samples)] for subject in (old, new))
    yield of_hits("facts in a wording not trained", *facts)
    for family in FAMILIES:
        texts = held_out(family, samples)
        costs = (torch.tensor([subject.bits(text) for text in texts]) for subject in (old, new))
        yield compared(f"bits per byte, {family}", *costs, more_is_better=False)


def of_hits(name: str, old: list[bool], new: list[bool]) -> Comparison:
    """Shares of right answers: of every prompt `(right, 1)`."""
    return compared(name, *(torch.tensor([(hit, 1) for hit in hits]) for hits in (old, new)), more_is_better=True)


def compared(name: str, old: Tensor, new: Tensor, *, more_is_better: bool) -> Comparison:
    """A paired bootstrap of the difference of two ratios.

    Args:
        name: The name of the line.
        old: Shape `(prompts, 2)`: what is summed, and what it is divided by; the same prompts in `old` and `new`.
        new: Likewise.
        more_is_better: Whether the larger ratio is the better one.
    """
    drawn = torch.randint(len(old), (RESAMPLES, len(old)), generator=torch.Generator().manual_seed(0))
    before, after = (_ratio(values.double()[drawn]) for values in (old, new))
    low, high = (after - before).quantile(torch.tensor([0.025, 0.975], dtype=torch.double)).tolist()
    return Comparison(name, float(_ratio(old.double())), float(_ratio(new.double())), low, high, more_is_better)


def _ratio(values: Tensor) -> Tensor:
    summed = values.sum(-2)
    return summed[..., 0] / summed[..., 1]


def main() -> None:
    """Print the table, line by line as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", help="a model folder")
    parser.add_argument("new", help="another one")
    parser.add_argument("--samples", type=int, default=1000, help="prompts, questions, and texts of each family")
    options = parser.parse_args()
    print("| line | old | new | difference, 95 % interval | |\n|---|---|---|---|---|")
    for line in compare(Subject.load(options.old), Subject.load(options.new), options.samples):
        values = f"{line.old:.3f} | {line.new:.3f} | {line.low:+.3f} to {line.high:+.3f}"
        print(f"| {line.name} | {values} | {line.verdict} |", flush=True)


if __name__ == "__main__":
    main()
