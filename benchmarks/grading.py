"""`make bench`: `nbgrader autograde` as shipped against `grading-utils grade`, on the same submissions, in one run.

Prints Markdown: processor and wall seconds per submission, the ratio, the 95th percentile, one submission from cold,
memory, and whether the scores agree. Isolation is on; nothing is asserted, and nothing is written outside of a
temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from nbgrader.api import Gradebook

from benchmarks.classes import copy_for_stock, make_course
from benchmarks.measure import Cost, run
from grading_utils.course.course import Course

BIN = Path(sys.executable).parent
MEMORY_SUBMISSIONS = 16
LARGE_MODEL = "82 million random weights"


@dataclass(frozen=True)
class Graded:
    """What grading a number of submissions took."""

    label: str
    count: int
    cost: Cost
    seconds: list[float]
    """Wall seconds of each submission."""

    def row(self, stock: Graded | None = None) -> str:
        """One line of the table, compared with `stock`."""
        wall, cpu = self.cost.wall_seconds / self.count, self.cost.cpu_seconds / self.count
        p95 = sorted(self.seconds)[int(0.95 * (len(self.seconds) - 1))] if self.seconds else float("nan")
        ratios = "| | "
        if stock is not None:
            ratios = f"| {stock.cost.cpu_seconds / stock.count / cpu:.1f} × | "
            ratios += f"{stock.cost.wall_seconds / stock.count / wall:.1f} × "
        return f"| {self.label} | {self.count} | {cpu:.2f} | {wall:.2f} | {p95:.2f} {ratios}|"


def grade_stock(course: Course, assignment: str, environment: Mapping[str, str]) -> Graded:
    """Grade everything that was handed in with `nbgrader autograde`."""
    cost = run([str(BIN / "nbgrader"), "autograde", assignment, "--create", "--force"], course.root, environment)
    ends = sorted(path.stat().st_mtime for path in course.root.glob(f"autograded/*/{assignment}/*.ipynb"))
    return Graded("`nbgrader autograde`", len(course.students(assignment)), cost, [b - a for a, b in pairwise(ends)])


def grade_ours(
    course: Course, assignment: str, environment: Mapping[str, str], *options: str, look: bool = False
) -> Graded:
    """Grade everything that was handed in with `grading-utils grade`."""
    command = [str(BIN / "grading-utils"), "grade", assignment, *options]
    cost = run(command, course.root, environment, look=look)
    results = json.loads((course.root / "grades.json").read_text())
    label = " ".join(["`grading-utils grade", *options]) + "`"
    return Graded(label, len(results), cost, [result["seconds"] for result in results])


def compare_scores(ours: Course, stock: Course, assignment: str) -> str:
    """Which of the submissions that both have graded got different scores."""
    results = json.loads((ours.root / "grades.json").read_text())
    mine = {result["student"]: result["score"] for result in results}
    with Gradebook(stock.layout.db_url) as gradebook:
        theirs = {s.student.id: s.score for s in gradebook.find_assignment(assignment).submissions}
    different = [name for name in theirs if theirs[name] != mine.get(name)]
    return f"{len(theirs) - len(different)} of {len(theirs)} scores agree" + "".join(f", not {n}" for n in different)


def memory_line(course: Course, assignment: str, environment: Mapping[str, str]) -> str:
    """Peak memory with one and with four submissions at a time, and what a further one adds."""
    peaks = {}
    for workers in (1, 4):
        graded = grade_ours(course, assignment, environment, "--workers", str(workers), look=True)
        peaks[workers] = graded.cost.peak_pss / 1e6
    each = (peaks[4] - peaks[1]) / 3
    return (
        f"Memory (proportional set size of all processes, {len(course.students(assignment))} submissions): "
        f"{peaks[1]:.0f} MB with one worker, {peaks[4]:.0f} MB with four, so {each:.0f} MB for each further one."
    )


def measure(assignment: str, count: int, stock_count: int, environment: Mapping[str, str], title: str) -> None:
    """All figures of one assignment."""
    print(f"\n### {title}\n", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        ours = make_course(Path(scratch) / "ours", assignment, count)
        stock = copy_for_stock(ours, Path(scratch) / "stock", assignment, stock_count)
        one = copy_for_stock(ours, Path(scratch) / "one", assignment, 1)
        few = make_course(Path(scratch) / "few", assignment, min(count, MEMORY_SUBMISSIONS))
        print("| | submissions | CPU s each | wall s each | p95 wall s | CPU ratio | throughput ratio |")
        print("|---|---|---|---|---|---|---|")
        reference = grade_stock(stock, assignment, environment)
        print(reference.row(), flush=True)
        print(grade_ours(ours, assignment, environment, "--full").row(reference), flush=True)
        print(grade_ours(ours, assignment, environment).row(reference), flush=True)
        agreement = compare_scores(ours, stock, assignment)
        cold = grade_stock(one, assignment, environment)
        print(cold.row().replace("` |", "`, one from cold |", 1), flush=True)
        print(grade_ours(one, assignment, environment).row(cold).replace("` |", "`, one from cold |", 1))
        print(f"\n{agreement}. {memory_line(few, assignment, environment)}", flush=True)


def make_large_model(folder: Path) -> Path:
    """A model of distilgpt2's size with random weights and the shipped tokenizer."""
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    from grading_utils.language_model import SHIPPED

    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    end = tokenizer.eos_token_id
    model = GPT2LMHeadModel(GPT2Config(n_layer=6, bos_token_id=end, eos_token_id=end, pad_token_id=end))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


def main() -> None:
    """Run everything that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=100, help="how many submissions each class has")
    parser.add_argument("--stock", type=int, default=100, help="how many of them stock nbgrader grades, too")
    parser.add_argument("--assignments", nargs="*", default=["04-next-token", "01-follower-tables"])
    parser.add_argument("--no-large-model", action="store_true", help="leave out the model of distilgpt2's size")
    options = parser.parse_args()
    load = statistics.fmean(os.getloadavg())
    print(f"{os.cpu_count()} cores, load before {load:.1f}; Python {sys.version.split()[0]}", flush=True)
    for assignment in options.assignments:
        measure(assignment, options.submissions, min(options.stock, options.submissions), {}, f"`{assignment}`")
    if not options.no_large_model:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            model = make_large_model(Path(folder))
            count = max(2, options.submissions // 5)
            environment = {"GRADING_UTILS_MODEL": str(model)}
            title = f"`04-next-token` with a model of distilgpt2's size ({LARGE_MODEL})"
            measure("04-next-token", count, max(2, min(options.stock, count) // 2), environment, title)


if __name__ == "__main__":
    main()
