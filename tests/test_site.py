"""The site: built strictly, without anything from elsewhere, with one page for each command, behind four doors."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import pytest

from grading_utils.cli import COMMANDS, main

from .conftest import ROOT

DOORS = ("Teach with it", "Grade with it", "Learn with it", "Extend it")
LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}


class _Loads(HTMLParser):
    """What a browser loads when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and LOADED.get(tag) == name]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "docs", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def text_of(page: Path) -> str:
    return plain(html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))))


def plain(text: str) -> str:
    """Without Markdown's marks and line breaks."""
    return re.sub(r"\s+", " ", text.replace("`", ""))


def test_every_page_is_behind_one_of_four_doors(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<p class="caption"[^>]*><span class="caption-text">([^<]+)', index) == list(DOORS)
    tree = index[index.index("sidebar-tree") : index.index("</aside>")]
    linked = set(re.findall(r'href="([\w-]+)\.html"', tree))
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"} <= linked


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_for_each_command_says_what_help_says(name: str, site: Path) -> None:
    text = text_of(site / "commands" / f"{name}.html")
    command = main.get_command(click.Context(main), name)
    assert command is not None
    group = isinstance(command, click.Group)
    for one in (command, *(command.commands.values() if group else ())):  # type: ignore[union-attr]
        assert one.help is not None
        assert plain(one.help.split("\n")[0]) in text
        for option in (parameter for parameter in one.params if isinstance(parameter, click.Option)):
            assert option.opts[0] in text
            assert option.help is not None
            assert plain(option.help) in text


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    outside: dict[str, Any] = {}
    for page in site.rglob("*.html"):
        parser = _Loads()
        parser.feed(page.read_text(encoding="utf-8"))
        outside[page.name] = [url for url in parser.found if re.match(r"(https?:)?//", url)]
    for sheet in site.rglob("*.css"):
        outside[sheet.name] = re.findall(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^)\"']+)", sheet.read_text())
    assert {name: urls for name, urls in outside.items() if urls} == {}
