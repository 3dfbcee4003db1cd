"""A bundle becomes a letter, or every fault in it is told with file and line."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest

from pillarbox.compose.environment import SUBJECT, plain_environment
from pillarbox.compose.letter import HTML, PREHEADER, TEXT, advise, build
from pillarbox.content import images
from pillarbox.content.bundle import Bundle, gather
from pillarbox.ground.errors import LetterError
from pillarbox.ground.resources import shipped
from pillarbox.model.config import Settings
from pillarbox.model.records import Finding, Letter
from pillarbox.model.sections import LinkSettings
from tests import photographs

DAY = datetime.date(2026, 3, 1)
TOML = 'title = "Spring <&>"\nsubject = "Hello {{ supporter.name }}"\npreheader = "For {{ supporter.name }}"\n'
ADA = {
    "supporter": {"name": "Ada & Co", "salutation": "Dear Ada & Co"},
    "links": {name: f"https://example.org/{name}?a=1&b=2"
              for name in ("donate", "donate_monthly", "unsubscribe", "preferences", "view")},
}
PNG = photographs.drawing(1040, 300)
HOSTED = {"images": "https://example.org/i/"}


def bundle_of(project: Path, letter: str, toml: str = TOML, name: str = "letter.md", **more: str | bytes) -> Bundle:
    folder = project / "appeals" / "spring"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (project / "templates").mkdir(exist_ok=True)
    (project / "templates" / "theme.toml").write_bytes((shipped("templates") / "theme.toml").read_bytes())
    (folder / "appeal.toml").write_text(toml, "utf-8")
    (folder / name).write_text(letter, "utf-8")
    for file, content in more.items():
        path = folder / file.replace("__", "/").replace("_DOT_", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    links = LinkSettings(donate="https://example.org/donate")
    bundle, findings = gather(Settings(folder=project, links=links), "spring")
    assert bundle is not None, findings
    return bundle


def letter_of(project: Path, letter: str, **more: Any) -> Letter:
    return build(bundle_of(project, letter, **more), date=DAY, mailing={"edition": "first"})


def parts(letter: Letter, values: Any = ADA) -> tuple[str, str, str]:
    environment = plain_environment(letter)
    return tuple(environment.rendered(name, values) for name in (SUBJECT, letter.html, letter.text))  # type: ignore[return-value]


def faults(project: Path, letter: str, **more: Any) -> list[Finding]:
    with pytest.raises(LetterError) as caught:
        letter_of(project, letter, **more)
    assert caught.value.where.startswith("appeals/spring/")
    return list(caught.value.findings)  # type: ignore[arg-type]


def test_a_letter_renders_in_its_layout(tmp_path: Path) -> None:
    """Subject, HTML and text carry the supporter's words, escaped in HTML alone, inside the layout."""
    subject, html, text = parts(letter_of(tmp_path, "{{ supporter.salutation }}\n\nThe {{ mailing.edition }}."))
    assert subject == "Hello Ada & Co"
    assert "<p>Dear Ada &amp; Co</p>" in html
    assert "<h1>Spring &lt;&amp;&gt;</h1>" in html
    assert "For Ada &amp; Co" in html
    assert 'href="https://example.org/unsubscribe?a=1&amp;b=2"' in html
    assert "\n\nDear Ada & Co\n\nThe first.\n\n----" in text
    assert "Unsubscribe: https://example.org/unsubscribe?a=1&b=2\n" in text
    assert not {"&amp;", "&lt;"} & set(text.split())


def test_the_date_line_has_the_letters_date_or_the_mailings(tmp_path: Path) -> None:
    """A letter with a date of its own keeps it; another takes the mailing's."""
    assert "1 March 2026" in parts(letter_of(tmp_path, "Hi"))[2]
    assert "3 February 2021" in parts(letter_of(tmp_path, "Hi", toml=TOML + "date = 2021-02-03\n"))[2]


def test_lines_lead_back_to_the_files(tmp_path: Path) -> None:
    """Every template says which file staff know it by, and the letter's say which line."""
    letter = letter_of(tmp_path, "One\n\n{{ supporter.name }}\n")
    for name in (HTML, TEXT):
        assert letter.files[name] == "appeals/spring/letter.md"
        template = letter.templates[name].split("\n")
        number = next(n for n, line in enumerate(template) if "supporter.name" in line)
        assert letter.lines[name][number] == 3
        assert len(letter.lines[name]) == len(template)
    assert (letter.files[SUBJECT], letter.lines[SUBJECT]) == ("appeals/spring/appeal.toml", (2,))
    assert (letter.files[PREHEADER], letter.lines[PREHEADER]) == ("appeals/spring/appeal.toml", (3,))
    assert letter.files["layouts/letter.html"] == "templates/layouts/letter.html"


