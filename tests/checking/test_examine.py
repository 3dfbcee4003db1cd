"""All checks together: their order, what is told once, and that no check can stop the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from pillarbox.checking import examine as room
from pillarbox.checking.examine import ALL, MOST, examine, ordered, telling
from pillarbox.checking.matter import Matter
from pillarbox.model.records import Finding, Level, Shape
from tests.checking.looking import matter


def finding(level: Level, file: str, line: int | None, message: str = "So: do this.") -> Finding:
    return Finding(level=level, code="a", file=file, line=line, message=message)


def test_the_worst_come_first_and_a_file_stays_together() -> None:
    """Errors, warnings, advice; within these by file, from the top down."""
    given = [finding(Level.ADVICE, "a", 1), finding(Level.ERROR, "a", 9), finding(Level.ERROR, "b", 1),
             finding(Level.ERROR, "a", 2), finding(Level.ERROR, "a", None)]
    assert [(each.level, each.file, each.line) for each in ordered(given)] == [
        (Level.ERROR, "a", None), (Level.ERROR, "a", 2), (Level.ERROR, "a", 9), (Level.ERROR, "b", 1),
        (Level.ADVICE, "a", 1)]


def test_what_differs_by_a_number_is_told_once() -> None:
    """Two versions of 103,200 and 103,201 bytes are one finding."""
    given = [finding(Level.ERROR, "a", 1, f"It has {size:,} bytes: shorten it.") for size in (103_200, 103_201)]
    assert len(ordered(given)) == 1


def test_a_sound_letter_has_no_findings() -> None:
    """The shipped layout with a few words passes every check."""
    assert examine(matter()) == ()


def test_a_check_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of a check's own becomes advice; the others are done."""

    def broken(matter: Matter) -> Iterator[Finding]:
        yield finding(Level.WARNING, "a", 1)
        raise KeyError("x")

    monkeypatch.setattr(room, "CHECKS", (broken, *room.CHECKS))
    found = examine(matter(letter="[Hello](http://e.org)\n"))
    assert [each.code for each in found] == ["http-link", "check-failed"]
    assert "KeyError" in found[1].message


def test_a_finding_leads_to_the_line_of_the_letter() -> None:
    """What is wrong in the finished HTML is told at the Markdown's own line."""
    found = {each.code: (each.file, each.line) for each in examine(matter(
        letter="Hello.\n\nSee [our work](http://e.org/a) now.\n\n### And then\n\n[Here](https://e.org/b)\n"))}
    assert found == {"http-link": ("appeals/harbour/letter.md", 3), "heading-order": ("appeals/harbour/letter.md", 5),
                     "vague-link": ("appeals/harbour/letter.md", 7)}


def test_a_huge_letter_is_only_told_to_be_huge() -> None:
    """Megabytes of HTML are not looked at more closely: the error says enough, and quickly."""
    shape = Shape(id="0" * 32, subject="a", html="<p>" * 500_000, text="a", tokens=())
    assert [each.code for each in examine(matter(shapes=(shape,)))] == ["too-long"]


def shape(number: int, html: str) -> Shape:
    return Shape(id=f"{number:032x}", subject="a", html=html, text="a", tokens=())


def test_of_many_versions_those_are_looked_at_that_show_something_new() -> None:
    """A few are all looked at; of many, the longest and those with a new line, up to a bound."""
    few = tuple(shape(number, "same") for number in range(ALL))
    assert telling(few) == few
    many = tuple(shape(number, f"top\n{'a' if number % 2 else 'b'}") for number in range(200))
    assert len(telling((*many, shape(999, "top\na\nc and the longest of all")))) == 2 + 1 - 1
    assert len(telling(tuple(shape(number, str(number)) for number in range(500)))) == MOST


def test_a_letter_in_many_versions_is_checked_in_each_new_part() -> None:
    """A fault that stands in one version of hundreds is found."""
    versions = dataclasses.replace(matter(letter="Hello.\n"), versions=0)
    [sound] = versions.shapes
    faulty = dataclasses.replace(sound, id="f" * 32, html=sound.html.replace("Hello", '<a href="ftp://e.org">x</a>'))
    many = tuple(dataclasses.replace(sound, id=f"{number:032x}") for number in range(300))
    assert "bad-link" in {each.code for each in examine(dataclasses.replace(versions, shapes=(*many, faulty)))}
