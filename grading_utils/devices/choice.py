"""From a wish (`auto`, `cpu`, `cuda`, `cuda:1`) to the card that students' processes compute on, or to none.

A card counts as usable when everything up to the driver's first call is there: its nodes, the driver's libraries, a
PyTorch built for CUDA, and `nvidia-smi`, without which nobody could hold a submission to its share of the memory.
Whether CUDA then starts is seen when it starts.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from grading_utils.devices import nvidia, smi
from grading_utils.errors import MachineError

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
DEVICE_VARIABLE: Final = "GRADING_UTILS_DEVICE"
"""What notebooks compute on, where somebody else than they decides."""
FRACTION_VARIABLE: Final = "GRADING_UTILS_GPU_FRACTION"
"""The part of the card's memory that PyTorch may give out in one process."""
CONTEXT_MIB: Final = 600
"""What CUDA itself takes in a process, out of its share; an estimate, which no GPU was at hand to measure."""
SHARE_MIB: Final = 4096
"""Memory of the card that one submission may hold, unless the course says otherwise."""
_WISH: Final = re.compile(r"auto|cpu|cuda(?::(\d{1,3}))?")


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A card that submissions are graded on, with all that the sandbox has to show of it.

    In each pair of paths the first is where something is, the second where the jail shows it.
    """

    name: str
    uuid: str
    address: str
    """Its folder in `/proc/driver/nvidia/gpus`."""
    memory_mib: int
    share_mib: int
    nodes: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    library_folders: tuple[str, ...]
    """Where the loader is to look beside its own folders."""

    @property
    def places(self) -> int:
        """How many submissions fit on the card at the same time."""
        return self.memory_mib // self.share_mib

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a process that computes on the card, from before its first import.

        They choose it, ask whether it is there without starting CUDA, and make results repeatable: cuBLAS needs a
        workspace of fixed size for that (see CUDA's documentation), and TF32 would round products to 10 bits.
        """
        usable = max(self.share_mib - CONTEXT_MIB, self.share_mib // 2)
        return {
            DEVICE_VARIABLE: CUDA,
            FRACTION_VARIABLE: f"{usable / self.memory_mib:.6f}",
            "CUDA_VISIBLE_DEVICES": self.uuid,
            "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
            "NVIDIA_TF32_OVERRIDE": "0",
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
            **({"LD_LIBRARY_PATH": ":".join(self.library_folders)} if self.library_folders else {}),
        }


def is_wish(text: str) -> bool:
    """Is this one of the words for a device?"""
    return _WISH.fullmatch(text) is not None


def choose(wish: str, share_mib: int = SHARE_MIB) -> Gpu | None:
    """The card that a wish means; None for the processor.

    `cuda` alone is the first card, or the first one that `CUDA_VISIBLE_DEVICES` names.

    Args:
        wish: `auto` (a card where there is a usable one), `cpu`, `cuda` or `cuda:n`.
        share_mib: Memory of the card for one submission, in MiB.

    Raises:
        MachineError: A card was asked for, and there is none that can be used; says what is missing.
        ValueError: It is no wish.
    """
    match = _WISH.fullmatch(wish)
    if match is None:
        raise ValueError(f"{wish!r} is no device: there are auto, cpu, cuda and cuda:0, cuda:1, …")
    if wish == CPU:
        return None
    card = _card(int(match[1] or 0))
    problem = problem_with(card) or _too_small(card, share_mib)
    if card is None or problem:
        if wish == AUTO:
            return None
        raise MachineError(f"{wish} can't be used: {problem}; `grading-utils doctor` says more")
    return _gpu(card, share_mib)


def problem_with(card: nvidia.Card | None) -> str:
    """What keeps a card from being used, in words; "" for nothing."""
    if card is None:
        count = len(nvidia.cards())
        known = f"this machine has {count} of them" if count else "NVIDIA's driver lists none on this machine"
        return f"there is no such GPU ({known})"
    if missing := nvidia.missing_nodes(card):
        return f"/dev/{missing[0]} is missing (run `nvidia-modprobe -u -c={card.minor}` as root)"
    if card.is_partitioned:
        return f"{card.name} is divided into MIG instances, which are not supported"
    if not any(path.name == "libcuda.so.1" for path in nvidia.libraries()):
        return "the driver's library libcuda.so.1 was not found"
    if not torch_knows_cuda():
        return "this PyTorch is built without CUDA (install one with `uv pip install --torch-backend auto torch`)"
    return smi.trouble()


def _too_small(card: nvidia.Card | None, share_mib: int) -> str:
    if card is None:
        return ""
    memory = smi.memory_mib().get(card.uuid, 0)
    return "" if memory >= share_mib else f"it has {memory} MiB, and a submission's share is {share_mib} MiB"


def _card(number: int) -> nvidia.Card | None:
    cards = nvidia.cards()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        wanted = [name.strip() for name in visible.split(",")]
        by_name = {str(card.index): card for card in cards} | {card.uuid: card for card in cards}
        cards = [by_name[name] for name in wanted if name in by_name]
    return cards[number] if number < len(cards) else None


def _gpu(card: nvidia.Card, share_mib: int) -> Gpu:
    root = nvidia.ROOT
    files = [(str(path), f"/{path.relative_to(root)}") for path in nvidia.libraries()]
    files += [(str(root / path), f"/{path}") for path in nvidia.described(card)]
    return Gpu(
        name=card.name,
        uuid=card.uuid,
        address=card.address,
        memory_mib=smi.memory_mib()[card.uuid],
        share_mib=share_mib,
        nodes=tuple((str(root / "dev" / name), f"/dev/{name}") for name in nvidia.nodes(card)),
        files=tuple(files),
        library_folders=tuple(f"/{path.relative_to(root)}" for path in nvidia.unknown_folders()),
    )


def torch_knows_cuda() -> bool:
    """Is the installed PyTorch built for CUDA? Its own file says so; importing it would take seconds."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    text = (Path(spec.origin).parent / "version.py").read_text()
    return re.search(r"^cuda\b.*=\s*['\"]\d", text, re.MULTILINE) is not None


@cache
def seats(uuid: str, places: int) -> threading.BoundedSemaphore:
    """One for each card and process: who has a seat may use a share of the card's memory."""
    return threading.BoundedSemaphore(places)
