"""The two letters that ship: every sentence of the originals, slips mended, in both parts."""

from __future__ import annotations

import datetime
import html as html_library
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pillarbox.checking.essentials import review
from pillarbox.compose.environment import plain_environment
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.letter import advise, build
from pillarbox.compose.message import Composer
from pillarbox.content.bundle import gather
from pillarbox.content.theme import Palette
from pillarbox.content.theme import read as read_theme
from pillarbox.model.config import Settings
from pillarbox.model.records import Composed, Letter

ROOT = Path(__file__).resolve().parent.parent
SLUGS = ("uyghur-freedom", "human-rights-day")
DAY = datetime.date(2024, 12, 10)
MAX_BYTES = 60_000
LINKS = {name: f"https://example.org/{name}"
         for name in ("donate", "donate_monthly", "unsubscribe", "preferences", "view")}
SUPPORTER = {"supporter": {"title": "", "first_name": "", "last_name": "", "name": "", "salutation": "Dear Supporter"},
             "links": LINKS}

KEY_SENTENCES = {
    "uyghur-freedom": (
        "Help us take the next steps on the road to Uyghur freedom",
        "3 February 2021 | Genocide, Latest",
        "Dear Supporter",
        "Please make a donation to support René Cassin’s work to stop the persecution of the Uyghur Muslims in China.",
        "feel compelled to speak out.",
        "Then I was introduced to Rahima Mahmut, a Uyghur living in exile in London.",
        "“… we believe it is important to bear witness to what is happening, raise awareness among the Jewish "
        "community, and advocate for an end to China’s persecution of its minorities.”",
        "A story of Jewish solidarity …",
        "“I can no longer remain silent about the plight of the Uighurs.”",
        "“We are not willing to stand aside and do nothing as millions of people are herded into concentration camps.”",
        "currently taking place against Uyghur Muslims under the world’s nose.”",
        "“Jewish leaders use Holocaust Day to decry persecution of Uighurs.”",
        "we have borne witness; we have raised awareness.",
        "Now, please help us build on those foundations …",
        "push for a ‘Genocide Amendment’ to the current Trade Bill",
        "to source their supplies elsewhere;",
        "‘the Genocide Games’ if China continues its current oppression of the Uyghurs.",
        "But we have a long, long way to go.",
        "send a cheque or CAF voucher to René Cassin, 853 Finchley Road, London NW11 8LX.",
        "Mia Hasenson-Gross", "Executive Director",
        "P.S. René Cassin has committed itself to helping the Uyghurs on the long road to freedom.",
        "click the ‘I’d like to give regularly’ button on the donation link.",
        "Share with others…",
    ),
    "human-rights-day": (
        "Today, 10th December, is International Human Rights Day – the 76th anniversary of the signing of the "
        "Universal Declaration of Human Rights in 1948.",
        "So, for Jews, today has a particular significance.",
        "It spoke for the majority of people who knew a better world was possible.",
        "The fact that its co-author, the French-Jewish lawyer Monsieur René Cassin, could draft such a hopeful",
        "so-called ‘socio-economic rights’",
        "‘Everyone has the right to a standard of living adequate for the health and well-being of himself and of his "
        "family,",
        "in circumstances beyond his control.’",
        "They have been neglected for too long.",
        "Let’s stay in touch!",
        "Sign up for our email updates and we’ll keep you informed on all we are working on and how YOU can get "
        "involved.",
    ),
}


def letter_of(slug: str, day: datetime.date = DAY) -> Letter:
    bundle, findings = gather(Settings(folder=ROOT), slug)
    assert bundle is not None, findings
    assert not findings
    assert not advise(bundle, date=day, mailing={})
    return build(bundle, date=day, mailing={})


def parts(slug: str, day: datetime.date = DAY) -> tuple[str, str, str]:
    """Subject, HTML and text for a supporter without a name."""
    letter = letter_of(slug, day)
    environment = plain_environment(letter)
    subject, html, text = (environment.rendered(name, SUPPORTER) for name in ("subject", letter.html, letter.text))
    return subject, html, text


def words(html: str) -> str:
    """What a reader sees of HTML, blanks folded."""
    shown = re.sub(r"<(style|title)\b.*?</\1>|<!--.*?-->", "", html, flags=re.DOTALL)
    return folded(html_library.unescape(re.sub(r"</?(?:em|strong|a|span)\b[^>]*>", "", shown).replace("<", " <")))


