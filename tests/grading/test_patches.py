"""Where we reach into other libraries, the versions in use are those it was tried with, and nothing stays changed."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from nbgrader import api, coursedir
from nbgrader.api import Gradebook, InvalidEntry

from grading_utils import patches
from grading_utils.intake.timestamps import read_timestamp

from ..conftest import ROOT


@pytest.mark.parametrize("library", patches.TRIED_WITH)
def test_the_tested_version_is_the_one_that_is_installed(library: str) -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert pinned[library] == patches.TRIED_WITH[library], "try `grading_utils/patches.py` with it, then say so there"


def test_one_commit_keeps_everything_or_nothing(small_course: Any) -> None:
    with Gradebook(small_course.layout.db_url) as gradebook:
        with patches.one_commit(gradebook.db()):
            gradebook.add_student("ann")
        with pytest.raises(InvalidEntry), patches.one_commit(gradebook.db()):
            [gradebook.add_student(name) for name in ("bob", "ann")]
        gradebook.add_student("cleo")
    with Gradebook(small_course.layout.db_url) as gradebook:
        assert [student.id for student in gradebook.students] == ["ann", "cleo"]


def test_the_version_of_a_new_gradebook_is_the_one_that_nbgrader_finds() -> None:
    patches.put_tools_on_path()
    ask = "from nbgrader.api import get_alembic_version; print(get_alembic_version())"
    theirs = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    patches.ask_schema_version_here()
    assert api.get_alembic_version() == theirs


def test_nbgrader_reads_time_zones_as_we_do_and_what_we_cannot_read_as_before(
    small_course: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coursedir, "parse_utc", coursedir.parse_utc)
    patches.read_timestamps_with(read_timestamp)
    folder = small_course.submitted("counting", "ann")
    folder.mkdir(parents=True)
    for text, hour in (("PST", 6), ("CEST", 20), ("IST", 22)):
        (folder / "timestamp.txt").write_text(f"2026-07-20 22:00:00 {text}")
        assert small_course.layout.get_existing_timestamp(str(folder)).hour == hour
