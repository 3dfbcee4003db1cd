"""CSS moves from a letter's ``<style>`` into its elements' ``style``, as mail programs need it.

Whatever inliner is chosen, the same parser reads the letter and the same serialiser writes it (lxml), so that values
are escaped in one way (``shape/escape.py``). docs/decisions/0003 lists what goes wrong without the care taken here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from threading import Lock
from typing import Any, ClassVar, Protocol, cast

import cssutils
from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector
from premailer import Premailer

from pillarbox.compose.stylesheet import Divided, divide
from pillarbox.ground.errors import LetterError

_SILENT = 60  # above logging.CRITICAL: cssutils prints what it does not know to stderr, and its logger is the process's
# No attribute is made out of CSS: width="100%" would blow up images in Outlook, align="center" would move tables.
_FROM_CSS = ["align", "valign", "bgcolor", "width", "height"]

_SHEETS_KEPT = 64

# Elements without content (WHATWG HTML 13.1.2, read 2026-11), and the old ones that libxml2 knows.
_VOID = frozenset(("area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "isindex", "link",
                   "meta", "param", "source", "track", "wbr"))

_OPENING = re.compile(r"<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)>|<[a-zA-Z](?:\"[^\"]*\"|'[^']*'|[^>\"'])*>",
                      re.DOTALL | re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_VALUE = re.compile(r"=(?:\"[^\"]*\"|'([^']*)')")

# cssutils is not thread-safe, and premailer's caches are the process's.
_one_at_a_time = Lock()


class Inliner(Protocol):
    """Inlines a letter's CSS. Deterministic, thread-safe, and never on the network."""

    def __call__(self, html: str) -> str:
        """The letter with its plain CSS in ``style`` attributes; the rest of its CSS stays in ``<style>``.

        Text, comments (Outlook's blocks too), doctype and blanks stay as they are; attributes come out in double
        quotes. A letter without CSS is parsed and written again.

        Raises:
            LetterError: the letter holds half a character (a lone surrogate), at which lxml would drop what follows.
        """


class PremailerInliner:
    """Inlines with premailer: the default."""

    def __call__(self, html: str) -> str:
        """See :class:`Inliner`."""
        with _one_at_a_time:
            tree = parse(html)
            rules = _take_plain_rules(tree, readable=_cssutils_reads)
            if not rules:
                return serialise(_unmarked(tree))
            written = _shield(tree)
            sheet = etree.SubElement(_head(tree), "style")
            sheet.text = rules
            _Premailer(disable_basic_attributes=_FROM_CSS, disable_validation=True, cache_css_parsing=False,
                      cssutils_logging_level=_SILENT, align_floating_images=False, allow_network=False,
                      strip_important=True).transform(tree.getroot(), pretty_print=False)
            for element, style in written:
                if element.get("style") == style + ";":
                    element.set("style", style)
            return serialise(_unmarked(tree))


class _Premailer(Premailer):  # type: ignore[misc]  # premailer ships no types
    """Premailer that reads a style sheet once: the shapes of a letter share it, and cssutils takes its time.

    What it keeps are strings and numbers (its own cache keeps cssutils' objects, under keys that collide).
    """

    _read: ClassVar[dict[tuple[str, int], tuple[list[Any], list[Any]]]] = {}

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        known = self._read.get((css_body, ruleset_index))
        if known is None:
            if len(self._read) >= _SHEETS_KEPT:
                self._read.clear()
            known = self._read[css_body, ruleset_index] = super()._parse_style_rules(css_body, ruleset_index)
        return known


class CssInlineInliner:
    """Inlines with css-inline (optional; faster). It reads as browsers do: text between table rows moves before the
    table.

    Raises:
        ImportError: css-inline is not installed (``pip install pillarbox[fast-inline]``).
    """

    def __init__(self) -> None:
        import css_inline

        self._new = css_inline.CSSInliner
        self._fault = css_inline.InlineError

    def __call__(self, html: str) -> str:
        """See :class:`Inliner`."""
        tree = parse(html)
        rules = _take_plain_rules(tree, readable=_reads_all)
        inliner = self._new(inline_style_tags=False, keep_style_tags=True, keep_link_tags=True,
                            load_remote_stylesheets=False, extra_css=rules)
        try:
            again = parse(inliner.inline(serialise(tree)))
        except self._fault as fault:
            raise LetterError(f"css-inline cannot read the letter's CSS: {fault}.",
                              todo="Correct the style, or choose the premailer inliner.") from None
        for element, style in _styled(again):
            element.set("style", style.replace(" !important", ""))
        return serialise(_unmarked(again))


def parse(html: str) -> etree._ElementTree:
    """A letter as a tree; one without any element or text is an empty page.

    Raises:
        LetterError: it holds a lone surrogate.
    """
    try:
        source = html.encode()
    except UnicodeEncodeError as fault:
        raise LetterError(f"The letter holds half a character (U+{ord(html[fault.start]):04X}): no email carries it.",
                          todo="Correct the text or the supporter's data that it comes from.") from None
    # Without default_doctype a letter without doctype is given HTML 4's.
    options = {"encoding": "utf-8", "huge_tree": True, "default_doctype": False}
    parser = etree.HTMLParser(**options)  # type: ignore[arg-type]  # the stubs do not know default_doctype
    root = etree.fromstring(source, parser) if source.strip() else None
    if root is None:  # blank, or comments alone
        root = etree.fromstring(b"<html><body></body></html>")
    return root.getroottree()


