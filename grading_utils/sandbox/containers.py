"""Which container this process is in, if any, and what that container was not given which isolation needs.

Only looks at files that the kernel and the usual runtimes leave. What it says was tried with Podman, with its own
filter of system calls and with Docker's; Docker itself and AppArmor's profile were not at hand.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SYS_ADMIN = 1 << 21


@dataclass(frozen=True)
class Container:
    """A container, and the obstacles in it."""

    kind: str
    """What made it, for people."""
    lacks: tuple[str, ...]
    """Why isolation would be refused here, one reason with its option for each."""


def is_privileged(root: Path = Path("/")) -> bool:
    """Whether this process may make namespaces whatever the settings for ordinary users say."""
    return bool(int(_status(root).get("CapEff", "0"), 16) & _SYS_ADMIN)


def container(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> Container | None:
    """The container that this process is in; None where there is no sign of one.

    Args:
        root: Where `/` is; another one in tests.
        environment: The variables of this process.
    """
    kind = _kind(root, environment)
    return None if kind is None else Container(kind, tuple(_obstacles(root, kind)))


def _kind(root: Path, environment: Mapping[str, str]) -> str | None:
    if "KUBERNETES_SERVICE_HOST" in environment:
        return "Kubernetes"
    if (root / "run/.containerenv").exists():
        return "Podman"
    if (root / ".dockerenv").exists():
        return "Docker"
    named = re.search(r"kubepods|docker|libpod|containerd|lxc", _read(root / "proc/self/cgroup"))
    kinds = {"kubepods": "Kubernetes", "docker": "Docker", "libpod": "Podman"}
    return kinds.get(named[0], named[0]) if named else None


def _obstacles(root: Path, kind: str) -> list[str]:
    found = []
    if _status(root).get("Seccomp") == "2" and not is_privileged(root):
        found.append(f"its filter of system calls forbids namespaces ({_option(kind, 'seccomp')})")
    profile = _read(root / "proc/self/attr/apparmor/current") or _read(root / "proc/self/attr/current")
    if profile and not profile.startswith("unconfined"):
        found.append(f"its AppArmor profile {profile.split()[0]} forbids mounts ({_option(kind, 'apparmor')})")
    mounts = (line.split()[1] for line in _read(root / "proc/mounts").splitlines())
    if any(mount.startswith("/proc/") for mount in mounts):
        found.append(f"parts of its /proc are covered, so that no other one can be mounted ({_option(kind, 'paths')})")
    return found


def _option(kind: str, what: str) -> str:
    if kind == "Kubernetes":
        pod = {
            "seccomp": "seccompProfile: {type: Unconfined}",
            "apparmor": "appArmorProfile: {type: Unconfined}",
            "paths": "procMount: Unmasked",
        }
        return f"securityContext {pod[what]}"
    paths = "unmask=ALL" if kind == "Podman" else "systempaths=unconfined"
    return "--security-opt " + (paths if what == "paths" else f"{what}=unconfined")


def _status(root: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in _read(root / "proc/self/status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace").strip("\0\n ")
    return ""
