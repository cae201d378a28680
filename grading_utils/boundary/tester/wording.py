"""What a student may read about a hidden check: the author's words, whole, and values that the test itself computed.

A message is taken apart in the test's own text: constants, f-strings, `+`, `%`, `.format`, names that hold one of
these, parameters and results of helper functions, and the pieces of a `CheckFailed`. What came from the student's
process, or was computed from it, is one gap, `<your value>`: student code sees the arguments of a hidden check, and
could answer with them. A gap is filled after all by a value that can say next to nothing, such as `None` or `3`; an
`Allowance` adds up how much such values say over a whole notebook.
"""

from __future__ import annotations

import ast
import math
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grading_utils.boundary.tester.stack import Scope
from grading_utils.checks.failure import CheckFailed, Origin, Piece

GAP = "<your value>"
LONGEST_MESSAGE = 500
_LONGEST_VALUE = 200
_DEEPEST = 12
_MOST_GAPS = 4
_HARMLESS_WORDS = ("None", "True", "False", "nan", "inf", "-inf", "[]", "()", "{}", "''", "set()", "-1", "0.0", "1.0")
_HARMLESS = re.compile("|".join([*map(re.escape, _HARMLESS_WORDS), r"\d{1,2}"]))
_HARMLESS_COUNT = len(_HARMLESS_WORDS) + 110
_BETWEEN = re.compile(r"\W{0,3}(and|or|of)?\W{0,3}")
_PERCENT = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?([a-zA-Z%])")

Parts = list[str | None]
"""A message: text that may be shown, and None for each value that may not."""


@dataclass
class Allowance:
    """How much the messages of one notebook's hidden checks may say about values of the student's.

    Each filled gap is a choice out of so many, worth the logarithm of that in bits. 40 bits are five characters.
    """

    bits: float = 40.0

    def grant(self, choices: int) -> bool:
        """May one of this many things be said?"""
        cost = math.log2(max(choices, 1))
        if cost > self.bits:
            return False
        self.bits -= cost
        return True


def explain(error: BaseException, stack: Sequence[Scope], allowance: Allowance) -> str:
    """The message of a failed check for the student; empty where nothing says anything.

    Args:
        error: What the check raised.
        stack: The instructor's calls that it went through; see `stack.scopes`.
        allowance: What may still be said about values of the student's.
    """
    if not stack:
        return ""
    if isinstance(error, CheckFailed):
        parts = _checkers(error, stack[-1], allowance)
        return _joined(parts) if _says_something(parts) else ""
    node = _message_of(stack[-1]) if stack[-1].is_innermost else None
    if node is None:
        return ""
    actual = str(error)
    parts = _merged(_Resolver(actual).parts(node, stack[-1], actual))
    if not _says_something(parts):
        return ""
    return _joined(_filled(parts, actual, allowance))


def _message_of(scope: Scope) -> ast.expr | None:
    """The message of the `assert` or `raise` at which a scope was left."""
    found: ast.expr | None = None
    for node in (part for statement in scope.body for part in ast.walk(statement)):
        if isinstance(node, ast.Assert | ast.Raise) and node.lineno <= scope.line <= (node.end_lineno or 0):
            raised = node.exc if isinstance(node, ast.Raise) else node.msg
            if isinstance(node, ast.Raise) and isinstance(raised, ast.Call):
                raised = raised.args[0] if len(raised.args) == 1 else None
            found = raised
    return found


