"""Links compared with each other and with the donation pages."""

from __future__ import annotations

import dataclasses

import pytest

from pillarbox.checking.destinations import look
from tests.checking.looking import page

LINKS = {"donate": "https://www.trust.org/donate/?fund=sea", "donate_monthly": "https://trust.org/monthly"}


def codes(body: str, *, links: dict[str, str] = LINKS) -> list[str]:
    return [found.code for found in look(dataclasses.replace(page(body), links=links))]


def link(href: str, words: str = "Our work") -> str:
    return f'<a href="{href}">{words}</a>'


@pytest.mark.parametrize(("body", "expected"), [
    (link("https://e.org/a") + link("https://e.org/b"), ["same-words"]),
    (link("https://e.org/a", "Read it") + link("https://e.org/b", "read it…"), ["same-words"]),
    (link("https://e.org/a") * 3, []), (link("https://e.org/a", "One") + link("https://e.org/b", "Two"), []),
    (link("x7f00001x") + link("https://e.org/b"), []), (link("mailto:?subject=a") + link("https://e.org/b"), []),
    (link("https://e.org/a", "") + link("https://e.org/b", ""), [])])
def test_links_of_the_same_words(body: str, expected: list[str]) -> None:
    """The same words lead to one place; what is the supporter's own is not compared."""
    assert codes(body) == expected


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("https://e.org/a", "https://e.org/a/", ["nearly-same-link"]),
    ("https://e.org/a", "http://e.org/a", ["nearly-same-link"]),
    ("https://e.org/a", "https://www.e.org/a", ["nearly-same-link"]),
    ("https://e.org/a", "https://E.org/a", []), ("https://e.org", "https://e.org/", []),
    ("https://e.org/a", "https://e.org/A", []), ("https://e.org/a?b=1", "https://e.org/a?b=2", []),
    ("https://e.org/a#one", "https://e.org/a#two", [])])
def test_links_that_differ_by_a_slip(one: str, other: str, expected: list[str]) -> None:
    """A slash, http or www more or less is told; another page is another page."""
    assert codes(link(one, "One") + link(other, "Two")) == expected


@pytest.mark.parametrize(("href", "expected"), [
    ("https://www.trust.org/donate/", ["untracked-donation"]), ("https://trust.org/donate", ["untracked-donation"]),
    ("https://trust.org/monthly/", ["untracked-donation"]), ("https://trust.org/donate/sea", []),
    ("https://trust.org/", []), ("x7f00001x", [])])
def test_the_donation_page_itself(href: str, expected: list[str]) -> None:
    """A link straight to the donation page loses its gifts; {{ links.donate }} does not."""
    assert codes(link(href)) == expected
    assert codes(link(href), links={"donate": "https://trust.org/"}) == [], "the whole website is no donation page"


@pytest.mark.parametrize(("href", "expected"), [
    ("https://e.org/a?ref=spring", ["tracking-conflict"]), ("https://e.org/a?b=1&amp;b=2", ["tracking-conflict"]),
    ("https://e.org/a?mc_eid=1a2b", ["tracking-conflict"]), ("https://e.org/a?fbclid=1a2b", ["tracking-conflict"]),
    ("https://e.org/a?utm_source=letter", []), ("https://e.org/a?b[]=1&amp;b[]=2", []), ("https://e.org/a?b=1", [])])
def test_tracking_that_conflicts(href: str, expected: list[str]) -> None:
    """Our parameter, another sender's mark, and the same parameter twice are told; the charity's own utm is not."""
    assert codes(link(href)) == expected
