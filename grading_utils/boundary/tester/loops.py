"""A list that a test makes by calling one function again and again is asked for in few messages.

`[next_word(table, "go", dice) for _ in range(400)]` is four hundred questions to the student's process, each with the
table and the state of the generator. `batched` has `calls` make such a list, which sends many of them at once; the
student's process makes the calls one after the other, with the same objects, as in a notebook. Only loops in which
nothing else happens are taken: every argument is a name, a constant, or made anew of such (`dict(shares)`,
`random.Random(seed)`). What the values are is looked at when the loop runs, and calls of the test's own functions stay
as they are.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from grading_utils.boundary.tester.standins import is_stand_in
from grading_utils.boundary.tester.syntax import starts
from grading_utils.boundary.wire.generators import is_generator

MOST_AT_ONCE = 128

_COMPREHENSION = re.compile(r"[\[{]\s*[^\W\d]\w*\(.*\bfor\b", re.DOTALL)
_COPIES = frozenset({"dict", "list", "tuple", "set"})
_ATOMS = frozenset({type(None), bool, int, float, str})
_FIXED = frozenset({list, tuple, dict, set, frozenset, deque, bytes, Counter, OrderedDict, defaultdict}) | _ATOMS
_LIBRARIES = frozenset({"numpy", "torch", "pandas"})
_MOST_PARTS = 100
_LONGEST = 1000


def batched(statement: ast.stmt, lines: list[str]) -> ast.stmt:
    """A statement of a test with `calls` for its loops of calls; the same where there is none.

    Args:
        statement: Is left as it is.
        lines: Of the test.
    """
    first = starts(statement) - 1
    text = "".join(lines[first : statement.end_lineno])
    if not _COMPREHENSION.search(text):
        return statement
    own = ast.parse("\n" * first + text).body  # sooner than a copy of the tree
    return _Rewriter().visit(own[0] if len(own) == 1 else copy.deepcopy(statement))  # type: ignore[no-any-return]


class _Rewriter(ast.NodeTransformer):
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node  # its names are not seen from within functions

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self.generic_visit(node)
        return _in_few_messages(node) or node

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        self.generic_visit(node)
        return _in_few_messages(node) or node


def _in_few_messages(node: ast.ListComp | ast.SetComp) -> ast.expr | None:
    """`calls(lambda: f, items, lambda item: (a, b), ("b",), (False, True)) if is_students(f) else [...]`.

    None where it is another kind of loop.
    """
    loop, element = node.generators[0], node.elt
    if len(node.generators) > 1 or loop.ifs or loop.is_async or not isinstance(loop.target, ast.Name):
        return None
    if not (isinstance(element, ast.Call) and isinstance(element.func, ast.Name)):
        return None
    if element.func.id == loop.target.id:
        return None
    values = [*element.args, *(keyword.value for keyword in element.keywords)]
    names = [keyword.arg for keyword in element.keywords]
    if not values or None in names or not all(isinstance(v, ast.Name | ast.Constant) or _is_copy(v) for v in values):
        return None
    item = ast.arguments([], [ast.arg(loop.target.id)], None, [], [], None, [])
    nothing = ast.arguments([], [], None, [], [], None, [])
    call: ast.expr = ast.Call(
        ast.Name(_CALLS, ast.Load()),
        [
            ast.Lambda(nothing, element.func),
            loop.iter,
            ast.Lambda(item, ast.Tuple(values, ast.Load())),
            ast.Tuple([ast.Constant(name) for name in names], ast.Load()),
            ast.Tuple([ast.Constant(_is_copy(value)) for value in values], ast.Load()),
        ],
        [],
    )
    if isinstance(node, ast.SetComp):
        call = ast.Set([ast.Starred(call, ast.Load())])
    either = ast.IfExp(ast.Call(ast.Name(_IS_STUDENTS, ast.Load()), [element.func], []), call, node)
    return ast.fix_missing_locations(ast.copy_location(either, element))


def _is_copy(value: ast.expr) -> bool:
    """Is it `{"a": 1}`, `list(name)`, `random.Random(seed)` or the like, which makes a new object each time?"""
    if isinstance(value, ast.Dict | ast.List | ast.Set | ast.Tuple):
        return all(isinstance(part, ast.Constant | ast.expr_context) for part in ast.iter_child_nodes(value))
    if not isinstance(value, ast.Call) or len(value.args) != 1 or value.keywords:
        return False
    named = value.func.id in _COPIES if isinstance(value.func, ast.Name) else ast.unparse(value.func) == "random.Random"
    return named and isinstance(value.args[0], ast.Name | ast.Constant)


def calls(
    function: Callable[[], Any],
    items: Any,
    arguments: Callable[[Any], tuple[Any, ...]],
    keywords: tuple[str, ...],
    is_copied: tuple[bool, ...],
) -> list[Any]:
    """`[f(*arguments(item)) for item in items]`, in few messages where `f` is the student's.

    Args:
        function: Gives `f`, which the student's code may bind anew.
        items: Of the loop.
        arguments: All arguments of one call, those with a name last.
        keywords: These names.
        is_copied: Which of the arguments are made for each call.
    """
    made: list[Any] = []
    if type(items) not in (range, list, tuple, str):
        return [_call(function(), arguments(item), keywords) for item in items]
    left = list(items)
    while left:
        called, first = function(), arguments(left[0])
        rows = [first]
        if is_students(called) and _may_repeat(first, first, is_copied):
            for item in left[1:MOST_AT_ONCE]:
                if not _may_repeat(row := arguments(item), first, is_copied):
                    break
                rows.append(row)
        made += [_call(called, first, keywords)] if len(rows) == 1 else _call_each(called, rows, keywords)
        del left[: len(made) - (len(items) - len(left))]
    return made


def is_students(called: Any) -> bool:
    """Is it a function of the student's, or an object that can be called like one?"""
    return is_stand_in(called) and "__call__" in called._boundary_remote.can and not called._boundary_remote.bases


