"""One case per scope kind; each is asked twice: of the live function, and of its source text alone."""

# ruff: noqa: E501 (a snippet in one line keeps the table of cases readable)

from __future__ import annotations

import linecache
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from grading_utils.checks import scopes
from grading_utils.checks.global_vars import check_global_vars
from grading_utils.checks.source import StudentSource

_numbers = count()
SETTINGS = ("live", "source")


@dataclass(frozen=True)
class InAnotherProcess:
    """What stands for a student's function where that function may not be touched."""

    __student_source__: StudentSource

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return FunctionType

    def __call__(self) -> None:
        raise RuntimeError("student code must not run")


def load(source: str, name: str, setting: str) -> Any:
    text = textwrap.dedent(source).strip("\n") + "\n"
    filename = f"<cell {next(_numbers)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)
    if setting == "source":
        names = frozenset(namespace) - {"__builtins__", "__name__"}
        return InAnotherProcess(StudentSource(text, name, "submission.ipynb", names))
    value = namespace[name.split(".")[0]]
    for attribute in name.split(".")[1:]:
        value = getattr(value, attribute)
    return value


def message_of(source: str, name: str = "f", setting: str = "live", **options: Any) -> str:
    function = load(source, name, setting)
    try:
        check_global_vars(function, **options)
    except AssertionError as error:
        return str(error)
    return ""


def reported(message: str) -> list[str]:
    return sorted(re.findall(r"^  - `(.+?)`", message, flags=re.MULTILINE))


@dataclass(frozen=True)
class Case:
    promise: str
    source: str
    leaks: str = ""
    name: str = "f"
    allowed: str = ""


