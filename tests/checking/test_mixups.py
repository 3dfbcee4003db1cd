"""Words that are right elsewhere and wrong here are found; the same words where they belong are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.checking.examine import examine
from pillarbox.checking.mixups import review
from tests.checking.wording import matter, passages


@pytest.mark.parametrize("text", [
    "The fact that it’s co-author, the lawyer", "The charity and it's own staff", "because of it’s location",
    "We could of come", "Your invited to", "thank you for you’re help", "more then a hundred",
    "on so called ‘socio-economic rights’", "the anniversary of the signing the Universal Declaration",
    "to make due with", "this has not lead to more", "between 3 to 4", "an lamp", "a apple", "an Uyghur",
])
def test_a_mix_up_is_told(text: str) -> None:
    """One finding, with the words."""
    assert [each.code for each in review(passages(text))] == ["mixed-up"]


@pytest.mark.parametrize("text", [
    "it’s people like you who make this possible", "it’s volunteers that we need", "it’s history!", "all of it’s gone",
    "It’s co-operative of you, and it’s time", "its own staff", "because of it’s a pity",
    "Of course, we could, of course",
    "Your invitation", "thank you for your help", "more then came", "so-called ‘rights’", "so called because",
    "the signing of the Universal Declaration", "make do", "has led to, lead to, the lead by far",
    "between 3 and 4", "from 3 to 4",
    "an hour, an honest heir, an MP, an NGO, an SMS, an x-ray, a unit, a European, a one-off, a euro, a user",
    "a Uyghur, an umbrella, a hotel, an idea", "a eulogy", "a once-only offer",
    "In the opening the door stood", "::: lang fr\non a oublié\n:::",
])
def test_the_right_words_are_left_in_peace(text: str) -> None:
    """The same words where they belong."""
    assert list(review(passages(text))) == []


def test_mix_ups_are_among_the_checks(tmp_path: Path) -> None:
    """``check`` runs them."""
    assert "mixed-up" in {each.code for each in examine(matter(tmp_path, "We could of come\n"))}
