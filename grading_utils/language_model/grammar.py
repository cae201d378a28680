"""A small probabilistic grammar: text files with templates and words in, English sentences out.

A rule is a list of alternatives. In a template, `{animal}` expands a rule, `{a:animal}` also remembers the result
so that `{a}` repeats it, `{c.capital}` reads a column of the row that `{c:country}` picked, and `{go out|past}`-like
modifiers (`|a`, `|cap`, `|past`, `|ing`, `|s`, `|plural`) inflect. Alternatives marked `~` are held out: training
never sees them, evaluation prefers them. Those marked `^` stand in running text but never in a labelled document.
The grammar knows no family of text; those are in `templates/`.

File formats (`#` starts a comment line):

* `words/*.txt`: `name: one, two, ~three` and tables `name(column other): a | b; c | d`;
* `templates/*.txt`: `== name` starts a rule, then one template per line, `5: ` in front is its weight,
  `\\n` a new line. A rule whose name contains `±` is read twice, as `+` and as `-`, templates included.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Literal

from grading_utils.language_model import inflect

Split = Literal["running", "labelled", "heldout", "unlabelled words"]

_SLOT = re.compile(r"\{([^{}]+)\}")
_WEIGHT = re.compile(r"(\d+): ")
_MODIFIERS: dict[str, Callable[[str], str]] = {
    "a": inflect.with_article,
    "cap": inflect.capitalized,
    "past": inflect.past,
    "ing": inflect.gerund,
    "s": inflect.third,
    "plural": inflect.plural,
    "lower": str.lower,
}


@dataclass(frozen=True)
class Alternative:
    """One way to expand a rule."""

    text: str
    weight: int
    mark: str
    """`~` for held out, `^` for never in a labelled document, else empty."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """The columns by name, when the rule is a table."""


@dataclass(frozen=True)
class Slot:
    """A parsed `{name:rule|modifier}` of a template."""

    bind: str
    rule: str
    column: str
    modifiers: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A named list of alternatives."""

    name: str
    alternatives: tuple[Alternative, ...]
    is_word_list: bool = False


class Grammar:
    """Expands rules with one random generator, in one split of the alternatives.

    Args:
        rules: All rules by name.
        split: Training uses `"running"` (never `~`) and `"labelled"` (neither `~` nor `^`). Evaluation uses
            `"heldout"` (`~` templates wherever a rule has any, every second word `~`) and `"unlabelled words"`
            (the same with `^` words among the new ones).
        rng: The only source of chance; text seeds keep it independent of `PYTHONHASHSEED`.
    """

    def __init__(self, rules: dict[str, Rule], split: Split, rng: random.Random) -> None:
        self._rng = rng
        self._choices = {name: _choices(rule, split) for name, rule in rules.items()}

    def expand(self, rule: str, bound: dict[str, Alternative] | None = None) -> str:
        """One random text of a rule.

        Args:
            rule: The rule's name.
            bound: What `{name:rule}` has remembered so far; shared with the rules inside, and filled by them.

        Raises:
            KeyError: A template names a rule that does not exist.
        """
        return self._fill(self.pick(rule).text, {} if bound is None else bound)

    def pick(self, rule: str) -> Alternative:
        """One random alternative of a rule, not yet filled in."""
        alternatives, cumulative = self._choices[rule]
        return self._rng.choices(alternatives, cum_weights=cumulative)[0]

    def _fill(self, template: str, bound: dict[str, Alternative]) -> str:
        if "{" not in template:
            return template
        parts = []
        for piece in _parsed(template):
            parts.append(piece if isinstance(piece, str) else self._slot(piece, bound))
        return "".join(parts)

    def _slot(self, slot: Slot, bound: dict[str, Alternative]) -> str:
        if slot.rule:
            chosen = self.pick(slot.rule)
            if slot.bind:
                taken = {id(other) for name, other in bound.items() if name != slot.bind}
                for _ in range(20):  # two names in one text are two different things wherever that is possible
                    if id(chosen) not in taken:
                        break
                    chosen = self.pick(slot.rule)
                if "{" in chosen.text:
                    text = self._fill(chosen.text, bound)
                    chosen = Alternative(text, chosen.weight, chosen.mark, chosen.cells)
                bound[slot.bind] = chosen
        else:
            chosen = bound[slot.bind]
        text = chosen.cells[slot.column] if slot.column else self._fill(chosen.text, bound)
        for modifier in slot.modifiers:
            text = _MODIFIERS[modifier](text)
        return text


