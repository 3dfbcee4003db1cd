"""Links: each fault in the smallest page that shows it, and what is right left alone."""

from __future__ import annotations

import pytest

from pillarbox.checking.links import look
from pillarbox.model.records import UNSUBSCRIBE_TAG
from tests.checking.looking import codes, page


@pytest.mark.parametrize(("href", "code"), [
    ("", "bad-link"), ("javascript:x", "bad-link"), ("www.e.org", "bad-link"), ("ftp://e.org/a", "bad-link"),
    ("/donate", "bad-link"), ("https://", "bad-link"), ("https://e", "bad-link"), ("https://e.org/a b", "bad-link"),
    ("https://https://e.org", "bad-link"), ("https://e.org/{{ name }}", "bad-link"), ("https://e.org/50%", "bad-link"),
    ("https://e.org:99999/", "bad-link"), ("https://[e.org/", "bad-link"), ("tel:call us", "bad-link"),
    ("http://e.org", "http-link"), ("#", "anchor-nowhere"), ("#notes", "anchor-nowhere"),
    ("mailto:", "bad-mailto"), ("mailto:office", "bad-mailto"), ("mailto:office@charity", "bad-mailto"),
    ("mailto:a@e.org?subject=Hello you", "bad-mailto"), ("mailto:a@e.org?subjekt=Hello", "bad-mailto"),
    ("mailto:a@e.org?subject=50%", "bad-mailto")])
def test_what_is_no_address(href: str, code: str) -> None:
    """Each kind of address that leads nowhere is told, alone, with what to do."""
    [found] = look(page(f'<a href="{href}">Our work</a>'))
    assert found.code == code
    assert ": " in found.message


@pytest.mark.parametrize("href", [
    "https://e.org", "https://e.org/a?b=c&amp;d=%20#e", "https://www.münchen.example/".replace("ü", "xn--mnchen-3ya"),
    "mailto:a@e.org", "mailto:?subject=Read%20this&amp;body=https%3A%2F%2Fe.org", "mailto:a@e.org,b@e.org",
    "tel:+44 20 1234 5678", "x7f00001x", "https://e.org/x7f00001x", "#top", "#notes2", "mailto:x7f00001x",
    UNSUBSCRIBE_TAG, "https://e.org/a(b)", "https://x7f00001x.e.org/"])
def test_what_is_an_address(href: str) -> None:
    """Web addresses, mailboxes, telephones, places in the letter, and what is a supporter's own."""
    assert codes(look, f'<a href="{href}">Our work</a><p id="notes2">Notes</p>') == []


@pytest.mark.parametrize(("link", "expected"), [
    ('<a href="https://e.org/"></a>', ["link-without-words"]),
    ('<a href="https://e.org/"><img src="https://e.org/a.png" alt=""></a>', ["link-without-words"]),
    ('<a href="https://e.org/"><img src="https://e.org/a.png" alt="Our trust"></a>', []),
    ('<a href="https://e.org/" aria-label="Our trust"></a>', []),
    ('<a href="https://e.org/" style="display:none"></a>', []),
    ('<a href="https://e.org/">Click here</a>', ["vague-link"]), ('<a href="https://e.org/">Here</a>', ["vague-link"]),
    ('<a href="https://e.org/">Read more about Rahima</a>', []),
    ('<a href="https://e.org/">www.other.org</a>', ["link-deceives"]),
    ('<a href="https://e.org/">https://other.org/a</a>', ["link-deceives"]),
    ('<a href="https://www.e.org/a">e.org/b</a>', []), ('<a href="https://give.e.org/a">e.org</a>', []),
    ('<a href="x7f00001x">e.org</a>', []), ('<a href="https://e.org/">Node.js</a>', []),
    ('<a href="https://bit.ly/abc">Our work</a>', ["short-link"])])
def test_the_words_of_a_link(link: str, expected: list[str]) -> None:
    """A link has words, which say where it leads, and do not name another website."""
    assert codes(look, link) == expected


def test_a_supporters_words_are_not_shown() -> None:
    """Where a supporter's own words stand in an address, the finding has an ellipsis."""
    [found] = look(page('<a href="ftp://e.org/x7f00001x">Your page</a>'))
    assert "x7f" not in found.message
    assert "…" in found.message
