"""The plain-text part of a letter, written from its Markdown, never from the HTML.

Every block begins with its own blank line, so that an ``if`` or a loop that prints nothing leaves no gap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from pillarbox.compose import stories
from pillarbox.compose.direction import EDGE, RTL, direction_of, isolated
from pillarbox.compose.directives import COLUMN, DIRECTIVES, NOTES, RUNG, RUNG_WORDS, Body, Directive
from pillarbox.compose.hypertext import arguments_of, call, halves, rung_lines, rung_of
from pillarbox.compose.markdown import DIRECTIVE, GROUP, LISTS, NOTE_MARK, STATEMENT, Document, Node
from pillarbox.compose.markdown import NOTES as NOTES_BLOCK
from pillarbox.compose.placeholders import Placeholders, TagKind

WIDTH = 72
"""Columns; RFC 3676 §4.2 has plain text wrapped at or below 78, and replies want room for their marks."""
VALUE_WIDTH = 20
"""Columns that a value is taken to fill: nobody's name is known here."""
LINK_WIDTH = 60
"""Columns that a link made of a value is taken to fill."""
BULLET = "•"


def write(document: Document, *, backwards: bool = False) -> tuple[str, tuple[int, ...]]:
    """The letter's plain text as a Jinja template that calls ``components``; autoescaping must be off for it.

    Args:
        document: the letter.
        backwards: whether it is written from right to left: each line then says so, and values are kept apart.

    Returns:
        The template, and for each of its lines the line of the Markdown.
    """
    writer = _Writer(document.placeholders, document.blocks, backwards)
    return document.placeholders.restore(writer.blocks(document.blocks, ""))


