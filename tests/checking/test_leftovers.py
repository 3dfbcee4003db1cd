"""Marks that stand as they are: another program's fields, links and bold words that were not made, stand-in words."""

from __future__ import annotations

import pytest

from pillarbox.checking.leftovers import _whole_page, review
from pillarbox.content.appeal import Source
from pillarbox.model.records import Level
from tests.checking.wording import passages


def codes(text: str, file: str = "letter.md") -> list[str]:
    return [each.code for each in review(passages(text, file))]


@pytest.mark.parametrize("text", [
    "Dear *|FNAME|*", "Dear %%First Name%%", "Dear %recipient.name%", "Dear @FIRSTNAME@", "Dear {first_name}",
    "Dear {supporter.first_name}", "Dear { { supporter.first_name } }", "Dear [First Name]", "Dear [Name]"])
def test_a_field_of_another_program(text: str) -> None:
    """It would be read by everybody as it stands: an error, with the field of ours that is meant."""
    [found] = review(passages(text + "\n"))
    assert (found.code, found.level, found.line) == ("foreign-field", Level.ERROR, 1)
    assert "{{ supporter." in found.message


@pytest.mark.parametrize("text", [
    "Dear {{ supporter.first_name }}", "She said “[name] was kind to me”.", "{# *|FNAME|* #}Hello", "A rise of 5%.",
    "5% of 10% is little; 100% of it counts.", "[[your name]] wrote.", "Write to @FirstLight on X."])
def test_no_field_of_another_program(text: str) -> None:
    """Ours, quotations that hide a name, hints and percentages are right."""
    assert codes(text + "\n") == []


@pytest.mark.parametrize("text", [
    "[Help us](https://example.org/a b)", "[Help us] (https://example.org/)", "[Help us](https://example.org/",
    "[Write](mailto:jo@example.org?subject=Hi there)"])
def test_a_link_that_was_not_made(text: str) -> None:
    """A blank too many, or a bracket too few: readers would see the brackets."""
    assert codes(text + "\n") == ["link-not-made"]


@pytest.mark.parametrize("text", [
    "[Help us](https://example.org/)", "[Help us]({{ links.donate }})", "He [the judge] (a good man) agreed.",
    "R (AAA) v Home Secretary [2023] (UKSC 42)", "She wrote “it [sic] was so”."])
def test_a_link_that_was_made(text: str) -> None:
    """Links, and brackets of other sorts."""
    assert codes(text + "\n") == []


def test_stars_that_were_left() -> None:
    """Bold words that never close; not those that do, a line of stars, or an oath in part."""
    assert codes("This is **bold and not closed.\n") == ["stars-left"]
    assert codes("This is **bold**.\n\n***\n\nWhat the f**k, and f***.\n\n*Terms apply.\n") == []


def test_stand_in_words() -> None:
    """“lorem ipsum” and its like; not a venue that is to be confirmed, a size or kisses."""
    assert codes("Lorem ipsum dolor.\n") == ["stand-in-words"]
    assert codes("Give £XX today.\n\nInsert name here.\n") == ["stand-in-words"] * 2
    assert codes("Venue TBC. Sizes S to XXL. Love, Ada xx\n") == []


def test_a_table_of_markdown() -> None:
    """Its bars would be read; a line of dashes, a heading's underline and a choice of two are none."""
    assert codes("| Day | Place |\n|-----|-------|\n| Mon | Hall |\n") == ["table-not-made"]
    assert codes("Day | Place\n--- | ---\nMon | Hall\n") == ["table-not-made"]
    assert codes("Hello\n-----\n\nTea | coffee.\n\n---\n\nDay - | - night.\n") == []


def test_a_whole_page_within_the_layout() -> None:
    """A letter in HTML that brings a page of its own; not one that is a part, nor a page in a comment."""
    def told(html: str) -> list[tuple[str, int | None]]:
        return [(each.code, each.line) for each in _whole_page(Source(file="appeals/a/letter.html", content=html))]

    assert told("\n<!DOCTYPE html>\n<html><body><p>Hello</p></body></html>") == [("whole-page", 2)]
    assert told("<p>Hello</p>\n<BODY bgcolor=red>") == [("whole-page", 2)]
    assert told("<!-- <html> --><p>Hello</p>{# <body> #}<bodyguard>") == []
