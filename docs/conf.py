"""How the site is built: `make docs`. Pages are the Markdown files here; `commands/` is written from the commands."""

from __future__ import annotations

from pathlib import Path

from grading_utils.cli import COMMANDS

project = "slm-course"
project_copyright = "2026, the authors of slm-course"
extensions = ["myst_parser", "sphinx_click", "sphinx_copybutton"]
exclude_patterns = ["site"]
nitpicky = True
smartquotes = False  # an option begins with two hyphens
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a level may be left out

html_theme = "furo"
html_title = "Small language models: a course pack that grades itself"
html_copy_source = False
html_show_sphinx = False

COMMANDS_FOLDER = Path(__file__).parent / "commands"
INDEX = """{title}
{line}

One page per command, written from the commands themselves. `grading-utils COMMAND --help` says the same.

.. list-table::

{rows}

.. toctree::
   :hidden:

   {names}
"""
PAGE = """.. click:: grading_utils.cli.{module}:command
   :prog: grading-utils {name}
   :nested: full
"""


def _write(name: str, content: str) -> None:
    path = COMMANDS_FOLDER / f"{name}.rst"
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")


def write_command_pages() -> None:
    """One page per command, and one that lists them."""
    COMMANDS_FOLDER.mkdir(exist_ok=True)
    for stale in {path.stem for path in COMMANDS_FOLDER.glob("*.rst")} - {"index", *COMMANDS}:
        (COMMANDS_FOLDER / f"{stale}.rst").unlink()
    for name in COMMANDS:
        _write(name, PAGE.format(name=name, module=name.replace("-", "_")))
    rows = "\n".join(f"   * - :doc:`{name}`\n     - {what}" for name, what in COMMANDS.items())
    title = "Every command"
    _write("index", INDEX.format(title=title, line="=" * len(title), rows=rows, names="\n   ".join(COMMANDS)))


write_command_pages()
