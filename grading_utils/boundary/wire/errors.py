"""What can go wrong between a student's process and the tester, apart from an ordinary exception in student code.

`BoundaryError` is a `BaseException` on purpose: a test that says `except Exception` or `assert_raises(Exception)` must
not take a broken or forged conversation for the student's answer. It costs the question, never the tester.
"""

from __future__ import annotations


class BoundaryError(BaseException):
    """What the student's process sent is not what may be sent; the question is lost."""


class Refused(BoundaryError):
    """What was sent has its place in the conversation, but it can't be taken: a bound of ours, or no value at all."""


class Fault(BoundaryError):
    """Our own machinery broke; a `BoundaryError` so that no test takes it for the student's exception."""


class StudentDied(BoundaryError):
    """The student's process ended in the middle of a conversation."""


class StudentOverran(BoundaryError):
    """The student's process used up its time."""


class StudentError(Exception):
    """Student code raised something that has no safe counterpart here, such as `SystemExit`."""


class Limit(Exception):
    """A limit of ours was hit in a check: what is right in a notebook can't be done between two processes.

    Raise it as `raise context.limit("one sentence")`, which also remembers it: a test may swallow the exception, and
    its score is open all the same.
    """