def serialise(tree: etree._ElementTree) -> str:
    """A tree as HTML; every attribute in double quotes, whatever it holds."""
    for element, style in _styled(tree):
        if '"' in style and "'" not in style:  # some mail programs stumble over &quot; in CSS
            element.set("style", style.replace('"', "'"))
    for element in tree.getroot().iter("*"):
        if not len(element) and not element.text and element.tag not in _VOID:
            element.text = ""  # else libxml2 writes <li> for <li></li>, and an empty value would change the letter
    written = _without_includes(tree)
    return _OPENING.sub(_double_quoted, written) if "='" in written else written


def _without_includes(tree: etree._ElementTree) -> str:
    """The tree as HTML. Server-side includes and ``&{…}`` are no more than text in an attribute: libxml2 would write
    them as they are, and a name like ``<!--" onclick="…-->`` would end its attribute."""
    written = etree.tostring(tree, method="html", encoding="unicode")
    found = cast(list[Any], tree.xpath("//@*[contains(., '<!--') or contains(., '&{')]"))
    if not found:
        return written
    mark = next(name for name in (f"z{number}z" for number in count()) if name not in written)
    for value in found:
        told = value.replace("<!--", f"{mark}0").replace("&{", f"{mark}1")
        value.getparent().set(value.attrname, _CONTROL.sub("", told))  # lxml takes no control characters
    written = etree.tostring(tree, method="html", encoding="unicode")
    return written.replace(f"{mark}0", "&lt;!--").replace(f"{mark}1", "&amp;{")


def _double_quoted(tag: re.Match[str]) -> str:
    if tag.group().startswith(("<!--", "<script", "<style")):
        return tag.group()
    return _VALUE.sub(lambda v: v.group() if v[1] is None else '="' + v[1].replace('"', "&quot;") + '"', tag.group())


def _take_plain_rules(tree: etree._ElementTree, *, readable: Callable[[str], bool]) -> str:
    """Take out of the tree's stylesheets what can be inlined; what is left stays where it was."""
    rules = []
    for element in list(tree.iter("style")):
        if element.get("data-premailer") == "ignore":
            continue
        if (element.get("media") or "all").lower() in ("all", "screen"):
            divided = _divided(element.text or "", readable)
            rules.append(divided.inlined)
        else:
            divided = divide(element.text or "", selectable=lambda _: False)
        if divided.kept:
            element.text = f"\n{divided.kept}\n"
            element.set("data-premailer", "ignore")
        else:
            element.tag = "emptied"
    # Text after a stylesheet stays; moved within libxml2, since lxml's setters refuse control characters.
    etree.strip_elements(tree, "emptied", with_tail=False)
    return "\n".join(filter(None, rules))


def _reads_all(_: str) -> bool:
    return True


@lru_cache(maxsize=_SHEETS_KEPT)
def _divided(css: str, readable: Callable[[str], bool]) -> Divided:
    """The shapes of a letter, and its copies that are rendered alone, have the same stylesheet."""
    return divide(css, readable=readable, selectable=_cssselect_reads)


def _unmarked(tree: etree._ElementTree) -> etree._ElementTree:
    """The tree without the attribute that tells premailer to leave a stylesheet alone."""
    for element in tree.getroot().iter("style"):
        if element.get("data-premailer") is not None:
            del element.attrib["data-premailer"]
    return tree


def _head(tree: etree._ElementTree) -> etree._Element:
    root = tree.getroot()
    found = root.find("head")
    if found is None:
        found = etree.Element("head")
        root.insert(0, found)
    return found


def _styled(tree: etree._ElementTree) -> list[tuple[etree._Element, str]]:
    """The elements that have a style of their own, and that style; not what lxml would not take back."""
    return [(element, style) for element in tree.getroot().iter("*")
            if (style := element.get("style")) and not _CONTROL.search(style)]


def _shield(tree: etree._ElementTree) -> list[tuple[etree._Element, str]]:
    """End every ``style`` with a semicolon: premailer keeps selectors and styles in one cache under their bare text,
    and ``<p style="p">`` would come back as a selector. No selector ends so."""
    written = _styled(tree)
    for element, style in written:
        element.set("style", style + ";")
    return written


@lru_cache(maxsize=4096)
def _cssutils_reads(declaration: str) -> bool:
    """Whether cssutils, which premailer parses with, keeps a declaration (``rgb(0 0 0 / 50%)`` it drops)."""
    cssutils.log.setLevel(_SILENT)
    return bool(cssutils.parseStyle(declaration, validate=False).length == 1)


@lru_cache(maxsize=4096)
def _cssselect_reads(selector: str) -> bool:
    try:
        CSSSelector(selector)
    except SelectorError:
        return False
    return True
