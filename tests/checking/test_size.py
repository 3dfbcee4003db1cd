"""Sizes: near Gmail's limit, too much CSS, and CSS that Gmail throws away whole."""

from __future__ import annotations

import pytest

from pillarbox.checking.essentials import MAX_BYTES
from pillarbox.checking.size import STYLES, look
from tests.checking.looking import codes


@pytest.mark.parametrize(("body", "expected"), [
    ("a" * int(MAX_BYTES * 0.95), ["nearly-too-long"]), ("a" * int(MAX_BYTES * 0.8), []),
    ("a" * (MAX_BYTES + 1), []),  # that is too-long, an error
    (f"<style>{'p{color:#000}' * (STYLES // 13 + 1)}</style>", ["style-too-long"]),
    (f"<style>{'p{color:#000}' * (STYLES // 13 - 1)}</style>", []),
    ("<style>@media screen { @supports (gap: 0) { p { color: red } } }</style>", ["style-dropped"]),
    ("<style>@media screen { p { color: red } } @media print { p { color: black } }</style>", []),
    ("<style>@font-face { font-family: A; src: url(a) } @media screen { p { color: red } }</style>", []),
    ("<style>/* @media { @supports */ p { color: red }</style>", [])])
def test_what_is_too_much(body: str, expected: list[str]) -> None:
    """Each limit is told from its own side, and what lies below is left alone."""
    assert codes(look, body) == expected
