"""What would run, or leads out of the project, is a finding with file and line before anything is composed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.compose.dangers import in_finished, in_markdown
from pillarbox.compose.letter import build
from pillarbox.ground.errors import LetterError
from pillarbox.model.records import Finding
from tests.compose.test_letter import DAY, bundle_of, faults


@pytest.mark.parametrize(("words", "code"), [
    ("<script>alert(1)</script>", "script"), ("&lt;script&gt;", "script"), ("<scr\u200bipt>", "script"),
    ("<img src=x onerror=alert(1)>", "script"), ("<IFRAME src=x>", "script"), ("<form action=x>", "script"),
    ("[x](javascript:alert(1))", "script-link"), ("[x](JaVaScript:alert(1))", "script-link"),
    ("[x](java&#115;cript&colon;alert(1))", "script-link"), ("[x](< vbscript:x>)", "script-link"),
    ("![x](data:text/html;base64,AAAA)", "script-link"), ("<javascript:alert(1)>", "script-link"),
    ("[x]: javascript:alert(1)", "script-link"), ("[x](file:///etc/passwd)", "script-link"),
])
def test_markdown_that_hides_a_script_is_a_fault(words: str, code: str, tmp_path: Path) -> None:
    """However it is spelt; the finding names the paragraph's line."""
    assert [(each.code, each.file, each.line) for each in faults(tmp_path, f"Hi\n\n{words}\n")] == [
        (code, "appeals/spring/letter.md", 3)]


@pytest.mark.parametrize("words", [
    "See [our page](https://example.org/javascript:x) on scripts.", "5 < 6, and form follows function: data: none.",
    "<someone@example.org> wrote: “on the one hand = nothing”.", "[x](mailto:a@example.org?subject=script)",
    "The script: “Act one”. File: 12. A javascript course."])
def test_words_about_scripts_are_words(words: str) -> None:
    """A letter may speak of anything."""
    assert in_markdown(words) is None


def test_html_letters_are_searched_line_by_line(tmp_path: Path) -> None:
    """Scripts, handlers and links that run; what Gmail reads of an event is none of them."""
    html = ('<p>\n<script>x</script>\n<a href="javascript:x">a</a>\n<b title="on top = 1" onclick="x">b</b>\n'
            '<script type="application/ld+json">{}</script></p>')
    found = faults(tmp_path, html, name="letter.html", letter_DOT_txt="x")
    assert [(each.code, each.file, each.line) for each in found] == [
        ("script", "appeals/spring/letter.html", 2), ("script-link", "appeals/spring/letter.html", 3),
        ("script", "appeals/spring/letter.html", 4)]


def test_a_finished_letter_tells_each_kind_once() -> None:
    """What a template printed with |safe is found too."""
    page = "<script>1</script><script>2</script><p onload=x>"
    assert [each.what for each in in_finished(page)] == ["<script", "onload"]


@pytest.mark.parametrize(("letter", "code", "line"), [
    ('Hi\n\n{% include "../../secrets.txt" %}', "path-outside", 3),
    ('Hi\n\n{% include "/etc/passwd" %}', "path-outside", 3),
    ('Hi\n\n{% include "..\\\\x" %}', "path-outside", 3),
    ('{% if supporter.name == "nobody" %}\n\n{% include "componets.html" %}\n{% endif %}', "missing-template", 3),
    ('Hi\n\n{% include ["a.html", "b.html"] %}', "missing-template", 3),
    ('Hi\n\n{% include "letter.html" %}', "circular-template", 3),
])
def test_an_include_that_cannot_be_is_told_once(letter: str, code: str, line: int, tmp_path: Path) -> None:
    """Also where no supporter's copy would come to it; HTML and plain text share one finding."""
    found = faults(tmp_path, letter)
    assert (found[0].code, found[0].file, found[0].line) == (code, "appeals/spring/letter.md", line)
    assert len({each.message for each in found}) == len(found)


def test_circles_name_their_way_round(tmp_path: Path) -> None:
    """Includes and layouts that come back to themselves, with the template and line where they do."""
    bundle_of(tmp_path, "Hi")
    (tmp_path / "templates" / "a.html").write_text("a\n{% include 'b.html' %}", "utf-8")
    (tmp_path / "templates" / "b.html").write_text("b\n\n{% include 'a.html' %}", "utf-8")
    with pytest.raises(LetterError) as caught:
        build(bundle_of(tmp_path, "Hi\n\n{% include 'a.html' %}"), date=DAY, mailing={})
    found = [each for each in caught.value.findings if isinstance(each, Finding)]
    assert [(each.code, each.file, each.line) for each in found] == [("circular-template", "templates/b.html", 3)]
    assert "a.html → b.html → a.html" in found[0].message


def test_a_missing_file_that_may_be_missing_is_no_fault(tmp_path: Path) -> None:
    """``ignore missing``, and the first of several that is there."""
    build(bundle_of(tmp_path, 'Hi\n\n{% include "gone.html" ignore missing %}\n'
                              '{% include ["gone.html", "dateline.html"] %}'), date=DAY, mailing={})


def test_a_layout_with_a_script_is_told_with_its_own_line(tmp_path: Path) -> None:
    """A project's own templates are searched as well."""
    bundle_of(tmp_path, "Hi")
    (tmp_path / "templates" / "wordmark.html").write_text("<b>\n<script src='x'></script></b>", "utf-8")
    with pytest.raises(LetterError) as caught:
        build(bundle_of(tmp_path, "Hi"), date=DAY, mailing={})
    assert caught.value.where == "templates/wordmark.html, line 2"