CASES = [
    Case("parameters and locals are its own", "def f(x):\n    y = x\n    return y"),
    Case("a notebook variable is a leak", "phrase = 1\ndef f(x):\n    return phrase", "phrase"),
    Case("an allowed name is no leak", "phrase = 1\ndef f(x):\n    return phrase", allowed="phrase"),
    Case("all leaks are reported at once", "a = b = c = 1\ndef f(x):\n    return a + b + c", "a b c"),
    Case("a module is a leak unless allowed", "import math\ndef f(x):\n    return math.pi", "math"),
    Case("a module imported inside is its own", "import math\ndef f(x):\n    import math\n    return math.pi"),
    Case("another function is a leak", "def g(): pass\ndef f(x):\n    return g()", "g"),
    Case("an allowed function is trusted", "k = 1\ndef g(): return k\ndef f(x):\n    return g()", allowed="g"),
    Case("a plain builtin is no leak", "def f(x):\n    return list(map(str, sorted(x)))"),
    Case("an exception class is no leak", "def f(x):\n    raise ValueError(x)"),
    # attributes
    Case("an attribute name is no leak", "logits = 1\ndef f(out):\n    return out.logits"),
    Case("an attribute that is set is no leak", "logits = 1\ndef f(out):\n    out.logits = 2"),
    Case("a method name is no leak", "decode = 1\ndef f(t):\n    return t.decode()"),
    Case("a keyword argument's name is no leak", "dim = 1\ndef f(t):\n    return t(dim=2)"),
    Case("a string is no leak", "k = 1\ndef f():\n    return {'k': 2}['k']"),
    # comprehensions
    Case("a read inside a list comprehension", "k = 1\ndef f(x):\n    return [k for _ in x]", "k"),
    Case("a read inside a nested generator", "k = 1\ndef f(x):\n    return sum(sum(k for _ in y) for y in x)", "k"),
    Case("a read in a dict comprehension's condition", "k = 1\ndef f(x):\n    return {i: i for i in x if i > k}", "k"),
    Case("a read as what a comprehension runs over", "xs = []\ndef f():\n    return {i for i in xs}", "xs"),
    Case("a comprehension's own variable is no leak", "i = 1\ndef f(x):\n    return [i for i in x]"),
    Case("the comprehension's variable is unknown after it", "i = 1\ndef f(x):\n    [i for i in x]\n    return i", "i"),
    # lambdas and nested functions
    Case("a read inside a lambda", "k = 1\ndef f(x):\n    return lambda: k", "k"),
    Case("a lambda's parameter is its own", "k = 1\ndef f(x):\n    return lambda k: k"),
    Case(
        "a lambda's parameter does not excuse its sibling",
        "k = 1\ndef f(x):\n    return (lambda k: k), (lambda: k)",
        "k",
    ),
    Case(
        "a nested function's parameter does not excuse the outer one",
        "k = 1\ndef f():\n    def g(k): return k\n    return k",
        "k",
    ),
    Case("a read inside a nested function", "k = 1\ndef f():\n    def g():\n        return k\n    return g()", "k"),
    Case(
        "an outer local is no leak in a nested function",
        "k = 1\ndef f(k):\n    def g():\n        return k\n    return g()",
    ),
    Case(
        "nonlocal is no leak",
        "k = 1\ndef f():\n    k = 0\n    def g():\n        nonlocal k\n        k += 1\n    return g",
    ),
    Case(
        "a nested function's annotation is no leak", "T = int\ndef f():\n    def g(x: T) -> T: return x\n    return g"
    ),
    Case("a nested function's default is a read", "k = 1\ndef f():\n    def g(x=k): return x\n    return g", "k"),
    Case("a lambda itself can be checked", "k = 1\nf = lambda x: x + k", "k"),
    Case(
        "two lambdas in one line are told apart", "k = 1\nf, g = [lambda x: x, lambda x: x + k][0], 2\nf = lambda x: x"
    ),
    # class bodies
    Case("a class body inside a function", "k = 1\ndef f():\n    class A:\n        z = k\n    return A", "k"),
    Case(
        "a name that the class body bound is no leak",
        "z = 1\ndef f():\n    class A:\n        z = 2\n        y = z\n    return A",
    ),
    Case("a class body that reads before it binds", "z = 1\ndef f():\n    class A:\n        z = z\n    return A", "z"),
    Case("an outer local in a class body is no leak", "z = 1\ndef f(z):\n    class A:\n        y = z\n    return A"),
    Case(
        "a method of an inner class", "k = 1\ndef f():\n    class A:\n        def m(self): return k\n    return A", "k"
    ),
    Case("an inner class's annotations are no leak", "T = int\ndef f():\n    class A:\n        x: T = 1\n    return A"),
    # builtins
    Case("a builtin that the notebook redefined", "list = [1]\ndef f(x):\n    return list(x)", "list"),
    Case("max and sum redefined", "max = 1\nsum = 2\ndef f(x):\n    return max, sum", "max sum"),
    Case("a redefined builtin can be allowed", "max = 1\ndef f(x):\n    return max", allowed="max"),
    Case("a builtin's name as a local is no leak", "max = 1\ndef f(x):\n    max = 2\n    return max"),
    Case("open is a plain builtin", "def f(x):\n    return open(x)"),
    Case("display is a plain builtin", "def f(x):\n    display(x)"),
    # writes and namespaces
    Case("a global write", "def f():\n    global q\n    q = 1\nq = 0", "q"),
    Case(
        "a global write in a nested function",
        "q = 0\ndef f():\n    def g():\n        global q\n        q = 1\n    g()",
        "q",
    ),
    Case("a global delete", "q = 0\ndef f():\n    global q\n    del q", "q"),
    Case("an augmented global write", "q = 0\ndef f():\n    global q\n    q += 1", "q"),
    Case("a global import", "def f():\n    global math\n    import math", "math"),
    Case("globals()", "k = 1\ndef f():\n    return globals()['k']", "globals"),
    Case("vars()", "k = 1\ndef f(m):\n    return vars(m)['k']", "vars"),
    Case("eval and exec", "k = 1\ndef f():\n    exec('x = k')\n    return eval('k')", "eval exec"),
    Case("its own __globals__", "k = 1\ndef f():\n    return f.__globals__['k']", "__globals__"),
    Case(
        "the frame's globals", "import sys\ndef f():\n    return sys._getframe().f_globals", "f_globals", allowed="sys"
    ),
    Case("importing the notebook", "k = 1\ndef f():\n    from __main__ import k\n    return k", "__main__"),
    Case(
        "the notebook among sys.modules", "def f():\n    import sys\n    return sys.modules['__main__'].k", "__main__"
    ),
    Case("locals() shows only its own", "k = 1\ndef f():\n    return locals()"),
    # headers
    Case("a default argument", "K = 1\ndef f(k=K):\n    return k", "K"),
    Case("a keyword-only default", "K = 1\ndef f(*, a=1, k=K):\n    return k", "K"),
    Case("a default that is a lambda", "K = 1\ndef f(k=lambda: K):\n    return k", "K"),
    Case("a plain default is no leak", "def f(k=5, name='x'):\n    return k"),
    Case("an annotation is no leak", "T = int\ndef f(k: T = 5) -> T:\n    x: T = k\n    return x"),
    Case("*args and **kwargs are parameters", "args = kw = 1\ndef f(*args, **kw):\n    return [args for _ in kw]"),
    # undefined names
    Case("an undefined name", "def f(x):\n    return probss", "probss"),
    # recursion
    Case("recursion is allowed", "def f(n):\n    return f(n - 1) if n else 0"),
    Case("recursion inside a comprehension is allowed", "def f(n):\n    return [f(i) for i in range(n)]"),
    Case("a recursive lambda is allowed", "f = lambda n: f(n - 1) if n else 0"),
    # wrappers
    Case(
        "functools.wraps",
        "import functools\nk = 1\ndef dec(g):\n    @functools.wraps(g)\n    def w(*a): return g(*a)\n    return w\n@dec\ndef f(x):\n    return k",
        "k",
    ),
    Case(
        "an honest decorator",
        "import functools\ndef dec(g):\n    @functools.wraps(g)\n    def w(*a): return g(*a)\n    return w\n@dec\ndef f(x):\n    return x",
    ),
    Case(
        "a decorator without functools.wraps",
        "k = 1\ndef dec(g):\n    def w(*a): return g(*a)\n    return w\n@dec\ndef f(x):\n    return k",
        "k",
    ),
    Case(
        "a decorator that reads a variable itself",
        "k = 1\ndef dec(g):\n    def w(*a): return g(*a) + k\n    return w\n@dec\ndef f(x):\n    return x",
        "k",
    ),
    Case(
        "a decorator with arguments",
        "k = 1\ndef times(n):\n    def dec(g):\n        def w(*a): return g(*a) * n\n        return w\n    return dec\n@times(2)\ndef f(x):\n    return k",
        "k",
    ),
    Case(
        "two decorators",
        "import functools\nk = 1\ndef dec(g):\n    @functools.wraps(g)\n    def w(*a): return g(*a)\n    return w\n@dec\n@functools.lru_cache\ndef f(x):\n    return k",
        "k",
    ),
    Case("lru_cache", "from functools import lru_cache\nk = 1\n@lru_cache(maxsize=2)\ndef f(x):\n    return k", "k"),
    Case(
        "a recursive cached function", "from functools import cache\n@cache\ndef f(n):\n    return f(n - 1) if n else 0"
    ),
    Case("partial", "from functools import partial\nk = 1\ndef g(a, b): return k\nf = partial(g, 1)", "k"),
    Case(
        "an honest partial of a value", "from functools import partial\nv = 1\ndef g(a, b): return a\nf = partial(g, v)"
    ),
    Case(
        "partial of partial",
        "from functools import partial\nk = 1\ndef g(a, b): return k\nf = partial(partial(g, 1), b=2)",
        "k",
    ),
    Case(
        "a function given to partial",
        "from functools import partial\nk = 1\ndef h(): return k\ndef g(a): return a()\nf = partial(g, h)",
        "k",
    ),
    Case(
        "a decorator applied by hand",
        "k = 1\ndef dec(g):\n    def w(*a): return g(*a)\n    return w\ndef g(x): return k\nf = dec(g)",
        "k",
    ),
    Case(
        "a function rebound to its wrapped self",
        "from functools import lru_cache\nk = 1\ndef f(x): return k\nf = lru_cache(f)",
        "k",
    ),
    Case("an alias", "k = 1\ndef g(x): return k\nf = g", "k"),
    Case("recursion through an alias", "def g(x): return f(x) + g(x)\nf = g"),
    Case("the last definition wins", "k = 1\ndef f(x): return k\ndef f(x): return x"),
    Case("an earlier definition is not looked at", "k = 1\ndef f(x): return x\ndef f(x): return k", "k"),
    Case("a definition inside an if", "k = 1\nif k:\n    def f(x): return k", "k"),
    # closures
    Case("a closure's own variable is no leak", "def make(k):\n    def f(): return k\n    return f\nf = make(1)"),
    Case(
        "a closure over a notebook variable",
        "k = 1\ndef make():\n    p = k\n    def f(): return p\n    return f\nf = make()",
        "k",
    ),
    Case(
        "a closure over a function that leaks",
        "k = 1\ndef make(g):\n    def f(): return g()\n    return f\ndef h(): return k\nf = make(h)",
        "k",
    ),
    # methods and classes
    Case("a whole class", "k = 1\nclass A:\n    def a(self): return 1\n    def b(self): return k", "k", "A"),
    Case("an honest class", "class A:\n    size = 3\n    def a(self, n=size): return A, self.size, n", "", "A"),
    Case("one method alone", "k = 1\nclass A:\n    def a(self): return k\n    def b(self): return 1", "", "A.b"),
    Case("the method that leaks", "k = 1\nclass A:\n    def a(self): return k\n    def b(self): return 1", "k", "A.a"),
    Case(
        "a class attribute is no local of a method", "k = 1\nclass A:\n    k = 2\n    def a(self): return k", "k", "A.a"
    ),
    Case("a method's default from its class", "n = 1\nclass A:\n    n = 2\n    def a(self, x=n): return x", "", "A.a"),
    Case("a class body's read", "k = 1\nclass A:\n    size = k\n    def a(self): return 1", "k", "A"),
    Case("staticmethod", "k = 1\nclass A:\n    @staticmethod\n    def a(): return k", "k", "A"),
    Case("classmethod", "k = 1\nclass A:\n    @classmethod\n    def a(cls): return k", "k", "A"),
    Case("classmethod alone", "k = 1\nclass A:\n    @classmethod\n    def a(cls): return k", "k", "A.a"),
    Case(
        "property and its setter",
        "j = k = 1\nclass A:\n    @property\n    def a(self): return k\n    @a.setter\n    def a(self, v): return j",
        "j k",
        "A",
    ),
    Case(
        "a decorated method in a class",
        "from functools import lru_cache\nk = 1\nclass A:\n    @lru_cache\n    def a(self): return k",
        "k",
        "A",
    ),
    Case(
        "zero-argument super",
        "class A:\n    def __init__(self):\n        super().__init__()\n        self.c = __class__",
        "",
        "A",
    ),
    Case(
        "zero-argument super, one method",
        "class A:\n    def __init__(self):\n        super().__init__()",
        "",
        "A.__init__",
    ),
    Case("the class's own name in a method", "class A:\n    def a(self): return super(A, self)", "", "A.a"),
    Case(
        "a base class of the notebook",
        "k = 1\nclass B:\n    def a(self): return k\nclass A(B):\n    def b(self): return 1",
        "k",
        "A",
    ),
    Case("a callable instance", "k = 1\nclass A:\n    def __call__(self): return k\nf = A()", "k"),
    Case("a bound method", "k = 1\nclass A:\n    def a(self): return k\na = A()\n", "k", "a.a"),
    Case(
        "a dataclass",
        "from dataclasses import dataclass, field\nk = 1\n@dataclass\nclass A:\n    x: int = 1\n    y: list = field(default_factory=lambda: [])\n    def a(self): return k",
        "k",
        "A",
        allowed="field",
    ),
    # other kinds of function
    Case("async function", "k = 1\nasync def f(x):\n    return [k async for _ in x]", "k"),
    Case("generator", "k = 1\ndef f(x):\n    yield from k", "k"),
    Case(
        "with, for and except bind locals",
        "e = h = i = 1\ndef f(x):\n    with x as h:\n        for i in h: pass\n    try: pass\n    except ValueError as e: print(e)\n    return i",
    ),
    Case("a walrus binds a local", "n = 1\ndef f(x):\n    if (n := len(x)): return n"),
    Case("a match pattern binds a local", "n = 1\ndef f(x):\n    match x:\n        case [n]: return n"),
    Case("an f-string reads", "k = 1\ndef f(x):\n    return f'{k:>{x}}'", "k"),
    Case("an assertion reads", "k = 1\ndef f(x):\n    assert x == k, k", "k"),
    Case("odd source prints no warning", "def f(x):\n    return '\\d' if x is 1 else x"),
]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.promise)
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_scopes(case: Case, setting: str) -> None:
    message = message_of(case.source, case.name, setting, allowed_globals=case.allowed)
    assert reported(message) == case.leaks.split(), message


