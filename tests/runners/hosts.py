"""Machines of our own: network namespaces on one switch, each with file system, processes and `/tmp` of its own.

A host shares with this machine what is installed, and nothing else: `/tmp` is empty on it but for the files that it
is given. Needs root and iproute2. `kill` is what a power cut does, `cut` what happens to a cable.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

_UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c")
_OWN_FILES = 'mount -t tmpfs tmpfs /mnt && cp -R "$0" /mnt/given && mount -t tmpfs tmpfs /tmp && cd /tmp && exec "$@"'


def missing() -> str:
    """Why there can be no hosts here; "" where there can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if shutil.which("ip") is None:
        return "there is no `ip` of iproute2"
    name = f"probe-{os.getpid()}"
    with contextlib.suppress(subprocess.CalledProcessError):
        _ip("netns", "add", name)
        _ip("netns", "del", name)
        return ""
    return "this machine refuses network namespaces"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Network:
    """A switch, and the hosts on it: `10.77.0.1`, `10.77.0.2` and so on."""

    def __init__(self, given: Path, names: Sequence[str]) -> None:
        """Plug in hosts that all have a copy of the folder `given` as `/mnt/given`."""
        self._given = given
        self._names = {name: f"h{os.getpid()}-{name}" for name in names}
        self._switch = f"h{os.getpid()}-switch"
        self.addresses = {name: f"10.77.0.{number}" for number, name in enumerate(names, start=1)}
        self._running: dict[str, list[subprocess.Popen[bytes]]] = {name: [] for name in names}

    def __enter__(self) -> Network:
        _ip("netns", "add", self._switch)
        _ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "bridge", "up")
        for number, (name, space) in enumerate(self._names.items()):
            _ip("netns", "add", space)
            _ip("-n", space, "link", "add", "cable", "type", "veth", "peer", f"port{number}", "netns", self._switch)
            _ip("-n", self._switch, "link", "set", f"port{number}", "master", "bridge", "up")
            _ip("-n", space, "addr", "add", f"{self.addresses[name]}/24", "dev", "cable")
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "link", "set", "cable", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            self.kill(name)
        for space in (*self._names.values(), self._switch):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", space)

    def start(self, host: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a program there that sees none of our files but what is installed."""
        own = ["ip", "netns", "exec", self._names[host], *_UNSHARE, _OWN_FILES, str(self._given), *command]
        with self._given.with_name(f"{host}.log").open("ab") as log:
            process = subprocess.Popen(own, env={**os.environ, **environment}, stdout=log, stderr=log)
        self._running[host].append(process)
        return process

    def run(self, host: str, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a program there that sees all of our files, as the machine that has the course."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self._names[host], *command],
            env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def kill(self, host: str) -> None:
        """End all processes of a host at once; the network stays as it is."""
        for process in self._running[host]:
            process.kill()  # the kernel ends its PID namespace with it
            process.wait()
        self._running[host].clear()

    @contextlib.contextmanager
    def cut(self, host: str) -> Iterator[None]:
        """Pull a host's cable for a while."""
        _ip("-n", self._names[host], "link", "set", "cable", "down")
        try:
            yield
        finally:
            _ip("-n", self._names[host], "link", "set", "cable", "up")
