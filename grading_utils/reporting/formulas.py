"""TeX formulas as inline SVG, so that a page needs neither a script nor a font to show them.

Uses Matplotlib's own TeX subset (`mathtext`), which covers what notebooks write in prose; there is no support for
environments such as `align`. What cannot be set stays as its source.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

MAX_LENGTH = 200
MAX_DEPTH = 8
_POINTS = 12.0
_PER_EM = 12.0
_DISPLAY_SCALE = 1.3


@lru_cache(maxsize=2048)
def formula(source: str, *, display: bool) -> Markup:
    """Set one formula.

    Args:
        source: TeX without the dollar signs.
        display: Is it a line of its own?

    Returns:
        An `svg` element in the color of the text around it, or a `code` element with the source.
    """
    path = _path(" ".join(source.split()))
    kind = "fb-display" if display else "fb-inline"
    if path is None:
        mark = "$$" if display else "$"
        return Markup('<code class="{}">{}</code>').format(kind, f"{mark}{source}{mark}")
    outline, left, bottom, width, height = path
    per_em = _PER_EM / (_DISPLAY_SCALE if display else 1.0)
    return Markup(
        '<svg class="{}" role="img" aria-label="{}" viewBox="{:.1f} {:.1f} {:.1f} {:.1f}" '
        'style="width: {:.2f}em; height: {:.2f}em; vertical-align: {:.2f}em"><path fill="currentColor" d="{}"/></svg>'
    ).format(
        kind,
        source,
        left,
        -(bottom + height),
        width,
        height,
        width / per_em,
        height / per_em,
        bottom / per_em,
        outline,
    )


def _path(source: str) -> tuple[str, float, float, float, float] | None:
    """SVG path data, and left, bottom, width and height in points; None for what mathtext cannot set."""
    if not source or len(source) > MAX_LENGTH or _depth(source) > MAX_DEPTH or "$" in source:
        return None
    from matplotlib.font_manager import FontProperties  # takes a second, and most pages of a class share formulas
    from matplotlib.textpath import TextPath

    try:
        drawn = TextPath((0, 0), f"${source}$", size=_POINTS, prop=FontProperties(math_fontfamily="cm"))
    except (ValueError, RuntimeError, RecursionError):
        return None
    if not len(drawn.vertices):
        return None
    box = drawn.get_extents()
    pad = 0.5
    steps = []
    for vertices, command in drawn.iter_segments(curves=True, simplify=False):
        points = " ".join(f"{value if index % 2 == 0 else -value:.2f}" for index, value in enumerate(vertices))
        letter = _LETTERS[int(command)]
        steps.append(letter if letter == "Z" else f"{letter}{points}")
    return "".join(steps), box.x0 - pad, box.y0 - pad, box.width + 2 * pad, box.height + 2 * pad


_LETTERS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}


def _depth(source: str) -> int:
    """How deeply braces are nested."""
    depth = deepest = 0
    for character in source:
        depth += (character == "{") - (character == "}")
        deepest = max(deepest, depth)
    return deepest
