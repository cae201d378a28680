"""The regions that authors mark inside a cell: solutions with their scaffolds, hidden tests, mark schemes.

Everything that has to know where such a region begins and ends asks here, and the markers are those of the course's
own configuration: whatever `nbgrader generate_assignment` takes out of a release is what feedback keeps hidden and
what the leak scan looks for. Lines are counted from 1, and a range includes both of its ends, markers included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbgrader import preprocessors as stock
from nbgrader.converters import GenerateAssignment
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from grading_utils.errors import AuthoringError

Range = tuple[int, int]


@dataclass(frozen=True)
class Markers:
    """What the first and the last line of a region contain."""

    begin: str
    end: str

    def ranges(self, source: str) -> tuple[Range, ...]:
        """Where the regions of a text are; one without an end goes on to the end of the text."""
        found: list[Range] = []
        first: int | None = None
        lines = source.split("\n")
        for number, line in enumerate(lines, start=1):
            if self.begin in line:
                first = first or number
            elif self.end in line and first is not None:
                found.append((first, number))
                first = None
        if first is not None:
            found.append((first, len(lines)))
        return tuple(found)


@dataclass(frozen=True)
class Solution:
    """A solution region: the solution, and where its author wrote one, the scaffold after it."""

    first: int
    last: int
    scaffold: int | None = None
    """The line that says that the scaffold follows."""

    @property
    def answer(self) -> range:
        """Numbers of the lines that solve the task."""
        return range(self.first + 1, self.scaffold or self.last)

    @property
    def shown(self) -> range:
        """Numbers of the lines that students get, as comments; empty without a scaffold."""
        return range(self.scaffold + 1 if self.scaffold else self.last, self.last)


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """How the authors of a course mark regions; without arguments nbgrader's defaults and our scaffolds."""

    solution: Markers = Markers("BEGIN SOLUTION", "END SOLUTION")
    hidden_tests: Markers = Markers("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
    mark_scheme: Markers = Markers("BEGIN MARK SCHEME", "END MARK SCHEME")
    scaffold: str | None = "### SCAFFOLD"
    """Marks the scaffold inside a solution region; None where the course doesn't use `ScaffoldSolutions`."""

    @classmethod
    def of(cls, config: Config) -> Grammar:
        """The grammar of those preprocessors that clear regions when a course with this configuration is released."""
        config = Config({name: value for name, value in config.items() if name != "NbConvertBase"})  # not for releases
        steps = GenerateAssignment(config=config).preprocessors
        kinds = [import_item(step) if isinstance(step, str) else step for step in steps]

        def configured(base: Any) -> Any:
            return next((kind for kind in kinds if issubclass(kind, base)), base)(config=config)

        solutions, tests = configured(stock.ClearSolutions), configured(stock.ClearHiddenTests)
        schemes = configured(stock.ClearMarkScheme)
        return cls(
            solution=Markers(solutions.begin_solution_delimeter, solutions.end_solution_delimeter),
            hidden_tests=Markers(tests.begin_test_delimeter, tests.end_test_delimeter),
            mark_scheme=Markers(schemes.begin_mark_scheme_delimeter, schemes.end_mark_scheme_delimeter),
            scaffold=getattr(solutions, "scaffold_delimeter", None),
        )

    def solutions(self, source: str) -> tuple[Solution, ...]:
        """The solution regions of an author's cell.

        Raises:
            AuthoringError: Regions are nested or without an end, or a scaffold is not where it belongs.
        """
        found: list[Solution] = []
        first = scaffold = None
        for number, line in enumerate(source.split("\n"), start=1):
            if self.solution.begin in line:
                if first is not None:
                    raise AuthoringError("a solution region begins inside another one")
                first = number
            elif self.scaffold is not None and self.scaffold in line:
                if first is None:
                    raise AuthoringError("a scaffold stands outside a solution region")
                if scaffold is not None:
                    raise AuthoringError("a solution region has two scaffolds")
                scaffold = number
            elif self.solution.end in line and first is not None:
                found.append(Solution(first, number, scaffold))
                first = scaffold = None
        if first is not None:
            raise AuthoringError("a solution region has no end")
        return tuple(found)

    def solved(self, source: str) -> str:
        """An author's cell with its solutions, as a student would hand it in: no markers, no scaffolds."""
        regions = self.solutions(source)
        kept = [
            line
            for number, line in enumerate(source.split("\n"), start=1)
            if all(number in region.answer or not region.first <= number <= region.last for region in regions)
            and self.solution.end not in line
        ]
        return "\n".join(kept)

    def secrets(self, source: str) -> tuple[Range, ...]:
        """Where the hidden tests and mark schemes of a cell are, in order and without overlap."""
        merged: list[Range] = []
        for first, last in sorted((*self.hidden_tests.ranges(source), *self.mark_scheme.ranges(source))):
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return tuple(merged)

    def released(self, source: str) -> str:
        """A test or task as students get it: without hidden tests and mark schemes."""
        secrets = self.secrets(source)  # an end without a beginning is taken out as well
        kept = [
            line
            for number, line in enumerate(source.split("\n"), start=1)
            if not any(first <= number <= last for first, last in secrets)
            and self.hidden_tests.end not in line
            and self.mark_scheme.end not in line
        ]
        return "\n".join(kept)

    def marker_in(self, line: str) -> str | None:
        """The marker that a line contains, if any."""
        pairs = (self.solution, self.hidden_tests, self.mark_scheme)
        markers = [marker for pair in pairs for marker in (pair.begin, pair.end)]
        return next((marker for marker in (*markers, self.scaffold) if marker and marker in line), None)
