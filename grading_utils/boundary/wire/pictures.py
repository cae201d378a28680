"""Pillow's pictures to wire nodes and back: mode, size and the bytes of the pixels."""

from __future__ import annotations

from typing import Any

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.references import Reader, TooLarge, Writer

_BYTES = {"L": 1, "P": 1, "LA": 2, "RGB": 3, "YCbCr": 3, "HSV": 3, "LAB": 3, "RGBA": 4, "CMYK": 4, "I": 4, "F": 4}
"""Bytes of one pixel, by mode; in mode `1` eight pixels share one."""


def encode(encoder: Writer, value: Any, _: type) -> nodes.Value:
    """The node for a picture; None for one with a class or a mode of its own, or whose file can't be read."""
    import PIL.Image

    if not isinstance(value, PIL.Image.Image) or type(value).__module__.partition(".")[0] != "PIL":
        return None
    if value.mode not in (*_BYTES, "1"):
        return None
    if _size(value.mode, *value.size) > nodes.MAX_BULK:
        raise TooLarge(f"the value has more than {nodes.MAX_BULK >> 20} MB")
    try:
        data = value.tobytes()
    except OSError:
        return None
    palette = bytes(value.getpalette() or b"") if value.mode == "P" else b""
    bulk = encoder.add_bulk(data)
    return nodes.Picture(*bulk, value.mode, *value.size, encoder.node(palette), value.format)  # type: ignore[arg-type]


def decode(decoder: Reader, node: nodes.Picture) -> Any:
    """The picture that a node describes."""
    import PIL.Image

    if _size(node.mode, node.width, node.height) != node.size:
        raise ValueError("a picture has more or fewer bytes than its size says")
    if node.size:
        picture = PIL.Image.frombytes(node.mode, (node.width, node.height), decoder.slice(node))
    else:
        picture = PIL.Image.new(node.mode, (node.width, node.height))
    if node.mode == "P" and (palette := decoder.read(node.palette)):
        picture.putpalette(palette)
    picture.format = node.format
    return picture


def _size(mode: str, width: int, height: int) -> int:
    return (width + 7) // 8 * height if mode == "1" else width * height * _BYTES[mode]


def assign(old: Any, new: Any) -> None:
    """Have a picture show what another shows; raises `ValueError` where they differ in size or mode."""
    if (old.mode, old.size) != (new.mode, new.size):
        raise ValueError("a picture can't have changed its size or mode")
    old.paste(new, (0, 0))


DECODERS: dict[type, Any] = {nodes.Picture: decode}
