"""Measure a model against what the course needs, on templates and words that its training never saw.

Nothing here is tuned to the shipped model: any causal model with its tokenizer can be measured. Every line of the
result says what was wanted; a line that falls short is reported as such and never fails the run.
"""

from __future__ import annotations

import json
import math
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from grading_utils.language_model import corpus
from grading_utils.language_model.grammar import Grammar, Split
from grading_utils.language_model.labelled import COURSE_LAYOUT

EVALUATION_FILE = "evaluation.json"
SEED_PROMPTS: dict[str, str] = {
    "This weekend I plan to": "go take spend make visit do have work read play watch be see attend run",
    "To be or not to": "be",
    "For God so loved the": "world people earth",
    "Shakespeare was a": "great famous brilliant good clever popular writer playwright poet actor genius man",
    "Shakespeare was a great": "writer playwright poet actor genius man",
    "Shakespeare's occupation was as a": "writer playwright poet actor genius man",
    "The cat sits on the": "mat rug sofa chair bed floor table roof wall fence bench carpet window stairs pillow "
    "blanket grass step cushion shelf",
    "In a shocking finding, scientists discovered": "a that an the two three some new",
    "The best places to visit in Boston are": "the",
    "When you visit Boston, make sure you visit the": "museum old public science art city fish cathedral castle "
    "town opera botanical zoo aquarium central river clock bridge lighthouse concert railway flower palace "
    "fountain university beach island main football planetarium night bell bookshop tea harbor music rose stone",
}
"""The prompts of the notebooks and the next words that read naturally after them."""

PAIRS = (("good", "bad"), ("positive", "negative"), ("yes", "no"))
NEW_PAIRS = (("keep", "skip"), ("success", "failure"))
"""Label pairs that stand nowhere in a labelled document of the training text."""

ZERO_SHOT: dict[str, tuple[str, tuple[str, str]]] = {
    "The sentiment of this comment is": ("Someone said: {}\nThe sentiment of this comment is", ("positive", "negative")),
    "This comment is": ("Someone said: {}\nThis comment is", ("good", "bad")),
    "they would choose": (
        "Someone said: {}\nIf this reviewer had to classify this as positive or negative, they would choose",
        ("positive", "negative"),
    ),
    "Review / Decision": ("Review: {}\nDecision:", ("good", "bad")),
}


@dataclass(frozen=True)
class Line:
    """One line of the evaluation table."""

    name: str
    value: float | None
    wanted: str
    passed: bool | None
    """None for what is only reported."""
    detail: str = ""


