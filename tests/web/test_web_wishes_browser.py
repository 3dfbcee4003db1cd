"""Supporters' own pages in a real browser: by keyboard alone, without script, narrow, in the dark, for every reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pillarbox.store import schema
from pillarbox.store.connect import Store, connect
from pillarbox.web.app import create
from tests.web.browsing import serving, violations
from tests.web.site import PROJECT, rows
from tests.web.wishing import alice, at_work, settings

pytestmark = pytest.mark.browser
LONG = "alice.whose.name.is.longer.than.a.telephone.is.wide@letters.harbour.example.com"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str, Store]]:
    """A site on a free port: its base URL, Alice's key, and its database."""
    store = connect("sqlite:///browser.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        key = alice(connection)
    at_work(store)
    with serving(create(store, settings(), PROJECT)) as base:
        yield base, key, store
    store.close()


def link(store: Store, kind: str) -> str:
    """The path of the newest link that was mailed."""
    with store.reading() as connection:
        found = connection.execute(select(schema.service_letters.c["values"]).where(
            schema.service_letters.c.kind == kind).order_by(schema.service_letters.c.id.desc())).scalars().first()
    assert found is not None
    return re.sub(r"^.*(?=/(?:details|address)/)", "", str(found["link"]))


def tab_to(page: Any, selector: str) -> None:
    """By the Tab key alone."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def press(page: Any, words: str) -> None:
    """A button, by keyboard."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON" and words in page.evaluate(
                "document.activeElement.textContent"):
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"{words} cannot be reached by keyboard")


def walk(page: Any, base: str, key: str, store: Store) -> Iterator[str]:
    """Every page that a supporter may meet, by keyboard alone; the name of each when it is shown."""
    page.goto(f"{base}/p/{key}")
    yield "preferences"
    tab_to(page, "input[name=frequency]")
    page.keyboard.press("ArrowDown")
    tab_to(page, "input[name=list]")
    page.keyboard.press("Space")
    tab_to(page, "input[name=pause]")
    tab_to(page, "input[name=tracking]")
    page.keyboard.press("Space")
    press(page, "Save")
    yield "saved"
    press(page, "I did not mean to")
    yield "undone"
    page.goto(f"{base}/p/{key}")
    page.locator("input[name=pause]").fill("2020-01-01")
    page.locator("form").first.evaluate("form => form.noValidate = true")
    press(page, "Save")
    yield "preferences-wrong"
    page.goto(f"{base}/p/{key}")
    press(page, "Email me the link")
    yield "link-sent"
    page.goto(base + link(store, "details-link"))
    yield "details"
    tab_to(page, "input[name=email]")
    page.keyboard.press("Control+A")
    page.keyboard.type(LONG)
    press(page, "Save")
    yield "details-saved"
    page.goto(base + link(store, "address-confirm"))
    yield "address"
    press(page, "Yes, send them here")
    yield "address-done"
    page.goto(base + link(store, "address-confirm"))
    yield "expired"
    page.goto(f"{base}/u/{key}")
    yield "ask"
    press(page, "Unsubscribe")
    yield "left"
    press(page, "A pause for three months")
    yield "instead"
    page.goto(f"{base}/u/{key}")
    press(page, "Unsubscribe")
    tab_to(page, "input[name=list]")
    page.keyboard.press("Space")
    press(page, "Keep these")
    yield "kept"


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (360, "dark"), (1280, "light"), (1280, "dark")])
def test_every_page_is_for_everybody(browser: Any, served: tuple[str, str, Store], width: int, scheme: str) -> None:
    """axe-core finds no fault, nothing runs over the side, and all that is pressed is large enough for a thumb."""
    base, key, store = served
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    shown = []
    for name in walk(page, base, key, store):
        shown.append(name)
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        for small in page.locator("button, .pick, input[type=text], input[type=email], input[type=date]").all():
            assert small.bounding_box()["height"] >= 44, name
    assert len(shown) == 14
    # A page that says no is an answer of 4xx, which Chromium remarks upon.
    assert not [line for line in said if "Failed to load" not in line]
    with store.reading() as connection:
        assert connection.execute(select(schema.suppressions.c.id)).first() is None
    assert rows(store, schema.supporters.c.address) == [(LONG,)]
    context.close()


def test_it_all_works_without_script(browser: Any, served: tuple[str, str, Store]) -> None:
    """The whole way: less, undone; leaving, and fewer instead."""
    base, key, store = served
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{base}/p/{key}")
    page.check("input[value=newsletters]")
    page.click("text=Save")
    assert page.locator("h1").inner_text() == "Saved"
    assert rows(store, schema.wishes.c.frequency) == [("newsletters",)]
    page.click("text=I did not mean to")
    assert page.locator("h1").inner_text() == "All is as it was before"
    assert rows(store, schema.wishes.c.frequency) == []
    page.goto(f"{base}/u/{key}")
    page.click("text=Unsubscribe")
    page.click("text=Newsletters only")
    assert page.locator("h1").inner_text() == "You will hear less from us"
    assert rows(store, schema.suppressions.c.reason) == []
    assert rows(store, schema.wishes.c.frequency) == [("newsletters",)]
