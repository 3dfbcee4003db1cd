"""What every layout promises: it fits, it can be read and pressed, and mail programs' limits do not break it."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from pillarbox.checking.html import examine
from pillarbox.checking.theme import PAIRS
from pillarbox.content.theme import read as read_theme
from tests.golden import samples
from tests.golden.drawing import VIEWS, Seen, View, as_outlook, look
from tests.projects import ROOT

GMAIL_SHEET = 8_192
"""Characters of one <style> beyond which Gmail drops it."""
GMAIL_SHEETS = 16_384
GMAIL_CLIPS = 102_400

browser = pytest.mark.browser
every = pytest.mark.parametrize("layout", samples.LAYOUTS)


def views(chrome: Any, layout: str) -> list[tuple[View, Seen]]:
    """Every view of a layout, and what is seen there."""
    return [(view, look(chrome, view)) for view in VIEWS if view.layout == layout]


@browser
@every
def test_nothing_is_wider_than_the_screen(chrome: Any, layout: str) -> None:
    """No view scrolls sideways, 320 pixels and without any stylesheet included."""
    assert [(view.name, seen.width) for view, seen in views(chrome, layout) if seen.width > view.width] == []


@browser
@every
def test_words_can_be_read(chrome: Any, layout: str) -> None:
    """In every view words have 16 pixels or more, and a contrast of 4.5 to 1: dark, bare and inverted too."""
    found = [(view.name, each) for view, seen in views(chrome, layout) for each in seen.words]
    assert len(found) > 100
    assert [each for each in found if each[1]["size"] < 16 or each[1]["contrast"] < 4.5] == []


@browser
@every
def test_what_is_pressed_is_large_enough(chrome: Any, layout: str) -> None:
    """A link that stands alone is 44 pixels high; in a sentence, and for Outlook's mouse, as high as its line."""
    found = [(view.name, each) for view, seen in views(chrome, layout) for each in seen.links]
    assert any(not each["inline"] for _, each in found)
    assert [each for each in found if not each[1]["inline"] and each[1]["height"] < 44 and "-word" not in each[0]] == []


@browser
@every
def test_columns_stand_side_by_side_where_there_is_room(chrome: Any, layout: str) -> None:
    """A story's picture stands beside its words on a desktop and above them on a phone, without a stylesheet too."""
    found = [(view, beside) for view, seen in views(chrome, layout) for beside in seen.beside]
    assert bool(found) == (layout == "newsletter")
    assert [view.name for view, beside in found if beside != (view.width >= 600)] == []


@browser
def test_the_pairs_that_are_checked_are_those_that_are_drawn(chrome: Any) -> None:
    """Every pair of colours of the theme that any layout draws, by day or by night, is one that check looks at."""
    theme, _ = read_theme(ROOT)
    assert theme is not None
    drawn = {(each["colour"], each["ground"]) for layout in samples.LAYOUTS for view, seen in views(chrome, layout)
             if not view.inverted for each in seen.words}
    assert drawn == {(getattr(scheme, words), getattr(scheme, ground))
                     for scheme in (theme.colours, theme.dark) for words, ground, _ in PAIRS}


@every
def test_gmail_keeps_the_whole_letter(layout: str) -> None:
    """The letter is far below 102 KB; its stylesheets are below Gmail's limits; no rule stands deeper than one @media;
    selectors that ask for attributes stand apart."""
    html = samples.letter(layout)
    assert len(html.encode()) < GMAIL_CLIPS // 4
    sheets = re.findall(r"<style[^>]*>(.*?)</style>", re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL), re.DOTALL)
    assert len(sheets) == 3
    assert all(len(sheet) < GMAIL_SHEET // 2 for sheet in sheets)
    assert sum(map(len, sheets)) < GMAIL_SHEETS // 2
    assert all(depth(sheet) <= 2 for sheet in sheets)
    assert [bool(re.search(r"\[[a-z-]+\]", sheet)) for sheet in sheets] == [False, False, True]


def depth(css: str) -> int:
    deepest = here = 0
    for bit in css:
        here += (bit == "{") - (bit == "}")
        deepest = max(deepest, here)
    assert here == 0
    return deepest


@every
def test_people_who_listen_are_told_what_it_is(layout: str) -> None:
    """Language and direction stand on the page and, for webmail that drops it, on the letter; tables are named as mere
    arrangement; images have words; an inbox has its line."""
    html = samples.letter(layout)
    assert re.search(r'<html lang="en-GB" dir="ltr"', html)
    assert re.search(r'<div role="article" aria-roledescription="email" aria-label="[^"]+" lang="en-GB" dir="ltr">',
                     html)
    tables = re.findall(r"<table[^>]*>", html)
    assert [table for table in tables if 'role="presentation"' not in table] == []
    assert len(tables) > 3
    assert all(re.search(r'alt="[^"]+"', image) and re.search(r' width="\d+"', image) and re.search(
        r' height="\d+"', image) for image in re.findall(r"<img[^>]*>", html))
    assert re.search(r'class="preheader"[^>]*>[A-Z]', html)


@every
def test_outlook_for_windows_has_tables_and_shapes(layout: str) -> None:
    """Every part that opens for Outlook closes; columns and the letter's width are tables there, buttons shapes."""
    html = as_outlook(samples.letter(layout))
    for tag in ("table", "tr", "td", "div", "p", "a", "center", "v:roundrect"):
        assert len(re.findall(rf"<{tag}[\s>]", html)) == html.count(f"</{tag}>"), tag
    assert 'width="600"' in html
    assert "max-width: 520px" not in html
    if layout == "newsletter":
        assert re.search(r'<td width="200" valign="top">\s*<div class="beside-picture"', html)
        assert re.search(r'<td width="320" valign="top">\s*<div class="beside-words"', html)
        assert [int(width) for width in re.findall(r'<img[^>]* width="(\d+)"', html)] == [520, 180]
    if layout in ("letter", "message", "service"):
        assert html.count("<v:roundrect") == html.count("</v:roundrect>") > 0


@every
def test_one_theme_restyles_all(layout: str) -> None:
    """With every colour and font of theme.toml changed, none of the shipped ones is left, and the new are there."""
    theme = (ROOT / "templates" / "theme.toml").read_text("utf-8")
    shipped = re.findall(r"#[0-9a-f]{6}", theme)
    numbers = itertools.count(0x10A0B0)
    html = samples.themed(layout, re.sub(r'"[^"]*serif"', "\"'One Font'\"", re.sub(
        "#[0-9a-f]{6}", lambda _: f"#{next(numbers):06x}", theme))).lower()
    assert len(shipped) == 16
    assert [colour for colour in shipped if colour in html and colour != "#ffffff"] == []
    assert [face for face in ("georgia", "helvetica", "charter") if face in html] == []
    assert "one font" in html
    left = set(re.findall(r"#[0-9a-f]{6}\b|#[0-9a-f]{3}\b(?![0-9a-f])", re.sub(r"&#\d+;", "", html)))
    assert left <= {f"#{number:06x}" for number in range(0x10A0B0, 0x10A0B0 + 16)}


@every
def test_composing_stays_fast(layout: str) -> None:
    """Layout, stylesheets and components are drawn into one template: several times faster for every supporter."""
    assert samples.is_flat(layout)


@every
def test_check_finds_nothing_in_the_layouts(layout: str) -> None:
    """What looks at public templates' HTML too finds no error, no warning and no advice here."""
    assert examine(samples.letter(layout)) == ()