def test_html_letters_and_hand_written_text(tmp_path: Path) -> None:
    """letter.html with letter.txt is set in the same layouts, and keeps its lines."""
    letter = letter_of(tmp_path, "<p>\n{{ supporter.name }}</p>", name="letter.html",
                       letter_DOT_txt="Hello\n{{ supporter.name }}\n")
    _, html, text = parts(letter)
    assert "<p>\nAda &amp; Co</p>" in html
    assert "\n\nHello\nAda & Co\n\n---" in text
    assert letter.files[TEXT] == "appeals/spring/letter.txt"
    line = next(n for n, words in enumerate(letter.templates[TEXT].split("\n")) if "supporter.name" in words)
    assert letter.lines[TEXT][line] == 2


@pytest.mark.parametrize(("letter", "code", "line"), [
    ("Hi\n\n{% if x %}\nyes\n", "template-syntax", 3),
    ("Hi\n{{ x + }}\n", "template-syntax", 2),
    ("Hi\n\n::: dontae\nGo\n:::\n", "unknown-directive", 3),
    ("::: donate https://example.org/\nGo\n:::\n", "directive-link", 1),
    ("::: button\nGo\n:::\n", "directive-link", 1),
    ("::: donate\n- Go\n:::\n", "directive-body", 1),
    ("::: donate\n:::\n", "directive-body", 1),
    ("::: panel\n:::\n", "directive-body", 1),
    ("::: sign-up\nJoin\n:::\n", "no-link", 1),
    ("Hi\n\n::: panel\nOpen\n", "directive-open", 3),
    ("Hi\n\n![A cat](images/cat.png)\n", "missing-image", 3),
])
def test_a_fault_is_told_with_its_line(tmp_path: Path, letter: str, code: str, line: int) -> None:
    """Every slip that a writer can make has a code, the letter's line and a sentence."""
    found = faults(tmp_path, letter)
    assert [(each.code, each.file, each.line) for each in found] == [(code, "appeals/spring/letter.md", line)]
    assert found[0].message.endswith(".")


def test_every_fault_comes_at_once(tmp_path: Path) -> None:
    """Two wrong directives and a broken subject are one answer."""
    toml = TOML.replace("{{ supporter.name }}\"\npre", "{{ supporter.name }\"\npre")
    found = faults(tmp_path, "::: a\nx\n:::\n\n::: b\ny\n:::\n", toml=toml)
    assert [(each.code, each.file, each.line) for each in found] == [
        ("template-syntax", "appeals/spring/appeal.toml", 2),
        ("unknown-directive", "appeals/spring/letter.md", 1), ("unknown-directive", "appeals/spring/letter.md", 5)]


def test_a_broken_layout_names_its_own_file(tmp_path: Path) -> None:
    """A syntax fault in a layout is told with the layout's file and line."""
    bundle_of(tmp_path, "Hi")
    (tmp_path / "templates" / "layouts").mkdir()
    (tmp_path / "templates" / "layouts" / "letter.html").write_text("<p>\n{% if %}</p>", "utf-8")
    with pytest.raises(LetterError) as caught:
        build(bundle_of(tmp_path, "Hi"), date=DAY, mailing={})
    assert caught.value.where == "templates/layouts/letter.html, line 2"


def test_raw_html_is_a_warning(tmp_path: Path) -> None:
    """HTML in Markdown is shown as letters; staff are told, and the letter still builds."""
    bundle = bundle_of(tmp_path, "One\n\n<b>two</b>\n")
    assert [(each.code, each.line) for each in advise(bundle, date=DAY, mailing={})] == [("raw-html", 3)]
    assert "&lt;b&gt;two" in parts(build(bundle, date=DAY, mailing={}))[1]


def test_a_finding_shows_a_tag_as_it_was_written(tmp_path: Path) -> None:
    """No stand-in of ours for it."""
    found = advise(bundle_of(tmp_path, "One\n\n<b class={{ 'x' }}>two</b>\n"), date=DAY, mailing={})
    assert "<b class={{ 'x' }}> is printed as it stands" in found[0].message


def test_images_get_address_and_size(tmp_path: Path) -> None:
    """A picture in images/ is shown at the mailing's image address, at most as wide as the column."""
    bundle = bundle_of(tmp_path, "![A cat](images/cat.png)\n", images__cat_DOT_png=PNG)
    with pytest.raises(LetterError, match="no public address"):
        build(bundle, date=DAY, mailing={})
    html = parts(build(bundle, date=DAY, mailing=HOSTED))[1]
    name = images.public_name(bundle.appeal.images["cat.png"])
    assert f'<img src="https://example.org/i/{name}" alt="A cat" width="520" height="150" class="airy">' in html