@pytest.mark.parametrize("case", [case for case in CASES if case.leaks], ids=lambda case: case.promise)
def test_both_settings_say_the_same(case: Case) -> None:
    live, source = (message_of(case.source, case.name, setting, allowed_globals=case.allowed) for setting in SETTINGS)
    assert live == source


def said_in_the_notebook(source: str, name: str, setting: str, allowed: str = "") -> str:
    """What the check says when it is called from a cell of the notebook, as a student does."""
    if setting == "source":
        return message_of(source, name, setting, allowed_globals=allowed)
    namespace: dict[str, Any] = {"__name__": "__main__", "check_global_vars": check_global_vars}
    exec(compile(source, f"<cell {next(_numbers)}>", "exec", dont_inherit=True), namespace)
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


TORCH_CASES = [
    Case(
        "under torch.no_grad",
        "import torch\nk = 1\n@torch.no_grad()\ndef f(x):\n    return torch.tensor(x) + k",
        "k",
        allowed="torch",
    ),
    Case(
        "honest under torch.inference_mode",
        "import torch\n@torch.inference_mode()\ndef f(x):\n    return torch.tensor(x)",
        allowed="torch",
    ),
    Case("no_grad applied by hand", "import torch\nk = 1\ndef g(x): return k\nf = torch.no_grad()(g)", "k"),
    Case(
        "a module class",
        "import torch\nfrom torch import nn\nn = 1\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layer = nn.Linear(n, 1)\n    @torch.no_grad()\n    def forward(self, x): return self.layer(x)",
        "n",
        "Net",
        allowed="torch nn",
    ),
    Case(
        "a module instance",
        "import torch\nfrom torch import nn\nn = 1\nclass Net(nn.Module):\n    def forward(self, x): return n\nnet = Net()",
        "n",
        "net",
        allowed="torch nn",
    ),
]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("case", TORCH_CASES, ids=lambda case: case.promise)
def test_torch(case: Case, setting: str) -> None:
    message = message_of(case.source, case.name, setting, allowed_globals=case.allowed)
    assert reported(message) == case.leaks.split(), message


