"""Names in a text, found without running it."""

from __future__ import annotations

import ast

import pytest

from grading_utils.checks.names import mentioned_names, names_in_class_bodies
from grading_utils.checks.source import parse


@pytest.mark.parametrize(
    "source",
    [
        "x = [y for y, (z, *w) in v if u]",
        "def f(a, /, b=c, *d, e: g = h, **i) -> j:\n    return lambda k, l=m: n",
        "@o\nclass P(q, metaclass=r):\n    s: t = u",
        "match v:\n    case W(x=y) if z:\n        a[b:c, ...] = d",
        "try:\n    import e as f\nexcept g as h:\n    print(f'{i!r:{j}}', *k, **l)",
        "with m as n, o:\n    global p\n    del q",
        "async def r():\n    async for s in t:\n        await (u := v)",
    ],
)
def test_the_names_of_a_text_are_those_of_its_syntax_tree(source: str) -> None:
    assert mentioned_names(source) == {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}


def test_names_are_found_in_a_tree_to_which_others_have_added_a_way_back() -> None:
    source = "first = second + 1  # a text of this test only"
    tree = parse(source)
    assert tree is not None
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent  # type: ignore[attr-defined]
    assert mentioned_names(source) == {"first", "second"}


def test_only_class_bodies_ask_for_names_beforehand() -> None:
    assert names_in_class_bodies("class A(B):\n    c = d\n\n    def f(self):\n        return e", "<cell>") >= {"d"}
    assert names_in_class_bodies("a = b", "<cell>") == set()
