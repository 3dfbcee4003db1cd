"""Every directive has an HTML form and a plain-text form, serves everybody from one shape, and tells what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pillarbox.compose.directives import DIRECTIVES
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.letter import HTML, advise, build
from pillarbox.compose.message import Composer
from pillarbox.model.records import Composed, Fault
from pillarbox.shape.bodies import Body, body
from tests.compose.test_letter import ADA, DAY, TOML, bundle_of, faults, letter_of
from tests.test_letters import as_outlook

LINKS = {**ADA["links"], "donate_amount": "https://example.org/donate?ref=A&amount",
         "donate_monthly_amount": "https://example.org/monthly?amount"}
PEOPLE = [{"supporter": {**ADA["supporter"], "first_name": name, "ask": ask}, "links": LINKS}
          for name, ask in (("Ada", "40"), ("אבי & <co>", "15"), ("", "7.50"))]
MORE = TOML + '[links]\ndonate_monthly = "https://example.org/m"\nsign_up = "https://example.org/join"\n' \
              'share = "https://example.org/share"\n'


def composed(project: Path, letter: str, toml: str = MORE) -> list[Body]:
    """Three copies by the shared shape, each proved against a plain render."""
    composer = Composer(letter_of(project, letter, toml=toml), finisher(PremailerInliner()), prove_every=1)
    made = composer.compose(PEOPLE)
    assert all(isinstance(each, Composed) and not each.slow for each in made), (made, composer.reasons)
    return [body(each.shape, each.values) for each in made if isinstance(each, Composed)]


def parts(project: Path, letter: str, **more: Any) -> tuple[str, str]:
    """The body of the HTML, blanks folded, and the words of the text part."""
    first = composed(project, letter, **more)[0]
    text = first.text.partition("1 March 2026")[2].partition("\n---------------------------")[0]
    return " ".join(first.html.split()), text.strip("\n")


def test_an_ask_ladder_leads_to_the_page_with_each_amount(tmp_path: Path) -> None:
    """Lines or list items, with or without a colon; the sum stands in the link, also a supporter's own."""
    html, text = parts(tmp_path, "::: ask-ladder\n£10: buys oil\n£1,250.50 mends the roof\n"
                                 "£{{ supporter.ask }}: as last time\nAnother amount\n:::\n")
    assert re.findall(r'<a class="rung-(?:link|other)" href="([^"]*)"[^>]*>([^<]*)', html) == [
        ("https://example.org/donate?ref=A&amp;amount=10", "£10"),
        ("https://example.org/donate?ref=A&amp;amount=1250.50", "£1,250.50"),
        ("https://example.org/donate?ref=A&amp;amount=40", "£40"),
        ("https://example.org/donate?a=1&amp;b=2", "Another amount")]
    assert text == ("£10: buys oil\nhttps://example.org/donate?ref=A&amount=10\n\n"
                    "£1,250.50: mends the roof\nhttps://example.org/donate?ref=A&amount=1250.50\n\n"
                    "£40: as last time\nhttps://example.org/donate?ref=A&amount=40\n\n"
                    "Another amount:\nhttps://example.org/donate?a=1&b=2")


def test_a_monthly_ladder_may_be_a_list(tmp_path: Path) -> None:
    """List items are rungs too, and monthly ones lead to the monthly page."""
    html, text = parts(tmp_path, "::: ask-ladder-monthly\n- £5 a month: keeps the lamp lit\n"
                                 "- £8 a month: and the kettle\n:::")
    assert html.count('href="https://example.org/monthly?amount=') == 2
    assert text.startswith("£5 a month: keeps the lamp lit\nhttps://example.org/monthly?amount=5\n\n£8 a month")


@pytest.mark.parametrize("mark", ["", "- "])
def test_a_rung_may_be_for_some_alone(tmp_path: Path, mark: str) -> None:
    """A choice round lines or list items of a ladder holds in both parts."""
    made = composed(tmp_path, f"::: ask-ladder\n{mark}£10: oil\n{{% if supporter.first_name == 'Ada' %}}\n"
                              f"{mark}£20: a wick\n{{% else %}}\n{mark}£30: a lens\n{{% endif %}}\n{mark}£40: all\n:::")
    for each, person in zip(made, PEOPLE, strict=True):
        ada = person["supporter"]["first_name"] == "Ada"
        for part in (each.html, each.text):
            assert ("a wick" in part, "a lens" in part) == (ada, not ada)
            assert "oil" in part
            assert "all" in part


