"""Small, typical mistakes in a solution: one mutant for each place where a student could have slipped.

A mutant differs from the solution in one spot: an operator, a constant off by one, a dropped statement, swapped
arguments, a wrong axis, a missing normalization, a negated condition, `argmin` for `argmax`. Mutation libraries
(cosmic-ray, mutmut) mutate files of a project and run its test command; what they offer for a text in memory has
no operators for axes, arguments or normalization, so this module walks the syntax tree itself. It only makes mutants;
grading them is in `checking`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from grading_utils.course.regions import Grammar

_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_NAMES = {
    "argmax": "argmin",
    "argmin": "argmax",
    "max": "min",
    "min": "max",
    "sum": "mean",
    "mean": "sum",
    "append": "extend",
    "any": "all",
    "all": "any",
    "log": "exp",
    "exp": "log",
}
_NORMALIZERS = {"softmax", "log_softmax", "normalize", "sigmoid"}
_AXES = {"dim", "axis"}


@dataclass(frozen=True)
class Mutant:
    """A solution with one mistake in it."""

    kind: str
    line: int
    """Line of the cell, from 1."""
    before: str
    after: str
    source: str
    """The whole cell with the mistake."""

    @property
    def changed_line(self) -> str:
        """The first line that has changed, as it is now."""
        return self.source.split("\n")[self.line - 1].strip()


def mutants_of(source: str, grammar: Grammar) -> list[Mutant]:
    """All mutants of a solution cell, in order of their place.

    Args:
        source: The cell as the author wrote it; only what stands in solution regions (all of it where there are
            none) is mutated, and scaffolds are left out.
        grammar: How the author marks them.
    """
    kept, mutable = _split(source, grammar)
    text = "\n".join(kept)
    tree = ast.parse(text)
    mutants: dict[str, Mutant] = {}
    negated = {node.operand for node in ast.walk(tree) if isinstance(node, ast.UnaryOp)}
    # Where the parts of an f-string are, and which there are, differs between Pythons: it is changed as a whole.
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {part for node in whole for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if node in parts:
            continue
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if not first or not all(number in mutable for number in range(first, last + 1)) or _is_docstring(node, tree):
            continue
        if not (isinstance(node, ast.Constant) and node in negated):  # -1 is one number, not a sign and a 1
            for kind, changed in _changes(node):
                mutant = _splice(text, node, kind, changed)
                if mutant is not None and mutant.source != text:
                    mutants.setdefault(mutant.source, mutant)
    return sorted(mutants.values(), key=lambda mutant: (mutant.line, mutant.before, mutant.after))


def _split(source: str, grammar: Grammar) -> tuple[list[str], set[int]]:
    """A cell's lines without markers and scaffolds, and the numbers of those that belong to the solution."""
    regions = grammar.solutions(source)
    kept: list[str] = []
    mutable: set[int] = set()
    for number, line in enumerate(source.split("\n"), start=1):
        if any(number in region.answer for region in regions):
            kept.append(line)
            mutable.add(len(kept))
        elif not any(region.first <= number <= region.last for region in regions):
            kept.append(line)
    return kept, mutable or set(range(1, len(kept) + 1))


