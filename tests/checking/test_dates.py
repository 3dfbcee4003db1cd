"""Days and years are compared with the day that the letter is for, as supporters will read them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pillarbox.checking import dates
from pillarbox.checking.examine import examine
from pillarbox.model.records import Finding, Level
from tests.checking.wording import DAY, matter


def found(folder: Path, letter: str, day: datetime.date = DAY, **more: str) -> list[Finding]:
    return list(dates.look(matter(folder, letter, day=day, **more)))


@pytest.mark.parametrize(("text", "code", "words"), [
    ("Today, 12th December, is the day.", "other-day", "--for 2026-12-12"),
    ("It is tomorrow, 10 December.", "other-day", "--for 2026-12-09"),
    ("Today, 10th December 2024, is the day.", "other-day", "Thursday 10 December 2026"),
    ("Tonight (December 9) we march. Tonight, December 9, we sing.", "other-day", "--for 2026-12-09"),
    ("Today, Friday, we march.", "other-day", "Thursday 10 December 2026"),
    ("We go tomorrow (Saturday).", "other-day", "Thursday 10 December 2026"),
    ("We meet next month, January 2025.", "stale-year", "2026"),
    ("Meet us on Friday 18th of December 2027.", "weekday", "Saturday"),
    ("We meet on Sunday, 5 January.", "weekday", "5 January 2027 is a Tuesday. One of"),
    ("We meet on Monday, 5 January.", "weekday", "5 January 2027 is a Tuesday. Is it last year’s text?"),
    ("We met on Monday, December 14th, 2026, and Tuesday December 14.", "weekday", "is a Monday"),
    ("We close on 31 November.", "no-such-day", "30 days"),
    ("We closed on 29 February 2026.", "no-such-day", "28 days"),
    ("Next year’s games, in 2025, were cold. The next summer 2025 games are ours.", "stale-year", "2025"),
    ("This Christmas 2025 we need you.", "stale-year", "2026"),
    ("Join us on 3 March 2026 at the harbour.", "past-day", "3 March 2026"),
    ("Please reply by 1 December.", "past-day", "1 December"),
    ("It is the 76th anniversary of the Declaration of Human Rights in 1948.", "anniversary", "78th"),
])
def test_a_day_that_does_not_hold_is_told(tmp_path: Path, text: str, code: str, words: str) -> None:
    """One warning each, at its line, with what it should be; the letter is for Thursday 10 December 2026."""
    findings = found(tmp_path, f"Dear friend\n\n{text}\n")
    assert [(each.code, each.level, each.line) for each in findings] == [(code, Level.WARNING, 3)]
    assert words in findings[0].message


@pytest.mark.parametrize("text", [
    "Today, Thursday, we march, and tomorrow (Friday) we rest.", "We meet next month, January 2027.",
    "The 80th anniversary of VE Day was in May 2025.",
    "Today, 10th December, is the day. Today, Thursday 10 December 2026, it is. Tomorrow, 11 December, we rest.",
    "“Today, 10 December 1948, we have done it,” said he.",
    "Thursday 10 December, Friday, 11th of December 2026, Monday 4 January",
    "In 1938, on Wednesday 9 November, it began.",
    "31 December, 29 February 2028, 30 April",
    "Next year, in 2027, we go on. This year, 2026, was ours. In May 2019 we met.",
    "We met on 3 March 2024. In December, the Chief Rabbi announced; on 12 January he came.",
    "Join us on 3 March 2027, or reply by 15 December.",
    "It is the 78th anniversary of the Declaration of 1948; the 79th anniversary of what began in 1948 follows.",
    "Join us on [[Friday 1 June]].", "You may come, 10 of you. May 2019 was good. March on!",
    "{{ mailing.date | long_date }} is today, {{ mailing.date | long_date }}.",
    "{% if mailing.date.day == 12 %}Today, 12th December, it is.{% else %}The 12th of December is near.{% endif %}",
])
def test_days_that_hold_are_left_in_peace(tmp_path: Path, text: str) -> None:
    """Right weekdays, history, days to come, what is printed from the mailing's date, the branch not taken."""
    assert found(tmp_path, f"{text}\n") == []


def test_a_comma_in_a_date_is_advice(tmp_path: Path) -> None:
    """“3 Feb, 2027”; without it, and in the American order, nothing is said."""
    [finding] = found(tmp_path, "Come on 3 Feb, 2027\n")
    assert (finding.code, finding.level) == ("date-comma", Level.ADVICE)
    assert not found(tmp_path, "Come on 3 Feb 2027, or March 4, 2027, or on 5 May, 2 of you\n")


def test_the_day_that_is_asked_for_decides(tmp_path: Path) -> None:
    """“Today, 10th December” is right on 10 December and wrong two days later."""
    letter = "Today, 10th December, is International Human Rights Day.\n"
    assert not found(tmp_path, letter)
    [finding] = found(tmp_path, letter, DAY + datetime.timedelta(days=2))
    assert finding.code == "other-day"


def test_a_letters_own_date_is_what_it_speaks_from(tmp_path: Path) -> None:
    """With ``date`` in appeal.toml weekdays and years are measured from there; “next year” in an old one is advice."""
    letter = "We meet on Monday 1 March, for next year’s games in 2022.\n"
    assert not found(tmp_path, letter, datetime.date(2021, 2, 3), settings="date = 2021-02-03\n")
    [finding] = found(tmp_path, letter, settings="date = 2021-02-03\n")
    assert (finding.code, finding.level, finding.line) == ("old-date", Level.ADVICE, 1)
    assert not found(tmp_path, "We met.\n", settings="date = 2021-02-03\n")


def test_a_stale_year_in_the_subject_or_title_is_told(tmp_path: Path) -> None:
    """“Winter appeal 2024”; a year that looks back is none."""
    [finding] = found(tmp_path, "Hello\n", subject="Our winter appeal 2024")
    assert (finding.code, finding.file, finding.line) == ("stale-year", "appeals/spring/appeal.toml", 2)
    [finding] = found(tmp_path, "Hello\n", settings='title = "Appeal 2024"\n')
    assert finding.code == "stale-year"
    assert not found(tmp_path, "Hello\n", subject="What we have done since 2024")


def test_letters_in_html_are_read_in_both_parts(tmp_path: Path) -> None:
    """A wrong day in letter.html is told there, one in letter.txt there."""
    findings = found(tmp_path, "Hello\n\nFriday 10 December 2026\n",
                     html="<p>Hello</p>\n<p>Saturday 10 December 2026</p>")
    assert [(each.file.rpartition("/")[2], each.line) for each in findings] == [("letter.txt", 3), ("letter.html", 2)]


def test_dates_are_among_the_checks(tmp_path: Path) -> None:
    """``check`` runs them."""
    assert "weekday" in {each.code for each in examine(matter(tmp_path, "Friday 10 December 2026\n"))}
