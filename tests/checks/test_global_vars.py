"""One case per scope kind; each is asked twice: of the live function, and of its source text alone."""

# ruff: noqa: E501 (a snippet in one line keeps the table of cases readable)

from __future__ import annotations

import pytest

from .snippets import SETTINGS, Case, message_of, reported

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
