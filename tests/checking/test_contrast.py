"""Contrast is computed from what CSS comes to, by day and in the dark."""

from __future__ import annotations

import pytest

from pillarbox.checking.contrast import look, ratio
from tests.checking.looking import WHOLE, codes, page

DARK = "<style>@media (prefers-color-scheme: dark) { %s }</style>"


def test_the_ratio_is_that_of_the_standard() -> None:
    """Black on white is 21 to 1, a colour on itself 1, and #767676 just passes (WCAG's own examples)."""
    assert ratio((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert ratio((0.3, 0.3, 0.3), (0.3, 0.3, 0.3)) == pytest.approx(1)
    grey = 0x76 / 255
    assert ratio((grey, grey, grey), (1, 1, 1)) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("body", [
    "<p style='color:#999999'>Hello</p>", "<p style='color:#999'>Hello</p>",
    "<p style='color:rgba(0,0,0,.3)'>Hello</p>", "<font color='#999999'>Hello</font>",
    "<div style='background-color:#0f5c7a'><p>Hello</p></div>",
    "<table bgcolor='#222222'><tr><td>Hello</td></tr></table>",
    "<table bgcolor='222222'><tr><td>Hello</td></tr></table>", "<p style='background:#222 none'>Hello</p>",
    "<div style='background:#222'><a href='https://e.org'>Hello</a></div>",
    "<p style='color:#888888;font-size:18px'>Hello</p>", "<p style='color:#888888;font-size:18px'>7</p>",
    "<style>p { color: #999 }</style><p>Hello</p>",
    "<table><tr><td style='font-size:0px'><div style='font-size:14px;color:#999'>Hello</div></td></tr></table>",
    "<style>p { color: #999 !important }</style><p style='color:#000'>Hello</p>",
    "<style>@media screen { p { color: #999 } }</style><p>Hello</p>"])
def test_what_cannot_be_read(body: str) -> None:
    """Styles, attributes, rules and what is inherited all count."""
    assert codes(look, body) == ["contrast"]


@pytest.mark.parametrize("body", [
    "<p>Hello</p>", "<p style='color:#767676'>Hello</p>", "<p style='color:#888888;font-size:24px'>Hello</p>",
    "<p style='color:#888888;font-size:19px;font-weight:bold'>Hello</p>", "<h1 style='color:#888888'>Hello</h1>",
    "<div style='background-color:#000'><p style='color:#fff'>Hello</p></div>",
    "<div style='background-color:#000'><p style='background:#fff'>Hello</p></div>",
    "<div style='background-image:url(a.png);color:#fff'>Hello</div>",
    "<div background='a.png'><p style='color:#fff'>Hi</p></div>",
    "<div style='background:linear-gradient(#000,#111);color:#fff'>Hello</div>",
    "<p style='display:none;color:#fff'>Hello</p>", "<div style='max-height:0;color:#fff'>Hello</div>",
    "<div style='font-size:1px;color:#fff'>Hello</div>", "<p style='color:#fff'>&nbsp;·</p>",
    "<p style='color:var(--ink)'>Hello</p>",
    "<style>@media (max-width:480px) { p { color: #fff } }</style><p>Hello</p>",
    "<style>a:hover { color: #fff } p::before { color: #fff }</style><p>Hello</p>"])
def test_what_can_be_read(body: str) -> None:
    """Enough contrast, large words, what is hidden, and grounds that are not known here."""
    assert codes(look, body) == []


@pytest.mark.parametrize(("rule", "expected"), [
    ("p { color: #333 !important; background-color: #222 !important }", ["contrast-dark"]),
    ("body { background-color: #222 !important }", ["contrast-dark"]),
    ("body { background-color: #222 !important } p { color: #eee !important }", []),
    ("body { background-color: #222 } p { color: #eee }", ["contrast-dark"])])
def test_the_dark(rule: str, expected: list[str]) -> None:
    """Rules for the dark come over the inlined styles, where they are important; half of a scheme is found out."""
    assert codes(look, DARK % rule + "<p style='color:#000000'>Hello</p>", whole=WHOLE) == expected


def test_a_pair_of_colours_is_told_once() -> None:
    """Twenty paragraphs of one colour are one finding, which shows the words and both colours."""
    [found] = look(page("<p style='color:#999999'>Small print</p>" * 20))
    assert "“Small print” is #999999 on #ffffff" in found.message
    assert "2.8 to 1" in found.message
