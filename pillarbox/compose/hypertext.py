"""The HTML part of a letter, written from its Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from pillarbox.compose import stories
from pillarbox.compose.direction import RTL, direction_of, isolated
from pillarbox.compose.directives import COLUMN, DIRECTIVES, NOTES, RUNG, RUNG_ALONE, RUNG_WORDS, Body, Directive
from pillarbox.compose.markdown import DIRECTIVE, GROUP, LISTS, NOTE_MARK, STATEMENT, Document, Node
from pillarbox.compose.markdown import NOTES as NOTES_BLOCK
from pillarbox.compose.placeholders import Placeholders, TagKind
from pillarbox.content import images

HALF_WIDTH = 246
"""Pixels of one of two columns: half the layouts' measure, less 14 towards the other."""

_RENDERER = RendererHTML()
_ALONE = ("image", "link_open", "link_close")
"""What an image's paragraph holds when there are no words in it."""
_OPTIONS = MarkdownIt("commonmark", {"xhtmlOut": False}).options


Image = Callable[[str, int, int], Mapping[str, str]]
"""Source, line, and the pixels that it may fill → what more its ``<img>`` has (src, width, height)."""


def write(document: Document, image: Image, *, isolate: bool = False) -> tuple[str, tuple[int, ...]]:
    """The letter's HTML as a Jinja template that calls ``components``.

    Args:
        document: the letter.
        image: what more the ``<img>`` of a source has.
        isolate: whether printed values are kept apart from the words around them: in a right-to-left letter.

    Returns:
        The template, and for each of its lines the line of the Markdown.
    """
    writer = _Writer(document.placeholders, image, document.blocks, isolate)
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
    rest = info.partition(" ")[2].strip()
    if directive.takes_language:
        return f"'{rest}', '{direction_of(rest)}'"
    return _expression(placeholders, rest) if directive.takes_link else directive.arguments


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """One line of an ask ladder."""

    label: str
    """What stands on it: ``£10``, ``£10 a month``; words alone when no amount is named."""
    words: str
    """What the amount does; may be empty."""
    amount: str
    """Jinja expression of the amount in pounds, for the link; empty when none is named."""


def rung_of(placeholders: Placeholders, line: str) -> Rung:
    """A line of an ask ladder, read: an amount, perhaps a few more words, a colon, what it does.

    The amount may be a value: ``£{{ supporter.ask }}: …``.
    """
    label, _, words = line.partition(":")
    found = re.match(rf"\s*£\s?(?:(?P<sum>\d[\d,]*(?:\.\d\d)?)|(?P<tag>{placeholders.pattern.pattern}))", line)
    if found is None:
        return Rung(label=label.strip(), words=words.strip(), amount="")
    if ":" not in line:
        label, words = line[: found.end()], line[found.end() :]
    # Joined to nothing, a value that is not there is told at the writer's own line, not within the component.
    amount = (f"'{found['sum'].replace(',', '')}'" if found["sum"]
              else f"({placeholders.tags(found['tag'])[0].inside}) ~ ''")
    return Rung(label=label.strip(), words=words.strip(), amount=amount)


