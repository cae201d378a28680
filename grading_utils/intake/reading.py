"""Read a submitted notebook file without trusting anything about it.

Opens regular files only, never follows a link, never waits on a FIFO, and bounds size and nesting. What comes
back is rebuilt from checked parts, so the rest of the package can rely on its shape. Does not compare the notebook
with the assignment (see `restoring`).
"""

from __future__ import annotations

import codecs
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import msgspec
import nbformat
from nbformat.corpus.words import generate_corpus_id as random_cell_id
from nbformat.v4 import new_notebook

from grading_utils.errors import SubmissionError

MAX_FILE_BYTES = 100_000_000
"""nbgrader's own limit for a file."""
MAX_BYTES = 20_000_000
"""What the cells of a notebook may hold; stored outputs are dropped and don't count."""
_MAX_OBJECTS = 1_000_000
"""JSON objects of a large file, which bounds the memory that reading it takes."""
MAX_CELLS = 2_000
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif")
_OTHER_FILES = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip file or an office document",
    b"\x1f\x8b": "a gzip file",
    b"Rar!": "a RAR file",
    b"7z\xbc\xaf": "a 7z file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<<<<<<<": "a file with conflicts between two versions",
    b"<": "a web page or a file of another program",
}
"""What else is handed in under a notebook's name, by its first bytes; no JSON begins so."""
_EMPTY_CELLS: dict[str, dict[str, Any]] = {
    "code": {"outputs": [], "execution_count": None},
    "markdown": {},
    "raw": {},
}


def read_notebook(path: Path) -> tuple[Any, list[str]]:
    """Read one submitted notebook.

    Args:
        path: The file as the student handed it in; it is only read.

    Returns:
        The notebook (nbformat 4, no outputs, no metadata but each cell's `nbgrader` entry) and notes on
        anything unusual, for a person to look at.

    Raises:
        SubmissionError: It cannot be read as a notebook; the message says why and what to ask the student for.
    """
    data = _read_bytes(path)
    document = _parse(data if len(data) <= MAX_BYTES else _without_outputs(data, path), path)
    notes: list[str] = []
    document = _to_version_4(document, path, notes)
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise SubmissionError("the file has no list of cells; ask the student for the notebook again", where=path.name)
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"the notebook has {len(cells)} cells (the limit is {MAX_CELLS})", where=path.name)
    notebook, malformed = clean(document)
    return notebook, notes + malformed


def clean(document: Any, *, outputs: bool = False) -> tuple[Any, list[str]]:
    """Rebuild a format 4 notebook from those of its parts that a student may decide.

    Args:
        document: The notebook, read as JSON or by nbformat.
        outputs: Whether to keep what is stored as outputs of its cells; they must have been validated.

    Returns:
        The new notebook, and a note on each cell that was too malformed to keep.
    """
    notebook = new_notebook()
    notes = []
    taken: set[str] = set()
    for number, cell in enumerate(document["cells"], start=1):
        rebuilt = _rebuild(cell)
        if rebuilt is None:
            notes.append(f"cell {number} was malformed and is left out")
            continue
        if (claimed := cell.get("id")) and isinstance(claimed, str) and _ID.match(claimed) and claimed not in taken:
            rebuilt["id"] = claimed
        taken.add(rebuilt["id"])
        if outputs and rebuilt.cell_type == "code":
            rebuilt.outputs = cell.get("outputs", [])
        notebook.cells.append(rebuilt)
    return notebook, notes


def _read_bytes(path: Path) -> bytes:
    where = path.name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise SubmissionError("is a symbolic link, which is never followed", where=where) from error
        raise SubmissionError(f"cannot be opened: {error.strerror}", where=where) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(f"is {_kind_of(status.st_mode)}, not a file", where=where)
        if status.st_size > MAX_FILE_BYTES:
            raise _too_large(status.st_size, MAX_FILE_BYTES, where)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(len(data), MAX_FILE_BYTES, where)
    if not data.strip(b"\0 \t\r\n"):
        raise SubmissionError("is empty; ask the student for the notebook again", where=where)
    return data


def _too_large(size: int, limit: int, where: str) -> SubmissionError:
    return SubmissionError(
        f"is {size / 1e6:.0f} MB large (the limit is {limit / 1e6:.0f} MB); "
        "ask the student to clear the outputs and hand in again",
        where=where,
    )


