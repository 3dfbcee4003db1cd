"""The dashboard in a real browser: by keyboard, narrow, dark, without script, and moving while a mailing is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pillarbox.ground.process import Worker
from pillarbox.mailings import planning, schedules
from pillarbox.mailings.submit import Dispatch, submit
from pillarbox.model.states import Basis, MailingState, Role, Verdict
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.runner.tick import tick
from pillarbox.staff import users
from pillarbox.store import mailings, notices, workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from pillarbox.web.app import create
from tests import projects
from tests.mailings.conftest import Scripted, saying
from tests.web.browsing import serving, violations
from tests.web.desk import NAMES, PASSWORD, staff

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("quick_passwords")]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A served dashboard of a project with a planned mailing of ninety."""

    base: str
    project: Project
    mailing: Mailing

    @property
    def place(self) -> str:
        """The mailing's sending page."""
        return f"{self.base}/staff/mailings/{self.mailing.name}/sending"

    @property
    def pages(self) -> list[str]:
        """Every kind of page behind the login."""
        deeds = ["/send", "/send-at", "/send-at?at=2027-01-10T08:00", "/approve", "/cancel", "/resume"]
        return [f"{self.base}/staff/", self.place, *(self.place + deed for deed in deeds), *(
            f"{self.base}/staff/{name}" for name in ("schedules", "schedules/1/remove", "audit", "account", "nothing"))]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all: tests that send are the last."""
    folder = tmp_path_factory.mktemp("desk")
    project = open_project(projects.make(folder / "project").folder)
    path = projects.write_list(folder / "list.csv", projects.crowd(90))
    import_list(project.store, secret=project.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    mailing = planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",)))).mailing
    schedules.add(project, schedules.Wanted(appeal="newsletter-{yyyy}-{mm}", rule="FREQ=WEEKLY;BYDAY=TH", at="08:00",
                                            zone="", audience=Rule(lists=("all",)), own_zone=True))
    staff(project.store)
    with project.store.writing() as connection:
        workers.beat(connection, str(Worker.this()), kind="worker", host="box")
        notices.add(connection, kind="paused", mailing_id=mailing.id, words="A note, with `pillarbox status` in it.")
    with serving(create(project.store, project.settings, project.id)) as base:
        yield Desk(base=base, project=project, mailing=mailing)
    project.close()


def entered(browser: Any, desk: Desk, role: Role = Role.SEND, *, name: str = "", **context: Any) -> Any:
    """A page of a browser in which somebody has logged in, by keyboard alone."""
    page = browser.new_context(**context).new_page()
    page.goto(f"{desk.base}/staff/")
    page.wait_for_selector("#field-name:focus")
    page.keyboard.type(name or NAMES[role])
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".who")
    return page


def tab_to(page: Any, words: str) -> None:
    """Press Tab until what says these words has the focus, and can be seen to have it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").startswith(words):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"no way to {words} by keyboard")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_fits_and_stands_in_nobodys_way(browser: Any, desk: Desk, width: int, scheme: str) -> None:
    """No sideways scroll, nothing that axe-core finds, no word of our policy against our own page."""
    page = entered(browser, desk, viewport={"width": width, "height": 780}, color_scheme=scheme, bypass_csp=True)
    for path in (*desk.pages, f"{desk.base}/staff/login"):
        page.goto(path)
        assert page.locator(".who").count() == (not path.endswith("/nothing")), path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert violations(page) == [], path
    page.context.clear_cookies()
    page.goto(f"{desk.base}/staff/login")
    assert page.locator(".door").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


def test_our_own_policy_lets_our_own_pages_work(browser: Any, desk: Desk) -> None:
    """The style and the script are let in; nothing of a page is held back by the policy."""
    page = entered(browser, desk)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda fault: said.append(str(fault)))
    for path in desk.pages:
        page.goto(path)
        assert page.evaluate("getComputedStyle(document.querySelector('.top')).borderTopWidth") == "4px", path
    assert not [line for line in said if "Failed to load resource" not in line]


