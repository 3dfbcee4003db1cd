"""Quotation marks: each that lacks its partner is found, and apostrophes are not taken for them."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import pytest

from pillarbox.checking.examine import examine
from pillarbox.checking.prose import MOST
from pillarbox.checking.quotes import look, review
from pillarbox.model.records import Finding, Level
from tests.checking.wording import matter, passages


def found(text: str) -> list[Finding]:
    return list(review(passages(text)))


@pytest.mark.parametrize(("text", "code", "words"), [
    ("He announced: “I can no longer remain silent", "quote-not-closed", "I can no longer"),
    ("He said ‘we are here and left", "quote-not-closed", "we are here"),
    ('He said "we are here and left', "quote-not-closed", "we are here"),
    ("He said 'we are here and 'left.' It's time", "quote-not-closed", "we are here"),
    ("«On y va, said he", "quote-not-closed", "On y va"),
    ("“She said ‘no” and went", "quote-not-closed", "no"),
    ("We are here” he said", "quote-not-opened", "We are here"),
    ("beyond his control.’", "quote-not-opened", "control."),
    ("It´s time", "false-apostrophe", "It´s"),
    ("It`s time", "false-apostrophe", "It`s"),
    ("In the ‘90s it was so", "false-apostrophe", "‘90s"),
    ("Rock ‘n’ roll", "false-apostrophe", "‘n’"),
    ("“Yes” and \"no\" and so", "straight-quotes", "no"),
    ("It’s and don't", "straight-quotes", "don't"),
    ("She said: “We are not willing to stand aside and do nothing”", "quote-without-stop", "do nothing"),
])
def test_a_mark_that_stands_wrong_is_told(text: str, code: str, words: str) -> None:
    """One finding, with the words beside the mark."""
    [finding] = found(text)
    assert finding.code == code
    assert words in finding.message


@pytest.mark.parametrize("text", [
    "“Yes,” she said. ‘No,’ said he. “He said ‘no’ to that.”",
    "The supporters’ letters, James’ book, the ’90s, ’tis, rock ’n’ roll, ’em, rockin’, don’t, O’Brien",
    "She said ‘the supporters’ choice’ is ours.",
    "‘Everyone has the right to a standard of living in circumstances beyond his control.’",
    "“First paragraph.\n\n“Second paragraph.\n\n“Third and last.”",
    "> “First paragraph.\n>\n> “Second paragraph.”",
    "He is 6'2\" tall, and 5' wide",
    "The \"one\" and 'two' of it's don't, the supporters' letters, 'tis",
    "\"error 503\", he said",
    "{% if x %}“One{% else %}“Two{% endif %} three”",
    "“{{ supporter.first_name }}’s letter”",
    "“*Jewish News* wrote it”",
    "She said: “We are not willing to stand aside and do nothing.”",
    "the so-called ‘Genocide Amendment’ to ‘the Genocide Games’",
    "“…” and “ … few issues”",
    "::: lang fr\n« Bonjour, dit-il\n:::",
])
def test_marks_that_are_right_are_left_in_peace(text: str) -> None:
    """Nested marks, possessives, elisions, quotations of several paragraphs, feet and inches, branches, values."""
    assert found(text) == []


def test_the_line_is_that_of_the_opening_mark() -> None:
    """In a paragraph of several lines."""
    [finding] = found("One\ntwo “three\nfour\n")
    assert (finding.line, finding.level) == (2, Level.WARNING)


def test_straight_marks_alone_are_a_style() -> None:
    """A letter that has straight marks throughout is left as it is; one that mixes them is told once a sort."""
    assert not found("It's \"so\".\n\nIsn't it \"so\"?")
    [finding] = found("It’s\n\nIsn't it?\n\nDoesn't it?\n")
    assert (finding.line, "2 straight" in finding.message) == (3, True)


def test_quotes_are_among_the_checks(tmp_path: Path) -> None:
    """``check`` runs them."""
    assert "quote-not-closed" in {each.code for each in examine(matter(tmp_path, "He said: “no\n"))}


def test_a_silly_paragraph_is_read_in_time(tmp_path: Path) -> None:
    """Half a megabyte of marks in one paragraph takes seconds, and ``check`` tells forty of them, no more."""
    for text in ("“a " * 100_000, "“‘ ’” " * 60_000, "s’ ‘" * 80_000, "a' 'a" * 60_000):
        started = time.process_time()
        assert list(islice(review(passages(text)), 1000)) is not None
        assert time.process_time() - started < 20
    assert len(list(look(matter(tmp_path, "He said “no\n\n" * 60)))) <= MOST
