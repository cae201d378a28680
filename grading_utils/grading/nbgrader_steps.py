"""Our intake and our engine as steps of nbgrader's own `nbgrader autograde` and of the formgrader's buttons.

`nbgrader_config.py` puts `RestoreCells` in place of nbgrader's `OverwriteCells` and `SandboxedExecute` in place of its
`Execute`, whose options it keeps; scoring and recording stay nbgrader's own. One warm process per notebook is kept
until the program ends or the assignment changes. `grading-utils grade` does the same work without nbgrader's
per-submission cost. Importing this module lets nbgrader read time zones as `intake.timestamps` does, and keep an old
result until there is a new one.
"""

from __future__ import annotations

import atexit
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool

from grading_utils import patches
from grading_utils.course.bundle import Bundle, build_bundle, refuse_other_languages
from grading_utils.course.course import Course
from grading_utils.grading.changed_answers import CHANGED, changed_answers
from grading_utils.grading.decisions import Decisions
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.scoring import earned, insert_outputs, leave_open
from grading_utils.grading.terms import Terms, terms
from grading_utils.intake.beside import files_beside
from grading_utils.intake.reading import clean
from grading_utils.intake.restoring import restore
from grading_utils.intake.submission import open_submission
from grading_utils.intake.timestamps import read_timestamp

patches.read_timestamps_with(read_timestamp)
patches.keep_results_until_replaced()


@dataclass
class _Warm:
    """One assignment while nbgrader works through its submissions."""

    course: Course
    bundle: Bundle
    state: object
    """What the bundle was made from, to notice that it has changed."""
    engines: dict[str, Engine] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)

    def close(self) -> None:
        """End the engines."""
        while self.engines:
            self.engines.popitem()[1].close()


_kept: dict[tuple[str, str], _Warm] = {}


@atexit.register
def _close_all() -> None:
    for warm in _kept.values():
        warm.close()


def _warm(step: NbGraderPreprocessor, resources: Any) -> _Warm:
    """The assignment that nbgrader is grading; the exporter that a step belongs to knows the course."""
    converter = step.parent.parent
    root = Path(converter.coursedir.root).resolve()
    course = Course(root, converter.config, converter.coursedir)
    name = resources["nbgrader"]["assignment"]
    key = (str(root), name)
    state = _state_of(course, name)
    if key not in _kept or _kept[key].state != state:
        if key in _kept:
            _kept.pop(key).close()
        _kept[key] = _Warm(course, build_bundle(course, name), state)
    return _kept[key]


def _state_of(course: Course, assignment: str) -> object:
    """Configuration, names, sizes and times of everything that an assignment is made from."""
    folders = (course.source(assignment), course.release(assignment))
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return repr(course.config), [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]


class RestoreCells(NbGraderPreprocessor):
    """Puts every instructor-owned cell back, in place of nbgrader's `OverwriteCells`."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Rebuild the submitted notebook on the instructor's."""
        bundle = _warm(self, resources).bundle.notebooks[resources["nbgrader"]["notebook"]]
        submitted, notes = clean(nb, outputs=True)  # there are some only where nbgrader is told not to execute
        restored = restore(submitted, bundle)
        for note in (*notes, *restored.attention, *restored.repairs):
            self.log.warning("%s: %s", resources["nbgrader"]["student"], note)
        if "kernelspec" not in restored.notebook.metadata and "kernelspec" in nb.metadata:
            restored.notebook.metadata["kernelspec"] = nb.metadata.kernelspec
        return restored.notebook, resources


class SandboxedExecute(Execute):
    """Runs a notebook in the sandbox, in place of nbgrader's `Execute`; honors its `timeout` and `enabled`."""

    isolate = Bool(
        True, help="False runs student code unprotected in a Jupyter kernel. Only for submissions that you trust."
    ).tag(config=True)

    def preprocess(self, nb: Any, resources: Any, km: Any = None) -> tuple[Any, Any]:
        """Run every cell where it belongs and put its outputs into the notebook.

        Raises:
            AuthoringError: The notebook is for a kernel that can't be had here.
            SandboxError: This machine cannot isolate student code; nbgrader then reports the submission as failed and
                records no score.
        """
        warm = _warm(self, resources)
        name = resources["nbgrader"]["notebook"]
        notebook = warm.bundle.notebooks[name]
        refuse_other_languages(nb.metadata, f"{name}.ipynb")
        if not warm.terms:
            self._start(warm)
        submitted = warm.course.submitted(warm.bundle.assignment, resources["nbgrader"]["student"])
        with open_submission(submitted, set(warm.bundle.notebooks)) as submission:
            files = files_beside(submission)
        asked = Decisions(warm.course, warm.bundle.assignment).of(resources["nbgrader"]["student"])
        known = warm.terms[name].with_inside(asked)
        job = make_job(nb, notebook, rights=known.rights, solution=known.solution)
        run = warm.engines[name].run(msgspec.structs.replace(job, files=files))
        insert_outputs(nb, run)
        leave_open(nb, known.open)
        return nb, resources

    def _start(self, warm: _Warm) -> None:
        if not self.isolate:
            self.log.warning("SandboxedExecute.isolate is off: student code runs unprotected")
        warm.close()  # what an earlier submission may have left where one of them could not be started
        make_engine = engine_factory(warm.course, isolate=self.isolate)
        for name, notebook in warm.bundle.notebooks.items():
            warm.engines[name] = make_engine(warm.bundle, notebook)
        warm.terms = terms(warm.course, warm.bundle, warm.engines, tell=self.log.warning)


class SaveScores(SaveAutoGrades):
    """nbgrader's `SaveAutoGrades`, which leaves open scores open: they wait for a person in the formgrader.

    What a person graded is asked for again only where the answer is another one than before.
    """

    _changed: frozenset[str] | None = None
    """Cells whose answers are other ones than before; None where there is nothing to compare with."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """See nbgrader's `SaveAutoGrades`."""
        names = resources["nbgrader"]
        course = _warm(self, resources).course
        before = patches.result_before(course.autograded(names["assignment"], names["student"]))
        compared = changed_answers(before, {names["notebook"]: nb})[names["notebook"]]
        self._changed = compared if (before / f"{names['notebook']}.ipynb").is_file() else None
        saved: tuple[Any, Any] = super().preprocess(nb, resources)
        return saved

    def _add_score(self, cell: Any, resources: Any) -> None:
        names, name = resources["nbgrader"], cell.metadata.nbgrader.grade_id
        grade = self.gradebook.find_grade(name, names["notebook"], names["assignment"], names["student"])
        asked = bool(grade.needs_manual_grade)
        score, why = earned(cell)
        if why:
            grade.auto_score, grade.needs_manual_grade = score, True
        else:
            super()._add_score(cell, resources)
        if grade.manual_score is not None and self._changed is not None:
            if name in self._changed:
                why = CHANGED
            else:
                grade.needs_manual_grade = asked
        self.gradebook.db.commit()
        if why and grade.needs_manual_grade:
            self.log.warning("%s: %s %s", names["student"], name, why if why == CHANGED else f"is open: {why}")
