"""What instructors may rely on in test cells: each promise of the boundary, in a file named after what it promises.

A file holds a student's cell and, below the line, the test cell that has to pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest

LEADING = "import torch\nfrom torch import nn\nimport random\nimport numpy as np\nimport pandas as pd\n"
PROMISES = sorted((Path(__file__).parent / "promises").glob("*.txt"))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda path: path.stem)
def test_promise(promise, check):
    student_source, test_source = promise.read_text().split("----- test -----\n")
    run = check(student_source, test_source, leading=LEADING)
    assert run.status == "ok", "\n".join([run.message, *(line for o in run.outputs for line in o.get("traceback", []))])
