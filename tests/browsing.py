"""What tests need that look at pages as people do: a Chromium, and a Jupyter server with the formgrader."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium; the test skips where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
        flags += ["--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@contextlib.contextmanager
def jupyter(folder: Path, program: str, page: str, *options: str) -> Iterator[str]:
    """A Jupyter server of its own in a folder, until a page of it answers; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "ip": "127.0.0.1", "port": port, "open_browser": False, "allow_root": True, "root_dir": str(folder),
        "port_retries": 0,
    }  # fmt: skip
    server = subprocess.Popen(
        [
            sys.executable, "-m", program, *(f"--ServerApp.{name}={value}" for name, value in settings.items()),
            "--IdentityProvider.token=", *options,
        ],
        cwd=folder, env={**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "jupyter")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(1500):  # minutes, where the machine is busy
            assert server.poll() is None, "the server has ended"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/{page}", timeout=5).close()
                break
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:  # it waits for pages that are still open
            server.kill()
            server.wait()


def formgrader(root: Path) -> contextlib.AbstractContextManager[str]:
    """A Jupyter server with the formgrader, like an instructor's."""
    extension = "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"
    return jupyter(root, "jupyter_server", "formgrader", extension)
