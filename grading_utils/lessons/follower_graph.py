"""Draw a table {word: followers} or {context: followers} as a directed graph, read from left to right.

Boxes are words (or contexts), arrows lead to what can come next; an arrow is as thick as it was frequent.
Only the part that can be reached in a few steps from the start is drawn, because the whole graph of a long
text is a hairball. The module draws a table that it is given; it does not build one.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from grading_utils.lessons.lyrics import token_label

Table = Mapping[Hashable, Sequence[Hashable]]
MOST_BOXES = 22
LABEL = np.array([21.0, 8.0])  # half the width and height, in pixels, of a label such as "3 of 10" with its margin
FORWARD, BACKWARD, BOX = "#1f5a8a", "#b0652a", "#eaf2f8"


def follower_graph(table: Table) -> nx.DiGraph:
    """Return the table as a directed graph; edges carry `count` and `total` (all followers of their source).

    With words as keys a follower is the next node; with contexts (tuples) the next node is the context that
    results when the follower is appended and the oldest word dropped.
    """
    graph = nx.DiGraph()
    for key, followers in table.items():
        graph.add_node(key)
        for follower, count in Counter(followers).items():
            target = (*key[1:], follower) if isinstance(key, tuple) else follower
            graph.add_edge(key, target, count=count, total=len(followers))
    return graph


def draw_follower_graph(
    table: Table, *, start: Hashable | None = None, max_nodes: int = MOST_BOXES, max_steps: int = 7, title: str = ""
) -> Figure:
    """Draw the part of a follower table that is near the start.

    Args:
        table: word → followers, or context tuple → followers, with repeats.
        start: the leftmost box; the first key of the table if not given.
        max_nodes: at most this many boxes are drawn.
        max_steps: nothing further away from the start than this many arrows is drawn.
        title: written above the picture.

    Returns:
        A figure; arrows are labeled "count of total" where a word has more than one follower.

    Raises:
        ValueError: if the table is empty or the start is not in it.
    """
    graph = follower_graph(table)
    if not graph:
        raise ValueError("the table is empty: there is nothing to draw")
    first = next(iter(table)) if start is None else start
    if first not in graph:
        raise ValueError(f"the table has no entry {first!r} to start from")
    distances = nx.single_source_shortest_path_length(graph, first, cutoff=max_steps)
    steps = dict(list(distances.items())[:max_nodes])
    layers: dict[int, list[Hashable]] = {}
    for node, step in steps.items():
        layers.setdefault(step, []).append(node)
    tallest = max(len(layer) for layer in layers.values())
    positions = {
        node: (float(step), (len(layer) - 1) / 2 - row)
        for step, layer in layers.items()
        for row, node in enumerate(layer)
    }

    widest = max(len(line) for node in steps for line in _label_lines(node))
    size = (max(5.0, max(0.75 + 0.08 * widest, 0.2 * tallest) * len(layers)), max(2.6, 0.7 * tallest + 1.2))
    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 0.9))
    axes.set_axis_off()
    axes.set_xlim(-0.6, max(layers) + 0.6)
    axes.set_ylim(-tallest / 2 - 0.5, tallest / 2 + 0.7)
    if title:
        axes.set_title(title, fontsize=11, loc="left")
    labels = {node: _draw_box(axes, node, *positions[node]) for node in steps}
    figure.draw_without_rendering()  # a box knows its extent only after a draw, and arrows end at the boxes
    boxes = {node: _extent(axes, label) for node, label in labels.items()}
    drawn = [
        (_draw_arrow(axes, boxes[source], boxes[target], edge["count"]), edge)
        for source, target, edge in graph.edges(data=True)
        if source in boxes and target in boxes
    ]
    placed = [_on_page(axes, curve) for curve, _ in drawn]
    for number, (curve, edge) in enumerate(drawn):
        if edge["count"] < edge["total"]:
            others = np.concatenate([*placed[:number], *placed[number + 1 :], _covered(axes, boxes.values())])
            x, y = _free_place(axes, curve, others)
            placed.append(axes.transData.transform([(x, y)]) + LABEL * list(np.ndindex(3, 3)) - LABEL)
            share = f"{edge['count']} of {edge['total']}"
            axes.text(x, y, share, fontsize=8, color="#333", ha="center", va="center", zorder=4,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})  # fmt: skip
    return figure


def describe_follower_graph(table: Table) -> str:
    """Return a sentence that says what the drawn graph shows, for those who cannot see it."""
    parts = []
    for key, followers in list(table.items())[:12]:
        counts = ", ".join(f"{token_label(word)} {count} times" for word, count in Counter(followers).items())
        parts.append(f"{token_label(key)} is followed by {counts}")
    rest = f"; and {len(table) - len(parts)} more" if len(table) > len(parts) else ""
    return "Directed graph: " + "; ".join(parts) + rest + "."


def _label_lines(node: Hashable) -> list[str]:
    return textwrap.wrap(token_label(node), 15) or ["(empty)"]


def _draw_box(axes: Axes, node: Hashable, x: float, y: float) -> Text:
    label = "\n".join(_label_lines(node))
    style = {"boxstyle": "round,pad=0.35", "facecolor": BOX, "edgecolor": FORWARD, "linewidth": 1.0}
    return axes.text(x, y, label, ha="center", va="center", fontsize=10, bbox=style, zorder=3)


def _extent(axes: Axes, label: Text) -> Bbox:
    """Return where a label with its box stands, in data coordinates."""
    patch = label.get_bbox_patch()
    assert patch is not None
    extent: Bbox = patch.get_window_extent().transformed(axes.transData.inverted())
    return extent


def _points(curve: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a quadratic Bézier curve (3 control points, shape 3 × 2)."""
    t = t[:, None]
    points: NDArray[np.float64] = (1 - t) ** 2 * curve[0] + 2 * t * (1 - t) * curve[1] + t**2 * curve[2]
    return points


