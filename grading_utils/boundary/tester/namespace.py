"""The global names of test cells: the tester's own first, any other looked up in the student's process.

Python lets `exec` run with a dict subclass as globals, and then asks it for names that are missing, also from within
functions that the test defines. A class body is the exception; `prefetch` closes that hole. Builtins are always the
tester's own: a student's `isinstance` or `sum` decides nothing.
"""

from __future__ import annotations

import builtins
import importlib
import types
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any

from grading_utils.boundary.tester import loops
from grading_utils.boundary.tester.held import Held
from grading_utils.boundary.tester.permits import library_name
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.warm.warmup import current
from grading_utils.checks.names import names_in_class_bodies, uses_unknown_names


def undefined(name: str) -> str:
    """What is said where neither the test nor the student's process knows a name."""
    return f"`{name}` is not defined: did the cell that defines it run without an error?"


class MainModule(types.ModuleType):
    """What `import __main__` gives in a test cell, and where IPython runs the body of a cell magic."""

    def __init__(self, names: TestNamespace) -> None:
        super().__init__("__main__")
        object.__setattr__(self, "_names", names)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return self._names

    def __getattr__(self, name: str) -> Any:
        try:
            return self._names[name]
        except (KeyError, NameError):
            raise AttributeError(f"module '__main__' has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._names[name] = value


class TestNamespace(dict[str, Any]):
    """Globals for instructor and test cells.

    Args:
        names: What the leading instructor cells bound.
        imports: Names that the instructor's own answers import from libraries. In a test they mean the tester's own
            library, whatever a student has put in its place.
    """

    __test__ = False  # not a test case of pytest

    def __init__(self, names: dict[str, Any], imports: Mapping[str, tuple[str, str]] | None = None) -> None:
        super().__init__(names)
        super().__setitem__("__builtins__", builtins)
        super().__setitem__("__name__", "__main__")
        self.instructor_names = set(names)
        self._imports = imports or {}
        self._session: Session | Held | None = None
        self._student_names: set[str] = set()
        self._is_test = False
        self._borrowed: set[str] = set()
        self._used: set[str] = set()
        self.fetched: set[str] = set()
        """Every name whose value once came from the student's process."""

    # --- what Python does with globals ---

    def __missing__(self, name: str) -> Any:
        if name in loops.HELPERS:
            return loops.HELPERS[name]
        if hasattr(builtins, name) or self._session is None or not isinstance(name, str):
            raise KeyError(name)
        if name in self._imports and name in self._student_names and (own := self._imported(name)) is not None:
            return own
        try:
            value = self._session.lookup(name)
            self._used.add(name)
            self.fetched.add(name)
            return value
        except NameError:
            raise NameError(undefined(name), name=name) from None

    def own(self, name: str) -> Any:
        """What the instructor's cells have bound or the instructor's answers import; None where it is neither."""
        if name in self.instructor_names:
            return super().get(name)
        return self._imported(name) if name in self._imports else None

    def _imported(self, name: str) -> Any:
        """The tester's own library, or what it has under a name; None where it can't be imported here."""
        module, attribute = self._imports[name]
        try:
            found = importlib.import_module(module)
            return getattr(found, attribute) if attribute else found
        except (ImportError, AttributeError):
            return None

    def __setitem__(self, name: str, value: Any) -> None:
        if self._is_test and self._session is not None and name in self._student_names and self._reaches(name):
            self._borrowed.add(name)
            self._session.offer(name, value)
        elif self._is_test and self._session is not None and self._is_foreign(name, value):
            self._session.offer(name, value)
            self._borrowed.update({name} & self.instructor_names)
        elif not self._is_test:
            self.instructor_names.add(name)
        elif name in self.instructor_names:
            self._borrowed.add(name)
        super().__setitem__(name, value)

    def _reaches(self, name: str) -> bool:
        """Does assigning to a name of the student's concern the student's process?

        Only where the checks have shown that they mean the student's binding, by using or deleting it. Otherwise a
        student who guesses what a hidden check calls its `expected` would be sent the value. Names that the
        instructor's cells have bound can't be chosen like that.
        """
        return name in self.instructor_names or name in self._used

    def _is_foreign(self, name: str, value: Any) -> bool:
        """Is it something that student code may use under this name, as in a notebook: `np`, or a `print` replaced?"""
        return library_name(value) is not None or (callable(value) and hasattr(builtins, name))

    def __delitem__(self, name: str) -> None:
        is_students = self._is_test and self._session is not None and name in self._student_names
        if is_students and self._session is not None:
            self._session.unbind(name)
            self._borrowed.add(name)
            self._used.add(name)
        if not is_students or super().__contains__(name):
            super().__delitem__(name)

    # --- what a test does with `globals()` ---

    def keys(self) -> Any:
        """For `dir()`: the student's names, too."""
        return {**dict.fromkeys(super().keys()), **dict.fromkeys(self._student_names)}.keys()

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._student_names

    def get(self, name: str, default: Any = None) -> Any:
        """As `dict.get`, also for names of the student's."""
        try:
            return self[name]
        except (KeyError, NameError):
            return default

    # --- what the tester does ---

    @contextmanager
    def connected(self, session: Session | Held | None, *, is_test: bool) -> Iterator[None]:
        """Resolve missing names in this session meanwhile.

        What a test cell does to a name of the student's or the instructor's is undone at the end, as it is in the
        student's process; names that only the test knows stay for the next test.
        """
        before = dict(self) if is_test else {}
        self._student_names = session.names() if session is not None else set()
        self._session, self._is_test = session, is_test
        self._borrowed = set()
        try:
            yield
        finally:
            for name in self._borrowed:
                if name in before:
                    super().__setitem__(name, before[name])
                else:
                    super().pop(name, None)
            self._session, self._is_test = None, False
            self._student_names = set()

    def forget(self, names: Set[str]) -> None:
        """Drop the data that earlier tests bound to names that a later cell of the student's binds.

        Functions, classes and modules stay the tests' own: they are what tests check with.
        """
        for name in names - self.instructor_names:
            if not callable(super().get(name)) and not isinstance(super().get(name), types.ModuleType):
                super().pop(name, None)

    def prefetch(self, source: str, filename: str) -> None:
        """Fetch the global names that class bodies in a text use, since these ask for no missing names."""
        for name in names_in_class_bodies(source, filename):
            if self._session is not None and not super().__contains__(name) and name in self._student_names:
                super().__setitem__(name, self._session.lookup(name))
                self._borrowed.add(name)
                self.fetched.add(name)

    def rebase(self, function: types.FunctionType) -> types.FunctionType:
        """A copy of an instructor's function that looks its globals up here."""
        copy = types.FunctionType(
            function.__code__, self, function.__name__, function.__defaults__, function.__closure__
        )
        copy.__kwdefaults__ = function.__kwdefaults__
        copy.__dict__.update(function.__dict__)
        copy.__doc__, copy.__annotations__ = function.__doc__, function.__annotations__
        copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
        return copy


def instructor_namespace(imports: dict[str, tuple[str, str]]) -> TestNamespace:
    """The tester's own copies of what the leading instructor cells bound, and what it may import for itself."""
    warm = current()
    user_names = warm.shell.user_ns
    names = {name: user_names[name] for name in warm.instructor_names if name in user_names}
    namespace = TestNamespace(names, imports)
    for name in ("get_ipython", "display"):
        if name in user_names:
            dict.__setitem__(namespace, name, user_names[name])
    for name, value in rebased(namespace, names).items():
        if value is not names[name]:
            dict.__setitem__(namespace, name, value)
            warm.shared.register(name, value)
    return namespace


def rebased(namespace: TestNamespace, names: dict[str, Any]) -> dict[str, Any]:
    """The same names, with instructor's functions that use a student's names looking these up in the test's."""
    user_names = current().shell.user_ns
    return {
        name: namespace.rebase(value)
        if type(value) is types.FunctionType
        and value.__globals__ is user_names
        and uses_unknown_names(value.__code__, {**user_names, **names})
        else value
        for name, value in names.items()
    }
