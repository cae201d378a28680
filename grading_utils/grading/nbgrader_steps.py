"""Our intake and our engine as steps of nbgrader's own `nbgrader autograde` and of the formgrader's buttons.

`nbgrader_config.py` lists `RestoreCells` as the sanitizing step and `SandboxedExecute` in place of nbgrader's
`Execute`; scoring and recording stay nbgrader's own. One warm process per notebook is kept until the program ends.
`grading-utils grade` does the same work without nbgrader's per-submission cost.
"""

from __future__ import annotations

import atexit
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool

from grading_utils.course.bundle import Bundle, build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.scoring import earned, insert_outputs, leave_open
from grading_utils.grading.terms import Terms, terms
from grading_utils.intake.beside import files_beside
from grading_utils.intake.reading import clean
from grading_utils.intake.restoring import restore
from grading_utils.intake.submission import open_submission


@dataclass
class _Warm:
    """One assignment while nbgrader works through its submissions."""

    course: Course
    bundle: Bundle
    engines: dict[str, Engine] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)


@cache
def _assignment(root: str, name: str) -> _Warm:
    course = Course.open(root)
    warm = _Warm(course, build_bundle(course, name))
    atexit.register(_close, warm)
    return warm


def _close(warm: _Warm) -> None:
    for engine in warm.engines.values():
        engine.close()


def _warm(step: NbGraderPreprocessor, resources: Any) -> _Warm:
    """The assignment that nbgrader is grading; the exporter that a step belongs to knows the course."""
    return _assignment(str(step.parent.parent.coursedir.root), resources["nbgrader"]["assignment"])


class RestoreCells(NbGraderPreprocessor):
    """Puts every instructor-owned cell back, in place of nbgrader's five sanitizing steps."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Rebuild the submitted notebook on the instructor's."""
        bundle = _warm(self, resources).bundle.notebooks[resources["nbgrader"]["notebook"]]
        submitted, notes = clean(nb)
        restored = restore(submitted, bundle)
        for note in (*notes, *restored.attention, *restored.repairs):
            self.log.warning("%s: %s", resources["nbgrader"]["student"], note)
        return restored.notebook, resources


class SandboxedExecute(NbGraderPreprocessor):
    """Runs a notebook in the sandbox, in place of nbgrader's `Execute`."""

    isolate = Bool(
        True, help="False runs student code unprotected in a Jupyter kernel. Only for submissions that you trust."
    ).tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Run every cell where it belongs and put its outputs into the notebook.

        Raises:
            SandboxError: This machine cannot isolate student code; nbgrader then reports the submission as failed and
                records no score.
        """
        warm = _warm(self, resources)
        name = resources["nbgrader"]["notebook"]
        notebook = warm.bundle.notebooks[name]
        if not warm.engines:
            if not self.isolate:
                self.log.warning("SandboxedExecute.isolate is off: student code runs unprotected")
            make_engine = engine_factory(warm.course, isolate=self.isolate)
            for each, one in warm.bundle.notebooks.items():
                warm.engines[each] = make_engine(warm.bundle, one)
            warm.terms = terms(warm.course, warm.bundle, warm.engines, tell=self.log.warning)
        submitted = warm.course.submitted(warm.bundle.assignment, resources["nbgrader"]["student"])
        with open_submission(submitted, set(warm.bundle.notebooks)) as submission:
            files = files_beside(submission)
        known = warm.terms[name]
        job = make_job(nb, notebook, rights=known.rights, solution=known.solution)
        run = warm.engines[name].run(msgspec.structs.replace(job, files=files))
        insert_outputs(nb, run)
        leave_open(nb, known.open)
        return nb, resources


class SaveScores(SaveAutoGrades):
    """nbgrader's `SaveAutoGrades`, which leaves open scores open: they wait for a person in the formgrader."""

    def _add_score(self, cell: Any, resources: Any) -> None:
        score, why = earned(cell)
        if not why:
            super()._add_score(cell, resources)
            return
        names = resources["nbgrader"]
        grade = self.gradebook.find_grade(
            cell.metadata.nbgrader.grade_id, names["notebook"], names["assignment"], names["student"]
        )
        grade.auto_score, grade.needs_manual_grade = score, True
        self.gradebook.db.commit()
        self.log.warning("%s: %s is open: %s", names["student"], cell.metadata.nbgrader.grade_id, why)