def _on_page(axes: Axes, curve: NDArray[np.float64]) -> NDArray[np.float64]:
    page: NDArray[np.float64] = axes.transData.transform(_points(curve, np.linspace(0, 1, 120)))
    return page


def _covered(axes: Axes, boxes: Iterable[Bbox]) -> NDArray[np.float64]:
    """Points all over the boxes, on the page."""
    grid = [(x, y) for box in boxes for x in np.linspace(box.x0, box.x1, 9) for y in np.linspace(box.y0, box.y1, 5)]
    page: NDArray[np.float64] = axes.transData.transform(grid)
    return page


def _free_place(axes: Axes, curve: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[float, float]:
    """The place on a curve where a label covers least of everything else, and of these the farthest from it."""
    candidates = _points(curve, np.linspace(0.15, 0.9, 61))
    page = axes.transData.transform(candidates)
    apart = np.abs(page[:, None, :] - others[None, :, :]) / LABEL
    covered = (apart.max(axis=2) < 1).sum(axis=1)
    distances = np.linalg.norm(apart, axis=2).min(axis=1)
    x, y = candidates[np.lexsort((-distances, covered))[0]]
    return float(x), float(y)


def _draw_arrow(axes: Axes, source: Bbox, target: Bbox, count: int) -> NDArray[np.float64]:
    """Draw an arrow between two boxes; returns the control points of its curve."""
    (x1, y1), (x2, y2) = ((box.x0 + box.width / 2, box.y0 + box.height / 2) for box in (source, target))
    backward = x2 <= x1
    if backward:  # the long way back runs above the picture or below it, whichever is nearer to the source
        bend = (0.2 + 0.5 / (x1 - x2 + 1)) * (-1 if y1 < 0 else 1)
    else:
        bend = 0.12 if x2 - x1 > 1.5 or abs(y1 - y2) > 0.1 else 0.0
    start, end = (x1, y1), (x2, y2)
    loop = source is target
    if loop:
        start, end, bend = (x1 - source.width / 3, source.y1), (x1 + source.width / 3, source.y1), -5.0
    # the bend is sideways on the page, so the control point is found in page coordinates
    (px, py), (qx, qy) = axes.transData.transform([start, end])
    on_page = ((px + qx) / 2 + bend * (qy - py), (py + qy) / 2 - bend * (qx - px))
    control = tuple(axes.transData.inverted().transform(on_page))
    curve = np.array([start, control, end])
    color = BACKWARD if backward else FORWARD
    curve = curve if loop else _between(curve, source, target)
    arrow = FancyArrowPatch(
        path=Path(curve, [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
        arrowstyle="-|>", mutation_scale=12, linewidth=min(0.8 + 0.7 * count, 6.0), color=color,
        alpha=0.55 if backward else 0.85, zorder=1, clip_on=False, transform=axes.transData,
    )  # fmt: skip
    axes.add_artist(arrow)
    return curve


def _between(curve: NDArray[np.float64], source: Bbox, target: Bbox) -> NDArray[np.float64]:
    """Return the part of a quadratic Bézier curve (3 control points, shape 3 × 2) outside the two boxes."""
    t = np.linspace(0, 1, 200)[:, None]
    points = (1 - t) ** 2 * curve[0] + 2 * t * (1 - t) * curve[1] + t**2 * curve[2]
    leaves = next((t[i, 0] for i, point in enumerate(points) if not source.contains(*point)), 0.0)
    enters = next((t[i, 0] for i, point in enumerate(points) if t[i, 0] > leaves and target.contains(*point)), 1.0)

    def blossom(a: float, b: float) -> NDArray[np.float64]:
        first = (1 - a) * curve[:2] + a * curve[1:]
        point: NDArray[np.float64] = (1 - b) * first[0] + b * first[1]
        return point

    return np.array([blossom(leaves, leaves), blossom(leaves, enters), blossom(enters, enters)])
