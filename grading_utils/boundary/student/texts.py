"""What student code printed, displayed or raised, as text that can be sent: bounded, without lone surrogates."""

from __future__ import annotations

import traceback
from typing import Any

from grading_utils.boundary.wire import messages as m


def printed(recorder: Any, name: str) -> str:
    """What a recorder has kept of one stream."""
    text = "".join(output["text"] for output in recorder.finish() if output.get("name") == name)
    return plain(text)[: m.MAX_PRINTED]


def plain(text: str) -> str:
    """The text with question marks for lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def as_text(output: dict[str, Any]) -> dict[str, Any]:
    """The output with text that can be sent."""
    return {
        key: plain(value) if isinstance(value, str)
        else [plain(str(line)) for line in value] if isinstance(value, list)
        else {mime: plain(data) for mime, data in value.items()} if isinstance(value, dict)
        else None
        for key, value in output.items()
    }  # fmt: skip


def plain_names(names: frozenset[str]) -> list[str]:
    """As many names as may be sent."""
    return sorted(name for name in names if len(name) <= 200)[:1000]


def text(target: Any, attribute: str, longest: int) -> str | None:
    """An attribute that is a text; None where it is anything else."""
    try:
        value = getattr(target, attribute, None)
    except Exception:
        return None
    return plain(value)[:longest] if isinstance(value, str) else None


def cell_frames(error: BaseException) -> list[str]:
    """Where in the notebook's cells an exception came from: `<cell>, line 3, in predict: return x[0]`."""
    frames_found: list[str] = []
    for frame in traceback.extract_tb(error.__traceback__, limit=-40):
        if frame.filename.startswith("<ipython-input"):
            frames_found.append(plain(f"line {frame.lineno}, in {frame.name}: {frame.line or ''}")[:400])
    return frames_found[-10:]
