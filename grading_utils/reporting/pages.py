"""The one Jinja environment for all pages: autoescaping, strict about names, and the formats that pages share."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from pygments.formatters import HtmlFormatter

from grading_utils.results import points

_TEMPLATES = Path(__file__).parent / "templates"
_TICKS = re.compile(r"`([^`\n]+)`")


def render(template: str, **values: object) -> str:
    """Fill a template of `templates/`; every value is escaped unless it is `Markup`."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": points, "percent": percent, "duration": duration, "ticks": ticks}
    environment.globals["code_colors"] = _code_colors
    return environment


def ticks(message: str) -> Markup:
    """A message, escaped, with what it puts between backticks set as code."""
    return Markup(_TICKS.sub(r"<code>\1</code>", str(escape(message))))


def percent(share: float) -> str:
    """A share between 0 and 1 as a whole percentage; only what is complete reads 100%, only nothing 0%."""
    value = round(100 * share)
    if value == 100 and share < 1:
        value = 99
    if value == 0 and share > 0:
        value = 1
    return f"{value}%"


def duration(seconds: float) -> str:
    """A time span that a person can read at a glance: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min, 3 days 4 h."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} days {whole % 86400 // 3600} h"


@cache
def _code_colors(style: str) -> str:
    """The CSS rules of a Pygments style for the tokens of a cell's source and of code in prose."""
    lines = HtmlFormatter(style=style).get_style_defs([".fb-source", ".fb-markdown"]).splitlines()
    return "\n".join(line for line in lines if "{" in line and "background" not in line and "linenos" not in line)
