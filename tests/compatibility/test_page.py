"""What differs from nbgrader on purpose is named in the page, and tests of nbgrader that are let off are real ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nbgrader import preprocessors as stock
from nbgrader.converters import Autograde

from grading_utils.course.course import Course
from grading_utils.course.stages import stages
from grading_utils.errors import CourseError
from grading_utils.grading.nbgrader_steps import RestoreCells, SandboxedExecute

from ..conftest import ROOT
from . import nbgrader_tests

PAGE = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", nbgrader_tests.ON_PURPOSE)
def test_a_test_that_fails_on_purpose_exists_and_is_explained(name: str) -> None:
    folder = Path(str(nbgrader_tests.apps.__file__)).parent
    assert any(f"def {name}(" in (folder / file).read_text() for file in nbgrader_tests.FILES)
    assert f"`{name}`" in PAGE


def test_the_page_names_no_other_test_of_nbgraders() -> None:
    assert set(re.findall(r"`(test_\w+)`", PAGE)) == set(nbgrader_tests.ON_PURPOSE)


def test_a_test_that_ends_otherwise_than_it_should_is_told_apart(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase name="good"/><testcase name="bad"><failure/></testcase>'
        '<testcase name="broken"><error/></testcase><testcase name="left"><skipped/></testcase>'
        "</testsuite></testsuites>"
    )
    assert nbgrader_tests.outcomes(report) == ({"bad", "broken"}, {"good"})


def test_our_lists_are_nbgraders_with_ours_in_their_places() -> None:
    config = Course.open(ROOT).config
    theirs = Autograde.class_traits()["autograde_preprocessors"].default()
    ours = list(config.Autograde.autograde_preprocessors)
    assert len(ours) == len(theirs)
    assert issubclass(ours[theirs.index(stock.Execute)], SandboxedExecute)
    assert RestoreCells in config.Autograde.sanitize_preprocessors
    assert stock.InstantiateTests in config.GenerateAssignment.preprocessors


def test_a_stage_that_nbgrader_does_not_have_any_more_is_said() -> None:
    with pytest.raises(CourseError, match="has no stage SaveCells"):
        stages(Autograde, "autograde_preprocessors", instead={stock.SaveCells: RestoreCells})
