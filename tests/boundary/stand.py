"""Both ends of the wire in one process."""

from __future__ import annotations

from grading_utils.boundary.wire import references
from grading_utils.boundary.wire.errors import BoundaryError


class Stand:
    """A `codec.Stand`; references come back as the node itself."""

    def __init__(self):
        self.objects = references.Objects()

    def refer(self, value):
        return references.remote(self.objects, value, references.SharedNames())

    def resolve(self, node):
        return node

    def member(self, value):
        return value

    def library(self, module, name):
        raise BoundaryError("unknown")