def load_rules(folder: Path) -> dict[str, Rule]:
    """Read `words/` and `templates/` under a folder.

    Raises:
        ValueError: A file breaks the format, a rule is defined twice, or a template names an unknown rule.
    """
    rules: dict[str, Rule] = {}
    for path in sorted((folder / "words").glob("*.txt")):
        _add(rules, _read_words(path))
    for path in sorted((folder / "templates").glob("*.txt")):
        _add(rules, _read_templates(path))
    for rule in rules.values():
        for alternative in rule.alternatives:
            for piece in _parsed(alternative.text):
                if isinstance(piece, Slot) and piece.rule and piece.rule not in rules:
                    raise ValueError(f"rule {rule.name!r} uses an unknown rule {piece.rule!r}")
    return rules


def _add(rules: dict[str, Rule], new: Iterable[Rule]) -> None:
    for rule in new:
        if rule.name in rules:
            raise ValueError(f"rule {rule.name!r} is defined twice")
        if not rule.alternatives:
            raise ValueError(f"rule {rule.name!r} is empty")
        rules[rule.name] = rule


def _read_words(path: Path) -> Iterable[Rule]:
    text = "\n".join(line for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    for entry in re.split(r"\n\s*\n", text.strip()):
        head, _, body = entry.partition(":")
        table = re.fullmatch(r"(\S+)\(([\w ]+)\)", head.strip())
        name, columns = (table[1], tuple(table[2].split())) if table else (head.strip(), ())
        items = [" ".join(item.split()) for item in body.split(";" if table else ",")]
        yield Rule(name, tuple(_word(item, columns, path) for item in items if item), is_word_list=True)


def _word(item: str, columns: tuple[str, ...], path: Path) -> Alternative:
    mark, text = _marked(item)
    row = [cell.strip() for cell in text.split("|")] if columns else [text]
    if columns and len(row) != len(columns):
        raise ValueError(f"{path.name}: {item!r} does not have the columns {', '.join(columns)}")
    return Alternative(row[0], 1, mark, dict(zip(columns, row, strict=True)) if columns else {})


def _marked(item: str) -> tuple[str, str]:
    return (item[0], item[1:].strip()) if item[0] in "~^" else ("", item)


def _read_templates(path: Path) -> Iterable[Rule]:
    blocks: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("== "):
            current = blocks.setdefault(line.removeprefix("== ").strip(), [])
        elif line.strip() and not line.startswith("#"):
            if current is None:
                raise ValueError(f"{path.name}: a template stands before the first rule: {line!r}")
            current.append(line)
    for name, lines in blocks.items():
        for sign in "+-" if "±" in name else ("",):
            yield Rule(name.replace("±", sign), tuple(_template(line.replace("±", sign)) for line in lines))


def _template(line: str) -> Alternative:
    mark, text = _marked(line.strip())
    weight = _WEIGHT.match(text)
    text = text[weight.end() :] if weight else text
    return Alternative(text.replace("\\n", "\n"), int(weight[1]) if weight else 1, mark)


def _choices(rule: Rule, split: Split) -> tuple[list[Alternative], list[int]]:
    trained = [a for a in rule.alternatives if a.mark == "" or (a.mark == "^" and split == "running")]
    if split in ("running", "labelled"):
        return trained, list(accumulate(a.weight for a in trained))
    new = [a for a in rule.alternatives if a.mark == "~" or (a.mark == "^" and split == "unlabelled words")]
    if not new or not rule.is_word_list:
        kept = new or trained
        return kept, list(accumulate(a.weight for a in kept))
    # Every second word is a new one: a sentence of new words only would be no sentence to the model.
    share = max(1, len(trained) // len(new))
    return [*new, *trained], list(accumulate([share] * len(new) + [1] * len(trained)))


@cache
def _parsed(template: str) -> tuple[str | Slot, ...]:
    pieces: list[str | Slot] = []
    for index, text in enumerate(_SLOT.split(template)):
        if index % 2 == 0:
            if text:
                pieces.append(text)
            continue
        head, *modifiers = text.split("|")
        name, colon, rule = head.partition(":")
        target, _, column = (rule if colon else name).partition(".")
        if colon:
            pieces.append(Slot(name, target, column, tuple(modifiers)))
        elif len(target) == 1:  # a remembered name is one character, a rule's name is longer
            pieces.append(Slot(target, "", column, tuple(modifiers)))
        else:
            pieces.append(Slot("", target, column, tuple(modifiers)))
    return tuple(pieces)
