"""Stories, dates and contents: what a writer's few lines become in both parts of a newsletter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined

from pillarbox.compose import hypertext, markdown, plain
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.model.records import Composed
from pillarbox.shape.bodies import body
from tests.compose.test_letter import ADA, TOML, faults, letter_of

COMPONENTS = """
{%- macro story() %}<story>{{ caller() }}</story>{% endmacro %}
{%- macro brief() %}<brief>{{ caller() }}</brief>{% endmacro %}
{%- macro story_picture() %}<above>{{ caller() }}</above>{% endmacro %}
{%- macro beside_picture() %}<left>{{ caller() }}</left>{% endmacro %}
{%- macro beside_words() %}<right>{{ caller() }}</right>{% endmacro %}
{%- macro dates() %}<dates>{{ caller() }}</dates>{% endmacro %}
{%- macro date_rows() %}<rows>{{ caller() }}</rows>{% endmacro %}
{%- macro date_row() %}<row>{{ caller() }}</row>{% endmacro %}
{%- macro contents() %}<contents>{{ caller() }}</contents>{% endmacro %}"""
PICTURE = "![A table](table.png)"


def rendered(source: str, size: tuple[int, int] | None = (520, 260), **values: Any) -> tuple[str, str]:
    """HTML without line breaks, and text, with images of this size."""
    document = markdown.read(source, "letter.md")
    assert not document.findings
    known = {"width": str(size[0]), "height": str(size[1])} if size else {}
    found = []
    for written, escape in ((hypertext.write(document, lambda _source, _line, _measure: known)[0], True),
                            (plain.write(document)[0], False)):
        environment = Environment(autoescape=escape, undefined=StrictUndefined, loader=DictLoader(
            {"components": COMPONENTS, "letter": '{% import "components" as components %}' + written}))
        tags = environment.get_template("letter").render(values)
        found.append(tags.replace("\n", "") if escape else tags)
    return found[0], found[1]


STORY = f"::: story\n{PICTURE}\n\n## Full again\n\nThe chair was *taken*.\n\n[Read on](https://example.org/)\n:::\n"


def test_a_story_has_its_picture_above_its_words() -> None:
    """Picture, heading, words, and the link that leads on, each in its place; the text part has them all."""
    html, text = rendered(STORY)
    assert html == ('<story><above><img src="table.png" alt="A table" width="520" height="260"></above>'
                    "<h2>Full again</h2><p>The chair was <em>taken</em>.</p>"
                    '<p class="more"><a href="https://example.org/">Read on</a></p></story>')
    assert text == ("<story>\n\n[A table]\n\nFull again\n----------\n\nThe chair was taken.\n\n"
                    "Read on: https://example.org/</story>")


def test_a_brief_has_its_picture_beside_its_words() -> None:
    """The same words, in two columns, the picture scaled to its own."""
    html, text = rendered(STORY.replace("story", "brief"))
    assert html == ('<brief><left><img src="table.png" alt="A table" width="180" height="90"></left>'
                    "<right><h2>Full again</h2><p>The chair was <em>taken</em>.</p>"
                    '<p class="more"><a href="https://example.org/">Read on</a></p></right></brief>')
    assert text == rendered(STORY)[1].replace("story", "brief")


@pytest.mark.parametrize(("name", "size", "shown"), [
    ("story", (300, 100), 'width="300" height="100"'),
    ("brief", (100, 100), 'width="100" height="100" class="tiny"'),
    ("story", (90, 60), 'width="90" height="60" class="tiny"'),
    ("brief", (400, 100), 'width="180" height="45"'),
    ("story", None, 'width="520"'),
    ("brief", None, 'width="180"'),
])
def test_a_picture_is_never_wider_than_its_place(name: str, size: tuple[int, int] | None, shown: str) -> None:
    """A small one stays small. One of unknown size gets the width of its place, or Outlook shows it whole."""
    html, _ = rendered(f"::: {name}\n{PICTURE}\n\n## One\n\nWords.\n:::\n", size)
    assert f'alt="A table" {shown}>' in html



def test_a_link_that_leads_on_may_stand_within_an_if() -> None:
    """It is as large to press as any other; words beside it make it a paragraph."""
    story = "::: story\n## A table\n\nFull again.\n\n{%% if yes %%}\n%s\n{%% else %%}\n%s\n{%% endif %%}\n:::\n"
    link, other = "[Read on](https://example.org/)", "[Write to us](https://example.org/us)"
    html = rendered(story % (link, other), yes=True)[0]
    assert '<p class="more"><a href="https://example.org/">Read on</a></p>' in html
    assert '<p class="more"><a href="https://example.org/us">Write to us</a></p>' in rendered(
        story % (link, other), yes=False)[0]
    assert 'class="more"' not in rendered(story % (link, "Or not: " + other), yes=True)[0]


def test_a_brief_without_a_picture_is_a_story() -> None:
    """Without anything to stand beside, the words have the whole measure."""
    assert rendered("::: brief\n## One\n\nWords.\n:::\n")[0] == "<story><h2>One</h2><p>Words.</p></story>"


@pytest.mark.parametrize("words", ["Look: ![A table](table.png)", "[One](https://a.example/) and [two](https://b.example/)",
                                   "See [this](https://a.example/)."])
def test_only_what_stands_alone_is_set_apart(words: str) -> None:
    """An image within a sentence is no story's picture, and a link within one does not lead on."""
    html, _ = rendered(f"::: story\n{words}\n\n## One\n\n{words}\n:::\n")
    assert "<above>" not in html
    assert 'class="more"' not in html