def _may_repeat(row: tuple[Any, ...], first: tuple[Any, ...], is_copied: tuple[bool, ...]) -> bool:
    """Is each argument a small plain value, a small copy, or the same piece of data as in the first call?"""
    return all(
        (value is like and _is_data(value)) or _is_small(value) or (copied and _is_small_copy(value))
        for value, like, copied in zip(row, first, is_copied, strict=True)
    )


def _is_data(value: Any) -> bool:
    if is_stand_in(value):
        return False
    return type(value) in _FIXED or type(value).__module__.partition(".")[0] in _LIBRARIES or is_generator(value)


def _is_small(value: Any) -> bool:
    return type(value) in _ATOMS and (type(value) is not str or len(value) <= _LONGEST)


def _is_small_copy(value: Any) -> bool:
    if type(value) is dict:
        return len(value) <= _MOST_PARTS and all(map(_is_small, value)) and all(map(_is_small, value.values()))
    if type(value) in (list, tuple, set):
        return len(value) <= _MOST_PARTS and all(map(_is_small, value))
    return is_generator(value)


def _call(called: Any, row: tuple[Any, ...], keywords: tuple[str, ...]) -> Any:
    first = len(row) - len(keywords)
    return called(*row[:first], **dict(zip(keywords, row[first:], strict=True)))


def _call_each(called: Any, rows: list[tuple[Any, ...]], keywords: tuple[str, ...]) -> list[Any]:
    """The results of the first calls: of all of them, or of as many as the student's process made at once."""
    columns = list(zip(*rows, strict=True))
    each = tuple(place for place, column in enumerate(columns) if any(value is not column[0] for value in column))
    given = [list(column) if place in each else column[0] for place, column in enumerate(columns)]
    first = len(given) - len(keywords)
    named = dict(zip(keywords, given[first:], strict=True))
    link, number = called._boundary_link, called._boundary_remote.id
    done: list[Any] = link.operate(number, "__call__", tuple(given[:first]), named, times=len(rows), each=each)
    return done


_CALLS, _IS_STUDENTS = "calls of a loop", "is a student's"
HELPERS = {_CALLS: calls, _IS_STUDENTS: is_students}
"""What a rewritten test uses, under names that are no identifiers, so that no test can have them."""