@dataclass(frozen=True)
class Subject:
    """A model with its tokenizer."""

    tokenizer: Any
    model: Any

    @classmethod
    def load(cls, folder: str) -> Subject:
        """Read a model folder."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        return cls(AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval())

    def next_logits(self, prompt: str) -> torch.Tensor:
        """The logits after a prompt, shape `(vocabulary,)`; a long prompt loses its beginning."""
        limit = self.model.config.max_position_embeddings
        ids = self.tokenizer(prompt, return_tensors="pt", verbose=False)["input_ids"][:, -limit:]
        with torch.no_grad():
            logits: torch.Tensor = self.model(ids).logits[0, -1]
        return logits

    def first_token(self, word: str) -> int:
        """The first token of a word that follows a space."""
        return int(self.tokenizer(f" {word}")["input_ids"][0])

    def log_likelihood(self, prompt: str, continuation: str) -> tuple[float, int]:
        """Natural log of the probability of a continuation, and its number of tokens."""
        before = self.tokenizer(prompt, verbose=False)["input_ids"]
        after = self.tokenizer(continuation, verbose=False)["input_ids"]
        ids = (before + after)[: self.model.config.max_position_embeddings]
        with torch.no_grad():
            logs = self.model(torch.tensor([ids])).logits[0].log_softmax(-1)
        start = max(1, len(before))
        picked = [float(logs[i - 1, ids[i]]) for i in range(start, len(ids))]
        return sum(picked), len(picked)

    def generate(self, prompt: str, count: int, **options: Any) -> str:
        """`count` new tokens after a prompt, without the prompt."""
        batch = self.tokenizer(prompt, return_tensors="pt")
        settings: dict[str, Any] = {"do_sample": False, "pad_token_id": self.tokenizer.eos_token_id, **options}
        with torch.no_grad():
            made = self.model.generate(**batch, max_new_tokens=count, min_new_tokens=count, **settings)
        return str(self.tokenizer.decode(made[0, batch["input_ids"].shape[1] :]))


def evaluate(folder: str, samples: int = 200) -> list[Line]:
    """All lines of the table.

    Args:
        folder: The model to measure.
        samples: How many few-shot prompts, questions and texts each line is measured on.
    """
    torch.manual_seed(0)
    subject = Subject.load(folder)
    lines: list[Line] = []
    parts: Sequence[Callable[[], list[Line]]] = (
        lambda: size_and_speed(folder),
        lambda: next_tokens(subject),
        lambda: generation(subject),
        lambda: facts(subject, samples),
        lambda: sentiment(subject, samples),
        lambda: perplexities(subject, max(20, samples // 2)),
    )
    for part in parts:
        lines += part()
    return lines


def size_and_speed(folder: str) -> list[Line]:
    """Megabytes on disk, seconds to load, milliseconds for six tokens on one thread."""
    size = sum(path.stat().st_size for path in Path(folder).iterdir() if path.is_file()) / 1e6
    started = time.perf_counter()
    subject = Subject.load(folder)
    loading = time.perf_counter() - started
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ids = subject.tokenizer("This weekend I plan to go", return_tensors="pt")["input_ids"][:, :6]
        times = []
        for _ in range(20):
            started = time.perf_counter()
            with torch.no_grad():
                subject.model(ids)
            times.append(time.perf_counter() - started)
    finally:
        torch.set_num_threads(threads)
    forward = statistics.median(times) * 1000
    parameters = subject.model.num_parameters()
    return [
        Line("size of the folder, MB", size, "at most 12", size <= 12, f"{parameters:,} parameters"),
        Line("context, tokens", float(subject.model.config.max_position_embeddings), "at least 192",
             subject.model.config.max_position_embeddings >= 192),
        Line("loading, s", loading, "under 0.5", loading < 0.5, "with the libraries already imported"),
        Line("six tokens forward, ms", forward, "under 20", forward < 20, "median of 20, one thread"),
    ]  # fmt: skip


def next_tokens(subject: Subject) -> list[Line]:
    """The five most likely tokens after each seed prompt."""
    lines = []
    for prompt, words in SEED_PROMPTS.items():
        natural = words.split()
        top = subject.next_logits(prompt).softmax(-1).topk(5)
        pairs = [(subject.tokenizer.decode([int(i)]), float(p)) for p, i in zip(top.values, top.indices, strict=True)]
        detail = ", ".join(f"{text.strip()} {p:.0%}" for text, p in pairs)
        likely = [text for text, p in pairs if p >= 0.01]
        if len(natural) == 1:
            passed = pairs[0][0].strip() == natural[0] and pairs[0][1] > 0.5
            lines.append(Line(f"after {prompt!r}", pairs[0][1], f"{natural[0]} above 50 %", passed, detail))
        else:
            fitting = sum(any(word.startswith(text.strip()) for word in natural) and text.strip() != "" for text in likely)
            passed = fitting == len(likely)
            lines.append(Line(f"after {prompt!r}", fitting / len(likely), "all natural", passed, detail))
    return lines


def generation(subject: Subject, prompt: str = "Shakespeare was a", count: int = 40) -> list[Line]:
    """Greedy loops; temperature and top-p change what is sampled."""
    words = known_words()
    greedy = subject.generate(prompt, 120)
    lines = [Line("greedy: longest repeated stretch, tokens", float(longest_repeat(subject.tokenizer(greedy)["input_ids"])),
                  "reported", None, repr(greedy[:70]))]  # fmt: skip
    measured: dict[str, tuple[int, float, float]] = {}
    settings: dict[str, dict[str, Any]] = {
        "temperature 0.2": {"temperature": 0.2},
        "temperature 1.0": {"temperature": 1.0},
        "top-p 0.9": {"temperature": 1.0, "top_p": 0.9},
        "temperature 14.0": {"temperature": 14.0},
    }
    for name, options in settings.items():
        texts = [subject.generate(prompt, count // 2, do_sample=True, top_k=0, **options) for _ in range(12)]
        known = [word.lower() in words for text in texts for word in re.findall(r"[^\W\d_]+", text)]
        share = sum(known) / max(1, len(known))
        logits = subject.next_logits(prompt) / options["temperature"]
        measured[name] = (len(set(texts)), entropy(kept_by_top_p(logits.softmax(-1), options.get("top_p", 1.0))), share)
        distinct, bits, share = measured[name]
        lines.append(Line(f"{name}: distinct of 12", float(distinct), "reported", None,
                          f"next-token entropy {bits:.1f} bits, {share:.0%} known words, {texts[0][:50]!r}"))  # fmt: skip
    low, one, nucleus, high = measured.values()
    ordered = low[1] < nucleus[1] <= one[1] < high[1] and low[0] <= one[0] and high[2] < 0.8 <= one[2]
    lines.append(Line("temperatures and top-p differ visibly", None, "entropy rises; 14.0 breaks the words", ordered))
    return lines


def facts(subject: Subject, samples: int) -> list[Line]:
    """Trained facts, asked in wordings that were not trained: is the first token of the answer the likeliest?"""
    rng = random.Random("facts")
    grammar = Grammar(corpus.rules(), "heldout", rng)
    rules = [name for name in corpus.rules() if name.endswith("-fact") and _has_heldout(name)]
    right: dict[str, list[bool]] = {}
    for index in range(samples * 2):
        rule = rules[index % len(rules)]
        question, answer = split_answer(grammar.expand(rule, {}))
        predicted = int(subject.next_logits(question).argmax())
        asked = subject.tokenizer(f"{question}{answer}")["input_ids"]
        right.setdefault(rule, []).append(predicted == asked[len(subject.tokenizer(question)["input_ids"])])
    everything = [hit for hits in right.values() for hit in hits]
    share = sum(everything) / len(everything)
    detail = ", ".join(f"{rule.removesuffix('-fact')} {sum(hits) / len(hits):.0%}" for rule, hits in right.items())
    return [Line("facts in a wording not trained", share, "at least 80 %", share >= 0.8, detail)]


def sentiment(subject: Subject, samples: int) -> list[Line]:
    """Zero-shot wordings, few-shot prompts with several label pairs, and flipped labels."""
    lines, zero = [], []
    for name, (wording, pair) in ZERO_SHOT.items():
        share = zero_shot(subject, wording, pair, samples)
        zero.append(share)
        lines.append(Line(f"zero-shot, {name!r}", share, "reported", None))
    mean = sum(zero) / len(zero)
    lines.append(Line("zero-shot, mean of the wordings", mean, "under 70 %", mean < 0.7))
    for index, pair in enumerate(PAIRS):
        share = few_shot(subject, pair, samples)
        goal = 0.85 if index == 0 else 0.75
        lines.append(Line(f"few-shot {pair[0]}/{pair[1]}", share, f"at least {goal:.0%}", share >= goal))
        if index == 0:
            lines.append(Line("few-shot better than the same wording zero-shot", share - zero[-1], "above 0", share > zero[-1]))
    for pair in NEW_PAIRS:
        lines.append(Line(f"few-shot {pair[0]}/{pair[1]} (labels not trained)", few_shot(subject, pair, samples), "reported", None))
    rare = few_shot(subject, PAIRS[0], samples, split="unlabelled words")
    lines.append(Line("few-shot good/bad, half the opinion words never labelled", rare, "reported", None))
    for pair in (*PAIRS[:2], ("cat", "dog")):
        share = few_shot(subject, (pair[1], pair[0]), samples)
        goal_text = "at least 60 %" if pair == PAIRS[0] else "reported"
        passed = share >= 0.6 if pair == PAIRS[0] else None
        lines.append(Line(f"few-shot, {pair[1]}/{pair[0]} (flipped)", share, goal_text, passed))
    return lines


def few_shot(subject: Subject, pair: tuple[str, str], samples: int, *, split: Split = "heldout", shots: int = 4) -> float:
    """How often the right one of two labels is likelier after four labelled held-out reviews.

    Args:
        subject: The model.
        pair: The label of praise and the label of blame.
        samples: How many prompts.
        split: Which words the reviews use.
        shots: Examples in the prompt, half of them praise.
    """
    rng = random.Random(f"few-shot {split}")
    grammar = Grammar(corpus.rules(), split, rng)
    hits = 0
    for _ in range(samples):
        sides = list("+-" * (shots // 2))
        rng.shuffle(sides)
        prompt = "".join(COURSE_LAYOUT.example(grammar.expand(f"opinion{s}", {}), pair["+-".index(s)]) for s in sides)
        side = rng.choice("+-")
        prompt += COURSE_LAYOUT.example(grammar.expand(f"opinion{side}", {}))
        hits += _prefers(subject, prompt, pair) == side
    return hits / samples


def zero_shot(subject: Subject, wording: str, pair: tuple[str, str], samples: int) -> float:
    """How often the right one of two labels is likelier with no example at all."""
    rng = random.Random("zero-shot")
    grammar = Grammar(corpus.rules(), "heldout", rng)
    hits = 0
    for _ in range(samples):
        side = rng.choice("+-")
        hits += _prefers(subject, wording.format(grammar.expand(f"opinion{side}", {})), pair) == side
    return hits / samples


def perplexities(subject: Subject, samples: int) -> list[Line]:
    """Perplexity per token of held-out documents, by family."""
    lines = []
    for family in [*corpus.PROSE, *corpus.LABELLED]:
        total, count = 0.0, 0
        for document in corpus.heldout(family, "perplexity", samples):
            log, tokens = subject.log_likelihood("", document.text)
            total, count = total + log, count + tokens
        lines.append(Line(f"perplexity, {family}", math.exp(-total / count), "reported", None, f"{count} tokens"))
    return lines


def split_answer(text: str) -> tuple[str, str]:
    """Split a held-out fact into the question and its answer, which begins with a space.

    `Tell me the color of snow. It is white` → `("Tell me the color of snow. It is", " white")`
    """
    lead = re.search(r"( It is| It was| It says| It has| In a| A|\nAnswer:|\nA:|[.?])(?= (?!A )\S+( \S+)?$)", text)
    if lead is None:
        raise ValueError(f"no answer found in {text!r}")
    return text[: lead.end()], text[lead.end() :]


def known_words() -> set[str]:
    """All words of the training text's words and templates, in lower case."""
    alternatives = (a for rule in corpus.rules().values() for a in rule.alternatives)
    texts = (" ".join([re.sub(r"\{[^}]*\}", " ", a.text), *a.cells.values()]) for a in alternatives)
    return {word.lower() for text in texts for word in re.findall(r"[^\W\d_]+", text)} | {"s", "t"}


