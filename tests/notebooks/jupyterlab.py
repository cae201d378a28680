"""A released notebook in JupyterLab in a headless Chromium, played as a student plays it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # all cells stay in the page, also those out of sight
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
RUN = """async index => {
  const panel = window.jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = index;
  await window.jupyterapp.commands.execute("notebook:run-cell");
  return panel.content.widgets[index].model.outputs.toJSON();
}"""
SET = """([index, source]) => {
  window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.setSource(source);
}"""
READY = """() => {
  const panel = window.jupyterapp && window.jupyterapp.shell.currentWidget;
  const kernel = panel && panel.sessionContext && panel.sessionContext.session && panel.sessionContext.session.kernel;
  return Boolean(panel && panel.content && panel.content.widgets.length && kernel && kernel.status === "idle");
}"""
NODE = "index => window.jupyterapp.shell.currentWidget.content.widgets[index].node"


class Played:
    """An open notebook.

    Attributes:
        page: the browser's page, for what a mouse and a keyboard do.
        notebook: the notebook as it was handed out.
    """

    def __init__(self, page: Any, notebook: Any, pictures: Path) -> None:
        self.page = page
        self.notebook = notebook
        self._pictures = pictures
        self._place = {cell.id: number for number, cell in enumerate(notebook.cells)}

    def run(self, cell: str, source: str | None = None) -> list[dict[str, Any]]:
        """Run a cell, with another text if one is given; returns its outputs."""
        if source is not None:
            self.page.evaluate(SET, [self._place[cell], source])
        outputs: list[dict[str, Any]] = self.page.evaluate(RUN, self._place[cell])
        return outputs

    def node(self, cell: str) -> Any:
        """The element of a cell, scrolled into sight."""
        node = self.page.evaluate_handle(NODE, self._place[cell]).as_element()
        node.evaluate("node => node.scrollIntoView({block: 'center'})")
        return node

    def picture(self, cell: str, name: str = "") -> None:
        """Take a picture of a cell, for people to look at."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        self.node(cell).screenshot(path=self._pictures / f"{cell}{name}.png")


def said(outputs: list[dict[str, Any]]) -> str:
    """What outputs show as text: streams, errors, HTML without its tags."""
    parts = []
    for output in outputs:
        data = output.get("data", {})
        parts += ["".join(output.get("text", "")), "\n".join(output.get("traceback", []))]
        parts.append(re.sub(r"<[^>]+>", " ", "".join(data.get("text/html", ""))))
    return re.sub(r"\x1b\[[\d;]*m", "", " ".join(parts))


def failed(outputs: list[dict[str, Any]]) -> bool:
    """Did the cell end with an error?"""
    return any(output["output_type"] == "error" for output in outputs)


@contextmanager
def jupyterlab(root: Path, scratch: Path, program: str = "jupyterlab") -> Iterator[str]:
    """A JupyterLab, or a Jupyter Notebook 7 ("notebook"), with a folder of notebooks; yields where these are opened."""
    for name, settings in SETTINGS.items():
        file = scratch / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", program, "--no-browser", "--allow-root", "--expose-app-in-browser",
        f"--ServerApp.port={port}", f"--ServerApp.root_dir={root}", "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
    ]  # fmt: skip
    folders = {"SETTINGS": "settings", "WORKSPACES": "workspaces"}
    environment = os.environ | {f"JUPYTERLAB_{name}_DIR": str(scratch / place) for name, place in folders.items()}
    environment |= {"JUPYTER_CONFIG_DIR": str(scratch / "config"), "JUPYTER_DATA_DIR": str(scratch / "data")}
    with (scratch / "log.txt").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=root)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5)
                break
            except OSError:
                assert server.poll() is None, (scratch / "log.txt").read_text()
                time.sleep(0.1)
        yield f"{address}/{'doc/tree' if program == 'jupyterlab' else 'notebooks'}"
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium; skips the test where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, address: str, path: str, *, width: int = 1200, dark: bool = False) -> Iterator[Any]:
    """A notebook's page, with its kernel ready."""
    context = browser.new_context(viewport={"width": width, "height": 2400}, color_scheme="dark" if dark else "light")
    page = context.new_page()
    page.set_default_timeout(120_000)
    try:
        page.goto(f"{address}/{path}?reset")
        page.wait_for_function(READY)
        look = "Dark" if dark else "Light"  # stated for both, as the program remembers it
        page.evaluate(f'window.jupyterapp.commands.execute("apputils:change-theme", {{theme: "JupyterLab {look}"}})')
        page.wait_for_selector(f'body[data-jp-theme-light="{str(not dark).lower()}"]', state="attached")
        yield page
        page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    finally:
        context.close()
