"""What the tests of restoring share."""

from __future__ import annotations

from typing import Any

import pytest

from grading_utils.intake.restoring import Restored

from ..conftest import ASSIGNMENT

IN_PLACE_OF = "no cell is named {} any more; what stands in that place was taken for the answer"


@pytest.fixture
def bundle(small_bundle: Any) -> Any:
    return small_bundle.notebooks[ASSIGNMENT]


def sources(restored: Restored) -> list[str]:
    return [cell.source for cell in restored.notebook.cells]
