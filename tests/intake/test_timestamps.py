"""The moment that a text names, whatever way of writing it a platform has."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbgrader.utils import parse_utc

from grading_utils.intake.timestamps import UnclearTimeError, read_timestamp

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast the machine is says nothing here."""

MOMENTS = {
    "2026-07-20 22:00:00": "2026-07-20 22:00:00",
    "2026-07-20 22:00:00 UTC": "2026-07-20 22:00:00",
    "2026-07-20 22:00:00.250000 UTC": "2026-07-20 22:00:00.250000",
    "2026-07-20 22:00:00 EST": "2026-07-21 03:00:00",
    "2026-07-20 22:00:00 EDT": "2026-07-21 02:00:00",
    "2026-07-20 22:00:00 PST": "2026-07-21 06:00:00",
    "2026-07-20 22:00:00 PDT": "2026-07-21 05:00:00",
    "2026-07-20 22:00:00 pdt": "2026-07-21 05:00:00",
    "2026-07-20 22:00:00 CET": "2026-07-20 21:00:00",
    "2026-07-20 22:00:00 CEST": "2026-07-20 20:00:00",
    "2026-07-20 22:00:00 CEST+0200": "2026-07-20 20:00:00",
    "2026-07-20 22:00:00 Europe/Berlin": "2026-07-20 20:00:00",
    "2026-01-20 22:00:00 Europe/Berlin": "2026-01-20 21:00:00",
    "2026-07-20 22:00:00 AEST": "2026-07-20 12:00:00",
    "2026-07-20 22:00:00 +0200": "2026-07-20 20:00:00",
    "2026-07-20 22:00:00 +02:00": "2026-07-20 20:00:00",
    "2026-07-20 22:00:00 UTC+2": "2026-07-20 20:00:00",
    "2026-07-20T22:00:00-03:00": "2026-07-21 01:00:00",
    "2026-07-20T22:00:00Z": "2026-07-20 22:00:00",
    "Mon, 20 Jul 2026 22:00:00 -0700 (PDT)": "2026-07-21 05:00:00",
    "Mon Jul 20 22:00:00 PST 2026": "2026-07-21 06:00:00",
    "2026-07-20 22:00:00 GMT-3": "2026-07-21 01:00:00",
    "2026-07-20 22:00:00 Etc/GMT+2": "2026-07-21 00:00:00",
    "2026-07-20 22:00:00 US/Pacific": "2026-07-21 05:00:00",
    "2026-07-20 22:00:00+0530": "2026-07-20 16:30:00",
    "2026-07-20T22:00:00.000Z": "2026-07-20 22:00:00",
    "07/20/2026 10:00 PM PDT": "2026-07-21 05:00:00",
    "20.07.2026 22:00": "2026-07-20 22:00:00",
    "12/12/2026 22:00": "2026-12-12 22:00:00",
    "20-Jul-2026 10:00 pm": "2026-07-20 22:00:00",
}


@pytest.mark.parametrize("text", MOMENTS)
def test_a_date_with_a_time_zone_is_that_moment(text: str) -> None:
    assert str(read_timestamp(f"{text}\n")) == MOMENTS[text]


@pytest.mark.parametrize("zone", ["IST", "BST", "ACST", "ET", "XYZ", "foo"])
def test_a_time_zone_with_several_meanings_or_none_is_for_a_person(zone: str) -> None:
    with pytest.raises(UnclearTimeError, match=f"names the time zone {zone.upper()}, which is unknown or has several"):
        read_timestamp(f"2026-07-20 22:00:00 {zone}")


@pytest.mark.parametrize(
    "text", ["yesterday", "9" * 400, "0001-01-01 00:00 +1400", "2026-07-20 22:00:00 Europe/../../etc/passwd", "12:99"]
)
def test_what_is_no_date_is_for_a_person(text: str) -> None:
    with pytest.raises(UnclearTimeError, match="holds no date"):
        read_timestamp(text)


@pytest.mark.parametrize("text", ["22:00", "2026", "July 2026", "Monday 22:00 UTC"])
def test_a_date_that_is_not_whole_is_not_filled_from_todays(text: str) -> None:
    with pytest.raises(UnclearTimeError, match="holds no whole date"):
        read_timestamp(text)


@pytest.mark.parametrize("text", ["03/04/2026 10:00", "3.4.2026 10:00 CEST", "03-04-2026"])
def test_a_day_that_could_be_the_month_is_for_a_person(text: str) -> None:
    with pytest.raises(UnclearTimeError, match="which of these is the month can't be told"):
        read_timestamp(text)


def test_an_empty_file_says_nothing() -> None:
    assert read_timestamp(" \n") is None


@unhurried
@given(st.datetimes())
def test_what_nbgrader_writes_is_read_as_nbgrader_reads_it(moment: object) -> None:
    assert read_timestamp(f"{moment} UTC") == parse_utc(f"{moment} UTC")


@unhurried
@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_unclear(text: str) -> None:
    with contextlib.suppress(UnclearTimeError):
        read_timestamp(text)
