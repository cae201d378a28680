"""Takes the hidden tests out of a graded notebook: from the source of its cells and from what they printed.

An output is kept only if no hidden line can have run before it; everything else that a cell with hidden tests
printed, raised or displayed is replaced by the message that is meant for the student. Student code sees the
arguments of a hidden check, so what it says in return could carry them in any encoding, and no search for known
lines would find that. The search for known lines is a second net for notebooks that were run without our sandbox,
where student code and hidden tests share one process.
"""

from __future__ import annotations

import ast
import html
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbconvert.filters.ansi import strip_ansi
from nbformat.v4 import new_output

from grading_utils.course.cells import grade_id
from grading_utils.course.regions import Grammar, Range

DEFAULT_MESSAGE = "A hidden check did not pass."
_GUTTER = re.compile(r"^[\s>\-|]*\d*[\s|]*")  # "----> 3 " before a line of source in a traceback
_SEARCHABLE = 8  # shorter lines, such as ")" or "x = 1", are all over any text: they count as whole lines only


def redact(notebook: Any, messages: Mapping[str, str] | None = None, *, grammar: Grammar) -> dict[str, str]:
    """Remove the hidden tests from a notebook, in place.

    Args:
        notebook: A graded nbformat 4 notebook.
        messages: What to tell the student about a graded cell, by `grade_id`; where it has none, the message
            in the cell's `grading_utils` metadata counts.
        grammar: How the course marks hidden tests and mark schemes.

    Returns:
        The messages, by `grade_id`, without any hidden line that may have been in them.
    """
    # Where all student cells had run before any hidden test began, no output of theirs can hold one; to blot out
    # what looks like one would only tell who has guessed right.
    is_apart = notebook.metadata.pop("grading_utils", {}).get("isolated") is True
    net = HiddenText(frozenset(), None) if is_apart else HiddenText.of(notebook, grammar)
    safe = {name: net.scrub(message) for name, message in (messages or {}).items() if message}
    for cell in notebook.cells:
        name = grade_id(cell) or ""
        mark = _take_mark(cell)
        message = safe.get(name) or net.scrub(str(mark.get("message") or ""))
        if name and message:
            safe[name] = message
        ranges = grammar.hidden_tests.ranges(cell.source)
        if cell.cell_type == "code":
            if ranges:
                failed_visibly = mark.get("hidden") is False
                cell.outputs = _safe_outputs(cell, ranges, message, failed_visibly=failed_visibly)
            cell.outputs = [_scrubbed(output, net) for output in cell.outputs]
        cell.source = _without(cell.source, grammar)
    return safe


@dataclass(frozen=True)
class HiddenText:
    """The lines that nobody may read, and how to find them in other text."""

    lines: frozenset[str]
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, notebook: Any, grammar: Grammar) -> HiddenText:
        """The hidden lines of a notebook, without those that also stand in it for everybody to read."""
        hidden: set[str] = set()
        visible: set[str] = set()
        for cell in notebook.cells:
            ranges = grammar.secrets(cell.source)
            for number, line in enumerate(cell.source.split("\n"), start=1):
                within = any(first <= number <= last for first, last in ranges)
                (hidden if within else visible).add(line.strip())
        lines = frozenset(hidden - visible - {""})
        long = sorted((line for line in lines if len(line) >= _SEARCHABLE), key=len, reverse=True)
        return cls(lines, re.compile("|".join(map(re.escape, long))) if long else None)

    def scrub(self, text: str) -> str:
        """The text with every line that shows a hidden line replaced by an ellipsis."""
        if not self.lines:
            return text
        return "\n".join("…" if self._shows(line) else line for line in text.split("\n"))

    def _shows(self, line: str) -> bool:
        bare = html.unescape(strip_ansi(line))
        if self.pattern is not None and self.pattern.search(bare):
            return True
        stripped = bare.strip()
        return stripped in self.lines or _GUTTER.sub("", stripped) in self.lines


def _safe_outputs(cell: Any, ranges: tuple[Range, ...], message: str, *, failed_visibly: bool) -> list[Any]:
    """The outputs of a cell with hidden tests that a student may see."""
    failed = any(output.output_type == "error" for output in cell.outputs)
    if failed and failed_visibly and not _code_after(cell.source, ranges):
        return list(cell.outputs)
    if not failed and not message:
        return []
    text = message or DEFAULT_MESSAGE
    return [new_output("error", ename="Check", evalue=text, traceback=[text])]


def _code_after(source: str, ranges: tuple[Range, ...]) -> bool:
    """Does anything visible run after the first hidden line?"""
    for number, line in enumerate(source.split("\n"), start=1):
        if number <= ranges[0][0] or any(first <= number <= last for first, last in ranges):
            continue
        if line.strip() and not line.strip().startswith("#"):
            return True
    return False


def _without(source: str, grammar: Grammar) -> str:
    """The source without mark schemes, and with a comment that counts the checks in place of each hidden region."""
    lines = source.split("\n")
    for first, last in reversed(grammar.secrets(source)):
        if grammar.mark_scheme.begin in lines[first - 1]:
            del lines[first - 1 : last]
            continue
        region = lines[first:last]
        indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
        count = _count_checks("\n".join(region))
        note = f"{indent}# … {count} hidden check{'' if count == 1 else 's'}"
        lines[first - 1 : last] = [note]
    return "\n".join(lines)


def _count_checks(region: str) -> int:
    """How many checks a hidden region makes: its `assert` statements and the calls made for their effect."""
    try:
        tree = ast.parse(textwrap.dedent(region))
    except (SyntaxError, ValueError):
        return 1
    asserts = sum(isinstance(node, ast.Assert) for node in ast.walk(tree))
    calls = sum(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in ast.walk(tree))
    return max(1, asserts + calls)


def _scrubbed(output: Any, net: HiddenText) -> Any:
    """One output after the second net."""
    if output.output_type == "stream":
        output.text = net.scrub(output.text)
    elif output.output_type == "error":
        output.ename, output.evalue = net.scrub(output.ename), net.scrub(output.evalue)
        output.traceback = [net.scrub(part) for part in output.traceback]
    else:
        for kind, content in output.data.items():
            if isinstance(content, str) and not kind.startswith("image/p"):
                output.data[kind] = net.scrub(content)
    return output


def _take_mark(cell: Any) -> dict[str, Any]:
    """What grading wrote down about a cell, taken out of its metadata."""
    mark = cell.metadata.pop("grading_utils", {})
    return dict(mark) if isinstance(mark, dict) else {}
