"""Styles of answers and tests that instructors use, apart: with the rights that they need, and not with fewer.

Each file in `constructs/` is a notebook: `locked` cells, an `answer`, and `checks` in order. A check `needs` nothing,
`changes`, `comparisons`, `files` or `figures`; with those rights the answer passes it, with fewer it doesn't, and
without the answer it doesn't either (but for `free` ones). A check with `place: inside` can't be passed apart, and says
why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from grading_utils.jobs import Rights

FILES = sorted((Path(__file__).parent / "constructs").glob("*.yaml"))


def load(path: Path) -> tuple[str, list[tuple[str, str]], list[dict[str, Any]]]:
    """The leading cell, the cells before and between the checks (role and source), and the checks with positions."""
    content = yaml.safe_load(path.read_text())
    cells, checks = [], []
    for entry in content["cells"]:
        if "check" in entry:
            checks.append({**entry, "position": len(cells)})
            cells.append(("test", entry["check"]))
        else:
            ((role, source),) = entry.items()
            cells.append(({"answer": "student", "locked": "instructor"}[role], source))
    return content.get("leading", ""), cells, checks


def rights(check: dict[str, Any], *, lacking: str = "") -> Rights:
    needs = {"methods", *check.get("needs", "").split()} - {lacking}
    return Rights(**dict.fromkeys(needs, True))


def granted(cells: list[tuple[str, str]], checks: list[dict[str, Any]]) -> list[Any]:
    by_position = {check["position"]: rights(check) for check in checks}
    return [(*cell, by_position[n]) if n in by_position else cell for n, cell in enumerate(cells)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_right_answers_pass_with_the_rights_that_they_need(path: Path, notebook: Any) -> None:
    leading, cells, checks = load(path)
    runs = notebook(*granted(cells, checks), leading=leading)
    wrong = {
        check["check"]: (runs[check["position"]].message, runs[check["position"]].reason)
        for check in checks
        if (runs[check["position"]].status == "ok") != (check.get("place") != "inside")
    }
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_missing_answers_pass_nothing(path: Path, notebook: Any) -> None:
    leading, cells, checks = load(path)
    blank = [("student", "") if cell[0] == "student" else cell for cell in granted(cells, checks)]
    runs = notebook(*blank, leading=leading)
    assert {check["check"] for check in checks if runs[check["position"]].status == "ok"} == {
        check["check"] for check in checks if check.get("free")
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_fewer_rights_are_not_enough(path: Path, notebook: Any) -> None:
    leading, cells, checks = load(path)
    for right in ("changes", "comparisons", "files", "figures"):
        needing = [check for check in checks if right in check.get("needs", "")]
        fewer = granted(cells, [{**check, "needs": check.get("needs", "").replace(right, "")} for check in checks])
        runs = notebook(*fewer, leading=leading) if needing else []
        assert [check["check"] for check in needing if runs[check["position"]].status == "ok"] == []
