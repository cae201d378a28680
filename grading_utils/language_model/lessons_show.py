"""What the notebooks show with a model, measured over more prompts than they have: lines of the evaluation.

Runs of spaces, greedy text that goes round in circles and its cures, a top ten with more than one bar, conversations
of two, and what the order of examples does. What a notebook's own cells print is tied to its sentences by its test.
"""

from __future__ import annotations

import random
import re
import statistics
from itertools import permutations
from typing import Any

import torch

from grading_utils.language_model import corpus
from grading_utils.language_model.grammar import Grammar
from grading_utils.language_model.lines import Line
from grading_utils.language_model.sentiment import few_shot
from grading_utils.language_model.subject import Subject

LONGEST_RUN = 16
OPENINGS = ("Shakespeare was a", "Once upon a time", "This weekend I plan to", "The best places to visit in Boston are",
            "My brother went to the", "In a shocking finding, scientists discovered", "Every day I", "We")  # fmt: skip
OPEN_ENDED = ("This weekend I plan to", "On Monday we went to the", "When you visit Boston, make sure you visit the",
              "My brother went to the", "The cat sits on the")  # fmt: skip
"""Prompts after which many words are right."""
WORDS = ("Grandma", "Shakespeare", "river", "tea", "bread", "weekend", "teacher", "music")
TOKENS = 60
REPEATED_GREEDY, REPEATED_DRAWN, PENALTY = 0.4, 0.15, 1.3
"""`05` says from 0.3 on that a text goes round in circles."""


def lessons_show(subject: Subject, samples: int) -> list[Line]:
    """All lines of this module.

    Args:
        subject: The model.
        samples: How many conversations, and prompts for each order of examples.
    """
    return [*spaces(subject), *repetition(subject), top_ten(subject), *conversations(subject, samples // 2),
            *orders(subject, samples)]  # fmt: skip


def spaces(subject: Subject) -> list[Line]:
    """Runs of spaces before a word are one token; a space before a word changes its split."""
    runs = range(2, LONGEST_RUN + 1)
    splits = [subject.tokenizer.tokenize("a" + " " * (run + 1) + "cat") for run in runs]
    merged = sum(len(split) == 3 for split in splits) / len(runs)
    changed = [word for word in WORDS if _pieces(subject, word) != _pieces(subject, f" {word}")]
    share = len(changed) / len(WORDS)
    return [
        Line(f"runs of 2 to {LONGEST_RUN} spaces: one token before a word", merged, "all", merged == 1),
        Line("words that a space in front splits otherwise", share, "at least 50%", share >= 0.5, " ".join(changed)),
    ]


def _pieces(subject: Subject, text: str) -> list[str]:
    """Where a text is split, whatever stands for the space at its beginning."""
    return [piece.lstrip("Ġ") for piece in subject.tokenizer.tokenize(text)]


def repetition(subject: Subject) -> list[Line]:
    """Which share of the runs of three tokens has come before: in greedy text, and with each of two cures."""
    ways: dict[str, dict[str, Any]] = {
        "greedy": {},
        "drawn": {"do_sample": True, "top_k": 0},
        f"greedy, repetition penalty {PENALTY}": {"repetition_penalty": PENALTY},
    }
    torch.manual_seed(0)
    shares, details = {}, {}
    for way, options in ways.items():
        texts = {opening: subject.generate(opening, TOKENS, **options) for opening in OPENINGS}
        found = {opening: repeated(_ids(subject, text)) for opening, text in texts.items()}
        shares[way] = statistics.mean(found.values())
        details[way] = ", ".join(f"{opening.split()[0]} {share:.0%}" for opening, share in found.items())
    greedy, drawn, penalty = shares
    wanted = {greedy: f"at least {REPEATED_GREEDY:.0%}", drawn: f"under {REPEATED_DRAWN:.0%}",
              penalty: "under half of greedy"}  # fmt: skip
    passed = {greedy: shares[greedy] >= REPEATED_GREEDY, drawn: shares[drawn] < REPEATED_DRAWN,
              penalty: shares[penalty] < shares[greedy] / 2}  # fmt: skip
    return [Line(f"runs of three that repeat, {way}", shares[way], wanted[way], passed[way], details[way])
            for way in ways]  # fmt: skip


def repeated(ids: list[int]) -> float:
    """The share of the runs of three ids that have come before: `[1, 2, 3, 1, 2, 3]` → `0.25`."""
    runs = [tuple(ids[place : place + 3]) for place in range(len(ids) - 2)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def top_ten(subject: Subject) -> Line:
    """Ten words share the probability after a prompt that many words may follow, none of them most of it."""
    tops = {prompt: subject.next_logits(prompt).softmax(-1).topk(10) for prompt in OPEN_ENDED}
    flat = 0
    for top in tops.values():
        texts = [subject.tokenizer.decode([int(index)]) for index in top.indices]
        flat += float(top.values[0]) < 0.4 and all(re.fullmatch(r" [A-Za-z]+", text) for text in texts)
    detail = ", ".join(f"{prompt!r} {float(top.values[0]):.0%} of {float(top.values.sum()):.0%}"
                       for prompt, top in tops.items())  # fmt: skip
    share = flat / len(OPEN_ENDED)
    return Line("top ten: ten words, none above 40 %", share, "all prompts", share == 1, detail)


def conversations(subject: Subject, samples: int) -> list[Line]:
    """Two people who take turns: a reply that names a place, and after it nobody but the one who asked."""
    rng = random.Random("conversations")
    grammar = Grammar(corpus.rules(), "running", rng)
    named = alternate = 0
    sights = {alternative.text for alternative in corpus.rules()["sight"].alternatives}
    for _ in range(samples):
        asking, answering = (grammar.expand("name") for _ in range(2))
        prompt = f"Two friends talk.\n\n{asking}: What should I see in {grammar.expand('city')}?\n{answering}:"
        reply, *others = re.split(r"\n(?=[^\n:]+:)", subject.generate(prompt, TOKENS, min_new_tokens=0))
        named += any(sight in reply for sight in sights)
        speakers = [turn.split(":")[0] for turn in others]
        alternate += speakers == [(asking, answering)[index % 2] for index in range(len(speakers))]
    return [
        Line("conversations: the reply names a place", named / samples, "at least 90%", named >= 0.9 * samples),
        Line("conversations: two people in turn, no third", alternate / samples, "at least 80%",
             alternate >= 0.8 * samples),
    ]  # fmt: skip


def orders(subject: Subject, samples: int) -> list[Line]:
    """Few-shot accuracy for all orders of two examples of each kind, and for four of one kind."""
    balanced = {order: few_shot(subject, ("good", "bad"), samples, order=order)
                for order in sorted({"".join(order) for order in permutations("++--")})}  # fmt: skip
    one_kind = [few_shot(subject, ("good", "bad"), samples, order=side * 4) for side in "+-"]
    detail = ", ".join(f"{order} {share:.0%}" for order, share in balanced.items())
    spread = max(balanced.values()) - min(balanced.values())
    best_of_one, least = max(one_kind), min(balanced.values())
    return [
        Line("few-shot good/bad: best order minus worst, balanced", spread, "reported", None, detail),
        Line("few-shot good/bad: four of one kind", best_of_one, "under every balanced order", best_of_one < least),
    ]


def _ids(subject: Subject, text: str) -> list[int]:
    ids: list[int] = subject.tokenizer(text)["input_ids"]
    return ids
