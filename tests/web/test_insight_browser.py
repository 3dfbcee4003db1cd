"""The reading pages in a real browser: narrow, dark, by keyboard, without script; letters shut in their box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from pillarbox.model.records import Place, Token
from pillarbox.model.states import Basis, Role
from pillarbox.store import letters
from pillarbox.store.connect import connect
from pillarbox.store.schema import message_values, messages, metadata, shapes
from pillarbox.web.app import create
from tests.reports.builders import Builder
from tests.reports.samples import sample_mailing
from tests.web.asking import NAME, join
from tests.web.browsing import serving, violations
from tests.web.desk import NAMES, PASSWORD, staff
from tests.web.site import PROJECT, settings_for

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("quick_passwords")]
AT = f"/staff/mailings/{NAME}"
LETTER = ('<html><head><style>a{color:#0f5c7a}</style></head><body><h1>A letter</h1><p>Dear x7f00000x</p>'
          '<p><a href="x7f00001x">Give now</a></p><p><a href="https://charity.example.org/share">Share it</a></p>'
          '<script>document.title = "it ran"</script></body></html>')


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A served dashboard, and one message of its mailing."""

    base: str
    message: int
    long: int
    """A message whose mailing, supporter and giver have names and addresses without an end."""

    @property
    def pages(self) -> list[str]:
        """Every kind of reading page."""
        return [AT, f"{AT}/clicks", f"{AT}/messages", f"{AT}/messages?show=in-doubt", f"{AT}/messages/{self.message}",
                f"{AT}/donations", "/staff/mailings/varied", "/staff/compare",
                f"/staff/mailings/long/messages/{self.long}", "/staff/mailings/long/donations",
                f"/staff/compare?m={NAME}&m=autumn&m=few", "/staff/lists", "/staff/lists/1"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all: nothing here changes anything."""
    folder: Path = tmp_path_factory.mktemp("insight")
    store = connect("sqlite:///test.db", folder)
    metadata.create_all(store.writer)
    staff(store)
    with store.writing() as connection:
        sample_mailing(connection, 300)
        sample_mailing(connection, 200, name="autumn", seed=11)
        sample_mailing(connection, 900, name="varied", seed=5, variants="ab")
        sample_mailing(connection, 90, name="varied-too", seed=5, variants="ab")
        Builder(connection, name="few", practice=True).message()
        for unseen in ("unseen", "unseen-too"):
            one = Builder(connection, name=unseen)
            one.gift(5_00, message_id=one.message())
        endless = Builder(connection, name="long", title="Donaudampfschifffahrtselektrizitätenhauptbetriebswerk" * 2)
        name, address = "Bartholomew" * 9, f"{'l' * 60}@{'a-very-long-subdomain.' * 5}example.org"
        long = endless.message(address=address, to_name=name)
        endless.gift(12_345_678_00, message_id=long, name=name, address=address, code="K" * 26)
        connection.execute(update(shapes).values(
            subject="A letter", html=LETTER, tokens=letters.pack_tokens([
                Token(mark="x7f00000x", value=0, place=Place.TEXT),
                Token(mark="x7f00001x", value=1, place=Place.URL_START)])))
        message = connection.execute(select(messages.c.id).limit(1)).scalar_one()
        connection.execute(insert(message_values).values(message_id=message, values=letters.pack_values(
            ["Alice", "https://donate.example.org/give?ref=alice"])))
        for rich, pence in (("rich", 9_876_543_21), ("poor", 12_00)):
            one = Builder(connection, name=rich)
            for _ in range(30):
                one.gift(pence, message_id=one.message())
        for n in range(12):
            join(connection, "newsletter", f"list{n}@example.org", consent=Basis.CONSENT, tracking=n > 3)
    with serving(create(store, settings_for(None), PROJECT)) as base:
        yield Desk(base=base, message=message, long=long)
    store.close()


def entered(browser: Any, desk: Desk, role: Role = Role.SEND, **context: Any) -> Any:
    """A page in which somebody has logged in."""
    page = browser.new_context(**context).new_page()
    page.goto(f"{desk.base}/staff/login")
    page.fill("[name=name]", NAMES[role])
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".who")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_fits_and_stands_in_nobodys_way(browser: Any, desk: Desk, width: int, scheme: str) -> None:
    """No sideways scroll, and nothing that axe-core finds, with every table of numbers open."""
    page = entered(browser, desk, viewport={"width": width, "height": 780}, color_scheme=scheme, bypass_csp=True)
    for path in desk.pages:
        page.goto(desk.base + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert violations(page) == [], path


@pytest.mark.parametrize("width", [360, 1280])
def test_what_is_said_of_large_sums_lies_over_nothing(browser: Any, desk: Desk, width: int) -> None:
    """Words beside a line that have no room there stand below it."""
    page = entered(browser, desk, viewport={"width": width, "height": 780})
    page.goto(f"{desk.base}/staff/compare?m=rich&m=poor&m={NAME}")
    assert "£9,876,543.21" in page.locator("section[aria-labelledby=measure-pounds_per_letter]").inner_text()
    words = boxes(page, "text")
    marks = boxes(page, 'line[stroke-width="7"], path[transform]')
    assert words
    assert marks
    assert [(one, other) for one in words for other in marks if _overlap(one, other)] == []


def boxes(page: Any, selector: str) -> list[dict[str, float]]:
    """Where parts of the page's pictures lie that are shown."""
    return [box for box in (one.bounding_box() for one in page.locator(f".measures svg :is({selector})").all()) if box]


def _overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
               for start, size in (("x", "width"), ("y", "height")))


