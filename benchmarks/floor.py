"""What grading cannot cost less than: the solution's cells and their checks, run together in a fork of a warm process.

No isolation, no second process, no files, no gradebook: `python -m benchmarks.floor 04-next-token`. What
`grading-utils grade` takes beyond this is the price of its promises.
"""

from __future__ import annotations

import gc
import os
import sys

from grading_utils.boundary.warm import warmup
from grading_utils.boundary.warm.shell import run_cell
from grading_utils.course.bundle import build_bundle
from grading_utils.course.cells import Role
from grading_utils.course.course import Course
from grading_utils.grading.jobs import make_job
from grading_utils.grading.solutions import solution_notebook
from grading_utils.intake.restoring import restore
from grading_utils.sandbox import pages

REPEATS = 10


def floor(assignment: str) -> float:
    """Processor seconds that the cells of one notebook take, without those that need not run."""
    course = Course.open()
    notebook = build_bundle(course, assignment).notebooks[assignment]
    solution = restore(solution_notebook(course.source(assignment) / f"{assignment}.ipynb", notebook), notebook)
    job = make_job(solution.notebook, notebook, everything=False)
    later = [cell.source for cell in job.cells[job.leading :] if cell.role is Role.INSTRUCTOR]
    os.chdir(course.source(assignment))  # files lie beside the notebook
    warmup.prepare([cell.source for cell in job.cells[: job.leading]], later)
    gc.collect()
    gc.freeze()  # as in the engine: or a fork's collections go through all that was loaded
    gc.disable()
    pages.collapse()
    warm = warmup.current()
    before = os.times()
    for _ in range(REPEATS):
        child = os.fork()
        if child == 0:
            status = 0
            for cell in job.cells[job.leading :]:
                if warm.adopt(cell.source) is None:
                    passed, _ = run_cell(warm.shell, cell.source, draws=cell.draws)
                    status |= not passed
            os._exit(status)
        if os.waitpid(child, 0)[1]:
            raise RuntimeError(f"{assignment}: a cell of the solution or a check failed")
    after = os.times()
    used = after.children_user + after.children_system + after.system - before.system
    return (used - before.children_user - before.children_system) / REPEATS


def main() -> None:
    """Print the floor of the assignments named on the command line."""
    os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    for assignment in sys.argv[1:]:
        seconds = floor(assignment)
        os.write(1, f"{assignment}: {seconds:.3f} CPU s\n".encode())  # the notebook shell took over sys.stdout


if __name__ == "__main__":
    main()
