"""Inlining: plain CSS goes into the elements, the rest stays, and each known trap is avoided."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pillarbox.compose.inline import CssInlineInliner, Inliner, PremailerInliner
from pillarbox.compose.stylesheet import divide

INLINERS = {"premailer": PremailerInliner(), "css-inline": CssInlineInliner()}


@pytest.fixture(params=INLINERS)
def inline(request: pytest.FixtureRequest) -> Inliner:
    """Each inliner in turn."""
    return INLINERS[request.param]


def page(css: str, body: str) -> str:
    return f"<html><head><style>{css}</style></head><body>{body}</body></html>"


def squeezed(html: str) -> str:
    """Without blanks, in which the inliners differ."""
    return html.replace(" ", "").replace("\n", "").replace(';"', '"')


def test_plain_rules_go_into_the_elements(inline: Inliner) -> None:
    """A rule stands in each element that it chooses, and its stylesheet is gone."""
    assert squeezed(inline(page("p{color:red} .x,td:first-child{margin:0}", '<p class="x">a</p>'))) == (
        '<html><head></head><body><pclass="x"style="color:red;margin:0">a</p></body></html>')


@pytest.mark.parametrize(("css", "kept"), [
    ("@media (max-width:600px) { p { color: red } }", "@media (max-width:600px) {p {color: red !important}}"),
    ("@media screen { @media (a) { p { color: red } } }", "@media screen {@media (a) {p {color: red !important}}}"),
    ("@supports (display:grid) { p { color: red } }", "@supports (display:grid) {p {color: red !important}}"),
    ("@font-face { font-family: X; src: url(x.woff) }", "@font-face {font-family: X; src: url(x.woff)}"),
    ("[data-ogsc] p { color: red }", "[data-ogsc] p {color: red !important}"),
    ("p:not(a,b) { color: red }", "p:not(a,b) {color: red !important}"),
    ("a:hover { color: red }", "a:hover {color: red !important}"),
    ("* { color: red }", "* {color: red !important}"),
    ("@import 'x.css'; ", "@import 'x.css';"),
    ("p { color: red !important; }", "p {color: red !important}"),
    ("#outlook a { padding: 0 }", "#outlook a {padding: 0 !important}"),
    ("p{content:'};'}a:hover{content:\"/* } */\"}", 'a:hover {content:"/* } */" !important}'),
])
def test_responsive_and_dark_rules_stay(inline: Inliner, css: str, kept: str) -> None:
    """What no inliner can place stays a stylesheet, and wins over what was inlined."""
    assert f"<style>\n{kept}\n</style>" in inline(page(css, "<p>x</p>"))


def test_important_is_no_obstacle_to_a_media_rule(inline: Inliner) -> None:
    """An important rule is inlined without its !important, which would beat every stylesheet, and kept with it."""
    html = inline(page("p{color:red !important} p{color:blue}", "<p>x</p>"))
    assert '<pstyle="color:red">' in squeezed(html)
    assert "p {color:red !important}" in html


def test_a_font_in_quotes_stays_readable(inline: Inliner) -> None:
    """Font names in an element's style have single quotes."""
    assert "font-family:'GillSans'" in squeezed(inline(page('p{font-family:"Gill Sans"}', "<p>x</p>")))


def test_an_image_keeps_its_width(inline: Inliner) -> None:
    """width="40" is for Outlook, width:100% for the others: neither overwrites the other, and no attribute appears."""
    html = inline(page("img{width:100%} td{text-align:center;background-color:#fff}", '<img width="40"><p>x</p>'))
    assert 'width="40"' in html
    assert "width:100%" in squeezed(html)
    assert "align=" not in inline(page("p{text-align:center;background-color:#abc}", "<p>x</p>"))


def test_a_style_that_reads_like_a_selector() -> None:
    """premailer's one cache for selectors and styles does not mix them up."""
    assert '<p style="p">x</p>' in PremailerInliner()(page("td{color:red} p{}", '<p style="p">x</p>'))
    assert "color:red" in PremailerInliner()(page("p{color:red}", '<p style="p">x</p>'))