def folded(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>|•", " ", text).split()).replace(" .", ".")


def corrections(slug: str) -> list[tuple[str, str]]:
    source = (ROOT / "appeals" / slug / "CORRECTIONS.md").read_text("utf-8")
    return re.findall(r"^- `(.+?)` → `(.+?)`: ", source, re.MULTILINE)


def shared_letters() -> Path | None:
    given = os.environ.get("PILLARBOX_SHARED")
    places = [Path(given)] if given else [ROOT.parent / "shared", ROOT.parent.parent / "shared"]
    return next((place / "letters" for place in places if (place / "letters").is_dir()), None)


@pytest.mark.shared
@pytest.mark.parametrize("slug", SLUGS)
def test_every_sentence_of_the_original_is_there(slug: str) -> None:
    """Each line of the original, with the listed corrections made, stands in the HTML and in the text part."""
    folder = shared_letters()
    if folder is None:
        pytest.skip("the originals are not beside this checkout (../shared/letters)")
    original = (folder / f"{slug}.txt").read_text("utf-8").replace("\u00a0", " ")
    for before, after in corrections(slug):
        assert before in original, f"not in the original: {before}"
        original = original.replace(before, after, 1)
    _, html, text = parts(slug)
    lines = [folded(line) for line in original.split("\n") if line.strip()]
    assert len(lines) >= 8
    for line in lines:
        assert line in words(html)
        assert line in folded(text)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_key_sentences_are_there(slug: str) -> None:
    """The sentences that carry each letter stand in both parts."""
    _, html, text = parts(slug)
    for sentence in KEY_SENTENCES[slug]:
        assert sentence in words(html)
        assert sentence in folded(text)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_listed_corrections_are_made(slug: str) -> None:
    """What CORRECTIONS.md says we send is sent, and the slip is not."""
    _, html, text = parts(slug)
    listed = corrections(slug)
    assert len(listed) >= 7
    for before, after in listed:
        for shown in (words(html), folded(text)):
            assert folded(after) in shown
            assert folded(before) in folded(after) or folded(before) not in shown


@pytest.mark.parametrize("slug", SLUGS)
def test_every_quotation_mark_is_closed(slug: str) -> None:
    """As many quotations close as open."""
    text = parts(slug)[2]
    assert text.count("“") == text.count("”")
    apostrophes = len(re.findall(r"\w’\w", text))
    assert text.count("‘") == text.count("’") - apostrophes


@pytest.mark.parametrize(("day", "sentence"), [
    (datetime.date(2024, 12, 10), "Today, 10th December, is International Human Rights Day – the 76th anniversary of"),
    (datetime.date(2026, 12, 10), "Today, 10th December, is International Human Rights Day – the 78th anniversary of"),
    (datetime.date(2026, 12, 9), "This year’s International Human Rights Day, 10th December, is the 78th anniversary"),
    (datetime.date(2027, 12, 11), "10th December was International Human Rights Day – the 79th anniversary of"),
    (datetime.date(2029, 1, 5), "This year’s International Human Rights Day, 10th December, is the 81st anniversary"),
])
def test_the_anniversary_is_counted_from_the_sending_date(day: datetime.date, sentence: str) -> None:
    """The ordinal, the date line, the subject and "today" are right on any date."""
    subject, html, text = parts("human-rights-day", day)
    assert sentence in words(html)
    assert sentence in folded(text)
    assert f"{day.day} {day:%B %Y}" in text
    assert sentence.split(" anniversary")[0].rpartition(" ")[2] in subject
    on_the_day = (day.month, day.day) == (12, 10)
    assert ("for Jews, today has" in folded(text)) == on_the_day
    assert ("for Jews, the day has" in folded(text)) != on_the_day


@pytest.mark.parametrize("slug", SLUGS)
def test_one_shape_serves_every_supporter(slug: str) -> None:
    """The real composer needs no slow path, the finished letter stays under 60 KB, and review finds nothing."""
    letter = letter_of(slug)
    composer = Composer(letter, finisher(PremailerInliner()))
    cast = [{"supporter": {**SUPPORTER["supporter"], "salutation": f"Dear {name}"},
             "links": {each: f"{link}/{name}?a=1&b" for each, link in LINKS.items()}}
            for name in ("Alice & Bob", "<Charlie>", "O'Hara \"x\"", "ئايگۈل")]
    composed = composer.compose(cast)
    assert all(isinstance(each, Composed) and not each.slow for each in composed)
    assert (len(composer.shapes), composer.slow_path, composer.reasons) == (1, 0, ())
    (shape,) = composer.shapes.values()
    assert len(shape.html.encode()) < MAX_BYTES
    assert review(letter, shape) == []
    assert "prefers-color-scheme: dark" in shape.html
    assert "[data-ogsc]" in shape.html
    assert "max-width: 480px" in shape.html


def test_the_appeal_has_its_parts() -> None:
    """Pull quote, two lists of three, two buttons, signature, P.S. and share links are there."""
    _, html, _ = parts("uyghur-freedom")
    assert html.count('class="pull-quote"') == 1
    assert [block.count("<li>") for block in re.findall(r"<ul>.*?</ul>", html, re.DOTALL)] == [3, 3]
    assert re.findall(r'<a class="(button[a-z-]*)" href="([^"]*)"', html) == [
        ("button", LINKS["donate"]), ("button-quiet", LINKS["donate_monthly"])]
    assert html.count("<v:roundrect") == 2
    assert [len(re.findall(rf'class="{name}"', html)) for name in ("signed", "signatory", "role", "ps")] == [1, 1, 1, 1]
    for where in ("mailto:?subject=", "https://wa.me/", "https://www.facebook.com/", "https://x.com/"):
        assert f'href="{where}' in html


def test_the_message_has_its_parts() -> None:
    """Article 25 is a block quote, and the sign-up button leads to the sign-up page."""
    _, html, _ = parts("human-rights-day")
    quote = re.search(r"<blockquote>(.*?)</blockquote>", html, re.DOTALL)
    assert quote is not None
    assert "standard of living" in quote[1]
    assert 'class="button" href="https://renecassin.org/sign-up/"' in html


def as_outlook(html: str) -> str:
    """What Word's engine reads: its own conditional parts, and not what is for all others."""
    others = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", r"\1", others, flags=re.DOTALL)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("see", [as_outlook, lambda html: re.sub(r"<!--\[if mso\]>.*?<!\[endif\]-->", "", html)])
def test_every_program_sees_whole_tables(slug: str, see: Callable[[str], str]) -> None:
    """In Outlook and elsewhere each table, cell, link and shape that opens closes, and no condition is left open."""
    seen = see(parts(slug)[1])
    for tag in ("table", "tr", "td", "div", "p", "a", "center", "v:roundrect"):
        assert len(re.findall(rf"<{tag}[\s>]", seen)) == seen.count(f"</{tag}>"), tag
    assert "[if mso]" not in seen
    assert seen.count("[if !mso]") == seen.count("<!--<![endif]")


@pytest.mark.parametrize(("slug", "name"), [("uyghur-freedom", "pull-quote"), ("human-rights-day", "panel")])
def test_what_is_set_in_is_a_cell(slug: str, name: str) -> None:
    """Outlook gives padding to cells only: a panel's and a pull quote's words never touch the edge."""
    assert f'<td class="{name}"' in parts(slug)[1]


@pytest.mark.parametrize("slug", SLUGS)
def test_the_text_part_reads_well(slug: str) -> None:
    """No entities, no HTML, no runs of blank lines, no line over 78 columns but links."""
    text = parts(slug)[2]
    assert not re.search(r"&\w+;|<[a-z/]", text.replace("<https://", ""))
    assert "\n\n\n" not in text
    assert all(len(line) <= 78 or "https://" in line for line in text.split("\n"))
    assert all(line == line.rstrip() for line in text.split("\n"))


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["colours", "dark"])
def test_words_can_be_read_in_both_schemes(scheme: str) -> None:
    """Every pair of words and ground has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    theme, _ = read_theme(ROOT)
    assert theme is not None
    palette: Palette = getattr(theme, scheme)
    pairs = [(palette.ink, palette.paper), (palette.ink, palette.tint), (palette.muted, palette.paper),
             (palette.muted, palette.page), (palette.accent, palette.paper), (palette.accent, palette.tint),
             (palette.on_accent, palette.accent), (theme.colours.on_accent, theme.colours.accent)]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []
