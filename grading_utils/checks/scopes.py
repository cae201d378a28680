"""Which names a compiled function takes from outside itself, exactly as the Python compiler resolved them.

The compiler has already decided what is local, free or global; this module reads its decision from the code
objects, so attribute names, comprehensions, lambdas and nested scopes need no rules of their own. Which global names
a function, lambda or comprehension may read is decided by `localscope`, and by nothing else here:

- each code object is asked about alone, since localscope lets one scope's parameter excuse its siblings;
- it is asked again until nothing is refused, since it stops at the first name.

We add what it leaves out: builtins that the notebook redefined, writes (`global x`), class bodies, and ways to the
whole namespace.

Nothing is executed. This finds mistakes, it is no security boundary: code can hide a name if it wants to.
"""

from __future__ import annotations

import builtins
import dis
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Literal

from localscope import LocalscopeException, localscope

Action = Literal["read", "write", "namespace"]

# IPython puts `get_ipython` among the builtins of a running kernel only, and `display` belongs there too; fixing
# both makes the answer the same in a kernel and outside one.
BUILTINS = (frozenset(dir(builtins)) - {"get_ipython", "_"}) | {"display"}

_NAMESPACE_BUILTINS = frozenset({"globals", "vars", "eval", "exec", "get_ipython", "__builtins__"})
_NAMESPACE_ATTRIBUTES = frozenset({"__globals__", "f_globals", "f_builtins"})
_MAIN_MODULE = "__main__"
_NOT_CODE_OF_THE_STUDENT = frozenset({"__annotations__", "__conditional_annotations__", "__class__"})


@dataclass(frozen=True)
class Use:
    """One place where code reaches outside its own scope."""

    name: str
    line: int
    action: Action


def outside_uses(code: CodeType, redefined_builtins: frozenset[str]) -> list[Use]:
    """List every use of a name that is neither the function's own nor a plain builtin, in line order.

    Args:
        code: A function's, lambda's, class body's or expression's code; nested scopes are included.
        redefined_builtins: Builtin names that the notebook bound itself, which therefore count as its variables.
    """
    uses = [use for scope in _scopes(code) for use in _uses_of_one_scope(scope, redefined_builtins)]
    return sorted(dict.fromkeys(uses), key=lambda use: use.line)


def names_read(code: CodeType) -> frozenset[str]:
    """Every name that `code` or a scope inside it reads, local ones included."""
    return frozenset(
        str(instruction.argval)
        for scope in _scopes(code)
        for instruction in dis.get_instructions(scope)
        if instruction.opname.startswith("LOAD_")
        for instruction in _split(instruction)
    )


def names_stored(code: CodeType) -> frozenset[str]:
    """Names that a class body binds; scopes inside it are left out."""
    return frozenset(str(i.argval) for i in dis.get_instructions(code) if i.opname == "STORE_NAME")


def _split(instruction: dis.Instruction) -> Iterator[dis.Instruction]:
    # Newer Pythons load two locals in one instruction, with a tuple of names.
    if isinstance(instruction.argval, tuple):
        yield from (instruction._replace(argval=name) for name in instruction.argval)
    else:
        yield instruction


def _scopes(code: CodeType) -> Iterator[CodeType]:
    if code.co_name == "__annotate__":  # Python 3.14: annotations, never run by a call
        return
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _scopes(constant)


def _uses_of_one_scope(code: CodeType, redefined_builtins: frozenset[str]) -> Iterator[Use]:
    refused = _refused_by_localscope(code)
    bound_in_class_body: set[str] = set()
    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        if instruction.positions is not None and instruction.positions.lineno is not None:
            line = instruction.positions.lineno
        operation, name = instruction.opname, instruction.argval
        if operation in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            in_class_body = operation != "LOAD_GLOBAL"
            if in_class_body and name in bound_in_class_body | _NOT_CODE_OF_THE_STUDENT:
                continue
            if name in redefined_builtins:
                yield Use(name, line, "read")
            elif name in _NAMESPACE_BUILTINS:
                yield Use(name, line, "namespace")
            elif name not in BUILTINS if in_class_body else name in refused:
                yield Use(name, line, "read")
        elif operation == "STORE_NAME":
            bound_in_class_body.add(name)
        elif operation in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield Use(name, line, "write")
        elif (operation in ("LOAD_ATTR", "LOAD_METHOD") and name in _NAMESPACE_ATTRIBUTES) or (
            operation in ("IMPORT_NAME", "LOAD_CONST") and isinstance(name, str) and name == _MAIN_MODULE
        ):
            yield Use(name, line, "namespace")


def _refused_by_localscope(code: CodeType) -> set[str]:
    """All global names that localscope refuses in this one code object, nested scopes left out."""
    alone = code.replace(
        co_consts=tuple(None if isinstance(constant, CodeType) else constant for constant in code.co_consts),
        co_linetable=b"",  # without line numbers localscope does not search all modules for an excerpt to show
    )
    refused: set[str] = set()
    while True:
        try:
            localscope(alone, predicate=lambda value: False, allowed=BUILTINS | refused, allow_closure=True)
        except LocalscopeException as error:
            found = re.match(r"`(.+?)` is not ", str(error))
            if found is None or found[1] in refused:
                raise
            refused.add(found[1])
        else:
            return refused
