"""Finishing: filling a shape gives the very bytes that rendering and inlining the whole letter gives."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import escape

from pillarbox.compose.finish import Finish, SlowPath
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import CssInlineInliner, PremailerInliner, parse
from pillarbox.ground.errors import LetterError
from pillarbox.model.records import Place, Shape
from pillarbox.shape.bodies import Body, body
from pillarbox.shape.escape import passes

MARKS = {f"x7f{n:05d}x": n for n in range(6)}
MARK = re.compile("x7f0000[0-5]x")
A, B, C = list(MARKS)[:3]
LETTER = """<!DOCTYPE html>
<html lang="he" dir="rtl"><head><meta charset="utf-8"><title>For x7f00000x</title>
<style>p.big { color: red; font-family: "Noto Sans" } img { width: 100% } @media (max-width: 600px) { p { margin: 0 } }
</style></head><body>
<!--[if mso]><table><tr><td><a href="x7f00003x?to=x7f00001x">x7f00000x & co </a></td></tr></table><![endif]-->
<p class="big" title="Dear 'x7f00001x'">Dear x7f00000x,\u00a0welcome x7f00001xx7f00002x</p>
<pre>
x7f00004x</pre><textarea>x7f00004x</textarea>
<table>x7f00005x<tr>x7f00002x<td>cell x7f00001x</td></tr>x7f00000x</table>
<ul>x7f00002x<li>x7f00001x</li></ul>
<a href="https://example.org/?a=1&amp;n=x7f00001x#x7f00002x" name='n x7f00000x'>give</a>
<a href="x7f00003x/x7f00000x">go</a>
<form action=" x7f00003x"></form><img src='cid:x7f00004x' alt="x7f00000x &quot;literal&quot; x7f00005x" width="40">
<b data-x='x7f00001x "q" it&#39;s'>x</b>
</body></html>
"""
NAMES = st.sampled_from([
    "", " ", "\n", "  Ann", "Ann & Bob", "<b>x</b>", 'The "Boss"', "O'Brien", "'\"", "a\nb\tc", "😀", "רנה קסן",
    "ئۇيغۇر", "%41", "a b/é?x=1&y=[2]",
    "x7f00001x", "X7F00001X", "&amp;", "amp;", "&#34;", "-->", "--", "{{ x }}", "\\1",
    "\x01\x0b\x7f\x85", "\u2028\ufeff\ufffe", "javascript:alert(1)", "<!--", '<!--" onclick="x-->', "&{x}", "{"])
# What libxml2 takes for an include or a macro loses its control characters; the composer shares no such values.
UNSHARED = re.compile("(?=.*[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff])(?=.*(<!--|[&{]))", re.DOTALL)
VALUES = st.lists(st.one_of(NAMES, st.text(max_size=20).filter(passes)), min_size=6, max_size=6).filter(
    lambda values: not UNSHARED.search("".join(values)))


# Browsers' rules, by which css-inline reads, move or drop such text by what it says: slow path there.
CROOKED = re.compile(r"(<table>|<tr>|</tr>|<pre>\n|<textarea>)x7f0000\dx")
FINISH = {"premailer": finisher(PremailerInliner()), "css-inline": finisher(CssInlineInliner())}


@pytest.fixture(scope="module", params=FINISH)
def finish(request: pytest.FixtureRequest) -> Finish:
    """Finishing with each inliner in turn."""
    return FINISH[request.param]


def plainly(finish: Finish, subject: str, html: str, text: str, values: list[str]) -> Body:
    """The plain way: what Jinja would print for these values, and then the whole letter finished."""

    def words(source: str, *, html: bool) -> str:
        return MARK.sub(lambda m: str(escape(values[MARKS[m.group()]])) if html else values[MARKS[m.group()]], source)

    shape = finish(subject=words(subject, html=False), html=words(html, html=True), text=words(text, html=False),
                   marks={}, private=True)
    return Body(subject=shape.subject, html=shape.html, text=shape.text)


def finished(html: str, *, subject: str = "", text: str = "") -> Shape:
    return FINISH["premailer"](subject=subject, html=html, text=text, marks=MARKS, private=False)


@settings(max_examples=200, deadline=None)
@given(values=VALUES)
def test_filling_a_shape_equals_the_plain_way(finish: Finish, values: list[str]) -> None:
    """Whatever values pass, wherever they stand, the bytes are those of the plain way."""
    html = LETTER if finish is FINISH["premailer"] else CROOKED.sub(r"\1", LETTER)
    shape = finish(subject=f"{A}: news", html=html, text=f"Dear {A},\n{B}", marks=MARKS, private=False)
    assert body(shape, values) == plainly(finish, f"{A}: news", html, f"Dear {A},\n{B}", values)


PLACES = {
    "text": "<p>{}</p>", "attribute": '<p title="{}">x</p>',
    "single quotes": "<p title='{}'>x</p>", "alt": '<img alt="a {} b">', "url": '<a href="https://example.org/{}/">x</a>',
    "url start": '<a href="{}">x</a>', "src": '<img src="{}">', "action": '<form action="{}"></form>',
    "name": '<a name="{}">x</a>', "other name": '<input name="{}">',
    "comment": "<p><!-- {} --></p>", "background": '<td background="{}">x</td>',
    "xlink": '<a xlink:href="{}">x</a>', "textarea": "<textarea>{}</textarea>",
}


@pytest.mark.parametrize("place", PLACES)
def test_every_character_is_written_as_the_serialiser_writes_it(place: str) -> None:
    """Each character up to U+3000 and some beyond, alone at every place, comes out as the plain way writes it."""
    codes = [*range(0x3000), *range(0xD7F0, 0xD800), *range(0xFFF0, 0x10010), 0x1F600, 0x10FFFF]
    values = [chr(code) for code in codes if passes(chr(code))]
    shape = finished(PLACES[place].format(A))
    rows = "".join(PLACES[place].format(escape(value)) + "<hr>" for value in values)
    whole = PremailerInliner()(f"<html><body>{rows}</body></html>")
    alone = [re.sub("</?(html|body)>", "", body(shape, [value]).html) for value in values]
    assert re.sub("</?(html|body)>", "", whole).split("<hr>")[:-1] == alone


def test_each_mark_is_one_token_for_each_place() -> None:
    """A value that stands in several places has a token for each, and one token where it stands in one place twice."""
    shape = finished(f'<p title="{B}">{B} and {B}</p><a href="{B}">x</a><a href="a{B}">x</a><!-- {B} -->',
                     subject=B, text=B)
    assert [(t.value, t.place) for t in shape.tokens] == [(1, p) for p in (
        Place.SUBJECT, Place.ATTRIBUTE, Place.TEXT, Place.URL_START, Place.URL, Place.COMMENT, Place.PLAIN)]
    assert len({t.mark for t in shape.tokens}) == 7
    assert shape.html.count(shape.tokens[2].mark) == 2


@pytest.mark.parametrize("html", [
    f'<p class="{A}">x</p>', f'<p id="{A}">x</p>', f'<p style="color:{A}">x</p>',
    f"<style>p{{color:{A}}}</style><p>x</p>", f"<script>{A}</script>", f"<p {A}>x</p>", f"<p {A}=1>x</p>",
    f"<{A}>x</{A}>", f"<p>x</{A}>", f"<p title={A}>x</p>", f'<input checked="{A}">', f'<p title="a" title="{A}">x</p>',
    f"<!DOCTYPE {A}><p>x</p>", f"<p>{A.upper()}</p>", f"<p>&{A}</p>", f'<a href="?a=1&c{A}">x</a>',
    f'<a href="{A}{B}">x</a>', f'<a href="{A} x">x</a>', f"<p><!-- {A}> --></p>", f"<p><!-- {A}--></p>",
    f"<p><!-- {A}{B}-> --></p>", f"<style>a[title={B}]{{color:red}}</style><a>x</a>",
    f'<style>a[title^="x"]{{color:red}}</style><a title="{A}">x</a>', f"<noscript>{A}</noscript>",
    f"<p><!{A}></p>", f"<!-- <style> --><p title={A}>x</p><style>p {{color:red}}</style>",
    f'<style>p[ti\\74le=x]{{color:red}}</style><p title="{A}">x</p>',
    f'<style>p[/**/title=x]{{color:red}}</style><p title="{A}">x</p>',
    f'<p title="{A}">x</p><style>p[title=x]{{color:red}}',
    f'<p title="{A}">x</p><style>p[|title=x]{{color:red}}</style>',
])
def test_where_no_token_can_stand(html: str) -> None:
    """A value in a class, a style, a selector, a name … takes the slow path, with a sentence that says why."""
    with pytest.raises(SlowPath) as refused:
        finished(html)
    assert refused.value.reason.endswith(".")
    assert "x7f" not in refused.value.reason


@pytest.mark.parametrize("value", ['<!--" onclick="x-->', "<!--\x01\" onclick='x'-->", '&{" onclick="}'])
@pytest.mark.parametrize("place", ["text", "attribute", "url", "url start", "src", "other name"])
def test_no_value_leaves_its_attribute(finish: Finish, place: str, value: str) -> None:
    """What libxml2 takes for a server-side include or a script macro is text: alone and filled in, the same bytes."""
    source = PLACES[place]
    shape = finish(subject="", html=source.format(A), text="", marks=MARKS, private=False)
    plain = plainly(finish, "", source.format(A), "", [value])
    assert not [element for element in parse(plain.html).iter() if "onclick" in element.attrib]
    if "\x01" not in value:
        assert body(shape, [value]) == plain


def test_without_marks_nothing_is_refused() -> None:
    """The plain way finishes whatever a supporter's copy holds."""
    html = '<p class="Ann" title=Ann>x7f00000x</p>'
    shape = FINISH["premailer"](subject="s", html=html, text="t", marks={}, private=True)
    assert (shape.tokens, shape.private) == ((), True)
    assert '<p class="Ann" title="Ann">x7f00000x</p>' in shape.html


