"""A letter in so many versions that it is slow: told with the places that make them."""

from __future__ import annotations

import dataclasses

import pytest

from pillarbox.checking.versions import MANY, look
from tests.checking.looking import matter

LETTER = ("Hello.\n\n{% for want in supporter.wants %}\n- {{ want }}\n{% endfor %}\n\n"
          "{% if supporter.town == 'Leeds' %}\nCome.\n{% endif %}\n")


@pytest.mark.parametrize(("versions", "supporters", "told"), [
    (MANY, 0, True), (MANY, 1_000, True), (MANY - 1, 1_000, False), (MANY, 100_000, False), (1_000, 100_000, True)])
def test_many_versions(versions: int, supporters: int, told: bool) -> None:
    """Many versions for few supporters each are told; the same number for a great list is no matter."""
    found = list(look(dataclasses.replace(matter(letter=LETTER), versions=versions, supporters=supporters)))
    assert [each.code for each in found] == (["many-versions"] if told else [])


def test_it_says_why() -> None:
    """Each loop and each choice by what a supporter has is named with its line; the finding stands at the first."""
    [found] = look(dataclasses.replace(matter(letter=LETTER), versions=400))
    assert "a loop over supporter.wants (appeals/harbour/letter.md, line 3)" in found.message
    assert "a choice by supporter.town (appeals/harbour/letter.md, line 7)" in found.message
    assert (found.file, found.line) == ("appeals/harbour/letter.md", 3)


def test_choices_that_are_the_same_for_everybody_are_not_named() -> None:
    """What depends on the mailing alone makes no versions."""
    [found] = look(dataclasses.replace(matter(letter="{% if mailing.date %}\nHello.\n{% endif %}\n"), versions=400))
    assert "chooses" not in found.message
