"""Functions whose names live elsewhere: other modules, wrappers, libraries. Nothing passes because nothing was found."""

# ruff: noqa: E501 (a snippet in one line keeps the table of cases readable)

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grading_utils.checks import scopes
from grading_utils.checks.global_vars import check_global_vars

from .snippets import SETTINGS, Case, message_of, reported


def said_in_the_notebook(source: str, name: str, setting: str, allowed: str = "") -> str:
    """What the check says when it is called from a cell of the notebook, as a student does."""
    if setting == "source":
        return message_of(source, name, setting, allowed_globals=allowed)
    namespace: dict[str, Any] = {"__name__": "__main__", "check_global_vars": check_global_vars}
    exec(compile(source, "<cell of a notebook>", "exec", dont_inherit=True), namespace)
    try:
        exec(f"check_global_vars({name}, {allowed!r})", namespace)
    except AssertionError as error:
        return str(error)
    return ""


HELPER = """
k = 1
def g(x): return k
def pure(x): return x
class Base:
    def a(self): return k
class Meta(type):
    def __call__(cls): return k
class Given:
    def __init__(self, f): self.f = f
    def __get__(self, instance, owner): return self.f
def dec(f):
    def w(*a): return f(*a) + k
    return w
"""
WRAP = "class Wrap:\n    def __init__(self, g): self.g = g\n    def __call__(self, x): return self.g(x)\n"


@pytest.fixture
def helper_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module of a student's own beside the notebook."""
    (tmp_path / "helper_of_mine.py").write_text(HELPER)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("helper_of_mine", None)


ELSEWHERE = [
    Case("a class whose method is another module's", "class A:\n    def b(self): return 1\n    a = h.g", "", "A"),
    Case("a class with nothing but another module's method", "class A:\n    a = h.g", "", "A"),
    Case("a callable instance that another module's function answers for", "class A:\n    __call__ = h.g\nf = A()"),
    Case("a base class of another module", "class A(h.Base):\n    def b(self): return 1", "", "A"),
    Case("a base class of another module by a second name", "B = h.Base\nclass A(B): pass", "", "A"),
    Case("a base class of a class in the class", "class A:\n    class B(h.Base): pass", "", "A"),
    Case("a metaclass of another module", "class A(metaclass=h.Meta):\n    def b(self): return 1", "", "A"),
    Case("a metaclass of a class in the class", "class A:\n    class B(metaclass=h.Meta): pass", "", "A"),
    Case("a descriptor of another module's class", "class A:\n    a = h.Given(h.g)", "", "A"),
    Case("another module's function put into a class later", "class A:\n    def b(self): return 1\nA.a = h.g", "", "A"),
    Case("the same by setattr", "class A:\n    def b(self): return 1\nsetattr(A, 'a', h.g)", "", "A"),
    Case("a decorator of another module", "@h.dec\ndef f(x): return x"),
    Case("a method's decorator of another module", "class A:\n    @h.dec\n    def a(self): return 1", "", "A"),
    Case("a decorator of another module applied by hand", "def g(x): return x\nf = h.dec(g)"),
    Case("a partial of another module's function", "from functools import partial\nf = partial(h.g, 1)"),
    Case("a function given to another module's", "from functools import partial\nf = partial(h.g, lambda: 1)"),
    Case("another module's function by a name of its own", "f = h.g"),
    Case("a bound method of another module's class", "f = h.Base().a"),
    Case("a class as a decorator", WRAP + "k = 1\n@Wrap\ndef f(x): return k"),
    Case("a function in a callable instance", WRAP + "k = 1\ndef g(x): return k\nf = Wrap(g)"),
    Case("a class as a decorator of a method", WRAP + "k = 1\nclass A:\n    @Wrap\n    def a(self): return k", "", "A"),
]
"""What a call runs is not, or not all of it, in the notebook's own functions."""


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("case", ELSEWHERE, ids=lambda case: case.promise)
@pytest.mark.usefixtures("helper_module")
def test_nothing_passes_because_nothing_was_found(case: Case, setting: str) -> None:
    source = f"import helper_of_mine as h\n{case.source}"
    assert said_in_the_notebook(source, case.name, setting), "it passed"


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("allowed", ["h", "helper_of_mine h"])
@pytest.mark.usefixtures("helper_module")
def test_another_module_is_trusted_where_it_is_allowed(allowed: str, setting: str) -> None:
    source = "import helper_of_mine as h\nclass A(h.Base):\n    a = h.g\n    @h.dec\n    def b(self): return 1"
    assert said_in_the_notebook(source, "A", setting, allowed) == ""


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("import enum\nclass A(enum.Enum):\n    ONE = 1\n    def a(self): return self.value", "enum"),
        ("from collections import namedtuple\nclass A(namedtuple('B', 'x y')):\n    def a(self): return self.x", ""),
        ("from typing import NamedTuple\nclass A(NamedTuple):\n    x: int\n    def a(self): return self.x", ""),
        ("import functools\n@functools.total_ordering\nclass A:\n    def __lt__(self, o): return True", ""),
        ("from collections import UserDict\nBase = UserDict\nclass A(Base): pass", ""),
        ("from grading_utils.errors import SandboxError\nclass A(SandboxError): pass", ""),
        ("class A: pass", ""),
    ],
)
def test_a_library_s_code_is_no_leak(source: str, allowed: str, setting: str) -> None:
    assert said_in_the_notebook(source, "A", setting, allowed) == ""


def test_localscope_decides_which_names_a_function_may_read(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "k = 1\ndef f(x):\n    return [k for _ in x]"
    assert reported(message_of(source)) == ["k"]
    monkeypatch.setattr(scopes, "localscope", lambda code, **_: code)
    assert message_of(source) == "", "something else than localscope has refused it"