def test_our_own_policy_lets_our_own_pages_work_without_a_script(browser: Any, desk: Desk) -> None:
    """Styles are let in, pictures drawn in the page's colours, nothing is held back; no script is needed."""
    page = entered(browser, desk, java_script_enabled=False)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in desk.pages:
        page.goto(desk.base + path)
        assert page.locator("h1").count() == 1, path
    page.goto(desk.base + AT)
    page.wait_for_selector("svg.plot.wide >> visible=true")  # the page comes again by itself until they are drawn
    assert page.locator("svg.plot.wide:visible").count() == 4
    assert page.locator("svg.plot.narrow:visible").count() == 0
    assert not [line for line in said if "Content Security Policy" in line and "sandbox" not in line.lower()]


@pytest.mark.parametrize("scripts", [True, False])
def test_pictures_come_to_a_page_that_did_not_wait_for_them(browser: Any, desk: Desk, scripts: bool) -> None:
    """Fetched into the page by its script; without scripts the whole page comes again."""
    page = entered(browser, desk, java_script_enabled=scripts)
    answers: list[int] = []
    page.on("framenavigated", lambda _frame: answers.append(1))
    came = page.goto(f"{desk.base}/staff/mailings/unseen{'' if scripts else '-too'}")
    assert "The pictures are being drawn" in came.text()
    page.wait_for_selector("#pictures svg.plot.wide >> visible=true")
    assert "being drawn" not in page.locator("main").inner_text()
    assert (len(answers) == 1) is scripts


def test_the_pictures_of_variants_come_into_the_page_too(browser: Any, desk: Desk) -> None:
    """And a server that is busy for a moment is asked again."""
    page = entered(browser, desk)
    answers: list[int] = []

    def once_busy(route: Any) -> None:
        answers.append(1)
        route.fulfill(status=503, body="busy") if len(answers) == 2 else route.continue_()

    page.route("**/staff/mailings/varied-too", once_busy)
    page.goto(f"{desk.base}/staff/mailings/varied-too")
    page.wait_for_selector("#variant-pictures svg.plot >> visible=true")
    assert len(answers) > 2


def test_a_letter_lies_in_a_box_from_which_nothing_acts(browser: Any, desk: Desk) -> None:
    """Its script does not run; its badges are seen; its links lead nowhere."""
    page = entered(browser, desk)
    page.goto(f"{desk.base}{AT}/clicks")
    letter = page.frame_locator("iframe.paper")
    assert "Give now" in letter.locator("a").first.inner_text()
    assert letter.locator("a span").count() >= 2
    assert "Dear …" in letter.locator("body").inner_text()
    letter.locator("a").first.click()
    assert page.url.endswith("/clicks")
    page.goto(f"{desk.base}{AT}/messages/{desk.message}")
    assert "Dear Alice" in page.frame_locator("iframe.paper").locator("body").inner_text()
    page.goto(f"{desk.base}{AT}/messages/{desk.message}/letter")
    assert page.title() != "it ran"


def test_by_keyboard_alone_a_letter_is_found_and_a_table_taken(browser: Any, desk: Desk) -> None:
    """Search, open, go back; choose a table and take it: no mouse."""
    page = entered(browser, desk, accept_downloads=True)
    page.goto(f"{desk.base}{AT}/messages")
    page.locator("#address").focus()
    page.keyboard.type(f"{NAME}-7@example")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Letters to")
    _tab_to(page, f"{NAME}-7@example.org")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Letter to')")
    page.goto(desk.base + AT)
    page.locator("input[name=table]").first.focus()
    page.keyboard.press("ArrowDown")
    _tab_to(page, "Without names")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename == f"{NAME}-over-time.xlsx"


def test_mailings_are_compared_by_keyboard(browser: Any, desk: Desk) -> None:
    """Tick two, press the button, read what may be said."""
    page = entered(browser, desk)
    page.goto(f"{desk.base}/staff/compare")
    page.locator("input[name=m]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    _tab_to(page, "Compare")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict")
    assert page.locator(".verdict").count() == 7


def _tab_to(page: Any, words: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText || ''").startswith(words):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"no way to {words} by keyboard")
