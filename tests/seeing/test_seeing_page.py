"""The page in a real browser: each way of seeing is what it says, and a letter can do nothing to it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pillarbox.mailings.samples import MADE_UP
from pillarbox.seeing.page import page as page_of
from tests.projects import LETTER, TestProject, make
from tests.web.browsing import chromium, violations

pytestmark = pytest.mark.browser
HOSTILE = """<!DOCTYPE html><html lang="en-GB" dir="ltr"><head><title>x</title><style>p { color: #123456 }</style>
<script>parent.document.title = "taken"; top.taken = true</script></head>
<body onload="parent.document.title = 'taken'"><p>{{ supporter.salutation }}, (prefers-color-scheme: dark)</p>
<img src="missing.png" onerror="top.taken = true" alt="x"><a href="javascript:top.taken=true" id="trap">Click</a>
<a href="https://give.harbour.example/" id="away">Give</a><iframe src="https://example.org/"></iframe></body></html>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def project(tmp_path: Path) -> TestProject:
    """The harbour project."""
    return make(tmp_path / "p", light=False)


@pytest.fixture
def written(project: TestProject, tmp_path: Path) -> Path:
    """Its page."""
    project.run("preview", "harbour", "--out", str(tmp_path / "out"))
    return tmp_path / "out" / "harbour.html"


def opened(browser: Any, address: str, *, width: int = 1280, scheme: str = "light", bypass: bool = False) -> Any:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=bypass)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-drawn]")
    return page


def inside(page: Any, words: str) -> Any:
    """Something of the first frame's document, as this page's own script may see it."""
    return page.evaluate(f"(() => {{ const letter = document.querySelector('iframe').contentDocument; return {words}; "
                         "})()")


def wait_for(page: Any, words: str) -> None:
    """Until the first screen shows these words, alone."""
    for _ in range(100):
        if page.evaluate("document.querySelectorAll('.glass')[0].children.length") == 1 and words in inside(
                page, "letter.body.innerText"):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{words!r} was not drawn")


def settled(page: Any) -> None:
    """Every frame that was asked for is drawn."""
    page.wait_for_function("[...document.querySelectorAll('.glass')].every(one => one.children.length === 1 && "
                           "one.firstChild.style.visibility === 'visible')")


def test_the_letter_is_shown_light_dark_inverted_bare_and_stripped(browser: Any, written: Path) -> None:
    """Whatever the visitor's own scheme; two screens, each as wide as its device and as tall as the letter."""
    page = opened(browser, written.as_uri(), scheme="dark", bypass=True)
    paper = "getComputedStyle(letter.querySelector('.paper')).backgroundColor"
    assert [frame.evaluate("f => f.clientWidth") for frame in page.query_selector_all("iframe")] == [720, 375]
    assert page.evaluate("document.querySelector('iframe').clientHeight") > 700
    light = inside(page, paper)
    page.get_by_label("Dark", exact=True).check()
    settled(page)
    dark = inside(page, paper)
    assert (light, dark) == ("rgb(255, 253, 250)", "rgb(26, 33, 38)")
    page.get_by_label("Inverted", exact=True).check()
    settled(page)
    assert inside(page, paper) == light
    assert "invert" in inside(page, "getComputedStyle(letter.documentElement).filter")
    page.get_by_label("No styles", exact=True).check()
    settled(page)
    assert inside(page, "letter.querySelectorAll('style').length") == 1  # ours
    page.get_by_label("Plain text", exact=True).check()
    assert "Dear Ms Sample," in page.inner_text(".sheet")
    page.get_by_label("Source", exact=True).check()
    assert page.inner_text(".sheet").startswith("<!DOCTYPE html>")
    page.get_by_label("Wall", exact=True).check()
    settled(page)
    assert page.locator("figure").count() == 8


