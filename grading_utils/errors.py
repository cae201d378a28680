"""Every error that this package raises on purpose, and who has to act on it.

::

    GradingError
    ├── AuthoringError     the instructor's notebook needs a change
    ├── SubmissionError    what the student handed in cannot be graded as it is
    ├── SandboxError       this machine cannot grade safely, or the sandbox failed
    ├── MachineError       this machine cannot do something plain: disk, permissions, database, a missing package
    ├── CourseError        the course directory, its configuration or its gradebook
    └── ModelError         no language model could be found or loaded

This module only names them; the command line turns each into one line and an exit code.
"""

from __future__ import annotations

import errno
import re
import shutil

_MACHINE = {
    errno.ENOSPC: "the disk is full; free some space and run it again",
    errno.EDQUOT: "your disk quota is used up; free some space and run it again",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied; look at who owns it",
    errno.EPERM: "permission denied; look at who owns it",
    errno.EMFILE: "too many open files; raise the limit (`ulimit -n`) or use fewer workers",
    errno.ENFILE: "the machine has too many open files",
    errno.ENOMEM: "out of memory; use fewer workers",
    errno.EIO: "the disk reports an error",
    errno.ENOEXEC: "cannot be executed",
}

_DATABASE = {
    "locked": "the gradebook is locked: close the formgrader, or wait for the other run",
    "disk is full": f"the gradebook cannot be written: {_MACHINE[errno.ENOSPC]}",
    "readonly database": "the gradebook may not be written; look at who owns it and its folder",
    "unable to open": "the gradebook cannot be opened; look at its path and who owns it",
    "not a database": "the gradebook is no database; put a copy of it in its place, or grade again without it",
    "malformed": "the gradebook is damaged; put a copy of it in its place, or grade again without it",
}
"""What databases say, by words in it; the first that fits."""
_UNUSABLE = "the gradebook cannot be used; after an upgrade, `nbgrader db upgrade` helps: "


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


class MachineError(GradingError):
    """The disk is full, something may not be read or written, a database is locked, a package is missing."""


class CourseError(GradingError):
    """The course directory, its configuration or its gradebook is not as needed."""


class ModelError(GradingError):
    """No usable language model was found; the message says where we looked."""


def machine_trouble(error: BaseException) -> MachineError | None:
    """What a low-level error says about this machine, in one sentence; None where it may be a fault of ours.

    Knows full disks, permissions, limits, a locked or broken database and missing packages, whoever raised them.
    """
    if isinstance(error, MachineError):
        return error
    if isinstance(error, MemoryError):
        return MachineError("out of memory; use fewer workers")
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("grading_utils"):
        how = "install what grading needs: `make setup`, or 'slm-course[grade]' by pip"
        return MachineError(f"the package {error.name} is missing; {how}")
    if isinstance(error, shutil.Error):  # of a whole tree: it has no number, only what each file's error said
        numbers = re.findall(r"\[Errno (\d+)\]", str(error))
        return next((MachineError(_MACHINE[int(number)]) for number in numbers if int(number) in _MACHINE), None)
    if isinstance(error, OSError) and error.errno in _MACHINE:
        where = str(error.filename) if error.filename is not None else None
        return MachineError(_MACHINE[error.errno], where=where)
    package = type(error).__module__.partition(".")[0]
    if package in ("sqlalchemy", "sqlite3"):
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        return MachineError(next((said for words, said in _DATABASE.items() if words in reason), _UNUSABLE + reason))
    reason_for = error.__context__ if package == "nbgrader" else error.__cause__  # nbgrader raises its own instead
    return machine_trouble(reason_for) if reason_for is not None else None