def test_styles_of_one_letter_do_not_reach_another() -> None:
    """A stylesheet seen before gives the same letter again."""
    letter = page("@media (a) {p{color:red}} p{color:blue}", "<p>x</p>")
    assert len({PremailerInliner()(letter) for _ in range(3)}) == 1


def test_what_cssutils_cannot_read_is_kept() -> None:
    """A declaration that premailer would drop stays in the stylesheet."""
    html = PremailerInliner()(page("p{color:red;color:rgb(0 0 0 / 50%);margin:0}", "<p>x</p>"))
    assert '<p style="color:red; margin:0">' in html
    assert "p {color:rgb(0 0 0 / 50%) !important}" in html


def test_the_text_after_a_stylesheet_stays(inline: Inliner) -> None:
    """Words that follow </style> are not thrown away with it."""
    assert "Dear\x01 Ann" in inline("<html><body><style>p{color:red}</style>Dear\x01 Ann<p>x</p></body></html>")


def test_the_rest_of_the_letter_is_untouched(inline: Inliner) -> None:
    """Doctype, language, charset, comments, Outlook's blocks and every alphabet come out as they went in."""
    letter = ('<!DOCTYPE html>\n<html lang="he" dir="rtl"><head><meta charset="utf-8"><title>רנה &amp; é</title></head>'
              '<body><div style="display:none">Preheader\u200c\u00a0</div><!-- note -->'
              '<!--[if mso]><v:x a=\'1\'>é & <b></v:x><![endif]-->'
              '<!--[if !mso]><!--><p>ئۇيغۇر 😀 "q" \'s\'</p><!--<![endif]-->\n</body></html>')
    assert inline(letter).replace("&nbsp;", "\u00a0").rstrip() == letter


def test_attributes_come_out_in_double_quotes(inline: Inliner) -> None:
    """Whatever an attribute holds, double quotes stand around it; comments and scripts are left alone."""
    html = inline("<html><body><p title='say \"hi\" it&#39;s' lang='a\"b'>='x'</p><!-- a='\"' --></body></html>")
    assert '<p title="say &quot;hi&quot; it\'s" lang="a&quot;b">=\'x\'</p><!-- a=\'"\' -->' in html


def test_empty_elements_are_closed() -> None:
    """An empty list item is closed like any other, though the serialiser's own way is to leave it open."""
    assert PremailerInliner()("<ul><li></li></ul><br>") == "<html><body><ul><li></li></ul><br></body></html>"


def test_nothing_is_fetched_and_nothing_is_said(inline: Inliner, capfd: pytest.CaptureFixture[str]) -> None:
    """Links to stylesheets stay links, and faults in CSS are not printed."""
    link = '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">'
    html = inline(page("p{colour:red;-x-y:1;;} } p{margin:0", f"{link}<p>x</p>"))
    assert "x.css" in html
    assert capfd.readouterr() == ("", "")


def test_threads_get_their_own_letters(inline: Inliner) -> None:
    """Many letters at once come out as one after another."""
    css = ".c{0}{{margin:{0}px}} @media (a) {{p{{top:{0}px}}}}"
    letters = [page(css.format(n), f'<p class="c{n}">x</p>') for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(inline, letters)) == [inline(letter) for letter in letters]


@pytest.mark.parametrize("html", ["", "  ", "<!-- a -->", "just words", "<p>open", "<table><tr><td>x"])
def test_a_crooked_letter_is_still_a_letter(inline: Inliner, html: str) -> None:
    """Blank, bare or unclosed HTML comes out as a page."""
    assert inline(html).endswith("</html>")


def test_rules_keep_their_order() -> None:
    """Both halves of a stylesheet keep the order of its rules."""
    divided = divide("/* x */ a{b:c} a:hover{d:e} @media x{f{g:h}} i,j:k{l:m;n:o !important}")
    assert divided.inlined == "a {b:c}\ni {l:m;n:o !important}"
    assert divided.kept.splitlines() == [
        "a:hover {d:e !important}", "@media x {f {g:h !important}}", "j:k {l:m !important; n:o !important}",
        "i {n:o !important}"]
