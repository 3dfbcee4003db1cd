"""Fields that are printed without a fallback, and how many supporters lack them."""

from __future__ import annotations

import dataclasses

import pytest

from pillarbox.checking.fields import Bare, bare, hoped_for, lacking, look
from pillarbox.checking.matter import Matter
from pillarbox.model.records import Letter, Level
from tests.checking.looking import matter


def names(source: str, subject: str = "Hello") -> list[str]:
    letter = Letter(subject=subject, html="letter.html", text="letter.txt", constants={},
                    templates={"letter.html": source, "letter.txt": "", "preheader.html": ""})
    return [place.name for place in bare(letter)]


@pytest.mark.parametrize("source", [
    "{{ supporter.town }}", "{{ supporter['town'] }}", "{{ supporter.town | upper }}", "{{ 'in ' ~ supporter.town }}",
    "{% set place = supporter.town %}{{ place }}", "{% if supporter.name %}{{ supporter.town }}{% endif %}",
    "{% if supporter.town %}a{% else %}{{ supporter.town }}{% endif %}",
    "{% for a in [1] %}{{ supporter.town }}{% endfor %}",
    "{{ supporter.name and supporter.town }}", "{{ supporter.town if supporter.name else 'here' }}",
    "{% macro m() %}{{ supporter.town }}{% endmacro %}{{ m() }}"])
def test_what_is_printed_bare(source: str) -> None:
    """Printed by either name, through filters, joined, set aside, or behind a test of something else."""
    assert names(source) == ["town"]


@pytest.mark.parametrize("source", [
    "{{ supporter.town or 'here' }}", "{{ supporter.town | default('here', true) }}",
    "{{ supporter.town | d('here') }}",
    "{% if supporter.town %}{{ supporter.town }}{% endif %}", "{{ supporter.town if supporter.town else 'here' }}",
    "{% if not supporter.town %}here{% else %}{{ supporter.town }}{% endif %}",
    "{% if supporter.town == '' %}here{% else %}{{ supporter.town }}{% endif %}",
    "{% if supporter.town and supporter.name %}{{ supporter.town }}{% endif %}",
    "{% if supporter.town is defined %}{{ supporter.town }}{% endif %}", "{{ charity.name }}",
    "{% set town = supporter.town or 'here' %}{{ town }}", "{{ supporter.town and 'there' }}",
    "{% set t = supporter.town %}{% if t %}{{ t }}{% endif %}"])
def test_what_has_a_fallback(source: str) -> None:
    """A default, an "or", and a test of the very field are fallbacks."""
    assert names(source) == []


def test_the_subject_and_what_is_included_count() -> None:
    """The subject is read too; each file is told once."""
    found = names("{{ supporter.town }}{{ supporter.town }}", subject="{{ supporter.first_name }}")
    assert sorted(found) == ["first_name", "town"]


def test_what_cannot_be_read_is_another_checks_business() -> None:
    """Broken templates give no findings here, and no traceback."""
    assert names("{% if %}") == []
    assert names("{{ " + "(" * 5000 + ")" * 5000 + " }}") == []


def test_who_lacks_a_field_is_counted() -> None:
    """Nothing, blanks and a missing column are lacking; nought is a number."""
    counts: dict[str, int] = {}
    lacking(("town", "gifts"), [{"town": "Leeds", "gifts": 0}, {"town": " "}, {"town": None, "gifts": 2}], counts)
    assert counts == {"town": 2, "gifts": 1}


def asked(supporters: int, lacking: dict[str, int]) -> Matter:
    found = matter(letter="Dear {{ supporter.first_name }},\n\nhello.\n")
    return dataclasses.replace(found, supporters=supporters, lacking=lacking)


def test_a_gap_is_told_with_its_number_and_line() -> None:
    """412 of 50,000 would read a gap, and the line is the letter's own."""
    [found] = look(asked(50_000, {"first_name": 412}))
    assert (found.code, found.level, found.file, found.line) == (
        "no-fallback", Level.WARNING, "appeals/harbour/letter.md", 1)
    assert found.message.startswith("412 of 50,000 supporters have no first_name")


def test_where_nobody_lacks_it_nothing_is_told() -> None:
    """A list on which everybody has a first name makes no finding; without a list it is advice."""
    assert list(look(asked(50_000, {}))) == []
    [found] = look(asked(0, {"first_name": 1}))
    assert found.level is Level.ADVICE


def test_the_places_are_the_writers_own() -> None:
    """A field is told at the line of the Markdown."""
    found = matter(letter="Hello,\n\nyou in {{ supporter.town }}.\n").letter
    assert Bare(name="town", file="appeals/harbour/letter.md", line=3) in bare(found)


@pytest.mark.parametrize("source", ["{{ supporter.twon or 'here' }}", "{% if supporter.twon %}x{% endif %}",
                                    "{{ supporter['twon'] if supporter['twon'] else 'here' }}"])
def test_a_field_that_nobody_has_is_an_error(source: str) -> None:
    """A misspelt field with a fallback would give everybody the fallback."""
    found = dataclasses.replace(matter(letter=f"Hello,\n\nwords {source}.\n"), supporters=40, lacking={"twon": 40})
    [told] = look(found)
    assert (told.code, told.level, told.file, told.line) == (
        "nobody-has", Level.ERROR, "appeals/harbour/letter.md", 3)
    assert list(look(dataclasses.replace(found, lacking={"twon": 39}))) == []
    assert list(look(dataclasses.replace(found, supporters=0))) == []


@pytest.mark.parametrize("source", ["{% if supporter.twon is defined %}x{% endif %}",
                                    "{{ supporter.twon | default('here') }}", "{{ supporter.first_name or 'you' }}"])
def test_what_may_well_be_nobodys_is_none(source: str) -> None:
    """Where the letter says outright that nobody may have it; and names, which a list may lack altogether."""
    assert hoped_for(matter(letter=f"Hello {source}.\n").letter) == ()