def test_a_subject_is_one_line() -> None:
    """No line end gets into a subject, from the letter or from a value."""
    shape = finished("<p>x</p>", subject=f"News\r\n for\n{A}")
    assert body(shape, ["Ann\nBcc: eve@example.org"]).subject == "News   for Ann Bcc: eve@example.org"


def test_what_looks_like_a_token_is_left_alone() -> None:
    """A letter that says x7f00099x keeps it: the tokens are given another name."""
    shape = finished(f"<p>x7f00099x X7F00000 {A}</p>")
    assert body(shape, ["x8f00000x"]).html == "<html><body><p>x7f00099x X7F00000 x8f00000x</p></body></html>"


def test_the_id_is_the_content() -> None:
    """Equal letters have equal ids of 32 hex digits; any difference makes another."""
    one, same, other = (finished(f"<p>{A}</p>", text=text) for text in ("a", "a", "b"))
    assert one.id == same.id != other.id
    assert re.fullmatch("[0-9a-f]{32}", one.id)


def test_half_a_character_is_refused() -> None:
    """A lone surrogate, at which the parser would silently drop the rest of the letter, is a fault with a sentence."""
    with pytest.raises(LetterError, match=r"U\+D800"):
        FINISH["premailer"](subject="", html="<p>a\ud800b</p>", text="", marks={}, private=True)