PREDICT = """
phrase = "hi"
n = 5
def predict(prompt, k):
    batch = tokenizer(phrase, return_tensors="pt")
    out = model(**batch)
    return out.topk(n), phrase
tokenizer = model = print
"""


@pytest.mark.parametrize("setting", SETTINGS)
class TestMessage:
    def test_names_each_variable_with_its_lines_and_the_parameter_meant(self, setting: str) -> None:
        message = message_of(PREDICT, "predict", setting, allowed_globals=["tokenizer", "model"])
        assert "`predict` depends on the notebook around it, through `phrase`, `n`:" in message
        assert '`phrase` (line 2: `batch = tokenizer(phrase, return_tensors="pt")`; also line 4)' in message
        assert "did you mean `prompt`" in message
        assert "did you mean `k`" in message
        assert "define `phrase` inside the function" in message

    def test_suggests_the_parameter_with_a_similar_name(self, setting: str) -> None:
        message = message_of("prompts = 1\ndef f(x, prompt):\n    return prompts, prompt, x", "f", setting)
        assert "it's not a parameter: did you mean `prompt`?" in message

    def test_undefined_is_not_called_a_leak(self, setting: str) -> None:
        message = message_of("def f(x):\n    probs = x\n    return probss", "f", setting)
        assert "uses names that are not defined anywhere" in message
        assert "did you mean `probs`?" in message
        assert "depends on the notebook" not in message

    def test_a_shadowed_builtin_says_how_to_get_it_back(self, setting: str) -> None:
        assert "`del list`" in message_of("list = 1\ndef f(x):\n    return list(x)", "f", setting)

    def test_a_global_write_says_return_it(self, setting: str) -> None:
        assert "use a local variable and `return` it" in message_of(
            "q = 1\ndef f():\n    global q\n    q = 2", "f", setting
        )

    def test_a_default_names_its_parameter(self, setting: str) -> None:
        assert "the default value of `k` is taken from the notebook" in message_of(
            "K = 1\ndef f(k=K): return k", "f", setting
        )

    def test_an_import_says_import_inside(self, setting: str) -> None:
        assert "import `math` inside" in message_of("import math\ndef f(): return math.pi", "f", setting)

    def test_a_decorated_function_is_called_by_its_own_name(self, setting: str) -> None:
        source = "k = 1\ndef dec(g):\n    def w(): return g()\n    return w\n@dec\ndef f(): return k"
        assert message_of(source, "f", setting).startswith("`f` depends")