class _Resolver:
    """Takes a message apart into what may be shown and gaps."""

    def __init__(self, actual: str) -> None:
        self._actual = actual
        self._depth = 0

    def parts(self, node: ast.expr, scope: Scope, actual: object = None) -> Parts:
        """The parts of an expression's text.

        Args:
            node: The expression.
            scope: Where it stands.
            actual: Its value, where that is known; decides between several ways in which it may have come about.
        """
        if self._depth > _DEEPEST:
            return [None]
        self._depth += 1
        try:
            return self._parts(node, scope, actual)
        finally:
            self._depth -= 1

    def _parts(self, node: ast.expr, scope: Scope, actual: object) -> Parts:
        if isinstance(node, ast.Constant):
            return [str(node.value)]
        if isinstance(node, ast.JoinedStr):
            return [part for value in node.values for part in self._of_format(value, scope)]
        if scope.is_ours(node):
            return [_shown(node, scope)]
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return [*self.parts(left, scope), *self.parts(right, scope)]
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return self._percent(left, right, scope)
            case ast.Call(func=ast.Attribute(value=template, attr="format")):
                return self._format(template, node, scope)
            case ast.Call(func=ast.Name(id="str"), args=[value]):
                return self.parts(value, scope, actual)
            case ast.Call(func=ast.Name(id=name)):
                return self._best(self._returned(name, node, scope), actual)
            case ast.IfExp(body=body, orelse=orelse):
                return self._best((self.parts(branch, scope) for branch in (body, orelse)), actual)
            case ast.Name(id=name):
                return self._named(name, scope)
        return [None]

    def _of_format(self, value: ast.expr, scope: Scope) -> Parts:
        """One part of an f-string."""
        if not isinstance(value, ast.FormattedValue):
            return self.parts(value, scope)
        if scope.is_ours(value):
            return [_shown(ast.JoinedStr([value]), scope)]
        if value.conversion in (-1, ord("s")) and value.format_spec is None:
            return self.parts(value.value, scope)
        return [None]

    def _named(self, name: str, scope: Scope) -> Parts:
        """A name that holds a message, or a part of one."""
        try:
            actual = scope.values[name]
        except KeyError:
            return [None]
        if type(actual) is not str:
            return [None]
        if name in scope.arguments and scope.caller is not None:
            return self._best([self.parts(scope.arguments[name], scope.caller, actual)], actual)
        assigned = [value for value in _assigned(name, scope.body) if value.lineno <= scope.line]
        return self._best((self.parts(value, scope, actual) for value in reversed(assigned)), actual)

    def _returned(self, name: str, call: ast.Call, scope: Scope) -> Iterator[Parts]:
        """What a helper function of the instructor's can have returned."""
        function = scope.definition_of(name)
        if function is not None:
            inner = scope.inside(function, call)
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield self.parts(node.value, inner)

    def _best(self, candidates: Iterator[Parts] | list[Parts], actual: object) -> Parts:
        """The first that fits the text."""
        for parts in candidates:
            if type(actual) is not str or _pattern(parts).fullmatch(actual[: 4 * LONGEST_MESSAGE]):
                return parts
        return [None]

    def _percent(self, template: ast.expr, values: ast.expr, scope: Scope) -> Parts:
        if not isinstance(template, ast.Constant) or not isinstance(template.value, str):
            return [None]
        each = list(values.elts) if isinstance(values, ast.Tuple) else [values]
        parts: Parts = []
        end = 0
        for match in _PERCENT.finditer(template.value):
            parts.append(template.value[end : match.start()])
            end = match.end()
            if match[1] == "%":
                parts.append("%")
            elif "*" in match[0] or "(" in match[0] or not each:
                return [None]
            else:
                value = each.pop(0)
                whole = ast.BinOp(ast.Constant(match[0]), ast.Mod(), ast.Tuple([value], ast.Load()))
                parts += [_shown(whole, scope)] if scope.is_ours(value) else [None]
        return [*parts, template.value[end:]]

    def _format(self, template: ast.expr, call: ast.Call, scope: Scope) -> Parts:
        text = template
        if isinstance(template, ast.Name) and scope.is_ours(template):
            text = ast.Constant(scope.values.get(template.id))
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            return [None]
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        parts: Parts = []
        for number, (words, field, spec, conversion) in enumerate(string.Formatter().parse(text.value)):
            parts.append(words)
            if field is None:
                continue
            key = field or str(number)
            value = named.get(key) or (call.args[int(key)] if key.isdecimal() and int(key) < len(call.args) else None)
            if value is None or not scope.is_ours(value):
                parts.append(None)
                continue
            one = "{" + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
            whole = ast.Call(ast.Attribute(ast.Constant(one), "format", ast.Load()), [value], [])
            parts.append(_shown(whole, scope))
        return parts


def _shown(node: ast.expr, scope: Scope) -> str | None:
    """The text of an expression that is ours, computed again."""
    try:
        text = str(scope.evaluate(ast.fix_missing_locations(ast.copy_location(node, scope.body[0]))))
    except LookupError:
        return None
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _assigned(name: str, body: list[ast.stmt]) -> Iterator[ast.expr]:
    """Everything that is assigned to a name."""
    for node in (part for statement in body for part in ast.walk(statement)):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            yield node.value
        if not isinstance(node, ast.AnnAssign | ast.NamedExpr) or not isinstance(node.target, ast.Name):
            continue
        if node.target.id == name and node.value is not None:
            yield node.value