def test_another_supporter_and_the_inbox(browser: Any, written: Path) -> None:
    """Who reads it changes letter, subject and the words after it."""
    page = opened(browser, written.as_uri(), bypass=True)
    assert "The harbour needs you, Dear Ms Sample" in page.inner_text("#inbox")
    assert "No preheader" in page.inner_text("#inbox")
    page.get_by_label("Nobody in particular").check()
    settled(page)
    assert "Dear Supporter" in page.inner_text("#inbox")
    assert "Every gift counts" not in inside(page, "letter.body.innerText")
    assert page.locator(".who").count() == len(MADE_UP)


def test_a_hostile_letter_runs_nothing_and_goes_nowhere(browser: Any, tmp_path: Path) -> None:
    """No script, no handler, no javascript: link, should one ever get past the reading of a letter."""
    frame = {"version": 1, "slug": "trap", "title": "Trap", "kind": "appeal", "made_up": True, "images": {},
             "sender": {"name": "Us", "email": "us@example.org"}, "people": [{"who": "Ada", "note": ""}], "faults": []}
    copy = {"subject": "Trap", "preheader": "", "text": "Trap", "fault": None,
            "html": HOSTILE.replace("{{ supporter.salutation }}", "Dear Ms Sample")}
    (tmp_path / "trap.html").write_text(page_of(frame, copies=[copy], findings=[]), "utf-8")
    page = opened(browser, (tmp_path / "trap.html").as_uri())
    assert "Dear Ms Sample" in inside(page, "letter.body.innerText")
    before = len(page.context.pages)
    frame = page.frames[1]
    for link in ("#trap", "#away"):
        frame.locator(link).click(force=True, no_wait_after=True)
    page.wait_for_timeout(300)
    assert page.title().endswith("preview")
    assert page.evaluate("window.taken") is None
    assert len(page.context.pages) == before
    assert "Dear Ms Sample" in inside(page, "letter.body.innerText")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_itself_can_be_used_by_everybody(browser: Any, written: Path, width: int, scheme: str) -> None:
    """axe-core finds nothing, and nothing scrolls sideways."""
    page = opened(browser, written.as_uri(), width=width, scheme=scheme, bypass=True)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_saved_letter_is_drawn_where_the_reader_was(browser: Any, project: TestProject) -> None:
    """Same supporter, same scroll; a fault is told and the last good letter stays; mended, it is drawn again."""
    serving = project.start("preview", "harbour", "--serve")
    assert serving.stdout is not None
    letter = project.folder / "appeals/harbour/letter.md"
    try:
        address = next(line.strip() for line in serving.stdout if "http://" in line)
        page = opened(browser, address)
        page.get_by_label("Nobody in particular").check()
        page.set_viewport_size({"width": 1280, "height": 400})
        wait_for(page, "Dear Supporter")
        page.evaluate("window.scrollTo(0, 300)")
        assert page.evaluate("window.scrollY") == 300
        drawn = page.get_attribute("html", "data-drawn")
        letter.write_text(LETTER.replace("the lamp burning", "the new lamp burning"), "utf-8")
        page.wait_for_selector(f'html:not([data-drawn="{drawn}"])')
        wait_for(page, "the new lamp burning")
        assert "Dear Supporter" in inside(page, "letter.body.innerText")
        assert page.evaluate("window.scrollY") == 300
        letter.write_text("{% if %}", "utf-8")
        page.wait_for_selector("#findings .place:has-text('appeals/harbour/letter.md')")
        assert "as it was before" in page.inner_text("#notice")
        assert "the new lamp burning" in inside(page, "letter.body.innerText")
        drawn = page.get_attribute("html", "data-drawn")
        letter.write_text(LETTER, "utf-8")
        page.wait_for_selector(f'html:not([data-drawn="{drawn}"])')
        page.wait_for_selector("#notice:empty", state="attached")
        page.wait_for_selector("#tally:not(:empty)")
    finally:
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=30)
    page.wait_for_selector(".state.away")
