"""What instructors may rely on in test cells: each promise of the boundary under the name of what it promises."""

from __future__ import annotations

import pytest

TORCH = "import torch\nfrom torch import nn\nimport random\nimport numpy as np\nimport pandas as pd\n"

PROMISES = {
    "values_arrive_equal_and_of_the_same_type": (
        "values = [None, True, 7, -2**70, 1.5, float('inf'), 2+3j, 'a\\ud800b', b'x', [1], (1, 2), {3}, frozenset({4}),"
        " {(1, 2): 'k', None: 0}, bytearray(b'q'), range(3), slice(1, 2), ...]",
        "expected = [None, True, 7, -2**70, 1.5, float('inf'), 2+3j, 'a\\ud800b', b'x', [1], (1, 2), {3}, frozenset({4}),"
        " {(1, 2): 'k', None: 0}, bytearray(b'q'), range(3), slice(1, 2), ...]\n"
        "assert values == expected\n"
        "assert [type(v) for v in values] == [type(v) for v in expected]",
    ),
    "collections_keep_type_order_and_default": (
        "from collections import *\n"
        "c = Counter('aab'); d = defaultdict(list, a=[1]); o = OrderedDict(z=1, a=2); q = deque([1, 2]); m = {'z': 1, 'a': 2}",
        "from collections import Counter, defaultdict, OrderedDict, deque\n"
        "assert type(c) is Counter and c == Counter('aab') and c.most_common(1) == [('a', 2)]\n"
        "got = d\nassert type(got) is defaultdict and got['new'] == []\n"
        "assert type(o) is OrderedDict and list(o) == ['z', 'a'] and list(m) == ['z', 'a'] and type(q) is deque",
    ),
    "nan_arrives_as_nan": ("x = float('nan')", "import math\nassert math.isnan(x) and type(x) is float"),
    "named_tuples_arrive_with_their_names": (
        "from typing import NamedTuple\nclass Point(NamedTuple):\n    x: int\n    y: int\np = Point(1, 2)",
        "assert p == (1, 2) and p.x == 1 and p._fields == ('x', 'y') and type(p).__name__ == 'Point'\nx, y = p",
    ),
    "dates_and_exact_numbers_arrive_as_such": (
        "from datetime import *\nfrom decimal import Decimal\nfrom fractions import Fraction\n"
        "values = [date(2024, 2, 29), datetime(2024, 1, 1, 12, tzinfo=timezone.utc), timedelta(days=-1, seconds=3),"
        " Decimal('0.10'), Fraction(1, 3)]",
        "from datetime import *\nfrom decimal import Decimal\nfrom fractions import Fraction\n"
        "assert values == [date(2024, 2, 29), datetime(2024, 1, 1, 12, tzinfo=timezone.utc), timedelta(days=-1, seconds=3),"
        " Decimal('0.10'), Fraction(1, 3)]\nassert str(values[3]) == '0.10'",
    ),
    "arrays_arrive_with_dtype_and_shape": (
        "a = np.arange(6, dtype=np.float32).reshape(2, 3); s = np.float64(0.5); b = np.array([True, False]);"
        " t = np.array(['ab', 'c']); o = np.array([1, 'x', None], dtype=object)",
        "assert a.dtype == np.float32 and a.shape == (2, 3) and a.sum() == 15 and type(s) is np.float64 and s == .5\n"
        "assert b.tolist() == [True, False] and t.tolist() == ['ab', 'c'] and o.tolist() == [1, 'x', None]\n"
        "a[0, 0] = 3",
    ),
    "tensors_arrive_with_dtype": (
        "t = torch.tensor([1., 2.], dtype=torch.bfloat16); i = torch.arange(3); g = torch.ones(2, requires_grad=True) * 2;"
        " b = torch.tensor([True]); e = torch.empty(0, 3); z = torch.tensor(5); c = torch.tensor([1+2j]).conj()",
        "assert t.dtype == torch.bfloat16 and torch.equal(t, torch.tensor([1., 2.], dtype=torch.bfloat16))\n"
        "assert i.tolist() == [0, 1, 2] and g.tolist() == [2, 2] and b.item() is True and e.shape == (0, 3)\n"
        "assert z.item() == 5 and z.shape == () and c[0].item() == 1-2j and i.dtype is torch.int64",
    ),
    "topk_arrives_with_values_and_indices": (
        "def top(x, k):\n    return torch.topk(x, k)",
        "found = top(torch.tensor([1., 5., 3.]), 2)\n"
        "assert found.values.tolist() == [5, 3] and found.indices.tolist() == [1, 2]\nvalues, indices = found",
    ),
    "tables_arrive_equal": (
        "df = pd.DataFrame({'w': ['a', 'b', None], 'n': [1, 2, 3], 'x': [.5, 1, 2], 'o': [1, 'z', [1]]}, index=list('xyz'));"
        " s = df['n']; c = pd.Series(['a', 'b', 'a'], dtype='category'); m = df.set_index(['w', 'n'])",
        "expected = pd.DataFrame({'w': ['a', 'b', None], 'n': [1, 2, 3], 'x': [.5, 1, 2], 'o': [1, 'z', [1]]}, index=list('xyz'))\n"
        "pd.testing.assert_frame_equal(df, expected)\npd.testing.assert_series_equal(s, expected['n'])\n"
        "pd.testing.assert_series_equal(c, pd.Series(['a', 'b', 'a'], dtype='category'))\n"
        "pd.testing.assert_frame_equal(m, expected.set_index(['w', 'n']))\n"
        "pd.testing.assert_index_equal(df.columns, expected.columns)",
    ),
    "functions_are_callable_with_positional_and_keyword_arguments": (
        "def f(a, b=2, *rest, c, **more):\n    return [a, b, rest, c, more]",
        "assert f(1, c=3) == [1, 2, (), 3, {}]\nassert f(1, 5, 6, c=3, d=4) == [1, 5, (6,), 3, {'d': 4}]\nassert callable(f)",
    ),
    "functions_show_name_docstring_and_signature": (
        "def f(a, b: int = 2, *, c='x') -> list:\n    '''Say it.'''",
        "import inspect\nsignature = inspect.signature(f)\n"
        "assert list(signature.parameters) == ['a', 'b', 'c'] and signature.parameters['b'].default == 2\n"
        "assert signature.parameters['c'].kind is inspect.Parameter.KEYWORD_ONLY\n"
        "assert signature.parameters['b'].annotation is int and signature.return_annotation is list\n"
        "assert f.__name__ == 'f' and f.__doc__ == 'Say it.' and inspect.getdoc(f) == 'Say it.' and inspect.isfunction(f)",
    ),
    "generators_can_be_iterated": (
        "def count(n):\n    for i in range(n):\n        yield i * i\ndef forever():\n    n = 0\n    while True:\n        yield n\n        n += 1",
        "import types, itertools\ng = count(200)\nassert isinstance(g, types.GeneratorType) and next(g) == 0\n"
        "assert list(g) == [i * i for i in range(1, 200)]\nassert list(g) == [] and next(g, 'end') == 'end'\n"
        "assert list(itertools.islice(forever(), 100)) == list(range(100))\nassert 5 in forever()\n"
        "it = forever()\nfor x in it:\n    if x == 10: break\nassert next(it) == 11",
    ),
    "an_endless_iterator_is_bounded": (
        "def forever():\n    while True:\n        yield 1",
        "from grading_utils.boundary import standins\nstandins.MAX_ITEMS = 500\ntry:\n    list(forever())\n"
        "except Exception as error:\n    assert 'more than 500' in str(error)\nelse:\n    raise AssertionError",
    ),
    "an_exception_inside_a_generator_arrives_after_its_items": (
        "def g():\n    yield from range(20)\n    raise ValueError('late')",
        "got = []\ntry:\n    for x in g(): got.append(x)\nexcept ValueError as error:\n    assert str(error) == 'late'\n"
        "else:\n    raise AssertionError\nassert got == list(range(20))",
    ),
    "exceptions_arrive_as_the_same_builtin_type_with_the_same_message": (
        "class Odd(ValueError): pass\n"
        "def f(kind):\n    raise {'v': ValueError('no ü'), 'k': KeyError('missing'), 't': TypeError(), 'o': Odd('own'),"
        " 'f': FileNotFoundError(2, 'gone', 'name'), 'i': IndexError(1, 2), 'n': NotImplementedError()}[kind]",
        "for key, kind, text in [('v', ValueError, 'no ü'), ('k', KeyError, \"'missing'\"), ('t', TypeError, ''),"
        " ('o', ValueError, 'Odd: own'), ('f', FileNotFoundError, \"[Errno 2] gone: 'name'\"), ('i', IndexError, '(1, 2)'),"
        " ('n', NotImplementedError, '')]:\n"
        "    try:\n        f(key)\n    except kind as error:\n        assert type(error) is kind and str(error) == text, repr(error)\n"
        "    else:\n        raise AssertionError('did not raise')",
    ),
    "system_exit_in_student_code_is_an_ordinary_exception_here": (
        "import sys\ndef f():\n    sys.exit(3)\ndef g():\n    raise KeyboardInterrupt",
        "for h in (f, g):\n    try:\n        h()\n    except Exception as error:\n        assert type(error).__name__ == 'StudentError', error\n"
        "    else:\n        raise AssertionError",
    ),
    "objects_have_attributes_methods_items_and_length": (
        "class Bag:\n    size = 3\n    def __init__(self): self.items = {'a': [1]}\n    def add(self, k, v): self.items[k] = v; return self\n"
        "    def __getitem__(self, k): return self.items[k]\n    def __setitem__(self, k, v): self.items[k] = v\n"
        "    def __len__(self): return len(self.items)\n    def __iter__(self): return iter(self.items)\n"
        "    def __str__(self): return 'a bag'\n    def __repr__(self): return 'Bag()'\nbag = Bag()",
        "assert bag.size == 3 and bag.items == {'a': [1]} and bag['a'] == [1] and len(bag) == 1\n"
        "assert bag.add('b', 2) is bag.add('b', 2) is bag and list(bag) == ['a', 'b'] and 'b' in bag and 'c' not in bag\n"
        "bag['z'] = 9\nassert bag['z'] == 9 and str(bag) == 'a bag' and repr(bag) == 'Bag()' and f'{bag}' == 'a bag'\n"
        "assert hasattr(bag, 'size') and not hasattr(bag, 'nothing') and not callable(bag)\nbag.size = 4\nassert bag.size == 4\n"
        "try:\n    bag['no']\nexcept KeyError as e:\n    assert e.args == ('no',)\nassert Bag().size == 3 and isinstance(bag, Bag)\n"
        "assert not isinstance(3, Bag) and vars(bag)['items']['a'] == [1] and 'add' in dir(bag)",
    ),
    "classes_with_operators_work_between_their_objects": (
        "class V:\n    def __init__(self, x): self.x = x\n    def __add__(self, o): return V(self.x + (o.x if isinstance(o, V) else o))\n"
        "    def __neg__(self): return V(-self.x)\n    def __float__(self): return float(self.x)",
        "assert (V(1) + V(2)).x == 3 and (-V(4)).x == -4 and float(V(2)) == 2.0",
    ),
    "isinstance_holds_against_library_classes": (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layer = nn.Linear(3, 2)\n"
        "    def forward(self, x): return self.layer(x)\nnet = Net()\nclass Words(list): pass\nw = Words('ab')",
        "from collections.abc import Callable, Iterable\n"
        "assert isinstance(net, nn.Module) and isinstance(net.layer, nn.Linear) and not isinstance(net, nn.Linear)\n"
        "assert isinstance(net, Callable) and callable(net) and not isinstance(net, Iterable) and issubclass(Net, nn.Module)\n"
        "assert isinstance(w, list) and isinstance(Net, type) and type(net).__name__ == 'Net'\n"
        "assert net(torch.ones(1, 3)).shape == (1, 2) and isinstance(net.layer.weight, nn.Parameter)\n"
        "assert sum(p.numel() for p in net.parameters()) == 8 and set(net.state_dict()) == {'layer.weight', 'layer.bias'}",
    ),
    "equality_and_truth_are_settled_by_the_tester": (
        "class Yes(list):\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    __hash__ = None\n"
        "class Any:\n    def __eq__(self, o): return True\n    def __lt__(self, o): return True\n    def __gt__(self, o): return True\n"
        "    def __sub__(self, o): return 0\n    def __rsub__(self, o): return 0\n    def __contains__(self, o): return True\n"
        "    def __iter__(self): return iter([Any()])\n    def __bool__(self): return False\n    __hash__ = object.__hash__\n"
        "yes, anything = Yes([1]), Any()",
        "assert not (yes == [1]) and yes != [1] and not ([1] == yes) and not (anything == 5) and anything != 5 and anything == anything\n"
        "assert 7 not in anything and bool(anything)\n"
        "for forged in (lambda: anything < 5, lambda: anything > 5, lambda: anything - 5, lambda: 5 - anything,"
        " lambda: np.float64(1) - anything, lambda: torch.ones(1) - anything, lambda: anything <= 5):\n"
        "    try:\n        forged()\n    except TypeError:\n        pass\n    else:\n        raise AssertionError('forwarded')\n"
        "assert not (np.array([1]) == anything).any() and not np.array_equal(np.array([1]), anything)",
    ),
    "deleting_a_name_reaches_the_student_process": (
        "def squares(n): return [i * i for i in range(1, n + 1)]\ndef total(n): return sum(squares(n))",
        "kept = squares\ndel squares\ntry:\n    total(2)\nexcept NameError as error:\n    assert 'squares' in str(error)\n"
        "else:\n    raise AssertionError('total does not use squares')\n"
        "try:\n    squares\nexcept NameError:\n    pass\nelse:\n    raise AssertionError('still there')\n"
        "squares = kept\nassert total(3) == 14 and squares(2) == [1, 4]",
    ),
    "rebinding_a_name_reaches_the_student_process": (
        "def one(): return 1\ndef two(): return one() + 1",
        "one = lambda: 10\nassert two() == 11 and one() == 10\nimport sys\none = 5\nassert one == 5",
    ),
    "printed_text_can_be_captured": (
        "import sys\ndef hello(name):\n    print('hello', name)\n    print('err', file=sys.stderr)\n    return 1",
        "import io\nfrom contextlib import redirect_stdout, redirect_stderr\nout, err = io.StringIO(), io.StringIO()\n"
        "with redirect_stdout(out), redirect_stderr(err):\n    print('mine')\n    hello('you')\n"
        "assert out.getvalue() == 'mine\\nhello you\\n' and err.getvalue() == 'err\\n'\nhello('dropped')",
    ),
    "names_in_class_bodies_are_found": (
        "answer = 41\ndef f(): return 1",
        "class Case:\n    value = answer + 1\n    got = f()\n    class Inner:\n        deep = answer\n    def method(self): return f() + answer\n"
        "assert Case.value == 42 and Case.got == 1 and Case.Inner.deep == 41 and Case().method() == 42",
    ),
    "names_in_functions_comprehensions_and_lambdas_are_found": (
        "def f(x): return x + 1\nlimit = 3",
        "def helper(): return [f(i) for i in range(limit)]\nassert helper() == [1, 2, 3]\n"
        "assert (lambda: f(limit))() == 4 and {i: f(i) for i in range(2)} == {0: 1, 1: 2}\nassert eval('f(1)') == 2\n"
        "assert 'f' in globals() and 'nothing' not in globals() and globals()['limit'] == 3 and globals().get('zz', 1) == 1",
    ),
    "a_mutable_argument_changes_in_place": (
        "def change(l, d, s, a, t, df):\n    l.append(4); l[0].append('in'); d['k'] = 1; s.add(9); a[0] = 7; t.add_(1)\n"
        "    df['new'] = 1\n    return None\ndef innocent(l): return sorted(l)",
        "inner = []\nl, d, s, a, t = [inner, 2], {}, {1}, np.zeros(2), torch.zeros(2)\ndf = pd.DataFrame({'a': [1, 2]})\n"
        "same = l\nchange(l, d, s, a, t, df=df)\nassert l is same and l == [['in'], 2, 4] and inner == ['in'] and l[0] is inner\n"
        "assert d == {'k': 1} and s == {1, 9} and a.tolist() == [7, 0] and t.tolist() == [1, 1] and list(df) == ['a', 'new']\n"
        "numbers = [3, 1, 2]\nassert innocent(numbers) == [1, 2, 3] and numbers == [3, 1, 2]",
    ),
    "a_random_generator_argument_is_used_by_its_state": (
        "def draw(rng): return rng.random()\ndef draw_torch(g): return torch.rand(3, generator=g)",
        "for make in (random.Random, np.random.default_rng, np.random.RandomState):\n"
        "    mine, theirs = make(3), make(3)\n    expected = [mine.random() for _ in range(3)]\n"
        "    assert [draw(theirs) for _ in range(3)] == expected and theirs.random() == mine.random()\n"
        "g = torch.Generator().manual_seed(1)\nh = torch.Generator().manual_seed(1)\n"
        "assert torch.equal(draw_torch(g), torch.rand(3, generator=h)) and torch.equal(draw_torch(g), torch.rand(3, generator=h))",
    ),
    "seeding_in_the_test_decides_what_student_code_draws": (
        "def draw(): return random.random(), float(np.random.rand()), torch.rand(2).tolist()",
        "def seed():\n    random.seed(5); np.random.seed(5); torch.manual_seed(5)\n"
        "seed(); expected = random.random(), float(np.random.rand()), torch.rand(2).tolist()\n"
        "seed(); first = draw(); second = draw()\nassert first == expected and second != first\n"
        "seed(); assert draw() == expected\nseed(); assert draw() == expected",
    ),
    "the_tests_own_functions_can_be_passed": (
        "def apply(f, *xs): return [f(x) for x in xs]\ndef nested(f): return f(lambda x: x * 2)",
        "seen = []\ndef spy(x):\n    seen.append(x)\n    return x + 1\nassert apply(spy, 1, 2) == [2, 3] and seen == [1, 2]\n"
        "assert apply(lambda x: -x, 3) == [-3] and nested(lambda g: g(21)) == 42\n"
        "assert apply(len, 'ab') == [2] and apply(str.upper, 'a') == ['A'] and apply(torch.relu, torch.tensor(-1.))[0] == 0\n"
        "def bad(x): raise KeyError(x)\ntry:\n    apply(bad, 'q')\nexcept KeyError as error:\n    assert error.args == ('q',)",
    ),
    "the_tests_own_objects_can_be_passed": (
        "def use(tok, text):\n    tok.count += 1\n    return [tok.encode(text), tok.name, len(tok), tok['k'], tok(text), list(tok)]\n"
        "def private(x): return x.__class__.__name__, hasattr(x, '__dict__'), hasattr(x, '_secret'), hasattr(x, 'os')\n"
        "def same(x): return x",
        "import os\nclass Tok:\n    name = 'fake'\n    count = 0\n    _secret = 1\n    os = os\n    def encode(self, text): return [ord(c) for c in text]\n"
        "    def __len__(self): return 3\n    def __getitem__(self, k): return k\n    def __call__(self, t): return t * 2\n"
        "    def __iter__(self): return iter([1, 2])\n"
        "tok = Tok()\nassert use(tok, 'ab') == [[97, 98], 'fake', 3, 'k', 'abab', [1, 2]] and tok.count == 1\n"
        "assert private(tok) == ('Tok', False, False, False) and same(tok) is tok",
    ),
    "a_stand_in_passed_back_is_the_students_own_object": (
        "class A: pass\na = A()\ndef is_a(x): return x is a\ndef call(f): return f()\ndef seven(): return 7",
        "assert is_a(a) and is_a(x=a) and call(seven) == 7 and not is_a(3) and seven is seven and a == a",
    ),
    "builtins_in_a_test_are_the_testers_own": (
        "def isinstance(*a): return True\ndef len(x): return 3\nsum = None",
        "assert not isinstance(3, str) and len([]) == 0 and sum([1]) == 1",
    ),
    "an_undefined_name_says_what_to_look_for": (
        "x = 1",
        "try:\n    predict\nexcept NameError as error:\n"
        "    assert str(error) == '`predict` is not defined: did the cell that defines it run without an error?'",
    ),
    "standard_error_and_warnings_never_matter": (
        "import warnings, sys\ndef f():\n    warnings.warn('w'); print('x', file=sys.stderr); return 1",
        "import warnings, sys\nwarnings.warn('mine')\nprint('e', file=sys.stderr)\nassert f() == 1",
    ),
    "types_dtypes_and_devices_arrive_as_themselves": (
        "kinds = [int, list, ValueError, torch.float16, np.dtype('int32'), np.float32, nn.Linear, torch.device('cpu'), type(None)]",
        "assert kinds == [int, list, ValueError, torch.float16, np.dtype('int32'), np.float32, nn.Linear, torch.device('cpu'),"
        " type(None)]\nassert kinds[3] is torch.float16 and kinds[0] is int",
    ),
    "a_value_with_a_cycle_arrives_without_hanging": (
        "loop = [1]\nloop.append(loop)\nwide = []\nfor _ in range(40): wide = [wide, wide]",
        "assert loop[0] == 1 and loop != [1] and len(loop) == 2 and len(wide) == 2",
    ),
    "a_value_too_large_to_send_can_still_be_looked_at": (
        "big = torch.zeros(1).expand(10**9); long = list('ab') * 4_000_000",
        "assert big.shape == (10**9,) and isinstance(big, torch.Tensor) and len(long) == 8_000_000 and long[3] == 'b'",
    ),
    "unittest_style_checks_work": (
        "def f(x):\n    if x < 0: raise ValueError('negative')\n    return x ** .5",
        "import unittest, pytest\ntest = unittest.TestCase()\nwith test.assertRaises(ValueError): f(-1)\n"
        "with pytest.raises(ValueError, match='neg'): f(-1)\ntest.assertAlmostEqual(f(4), 2)\n"
        "from numpy.testing import assert_allclose\nassert_allclose(f(2), 1.41421, rtol=1e-3)",
    ),
    "asserting_a_stand_in_against_numbers_fails_cleanly": (
        "class A: pass\na = A()",
        "try:\n    assert a == 3\nexcept AssertionError:\n    pass\nelse:\n    raise RuntimeError",
    ),
}


@pytest.mark.parametrize("promise", PROMISES)
def test_promise(promise, check):
    student_source, test_source = PROMISES[promise]
    run = check(student_source, test_source, leading=TORCH)
    assert run.status == "ok", "\n".join([run.message, *(line for o in run.outputs for line in o.get("traceback", []))])
