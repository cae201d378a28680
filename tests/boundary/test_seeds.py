"""What is drawn without a seed is the same whenever a notebook is graded: in the test and in the student's code."""

from __future__ import annotations

import random

import numpy as np
import torch

DRAWS = "[random.random(), float(np.random.rand()), float(torch.rand(1))]"
ANSWER = f"import random, torch, numpy as np\ndef f():\n    return {DRAWS}"
TEST = f"import random, torch\nimport numpy as np\nassert False, f'drawn: {{{DRAWS}}} {{f()}}'"


def test_checks_draw_the_same_whenever_they_are_graded_and_each_something_else(notebook):
    said = []
    for number in (1, 2):
        random.seed(number)
        np.random.seed(number)
        torch.manual_seed(number)
        said.append([run.message for run in notebook(("student", ANSWER), ("test", TEST), ("test", TEST))[1:]])
    assert said[0] == said[1]
    assert all(message.startswith("drawn: [0.") for message in said[0])
    assert said[0][0] != said[0][1]