@pytest.mark.parametrize("setting", SETTINGS)
class TestAllowFunctions:
    SOURCE = "k = 1\ndef h(): return k\ndef g(): return h()\ndef f(x): return g()"

    def test_helpers_are_followed_to_the_leak(self, setting: str) -> None:
        message = message_of(self.SOURCE, "f", setting, allow_functions=True)
        assert reported(message) == ["k"]
        assert "`k` (in `h`, line 1: `def h(): return k`)" in message

    def test_mutual_recursion_ends(self, setting: str) -> None:
        source = "def g(n): return f(n)\ndef f(n): return g(n)"
        assert message_of(source, "f", setting, allow_functions=True) == ""

    def test_classes_of_the_notebook_count(self, setting: str) -> None:
        source = "class A:\n    def a(self): return k\nk = 1\ndef f(): return A()"
        assert reported(message_of(source, "f", setting, allow_functions=True)) == ["k"]

    def test_variables_stay_forbidden(self, setting: str) -> None:
        source = "class A:\n    pass\nnet = A()\nx = len('a')\ndef f(): return net, x"
        assert reported(message_of(source, "f", setting, allow_functions=True)) == ["net", "x"]

    def test_imports_stay_forbidden(self, setting: str) -> None:
        assert reported(
            message_of("from math import exp\ndef f(): return exp(1)", "f", setting, allow_functions=True)
        ) == ["exp"]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("allowed", ["a b", "a, b", ["a", "b"], {"a", "b"}, ("a", "b"), {"a": 1, "b": 2}])
