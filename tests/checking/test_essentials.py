"""A finished letter is looked at as it will be sent: each fault with the smallest letter that shows it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pillarbox.checking.essentials import MAX_BYTES, review
from pillarbox.model.records import Finding, Letter, Level, Place, Shape, Token

MARK = "x7f00001x"
HTML = ('<html lang="en" dir="ltr"><head><title>Hi</title></head><body><p>Hello</p>'
        f'<p>Ada Trust, 1 Example Street</p><p>Charity 123</p><a href="{MARK}">Unsubscribe</a></body></html>')
TEXT = f"Hello\n\nAda Trust, 1 Example\nStreet\nCharity 123\nUnsubscribe: {MARK}\n"
LETTER = Letter(subject="Hi", html="letter.html", text="letter.txt",
                templates={"letter.html": "one\nfor https://x.example and ftp://y.example/a\n", "letter.txt": ""},
                constants={"charity": {"address": "1 Example Street", "number": "123"}},
                files={"letter.html": "appeals/a/letter.md", "subject": "appeals/a/appeal.toml"},
                lines={"letter.html": (1, 7, 7), "subject": (2,)})


def shape(**changes: Any) -> Shape:
    whole = Shape(id="0" * 32, subject="Hello", html=HTML, text=TEXT,
                  tokens=(Token(mark=MARK, value=0, place=Place.URL_START),))
    return dataclasses.replace(whole, **changes)


def codes(letter: Letter = LETTER, **changes: Any) -> list[str]:
    return [each.code for each in review(letter, shape(**changes))]


def only(**changes: Any) -> Finding:
    found = review(LETTER, shape(**changes))
    assert len(found) == 1
    return found[0]


def test_a_whole_letter_has_no_findings() -> None:
    """The smallest whole letter passes: each test below takes one thing away."""
    assert codes() == []


def without(words: str, by: str = "") -> str:
    assert words in HTML
    return HTML.replace(words, by)


@pytest.mark.parametrize(("html", "code"), [
    (without("Unsubscribe", "Bye"), "no-unsubscribe"),
    (without("1 Example Street"), "no-address"),
    (without("123"), "no-charity-number"),
    (without("Hello", "a" * MAX_BYTES), "too-long"),
])
def test_what_the_html_lacks_is_told(html: str, code: str) -> None:
    """Each fault of the HTML part is found, alone, with a sentence that says what to do."""
    found = only(html=html)
    assert found.code == code
    assert found.file == "appeals/a/letter.md"
    assert ": " in found.message


@pytest.mark.parametrize("html", [
    without("Unsubscribe</a>", "x</a>").replace("<a ", "<a rel='unsubscribe' "),
    without("1 Example Street", "1&nbsp;Example <b>Street</b>"),
    without("Hello", "<style>a { color: red }</style><!-- <a href='x'>no</a> -->"),
    without("Hello", "a" * (MAX_BYTES - len(HTML) - 1)),
])
def test_what_is_right_is_left_alone(html: str) -> None:
    """Decoration with an empty alt, tokens, mailto and https, and an address over two elements are fine."""
    assert codes(html=html) == []


def test_a_missing_text_part_is_told() -> None:
    """An HTML letter without its plain text is refused."""
    assert codes(text=" \n") == ["no-text-part"]


@pytest.mark.parametrize(("words", "code"), [("Unsubscribe", "no-unsubscribe"), ("1 Example\nStreet", "no-address"),
                                             ("123", "no-charity-number")])
def test_the_text_part_needs_the_same(words: str, code: str) -> None:
    """What the HTML footer must say, the plain-text part must say too."""
    assert words in TEXT
    assert codes(text=TEXT.replace(words, "")) == [code]


@pytest.mark.parametrize(("subject", "code"), [
    ("", "empty-subject"), (" ", "empty-subject"), ("a" * 79, "long-subject"), ("Hello {{ name }}", "broken-subject"),
    ("Hello\nyou", "broken-subject"), ("Dear , hello", "broken-subject"), (", hello", "broken-subject")])
def test_a_bad_subject_is_told_at_its_line(subject: str, code: str) -> None:
    """Empty, long, broken or gaping subjects are told with appeal.toml's line."""
    found = only(subject=subject)
    assert (found.code, found.file, found.line) == (code, "appeals/a/appeal.toml", 2)


@pytest.mark.parametrize("subject", ["a" * 78, "Hello, you: yes!", "Is it “time”?"])
def test_a_good_subject_is_left_alone(subject: str) -> None:
    """Up to 78 characters of plain words are fine."""
    assert codes(subject=subject) == []


def test_a_token_in_the_subject_counts_and_must_be_there() -> None:
    """A supporter's name takes room in the subject, and a lost one is told."""
    token = Token(mark="x7f00002x", value=1, place=Place.SUBJECT)
    tokens = (*shape().tokens, token)
    assert codes(subject="Hello x7f00002x, you", tokens=tokens) == []
    assert codes(subject="a" * 70 + "x7f00002x", tokens=tokens) == ["long-subject"]
    assert codes(subject="Hello X7F00002X", tokens=tokens) == ["broken-subject"]


def test_a_charity_without_number_or_address_is_told() -> None:
    """No address set is an error; no number a warning, for not every charity has one."""
    letter = dataclasses.replace(LETTER, constants={"charity": {"address": "", "number": ""}})
    assert [(each.code, each.level) for each in review(letter, shape())] == [
        ("no-address", Level.ERROR), ("no-charity-number", Level.WARNING)]
