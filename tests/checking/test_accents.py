"""A name that lost its accent is found where the charity, its list or the letter writes it with one."""

from __future__ import annotations

from pathlib import Path

from pillarbox.checking import accents
from pillarbox.checking.accents import review
from pillarbox.content.words import Words, parse
from tests.checking.wording import matter, passages


def test_a_lost_accent_is_told(tmp_path: Path) -> None:
    """“Rene” in a letter of René Cassin's, whose name stands in theme.toml, and words.txt need not say it."""
    [finding] = accents.look(matter(tmp_path, "One\n\nMonsieur Rene Cassin\n", words=""))
    assert (finding.code, finding.line, "“René”" in finding.message) == ("accent-lost", 3, True)


def test_the_letters_own_spelling_counts_too() -> None:
    """Zoë in one place, Zoe in another."""
    assert [each.line for each in review(passages("Zoë came.\n\nZoe went."), Words())] == [3]


def test_two_people_may_have_the_two_names() -> None:
    """A name on the list without its accent is right; so are accents that are there, and small letters."""
    assert not list(review(passages("René met Rene."), parse("René Rene")))
    assert not list(review(passages("René and cafés, a cafe, Café. Irene."), parse("René café")))
