"""Names that functions in a notebook may take from outside: usual modules of the standard library, and what they offer.

For `check_global_vars(function, STANDARD_TOOLS, allow_functions=True)`, so that a student may write
`from itertools import pairwise` at the top of a cell. It says nothing about modules that are not listed.
"""

from __future__ import annotations

import bisect
import collections
import copy
import fractions
import functools
import heapq
import itertools
import math
import operator
import random
import re
import statistics
from types import ModuleType

_MODULES: tuple[ModuleType, ...] = (
    bisect, collections, copy, fractions, functools, heapq, itertools, math, operator, random, re, statistics,
)  # fmt: skip

STANDARD_TOOLS = frozenset({"np", "numpy", "pd", "pandas", "torch"}).union(
    (module.__name__ for module in _MODULES),
    (name for module in _MODULES for name in dir(module) if not name.startswith("_")),
)
