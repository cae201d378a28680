"""The instructor's part of a traceback: for each call on the way to the failure, what is known of its names.

`origins` knows which names are the tester's own in one scope; here the scopes are joined. A parameter is as much ours
as the argument that the caller wrote for it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import dataclasses
import linecache
import sys
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from grading_utils.boundary.tester import syntax
from grading_utils.boundary.tester.origins import Follower, Names

_MOST_CALLS = 20


@dataclass
class Scope:
    """One call, or the test cell itself, at the moment of the failure."""

    body: list[ast.stmt]
    follower: Follower
    """Asked whether an expression is ours here."""
    values: Mapping[str, Any]
    line: int
    trees: dict[str, ast.Module] = field(default_factory=dict)
    is_innermost: bool = False
    """Was the exception raised right here?"""
    call: ast.Call | None = None
    """The call that the failure came out of."""
    caller: Scope | None = None
    arguments: dict[str, ast.expr] = field(default_factory=dict)
    """What the caller wrote for each parameter, as far as it can be told."""

    def is_ours(self, node: ast.expr | None) -> bool:
        """Can nothing of the student's be in the value of this expression?"""
        return self.follower.is_ours(node)

    def evaluate(self, node: ast.expr) -> Any:
        """The value of an expression that is ours.

        Raises:
            LookupError: It can't be computed any more.
        """
        names = {}
        for name in set(syntax.read(node)):
            if name in self.values:
                names[name] = self.values[name]
        try:
            return eval(compile(ast.Expression(node), "<message>", "eval"), names)  # noqa: S307 - the instructor's own
        except Exception as error:
            raise LookupError(str(error)) from None

    def definition_of(self, name: str) -> ast.FunctionDef | None:
        """The function of the instructor's that a name stands for, if its text is known."""
        function = self.values.get(name)
        if not isinstance(function, types.FunctionType):
            return None
        tree = self.trees.get(function.__code__.co_filename) or _parsed(function.__code__.co_filename)
        found = _function_at(tree, function.__code__) if tree is not None else None
        return found if isinstance(found, ast.FunctionDef) else None

    def inside(self, function: ast.FunctionDef, call: ast.Call) -> Scope:
        """The scope of a function that was called from here and has returned: only its parameters are known."""
        here = dataclasses.replace(self, call=call)
        arguments = _arguments(function, here)
        names = self.follower.names.copy()
        own = {*syntax.parameters(function), *syntax.bound(function)}
        ours = {name: node for name, node in arguments.items() if self.is_ours(node)}
        names.ours = (names.ours - own) | set(ours)
        values = {}
        for name, node in ours.items():
            with contextlib.suppress(LookupError):
                values[name] = self.evaluate(node)
        outer = {name: value for name, value in self.values.items() if name not in own}
        inner = Scope(function.body, Follower(names), outer | values, sys.maxsize, self.trees)
        inner.caller, inner.arguments = here, arguments
        return inner


def scopes(
    error: BaseException,
    is_instructors: Callable[[str], bool],
    trees: dict[str, ast.Module],
    known: Names,
    changed: Collection[type],
) -> list[Scope]:
    """The scopes of instructor's code that a failure passed through, the test cell's first.

    Args:
        error: With its traceback.
        is_instructors: Is a file of this name instructor's code?
        trees: Parsed sources by file name; others are parsed here.
        known: The names of the notebook before the test cell ran.
        changed: Of what types the arguments were that student code has changed.
    """
    found: list[Scope] = []
    trace = error.__traceback__
    while trace is not None and len(found) < _MOST_CALLS:
        code = trace.tb_frame.f_code
        if is_instructors(code.co_filename):
            tree = trees.get(code.co_filename) or _parsed(code.co_filename)
            if tree is None:
                return []
            caller = found[-1] if found else None
            scope = _scope(trace, code, tree, caller, found[0].follower.seen if found else known, changed)
            if scope is None:
                return []
            scope.trees = trees
            scope.is_innermost = trace.tb_next is None
            scope.call = _call_at(tree, code, trace.tb_lasti)
            found.append(scope)
        trace = trace.tb_next
    return found


