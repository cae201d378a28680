"""`make scaling`: two workers against one, a thousand real submissions, and whether ten thousand stay flat.

    python -m benchmarks.scaling workers     two workers against one, here and on a Dask cluster (five minutes)
    python -m benchmarks.scaling real        a thousand submissions from a download to a report (five minutes)
    python -m benchmarks.scaling flat        ten thousand light submissions (a quarter of an hour)

`flat --folder F --until 2500` grades the first 2,500 and leaves the course in F; again with `--until 5000` it goes on
there, so that a busy machine can do it in pieces. Prints Markdown; nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.classes import make_course
from benchmarks.large_classes import LIGHT, hand_in_light, light_course, real_class
from benchmarks.measure import Cost, Use, run, use_of
from grading_utils.course.course import Course

PROGRAM = str(Path(sys.executable).with_name("grading-utils"))
RUNNERS = (("`grade`", ()), ("`grade --runner dask`", ("--runner", "dask")))
_PROGRESS = re.compile(r"\[(\d+)/\d+\]")
_SPIN = "import time; end = time.process_time() + 3\nwhile time.process_time() < end: pass"


def workers(assignment: str, sizes: tuple[int, int]) -> None:
    """Two workers against one, for further submissions: the difference of a small and a large class."""
    print(f"\n### Two workers against one, `{assignment}`, {sizes[0]} and {sizes[1]} submissions\n")
    print(f"Two programs that only compute, one after the other against beside each other: {_machine():.2f} ×.\n")
    print("| | CPU s each, one worker | two | wall s each, one worker | two | throughput |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        classes = [make_course(Path(scratch, str(size)), assignment, size) for size in sizes]
        for course in classes:
            run([PROGRAM, "grade", "--workers", "2"], course.root, {})  # learns what the checks need
        for label, how in RUNNERS:
            costs = [_further(classes, sizes, ["--again", *how, "--workers", str(count)]) for count in (1, 2)]
            (cpu_one, wall_one), (cpu_two, wall_two) = costs
            print(
                f"| {label} | {cpu_one:.3f} | {cpu_two:.3f} | {wall_one:.3f} | {wall_two:.3f} "
                f"| {wall_one / wall_two:.2f} × |",
                flush=True,
            )


def _further(classes: Sequence[Course], sizes: tuple[int, int], options: list[str]) -> tuple[float, float]:
    """Processor and wall seconds of one more submission."""
    small, large = (run([PROGRAM, "grade", *options], course.root, {}) for course in classes)
    more = sizes[1] - sizes[0]
    return (large.cpu_seconds - small.cpu_seconds) / more, (large.wall_seconds - small.wall_seconds) / more


def _machine() -> float:
    """What two processors give here at best, whatever else is running."""
    command = [sys.executable, "-c", _SPIN]

    def seconds(start: Callable[[], list[subprocess.Popen[bytes]]]) -> float:
        began = time.monotonic()
        for process in start():
            process.wait()
        return time.monotonic() - began

    alone = seconds(lambda: [subprocess.Popen(command)])
    return 2 * alone / seconds(lambda: [subprocess.Popen(command) for _ in range(2)])


def real(assignments: Sequence[str], count: int) -> None:
    """A class from a download to a report, each step's cost."""
    for assignment in assignments:
        print(f"\n### {count} submissions of `{assignment}`, from a download to a report\n")
        print("| step | CPU s | CPU s each | wall s |\n|---|---|---|---|", flush=True)
        with tempfile.TemporaryDirectory() as scratch:
            course = real_class(Path(scratch, "course"), assignment, count)
            for words in (
                f"collect {assignment} handed_in --from folder",
                f"grade {assignment} --csv grades.csv --junit results.xml",
                f"feedback {assignment}",
                "report",
                f"export {assignment} --to csv --output all.csv",
            ):
                cost = run([PROGRAM, *words.split()], course.root, {})
                _print_step(words, cost, count)
            rows = len((course.root / "all.csv").read_text().splitlines()) - 1
            size = (course.root / "gradebook.db").stat().st_size / 1e6
            print(f"\n{rows} of {count} are in the table; the gradebook has {size:.1f} MB.", flush=True)


def _print_step(words: str, cost: Cost, count: int) -> None:
    print(
        f"| `{words.split()[0]}` | {cost.cpu_seconds:.0f} | {cost.cpu_seconds / count:.3f} | {cost.wall_seconds:.0f} |",
        flush=True,
    )


def flat(folder: Path, until: int, every: int, options: Sequence[str]) -> None:
    """Grade light submissions in one run of `grade`, and look at it every so many."""
    course = Course.open(folder) if (folder / "source").is_dir() else light_course(folder)
    before = len(course.students(LIGHT))
    hand_in_light(course, before + 1, until)
    print(f"\n### Light submissions {before + 1} to {until}, looked at every {every}\n")
    print(
        "| graded | CPU s each | of which coordinator | coordinator's memory, MB | gradebook, kB each "
        "| journal, kB each |\n|---|---|---|---|---|---|",
        flush=True,
    )
    command = [PROGRAM, "grade", LIGHT, *options]
    began, before_all = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as grade:
        assert grade.stderr is not None
        last: tuple[int, Use] | None = None
        for line in grade.stderr:
            found = _PROGRESS.match(line)
            number = int(found[1]) if found else 0
            if number > before and (number % every == 0 or last is None):
                now = use_of(grade.pid)
                if last is not None:
                    _print_slice(course, number, now, *last)
                last = number, now
    after_all = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(getattr(after_all, name) - getattr(before_all, name) for name in ("ru_utime", "ru_stime"))
    print(
        f"\nThe run took {time.monotonic() - began:.0f} s, {cpu:.0f} CPU s with start and end, and ended with "
        f"{grade.returncode}.",
        flush=True,
    )


def _print_slice(course: Course, number: int, now: Use, last_number: int, last: Use) -> None:
    more = number - last_number
    gradebook = (course.root / "gradebook.db").stat().st_size
    journal = sum(path.stat().st_size for path in (course.root / ".grading_utils" / "journal").glob("*.jsonl"))
    print(
        f"| {number} | {(now.cpu_seconds - last.cpu_seconds) / more:.4f} "
        f"| {(now.own_cpu_seconds - last.own_cpu_seconds) / more:.4f} | {now.resident / 1e6:.1f} "
        f"| {gradebook / number / 1e3:.2f} | {journal / number / 1e3:.2f} |",
        flush=True,
    )


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["workers", "real", "flat"])
    parser.add_argument("--assignments", nargs="+", default=["01-follower-tables", "04-next-token"])
    parser.add_argument("--sizes", type=int, nargs=2, default=(20, 120), help="workers: sizes of the two classes")
    parser.add_argument("--submissions", type=int, default=500, help="real: submissions of each assignment")
    parser.add_argument("--until", type=int, default=10_000, help="flat: size of the class")
    parser.add_argument("--every", type=int, default=1000, help="flat: submissions between two looks")
    parser.add_argument("--folder", type=Path, help="flat: where the class is kept, to go on later")
    parser.add_argument("--runner", choices=["local", "dask"], default="local", help="flat: where it runs")
    given = parser.parse_args()
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} cores, load before {loads}; Python {sys.version.split()[0]}", flush=True)
    if given.what == "workers":
        for assignment in given.assignments:
            workers(assignment, tuple(given.sizes))
    elif given.what == "real":
        real(given.assignments, given.submissions)
    else:
        folder = given.folder or Path(tempfile.mkdtemp(prefix="flat-"))
        flat(folder, given.until, given.every, ["--runner", given.runner])
        if given.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