def halves(nodes: Sequence[Node]) -> list[list[Node]]:
    """The blocks between lines of dashes."""
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if node.kind == "hr":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def rung_lines(node: Node) -> Iterator[Node]:
    """The paragraphs that hold an ask ladder's lines, its own or those of its list, and the statements round them."""
    for child in node.children:
        if child.kind in (*LISTS, GROUP):
            yield from rung_lines(child)
        elif child.kind == "list_item":
            yield from child.children
        else:
            yield child


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
    def __init__(self, placeholders: Placeholders, image: Image, letter: Sequence[Node], isolate: bool) -> None:
        self._placeholders = placeholders
        self._image = image
        self._titles = stories.titles(letter)
        self._isolate = isolate
        self._widest = 0
        """Pixels that an image may be wide where the writer is; 0: as wide as the letter."""
        self._measure = images.COLUMN

    def blocks(self, nodes: Sequence[Node]) -> str:
        return "".join(self.block(node) for node in nodes)

    def block(self, node: Node) -> str:
        match node.kind:
            case "paragraph" if node.token.hidden:
                return self.words(node)
            case "paragraph" | "heading":
                return f"<{node.token.tag}>{self.words(node, airy=True)}</{node.token.tag}>\n"
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
            case kind if kind == NOTES_BLOCK:
                notes = "".join(self.note(note, number) for number, note in enumerate(node.children, 1))
                return call(self._placeholders, node, NOTES, "", "\n" + notes) + "\n"
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
            case Body.BLOCKS if directive.takes_language:
                body = "\n" + self.in_language(node)
            case Body.BLOCKS:
                body = "\n" + self.blocks(node.children)
            case Body.PICTURE:
                names = ["figure-picture", *["caption"] * (len(node.children) - 1)]
                body = "".join(f'\n<p class="{name}">{self.words(child)}</p>'
                               for name, child in zip(names, node.children, strict=True))
            case Body.HALVES:
                outside, self._widest = self._widest, HALF_WIDTH
                body = "".join(call(self._placeholders, node, COLUMN, "true" if number else "false",
                                    "\n" + self.blocks(side)) for number, side in enumerate(halves(node.children)))
                self._widest = outside
            case Body.RUNGS:
                body = "".join(self.rungs(child, directive) for child in rung_lines(node))
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

    def in_language(self, node: Node) -> str:
        outside, self._isolate = self._isolate, direction_of(node.token.info.split()[1]) == RTL
        body = self.blocks(node.children)
        self._isolate = outside
        return body

    def rungs(self, node: Node, directive: Directive) -> str:
        if node.kind == STATEMENT:
            return self.block(node)
        out = []
        for line in re.split(r"(?:<br>)?\n", self.words(node)):
            rung = rung_of(self._placeholders, line)
            arguments = f"{rung.amount or repr('')}, {directive.arguments or 'false'}"
            out.append(call(self._placeholders, node, RUNG if rung.words else RUNG_ALONE, arguments, rung.label))
            if rung.words:
                out.append(call(self._placeholders, node, RUNG_WORDS, "", rung.words) + "\n")
        return "".join(out)

    def note(self, node: Node, number: int) -> str:
        mark = f'<span class="note-number">{number}.</span> '
        return "".join(f'<p class="note">{"" if place else mark}{self.words(child)}</p>\n' if child.kind == "paragraph"
                       else self.block(child) for place, child in enumerate(node.children))

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
            words += self.more(story.more)
        if story.picture and directive.beside:
            picture = self.words(story.picture, stories.BESIDE_WIDTH)
            return self.component("brief", node, self.component("beside_picture", story.picture, picture)
                                  + self.component("beside_words", node, words)) + "\n"
        picture = ""
        if story.picture:
            shown = self.words(story.picture, images.COLUMN)
            picture = self.component("story_picture", story.picture, shown)
        return self.component("story", node, picture + words) + "\n"

    def more(self, node: Node) -> str:
        """The link that leads on from a story, or an ``if`` of such."""
        if node.kind == GROUP:
            return "".join(map(self.more, node.children))
        return self.block(node) if node.kind == STATEMENT else f'<p class="more">{self.words(node)}</p>\n'

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

    def words(self, node: Node, widest: int | None = None, *, airy: bool = False) -> str:
        """A block's words.

        ``widest`` is how wide its images may be, in pixels, when not as wide as the letter; ``airy``: an image that is
        all there is has air above and below it.
        """
        for child in node.children:
            for token in child.token.children or ():
                if token.type == "image":
                    self.size(token.attrs, child.line, min(filter(None, (widest, self._widest)), default=0))
                    if widest and 0 < int(token.attrs.get("width") or 0) < stories.BESIDE_WIDTH:
                        token.attrs["class"] = "tiny"  # a phone would blow it up to the width of its screen
                    if airy and all(each.type in _ALONE for each in child.token.children or ()):
                        token.attrs["class"] = "airy"
        return "".join(self.rendered(child.token.children or ()) for child in node.children)

    def rendered(self, tokens: Sequence[Token]) -> str:
        return _RENDERER.renderInline([self.word(token) for token in tokens], _OPTIONS, {})

    def word(self, token: Token) -> Token:
        """A piece of a paragraph as the renderer knows it."""
        if token.type == NOTE_MARK:
            return Token("html_inline", "", 0, content=f'<sup class="note-mark">{token.meta["id"] + 1}</sup>')
        if self._isolate and token.type in ("text", "code_inline"):
            return token.copy(content=isolated(token.content, self._placeholders))
        return token

    def size(self, attributes: dict[str, str | int | float], line: int, widest: int) -> None:
        with self.within(widest):
            attributes.update(self._image(str(attributes.get("src", "")), line, self._measure))
        if widest:
            _fit(attributes, widest)


def _fit(attributes: dict[str, str | int | float], widest: int) -> None:
    """Show an image no wider than ``widest`` pixels; one of unknown size so wide, or Outlook would show it whole."""
    width, height = int(attributes.get("width") or 0), int(attributes.get("height") or 0)
    if not width or width > widest:
        attributes["width"] = str(widest)
        if width and height:
            attributes["height"] = str(round(height * widest / width))