def _scope(
    trace: types.TracebackType,
    code: types.CodeType,
    tree: ast.Module,
    caller: Scope | None,
    known: Names | None,
    changed: Collection[type],
) -> Scope | None:
    frame, line = trace.tb_frame, trace.tb_lineno
    if caller is None:
        values = _Values({}, frame.f_globals)
        follower = Follower((known or Names()).copy(), line=line, is_changed=values.may_be_one_of(changed))
        follower.follow(tree.body)
        follower.names = follower.seen or Names()
        follower.seen = follower.names
        return Scope(tree.body, follower, values, line)
    function = _function_at(tree, code)
    names = (known or Names()).copy()
    names.ours -= {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    values = _Values(frame.f_locals, frame.f_globals)
    if function is None:  # a comprehension, which binds its own names only
        return Scope(caller.body, Follower(names), values, line, caller=caller.caller, arguments=caller.arguments)
    body: list[ast.stmt] = [] if isinstance(function, ast.Lambda) else function.body
    arguments = _arguments(function, caller)
    for name in code.co_varnames:
        names.functions.pop(name, None)
    names.ours |= {name for name, node in arguments.items() if caller.is_ours(node)}
    follower = Follower(names, line=line, is_changed=values.may_be_one_of(changed))
    follower.follow(body)
    follower.names = follower.seen or follower.names
    return Scope(body, follower, values, line, caller=caller, arguments=arguments)


class _Values(Mapping[str, Any]):
    """Local names first, then global ones, then builtins; a name that only the student's process knows isn't there."""

    def __init__(self, local: Mapping[str, Any], outer: dict[str, Any]) -> None:
        self._local, self._outer = local, outer

    def __getitem__(self, name: str) -> Any:
        if name in self._local:
            return self._local[name]
        # Not through the namespace's own `__getitem__`, which asks the student's process.
        return dict.__getitem__(self._outer, name) if dict.__contains__(self._outer, name) else vars(builtins)[name]

    def may_be_one_of(self, kinds: Collection[type]) -> Callable[[str], bool]:
        """Whether the object of a name may be of one of these types."""
        return lambda name: bool(kinds) and (name not in self or type(self[name]) in kinds)

    def __iter__(self) -> Any:
        return iter({*self._local, *dict.__iter__(self._outer)})

    def __len__(self) -> int:
        return len({*self._local, *dict.__iter__(self._outer)})


def _parsed(filename: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        return None


def _function_at(tree: ast.Module, code: types.CodeType) -> syntax.Function | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
            if syntax.starts(node) == code.co_firstlineno:
                return node
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            return node
    return None


def _call_at(tree: ast.Module, code: types.CodeType, instruction: int) -> ast.Call | None:
    """The call that an instruction makes."""
    place = list(code.co_positions())[instruction // 2]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) == place:
            return node
    return None


def _arguments(function: syntax.Function, caller: Scope) -> dict[str, ast.expr]:
    """What the caller wrote for each parameter; nothing where the call is not one of that function by its name."""
    call = caller.call
    if call is None or isinstance(function, ast.Lambda) or syntax.last_name(call.func) != function.name:
        return {}
    if not isinstance(call.func, ast.Name) or any(isinstance(value, ast.Starred) for value in call.args):
        return {}
    if any(keyword.arg is None for keyword in call.keywords):
        return {}
    a = function.args
    places = [parameter.arg for parameter in (*a.posonlyargs, *a.args)]
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    defaults = dict(zip(reversed(places), reversed(a.defaults), strict=False))
    defaults |= {p.arg: value for p, value in zip(a.kwonlyargs, a.kw_defaults, strict=True) if value is not None}
    arguments: dict[str, ast.expr] = {
        name: value for name, value in defaults.items() if isinstance(value, ast.Constant)
    }
    arguments |= dict(zip(places, call.args, strict=False))
    if a.vararg is not None:
        arguments[a.vararg.arg] = ast.Tuple(call.args[len(places) :], ast.Load())
    if a.kwarg is not None:
        more = {name: value for name, value in keywords.items() if name not in syntax.parameters(function)}
        arguments[a.kwarg.arg] = ast.Dict([ast.Constant(name) for name in more], list(more.values()))
    return arguments | {name: value for name, value in keywords.items() if name in syntax.parameters(function)}
