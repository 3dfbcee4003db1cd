"""CSS for the other direction: what names a side changes it, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox.compose import mirror
from pillarbox.ground.resources import shipped


@pytest.mark.parametrize(("css", "mirrored"), [
    ("a { padding-left: 3px; }", "a { padding-right: 3px; }"),
    ("a{margin-right:1px;margin-left:2px}", "a{margin-left:1px;margin-right:2px}"),
    ("a { border-left-color: red; left: 0 }", "a { border-right-color: red; right: 0 }"),
    ("a { padding: 1px 2px 3px 4px !important; }", "a { padding: 1px 4px 3px 2px !important; }"),
    ("a { margin: 1px {{ t.gap }} 3px calc(1px + 2px); }", "a { margin: 1px calc(1px + 2px) 3px {{ t.gap }}; }"),
    ("a { padding: 1px 2px 3px; }", "a { padding: 1px 2px 3px; }"),
    ("a { border-radius: 1px 2px 3px 4px; }", "a { border-radius: 2px 1px 4px 3px; }"),
    ("a { text-align: left; float: right }", "a { text-align: right; float: left }"),
    ("a { background-position: left top; }", "a { background-position: right top; }"),
    ("a:hover { color: red } .left-hand { color: blue }", "a:hover { color: red } .left-hand { color: blue }"),
    ("@media (max-width: 480px) { a { padding-left: 1px } }", "@media (max-width: 480px) { a { padding-right: 1px } }"),
    ("{#- left: 1px; -#}\na { /* float: left; */ font-family: 'left: right'; }",
     "{#- left: 1px; -#}\na { /* float: left; */ font-family: 'left: right'; }"),
])
def test_sides_change_and_nothing_else_does(css: str, mirrored: str) -> None:
    """Longhands, shorthands of four words and the words left and right; not names, comments, strings or Jinja."""
    assert mirror.sheet(css) == mirrored


@pytest.mark.parametrize("path", sorted(shipped("templates").rglob("*.css")), ids=lambda path: path.name)
def test_mirrored_twice_a_stylesheet_is_itself(path: object) -> None:
    """And it has the same lines, so that faults keep their place."""
    css = path.read_text("utf-8")  # type: ignore[attr-defined]
    once = mirror.sheet(css)
    assert once.count("\n") == css.count("\n")
    assert mirror.sheet(once) == css


@given(st.text(alphabet="ab{}:;()\"'/*%# leftright-margin\n", max_size=80))
def test_nothing_breaks_the_mirror(css: str) -> None:
    """Whatever stands in a stylesheet, no letter of it is lost."""
    assert sorted(mirror.sheet(css).replace("left", "right")) == sorted(css.replace("left", "right"))
    mirror.turned(css)


def test_html_is_mirrored_in_its_styles_and_alignment() -> None:
    """Words of the letter stay words."""
    assert mirror.markup('<td align="left" style="padding:1px 2px 3px 4px">left: over</td>') == (
        '<td align="right" style="padding:1px 4px 3px 2px">left: over</td>')


def test_rules_for_a_block_written_the_other_way() -> None:
    """They say what differs, take back what only the rule itself said, and stay within their media."""
    css = ("ul { margin: 0; padding: 0 0 0 22px; } .q { border-left: 1px solid {{ c }}; color: red; }\n"
           "@media (max-width: 480px) { .q { padding-left: 9px !important; } p { color: blue; } }")
    assert mirror.turned(css) == (
        ".turned ul { padding: 0 22px 0 0; } .turned .q { border-right: 1px solid {{ c }}; border-left: 0; } "
        "@media (max-width: 480px) { .turned .q { padding-right: 9px !important; padding-left: 0 !important; } }")
