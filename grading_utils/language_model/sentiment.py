"""Does a model find the sentiment of a held-out review: asked without examples, and after four labelled ones?

A prediction is the likelier of the two labels' first tokens; what else the model would rather say is ignored.
"""

from __future__ import annotations

import random
import statistics

from grading_utils.language_model import corpus
from grading_utils.language_model.grammar import Grammar, Split
from grading_utils.language_model.labelled import COURSE_LAYOUT
from grading_utils.language_model.subject import Subject

PAIRS = {("good", "bad"): 0.85, ("positive", "negative"): 0.75, ("yes", "no"): 0.75}
"""Label pairs of the course and the share of right answers that each should reach."""
NEW_PAIRS = (("keep", "skip"), ("success", "failure"))
"""Label pairs that stand nowhere in a labelled document of the training text."""

ZERO_SHOT: dict[str, tuple[str, tuple[str, str]]] = {
    "The sentiment of this comment is": (
        "Someone said: {}\nThe sentiment of this comment is",
        ("positive", "negative"),
    ),
    "This comment is": ("Someone said: {}\nThis comment is", ("good", "bad")),
    "they would choose": (
        "Someone said: {}\nIf this reviewer had to classify this as positive or negative, they would choose",
        ("positive", "negative"),
    ),
    "Review / Decision": ("Review: {}\nDecision:", ("good", "bad")),
}


def few_shot(
    subject: Subject, pair: tuple[str, str], samples: int, *, split: Split = "heldout", order: str | None = None
) -> float:
    """How often the right one of two labels is likelier after labelled held-out reviews; as `few_shot_hits`."""
    return statistics.mean(few_shot_hits(subject, pair, samples, split=split, order=order))


def few_shot_hits(
    subject: Subject, pair: tuple[str, str], samples: int, *, split: Split = "heldout", order: str | None = None
) -> list[bool]:
    """For every prompt: is the right one of two labels likelier after labelled held-out reviews?

    Args:
        subject: The model.
        pair: The label of praise and the label of blame.
        samples: How many prompts; the same ones for every model and every pair.
        split: Which words the reviews use.
        order: The sides of the examples, such as `"+-+-"`; None for two of each, shuffled for every prompt.
    """
    rng = random.Random(f"few-shot {split}")
    grammar = Grammar(corpus.rules(), split, rng)
    hits = []
    for _ in range(samples):
        sides = list(order or "+-+-")
        if order is None:
            rng.shuffle(sides)
        prompt = "".join(COURSE_LAYOUT.example(grammar.expand(f"opinion{s}", {}), pair["+-".index(s)]) for s in sides)
        side = rng.choice("+-")
        prompt += COURSE_LAYOUT.example(grammar.expand(f"opinion{side}", {}))
        hits.append(_prefers(subject, prompt, pair) == side)
    return hits


def zero_shot(subject: Subject, wording: str, pair: tuple[str, str], samples: int) -> float:
    """How often the right one of two labels is likelier with no example at all."""
    rng = random.Random("zero-shot")
    grammar = Grammar(corpus.rules(), "heldout", rng)
    hits = 0
    for _ in range(samples):
        side = rng.choice("+-")
        hits += _prefers(subject, wording.format(grammar.expand(f"opinion{side}", {})), pair) == side
    return hits / samples


def _prefers(subject: Subject, prompt: str, pair: tuple[str, str]) -> str:
    logits = subject.next_logits(prompt)
    return "+" if logits[subject.first_token(pair[0])] > logits[subject.first_token(pair[1])] else "-"
