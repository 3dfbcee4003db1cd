"""Rules: what they give, each exactly once, and which of them are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillarbox.ground.errors import Refused
from pillarbox.mailings import moments, recurrence

LONDON = "Europe/London"
START = date(2026, 11, 1)
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
         "America/Nuuk", "Asia/Beirut", "Antarctica/Troll", "America/Santiago", "Pacific/Auckland", "UTC")
RULES = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU", "FREQ=MONTHLY;BYDAY=1TH", "FREQ=MONTHLY;BYDAY=-1SU",
         "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU",
         "FREQ=YEARLY;BYEASTER=0", "FREQ=DAILY;COUNT=40", "FREQ=DAILY;UNTIL=20270401", "FREQ=YEARLY;BYDAY=53FR",
         "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1")


def at(rule: str, *, clock: str = "08:00", zone: str = LONDON, starts: date = START) -> recurrence.Recurrence:
    """The rule, read."""
    return recurrence.read(rule, at=clock, zone=zone, starts_on=starts)


def test_the_first_thursday_of_each_month() -> None:
    """At 8 on London's clocks: 08:00 UTC in winter, 07:00 in summer."""
    found = at("FREQ=MONTHLY;BYDAY=1TH").next(datetime(2027, 2, 20, tzinfo=UTC), 3)
    assert [occasion.due for occasion in found] == [
        datetime(2027, 3, 4, 8, tzinfo=UTC), datetime(2027, 4, 1, 7, tzinfo=UTC), datetime(2027, 5, 6, 7, tzinfo=UTC)]


@given(st.sampled_from(RULES), st.sampled_from(ZONES), st.integers(0, 24 * 4 - 1),
       st.lists(st.integers(1, 60 * 24 * 20), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_looking_at_any_moments_finds_each_local_time_exactly_once(rule: str, zone: str, quarter: int,
                                                                   gaps: list[int]) -> None:
    """However often and irregularly a worker looks, every local time of the rule comes once, and none is left out."""
    repeats = at(rule, clock=f"{quarter // 4:02}:{quarter % 4 * 15:02}", zone=zone)
    first = now = datetime(2026, 10, 20, tzinfo=UTC)
    found = []
    for gap in gaps:
        before, now = now, now + timedelta(minutes=gap)
        found += repeats.between(before, now)
    where = moments.zone_of(zone)
    local = (first.astimezone(where).replace(tzinfo=None), now.astimezone(where).replace(tzinfo=None))
    wanted = [each for each in repeats._rule().between(local[0] - timedelta(days=2), local[1] + timedelta(days=2))
              if first < moments.resolve(each, where) <= now]
    assert [occasion.local for occasion in found] == wanted
    assert len({occasion.due for occasion in found}) == len(found)
    assert found == sorted(found, key=lambda occasion: occasion.due)


@pytest.mark.parametrize("clock", ["01:00", "01:30"])
def test_a_year_with_both_clock_changes_has_each_day_once(clock: str) -> None:
    """The missing and the doubled hour each come exactly once."""
    year = list(at("FREQ=DAILY", clock=clock, starts=date(2027, 1, 1)).between(
        datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)))
    assert len(year) == 365
    assert len({occasion.due for occasion in year}) == 365
    due = {occasion.local.date(): occasion.due for occasion in year}
    assert due[date(2027, 3, 28)] == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert due[date(2027, 10, 31)] == datetime(2027, 10, 31, 0, int(clock[3:]), tzinfo=UTC)


@pytest.mark.parametrize(("rule", "words"), [
    ("", "not a rule"), ("every thursday", "not a rule"), ("BYDAY=MO", "not a rule"), ("FREQ=", "not a rule"),
    ("FREQ=FORTNIGHTLY", "not a rule"), ("FREQ=DAILY;;", "not a rule"), ("x" * 9_000, "not a rule"),
    ("DTSTART:20260101T080000\nRRULE:FREQ=DAILY", "not a rule"),
    ("FREQ=SECONDLY", "again and again"), ("FREQ=MINUTELY", "again and again"), ("FREQ=HOURLY", "again and again"),
    ("FREQ=DAILY;FREQ=WEEKLY", "twice"), ("FREQ=DAILY;X=1", "no part called X"),
    ("FREQ=DAILY;DTSTART=20260101", "no part called DTSTART"),
    ("FREQ=DAILY;COUNT=3;UNTIL=20271231", "both COUNT and UNTIL"),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is not possible"), ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1"),
    ("FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL"), ("FREQ=DAILY;COUNT=0", "COUNT=0"),
    ("FREQ=DAILY;COUNT=1,2", "COUNT=1,2"),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0"), ("FREQ=MONTHLY;BYMONTHDAY=40", "BYMONTHDAY=40"),
    ("FREQ=MONTHLY;BYMONTH=13", "BYMONTH=13"), ("FREQ=DAILY;BYMONTH=May", "BYMONTH=MAY"),
    ("FREQ=DAILY;BYHOUR=25", "BYHOUR=25"), ("FREQ=MONTHLY;BYDAY=9TH", "at most 5"), ("FREQ=DAILY;BYDAY=XX", "no day"),
    ("FREQ=MONTHLY;BYDAY=0TH", "at most 5"), ("FREQ=WEEKLY;BYDAY=1TH", "counts the days"),
    ("FREQ=WEEKLY;BYMONTHDAY=3", "does not go with"), ("FREQ=MONTHLY;BYWEEKNO=3", "does not go with"),
    ("FREQ=DAILY;BYHOUR=9", "--at says 08:00"), ("FREQ=DAILY;BYHOUR=8,20", "--at says 08:00"),
    ("FREQ=DAILY;BYMINUTE=30", "--at says 08:00"), ("FREQ=DAILY;BYSECOND=1", "--at says 08:00"),
    ("FREQ=DAILY;UNTIL=tomorrow", "no day"), ("FREQ=DAILY;UNTIL=20270231", "no day"),
    ("FREQ=DAILY;UNTIL=20260101", "never falls due"), ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never falls due"),
    ("FREQ=MONTHLY;BYDAY=TH;BYSETPOS=9", "never falls due"), ("FREQ=DAILY;WKST=XX", "no day of the week"),
])
def test_an_impossible_rule_is_refused_in_a_sentence(rule: str, words: str) -> None:
    """Unreadable, too often, contradicting --at, or never falling due."""
    with pytest.raises(Refused) as caught:
        at(rule)
    assert words in str(caught.value)


