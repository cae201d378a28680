"""Measure a model against what the course needs, on templates and words that its training never saw.

Nothing here is tuned to the shipped model: any causal model with its tokenizer can be measured. Every line of the
result says what was wanted; a line that falls short is reported as such and never fails the run.
"""

from __future__ import annotations

import itertools
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from grading_utils.language_model import corpus
from grading_utils.language_model.grammar import Grammar
from grading_utils.language_model.lessons_show import lessons_show
from grading_utils.language_model.lines import Line
from grading_utils.language_model.sentiment import NEW_PAIRS, PAIRS, ZERO_SHOT, few_shot, zero_shot
from grading_utils.language_model.subject import Subject, entropy, kept_by_top_p, longest_repeat

SEED_PROMPTS: dict[str, str] = {
    "This weekend I plan to": "go take spend make visit do have work read play watch be see attend run",
    "To be or not to": "be",
    "For God so loved the": "world people earth",
    "Shakespeare was a": "great famous brilliant good clever popular writer playwright poet actor genius man",
    "Shakespeare was a great": "writer playwright poet actor genius man",
    "Shakespeare's occupation was as a": "writer playwright poet actor genius man",
    "The cat sits on the": "mat rug sofa chair bed floor table roof wall fence bench carpet window stairs pillow "
    "blanket grass step cushion shelf",
    "In a shocking finding, scientists discovered": "a that an the some new two three four five six "
    "seven eight nine ten eleven twelve twenty thirty forty fifty",
    "The best places to visit in Boston are": "the",
    "When you visit Boston, make sure you visit the": "museum old public science art city fish cathedral castle "
    "town opera botanical zoo aquarium central river clock bridge lighthouse concert railway flower palace "
    "fountain university beach island main football planetarium night bell bookshop tea harbor music rose stone",
}
"""The prompts of the notebooks and the next words that read naturally after them."""


SAMPLING = (("temperature 0.2", 0.2, 1.0), ("top-p 0.9", 1.0, 0.9), ("temperature 1.0", 1.0, 1.0),
            ("temperature 14.0", 14.0, 1.0))  # fmt: skip