# --- checkers ---


def _checkers(error: CheckFailed, scope: Scope, allowance: Allowance) -> Parts:
    """The message of one of our checkers, from the pieces that it came in."""
    call = scope.call
    keywords = {keyword.arg: keyword.value for keyword in call.keywords} if call is not None else {}
    name = keywords.pop("name", None)
    given = call.args if call is not None else []
    # `check(*pair)`, `check(**how)`: any argument may be anything in there.
    is_spread = None in keywords or any(isinstance(value, ast.Starred) for value in given)
    others = [*(given if is_spread else given[1:]), *keywords.values()]
    if len(given) == 2 and not is_spread:
        keywords.setdefault("expected", given[1])

    def parts_of(piece: Piece) -> Parts:
        if piece.origin is Origin.NAME:
            if name is None:
                return [piece.text if call is not None and not is_spread else None]
            return _Resolver(piece.text).parts(name, scope, piece.text)
        if piece.origin is Origin.WORDS:
            return [piece.text]
        # What was computed from the value may have been compared with the expected one as well.
        source = others if piece.origin is Origin.RIGHT else [*given[:1], *others]
        if piece.origin is Origin.RIGHT and piece.argument in keywords:
            source = [keywords[piece.argument]]
        if call is not None and all(scope.is_ours(value) for value in source):
            return [piece.text]
        if not piece.aside and _HARMLESS.fullmatch(piece.text) and allowance.grant(_HARMLESS_COUNT):
            return [piece.text]
        return [None]

    resolved = [(piece, parts_of(piece)) for piece in error.pieces]
    dropped = {
        piece.aside for piece, parts in resolved if piece.aside and None in parts and piece.origin is not Origin.NAME
    }
    kept = [
        part
        for piece, parts in resolved
        if not any(piece.aside[:depth] in dropped for depth in range(1, len(piece.aside) + 1))
        for part in parts
    ]
    return _merged(kept)


# --- gaps ---


def _merged(parts: Parts) -> Parts:
    """The same with neighboring texts, and neighboring gaps, made one."""
    merged: Parts = []
    for part in parts:
        if part == "":
            continue
        if merged and part is not None and merged[-1] is not None:
            merged[-1] += part
        elif not (merged and part is None and merged[-1] is None):
            merged.append(part)
    return merged


def _pattern(parts: Parts, gap: str = "(.*?)") -> re.Pattern[str]:
    return re.compile("".join(gap if part is None else re.escape(part) for part in parts), re.DOTALL)


def _filled(parts: Parts, actual: str, allowance: Allowance) -> Parts:
    """Gaps whose value says next to nothing, filled."""
    gaps = parts.count(None)
    if not 0 < gaps <= _MOST_GAPS:
        return parts
    # However the text is divided among the gaps: whatever fills one here is one of a few words.
    harmless = f"({_HARMLESS.pattern})"
    found = _pattern(parts, harmless).fullmatch(actual)
    if found is None and gaps <= 2:
        found = _pattern(parts, f"(?:{harmless}|.*?)").fullmatch(actual[: 4 * LONGEST_MESSAGE])
    if found is None:
        return parts
    values = iter(found.groups())
    filled: Parts = []
    for part in parts:
        value = next(values) if part is None else part
        filled.append(value if part is not None or (value and allowance.grant(_HARMLESS_COUNT)) else None)
    return filled


def _says_something(parts: Parts) -> bool:
    return len(re.findall(r"[^\W\d_]{2,}", " ".join(part for part in parts if part is not None))) >= 2


def _joined(parts: Parts) -> str:
    """The text; gaps in a row, as in `(<gap>, <gap>) and <gap>`, are one."""
    merged = _merged(parts)
    for number in range(1, len(merged) - 1):
        if merged[number - 1] is merged[number + 1] is None and _BETWEEN.fullmatch(merged[number] or ""):
            merged[number] = None
    text = "".join(GAP if part is None else part for part in _merged(merged))
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"