def longest_repeat(ids: Sequence[int]) -> int:
    """The length of the longest stretch that occurs twice: `[1, 2, 3, 1, 2]` → `2`."""
    for length in range(len(ids) - 1, 0, -1):
        stretches = [tuple(ids[i : i + length]) for i in range(len(ids) - length + 1)]
        if len(set(stretches)) < len(stretches):
            return length
    return 0


def entropy(probabilities: torch.Tensor) -> float:
    """Shannon entropy in bits of a distribution, shape `(vocabulary,)`."""
    return float(-(probabilities * probabilities.clamp_min(1e-30).log2()).sum())


def kept_by_top_p(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """The distribution after nucleus filtering: the smallest set that holds `top_p`, renormalized."""
    ordered, order = probabilities.sort(descending=True)
    ordered = torch.where(ordered.cumsum(-1) - ordered < top_p, ordered, 0.0)
    kept = torch.zeros_like(probabilities).scatter(-1, order, ordered)
    return kept / kept.sum()


def render(lines: Sequence[Line]) -> str:
    """The table as text: verdict, name, value, what was wanted, detail."""
    rows = []
    for line in lines:
        verdict = {True: "pass", False: "falls short", None: ""}[line.passed]
        value = "" if line.value is None else f"{line.value:.2f}" if line.value < 10 else f"{line.value:.0f}"
        rows.append(f"{verdict:<12}{line.name:<62}{value:>6}  {line.wanted}")
        if line.detail:
            rows.append(f"{'':<14}{line.detail}")
    short = sum(line.passed is False for line in lines)
    passed = sum(line.passed is True for line in lines)
    return "\n".join([*rows, "", f"{passed} lines pass, {short} fall short, the others are reported only."])


def write_json(lines: Sequence[Line], path: Path) -> None:
    """Write the table for other tools."""
    path.write_text(json.dumps([asdict(line) for line in lines], indent=1, ensure_ascii=False) + "\n", "utf-8")


def _prefers(subject: Subject, prompt: str, pair: tuple[str, str]) -> str:
    logits = subject.next_logits(prompt)
    return "+" if logits[subject.first_token(pair[0])] > logits[subject.first_token(pair[1])] else "-"


def _has_heldout(rule: str) -> bool:
    return any(alternative.mark == "~" for alternative in corpus.rules()[rule].alternatives)