"""Name, temperature and top-p of the settings that the notebooks compare."""
FAMILIES = (*corpus.PROSE, *corpus.LABELLED, *corpus.ALIGNED)


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
        lambda: sentiment_lines(subject, samples),
        lambda: lessons_show(subject, samples),
        lambda: held_out_text(subject, max(20, samples // 2)),
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
            fitting = sum(_begins_one_of(text.strip(), natural) for text in likely)
            passed = fitting == len(likely)
            lines.append(Line(f"after {prompt!r}", fitting / len(likely), "all natural", passed, detail))
    return lines


def generation(subject: Subject, prompt: str = "Shakespeare was a", count: int = 20) -> list[Line]:
    """Greedy loops; temperature and top-p change what is sampled."""
    words = known_words()
    greedy = subject.generate(prompt, 120)
    repeated = longest_repeat(subject.tokenizer(greedy)["input_ids"])
    lines = [Line("greedy, 120 tokens: longest repeated stretch", repeated, "reported", None, repr(greedy[:90]))]
    bits: dict[str, float] = {}
    known: dict[str, float] = {}
    distinct: dict[str, int] = {}
    for name, temperature, top_p in SAMPLING:
        options = {"do_sample": True, "top_k": 0, "temperature": temperature, "top_p": top_p}
        texts = [subject.generate(prompt, count, **options) for _ in range(12)]
        found = [word.lower() in words for text in texts for word in re.findall(r"[^\W\d_]+", text)]
        known[name] = sum(found) / max(1, len(found))
        distinct[name] = len(set(texts))
        bits[name] = entropy(kept_by_top_p((subject.next_logits(prompt) / temperature).softmax(-1), top_p))
        detail = f"next token {bits[name]:.1f} bits, {known[name]:.0%} known words, {texts[0][:60]!r}"
        lines.append(Line(f"{name}: distinct of 12", distinct[name], "reported", None, detail))
    low, nucleus, one, high = (name for name, *_ in SAMPLING)
    differ = bits[low] < bits[nucleus] < bits[one] < bits[high] and distinct[low] < distinct[one]
    differ = differ and known[high] < 0.9 < known[one]
    lines.append(Line("temperatures and top-p differ visibly", None, "entropy rises; 14.0 breaks words", differ))
    return lines


def facts(subject: Subject, samples: int) -> list[Line]:
    """Trained facts, asked in wordings that were not trained: is the first token of the answer the likeliest?"""
    hits = fact_hits(subject, samples * 2)
    share = statistics.mean(hit for _, hit in hits)
    shares = {rule: statistics.mean(hit for other, hit in hits if other == rule) for rule, _ in hits}
    detail = ", ".join(f"{rule.removesuffix('-fact')} {part:.0%}" for rule, part in shares.items())
    return [Line("facts in a wording not trained", share, "at least 80 %", share >= 0.8, detail)]


def fact_hits(subject: Subject, questions: int) -> list[tuple[str, bool]]:
    """For every question: the rule that wrote it, and whether the answer's first token is the likeliest."""
    grammar = Grammar(corpus.rules(), "heldout", random.Random("facts"))
    rules = [name for name in corpus.rules() if name.endswith("-fact") and _has_heldout(name)]
    hits = []
    for rule in itertools.islice(itertools.cycle(rules), questions):
        question, answer = split_answer(grammar.expand(rule, {}))
        predicted = int(subject.next_logits(question).argmax())
        asked = subject.tokenizer(f"{question}{answer}")["input_ids"]
        hits.append((rule, predicted == asked[len(subject.tokenizer(question)["input_ids"])]))
    return hits


def sentiment_lines(subject: Subject, samples: int) -> list[Line]:
    """Zero-shot wordings, few-shot prompts with several label pairs, and flipped labels."""
    asked = {name: zero_shot(subject, wording, pair, samples) for name, (wording, pair) in ZERO_SHOT.items()}
    mean = sum(asked.values()) / len(asked)
    lines = [Line(f"zero-shot, {name!r}", share, "reported") for name, share in asked.items()]
    lines.append(Line("zero-shot, mean of the wordings", mean, "under 70 %", mean < 0.7))
    for pair, goal in PAIRS.items():
        share = few_shot(subject, pair, samples)
        lines.append(Line(f"few-shot, {'/'.join(pair)}", share, f"at least {goal:.0%}", share >= goal))
    gain = few_shot(subject, ("good", "bad"), samples) - asked["Review / Decision"]
    lines.append(Line("few-shot good/bad minus the same wording zero-shot", gain, "above 0", gain > 0))
    for pair in NEW_PAIRS:
        share = few_shot(subject, pair, samples)
        lines.append(Line(f"few-shot, {'/'.join(pair)} (labels not trained)", share, "reported"))
    rare = few_shot(subject, ("good", "bad"), samples, split="unlabelled words")
    lines.append(Line("few-shot, good/bad, with opinion words never labelled", rare, "reported"))
    flipped = few_shot(subject, ("bad", "good"), samples)
    lines.append(Line("few-shot, bad/good (flipped)", flipped, "at least 60 %", flipped >= 0.6))
    for pair in (("negative", "positive"), ("dog", "cat")):
        lines.append(Line(f"few-shot, {'/'.join(pair)} (flipped)", few_shot(subject, pair, samples), "reported"))
    return lines


def held_out_text(subject: Subject, samples: int) -> list[Line]:
    """Bits per byte of held-out documents, by family."""
    lines = []
    for family in FAMILIES:
        costs = [subject.bits(text) for text in held_out(family, samples)]
        bits, size = (sum(column) for column in zip(*costs, strict=True))
        lines.append(Line(f"bits per byte, {family}", bits / size, "reported", None, f"{size:,.0f} bytes"))
    return lines


def held_out(family: str, samples: int) -> list[str]:
    """Documents of a family in templates and words that training never saw, their first 500 characters each.

    So much fits into a context, and every model is measured on the same text.
    """
    return [document.text[:500] for document in corpus.heldout(family, "perplexity", samples)]


def split_answer(written: str) -> tuple[str, str]:
    """Split a fact as the grammar writes it into the question and its answer, which begins with a space.

    `Tell me the color of snow. It is [white]` → `("Tell me the color of snow. It is", " white")`
    """
    question, answer = written.removesuffix("]").split(" [")
    return question, f" {answer}"


def known_words() -> set[str]:
    """The words of five thousand training documents, in lower case: the dictionary of this corpus."""
    sample = itertools.islice(corpus.documents("known words"), 5000)
    return {word.lower() for document in sample for word in re.findall(r"[^\W\d_]+", document.text)}


def _begins_one_of(token: str, words: Sequence[str]) -> bool:
    return any(word == token or (len(token) > 2 and word.startswith(token)) for word in words)


def _has_heldout(rule: str) -> bool:
    return any(alternative.mark == "~" for alternative in corpus.rules()[rule].alternatives)