class _Cell(msgspec.Struct, omit_defaults=True):
    """Those parts of a cell that are kept, as they stand in the file."""

    cell_type: msgspec.Raw
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    source: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    attachments: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Document(msgspec.Struct):
    nbformat: msgspec.Raw
    cells: list[_Cell]


def _without_outputs(data: bytes, path: Path) -> bytes:
    """The file of a notebook that is large because of its stored outputs, without them."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.count(b"{") > _MAX_OBJECTS:
        raise _too_large(len(data), MAX_BYTES, path.name)
    try:
        kept = msgspec.json.encode(msgspec.json.decode(data, type=_Document))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _too_large(len(data), MAX_BYTES, path.name) from error
    if len(kept) > MAX_BYTES:
        raise _too_large(len(kept), MAX_BYTES, path.name)
    return kept


def _kind_of(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    return next((name for test, name in kinds if test(mode)), "a device")


def _parse(data: bytes, path: Path) -> dict[str, Any]:
    if kind := next((kind for start, kind in _OTHER_FILES.items() if data.lstrip().startswith(start)), None):
        raise SubmissionError(f"is {kind}, not a notebook; ask the student for the notebook again", where=path.name)
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding).rstrip("\0 \t\r\n")  # a file system that broke down leaves zeros at the end
    except UnicodeDecodeError as error:
        raise SubmissionError(
            f"is not UTF-8 text (byte {error.start}: {data[error.start]:#04x}), so it is no notebook file",
            where=path.name,
        ) from error
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise SubmissionError("is nested too deeply to be a notebook", where=path.name) from error
    except ValueError as error:
        reason = "ends in the middle (truncated)" if _looks_truncated(text, error) else f"is not valid JSON: {error}"
        raise SubmissionError(f"{reason}; ask the student for the notebook again", where=path.name) from error
    if not isinstance(document, dict):
        raise SubmissionError("is JSON, but no notebook", where=path.name)
    return document


def _looks_truncated(text: str, error: ValueError) -> bool:
    """Was more to come where the reader stopped? Half a word such as `tru` counts."""
    rest = text[getattr(error, "pos", 0) :]
    is_cut = any(word.startswith(rest) for word in ("true", "false", "null"))
    return text.lstrip().startswith("{") and (is_cut or "Unterminated string" in str(error))


def _to_version_4(document: dict[str, Any], path: Path, notes: list[str]) -> dict[str, Any]:
    version = document.get("nbformat")
    if version == 4:
        return document
    if version == 3:
        try:
            upgraded = nbformat.convert(nbformat.from_dict(document), 4)
        except Exception as error:
            raise SubmissionError(f"is in the old format 3 and cannot be upgraded: {error}", where=path.name) from error
        notes.append("the notebook was in the old format 3 and was upgraded")
        return dict(upgraded)
    raise SubmissionError(f"has notebook format {version!r}; only formats 3 and 4 can be graded", where=path.name)


def _rebuild(cell: Any) -> Any:
    """A clean cell with the student's text and claimed `nbgrader` metadata; None where it is no cell at all."""
    kind = cell.get("cell_type") if isinstance(cell, dict) else None
    if not isinstance(kind, str) or kind not in _EMPTY_CELLS:
        return None
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # Lone surrogates are valid JSON escapes but cannot be written back as UTF-8.
    source = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    # nbformat's own makers of cells validate each against a schema, which takes longer than everything else here.
    rebuilt = nbformat.from_dict(
        {"id": random_cell_id(), "cell_type": kind, "metadata": {}, "source": source, **_EMPTY_CELLS[kind]}
    )
    pictures = _pictures(cell.get("attachments"))
    if pictures and kind == "markdown":
        rebuilt["attachments"] = pictures
    metadata = cell.get("metadata")
    entry = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if isinstance(entry, dict) and isinstance(entry.get("grade_id"), str):
        rebuilt.metadata["nbgrader"] = {"grade_id": entry["grade_id"]}
        claimed = entry.get("points")
        if isinstance(claimed, int | float) and not isinstance(claimed, bool):
            rebuilt.metadata["nbgrader"]["points"] = claimed
    return rebuilt


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """The images that a student pasted into a written answer; anything else that is attached is left out."""
    if not isinstance(attachments, dict):
        return {}
    pictures = {}
    for name, versions in attachments.items():
        if isinstance(versions, dict):
            images = {kind: data for kind, data in versions.items() if kind in _IMAGE_TYPES and isinstance(data, str)}
            if images:
                pictures[name] = images
    return pictures
