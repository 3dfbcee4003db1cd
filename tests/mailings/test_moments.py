"""Times as staff write them, in a zone whose clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox.ground.errors import Refused
from pillarbox.mailings import moments
from pillarbox.mailings.moments import read_moment, resolve, zone_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LONDON = "Europe/London"
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
         "Pacific/Apia", "America/Nuuk", "Asia/Beirut", "Antarctica/Troll", "UTC")


@pytest.mark.parametrize("text", [
    "10 Dec 2026 08:00", "10 December 2026, 8am", "10/12/2026 08:00", "10/12/26 8:00", "2026-12-10 08:00",
    "2026-12-10T08:00", "2026-12-10T08:00:00Z", "2026-12-10T09:00+01:00", "Thu 10 Dec 2026 08:00",
    "Thursday 10th December 2026 at 08:00", "2026/12/10 08:00", "10.12.2026 08:00",
])
def test_a_time_is_read_day_before_month(text: str) -> None:
    """However staff write 8 o'clock on 10 December, it is that; never 12 October."""
    assert read_moment(text, LONDON, now=NOW) == datetime(2026, 12, 10, 8, tzinfo=UTC)


def test_the_zone_is_the_one_that_was_named() -> None:
    """The same words mean another moment in another zone, and in summer."""
    assert read_moment("10 Jun 2027 08:00", LONDON, now=NOW) == datetime(2027, 6, 10, 7, tzinfo=UTC)
    assert read_moment("10 Jun 2027 08:00", "America/New_York", now=NOW) == datetime(2027, 6, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(("text", "words"), [
    ("0001-01-01T00:00+10:00", "cannot be read"), ("9999-12-31T23:59-12:00", "cannot be read"),
    ("", "cannot be read"), ("soon", "cannot be read"), ("31 Feb 2027 08:00", "cannot be read"),
    ("10 Dec 2026 25:00", "cannot be read"), ("2027-02-31T08:00", "cannot be read"), ("\x00", "cannot be read"),
    ("99999999999999999999", "cannot be read"), ("1e9", "cannot be read"), ("x" * 10_000, "cannot be read"),
    ("١٠ Dec 2026 08:00", "cannot be read"),
    ("10 Dec 2026", "leaves something out"), ("08:00", "leaves something out"),
    ("10 Dec 08:00", "leaves something out"), ("Thursday 08:00", "leaves something out"),
    ("Dec 2026 08:00", "leaves something out"), ("12/13/2026 08:00", "no month 13"),
    ("Monday 10 Dec 2026 08:00", "is a Thursday"),
    ("10 Dec 2026 08:00 BST", "zone of its own"), ("10 Dec 2026 08:00 UTC", "zone of its own"),
    ("10 Dec 2026 08:00 +0200", "zone of its own"),
    ("10 Nov 2026 08:00", "lies in the past"), ("22 Nov 2026 12:00", "lies in the past"),
    ("10 Dec 2062 08:00", "two years ahead"), ("9999-12-31T23:59", "two years ahead"),
])
def test_what_cannot_be_meant_is_refused_in_a_sentence(text: str, words: str) -> None:
    """Nonsense, half a time, the American order, another weekday, a zone, the past, a slip in the year."""
    with pytest.raises(Refused, match=words):
        read_moment(text, LONDON, now=NOW)


@pytest.mark.parametrize(("zone", "words"), [
    ("Europe/Londn", "Did you mean Europe/London?"), ("london", "Did you mean Europe/London?"), ("", "look like"),
    ("../../etc/passwd", "no time zone"), ("/etc/localtime", "no time zone"), ("Europe", "no time zone"),
    ("Mars/Olympus", "no time zone"), ("\x00", "no time zone"), ("x" * 5_000, "no time zone"),
])
def test_a_zone_that_does_not_exist_is_refused(zone: str, words: str) -> None:
    """And one that is nearly right is guessed."""
    with pytest.raises(Refused) as caught:
        read_moment("10 Dec 2026 08:00", zone, now=NOW)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_missing_hour_is_the_first_moment_after_it() -> None:
    """On 28 March 2027 London's clocks go from 01:00 to 02:00 at 01:00 UTC."""
    assert read_moment("28 Mar 2027 01:30", LONDON, now=NOW) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert read_moment("28 Mar 2027 01:00", LONDON, now=NOW) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert read_moment("28 Mar 2027 02:00", LONDON, now=NOW) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert read_moment("28 Mar 2027 00:59", LONDON, now=NOW) == datetime(2027, 3, 28, 0, 59, tzinfo=UTC)


def test_a_doubled_hour_is_the_first_of_the_two() -> None:
    """On 31 October 2027 London has 01:30 at 00:30 UTC and again at 01:30 UTC."""
    assert read_moment("31 Oct 2027 01:30", LONDON, now=NOW) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert read_moment("31 Oct 2027 02:00", LONDON, now=NOW) == datetime(2027, 10, 31, 2, tzinfo=UTC)


def test_a_day_that_a_zone_left_out() -> None:
    """Samoa had no 30 December 2011."""
    found = resolve(datetime.fromisoformat("2011-12-30T09:00"), zone_of("Pacific/Apia"))
    assert found == datetime(2011, 12, 30, 10, tzinfo=UTC)


@given(st.datetimes(*map(datetime.fromisoformat, ("1980-01-01", "2040-01-01"))), st.sampled_from(ZONES))
def test_no_earlier_moment_shows_the_time(local: datetime, zone: str) -> None:
    """The resolved moment shows the time, or the first one after it; just before, the clocks showed an earlier one."""
    local = local.replace(microsecond=0, fold=0)
    where = zone_of(zone)
    found = resolve(local, where)
    shown = found.astimezone(where).replace(tzinfo=None)
    assert shown >= local
    assert (shown == local) == moments.exists(local, where)
    assert (found - timedelta(seconds=1)).astimezone(where).replace(tzinfo=None) < local


def test_hours_of_the_day() -> None:
    """Within them now; outside, the next morning; none said: always."""
    night, day = datetime(2026, 11, 22, 20, tzinfo=UTC), datetime(2026, 11, 22, 19, 59, tzinfo=UTC)
    assert moments.within("08:00-20:00", LONDON, day)
    assert not moments.within("08:00-20:00", LONDON, night)
    assert moments.within("", LONDON, night)
    assert moments.within("00:00-24:00", LONDON, night)
    assert moments.opening("08:00-20:00", LONDON, day) == day
    assert moments.opening("08:00-20:00", LONDON, night) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    before = datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert moments.opening("08:00-20:00", LONDON, before) == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_hours_that_a_clock_change_swallows() -> None:
    """Hours that lie in the missing hour open the day after."""
    asked = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert moments.opening("01:15-01:45", LONDON, asked) == datetime(2027, 3, 29, 0, 15, tzinfo=UTC)


def test_a_moment_in_words() -> None:
    """As staff say it, on the zone's clocks."""
    assert moments.in_words(datetime(2027, 6, 10, 7, tzinfo=UTC), LONDON) == "Thursday 10 June 2027 at 08:00"
