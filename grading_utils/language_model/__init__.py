"""The language model that ships with the course, and the way to a bigger one where there is one.

`SHIPPED` is the folder for `from_pretrained`; `resolver.find_model` picks between it and the real models.
The other modules make the shipped model again: `grammar` and `corpus` write its training text, `train` is the
recipe, `evaluate` measures the result. Importing this package imports neither torch nor transformers.
"""

from __future__ import annotations

from pathlib import Path

SHIPPED: Path = Path(__file__).parent / "shipped"

__all__ = ["SHIPPED"]