def test_the_first_tab_skips_to_the_content(browser: Any, desk: Desk) -> None:
    """The skip link is first, is seen when it has the focus, and leads past the menu."""
    page = entered(browser, desk)
    page.goto(f"{desk.base}/staff/audit")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_tables_stay_tables_on_a_phone(browser: Any, desk: Desk) -> None:
    """They look like a list there, and are read out as rows and cells with their headings."""
    page = entered(browser, desk, viewport={"width": 360, "height": 780})
    page.goto(f"{desk.base}/staff/audit")
    assert page.get_by_role("row").count() > 2
    assert page.get_by_role("columnheader").count() == 4
    assert page.locator("td").first.evaluate("cell => getComputedStyle(cell).display") == "grid"


def test_a_long_name_fits_on_a_phone(browser: Any, desk: Desk) -> None:
    """A user's name of one long word makes no page wider than the screen."""
    name = "Wolfeschlegelsteinhausenbergerdorff Featherstonehaughsson"
    users.add(desk.project.store, name=name, role=Role.VIEW, password=PASSWORD)
    page = entered(browser, desk, name=name, viewport={"width": 360, "height": 800})
    for path in ("", "account", "audit"):
        page.goto(f"{desk.base}/staff/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
    page.context.close()


def test_targets_are_large_enough_for_a_thumb(browser: Any, desk: Desk) -> None:
    """Buttons are at least 44 pixels high on a phone (WCAG 2.2, 2.5.8 wants 24)."""
    page = entered(browser, desk, viewport={"width": 360, "height": 780})
    page.goto(desk.place)
    for button in page.locator(".deeds .button").all():
        assert button.bounding_box()["height"] >= 44


def test_numbers_move_by_themselves_and_the_page_changes_when_it_is_sent(browser: Any, desk: Desk) -> None:
    """By keyboard alone: send now, asked again, watch it go. Without script the page says so, and comes again."""
    page = entered(browser, desk)
    page.goto(desk.place)
    tab_to(page, "Send now")
    page.keyboard.press("Enter")
    page.wait_for_url("**/send")
    assert page.locator("dd", has_text="The Harbour Trust <letters@harbour.example>").count() == 1
    tab_to(page, "Send it now")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=a worker takes it up within seconds")
    (sendable,) = tick(desk.project, worker="test").sendable
    page.wait_for_selector("text=Being sent", timeout=15_000)
    plain = entered(browser, desk, java_script_enabled=False)
    plain.goto(desk.place)
    assert plain.locator("noscript p").is_visible()
    assert plain.locator("noscript meta[http-equiv=refresh]").count() == 1
    assert plain.locator("text=Load this page again").is_visible()
    cut = entered(browser, desk)
    cut.route("**/progress", lambda route: route.abort())
    cut.goto(desk.place)
    cut.wait_for_selector("#live-lost", state="visible", timeout=30_000)
    transport = Scripted(answer=saying_slowly, unit=10, name="files")
    going = Dispatch.of(desk.project, sendable, transport)
    assert submit(going) is not None
    page.wait_for_selector("[data-figure=accepted] dd:text-is('10')", timeout=15_000)
    assert page.evaluate("document.getElementById('live-bar').value") == 10
    sender = threading.Thread(target=lambda: [None for _ in iter(lambda: submit(going), None)])
    sender.start()
    sender.join()
    tick(desk.project, worker="test")
    page.wait_for_selector(".under .badge:text-is('Sent')", timeout=15_000)
    assert page.locator("[data-figure=accepted] dd").inner_text() == "90"
    with desk.project.store.reading() as connection:
        assert mailings.by_id(connection, desk.mailing.id).state is MailingState.SENT


def saying_slowly(unit: Any) -> Any:
    """Accepted, after a moment."""
    time.sleep(0.05)
    return saying(Verdict.ACCEPTED)(unit)
