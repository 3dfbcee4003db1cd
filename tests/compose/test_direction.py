"""A letter from right to left: its direction said, its sides mirrored, its values kept apart, in every part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pillarbox.compose.direction import direction_of, is_language, isolated_source
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.letter import build
from pillarbox.compose.message import Composer
from pillarbox.model.records import Composed
from pillarbox.shape.bodies import body
from tests.compose.test_directives import PEOPLE
from tests.compose.test_letter import ADA, DAY, bundle_of, parts

TOML = ('title = "שמרו על המנורה"\nsubject = "המנורה, {{ supporter.first_name }}, 2026!"\n'
        'preheader = "בשביל {{ supporter.first_name }}"\nlanguage = "{}"\n')
LETTER = """{{ supporter.first_name }}, שלום!

## מה עשינו

- תיקנו את העדשה, {{ supporter.first_name }}.

> ציטוט

[קישור](https://example.org/?x={{ supporter.first_name }})

::: lang en
In English, {{ supporter.first_name }}.

- One
:::
"""


def letter(project: Path, language: str = "he", source: str = LETTER) -> tuple[str, str, str]:
    """Subject, HTML and text for Ada, composed by the shared shape, each copy proved."""
    built = build(bundle_of(project, source, toml=TOML.replace("{}", language)), date=DAY, mailing={})
    composer = Composer(built, finisher(PremailerInliner()), prove_every=1)
    made = composer.compose(PEOPLE)
    assert all(isinstance(each, Composed) and not each.slow for each in made), (made, composer.reasons)
    assert len(composer.shapes) == 1
    first = made[0]
    assert isinstance(first, Composed)
    whole = body(first.shape, first.values)
    return whole.subject, whole.html, whole.text


@pytest.mark.parametrize(("language", "direction"), [
    ("he", "rtl"), ("ar", "rtl"), ("ar-EG", "rtl"), ("ug", "rtl"), ("ug-CN", "rtl"), ("fa", "rtl"), ("ur", "rtl"),
    ("yi", "rtl"), ("ckb", "rtl"), ("en-GB", "ltr"), ("fr", "ltr"), ("ug-Latn", "ltr"), ("ug-Cyrl", "ltr"),
    ("az", "ltr"), ("az-Arab", "rtl"), ("pa-Arab-PK", "rtl"), ("ku", "ltr"), ("cy", "ltr")])
def test_a_language_is_written_one_way_and_its_script_decides(language: str, direction: str) -> None:
    """Uyghur in Latin letters runs from left to right."""
    assert direction_of(language) == direction
    assert is_language(language)


@pytest.mark.parametrize("language", ["he", "ar", "ug"])
def test_direction_is_said_and_sides_are_mirrored(language: str, tmp_path: Path) -> None:
    """Root, list, quotation and words turn; in the head's own rules, too."""
    _, html, _ = letter(tmp_path, language)
    assert f'<html lang="{language}" dir="rtl"' in html
    outside, _, inside = html.partition('<div class="turned" lang="en" dir="ltr"')
    assert "text-align:right" in outside
    assert "text-align:left" not in outside.partition("</head>")[2]
    assert "padding:0 22px 0 0" in outside
    assert re.search(r"<blockquote style=\"[^\"]*border-right:3px", outside)
    assert ".pull-quote { padding-right: 18px !important" in outside
    assert "padding:0 0 0 22px" in inside
    assert 'lang="en" dir="ltr"' in inside.partition('class="footer')[2], "the layout's English words keep their way"


def test_a_left_to_right_letter_is_as_it_was(tmp_path: Path) -> None:
    """No mark, no mirrored rule, no rule for blocks that it does not have."""
    subject, html, text = letter(tmp_path, "en-GB", "Hello {{ supporter.first_name }}\n\n- one\n")
    assert not re.search("[\u200f\u2066-\u2069]|turned ul", subject + html + text)
    assert "padding:0 0 0 22px" in html


def test_values_are_kept_apart_from_the_words_around_them(tmp_path: Path) -> None:
    """In subject, preheader, HTML and plain text; never in a link's address, and not in a block of English."""
    subject, html, text = letter(tmp_path)
    assert subject == "המנורה, \u2068Ada\u2069, 2026!"
    assert "בשביל \u2068Ada\u2069" in html
    assert "<p style=" in html
    assert ">\u2068Ada\u2069, שלום!</p>" in html
    assert 'href="https://example.org/?x=Ada"' in html
    assert "In English, Ada." in html
    assert "\u200f\u2068Ada\u2069, שלום!" in text
    assert "\nIn English, Ada.\n" in text
    assert "קישור: https://example.org/?x=Ada" in text


def test_every_line_of_plain_text_begins_from_the_right(tmp_path: Path) -> None:
    """A line that opens with a name in Latin letters, a bullet or dashes would else stand on the left."""
    _, _, text = letter(tmp_path)
    words = text.partition("\u200f")[1] + text.partition("\u200f")[2]
    own = words.partition("\nIn English")[0].rstrip("\n")
    assert all(line.startswith("\u200f") for line in own.split("\n") if line.strip())
    assert "\u200fמה עשינו\n\u200f--------" in text


def test_a_letter_without_values_renders_plainly_the_same(tmp_path: Path) -> None:
    """The plain environment prints the same marks."""
    built = build(bundle_of(tmp_path, "שלום {{ supporter.name }}", toml=TOML.replace("{}", "he").replace(
        "first_name", "name")), date=DAY, mailing={})
    subject, html, text = parts(built, ADA)
    assert "\u2068Ada & Co\u2069" in subject
    assert "שלום \u2068Ada &amp; Co\u2069" in html
    assert "שלום \u2068Ada & Co\u2069" in text


def test_statements_and_raw_words_are_not_isolated() -> None:
    """Only what is printed is."""
    assert isolated_source("{% if a %}{{ a }}{% endif %}{% raw %}{{ b }}{% endraw %}{# c #}") == (
        "{%+ if a +%}\u2068{{ a }}\u2069{%+ endif +%}{% raw %}{{ b }}{% endraw %}")