@pytest.mark.parametrize("sum_", ["{{ supporter.nothing }}", "{{ supporter.nothing or '20' }}"])
def test_a_rungs_missing_sum_is_told_at_the_writers_line(tmp_path: Path, sum_: str) -> None:
    """Not within the component; and words for those who have none will do."""
    letter = letter_of(tmp_path, f"Hello,\n\n::: ask-ladder\n£{sum_}: more\n:::")
    [made] = Composer(letter, finisher(PremailerInliner())).compose([ADA])
    if " or " in sum_:
        assert isinstance(made, Composed)
        assert not made.slow
    else:
        assert isinstance(made, Fault)
        assert (made.finding.code, made.finding.file, made.finding.line) == (
            "undefined-name", "appeals/spring/letter.md", 4)


def test_outlook_gives_a_rung_its_air_too(tmp_path: Path) -> None:
    """Word's engine heeds no padding of a link: the cell has it there, and there alone."""
    [first, *_] = composed(tmp_path, "::: ask-ladder\n£10: oil\n:::")
    air = ".rung-cell { padding: 12px 22px !important; }"
    assert air in as_outlook(first.html)
    assert air not in re.sub(r"<!--\[if mso\]>.*?<!\[endif\]-->", "", first.html, flags=re.DOTALL)


def test_where_a_page_takes_no_amount_the_ladder_leads_to_the_page(tmp_path: Path) -> None:
    """Links of an older kind, or of a platform without amounts, do not stop a letter."""
    letter = letter_of(tmp_path, "::: ask-ladder\n£10: buys oil\n:::", toml=MORE)
    composer = Composer(letter, finisher(PremailerInliner()))
    [made] = composer.compose([ADA])
    assert isinstance(made, Composed)
    assert "https://example.org/donate?a=1&b=2" in body(made.shape, made.values).text


def test_a_figure_has_an_image_with_alt_and_a_caption(tmp_path: Path) -> None:
    """In plain text the alt text stands for the image."""
    html, text = parts(tmp_path, "::: figure\n![A lamp at dusk](https://example.org/a.png)\n\nThe lamp, by *Ada*.\n:::")
    assert 'alt="A lamp at dusk"' in html
    assert re.search(r'class="caption"[^>]*>The lamp, by <em>Ada</em>\.</p>', html)
    assert text == "[A lamp at dusk]\nThe lamp, by Ada."


def test_columns_stand_side_by_side_and_stack(tmp_path: Path) -> None:
    """Boxes of half the width, at least 216 pixels wide; whole at 480 pixels; a table in Outlook alone."""
    html, text = parts(tmp_path, "::: columns\n### One\n\nLeft.\n\n---\n\n### Two\n\n- right\n:::")
    assert html.count("display:inline-block; width:50%; min-width:216px") == 2
    assert re.search(r"max-width: 480px\) {.*?\.half { display: block !important; width: 100% !important", html)
    outlook = as_outlook(html)
    assert outlook.count('<td width="50%"') == 2
    assert '<td width="50%"' not in re.sub(r"<!--.*?-->", "", html)
    for tag in ("table", "tr", "td", "div"):
        assert len(re.findall(rf"<{tag}[\s>]", outlook)) == outlook.count(f"</{tag}>"), tag
    assert text == "One\n---\n\nLeft.\n\nTwo\n---\n\n  • right"


def test_footnotes_are_numbered_and_stand_at_the_end(tmp_path: Path) -> None:
    """In the order of their marks, whatever they are called and wherever they are written; used twice, printed once."""
    html, text = parts(tmp_path, "Oil[^b] and bread.[^a]\n\n[^a]: Of *bread*, see <https://example.org/>.\n"
                                 "[^b]: Of oil, for {{ supporter.first_name }}.\n\nMore oil.[^b]\n\n"
                                 "::: share\nShare\n:::")
    assert re.findall(r'<sup class="note-mark"[^>]*>(\d)</sup>', html) == ["1", "2", "1"]
    assert re.findall(r'<p class="note"[^>]*><span[^>]*>(\d)\.</span> (Of \S+)', html) == [
        ("1", "Of oil,"), ("2", "Of <em>bread</em>,")]
    assert text.startswith("Oil[1] and bread.[2]\n\nMore oil.[1]\n\n")
    assert text.endswith("----------\n[1] Of oil, for Ada.\n[2] Of bread, see https://example.org/.")


def test_a_sign_up_block_is_a_panel_that_ends_in_its_button(tmp_path: Path) -> None:
    """One line is a button; more than that is a panel, and the last line is the button."""
    html, text = parts(tmp_path, "::: sign-up\n## Stay\n\nA letter a month.\n\nSign up\n:::")
    assert re.search(r'<td class="panel".*Stay.*A letter a month\..*<a class="button" href="https://example.org/join"',
                     html)
    assert text == "Stay\n----\n\nA letter a month.\n\nSign up:\nhttps://example.org/join"
    assert 'class="panel"' not in parts(tmp_path, "::: sign-up\nSign up\n:::")[0]