def picture(project: Path, letter: str, **more: Any) -> list[str]:
    """The ``<img>`` tags of a letter with images/cat.png; CAT stands for its address."""
    bundle = bundle_of(project, letter, images__cat_DOT_png=PNG, **more)
    html = parts(build(bundle, date=DAY, mailing=HOSTED))[1]
    address = images.address(HOSTED["images"], bundle.appeal.images["cat.png"])
    return [tag.replace(address, "CAT") for tag in re.findall(r"<img[^>]*>", html)]


def test_an_image_fills_no_more_than_where_it_stands(tmp_path: Path) -> None:
    """In a panel there is less room: Outlook would tear the panel open for one that says more."""
    assert picture(tmp_path, "::: panel\n![A](images/cat.png)\n:::\n\n![B](images/cat.png)\n") == [
        '<img src="CAT" alt="A" width="456" height="132" class="airy">',
        '<img src="CAT" alt="B" width="520" height="150" class="airy">']


def test_an_image_alone_is_a_picture(tmp_path: Path) -> None:
    """Also one that is a link; one among words stays among them."""
    found = picture(tmp_path, "[![A](images/cat.png)](https://example.org/)\n\nWords ![B](images/cat.png) and more\n")
    assert ["airy" in tag for tag in found] == [True, False]


def test_an_image_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """A slip in a name is seen at once."""
    [found] = faults(tmp_path, "Hi\n\n![A](images/Cat.png)\n", images__cat_DOT_png=PNG)
    assert (found.code, found.line) == ("missing-image", 3)
    assert "Did you mean images/cat.png?" in found.message
    [found] = faults(tmp_path, "Hi\n\n![A](images/harbour.jpg)\n")
    assert "There are: cat.png." in found.message


@pytest.mark.parametrize(("html", "made"), [
    ('<img src="images/cat.png" alt="A">', '<img width="520" height="150" src="CAT" alt="A">'),
    ("<img alt='A' src='images/cat.png' width='200'>", "<img alt='A' src='CAT' width='200'>"),
    ('<img style="width:90px" src="images/cat.png">', '<img style="width:90px" src="CAT">'),
    ('<img src="{{ appeal.links.website }}/images/cat.png">', '<img src="/images/cat.png">'),
])
def test_html_of_ones_own_shows_them_too(tmp_path: Path, html: str, made: str) -> None:
    """``src="images/…"`` in letter.html leads to the image; one without a size gets one."""
    found = picture(tmp_path, f"<p>Hi</p>\n{html}\n", name="letter.html", letter_DOT_txt="Hi")
    assert [tag.replace("https://renecassin.org/", "") for tag in found] == [made]


def test_backgrounds_in_html_lead_to_images(tmp_path: Path) -> None:
    """In attributes and in CSS."""
    html = "<table background=\"images/cat.png\" style=\"background:url('images/cat.png')\"></table>"
    bundle = bundle_of(tmp_path, html, name="letter.html",
                       letter_DOT_txt="Hi", images__cat_DOT_png=PNG)
    html = parts(build(bundle, date=DAY, mailing=HOSTED))[1]
    address = images.address(HOSTED["images"], bundle.appeal.images["cat.png"])
    assert f"<table background=\"{address}\" style=\"background:url('{address}')\">" in html


def test_a_missing_image_in_html_has_its_line(tmp_path: Path) -> None:
    """The line of letter.html."""
    [found] = faults(tmp_path, '<p>\n<img src="images/no.png">\n</p>', name="letter.html", letter_DOT_txt="Hi")
    assert (found.code, found.file, found.line) == ("missing-image", "appeals/spring/letter.html", 2)


def test_within_the_message_an_image_has_a_content_id(tmp_path: Path) -> None:
    """Both parts stay the same but for the address, and the plain text says what the image shows."""
    bundle = bundle_of(tmp_path, "![A cat](images/cat.png)\n", images__cat_DOT_png=PNG)
    _, html, text = parts(build(bundle, date=DAY, mailing={"images": "cid:"}))
    assert f'src="cid:{images.content_id(bundle.appeal.images["cat.png"])}"' in html
    assert "[A cat]" in text


def test_a_right_to_left_letter_says_so(tmp_path: Path) -> None:
    """The layout's dir follows the appeal's language."""
    html = parts(letter_of(tmp_path, "سالام", toml=TOML + 'language = "ug"\n'))[1]
    assert '<html lang="ug" dir="rtl"' in html


def test_constants_hold_no_supporter(tmp_path: Path) -> None:
    """What is the same for everyone is charity, theme, appeal and mailing, no more."""
    letter = letter_of(tmp_path, "Hi")
    assert set(letter.constants) == {"charity", "theme", "appeal", "mailing"}
    assert letter.constants["mailing"] == {"edition": "first", "date": DAY}
    assert letter.constants["appeal"]["links"]["donate"] == "https://example.org/donate"