FRAGMENTS = st.sampled_from([
    f"<p>{A}</p>", f'<td title="{B}">{A}', f"<tr>{C}", "<table>", "</table>", "</p>", f'<a href="{A}">', "</a>",
    f'<a href="x{B}y{C}">', f"{A}", f" {B} ", f"<!-- {A} -->", "<ul>", f"<li>{C}", "</ul>", "<div class='q'>", "</div>",
    f"<b>{A}<i>", "</b>", f"<img alt='{B}'>", "<br>", "<style>.q, p {color:red} td{width:1px}</style>", "text", "\n",
    f"<option>{A}", "<select>", f"<h1>{B}</h1>", "<head>", "<body>", "</body>", f"<title>{A}</title>",
    f"<pre>{A}</pre>",
    f"<div title={A}>", f"&{A}", "<", '"', "<!--", "-->", f"<font color='{C}'>", "<form>", f"<input value='{B}'>"])


@settings(max_examples=300, deadline=None)
@given(html=st.lists(FRAGMENTS, max_size=8).map("".join), values=VALUES)
@example(html=f"<html>{A}<head></head><body>{B}</body>{C}</html>", values=[" ", "\n", "", "", "", ""])
def test_a_random_letter_is_filled_right_or_refused(finish: Finish, html: str, values: list[str]) -> None:
    """However crooked its HTML, a letter is either filled with the plain way's bytes or takes the slow path."""
    try:
        shape = finish(subject="", html=html, text="", marks=MARKS, private=False)
    except SlowPath:
        return
    assert body(shape, values) == plainly(finish, "", html, "", values)
