"""What a student predicted, beside what came out.

A prediction is the comment in the first line of an answer cell, `# My prediction: …`. After the check of that cell, a
cell of the instructor's shows it next to the truth, so that nobody has to scroll back to learn from a wrong guess.
Nothing is graded here, and nothing is computed: the notebook says what is true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from IPython.core.getipython import get_ipython

from grading_utils.lessons.showing import show, table_html

_PREDICTION = re.compile(r"^# ?My predictions?\b[^:\n]*:(.*(?:\n#.*)*)", re.MULTILINE)
NOTHING_YET = "(nothing yet: run the cell with your prediction first)"


def show_prediction(task: str, *truths: str) -> None:
    """Show the prediction of a task and what is true, one below the other.

    Args:
        task: a name that stands in the student's cell, such as that of the function which the task asks for.
        truths: what is true, in plain sentences; one for each thing that was to be predicted.
    """
    shell = get_ipython()
    inputs = shell.user_ns.get("In", []) if shell is not None else []
    rows = [["You predicted", prediction_of(task, inputs) or NOTHING_YET]]
    rows += [["What is true" if number == 0 else "", truth] for number, truth in enumerate(truths)]
    show(table_html(["", ""], rows))


def prediction_of(task: str, inputs: Sequence[str]) -> str | None:
    """Return the prediction in the last executed cell that has one and mentions the task, or None.

    >>> prediction_of("double", ["# My prediction: double(3) is\\n# 6, I guess\\ndef double(x): ..."])
    'double(3) is 6, I guess'
    """
    for source in reversed(inputs):
        found = _PREDICTION.search(source)
        if found and re.search(rf"\b{re.escape(task)}\b", source):
            return " ".join(line.lstrip("# ").strip() for line in found[1].split("\n"))
    return None
