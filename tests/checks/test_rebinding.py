"""Where the cells may give a function's name to something else, the text of the function decides nothing."""

from __future__ import annotations

import ast

import pytest

from grading_utils.checks.rebinding import rebinding

FUNCTION = "def scaled(x):\n    return x\n"
REBOUND = [
    "globals()['scaled'] = other",
    "globals().update(scaled=other)",
    "names = globals()\nnames['scaled'] = other",
    "locals().__setitem__('scaled', other)",
    "vars()[name] = other",
    "exec('scaled = other')",
    "exec(text)",
    "run = exec\nrun(text)",
    "eval('(scaled := other)')",
    "import __main__ as me\nme.scaled = other",
    "from __main__ import scaled",
    "from mine import *",
    "from . import *",
    "setattr(sys.modules['__main__'], 'scaled', other)",
    "get_ipython().user_ns['scaled'] = other",
    "get_ipython().push({'scaled': other})",
    "scaled.__code__ = other.__code__",
    "setattr(scaled, '__code__', other.__code__)",
    "(scaled := other)",
    "def change():\n    global scaled\n    scaled = other",
]
HARMLESS = [
    "print('scaled' in globals())",
    "print(sorted(globals()), globals()['scaled'](1))",
    "for name in list(globals()): print(name)",
    "globals().get('scaled')",
    "print(vars(thing)['size'])",
    "exec('other = 1')",
    "if __name__ == '__main__': print(scaled(1))",
    "from math import *",
    "def count():\n    global total\n    total += 1",
    "if (n := len('abc')) > 2: print(n)",
    "print(scaled.__code__.co_varnames)",
    "class Box:\n    def __init__(self, **given):\n        for name in given: setattr(self, name, 1)",
    "def inner():\n    return [scaled := 1, scaled]",
]


@pytest.mark.parametrize("text", REBOUND)
def test_a_text_that_may_rebind_the_name_is_found(text: str) -> None:
    tree = ast.parse(FUNCTION + text)
    assert rebinding(tree, "scaled", tree.body[0]) is not None


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_that_binds_other_names_or_only_looks_is_none(text: str) -> None:
    tree = ast.parse(FUNCTION + text)
    found = rebinding(tree, "scaled", tree.body[0])
    assert found is None, ast.unparse(found)


def test_what_the_function_itself_does_is_for_others_to_judge() -> None:
    tree = ast.parse("def scaled(x):\n    return globals()['x']")
    assert rebinding(tree, "scaled", tree.body[0]) is None
    assert rebinding(tree, "scaled") is None  # it only looks
    tree = ast.parse("def scaled(x):\n    globals()['x'] = 1")
    assert rebinding(tree, "scaled", tree.body[0]) is None