class _Writer:
    def __init__(self, placeholders: Placeholders, letter: Sequence[Node], backwards: bool) -> None:
        self._placeholders = placeholders
        self._titles = stories.titles(letter)
        self._backwards = backwards

    @property
    def edge(self) -> str:
        """What begins every line."""
        return EDGE if self._backwards else ""

    def blocks(self, nodes: Sequence[Node], indent: str) -> str:
        return "".join(self.block(node, indent) for node in nodes)

    def block(self, node: Node, indent: str) -> str:
        match node.kind:
            case "paragraph":
                return "\n\n" + self.wrapped(self.words(node), indent, indent)
            case "heading":
                return "\n\n" + self.heading(node, indent)
            case "blockquote":
                return self.blocks(node.children, indent + "    ")
            case "hr":
                return call(self._placeholders, node, DIRECTIVES["divider"], "", "")
            case kind if kind in LISTS:
                return self.items(node, indent)
            case kind if kind == STATEMENT:
                return node.token.content
            case kind if kind == GROUP:
                return self.blocks(node.children, indent)
            case kind if kind == DIRECTIVE:
                return self.directive(node, indent)
            case kind if kind == NOTES_BLOCK:
                notes = "".join(self.note(note, number, indent) for number, note in enumerate(node.children, 1))
                return call(self._placeholders, node, NOTES, "", notes)
        raise AssertionError(node.kind)

    def heading(self, node: Node, indent: str) -> str:
        text = self.wrapped(self.words(node), indent, indent)
        if self._placeholders.pattern.search(text) or "\n" in text:
            return text
        mark = "=" if node.token.tag == "h1" else "-"
        return f"{text}\n{self.edge}{indent}{mark * (len(text) - len(self.edge + indent))}"

    def items(self, node: Node, indent: str) -> str:
        fixed = node.kind == "ordered_list" and all(child.kind == "list_item" for child in node.children)
        number = int(node.token.attrGet("start") or 1) - 1
        tight = all(p.token.hidden for item in node.children for p in item.children if p.kind == "paragraph")
        out = ["\n" if tight else ""]
        for item in node.children:
            if item.kind != "list_item":
                out.append(self.block(item, indent))
                continue
            number += 1
            mark = f"{number}." if fixed else BULLET
            hang = indent + "  " + " " * (len(mark) + 1)
            first, rest = item.children[:1], item.children[1:]
            opening = self.words(first[0]) if first and first[0].kind == "paragraph" else ""
            out.append(("\n" if tight else "\n\n") + self.wrapped(opening, f"{indent}  {mark} ", hang))
            out.append(self.blocks(rest if opening else item.children, hang))
        return "".join(out)

    def directive(self, node: Node, indent: str) -> str:
        directive = DIRECTIVES[node.token.info.split()[0]]
        inner = indent + " " * directive.indent
        match directive.body:
            case Body.BLOCKS if directive.takes_language:
                body = self.in_language(node, inner)
            case Body.PICTURE:
                body = "\n\n" + "\n".join(self.wrapped(self.words(child), inner, inner) for child in node.children)
            case Body.HALVES:
                body = "".join(call(self._placeholders, node, COLUMN, "true" if number else "false",
                                     self.blocks(side, inner)) for number, side in enumerate(halves(node.children)))
            case Body.RUNGS:
                body = "".join(self.rungs(child, directive) for child in rung_lines(node))
            case Body.BLOCKS | Body.STORY | Body.DATES:
                body = self.blocks(node.children, inner)
            case Body.CONTENTS:
                label = " ".join(self.words(child).replace("\n", " ") for child in node.children)
                body = "\n\n" + "\n".join([inner + label, *(
                    self.wrapped(title, f"{inner}  {BULLET} ", f"{inner}    ") for title in self._titles)])
            case Body.LABEL:
                body = " ".join(self.words(child).replace("\n", " ") for child in node.children)
            case Body.LINES:
                lines = [line for child in node.children for line in re.split(r"\n", self.words(child))]
                body = "\n\n" + "\n".join(self.edge + inner + line for line in lines)
            case Body.NOTHING:
                body = ""
        arguments = arguments_of(self._placeholders, directive, node.token.info)
        return call(self._placeholders, node, directive, arguments, body)

    def in_language(self, node: Node, indent: str) -> str:
        outside, self._backwards = self._backwards, direction_of(node.token.info.split()[1]) == RTL
        body = self.blocks(node.children, indent)
        self._backwards = outside
        return body

    def rungs(self, node: Node, directive: Directive) -> str:
        if node.kind == STATEMENT:
            return self.block(node, "")
        out = []
        for line in re.split(r"[\n\v]+", self.words(node)):
            rung = rung_of(self._placeholders, line)
            arguments = f"{rung.amount or repr('')}, {directive.arguments or 'false'}"
            words = self.wrapped(f"{rung.label}: {rung.words}" if rung.words else f"{rung.label}:", "", "")
            out.append(call(self._placeholders, node, RUNG_WORDS, "", words)
                       + call(self._placeholders, node, RUNG, arguments, ""))
        return "".join(out)

    def note(self, node: Node, number: int, indent: str) -> str:
        mark = f"{indent}[{number}] "
        hang = indent + " " * (len(mark) - len(indent))
        first, *rest = node.children
        return "\n" + self.wrapped(self.words(first), mark, hang) + self.blocks(rest, hang)

    # ------------------------------------------------------------------------------------------ words

    def words(self, node: Node) -> str:
        """A paragraph's words; ``\\n`` where the writer broke a line, soft or hard."""
        tokens = [token for child in node.children for token in child.token.children or ()]
        alone = len(tokens) > 2 and tokens[0].type == "link_open" and _closing(tokens, 0) == len(tokens) - 1
        return self.inline(tokens, ": {}" if alone else " <{}>")

    def inline(self, tokens: Sequence[Token], link: str) -> str:
        out: list[str] = []
        number = 0
        while number < len(tokens):
            token = tokens[number]
            match token.type:
                case "text" | "code_inline" | "text_special":
                    out.append(isolated(token.content, self._placeholders) if self._backwards else token.content)
                case kind if kind == NOTE_MARK:
                    out.append(f"[{token.meta['id'] + 1}]")
                case "softbreak":
                    out.append("\n")
                case "hardbreak":
                    out.append("\v")
                case "image":
                    out.append(f"[{token.content}]" if token.content else "")
                case "link_open":
                    last = _closing(tokens, number)
                    label = self.inline(tokens[number + 1 : last], link)
                    target = self._address(str(token.attrGet("href") or ""))
                    out.append(target if self._same(label, target) else label + link.format(target))
                    number = last
            number += 1
        return "".join(out)

    def _address(self, target: str) -> str:
        return target.removeprefix("mailto:") if "?" not in target else target

    def _same(self, label: str, target: str) -> bool:
        plain = self._placeholders.bare(label).strip().rstrip("/")
        return plain in (bare := self._placeholders.bare(target).rstrip("/"), bare.partition("://")[2])

    def wrapped(self, text: str, first: str, rest: str) -> str:
        """``text`` in lines of at most ``WIDTH`` columns; hard breaks stay, other line breaks are blanks."""
        lines: list[str] = []
        first, rest = self.edge + first, self.edge + rest
        for part in text.split("\v"):
            line, filled = "", False
            prefix = rest if lines else first
            for word in re.split(r"[ \n\t]+", part.strip(" \n\t")):
                if filled and self._columns(prefix + line + " " + word) > WIDTH:
                    lines.append(prefix + line)
                    prefix, line = rest, word
                else:
                    line = f"{line} {word}" if filled else word
                filled = True
            lines.append(prefix + line)
        return "\n".join(lines)

    def _columns(self, text: str) -> int:
        def width(found: re.Match[str]) -> str:
            in_link = text[: found.start()].endswith("<")
            return "x" * (LINK_WIDTH if in_link else VALUE_WIDTH) if found[0].endswith(TagKind.VALUE) else ""

        return len(self._placeholders.pattern.sub(width, text))


def _closing(tokens: Sequence[Token], opening: int) -> int:
    """Where the link that opens at ``opening`` closes; links never nest (CommonMark 6.3)."""
    return next(n for n in range(opening, len(tokens)) if tokens[n].type == "link_close")
