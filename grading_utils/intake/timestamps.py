"""When a submission was handed in: the moment that `timestamp.txt` names, in UTC.

nbgrader's own reader takes names of time zones that the machine doesn't know (`PST`, `EDT`, `CEST`) for UTC, an
offset such as `+0200` for seconds, reads `CET` as summer time in summer, and fills a date that is not whole from
today's. Here a name means one offset, and what has several meanings in the world is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from dateutil import parser

_HOURS = {
    # RFC 5322, section 4.3: names that dates of e-mails may have.
    "UT": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    # The tz database's own names, where they have a single meaning there.
    "UTC": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "AKST": -9, "AKDT": -8, "HST": -10, "CAT": 2, "EAT": 3, "SAST": 2, "WAT": 1, "PKT": 5, "WIB": 7, "HKT": 8,
    "AWST": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_NAME_BEFORE_OFFSET = re.compile(r"(?<=[\d ])[A-Za-z]{1,5}(?=[+-]\d{1,2}(:?\d\d)?$)")
"""In `UTC+2` and `CEST+0200` the number says it."""

_DAY_AND_MONTH = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-]\d{4}")
_DEFAULTS = (datetime(2000, 1, 1), datetime(2001, 2, 2))


class UnclearTimeError(ValueError):
    """A text that names no moment; the message goes on after "the file"."""


def read_timestamp(text: str) -> datetime | None:
    """The moment that a text names.

    Args:
        text: A date and a time; without a time zone it is UTC, as in nbgrader.

    Returns:
        UTC without `tzinfo`, as the gradebook wants it; None for an empty text.

    Raises:
        UnclearTimeError: It is no date, or names a time zone that is unknown or has several meanings.
    """
    text = _NAME_BEFORE_OFFSET.sub("", text.strip())
    if not text:
        return None
    date, _, place = text.rpartition(" ")
    area = _area(place)
    try:
        moment = _whole_date(date if area else text.upper())
        if area:
            moment = moment.replace(tzinfo=area)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except UnclearTimeError:
        raise
    except (ValueError, OverflowError) as error:
        raise UnclearTimeError("holds no date") from error


def _whole_date(text: str) -> datetime:
    """The date and time of a text; what it doesn't say would be taken from the default, so there are two of these."""
    if (dates := _DAY_AND_MONTH.match(text)) and dates[1] != dates[2] and max(int(dates[1]), int(dates[2])) <= 12:
        raise UnclearTimeError(f"says {dates[0]}, and which of these is the month can't be told")
    moment, other = (parser.parse(text, tzinfos=_zone, default=default) for default in _DEFAULTS)
    if moment != other:
        raise UnclearTimeError("holds no whole date")
    return moment


def _area(name: str) -> tzinfo | None:
    """The time zone of a place, such as `Europe/Berlin`."""
    if not name[:1].isalpha() or name.upper() in _HOURS:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    """What `dateutil` asks for a name or an offset in seconds."""
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name not in _HOURS:
        raise UnclearTimeError(f"names the time zone {name}, which is unknown or has several meanings")
    return timezone(timedelta(hours=_HOURS[name]))
