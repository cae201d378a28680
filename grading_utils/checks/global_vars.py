"""`check_global_vars`: does a function depend on the notebook around it, or only on what it is given?

One analysis for two settings: a live function in a student's kernel, and a function in another process of which
only the source text is known (an object with `__student_source__`). This module sorts what `scopes` found
into leaks, undefined names and tricks, and words the message. Student code is never executed.
"""

from __future__ import annotations

import difflib
import functools
import re
import sys
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from grading_utils.checks.definitions import Definition, Notebook, NotFoundInSource
from grading_utils.checks.failure import CheckFailed, Phrase
from grading_utils.checks.live import LiveNotebook
from grading_utils.checks.scopes import BUILTINS, Action, names_read, outside_uses
from grading_utils.checks.source import StudentSource
from grading_utils.checks.submission import SourceNotebook

_EXCERPT_WIDTH = 70
_LONGEST_NAME = 60
_LIVE = (types.FunctionType, types.MethodType, type, functools.partial)


@dataclass
class _Finding:
    """One name that the function should not use, with every place it does."""

    name: str
    definition: Definition
    actions: set[Action] = field(default_factory=set)
    lines: list[int] = field(default_factory=list)
    default_of: str | None = None


def check_global_vars(
    func: object, allowed_globals: Iterable[str] | str = (), *, allow_functions: bool = False
) -> None:
    """Check that `func` uses only its parameters, its own variables, plain builtins and the names you allow.

    Works on functions, lambdas, methods, whole classes and decorated or partial functions. An allowed name
    is trusted as it is: what an allowed function does inside is not looked at.

    Args:
        func: The function or class to check.
        allowed_globals: Names it may take from the notebook, as an iterable or a string separated by spaces.
        allow_functions: Also allow the notebook's own functions and classes; each one used is checked as well.

    Raises:
        CheckFailed: An AssertionError that lists every name that should not be used, with its lines and the likely
            fix; or says that the definition could not be found, or runs code that can't be looked into.
    """
    if isinstance(allowed_globals, str):
        allowed_globals = allowed_globals.replace(",", " ").split()
    allowed = frozenset(allowed_globals)
    try:
        notebook = _notebook_of(func, sys._getframe(1).f_globals)
        definitions = notebook.subject()
        _refuse_what_is_elsewhere(func, notebook, allowed)
        findings = _findings(notebook, definitions, allowed, allow_functions)
        message = _message(notebook, definitions[0], findings, allowed) if findings else ""
    except NotFoundInSource as error:
        raise CheckFailed(
            "I can't find the definition of {name}« ({error})»: define it with `def` in a code cell "
            "of this notebook, and run that cell.",
            name=_name_of(func),
            mine={"error": error},
        ) from None
    except RecursionError:
        raise CheckFailed(
            "{name} is nested too deeply to be checked; write it more simply.", name=_name_of(func)
        ) from None
    if message:
        # It shows lines of the student's own text, which was written before any check ran.
        raise CheckFailed("{message}", right={"message": message})


def _refuse_what_is_elsewhere(func: object, notebook: Notebook, allowed: frozenset[str]) -> None:
    """Nothing passes because nothing was found."""
    unseen = [item.name for item in notebook.elsewhere() if not item.known_as & allowed]
    if unseen:
        raise CheckFailed(
            "I can't look into everything that {name} runs«: {parts}»; define it in a code cell of this notebook.",
            name=_name_of(func),
            mine={"parts": ", ".join(dict.fromkeys(unseen))},
        )


def _notebook_of(func: object, caller_globals: dict[str, object]) -> Notebook:
    # The true type: a stand-in for a function in another process may well claim to be a function.
    if not issubclass(type(func), _LIVE):
        if (student := _student_source(func)) is not None:
            return SourceNotebook(student)
        if hasattr(type(func), "__student_source__"):
            raise NotFoundInSource("it has no name of its own in the notebook")
    return LiveNotebook(func, caller_globals)


def _student_source(func: object) -> StudentSource | None:
    student = getattr(func, "__student_source__", None)
    if not isinstance(student, StudentSource) and isinstance(student, types.MethodType):
        student = student()
    return student if isinstance(student, StudentSource) else None


def _name_of(func: object) -> Phrase:
    if not issubclass(type(func), _LIVE) and (student := _student_source(func)) is not None:
        return Phrase("{name}", right={"name": f"`{student.qualname}`"})
    name = getattr(func, "__name__", None)
    kind = f"`{name}`" if isinstance(name, str) else f"this {type(func).__name__}"
    return Phrase("{name}", mine={"name": kind})


def _findings(
    notebook: Notebook, definitions: list[Definition], allowed: frozenset[str], allow_functions: bool
) -> list[_Finding]:
    redefined, passes = notebook.redefined_builtins(), allowed | notebook.own_names()
    findings: dict[str, _Finding] = {}
    pending, followed = list(definitions), set[str]()
    while pending:
        definition = pending.pop(0)
        codes = [(None, body) for body in definition.bodies] + [*definition.defaults]
        for parameter, code in codes:
            for use in outside_uses(code, redefined):
                if use.name in passes or (parameter and use.name in definition.enclosing_names):
                    continue
                if definition in definitions[1:] and notebook.kind(use.name) == "import" and use.action == "read":
                    continue  # what a decorator or base class imports carries no data into the function
                if allow_functions and use.action == "read" and notebook.kind(use.name) == "function":
                    pending += notebook.helper(use.name) if use.name not in followed else []
                    followed.add(use.name)
                    continue
                finding = findings.setdefault(use.name, _Finding(use.name, definition))
                finding.actions.add(use.action)
                finding.default_of = finding.default_of or parameter
                if finding.definition is definition and use.line not in finding.lines:
                    finding.lines.append(use.line)
    return list(findings.values())


