"""Supporters' pages in a real browser: by keyboard, without script, on a narrow screen, in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pillarbox.store import schema
from pillarbox.store.connect import Store, connect
from pillarbox.web.app import create
from pillarbox.web.render import letter_page
from tests import builders
from tests.golden import samples
from tests.signing import Signer
from tests.web.browsing import serving, violations
from tests.web.site import rows, settings_for

pytestmark = pytest.mark.browser

@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str, Store]]:
    """A site on a free port: its base URL, Alice's key, and its database."""
    store = connect("sqlite:///browser.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        builders.message(connection, builders.mailing(connection), builders.supporter(connection))
        key = connection.execute(select(schema.messages.c.key)).scalar_one()
    with serving(create(store, settings_for(Signer()), "testproj")) as base:
        yield base, key, store
    store.close()


def test_leaving_by_keyboard_without_script(browser: Any, served: tuple[str, str, Store]) -> None:
    """Tab to the button, Enter, done: no mouse, no script."""
    base, key, store = served
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{base}/u/{key}")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.locator("button:focus").count():
            break
    assert page.locator("button:focus").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector("text=You are unsubscribed")
    assert rows(store, schema.suppressions.c.reason) == [("unsubscribed",)]


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(browser: Any, served: tuple[str, str, Store], width: int, scheme: str) -> None:
    """Nothing runs over the side, the style is let in, the words stand out (WCAG 2.2 AA, 4.5 to 1), targets are big."""
    base, key, _ = served
    page = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{base}/u/{key}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("h1", "main p", ".quiet", ".name", "button", "footer p", "footer a"):
        colours = page.eval_on_selector(selector, """element => {
            let under = element;
            while (getComputedStyle(under).backgroundColor === 'rgba(0, 0, 0, 0)') under = under.parentElement;
            return [getComputedStyle(element).color, getComputedStyle(under).backgroundColor];
        }""")
        assert contrast(*colours) >= 4.5, (selector, colours)
    assert page.locator("button").bounding_box()["height"] >= 44
    assert not [line for line in said if "favicon" not in line and "404" not in line]


def contrast(one: str, other: str) -> float:
    """The ratio of two CSS colours (WCAG 2.2, relative luminance)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_a_readers_way(browser: Any, served: tuple[str, str, Store], scheme: str) -> None:
    """axe-core finds no fault on the page, nor on the one after it."""
    base, key, _ = served
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    page.goto(f"{base}/u/{key}")
    assert violations(page) == []
    page.click("button")
    page.wait_for_selector("text=You are unsubscribed")
    assert violations(page) == []


@pytest.mark.parametrize("layout", samples.LAYOUTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_letter_in_the_browser_stands_in_nobodys_way(browser: Any, layout: str, scheme: str) -> None:
    """As a page of its own: it has a main part, and axe-core finds no fault."""
    page = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740}).new_page()
    page.set_content(letter_page(samples.letter(layout)))
    assert page.locator("[role=main]").count() == 1
    assert violations(page) == []
