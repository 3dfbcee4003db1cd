"""A finding leads to the line and the file that staff edit."""

from __future__ import annotations

import pytest

from pillarbox.checking import html
from tests.checking.looking import matter


@pytest.mark.parametrize(("letter", "code", "line"), [
    ("[One](https://example.org/x)\n\n[Two](/x)\n", "bad-link", 3),
    ("[One](http://example.org/about)\n\n[Two](http://example.org/a)\n", "http-link", 3),
    ("Hello.\n\n[B](#)\n", "anchor-nowhere", 3)])
def test_an_address_is_found_where_it_stands_alone(letter: str, code: str, line: int) -> None:
    """Not at the first longer address that holds it, nor in a component that has the same class."""
    found = [each for each in html.look(matter(letter=letter)) if each.code == code]
    assert (found[-1].file, found[-1].line) == ("appeals/harbour/letter.md", line)
