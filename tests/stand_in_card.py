"""A machine with GPUs, as far as files go: the driver's lists, device nodes that are plain files, libraries.

Everything up to the driver's first call can be tried with it. `nvidia-smi` is a script that answers from two files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from grading_utils.devices import choice, nvidia

LIBRARIES = "run/opengl-driver/lib"  # where no loader looks by itself, and no jail has a folder
INFORMATION = """Model: \t\t {name}
IRQ:   \t\t 123
GPU UUID: \t {uuid}
Video BIOS: \t 96.00.74.00.01
Bus Type: \t PCIe
Bus Location: \t {address}
Device Minor: \t {minor}
GPU Excluded:\t No
"""


@dataclass(frozen=True)
class Plugged:
    """The stand-in."""

    root: Path

    def processes(self, **used_mib: int) -> None:
        """Let `nvidia-smi` say what processes hold: `p123=500` is 500 MiB of the process 123."""
        rows = "".join(f"{name[1:]}, {mib}\n" for name, mib in used_mib.items())
        (self.root / "processes.csv").write_text(rows)

    def remove(self, path: str) -> None:
        """Take something out of the tree."""
        (self.root / path).unlink()


def address_of(number: int) -> str:
    return f"0000:{number + 1:02x}:00.0"


def uuid_of(number: int) -> str:
    return f"GPU-{number:08d}-aaaa-bbbb-cccc-123456789abc"


def plug_in(root: Path, patch: pytest.MonkeyPatch, *, cards: int = 2, memory_mib: int = 16_000) -> Plugged:
    """Make the tree, and let this process believe in it until `patch` is undone."""

    def write(path: str, text: str = "", mode: int = 0o644) -> None:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    root.chmod(0o755)
    minors = [cards - 1 - number for number in range(cards)]  # the order of nodes need not be that of addresses
    write("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23\n")
    for number, minor in enumerate(minors):
        address = address_of(number)
        text = INFORMATION.format(name="Stand-in 16G", uuid=uuid_of(number), address=address, minor=minor)
        write(f"proc/driver/nvidia/gpus/{address}/information", text)
        write(f"sys/bus/pci/devices/{address}/numa_node", "0\n")
        write(f"dev/nvidia{minor}", f"card {number}", 0o666)
    for node in (*nvidia.COMMON_NODES, "nvidia-modeset", "nvidia-caps/nvidia-cap1", "kvm", "mem"):
        write(f"dev/{node}", node, 0o666)
    write("sys/module/nvidia/initstate", "live\n")
    for library in ("libcuda.so.1", "libnvidia-ml.so.1", "libnvidia-ptxjitcompiler.so.1", "libnvidia-encode.so.1"):
        write(f"{LIBRARIES}/{library}", "a library")
    write("processes.csv")
    write("cards.csv", "".join(f"{uuid_of(number)}, {memory_mib}\n" for number in range(cards)))
    script = f"#!/bin/sh\ncase $1 in\n--query-gpu=*) cat {root}/cards.csv;;\n*) cat {root}/processes.csv;;\nesac\n"
    write("bin/nvidia-smi", script, 0o755)
    patch.setattr(nvidia, "ROOT", root)
    patch.setattr(choice, "torch_knows_cuda", lambda: True)
    patch.setenv("PATH", f"{root / 'bin'}:{os.environ['PATH']}")
    patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return Plugged(root)