def test_dates_stand_above_what_happens() -> None:
    """The bold words of each item are its day, without the colon, which the text part keeps; other items stay."""
    html, text = rendered("::: dates\n## Dates\n\n- **Tuesday 8 December:** Vigil, *6 pm*\n- **9 May**: Walk\n- Soon\n"
                          ":::\n")
    assert html == ('<dates><h2>Dates</h2><rows><row><p><strong class="day">Tuesday 8 December</strong><br>Vigil, '
                    '<em>6 pm</em></p></row><row><p><strong class="day">9 May</strong><br>Walk</p></row>'
                    "<row><p>Soon</p></row></rows></dates>")
    assert "  • Tuesday 8 December: Vigil, 6 pm\n  • 9 May: Walk\n  • Soon" in text


def test_dates_may_come_from_a_loop() -> None:
    """A list that a loop makes is set the same way."""
    source = "::: dates\n{% for day in days %}\n- **{{ day }}:** Walk\n{% endfor %}\n:::\n"
    html, text = rendered(source, days=["1 May", "2 May"])
    assert html.count('<row><p><strong class="day">') == 2
    assert '<strong class="day">2 May</strong><br>Walk' in html
    assert "• 2 May: Walk" in text


def test_contents_list_the_stories_by_themselves() -> None:
    """Every story's heading, in order, without its links; none of a story that only some supporters get."""
    source = ("::: contents\nIn this letter\n:::\n\n::: story\n## A [table](https://example.org/) & more\n:::\n\n"
              "{% if vip %}\n::: story\n## Secret\n:::\n{% endif %}\n\n::: brief\n## Two *doors* for {{ who }}\n:::\n")
    html, text = rendered(source, vip=False, who="<Ada>")
    assert html.startswith('<contents><p class="contents-title">In this letter</p><p>A table &amp; more</p>'
                           "<p>Two doors for &lt;Ada&gt;</p></contents>")
    assert text.startswith("<contents>\n\nIn this letter\n  • A table & more\n  • Two doors for <Ada></contents>")


@pytest.mark.parametrize("letter", [
    "::: story\nWords alone\n:::", "::: story\n:::", "::: brief\n![A](a.png)\n:::", "::: dates\nNo list\n:::",
    "::: dates\n:::", "::: contents\n:::", "::: contents\n- a list\n:::", "::: story https://example.org/\n## One\n:::",
])
def test_what_a_directive_lacks_is_told(tmp_path: Path, letter: str) -> None:
    """A story without a heading, dates without a list, contents without words: a finding on its line."""
    found = faults(tmp_path, f"Hi\n\n{letter}\n")
    assert [(each.file, each.line) for each in found] == [("appeals/spring/letter.md", 3)]
    assert found[0].code in ("directive-body", "directive-link")


NEWSLETTER = """{{ supporter.salutation }}

::: contents
In this letter
:::

::: story
![A](https://example.org/a.png)

## For {{ supporter.name }}

Hi.

[More, {{ supporter.name }}]({{ links.donate }})
:::

::: brief
![{{ supporter.name }}](https://example.org/b.png)

## Two
:::

::: dates
- **1 May:** {{ supporter.name }}
:::
"""


def test_a_newsletter_shares_its_shape(tmp_path: Path) -> None:
    """With everything a newsletter can have, values in it, the real composer needs one shape and no slow path."""
    letter = letter_of(tmp_path, NEWSLETTER, toml=TOML + 'layout = "newsletter"\n')
    composer = Composer(letter, finisher(PremailerInliner()), prove_every=1)
    cast = [{**ADA, "supporter": {"name": name, "salutation": f"Dear {name}"}}
            for name in ("Ada & Co", "<B>", 'C "c"')]
    made = composer.compose(cast)
    assert all(isinstance(each, Composed) and not each.slow for each in made), composer.reasons
    assert len(composer.shapes) == 1
    assert isinstance(made[0], Composed)
    html = body(made[0].shape, made[0].values).html
    assert "Ada &amp; Co" in html
    assert 'class="band"' in html
