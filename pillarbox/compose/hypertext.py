"""The HTML part of a letter, written from its Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML

from pillarbox.compose.directives import DIRECTIVES, Body, Directive
from pillarbox.compose.markdown import DIRECTIVE, GROUP, LISTS, STATEMENT, Document, Node
from pillarbox.compose.placeholders import Placeholders, TagKind
from pillarbox.content.images import COLUMN

_RENDERER = RendererHTML()
_ALONE = ("image", "link_open", "link_close")
"""What an image's paragraph holds when there are no words in it."""
_OPTIONS = MarkdownIt("commonmark", {"xhtmlOut": False}).options


Image = Callable[[str, int, int], Mapping[str, str]]
"""Source, line, and the pixels that it may fill → what more its ``<img>`` has (src, width, height)."""


def write(document: Document, image: Image) -> tuple[str, tuple[int, ...]]:
    """The letter's HTML as a Jinja template that calls ``components``.

    Args:
        document: the letter.
        image: what more the ``<img>`` of a source has.

    Returns:
        The template, and for each of its lines the line of the Markdown.
    """
    return document.placeholders.restore(_Writer(document.placeholders, image).blocks(document.blocks))


def call(placeholders: Placeholders, node: Node, directive: Directive, arguments: str, body: str) -> str:
    """A component call round ``body``, as placeholders."""
    name = f"components.{directive.component}({arguments})"
    if directive.body is Body.NOTHING:
        return placeholders.add("{{ " + name + " }}", node.line, TagKind.VALUE)
    return (placeholders.add("{%+ call " + name + " +%}", node.line, TagKind.STATEMENT) + body
            + placeholders.add("{%+ endcall +%}", node.line, TagKind.STATEMENT))


def arguments_of(placeholders: Placeholders, directive: Directive, info: str) -> str:
    """The Jinja expressions that a directive's component is called with; ``info`` is the line after ``:::``."""
    return _expression(placeholders, info.partition(" ")[2].strip()) if directive.takes_link else directive.arguments


def _expression(placeholders: Placeholders, link: str) -> str:
    """A link with values in it as one Jinja expression: ``'https://example.org/?y=' ~ (mailing.year)``."""
    parts = []
    position = 0
    for found in placeholders.pattern.finditer(link):
        parts.append(_quoted(link[position : found.start()]))
        parts.append(f"({placeholders.tags(found[0])[0].inside})")
        position = found.end()
    parts.append(_quoted(link[position:]))
    return " ~ ".join(part for part in parts if part) or "''"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" if text else ""


class _Writer:
    def __init__(self, placeholders: Placeholders, image: Image) -> None:
        self._placeholders = placeholders
        self._image = image
        self._measure = COLUMN

    def blocks(self, nodes: Sequence[Node]) -> str:
        return "".join(self.block(node) for node in nodes)

    def block(self, node: Node) -> str:
        match node.kind:
            case "paragraph" if node.token.hidden:
                return self.words(node)
            case "paragraph" | "heading":
                return f"<{node.token.tag}>{self.words(node)}</{node.token.tag}>\n"
            case "list_item" | "blockquote":
                return f"<{node.token.tag}>{self.blocks(node.children)}</{node.token.tag}>\n"
            case "hr":
                return call(self._placeholders, node, DIRECTIVES["divider"], "", "") + "\n"
            case kind if kind in LISTS:
                start = node.token.attrGet("start")
                attribute = f' start="{int(start)}"' if start else ""
                return f"<{node.token.tag}{attribute}>\n{self.blocks(node.children)}</{node.token.tag}>\n"
            case kind if kind == STATEMENT:
                return node.token.content + "\n"
            case kind if kind == GROUP:
                return self.blocks(node.children)
            case kind if kind == DIRECTIVE:
                return self.directive(node)
        raise AssertionError(node.kind)

    def directive(self, node: Node) -> str:
        with self.within(DIRECTIVES[node.token.info.split()[0]].measure):
            return self._directive(node)

    @contextmanager
    def within(self, measure: int) -> Iterator[None]:
        """Images may fill no more than so many pixels; 0: as many as before."""
        before = self._measure
        self._measure = min(before, measure or before)
        yield
        self._measure = before

    def _directive(self, node: Node) -> str:
        directive = DIRECTIVES[node.token.info.split()[0]]
        match directive.body:
            case Body.BLOCKS:
                body = "\n" + self.blocks(node.children)
            case Body.LABEL:
                body = "".join(self.words(child) for child in node.children)
            case Body.LINES:
                body = "\n" + self.lines(node, directive)
            case Body.NOTHING:
                body = ""
        arguments = arguments_of(self._placeholders, directive, node.token.info)
        return call(self._placeholders, node, directive, arguments, body) + "\n"

    def lines(self, node: Node, directive: Directive) -> str:
        found = re.split(r"(?:<br>)?\n", "\n".join(self.words(child) for child in node.children))
        spare = len(directive.classes) - len(found)
        out = []
        for number, line in enumerate(found):
            name = directive.classes[max(0, min(number + max(spare, 0), len(directive.classes) - 1))]
            out.append(f'<p class="{name}">{line}</p>\n')
        return "".join(out)

    def words(self, node: Node) -> str:
        for child in node.children:
            for token in child.token.children or ():
                if token.type == "image":
                    token.attrs.update(self._image(str(token.attrs.get("src", "")), child.line, self._measure))
                    if all(each.type in _ALONE for each in child.token.children or ()):
                        token.attrs["class"] = "picture"
        return "".join(_RENDERER.renderInline(child.token.children or [], _OPTIONS, {}) for child in node.children)
