"""Dates as an LMS writes them for the teacher who exports: ISO, English, or with the month in another language.

Names of months are Babel's. A date that can't be read is nobody's guess: there is none then, and the caller says so.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import get_month_names
from dateutil import parser as dates

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "ca", "sv", "da", "nb", "fi", "pl", "cs", "uk", "ru", "tr")
_WRITTEN = re.compile(
    r"(?P<day>\d{1,2})\.?\s+(?:de\s+|d['’])?(?P<month>[^\W\d_]+)\.?\s+(?:de\s+|del\s+)?(?P<year>\d{4})"
    r"\D+(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?:\s*(?P<half>[ap])\.?\s?m)?",
    re.IGNORECASE,
)
_BY_DAY = re.compile(r"\s*\d{1,2}\.\d{1,2}\.\d{4}\b")


def read_utc(text: str, timezone: str) -> datetime | None:
    """A date as an LMS writes it, in UTC; None where it is empty or can't be read.

    Args:
        text: For example `Montag, 1. Dezember 2025, 22:15` or `2025-12-01 20:00:00 Z`.
        timezone: The zone of dates without one, as in `Europe/Berlin`.
    """
    if not text:
        return None
    try:
        when: datetime = dates.parse(text, dayfirst=bool(_BY_DAY.match(text)))
    except (ValueError, OverflowError):
        written = _in_words(text)
        if written is None:
            return None
        when = written
    local = when if when.tzinfo is not None else when.replace(tzinfo=ZoneInfo(timezone))
    return local.astimezone(UTC)


def _in_words(text: str) -> datetime | None:
    match = _WRITTEN.search(text)
    month = _months().get(match["month"].casefold()) if match else None
    if match is None or month is None:
        return None
    hour = int(match["hour"]) % 12 + 12 * (match["half"].lower() == "p") if match["half"] else int(match["hour"])
    try:
        return datetime(int(match["year"]), month, int(match["day"]), hour, int(match["minute"]))
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    """Months by name; a name that means two months in two languages is left out."""
    meant: dict[str, set[int]] = {}
    for language in LANGUAGES:
        for form in ("format", "stand-alone"):
            for number, name in get_month_names("wide", form, language).items():
                meant.setdefault(str(name).casefold(), set()).add(number)
    return {name: numbers.pop() for name, numbers in meant.items() if len(numbers) == 1}
