"""What `check_global_vars` says, what its options allow, and what a student's source can not do to it."""

# ruff: noqa: E501 (a snippet in one line keeps the table of cases readable)

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import pytest

from grading_utils.checks.global_vars import check_global_vars
from grading_utils.checks.source import StudentSource

from .snippets import SETTINGS, InAnotherProcess, load, message_of, reported

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