def test_a_language_block_says_its_language_and_direction(tmp_path: Path) -> None:
    """``lang`` and ``dir`` stand on the block; sides are mirrored in it, and values kept apart."""
    html, text = parts(tmp_path, "Hello {{ supporter.first_name }}\n\n::: lang ug\n"
                                 "سالام {{ supporter.first_name }}\n\n- بىر\n:::\n\n- one\n")
    block = re.search(r'<div class="turned" lang="ug" dir="rtl" style="[^"]*text-align:right[^"]*">(.*?)</div>', html)
    assert block is not None
    assert "سالام \u2068Ada\u2069" in block[1]
    assert "padding:0 22px 0 0" in block[1]
    assert "padding:0 0 0 22px" in html.replace(block[0], "")
    assert "Hello Ada\n\n\u200fسالام \u2068Ada\u2069\n\n\u200f  • بىر\n\n  • one" in text
    french = parts(tmp_path, "::: lang fr\n- Bonjour\n:::")[0]
    assert '<div class="language" lang="fr" dir="ltr"' in french
    assert "turned" not in french


@pytest.mark.parametrize("name", DIRECTIVES)
def test_every_directive_is_in_both_parts(name: str, tmp_path: Path) -> None:
    """What a writer puts into any directive is read in HTML and in plain text, from one shape."""
    first = {"button": " https://example.org/", "lang": " he"}.get(name, "")
    inside = {"divider": "", "figure": "![The word](https://example.org/a.png)",
              "columns": "The word\n\n---\n\nanother", "ask-ladder": "£5: The word",
              "ask-ladder-monthly": "£5: The word", "milestones": "- The word", "dates": "- **The word** here",
              "story": "## The word\n\nis here", "brief": "## The word\n\nis here"}.get(name, "The word")
    html, text = parts(tmp_path, f"Before\n\n::: {name}{first}\n{inside}\n:::\n\nAfter")
    for part in (html, text):
        assert ("The word" in part) == bool(inside)
        assert part.index("Before") < part.index("After")


@pytest.mark.parametrize(("letter", "code", "line"), [
    ("::: figure\nNo image\n:::", "directive-body", 1),
    ("::: figure\n![A](https://example.org/a.png) and words\n:::", "directive-body", 1),
    ("Hi\n\n::: figure\n![](https://example.org/a.png)\n:::", "image-alt", 3),
    ("::: columns\nOnly one\n:::", "directive-body", 1),
    ("::: columns\nA\n\n---\n\nB\n\n---\n\nC\n:::", "directive-body", 1),
    ("::: ask-ladder\n:::", "directive-body", 1),
    ("::: ask-ladder\n> £5: no\n:::", "directive-body", 1),
    ("Hi\n\n::: lang\nHi\n:::", "directive-language", 3),
    ("::: lang Hebrew!\nHi\n:::", "directive-language", 1),
    ("::: sign-up\nWords\n\n- a list\n:::", "directive-body", 4),
    ("Words[^1]\n", "footnote", 1),
    ("a\n\nWords[^x] more[^y]\n\n[^x]: there\n", "footnote", 3),
])
def test_a_slip_in_a_directive_is_told_with_its_line(letter: str, code: str, line: int, tmp_path: Path) -> None:
    """Each has a sentence that says what belongs there."""
    found = faults(tmp_path, letter, toml=MORE)
    assert [(each.code, each.line) for each in found] == [(code, line)]


def test_a_note_that_nothing_leads_to_is_a_warning(tmp_path: Path) -> None:
    """It is left out of the letter, and staff learn which."""
    bundle = bundle_of(tmp_path, "Words\n\n[^old]: gone\n")
    assert [(each.code, each.level.value, each.line) for each in advise(bundle, date=DAY, mailing={})] == [
        ("footnote", "warning", 3)]


def test_an_image_in_a_column_is_no_wider_than_it(tmp_path: Path) -> None:
    """Outlook shows an image as wide as it is said to be, whatever stands around it."""
    bundle = bundle_of(tmp_path, "::: columns\n![A](https://example.org/a.png)\n\n---\n\nB\n:::\n\n"
                                 "![C](https://example.org/c.png)", toml=MORE)
    html = build(bundle, date=DAY, mailing={}).templates[HTML]
    assert re.search(r'alt="A"[^>]*width="246"', html)
    assert not re.search(r'alt="C"[^>]*width="246"', html)
