"""What screen readers and image-less mail programs need: each fault in the smallest page that shows it."""

from __future__ import annotations

import pytest

from pillarbox.checking.structure import LONG, look
from pillarbox.model.records import Level
from tests.checking.looking import WHOLE, codes, page


def test_a_whole_page_has_no_findings() -> None:
    """The page that each test below changes in one place passes."""
    assert codes(look, "<h1>Hello</h1><p>You</p>") == []


@pytest.mark.parametrize(("words", "by", "code"), [
    (' lang="en"', "", "no-lang"), (' dir="ltr"', "", "no-dir"), (' dir="ltr"', ' dir="rtl"', "wrong-dir"),
    (' lang="en"', ' lang="ug"', "wrong-dir"), (' lang="en"', ' lang="he-IL"', "wrong-dir"),
    ("<title>Hi</title>", "", "no-title"), ("<title>Hi</title>", "<title> </title>", "no-title"),
    ("<!DOCTYPE html>", "", "no-doctype"), ('name="viewport"', 'name="author"', "no-viewport")])
def test_what_the_document_must_say(words: str, by: str, code: str) -> None:
    """Language, direction, title, doctype and viewport: what is missing is told, alone."""
    assert words in WHOLE
    assert codes(look, "", whole=WHOLE.replace(words, by)) == [code]


def test_a_right_to_left_document_is_right() -> None:
    """Uyghur, Hebrew and Arabic run right to left; auto leaves it to the mail program."""
    for language in ("ug", "he", "ar"):
        assert codes(look, "", whole=WHOLE.replace('lang="en" dir="ltr"', f'lang="{language}" dir="rtl"')) == []
    assert codes(look, "", whole=WHOLE.replace('dir="ltr"', 'dir="auto"')) == []


@pytest.mark.parametrize("body", ["<script>x()</script>", "<iframe src='https://e.org'></iframe>",
                                  "<embed src='https://e.org/a.swf'>", "<p onclick='x()'>Hello</p>"])
def test_active_content_is_refused(body: str) -> None:
    """Scripts, frames and event handlers are errors: mail programs cut them out, or refuse the letter."""
    [found] = look(page(body))
    assert (found.code, found.level) == ("active-content", Level.ERROR)


def test_data_for_gmail_is_no_script() -> None:
    """schema.org data in JSON is read by Gmail, and runs nowhere."""
    assert codes(look, '<script type="application/ld+json">{"@type": "EmailMessage"}</script>') == []


@pytest.mark.parametrize(("image", "code"), [
    ("src='https://e.org/a.png' width=1 height=1", "image-alt"),
    ("src='https://e.org/a.png' alt='IMG_0123.jpg' width=1 height=1", "alt-is-a-file"),
    ("src='https://e.org/a.png' alt='DSC 0123' width=1 height=1", "alt-is-a-file"),
    ("src='https://e.org/a.png' alt='A' width=1", "image-size"),
    ("src='images/a.png' alt='A' width=1 height=1", "image-address"),
    ("src='http://e.org/a.png' alt='A' width=1 height=1", "image-address")])
def test_what_images_lack(image: str, code: str) -> None:
    """An alt text that says something, both sides' lengths, a public address."""
    assert codes(look, f"<img {image}>") == [code]


@pytest.mark.parametrize("image", [
    "src='https://e.org/a.png' alt='' width=1 height=1", "src='x7f00001x' alt='A' width=1 height=1",
    "src='cid:a1@example' alt='A' width=1 height=1", "src='https://e.org/a.png' alt='A' style='width:1px;height:2px'",
    "src='https://e.org/a.png' alt='A child. Behind her, the sea' width=1 height=1"])
def test_good_images_are_left_alone(image: str) -> None:
    """Decoration with an empty alt, a supporter's own image, and one that travels with the letter are fine."""
    assert codes(look, f"<img {image}>") == []


def test_layout_tables_are_told_together() -> None:
    """However many layout tables lack the role, it is one finding, which counts them."""
    [found] = look(page("<table><tr><td>a</td></tr></table>" * 3))
    assert found.code == "table-role"
    assert found.message.startswith("3 tables")


def test_other_tables_are_left_alone() -> None:
    """A table with its role, and a table of figures with its headings, are right."""
    assert codes(look, '<table role="presentation"><tr><td>a</td></tr></table>') == []
    assert codes(look, "<table><tr><th>Year</th></tr><tr><td>2024</td></tr></table>") == []


@pytest.mark.parametrize(("body", "expected"), [
    ("<h1>A</h1><h3>B</h3>", ["heading-order"]), ("<h2>A</h2><h4>B</h4>", ["heading-order"]),
    ("<h1>A</h1><h2>B</h2><h3>C</h3><h1>D</h1>", []), ("<h2>A</h2>", []), ("<h1></h1>", ["empty-heading"]),
    ("<h1><img src='https://e.org/a.png' alt='Trust' width=1 height=1></h1>", []),
    ("<h1>A</h1><h3 style='display:none'>B</h3>", []),
    (f"<p>{'long ' * (LONG // 4)}</p>", ["no-heading"]), (f"<h1>A</h1><p>{'long ' * (LONG // 4)}</p>", [])])
def test_headings(body: str, expected: list[str]) -> None:
    """No level is left out, none is empty, and a long letter has one."""
    assert codes(look, body) == expected


def test_an_id_stands_once() -> None:
    """Two elements of one id are told, two of two are not."""
    assert codes(look, "<p id='a'>A</p><p id='a'>B</p>") == ["doubled-id"]
    assert codes(look, "<p id='a'>A</p><p id='b'>B</p>") == []


@pytest.mark.parametrize(("body", "expected"), [
    ("<p style='font-size:11px'>Small print</p>", ["small-words"]), ("<p style='font-size:12px'>Small print</p>", []),
    ("<p style='font-size:8px'>&nbsp;·</p>", []), ("<div style='display:none;font-size:8px'>Preheader</div>", []),
    ("<div style='font-size:1px;line-height:1px'>Preheader</div>", [])])
def test_small_words(body: str, expected: list[str]) -> None:
    """Words below twelve pixels are told; gaps and hidden preheaders are not words."""
    assert codes(look, body) == expected


def test_findings_on_plain_html_have_its_lines() -> None:
    """Where the HTML is itself what staff edit, the finding has its line."""
    [found] = look(page("\n\n<p id='a'>A</p>\n<p id='a'>B</p>"))
    assert found.line == 3
