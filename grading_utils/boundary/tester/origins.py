"""Which names in a test hold something that came from the student's process, found in the test's text.

A name is *ours* when everything that was put into it was computed without the student's values; any other name, and
every name that nobody of ours has bound, counts as the student's. What a statement does to names is followed in the
order in which statements run; where two ways meet, a name is ours only if it is on both. Nothing is executed.

Instructors write this code, so it isn't searched for tricks: a value that travels through `globals()`, or through
two names of one list, is followed as far as the common ways of writing tests need it.
"""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from grading_utils.boundary.tester import syntax

_REVEALING = frozenset({"globals", "locals", "vars", "eval", "exec", "input", "open", "get_ipython", "__import__"})
_BUILTINS = frozenset(dir(builtins)) - _REVEALING
_STORING_FUNCTIONS = frozenset({"heappush", "heappushpop", "insort", "insort_left", "insort_right", "setattr"})


@dataclass
class Names:
    """The names of one scope at one moment."""

    ours: set[str] = field(default_factory=set)
    functions: dict[str, frozenset[str]] = field(default_factory=dict)
    """What functions and classes of ours take from the names around them."""
    spoiled: set[str] = field(default_factory=set)
    """Names that a function of ours changes, which student code may be given to call: never ours again."""
    aliases: dict[str, set[str]] = field(default_factory=dict)
    """Names whose objects a name may hold."""

    def copy(self) -> Names:
        """An independent copy."""
        aliases = {name: set(others) for name, others in self.aliases.items()}
        return Names(set(self.ours), dict(self.functions), set(self.spoiled), aliases)

    def meet(self, other: Names) -> None:
        """Where two ways through the code meet."""
        self.ours &= other.ours
        self.functions |= other.functions
        self.spoiled |= other.spoiled
        for name, others in other.aliases.items():
            self.aliases.setdefault(name, set()).update(others)

    def is_ours(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Was this name bound by code of ours, to something that no student's value went into?"""
        if name in seen:
            return True
        if name in self.functions:
            return name in self.ours and all(self.is_ours(used, seen | {name}) for used in self.functions[name])
        return name in self.ours or (name in _BUILTINS and name not in self.spoiled)

    def spoil(self, name: str) -> None:
        """Something of the student's was put into what this name stands for."""
        pending, seen = [name], set[str]()
        while pending:
            if (current := pending.pop()) not in seen:
                seen.add(current)
                pending += self.aliases.get(current, ())
                pending += [other for other, held in self.aliases.items() if current in held]
        self.ours -= seen


class Follower:
    """Follows the statements of one scope.

    Args:
        names: What is known when the scope begins; changed as statements are followed.
        line: Where to take a look: `seen` then has the names as they are just before that line's statement runs.
        is_changed: Can student code that was given the object of this name have changed it?
    """

    def __init__(
        self, names: Names, *, line: int | None = None, is_changed: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.names = names
        self.seen: Names | None = None
        self._line = line
        self._is_changed = is_changed
        self._students_loops = 0

    # --- expressions ---

    def is_ours(self, node: ast.AST | None, local: frozenset[str] = frozenset()) -> bool:
        """Can nothing of the student's be in the value of an expression?

        Args:
            node: The expression.
            local: Names that the expression itself has bound to something of ours.
        """
        if node is None or isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Name):
            return node.id in local or self.names.is_ours(node.id)
        if isinstance(node, ast.Lambda):
            return self.is_ours(node.body, local | syntax.parameters(node))
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            for loop in node.generators:
                mine = [name for name, ours in self._targets(loop.target, loop.iter, local) if ours]
                local = (local - frozenset(syntax.bound(loop.target))) | frozenset(mine)
                theirs = frozenset(syntax.bound(loop.target)) - local
                if theirs and any(isinstance(n, ast.Name) and n.id in theirs for n in ast.walk(node)):
                    return False
                if not self.is_ours(loop.iter, local) or not all(self.is_ours(test, local) for test in loop.ifs):
                    return False
            parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
            return all(self.is_ours(part, local) for part in parts)
        return all(self.is_ours(child, local) for child in ast.iter_child_nodes(node))

    def _targets(
        self, target: ast.expr, source: ast.expr, local: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, bool]]:
        """Names that a loop over `source` binds, each with whether it is ours then."""
        ours = self.is_ours(source, local)
        call = source.func.id if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) else ""
        pair = isinstance(target, ast.Tuple | ast.List)
        if not ours and isinstance(source, ast.Call) and pair and not source.keywords and source.args:
            assert isinstance(target, ast.Tuple | ast.List)
            if call == "enumerate" and len(target.elts) == 2:
                # Counting is bounded by what is counted, where anything of ours is looped over beside it.
                counts = self._has_ours(source.args[0], local)
                yield from ((name, counts) for name in syntax.bound(target.elts[0]))
                yield from self._targets(target.elts[1], source.args[0], local)
                return
            if call == "zip" and len(target.elts) == len(source.args) and self._has_ours(source, local):
                for part, values in zip(target.elts, source.args, strict=True):
                    yield from self._targets(part, values, local)
                return
        yield from ((name, ours) for name in syntax.bound(target))

    def _has_ours(self, source: ast.expr, local: frozenset[str]) -> bool:
        """Does a loop over this end, at the latest, where something of ours ends?"""
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id == "zip":
            return any(self.is_ours(value, local) for value in source.args)
        return self.is_ours(source, local)

    # --- statements ---

    def follow(self, statements: Iterable[ast.stmt]) -> None:
        """Follow statements in their order."""
        for statement in statements:
            self._look(statement)
            self._effects(statement)
            getattr(self, f"_{type(statement).__name__.lower()}", self._other)(statement)

    def _look(self, statement: ast.stmt) -> None:
        if self._line is None or not syntax.starts(statement) <= self._line <= (
            statement.end_lineno or statement.lineno
        ):
            return
        inner = [part for block in syntax.blocks(statement) for part in block]
        if any(syntax.starts(part) <= self._line <= (part.end_lineno or part.lineno) for part in inner):
            return
        now = self.names.copy()
        if self.seen is None:
            self.seen = now
        else:
            self.seen.meet(now)

    def _effects(self, statement: ast.stmt) -> None:
        """What the expressions of a statement do besides having a value."""
        for node in syntax.own_expressions(statement):
            if isinstance(node, ast.NamedExpr):
                self._bind(node.target.id, self.is_ours(node.value))
            if not isinstance(node, ast.Call):
                continue
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            ours = not self._students_loops and all(self.is_ours(value) for value in given)
            if isinstance(node.func, ast.Attribute) and syntax.stores(node.func.attr) and not ours:
                self._spoil(node.func.value)
            if syntax.last_name(node.func) in _STORING_FUNCTIONS and not ours:
                self._spoil(*given[:1])
            if not self.is_ours(node.func):
                self._spoil(*(value for value in given if self._is_changed(syntax.root(value) or "")))

    def _spoil(self, *places: ast.expr) -> None:
        for place in places:
            if (name := syntax.root(place)) is not None:
                self.names.spoil(name)

    def _bind(self, name: str, ours: bool) -> None:
        self.names.functions.pop(name, None)
        self.names.aliases.pop(name, None)
        if ours and name not in self.names.spoiled:
            self.names.ours.add(name)
        else:
            self.names.ours.discard(name)

    def _assign_to(self, target: ast.expr, value: ast.expr | None) -> None:
        ours = self.is_ours(value) and (not self._students_loops or isinstance(value, ast.Constant))
        sequence = ast.Tuple | ast.List
        if isinstance(target, sequence) and isinstance(value, sequence) and len(target.elts) == len(value.elts):
            for part, item in zip(target.elts, value.elts, strict=True):
                self._assign_to(part, item)
            return
        if isinstance(target, ast.Subscript | ast.Attribute):
            if not ours:
                self._spoil(target)
            if isinstance(target, ast.Attribute) and value is not None and syntax.root(target) == "sys":
                self._spoil(value)  # a stream put in place of the standard one hears what student code prints
            return
        for name in syntax.bound(target):
            self._bind(name, ours)
            if value is not None and (objects := syntax.held(value)):
                self.names.aliases[name] = objects

    def _assign(self, statement: ast.Assign) -> None:
        for target in statement.targets:
            self._assign_to(target, statement.value)
        same = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        for one, other in itertools.pairwise(same):  # `a = b = []` is one list
            self.names.aliases.setdefault(one, set()).add(other)

    def _annassign(self, statement: ast.AnnAssign) -> None:
        if statement.value is not None:
            self._assign_to(statement.target, statement.value)

    def _augassign(self, statement: ast.AugAssign) -> None:
        if not self.is_ours(statement.value) or self._students_loops:
            self._spoil(statement.target)

    def _for(self, statement: ast.For | ast.AsyncFor) -> None:
        # How often something happens says as much as what happens.
        self._loop(statement, students=not self._has_ours(syntax.counted(statement.iter), frozenset()))

    _asyncfor = _for

    def _while(self, statement: ast.While) -> None:
        self._loop(statement, students=not self.is_ours(statement.test))

    def _loop(self, statement: ast.For | ast.AsyncFor | ast.While, *, students: bool) -> None:
        self._students_loops += students
        for _ in range(3):  # what is put into a name in one round can reach another name in the next
            before = self.names.copy()
            if not isinstance(statement, ast.While):
                for name, ours in list(self._targets(statement.target, statement.iter)):
                    self._bind(name, ours)
            self.follow(statement.body)
            self.names.meet(before)
        self._students_loops -= students
        self.follow(statement.orelse)

    def _if(self, statement: ast.If) -> None:
        self._branches([statement.body, statement.orelse])

    def _match(self, statement: ast.Match) -> None:
        for case in statement.cases:
            for node in ast.walk(case.pattern):
                if (name := getattr(node, "name", None)) is not None:
                    self._bind(name, False)
        self._branches([[], *(case.body for case in statement.cases)])

    def _branches(self, bodies: list[list[ast.stmt]]) -> None:
        self._meet([self._branch(self.names, body) for body in bodies])

    def _branch(self, start: Names, body: list[ast.stmt]) -> tuple[Names, bool]:
        """The names after one way through the code, and whether it goes on behind it."""
        self.names = start.copy()
        self.follow(body)
        return self.names, not (body and isinstance(body[-1], ast.Raise | ast.Return | ast.Continue | ast.Break))

    def _meet(self, ends: list[tuple[Names, bool]]) -> None:
        going_on = [names for names, goes_on in ends if goes_on] or [names for names, _ in ends]
        self.names = going_on[0]
        for other in going_on[1:]:
            self.names.meet(other)

    def _try(self, statement: ast.Try) -> None:
        before = self.names.copy()
        self.follow(statement.body)
        ends = [self._branch(after := self.names, statement.orelse)]
        before.meet(after)  # it may have stopped anywhere
        for handler in statement.handlers:
            self.names = before.copy()
            if handler.name is not None:
                self._bind(handler.name, ours=False)  # an exception has the text of whoever raised it
            ends.append(self._branch(self.names, handler.body))
        self._meet(ends)
        self.follow(statement.finalbody)

    _trystar = _try

    def _with(self, statement: ast.With | ast.AsyncWith) -> None:
        for item in statement.items:
            if item.optional_vars is not None:
                self._assign_to(item.optional_vars, item.context_expr)
        self.follow(statement.body)
        # `redirect_stdout(text)` hears what student code prints.
        if not all(self.names.is_ours(name) for part in statement.body for name in syntax.read(part)):
            for item in statement.items:
                given = item.context_expr.args if isinstance(item.context_expr, ast.Call) else []
                self._spoil(*given)
                for name in syntax.bound(item.optional_vars) if item.optional_vars is not None else ():
                    self.names.spoil(name)

    _asyncwith = _with

    def _functiondef(self, statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._bind(statement.name, ours=True)
        self.names.functions[statement.name] = frozenset(syntax.taken(statement))
        for name in syntax.changed_outside(statement):
            self.names.spoil(name)
            self.names.spoiled.add(name)
        if isinstance(statement, ast.ClassDef) and syntax.keeps_state(statement):
            self.names.functions.pop(statement.name)
            self._bind(statement.name, ours=False)

    _asyncfunctiondef = _classdef = _functiondef

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        for alias in statement.names:
            self._bind((alias.asname or alias.name).split(".")[0], ours=True)

    _importfrom = _import

    def _delete(self, statement: ast.Delete) -> None:
        for target in statement.targets:
            if isinstance(target, ast.Name):
                self._bind(target.id, ours=False)

    def _other(self, statement: ast.stmt) -> None:
        """A statement that binds nothing."""
