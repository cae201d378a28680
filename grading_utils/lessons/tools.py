"""Names that functions in a notebook may take from outside: what the usual modules of the standard library offer.

For `check_global_vars(function, STANDARD_TOOLS, allow_functions=True)`, so that a student may write
`from itertools import pairwise` at the top of a cell. It says nothing about modules that are not listed.
"""

from __future__ import annotations

import collections
import functools
import itertools
import math
import operator
import random
import statistics
from types import ModuleType

_MODULES: tuple[ModuleType, ...] = (collections, functools, itertools, math, operator, random, statistics)

STANDARD_TOOLS = frozenset({"np", "numpy"}).union(
    (module.__name__ for module in _MODULES),
    (name for module in _MODULES for name in dir(module) if not name.startswith("_")),
)
