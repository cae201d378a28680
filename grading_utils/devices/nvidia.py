"""What NVIDIA's driver shows of its cards in the file system, and what a process must see to compute on one of them.

Only files are read, so nothing is initialized: `/proc/driver/nvidia` lists the cards, `/dev` has their nodes. All paths
are looked up below `ROOT`, which is the machine's own; the tests put a folder in its place. Cards that are partitioned
(MIG) are recognized and not used; WSL (`/dev/dxg`) and cards of other makers are not known here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path("/")
"""Where the machine's own file system is."""

COMMON_NODES: Final = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
"""Nodes in `/dev` that every card needs; the last one only for tools."""

_CARDS: Final = "proc/driver/nvidia/gpus"
_PARTS: Final = "proc/driver/nvidia/capabilities/gpu{minor}/mig"
_FIELD: Final = re.compile(r"(Model|GPU UUID|Device Minor):\s*(.+?)\s*")
_LIBRARY: Final = re.compile(r"lib(?:cuda|nvidia-(?:ml|ptxjitcompiler|nvvm\d*|gpucomp))\.so(?:\.\d+)*")
_FOLDERS: Final = (
    "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib",
    "usr/local/nvidia/lib64", "run/opengl-driver/lib", "opt/nvidia/lib64",
)  # fmt: skip
_SEEN: Final = ("sys/module/nvidia", "sys/module/nvidia_uvm", "sys/devices/system/node")


@dataclass(frozen=True)
class Card:
    """One card, as the driver lists it.

    Attributes:
        index: Its number in the order of PCI addresses, which is the order of `nvidia-smi`.
        address: Its PCI address, the name of its folder in `/proc/driver/nvidia/gpus`.
        minor: The number in the name of its node.
        name: The model's name.
        uuid: What CUDA knows it by.
        is_partitioned: Is it divided into MIG instances?
    """

    index: int
    address: str
    minor: int
    name: str
    uuid: str
    is_partitioned: bool = False


def cards() -> list[Card]:
    """All cards that the driver lists; none where there is no driver."""
    found: list[Card] = []
    for path in sorted((ROOT / _CARDS).glob("*/information")):
        lines = path.read_text().splitlines()
        fields = {match[1]: match[2] for line in lines if (match := _FIELD.fullmatch(line))}
        if fields.keys() >= {"Model", "GPU UUID", "Device Minor"}:
            minor = int(fields["Device Minor"])
            is_partitioned = any((ROOT / _PARTS.format(minor=minor)).glob("gi*"))
            card = Card(len(found), path.parent.name, minor, fields["Model"], fields["GPU UUID"], is_partitioned)
            found.append(card)
    return found


def driver_version() -> str:
    """The kernel module's version; "" where none is loaded."""
    try:
        text = (ROOT / "proc/driver/nvidia/version").read_text()
    except OSError:
        return ""
    match = re.search(r"Kernel Module.*?(\d+\.\d+(?:\.\d+)?)", text)
    return match[1] if match else ""


def nodes(card: Card) -> tuple[str, ...]:
    """The names in `/dev` that computing on a card takes, as far as they are there."""
    return tuple(name for name in (f"nvidia{card.minor}", *COMMON_NODES) if (ROOT / "dev" / name).exists())


def missing_nodes(card: Card) -> tuple[str, ...]:
    """Those of them without which CUDA does not start, and which are not there: drivers make them on demand."""
    return tuple(name for name in (f"nvidia{card.minor}", *COMMON_NODES[:2]) if not (ROOT / "dev" / name).exists())


def libraries() -> tuple[Path, ...]:
    """The driver's libraries for computing, one path for each name; CUDA's own come with PyTorch."""
    found: dict[str, Path] = {}
    for path in (*_cached(), *(path for folder in _FOLDERS for path in sorted((ROOT / folder).glob("lib*.so*")))):
        if _LIBRARY.fullmatch(path.name) and path.exists():
            found.setdefault(path.name, path)
    return tuple(found.values())


def unknown_folders() -> tuple[Path, ...]:
    """Folders with libraries of the driver in which the loader does not look by itself."""
    known = {path.parent for path in _cached()}
    return tuple(dict.fromkeys(path.parent for path in libraries() if path.parent not in known))


def cached_libraries(listing: str) -> list[Path]:
    """The paths in what `ldconfig -p` prints."""
    return [Path(line.rpartition(" => ")[2]) for line in listing.splitlines() if " => " in line and "lib" in line]


def _cached() -> list[Path]:
    """Where the loader looks; it knows this machine only."""
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin:/usr/bin:/bin")
    if ldconfig is None or Path("/") != ROOT:
        return []
    listed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False)
    return cached_libraries(listed.stdout)


def described(card: Card) -> tuple[str, ...]:
    """What else of the machine CUDA reads about a card: the module's state, and the card's own place on the bus."""
    paths = (*_SEEN, f"sys/bus/pci/devices/{card.address}")
    return tuple(path for path in paths if (ROOT / path).exists())