def test_allowed_names_come_as_text_or_any_iterable(allowed: Any, setting: str) -> None:
    assert message_of("a = b = 1\ndef f(): return a + b", "f", setting, allowed_globals=allowed) == ""


def test_without_source_the_compiled_code_is_checked() -> None:
    namespace: dict[str, Any] = {"k": 1, "list": 2}
    exec("def f(x):\n    return [k for _ in x], list, x.k", namespace)
    with pytest.raises(AssertionError) as error:
        check_global_vars(namespace["f"])
    assert reported(str(error.value)) == ["k", "list"]


@pytest.mark.parametrize("value", [len, 3, None, "text", [1].append])
def test_what_is_no_function_of_the_notebook_says_so(value: object) -> None:
    with pytest.raises(AssertionError, match="define it with `def` in a code cell"):
        check_global_vars(value)


def student(source: str, name: str = "f", names: str = "") -> InAnotherProcess:
    return InAnotherProcess(StudentSource(source, name, "submission.ipynb", frozenset(names.split())))


@pytest.mark.parametrize(
    "source", ["", "f = 3", "def g(): pass", "def f(:", "f = unknown(3)", "import f", "f = f", "\0", "(" * 5000]
)
def test_source_without_the_function_says_define_it_with_def(source: str) -> None:
    with pytest.raises(AssertionError, match="define it with `def` in a code cell"):
        check_global_vars(student(source))


def test_source_that_the_compiler_refuses_is_no_crash() -> None:
    with pytest.raises(AssertionError, match="does not compile"):
        check_global_vars(student("def f():\n    nonlocal x"))


def test_the_student_s_own_code_is_never_run() -> None:
    with pytest.raises(AssertionError, match="`k`"):
        check_global_vars(student("raise SystemExit\ndef f(x=1/0): return k", names="k f"))


def test_a_stand_in_without_a_name_in_the_notebook_says_define_it_with_def() -> None:
    class Nameless:
        @property
        def __student_source__(self) -> StudentSource:
            raise AttributeError

        def __call__(self) -> None: ...

    with pytest.raises(AssertionError, match="define it with `def` in a code cell"):
        check_global_vars(Nameless())


def test_a_student_cannot_hand_over_source_of_their_choice() -> None:
    function = load("k = 1\ndef f(): return k", "f", "live")
    function.__student_source__ = StudentSource("def f(): return 1", "f", "x", frozenset())
    with pytest.raises(AssertionError, match="`k`"):
        check_global_vars(function)


@pytest.mark.parametrize(
    "source",
    [
        "x0 = lambda: k\n" + "\n".join(f"x{i + 1} = partial(x{i}, x{i})" for i in range(60)) + "\nf = x60",
        "f = a" + ".b" * 5000,
        "f = lambda: (" + "-" * 3000 + "k)",
        "\n".join(["if k: pass"] + ["elif k: pass"] * 500) + "\ndef f(): return k",
        " " * 200_000 + "!\ndef f(): return k\n%ls",
    ],
    ids=["doubling", "attributes", "depth", "elif", "blanks"],
)
def test_hostile_source_ends_in_an_assertion_error(source: str) -> None:
    with pytest.raises(AssertionError):
        check_global_vars(student(source, names="k f"))


