"""Finds tests that work out what they expect from an object after they have handed it to the student's code.

A function may change what it is given, and then a wrong answer can make itself right. Read from the text alone; what
reaches the object by another name is not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from grading_utils.checks.source import parse


def late_expectations(test: str, answers: Collection[str]) -> list[str]:
    """Warnings about one test cell, a sentence each.

    Args:
        test: The cell's text.
        answers: Names of the functions that students write.
    """
    tree = parse(test)
    if tree is None:
        return []
    handed: dict[str, tuple[str, int]] = {}
    constants: set[str] = set()
    found: list[str] = []
    for statement in tree.body:
        calls = list(_calls(statement, answers))
        if isinstance(statement, ast.Assert):
            read = _read_outside_calls(statement, calls)
            for name in sorted(read & handed.keys()):
                function, line = handed[name]
                found.append(
                    f"line {statement.lineno} reads `{name}` again, which line {line} has handed to `{function}`: "
                    "work out what you expect before the call, or hand over a copy"
                )
        for target in ast.walk(statement):
            if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                handed.pop(target.id, None)
                constants.discard(target.id)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            constants.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        for call in calls:
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                if not isinstance(argument, ast.Name) or argument.id in constants:  # nobody changes a text or a number
                    continue
                if isinstance(call.func, ast.Name):
                    handed.setdefault(argument.id, (call.func.id, call.lineno))
    return found


def _calls(statement: ast.AST, answers: Collection[str]) -> Iterator[ast.Call]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in answers:
            yield node


def _read_outside_calls(statement: ast.Assert, calls: Collection[ast.Call]) -> set[str]:
    """Names in the condition of an assertion that stand in no call of an answer, and inside of some computation.

    A test that compares the argument itself (`assert values == [1, 2]`) asks whether it was changed, and is right.
    """
    inside = {id(node) for call in calls for node in ast.walk(call)}
    computed = [
        node
        for node in ast.walk(statement.test)
        if isinstance(node, ast.Call | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.BinOp)
        and id(node) not in inside
    ]
    return {
        name.id
        for node in computed
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load) and id(name) not in inside
    }