@pytest.mark.parametrize("clock", ["", "8", "24:00", "08:60", "8am", "noon"])
def test_a_time_of_day_is_hours_and_minutes(clock: str) -> None:
    """Anything else is refused."""
    with pytest.raises(Refused, match="no time of day"):
        at("FREQ=DAILY", clock=clock)


def test_a_rule_may_repeat_its_time_of_day() -> None:
    """BYHOUR=8 beside --at 08:00 says the same twice; lower case and the RRULE: before it are read too."""
    assert at("rrule:freq=daily;byhour=8;byminute=0;").rule == "FREQ=DAILY"


def test_until_includes_its_day() -> None:
    """UNTIL=20270102 sends on 2 January; a time in UTC is turned into the zone's own."""
    moment = datetime(2026, 12, 30, tzinfo=UTC)
    assert [o.local.day for o in at("FREQ=DAILY;UNTIL=20270102").next(moment, 9)] == [30, 31, 1, 2]
    assert len(at("FREQ=DAILY;UNTIL=20270102T075959Z").next(moment, 9)) == 3
    assert len(at("FREQ=DAILY;UNTIL=20270102T080000Z").next(moment, 9)) == 4


def test_a_folder_for_each_day() -> None:
    """The pattern's year, month and day; what is no folder's name is refused."""
    day = date(2026, 12, 3)
    assert recurrence.folder("newsletter-{yyyy}-{mm}", day) == "newsletter-2026-12"
    assert recurrence.folder("news-{yyyy}{mm}{dd}", day) == "news-20261203"
    assert recurrence.folder("news", day) == "news"
    for pattern in ("", "{yyyy", "News", "../{mm}", "news-{year}", "news-{}", "news {mm}", "x" * 200):
        with pytest.raises(Refused):
            recurrence.folder(pattern, day)
    assert recurrence.fits("newsletter-{yyyy}-{mm}", "newsletter-2026-11")
    assert not recurrence.fits("newsletter-{yyyy}-{mm}", "newsletter-2026")
    assert not recurrence.fits("news", "newsletter")
