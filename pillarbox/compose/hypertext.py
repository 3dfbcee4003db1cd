"""The HTML part of a letter, written from its Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from pillarbox.compose import stories
from pillarbox.compose.directives import DIRECTIVES, Body, Directive
from pillarbox.compose.markdown import DIRECTIVE, GROUP, LISTS, STATEMENT, Document, Node
from pillarbox.compose.placeholders import Placeholders, TagKind

_RENDERER = RendererHTML()
_OPTIONS = MarkdownIt("commonmark", {"xhtmlOut": False}).options


def write(document: Document, image: Callable[[str, int], Mapping[str, str]]) -> tuple[str, tuple[int, ...]]:
    """The letter's HTML as a Jinja template that calls ``components``.

    Args:
        document: the letter.
        image: what more the ``<img>`` of a source has (src, width, height), given the source and its line.

    Returns:
        The template, and for each of its lines the line of the Markdown.
    """
    writer = _Writer(document.placeholders, image, document.blocks)
    return document.placeholders.restore(writer.blocks(document.blocks))


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
    def __init__(self, placeholders: Placeholders, image: Callable[[str, int], Mapping[str, str]],
                 letter: Sequence[Node]) -> None:
        self._placeholders = placeholders
        self._image = image
        self._titles = stories.titles(letter)

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
            case Body.STORY:
                return self.story(node, directive)
            case Body.DATES:
                body = "\n" + "".join(self.dates(child) for child in node.children)
            case Body.CONTENTS:
                body = "\n" + self.contents(node)
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

    # ------------------------------------------------------------------------------------------ newsletters

    def story(self, node: Node, directive: Directive) -> str:
        story = stories.parts(node)
        words = "\n" + self.blocks(story.words)
        if story.more:
            words += f'<p class="more">{self.words(story.more)}</p>\n'
        if story.picture and directive.beside:
            picture = self.words(story.picture, stories.BESIDE_WIDTH)
            return self.component("brief", node, self.component("beside_picture", story.picture, picture)
                                  + self.component("beside_words", node, words)) + "\n"
        picture = ""
        if story.picture:
            shown = self.words(story.picture, stories.COLUMN_WIDTH)
            picture = self.component("story_picture", story.picture, shown)
        return self.component("story", node, picture + words) + "\n"

    def dates(self, node: Node) -> str:
        """A block of a list of dates. Each item is a row, with its bold words on a line of their own."""
        match node.kind:
            case kind if kind in LISTS:
                return self.component("date_rows", node, "\n" + "".join(map(self.dates, node.children))) + "\n"
            case "list_item":
                return self.component("date_row", node, "".join(map(self.dates, node.children))) + "\n"
            case kind if kind == GROUP:
                return "".join(map(self.dates, node.children))
            case "paragraph" if found := stories.day(node):
                bold, rest = map(self.rendered, found)
                return f'<p><strong class="day">{bold}</strong><br>{rest}</p>\n'
            case "paragraph":
                return f"<p>{self.words(node)}</p>\n"
        return self.block(node)

    def contents(self, node: Node) -> str:
        label = "".join(self.words(child) for child in node.children)
        rows = "".join(f"<p>{escapeHtml(title)}</p>\n" for title in self._titles)
        return f'<p class="contents-title">{label}</p>\n{rows}'

    def component(self, name: str, node: Node, body: str) -> str:
        return call(self._placeholders, node, Directive(body=Body.BLOCKS, component=name), "", body)

    # ------------------------------------------------------------------------------------------ words

    def words(self, node: Node, widest: int | None = None) -> str:
        """A block's words; ``widest`` is how wide its images may be, in pixels, when not as wide as the letter."""
        for child in node.children:
            for token in child.token.children or ():
                if token.type == "image":
                    self.size(token.attrs, child.line)
                    if widest:
                        _fit(token.attrs, widest)
        return "".join(self.rendered(child.token.children or ()) for child in node.children)

    def rendered(self, tokens: Sequence[Token]) -> str:
        return _RENDERER.renderInline(tokens, _OPTIONS, {})

    def size(self, attributes: dict[str, str | int | float], line: int) -> None:
        attributes.update(self._image(str(attributes.get("src", "")), line))


def _fit(attributes: dict[str, str | int | float], widest: int) -> None:
    """Show an image no wider than ``widest`` pixels; one of unknown size just so wide, or Outlook would show it whole."""
    width, height = int(attributes.get("width") or 0), int(attributes.get("height") or 0)
    if not width or width > widest:
        attributes["width"] = str(widest)
        if width and height:
            attributes["height"] = str(round(height * widest / width))
