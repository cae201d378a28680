"""HTML that somebody else wrote, with only what can't run, load or submit anything left: one policy for all of it.

Outputs of a student's cells go through it before they are stored, written answers before they are shown. The parsing
and the rebuilding are nh3's. It makes a fragment, not a page: what the page around it allows is that page's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import nh3

MAX_IMAGE = 6_000_000
MAX_TAGS = 20_000
"""Elements that are no cells or rows of a table; what elements within elements cost grows with their square."""

# fmt: off
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del", "details",
    "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins",
    "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
}
_EVERYWHERE = {
    "title", "colspan", "rowspan", "scope", "align", "valign", "width", "height", "border", "span", "start", "dir",
    "lang", "style", "class", "id",
}
_STYLES = {
    "background", "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-right",
    "border-spacing", "border-style", "border-top", "border-width", "caption-side", "color", "display", "font-family",
    "font-size", "font-style", "font-variant", "font-weight", "height", "letter-spacing", "line-height",
    "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "min-width", "opacity", "padding",
    "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "text-indent",
    "text-transform", "vertical-align", "white-space", "width",
}
# fmt: on
DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_TAG = re.compile(r"<(?!(?:td|th|tr)[\s>])[a-z]", re.IGNORECASE)
_DRAWING = re.compile(r"<(svg|math|template)", re.IGNORECASE)  # in which a cell of a table is like any other element
_TOO_MANY = "<p>[HTML of too many elements, which is not shown]</p>"
_OWN_PREFIX = "fb-"  # classes of our pages, which nobody else's markup may wear
_STYLER_SELECTOR = re.compile(r"#T_[\w-]+(\s+[a-z][a-z0-9]*)?(\.[\w-]+)*(:hover)?")
_LOADS = re.compile(r"[\\@<>&]|\b(url|image|image-set|src|expression|element|cross-fade)\s*\(", re.IGNORECASE)
_CSS_VALUE = re.compile(r"[\w\s#%.,()'\"!/+-]+")


def _attribute(tag: str, name: str, value: str) -> str | None:
    """The value that an attribute may have; None where it may not be there."""
    if name == "class":
        return " ".join(word for word in value.split() if not word.startswith(_OWN_PREFIX)) or None
    if name == "id":
        return value if re.fullmatch(r"T_[\w-]+", value) else None
    if name == "style":
        return None if _LOADS.search(value) else value
    if tag == "img" and name == "src":
        return value if len(value) <= MAX_IMAGE and DATA_IMAGE.fullmatch(value) else None
    if tag == "a" and name == "href" and not re.match(r"(https?://|mailto:)", value.strip(), re.IGNORECASE):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style"},
    attributes={"*": _EVERYWHERE, "img": {"src", "alt"}, "a": {"href"}},
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto", "data"},
    filter_style_properties=_STYLES,
)


def harmless(source: str) -> str:
    """Somebody else's HTML with only harmless tags, attributes and CSS left.

    The colors of a pandas `Styler` survive: the rules of its style element are rebuilt from known selectors and
    declarations. Of too many elements nothing is left but a note.
    """
    if source.count("<") > MAX_TAGS:
        tag = re.compile("<") if _DRAWING.search(source) else _TAG
        if sum(1 for _ in tag.finditer(source)) > MAX_TAGS:
            return _TOO_MANY
    rules = [rule for block in _style_blocks(source) for rule in _styler_rules(block)]
    style = f"<style>{' '.join(rules)}</style>" if rules else ""
    return style + _CLEANER.clean(source)


def _style_blocks(source: str) -> Iterator[str]:
    """What stands in style elements; found in one pass, however the text tries to make that long."""
    lowered, end = source.lower(), 0
    while (start := lowered.find("<style", end)) >= 0:
        begin = lowered.find(">", start)
        end = lowered.find("</style", begin)
        if begin < 0 or end < 0:
            return
        yield source[begin + 1 : end]


def _styler_rules(block: str) -> list[str]:
    """The rules of a style element that a pandas Styler writes, each declaration cleaned."""
    rules = []
    for rule in block.split("}"):
        selectors, _, declarations = rule.partition("{")
        names = [name.strip() for name in selectors.split(",")]
        kept = [name for name in names if _STYLER_SELECTOR.fullmatch(name)]
        cleaned = _declarations(declarations) if kept else ""
        if cleaned:
            rules.append(f"{', '.join(kept)} {{ {cleaned} }}")
    return rules


def _declarations(text: str) -> str:
    """CSS declarations, cleaned as those of a `style` attribute are."""
    kept = []
    for declaration in text.split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), " ".join(value.split())
        if colon and name in _STYLES and _CSS_VALUE.fullmatch(value) and not _LOADS.search(value):
            kept.append(f"{name}: {value}")
    return "; ".join(kept)
