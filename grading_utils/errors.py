"""Every error that this package raises on purpose, and who has to act on it.

::

    GradingError
    ├── AuthoringError     the instructor's notebook needs a change
    ├── SubmissionError    what the student handed in cannot be graded as it is
    ├── SandboxError       this machine cannot grade safely, or the sandbox failed
    ├── CourseError        the course directory, its configuration or its gradebook
    └── ModelError         no language model could be found or loaded

This module only names them; the command line turns each into one line and an exit code.
"""

from __future__ import annotations


class GradingError(Exception):
    """Something went wrong that has one clear explanation.

    Args:
        message: What happened, and what to do about it.
        where: The notebook, cell or file it happened in, shown before the message.
    """

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.where))


def _rebuild(kind: type[GradingError], message: str, where: str | None) -> GradingError:
    return kind(message, where=where)


class AuthoringError(GradingError):
    """The instructor's notebook needs a change before it can be released or graded."""


class SubmissionError(GradingError):
    """What a student handed in cannot be graded as it is; a person has to look."""


class SandboxError(GradingError):
    """This machine cannot isolate student code, or the isolation broke; never the student's fault."""


class CourseError(GradingError):
    """The course directory, its configuration or its gradebook is not as needed."""


class ModelError(GradingError):
    """No usable language model was found; the message says where we looked."""
