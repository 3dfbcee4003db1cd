"""Joining and public letters in a real browser: by keyboard, without script, narrow, in the dark, in a frame."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pillarbox.mailings import planning, publishing, service
from pillarbox.model.states import Basis
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.store import schema
from pillarbox.store.project import Project, open_project
from pillarbox.web.app import create
from tests import projects
from tests.web.browsing import serving, violations
from tests.web.joining import letters, link_of, with_form
from tests.web.site import rows

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def frame_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The charity's own website, on another port: its address and its folder."""
    folder = tmp_path_factory.mktemp("website")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory,
           frame_site: tuple[str, Path]) -> Iterator[tuple[str, Project]]:
    """A practice site with a form and a published letter."""
    folder = tmp_path_factory.mktemp("joining")
    opened = open_project(projects.make(folder / "project", light=False).folder)
    people = projects.write_list(folder / "list.csv", projects.crowd(3))
    import_list(opened.store, secret=opened.secret, path=people, list_name="all", basis=Basis.CONSENT, source="test",
                obtained=None, tracking=None, dry_run=False)
    given = with_form(opened)
    join = given.settings.join.model_copy(update={"sites": (frame_site[0],)})
    project = Project(id=given.id, folder=given.folder, store=given.store,
                      settings=given.settings.model_copy(update={"join": join}))
    planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",))))
    publishing.publish(project, "harbour")
    with serving(create(project.store, project.settings, project.id)) as base:
        yield base, project
    opened.close()


def test_joining_by_keyboard_without_script(browser: Any, served: tuple[str, Project],
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """Tab, type, Enter; the letter; Tab, Enter: joined, and the box for tracking was ticked by the space bar."""
    monkeypatch.setattr(service, "soon", lambda _project: None)
    base, project = served
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{base}/join")
    while not page.locator("#email:focus").count():
        page.keyboard.press("Tab")
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    page.wait_for_selector("#email-wrong")
    assert page.locator("#email:focus").count() == 1, "the field to mend is where the keyboard is"
    page.keyboard.press("Control+A")
    page.keyboard.type("miriam@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type("מרים")
    page.keyboard.press("Tab")
    page.keyboard.type('O’Brien "Mimi"')
    page.keyboard.press("Tab")
    assert page.locator("#tracking:focus").count() == 1, "the trap is not on the keyboard's way"
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Please look in your inbox")
    page.goto(base + link_of(letters(project)[-1]))
    while not page.locator("button:focus").count():
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=you have joined us")
    assert ("מרים", 'O’Brien "Mimi"') in rows(project.store, schema.supporters.c.first_name,
                                             schema.supporters.c.last_name)
    assert ("tracking", "consent") in rows(project.store, schema.consents.c.channel, schema.consents.c.basis)


def test_the_form_in_the_charitys_own_page(browser: Any, served: tuple[str, Project], frame_site: tuple[str, Path],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """In a frame of a named website it works whole; in one of another website the browser shows nothing."""
    monkeypatch.setattr(service, "soon", lambda _project: None)
    base, project = served
    site, folder = frame_site
    (folder / "index.html").write_text(f'<!doctype html><title>x</title><iframe src="{base}/join/form" title="Sign up" '
                                       'width="420" height="800"></iframe>', "utf-8")
    page = browser.new_context().new_page()
    page.goto(site)
    frame = page.frame_locator("iframe")
    frame.locator("#email").fill("framed@example.org")
    frame.locator("button").click()
    frame.locator("text=Please look in your inbox").wait_for()
    assert ("/join/form",) in rows(project.store, schema.sign_ups.c.page)
    page.goto(site.replace("127.0.0.1", "localhost"))  # another origin
    page.wait_for_timeout(300)
    assert page.frame_locator("iframe").locator("#email").count() == 0


def test_a_plain_form_of_the_charitys_own(browser: Any, served: tuple[str, Project],
                                          frame_site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A form in the charity's own HTML posts to /join, and its website stands in the evidence."""
    monkeypatch.setattr(service, "soon", lambda _project: None)
    base, project = served
    site, folder = frame_site
    (folder / "own.html").write_text(f'<!doctype html><title>x</title><form method="post" action="{base}/join">'
                                     '<input name="email"><button>Join</button></form>', "utf-8")
    page = browser.new_context().new_page()
    page.goto(f"{site}/own.html")
    page.fill("input", "own@example.org")
    page.click("button")
    page.wait_for_selector("text=Please look in your inbox")
    assert (site,) in rows(project.store, schema.sign_ups.c.page)


PAGES = ("/join", "/join/form", "/letters", "/letters/harbour", "/letters/nothing", "/join/confirm/nothing")


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_can_be_read(browser: Any, served: tuple[str, Project], width: int, scheme: str) -> None:
    """Nothing runs over the side, axe-core finds no fault, and the page's own policy lets its style in."""
    base, _ = served
    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme, bypass_csp=True)
    plain = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme).new_page()
    said: list[str] = []
    plain.on("console", lambda message: said.append(message.text))
    page = context.new_page()
    for path in PAGES:
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert violations(page) == [], path
        plain.goto(base + path)
    assert not [words for words in said if re.search("policy|refused", words, re.IGNORECASE)]


def test_the_page_with_a_fault_is_as_good(browser: Any, served: tuple[str, Project]) -> None:
    """The form with a sentence about the address, and the pages after it."""
    base, _ = served
    page = browser.new_context(viewport={"width": 360, "height": 740}, bypass_csp=True).new_page()
    page.goto(f"{base}/join")
    page.fill("#email", "a b c")
    page.press("#email", "Enter")
    page.wait_for_selector("#email-wrong")
    assert violations(page) == []