def _message(notebook: Notebook, checked: Definition, findings: list[_Finding], allowed: frozenset[str]) -> str:
    undefined = [f for f in findings if _is_undefined(f, notebook)]
    leaks = [f for f in findings if f not in undefined]
    unused = _unused_parameters(checked)
    parts = []
    if leaks:
        names = ", ".join(f"`{finding.name}`" for finding in leaks)
        parts.append(f"`{checked.name}` depends on the notebook around it, through {names}:")
        parts += [f"  - {_place(f, checked)}: {_fix(f, notebook, checked, unused)}" for f in leaks]
    if undefined:
        parts.append(f"`{checked.name}` uses names that are not defined anywhere:")
        parts += [f"  - {_place(f, checked)}: {_spelling(f, checked, allowed)}" for f in undefined]
    if leaks:
        parts.append(
            "A function should work from its parameters alone: otherwise it keeps using whatever the notebook "
            "happened to hold, and gives the wrong answer for a different input."
        )
    return "\n".join(parts)


def _is_undefined(finding: _Finding, notebook: Notebook) -> bool:
    return finding.actions == {"read"} and notebook.kind(finding.name) is None


def _place(finding: _Finding, checked: Definition) -> str:
    """`phrase` (line 3: `batch = tokenizer(phrase)`), lines counted from the `def`."""
    definition = finding.definition
    numbers = [line - definition.first_line + 1 for line in sorted(finding.lines)]
    where = f"line {numbers[0]}" if definition.bodies else ""
    if definition.lines and 0 < min(finding.lines) <= len(definition.lines):
        excerpt = " ".join(definition.lines[min(finding.lines) - 1].split())
        where += f": `{excerpt[:_EXCERPT_WIDTH] + '…' if len(excerpt) > _EXCERPT_WIDTH else excerpt}`"
    if len(numbers) > 1:
        where += f"; also line {', '.join(map(str, numbers[1:]))}"
    if definition.name != checked.name:
        where = f"in `{definition.name}`, {where}"
    return f"`{finding.name}` ({where})"


def _unused_parameters(definition: Definition) -> list[str]:
    used = {name for body in definition.bodies for name in names_read(body)}
    return [name for name in definition.parameters if name not in used | {"self", "cls"}]


def _fix(finding: _Finding, notebook: Notebook, checked: Definition, unused: list[str]) -> str:
    name, kind = finding.name, notebook.kind(finding.name)
    if "namespace" in finding.actions:
        return (
            "this reaches the notebook's variables (or the machine) behind the function's back; pass what you need "
            "as a parameter and use it by name."
        )
    if "write" in finding.actions:
        return f"`global {name}` changes the notebook from inside the function; use a local variable and `return` it."
    if name in BUILTINS:
        better = f"my_{name.strip('_')}"
        return (
            f"the notebook defines its own `{name}`, which hides Python's built-in one; rename yours "
            f"(`{better}`, say), then `del {name}` or restart the kernel."
        )
    if finding.default_of:
        return (
            f"the default value of `{finding.default_of}` is taken from the notebook, once, when the function is "
            "defined; write the value itself, or pass it when you call the function."
        )
    if kind == "import":
        return f"it is imported outside the function, and not among the names allowed here; import `{name}` inside."
    if kind == "function":
        return "it is another function of the notebook, not allowed here; move its code inside this one."
    suggestion = _parameter_meant(name, checked, unused)
    if suggestion:
        return f"{suggestion} If not, define `{name}` inside the function."
    return f"it's a variable of the notebook; define `{name}` inside the function, or make it a parameter."


def _parameter_meant(name: str, checked: Definition, unused: list[str]) -> str | None:
    close = _closest(name, checked.parameters, 0.6)
    if close:
        unused[:] = [parameter for parameter in unused if parameter != close]
        return f"it's not a parameter: did you mean `{close}`?"
    if unused:
        return f"it's not a parameter: did you mean `{unused.pop(0)}`, a parameter that the function never uses?"
    return None


def _spelling(finding: _Finding, checked: Definition, allowed: frozenset[str]) -> str:
    local = {name for body in checked.bodies for name in (*body.co_varnames, *body.co_cellvars)}
    known = sorted({name for name in local | allowed | BUILTINS if re.fullmatch(r"[A-Za-z]\w*", name)})
    close = _closest(finding.name, known, 0.7)
    return (
        f"did you mean `{close}`?"
        if close
        else "define it inside the function before you use it, or check its spelling."
    )


def _closest(name: str, known: Sequence[str], cutoff: float) -> str | None:
    # Comparing takes time with the square of the length, and names come from strangers.
    short = [candidate for candidate in known if len(candidate) <= _LONGEST_NAME]
    close = difflib.get_close_matches(name[:_LONGEST_NAME], short, n=1, cutoff=cutoff)
    return close[0] if close else None