class TestCells:
    """IPython's own syntax in the cells around a function does not stop the check."""

    @pytest.mark.parametrize(
        "cell",
        [
            "!pip install transformers",
            "%matplotlib inline",
            "x = !ls",
            "files = %sx ls",
            "model?",
            "?model",
            "if True:\n    !ls",
            "%%time\nx = 1",
            "%%bash\nfor i in *; do echo $i; done",
            "%%html\n<b>bold</b>",
            "!ls \\\n  -l",
            "await thing()",
            "from __future__ import annotations",
        ],
    )
    def test_magics_do_not_break_the_parse(self, cell: str) -> None:
        source = StudentSource.from_cells([cell, "k = 1", "def f():\n    return k"], "f", "s.ipynb", ["k", "f"])
        with pytest.raises(AssertionError, match=r"`k` \(line 2: `return k`\)"):
            check_global_vars(InAnotherProcess(source))

    def test_magics_in_joined_text_do_not_break_the_parse(self) -> None:
        with pytest.raises(AssertionError, match=r"`k` \(line 2: `return k`\)"):
            check_global_vars(student("!ls\n%%time\nx = %sx ls\ndef f():\n    return k", names="k f"))

    def test_a_function_below_a_python_cell_magic_is_found(self) -> None:
        source = StudentSource.from_cells(["%%time\ndef f():\n    return 1"], "f", "s.ipynb", ["f"])
        check_global_vars(InAnotherProcess(source))

    def test_a_cell_that_never_ran_because_of_its_syntax_is_left_out(self) -> None:
        source = StudentSource.from_cells(["def f(): return 1", "def f(:"], "f", "s.ipynb", ["f"])
        check_global_vars(InAnotherProcess(source))

    def test_a_magic_inside_the_function_is_reported(self) -> None:
        source = StudentSource.from_cells(["def f():\n    !ls"], "f", "s.ipynb", ["f"])
        with pytest.raises(AssertionError, match="`get_ipython`"):
            check_global_vars(InAnotherProcess(source))

    def test_names_of_every_kernel_are_not_the_student_s(self) -> None:
        check_global_vars(student("def f(x): return open(x)", names="f open exit quit In Out"))


def test_in_a_jupyter_kernel() -> None:
    script = textwrap.dedent(
        """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        def run(cell):
            result = shell.run_cell(cell)
            return str(result.error_in_exec or "")
        run("from grading_utils import check_global_vars\\nk = 1")
        run("!true\\nimport functools\\n@functools.lru_cache\\ndef f(x, n=k):\\n    display(open(x))\\n    return [k for _ in x]")
        print("FIRST", run("check_global_vars(f)"))
        run("def f(x):\\n    display(open(x))\\n    return x")
        print("SECOND", run("check_global_vars(f)"), "END")
        run("def f(x):\\n    !true\\n    return x")
        print("THIRD", run("check_global_vars(f)"))
        run("from typing import NamedTuple\\nclass N(NamedTuple):\\n    a: int\\nclass Plain: pass")
        print("FOURTH", run("check_global_vars(N); check_global_vars(Plain)"), "END")
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    output = done.stdout
    assert "  - `k` (line 1: `def f(x, n=k):`; also line 3)" in output, output + done.stderr
    assert "SECOND  END" in output
    assert "FOURTH  END" in output
    assert "  - `get_ipython` (line 2" in output.split("THIRD")[1]


def test_importing_the_checkers_loads_no_heavy_library() -> None:
    script = (
        "import sys, grading_utils as g; [getattr(g, n) for n in g.__all__ if n.startswith('check')]; "
        "g.check_text('a', 'a'); print([m for m in ('torch', 'pandas', 'numpy', 'transformers', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("setting", ["live", "source"])
def test_a_class_without_methods_is_a_class_of_the_notebook_like_any_other(setting: str) -> None:
    source = "class Refused(ValueError):\n    pass\n\ndef f(x):\n    if x == 0:\n        raise Refused('not by zero')"
    assert message_of(source, setting=setting, allow_functions=True) == ""
    assert reported(message_of(source, setting=setting)) == ["Refused"]
