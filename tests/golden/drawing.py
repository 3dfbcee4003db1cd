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
    word: bool = False
    """As Outlook for Windows sets it, as far as a browser can show that (see ``word``)."""

    @property
    def name(self) -> str:
        """Of its picture."""
        return "-".join([self.layout, str(self.width), self.inverted or (
            "bare" if self.bare else "word" if self.word else self.scheme)])


VIEWS = tuple(
    [View(layout=layout, width=width, scheme=scheme) for layout in samples.LAYOUTS for width in WIDTHS
     for scheme in ("light", "dark")]
    + [View(layout=layout, width=width, bare=True) for layout in samples.LAYOUTS for width in WIDTHS]
    + [View(layout=layout, width=375, inverted=how) for layout in samples.LAYOUTS for how in ("full", "partial")]
    + [View(layout=layout, width=800, word=True) for layout in samples.LAYOUTS])


def bare(html: str) -> str:
    """A letter without doctype, stylesheets, comments and the head's meta: what the strictest programs leave."""
    kept = _COMMENT.sub("", _STYLE.sub("", html))
    return re.sub(r"<!doctype[^>]*>|<meta\b[^>]*>", "", kept, flags=re.IGNORECASE)


def as_outlook(html: str) -> str:
    """What Word's engine reads: its own conditional parts, and not what is for all others."""
    others = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", r"\1", others, flags=re.DOTALL)


def word(html: str) -> str:
    """A letter as Outlook for Windows sets it: its own parts, and neither media queries nor what Word's engine lacks
    (caniemail.com, read 2026-11): widths at most, rounded corners, boxes side by side, and padding but in cells. Its
    drawn buttons become boxes of their size and colours."""
    seen = re.sub(r"<xml>.*?</xml>", "", as_outlook(html)).replace("Arial,", f"'{samples.SANS}',")
    seen = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|\[data-ogsc\][^}]*\}", "", seen)

    def weaker(tag: re.Match[str]) -> str:
        gone = r"(?:max-width|border-radius|display):[^;\"]*;?"
        if tag[1] not in ("td", "th"):
            gone += r"|(?<![-\w])padding(?:-\w+)?:[^;\"]*;?"
        return f'<{tag[1]}{tag[2]}style="{re.sub(gone, "", tag[3])}"' if "preheader" not in tag[2] else tag[0]

    seen = re.sub(r'<(\w+)([^<>]*?)style="([^"]*)"', weaker, seen)
    return _SHAPE.sub(_box, seen).replace("</v:roundrect>", "</div>")


_SHAPE = re.compile(r'<v:roundrect[^>]*style="height:(\d+)px;[^"]*width:(\d+)px;"[^>]*strokecolor="([^"]*)" '
                    r'fillcolor="([^"]*)"><w:anchorlock/>')


def _box(shape: re.Match[str]) -> str:
    height, width, stroke, fill = shape.groups()
    return (f'<div style="box-sizing:border-box;height:{height}px;line-height:{int(height) - 4}px;width:{width}px;'
            f'border:2px solid {stroke};background:{fill};">')


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is seen of a letter in one view."""

    screenshot: bytes
    width: int
    """Pixels that it takes."""
    words: list[dict[str, Any]]
    """words, size (pixels), colour, ground (#rrggbb), contrast (1 to 21) of each run of text."""
    links: list[dict[str, Any]]
    """words, height and width (pixels), inline (whether it stands within a sentence)."""
    beside: list[bool]
    """For each story with a picture at its side, whether it does stand there."""


_looked: dict[str, Seen] = {}


def look(browser: Any, view: View) -> Seen:
    """Look at a letter; it is drawn once, however many ask."""
    if view.name not in _looked:
        with drawn(browser, view) as page:
            _looked[view.name] = Seen(
                screenshot=page.screenshot(full_page=True), words=page.evaluate(_WORDS), links=page.evaluate(_LINKS),
                width=page.evaluate("document.documentElement.scrollWidth"), beside=page.evaluate(_BESIDE))
    return _looked[view.name]


@contextmanager
def drawn(browser: Any, view: View) -> Iterator[Any]:
    """A page that shows the letter so."""
    context = browser.new_context(viewport={"width": view.width, "height": 800}, color_scheme=view.scheme,
                                  device_scale_factor=1, reduced_motion="reduce")
    page = context.new_page()
    page.route(f"{samples.IMAGES}**", _image)
    html = samples.letter(view.layout)
    page.set_content(bare(html) if view.bare else word(html) if view.word else html, wait_until="load")
    if view.inverted:
        page.evaluate(INVERT, view.inverted)
    yield page
    context.close()


_IS_LACKING = """font => {
  const span = document.querySelector('span')
  const wide = family => { span.style.font = `48px ${family}`; return span.getBoundingClientRect().width }
  return ['monospace', 'cursive', 'fantasy'].every(other => wide(`'${font}', ${other}`) === wide(other)) }"""


def fonts_lacking(browser: Any) -> list[str]:
    """Those of the pictures' fonts that this machine lacks: words come out as wide as in whatever stands in for it."""
    page = browser.new_page()
    page.set_content("<span>Handgloves</span>")
    lacking = [font for font in (samples.SERIF, samples.SANS) if page.evaluate(_IS_LACKING, font)]
    page.close()
    return lacking


def _image(route: Any) -> None:
    route.fulfill(body=samples.served[route.request.url.rpartition("/")[2]], content_type="image/png")


_WORDS = """() => {
  const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true})
  const rgb = colour => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1)
    return [...pen.getImageData(0, 0, 1, 1).data] }
  const linear = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4
  const luminance = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2])
  const hex = c => '#' + c.slice(0, 3).map(v => v.toString(16).padStart(2, '0')).join('')
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), out = []
  while (walker.nextNode()) { const element = walker.currentNode.parentElement, style = getComputedStyle(element)
    if (!/[\\p{L}\\p{N}]/u.test(walker.currentNode.data) || !element.checkVisibility()) continue
    let ground = element
    while (ground && !rgb(getComputedStyle(ground).backgroundColor)[3]) ground = ground.parentElement
    const [one, other] = [rgb(style.color), ground ? rgb(getComputedStyle(ground).backgroundColor) : [255, 255, 255]]
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
    out.push({words: walker.currentNode.data.trim().slice(0, 30), size: parseFloat(style.fontSize),
              colour: hex(one), ground: hex(other), contrast: (light + .05) / (dark + .05)}) }
  return out }"""

_LINKS = """() => [...document.querySelectorAll('a')].filter(link => link.checkVisibility()).map(link => {
    const box = link.getBoundingClientRect(), block = link.closest('p, li, td, div')
    const others = [...block.childNodes].some(n => n.nodeType === 3 && /\\p{L}/u.test(n.data))
    return {words: link.textContent.trim(), height: box.height, width: box.width, inline: others} })"""

_BESIDE = """() => [...document.querySelectorAll('.beside-words')].map(words => {
  const picture = words.closest('.story').querySelector('.beside-picture')
  const [one, other] = [picture.getBoundingClientRect(), words.getBoundingClientRect()]
  return other.top < one.bottom - 20 && other.left > one.right - 5 })"""

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
