"""What a letter's HTML uses that some mail program lacks: seen in its tags, its inlined styles and its stylesheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from pillarbox.checking.cascade import Declaration, declarations_of, matching, rules_of, selector_of
from pillarbox.checking.clients import features
from pillarbox.checking.page import Page

_HALF_SHORTHANDS = ("background-color", "background-image")
_URL = re.compile(r"url\(\s*['\"]?([^)'\"]*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One use of a feature."""

    slug: str
    at: etree._Element
    needle: str
    """Words of it that may stand in the source."""


def uses(page: Page) -> Iterator[Use]:
    """Every use that holds on any screen; what stands only in ``@media`` is an extra, which nothing depends on."""
    for element in page.elements:
        yield from _tag(element)
        yield from _styled(element, declarations_of(element.get("style") or ""))
    yield from _sheets(page)


def _tag(element: etree._Element) -> Iterator[Use]:
    tag = str(element.tag)
    slug = features.TAGS.get(tag)
    if tag == "input":
        slug = features.INPUTS.get((element.get("type") or "text").lower(), "html-input-text")
        slug = None if (element.get("type") or "").lower() == "hidden" else slug
    if tag == "button" and (element.get("type") or "submit").lower() == "submit":
        slug = "html-button-submit"
    if tag == "link" and "stylesheet" in (element.get("rel") or "") and not _is_font(element.get("href") or ""):
        slug = "html-link"
    if tag == "img":
        slug = _image(element.get("src") or "")
        if element.get("usemap"):
            yield Use(slug="html-image-maps", at=element, needle="usemap")
    if tag == "a" and len(element.get("href") or "") > 1 and (element.get("href") or "").startswith("#"):
        slug = "html-anchor-links"
    if element.get("background"):
        yield Use(slug="html-background", at=element, needle=element.get("background") or "")
    if slug:
        yield Use(slug=slug, at=element, needle="")


def _image(source: str) -> str | None:
    if source.startswith("data:"):
        return "image-base64"
    try:
        return features.IMAGES.get(urlsplit(source).path.rpartition(".")[2].lower())
    except ValueError:
        return None


def _is_font(address: str) -> bool:
    """Web fonts are missed by nobody: another font stands behind each."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return host in ("fonts.googleapis.com", "use.typekit.net", "fonts.bunny.net", "cloud.typography.com")


def _styled(element: etree._Element, declarations: tuple[Declaration, ...]) -> Iterator[Use]:
    hidden = any(d.name == "display" and d.value.lower() == "none" for d in declarations)
    placed = next((d.value.lower() for d in declarations if d.name == "position"), "")
    earlier: set[str] = set()
    for declaration in declarations:
        name, value = declaration.name, declaration.value.lower()
        guarded = name in earlier or (name.startswith("background") and not earlier.isdisjoint(
            ("background", *_HALF_SHORTHANDS)))
        earlier.add(name)
        if value in features.IDLE.get(name, ()):
            continue
        slug = features.PROPERTIES.get(name)
        if name == "display":
            slug = {"flex": "css-display-flex", "inline-flex": "css-display-flex", "grid": "css-display-grid",
                    "inline-grid": "css-display-grid"}.get(value.split(" ")[0])
        elif name == "position":
            slug = "css-position"
        elif name in ("left", "right", "top", "bottom") and placed:
            slug = "css-left-right-top-bottom"
        elif name == "opacity" and value not in ("1", "1.0", "0"):
            slug = "css-opacity"
        elif name == "visibility" and value == "hidden" and not hidden:
            slug = "css-visibility"
        elif name == "white-space" and value.startswith("pre"):
            slug = "css-white-space"
        elif name in ("background", "background-image") and _URL.search(value):
            slug = "css-background-image"
        if slug:
            yield Use(slug=slug, at=element, needle=f"{name}: {declaration.value}")
        if not guarded and not name.startswith("--") and not name.startswith("mso-"):
            for pattern, of_value in features.VALUES:
                if pattern.search(value):
                    yield Use(slug=of_value, at=element, needle=f"{name}: {declaration.value}")
                    break


def _sheets(page: Page) -> Iterator[Use]:
    for style in page.all("style"):
        css = style.text or ""
        if re.search(r"@import\b", css) and not all(map(_is_font, _imported(css))):
            yield Use(slug="css-at-import", at=style, needle="@import")
        for rule in rules_of(css):
            if rule.dark or not rule.declarations:
                continue
            bare, _, pseudo = rule.selector.partition("::")
            if not pseudo and re.search(r":(?:before|after)$", rule.selector):
                bare, _, pseudo = rule.selector.rpartition(":")
            known = selector_of(bare)
            for element in matching(page, known[0])[:1] if known else ():
                if pseudo in ("before", "after"):
                    if any(d.name == "content" and d.value.strip("\"'") for d in rule.declarations):
                        yield Use(slug=f"css-pseudo-element-{pseudo}", at=element, needle=rule.selector)
                elif not pseudo:
                    yield from _styled(element, rule.declarations)


def _imported(css: str) -> Iterator[str]:
    for found in re.finditer(r"@import\s+(?:url\(\s*)?['\"]?([^'\");\s]+)", css):
        yield found[1]
