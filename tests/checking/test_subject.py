"""The line in an inbox: subject and preheader, with the smallest that shows each finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.checking import subject
from pillarbox.checking.examine import examine
from pillarbox.checking.subject import LONG, LONG_PREHEADER, emoji
from tests.checking.wording import matter

GOOD = 'preheader = "Twelve of the lamps went out in the autumn storms"\n'


def codes(folder: Path, line: str = "Please help us today", settings: str = GOOD) -> list[str]:
    return [each.code for each in subject.look(matter(folder, settings=settings, subject=line))]


@pytest.mark.parametrize(("line", "code"), [
    ("Please " + "a" * LONG, "subject-on-phones"),
    ("PLEASE HELP TODAY", "subject-capitals"),
    ("URGENT APPEAL for us", "subject-capitals"),
    ("Please help!!", "subject-shouting"), ("Will you help?!", "subject-shouting"), ("We need £££", "subject-shouting"),
    ("Re: your gift", "subject-reply"), ("FW: your gift", "subject-reply"),
    ("Light 🕯️ and hope 🙏", "subject-emoji"), ("🕯️", "subject-emoji"),
    ("Light \U0001fae9 for us", "new-emoji"),
])
def test_a_subject_that_spoils_its_line_is_told(tmp_path: Path, line: str, code: str) -> None:
    """One finding each, at the subject's line."""
    assert codes(tmp_path, line) == [code]
    [finding] = subject.look(matter(tmp_path, settings=GOOD, subject=line))
    assert (finding.file, finding.line) == ("appeals/spring/appeal.toml", 2)


@pytest.mark.parametrize("line", [
    "Help us take the next steps on the road to Uyghur freedom", "{{ supporter.first_name }}, will you help?",
    "Help UNHCR and UNICEF to stop hunger in the region today", "How YOU can help!", "Light a candle 🕯️",
    "🏳️‍🌈 Pride in London", "Give £5 today", "Reply to us: yes or no", "Refugee Week: what we did",
    "A family 👨‍👩‍👧 is waiting",
])
def test_a_good_subject_is_left_in_peace(tmp_path: Path, line: str) -> None:
    """Names of organisations, one word in capitals, one emoji, one mark."""
    assert codes(tmp_path, line) == []


@pytest.mark.parametrize(("preheader", "code"), [
    ("Please help us today", "preheader-repeats"), ("Help us, please: today and now and then", "preheader-repeats"),
    ("Too short to say", "preheader-short"), ("a" * (LONG_PREHEADER + 1), "preheader-long"),
])
def test_a_preheader_that_wastes_its_room_is_told(tmp_path: Path, preheader: str, code: str) -> None:
    """At the preheader's line."""
    findings = list(subject.look(matter(tmp_path, settings=f'preheader = "{preheader}"\n')))
    assert code in [each.code for each in findings]
    assert {each.line for each in findings} == {3}


def test_values_count_as_names(tmp_path: Path) -> None:
    """A supporter's name in the subject is no long word of template marks."""
    line = "{{ supporter.first_name }} and {{ supporter.last_name }}, please light a lamp for us"
    assert codes(tmp_path, line) == []


def test_emoji_of_several_signs_are_one() -> None:
    """Families, flags, skin tones and variation signs are joined; digits and dashes are none."""
    assert emoji("👨‍👩‍👧 🇬🇧 👍🏽 🕯️ 1 – £ © x") == ["👨‍👩‍👧", "🇬🇧", "👍🏽", "🕯️"]


def test_the_subject_is_among_the_checks(tmp_path: Path) -> None:
    """``check`` runs it."""
    assert "subject-shouting" in {each.code for each in examine(matter(tmp_path, subject="Help!!"))}