def _is_docstring(node: ast.AST, tree: ast.Module) -> bool:
    return any(
        isinstance(parent, ast.FunctionDef | ast.ClassDef | ast.Module)
        and parent.body
        and isinstance(parent.body[0], ast.Expr)
        and node in (parent.body[0], parent.body[0].value)
        and isinstance(parent.body[0].value, ast.Constant)
        for parent in ast.walk(tree)
    )


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every mistake that can be made at one node: what kind, and the node that stands there instead."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield "operator", ast.BinOp(left, _BINARY.get(type(op), ast.Add)(), right)
            if isinstance(op, ast.Div):
                yield "missing normalization", left
        case ast.Compare(ops=[op, *_]) if type(op) in _COMPARE:
            changed = copy.deepcopy(node)
            changed.ops[0] = _COMPARE[type(op)]()
            yield "comparison", changed
        case ast.BoolOp(op=op, values=values):
            yield "condition", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            yield "off by one", ast.UnaryOp(ast.USub(), ast.Constant(number + 1))
            yield "off by one", ast.Constant(0) if number == 1 else ast.UnaryOp(ast.USub(), ast.Constant(number - 1))
            yield "sign", ast.Constant(number)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield "sign", operand
        case ast.Constant(value=bool(flag)):
            yield "constant", ast.Constant(not flag)
        case ast.Constant(value=int(number)):
            yield "off by one", ast.Constant(number + 1)
            if number > 0:
                yield "off by one", ast.Constant(number - 1)
        case ast.Constant(value=float(number)):
            yield "constant", ast.Constant(number + 1.0)
        case ast.Constant(value=str(text)):
            yield "constant", ast.Constant(text + "?")
        case ast.JoinedStr(values=values):
            yield "constant", ast.JoinedStr([*values, ast.Constant("?")])
        case ast.If(test=test, body=body, orelse=orelse):
            yield "condition", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
            yield "dropped statement", ast.Pass()
        case ast.Return(value=value) if value is not None:
            yield "dropped statement", ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.Raise() | ast.For() | ast.While() | ast.Break():
            yield "dropped statement", ast.Pass()
        case ast.Call():
            yield from _wrong_calls(node)
        case ast.comprehension():
            return


def _wrong_calls(call: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _NORMALIZERS:
        is_method = isinstance(call.func, ast.Attribute) and not _is_module(call.func.value)
        if is_method or call.args:
            yield "missing normalization", call.func.value if is_method else call.args[0]  # type: ignore[attr-defined]
    if name in _NAMES:
        changed = copy.deepcopy(call)
        if isinstance(changed.func, ast.Attribute):
            changed.func.attr = _NAMES[name]
        elif isinstance(changed.func, ast.Name):
            changed.func.id = _NAMES[name]
        yield "other function", changed
    if len(call.args) >= 2 and not any(isinstance(argument, ast.Starred) for argument in call.args):
        changed = copy.deepcopy(call)
        changed.args[0], changed.args[1] = changed.args[1], changed.args[0]
        yield "swapped arguments", changed
    for number, keyword in enumerate(call.keywords):
        if keyword.arg in _AXES:
            changed = copy.deepcopy(call)
            first = isinstance(keyword.value, ast.Constant) and keyword.value.value == 0
            changed.keywords[number].value = ast.Constant(1) if first else ast.Constant(0)
            yield "wrong axis", changed
        if keyword.arg is not None:
            changed = copy.deepcopy(call)
            del changed.keywords[number]
            yield "dropped argument", changed


def _is_module(node: ast.AST) -> bool:
    return ast.unparse(node) in {"torch", "F", "np", "numpy", "torch.nn.functional", "nn.functional"}


def _splice(text: str, node: ast.AST, kind: str, changed: ast.AST) -> Mutant | None:
    """Put a changed node in the place of the original one, leaving every other character as it is."""
    before = ast.get_source_segment(text, node)
    if before is None:
        return None
    lines = text.split("\n")
    line, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
    start = len(lines[line - 1].encode()[: node.col_offset].decode())  # type: ignore[attr-defined]
    end = len(lines[last - 1].encode()[: node.end_col_offset].decode())  # type: ignore[attr-defined]
    if isinstance(changed, ast.JoinedStr):  # which quotes `unparse` takes differs between Pythons, too
        closing = 3 if before.endswith(('"""', "'''")) else 1
        after = f"{before[:-closing]}?{before[-closing:]}"
    else:
        after = ast.unparse(ast.fix_missing_locations(changed))
    if isinstance(changed, ast.stmt):
        after = after.replace("\n", "\n" + " " * start)
    elif not isinstance(changed, ast.Constant | ast.JoinedStr | ast.Name | ast.Call | ast.Attribute | ast.Subscript):
        after = f"({after})"
    mutated = [*lines[: line - 1], lines[line - 1][:start] + after + lines[last - 1][end:], *lines[last:]]
    source = "\n".join(mutated)
    try:
        ast.parse(source)
    except SyntaxError:
        return None
    return Mutant(kind, line, before, after, source)
