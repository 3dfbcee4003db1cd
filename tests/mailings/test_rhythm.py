"""A rule in words: what charities use is said plainly, anything else stays as it was written."""

from __future__ import annotations

import pytest

from pillarbox.mailings.rhythm import in_words


@pytest.mark.parametrize(("rule", "words"), [
    ("FREQ=MONTHLY;BYDAY=1TH", "the first Thursday of every month"),
    ("FREQ=MONTHLY;BYDAY=-1SU", "the last Sunday of every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "the last day of every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15", "the 1st and 15th of every month"),
    ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=12", "the 12th of every 3 months"),
    ("FREQ=WEEKLY;BYDAY=MO", "every Monday"),
    ("FREQ=WEEKLY;BYDAY=MO,TH,SU", "every Monday, Thursday and Sunday"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "Friday, every 2 weeks"),
    ("FREQ=DAILY", "every day"),
    ("FREQ=DAILY;INTERVAL=3", "every 3 days"),
    ("FREQ=WEEKLY", "every week"),
    ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=10", "the 10th of December, every year"),
    ("freq=monthly;byday=+2we", "the second Wednesday of every month"),
])
def test_what_charities_use_is_said_in_words(rule: str, words: str) -> None:
    """Each kind of rule that the guide shows."""
    assert in_words(rule) == words


@pytest.mark.parametrize("rule", [
    "FREQ=YEARLY;BYEASTER=0", "FREQ=DAILY;COUNT=40", "FREQ=DAILY;UNTIL=20270401", "FREQ=YEARLY;BYDAY=53FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=DAILY;BYDAY=MO", "FREQ=MONTHLY;BYMONTHDAY=-3",
    "FREQ=MONTHLY;BYDAY=MO,1TH", "FREQ=YEARLY;BYMONTHDAY=10", "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR"])
def test_any_other_rule_stays_as_it_was_written(rule: str) -> None:
    """Words that say less than the rule would mislead."""
    assert in_words(rule) == rule
