"""Each place's escaping, by example; that these are the serialiser's own rules is shown in test_finishing."""

from __future__ import annotations

import pytest

from pillarbox.model.records import Place
from pillarbox.shape.escape import ESCAPE, passes


@pytest.mark.parametrize(("place", "value", "written"), [
    (Place.TEXT, "a & <b> \"c\" 'd'\u00a0é", "a &amp; &lt;b&gt; \"c\" 'd'\u00a0é"),
    (Place.ATTRIBUTE, "a & <b> \"c\" 'd'\né", "a &amp; &lt;b&gt; &quot;c&quot; 'd'\né"),
    (Place.URL, ' a/é?b=[1]&c="%41 😀', "%20a/%C3%A9?b=[1]&amp;c=&quot;%41%20%F0%9F%98%80"),
    (Place.URL_START, " \t\nhttps://é.example.org", "https://%C3%A9.example.org"),
    (Place.URL, "a\nb\x01", "a%0Ab%01"),
    (Place.COMMENT, "\"&'<", "&#34;&amp;&#39;&lt;"),
    (Place.PLAIN, "a & <b>\n", "a & <b>\n"),
    (Place.SUBJECT, "Ann\nBcc: eve@example.org\x85\u2028", "Ann Bcc: eve@example.org  "),
])
def test_each_place_has_its_escaping(place: Place, value: str, written: str) -> None:
    """A value is written as its place asks."""
    assert ESCAPE[place](value) == written


def test_every_place_has_a_rule() -> None:
    """No place is without escaping."""
    assert set(ESCAPE) == set(Place)


@pytest.mark.parametrize("value", ["a\0b", "a\rb", "\ud800", "a\udfffb"])
def test_what_a_parser_alters_does_not_pass(value: str) -> None:
    """NUL, CR and surrogates take the slow path."""
    assert not passes(value)


@pytest.mark.parametrize("value", ["", "Ann", "a\nb\t", "\x01\x7f\x85", "😀", "\ufffe\ufeff", "<&>\"'", "x7f00012x"])
def test_everything_else_passes(value: str) -> None:
    """All other values may go into a shape."""
    assert passes(value)
