"""`make bench`: what one more submission of each assignment costs: this engine, stock nbgrader, and the floor below.

The submissions are the instructor's solution. A small and a large class of them are graded; the difference, divided by
the number of further submissions, has neither start-up nor calibration in it. The runs alternate, and the least of
several counts, since other work on the machine only adds. Prints a Markdown table line by line; nothing is asserted,
and nothing is written outside of a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.classes import ROOT, copy_for_stock, make_course
from benchmarks.measure import Cost, run
from grading_utils.course.course import Course

BIN = Path(sys.executable).parent
WORKERS = "2"


@dataclass(frozen=True)
class Marginal:
    """What one more submission takes."""

    cpu_seconds: float
    wall_seconds: float


def ours(assignment: str, folder: Path, sizes: tuple[int, int], repeats: int) -> Marginal:
    """One more submission with `grading-utils grade`, isolation on, two at a time."""
    command = [str(BIN / "grading-utils"), "grade", assignment, "--workers", WORKERS]
    classes = {size: make_course(folder / f"ours-{size}", assignment, size, only_solution=True) for size in sizes}
    for course in classes.values():
        run(command, course.root, {})  # learns what the checks need, which is remembered

    def grade(size: int) -> Cost:
        (classes[size].root / "gradebook.db").unlink(missing_ok=True)  # or it would say that nothing has changed
        return _graded(command, classes[size], assignment)

    return _marginal(sizes, repeats, grade)


def stock(assignment: str, folder: Path, sizes: tuple[int, int]) -> Marginal:
    """One more submission with `nbgrader autograde` as shipped."""
    command = [str(BIN / "nbgrader"), "autograde", assignment, "--create", "--force"]
    whole = make_course(folder / "whole", assignment, sizes[1], only_solution=True)
    classes = {size: copy_for_stock(whole, folder / f"stock-{size}", assignment, size) for size in sizes}
    return _marginal(sizes, 1, lambda size: _graded(command, classes[size], assignment))


def floor(assignment: str) -> float:
    """Processor seconds of the cells and checks alone, in a process of its own, which a notebook's shell takes over."""
    command = [sys.executable, "-m", "benchmarks.floor", assignment]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return float(answer.rpartition(":")[2].split()[0])


def _graded(command: list[str], course: Course, assignment: str) -> Cost:
    shutil.rmtree(course.root / "autograded", ignore_errors=True)
    cost = run(command, course.root, {})
    made = len(list(course.root.glob(f"autograded/*/{assignment}/*.ipynb")))
    if made != len(course.students(assignment)):
        raise SystemExit(f"{' '.join(command)} graded {made} of {len(course.students(assignment))} submissions")
    return cost


def _marginal(sizes: tuple[int, int], repeats: int, grade: Callable[[int], Cost]) -> Marginal:
    costs: dict[int, list[Cost]] = {size: [] for size in sizes}
    for _ in range(repeats):
        for size in sizes:
            costs[size].append(grade(size))
    small, large = (
        (min(cost.cpu_seconds for cost in costs[size]), min(cost.wall_seconds for cost in costs[size]))
        for size in sizes
    )
    more = sizes[1] - sizes[0]
    return Marginal((large[0] - small[0]) / more, (large[1] - small[1]) / more)


def row(assignment: str, mine: Marginal, theirs: Marginal, least: float) -> str:
    """One line of the table."""
    figures = (
        f"{mine.cpu_seconds:.3f}",
        f"{theirs.cpu_seconds:.2f}",
        f"{least:.3f}",
        f"{mine.cpu_seconds / least:.1f} ×",
        f"{theirs.cpu_seconds / mine.cpu_seconds:.0f} ×",
        f"{theirs.wall_seconds / mine.wall_seconds:.0f} ×",
    )
    return f"| `{assignment}` | {' | '.join(figures)} |"


def main() -> None:
    """Measure the assignments named on the command line; all without any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assignments", nargs="*", help="which ones; all without any")
    parser.add_argument("--submissions", type=int, nargs=2, default=(4, 20), help="sizes of our classes")
    parser.add_argument("--stock", type=int, nargs=2, default=(1, 3), help="sizes of stock's classes")
    parser.add_argument("--repeats", type=int, default=2, help="how often our classes are graded")
    options = parser.parse_args()
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} cores, load before {loads}; Python {sys.version.split()[0]}\n", flush=True)
    print("| | ours CPU s | stock CPU s | floor CPU s | ours / floor | stock / ours, CPU | throughput |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for assignment in options.assignments or sorted(path.name for path in (ROOT / "source").iterdir()):
        with tempfile.TemporaryDirectory() as scratch:
            least = floor(assignment)
            mine = ours(assignment, Path(scratch), tuple(options.submissions), options.repeats)
            theirs = stock(assignment, Path(scratch), tuple(options.stock))
        print(row(assignment, mine, theirs, least), flush=True)


if __name__ == "__main__":
    main()
