"""A letter drawn in the system's Chromium: on a phone or a desktop, by day or by night, as strict programs show it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.golden import samples
from tests.web.browsing import CHROMIUM as CHROMIUM
from tests.web.browsing import chromium as chromium

WIDTHS = (320, 375, 600, 1280)
"""Pixels: the smallest phone, a usual one, a mail program's reading pane, a desktop."""
_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class View:
    """How a letter is looked at."""

    layout: str
    width: int
    scheme: str = "light"
    """light or dark: what the reader has chosen."""
    bare: bool = False
    """Without any stylesheet or doctype, as the strictest programs show it."""
    inverted: str = ""
    """full or partial: colours changed by the mail program, by force (see ``INVERT``)."""

    @property
    def name(self) -> str:
        """Of its picture."""
        return "-".join(filter(None, (self.layout, str(self.width), self.inverted or ("bare" if self.bare else
                                                                                      self.scheme))))


VIEWS = tuple(
    [View(layout=layout, width=width, scheme=scheme) for layout in samples.LAYOUTS for width in WIDTHS
     for scheme in ("light", "dark")]
    + [View(layout=layout, width=width, bare=True) for layout in samples.LAYOUTS for width in WIDTHS]
    + [View(layout=layout, width=375, inverted=how) for layout in samples.LAYOUTS for how in ("full", "partial")])


def bare(html: str) -> str:
    """A letter without doctype, stylesheets, comments and the head's meta: what the strictest programs leave."""
    kept = _COMMENT.sub("", _STYLE.sub("", html))
    return re.sub(r"<!doctype[^>]*>|<meta\b[^>]*>", "", kept, flags=re.IGNORECASE)


@contextmanager
def drawn(browser: Any, view: View) -> Iterator[Any]:
    """A page that shows the letter so."""
    context = browser.new_context(viewport={"width": view.width, "height": 800}, color_scheme=view.scheme,
                                  device_scale_factor=1, reduced_motion="reduce")
    page = context.new_page()
    page.route(f"{samples.IMAGES}/**", _image)
    html = samples.letter(view.layout)
    page.set_content(bare(html) if view.bare else html, wait_until="load")
    if view.inverted:
        page.evaluate(INVERT, view.inverted)
    yield page
    context.close()


def fonts_lacking(browser: Any) -> list[str]:
    """Those of the pictures' fonts that this machine lacks: words come out as wide as in whatever stands in for it."""
    page = browser.new_page()
    page.set_content("<span>Handgloves</span>")
    lacking = [font for font in (samples.SERIF, samples.SANS) if page.evaluate("""font => {
        const span = document.querySelector('span')
        const wide = family => { span.style.font = `48px ${family}`; return span.getBoundingClientRect().width }
        return ['monospace', 'cursive', 'fantasy'].every(other => wide(`'${font}', ${other}`) === wide(other)) }""", font)]
    page.close()
    return lacking


def _image(route: Any) -> None:
    route.fulfill(body=samples.picture(route.request.url.rpartition("/")[2]), content_type="image/png")


INVERT = """how => {
  // What mail programs do that heed no dark scheme of the letter's. "full" turns the lightness of every colour round
  // (Outlook for Windows, Gmail for iOS); "partial" darkens light grounds and lightens dark words, and leaves the rest
  // (Gmail for Android, outlook.com). Hue and images stay.
  const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true})
  const light = colour => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data
    return a ? .2126 * (r / 255) ** 2.2 + .7152 * (g / 255) ** 2.2 + .0722 * (b / 255) ** 2.2 : null }
  const full = how === 'full', plan = []
  const turn = (element, name, when) => { const colour = getComputedStyle(element).getPropertyValue(name)
    const lightness = light(colour)
    if (lightness !== null && (full || when(lightness)))
      plan.push([element, name, `oklch(from ${colour} clamp(0.18, 1.18 - l, 1) c h)`]) }
  for (const element of document.querySelectorAll('body, body *')) if (element.tagName !== 'IMG') {
    turn(element, 'background-color', lightness => lightness > .4)
    turn(element, 'color', lightness => lightness < .4)
    for (const side of ['top', 'right', 'bottom', 'left'])
      if (parseFloat(getComputedStyle(element).getPropertyValue(`border-${side}-width`)))
        turn(element, `border-${side}-color`, lightness => lightness > .4) }
  for (const [element, name, colour] of plan) element.style.setProperty(name, colour, 'important')
}"""
