"""Choose the engine: the sandbox, or, only when somebody asks for it by name, none."""

from __future__ import annotations

from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.course import Course
from grading_utils.grading.jobs import Engine
from grading_utils.grading.kernel_engine import KernelEngine
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.grading.sandbox_engine import SandboxEngine
from grading_utils.sandbox.policy import Policy

_SECRETS = ("source", "submitted", "autograded", "feedback", "gradebook.db", "grades.json", "sample_class", ".git")
"""What student code must not see should the course lie inside something that it may see."""


def engine_factory(course: Course, *, isolate: bool) -> EngineFactory:
    """How to start an engine for one notebook of a course.

    Args:
        course: The course that is graded.
        isolate: False runs student code unprotected, as nbgrader does.
    """

    def start(bundle: Bundle, notebook: NotebookBundle) -> Engine:
        if not isolate:
            return KernelEngine()
        hidden = (course.root / name for name in _SECRETS)
        policy = Policy(hidden=tuple(str(path) for path in hidden if path.exists()))
        return SandboxEngine.start(bundle, notebook, policy)

    return start
