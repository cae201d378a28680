"""NetworkX graphs to wire nodes and back: nodes and edges in their order, with their attributes."""

from __future__ import annotations

from typing import Any

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.references import Reader, Writer

_KINDS = ("Graph", "DiGraph", "MultiGraph", "MultiDiGraph")
_NAMES = (str, int, float, bool)


def encode(encoder: Writer, value: Any, _: type) -> nodes.Value:
    """The node for a graph; None for one of a class of its own, or whose nodes are more than names and numbers."""
    import networkx

    kind = type(value)
    if kind.__name__ not in _KINDS or kind is not getattr(networkx, kind.__name__) or not all(map(_is_name, value)):
        return None
    edges = value.edges(keys=True, data=True) if value.is_multigraph() else value.edges(data=True)
    parts = (dict(value.graph), list(value.nodes(data=True)), list(edges))
    return nodes.Graph(kind.__name__, *(encoder.node(part) for part in parts))


def decode(decoder: Reader, node: nodes.Graph) -> Any:
    """The graph that a node describes."""
    import networkx

    attributes, points, edges = (decoder.read(part) for part in (node.attributes, node.points, node.edges))
    graph = getattr(networkx, node.kind)()
    if not all(map(_is_name, [point for point, _ in points] + [end for edge in edges for end in edge[:2]])):
        raise TypeError("a graph's nodes are names and numbers")
    graph.graph.update(attributes)
    graph.add_nodes_from(points)
    graph.add_edges_from(edges)
    return graph


def assign(old: Any, new: Any) -> None:
    """Have a graph hold the nodes and edges of another."""
    old.clear()
    old.graph.update(new.graph)
    old.add_nodes_from(new.nodes(data=True))
    old.add_edges_from(new.edges(keys=True, data=True) if new.is_multigraph() else new.edges(data=True))


def _is_name(point: object) -> bool:
    return type(point) in _NAMES or (type(point) is tuple and all(map(_is_name, point)))


DECODERS: dict[type, Any] = {nodes.Graph: decode}
