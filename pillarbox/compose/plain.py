"""The plain-text part of a letter, written from its Markdown, never from the HTML.

Every block begins with its own blank line, so that an ``if`` or a loop that prints nothing leaves no gap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from pillarbox.compose import stories
from pillarbox.compose.directives import DIRECTIVES, Body
from pillarbox.compose.hypertext import arguments_of, call
from pillarbox.compose.markdown import DIRECTIVE, GROUP, LISTS, STATEMENT, Document, Node
from pillarbox.compose.placeholders import Placeholders, TagKind

WIDTH = 72
"""Columns; RFC 3676 §4.2 has plain text wrapped at or below 78, and replies want room for their marks."""
VALUE_WIDTH = 20
"""Columns that a value is taken to fill: nobody's name is known here."""
LINK_WIDTH = 60
"""Columns that a link made of a value is taken to fill."""
BULLET = "•"


def write(document: Document) -> tuple[str, tuple[int, ...]]:
    """The letter's plain text as a Jinja template that calls ``components``; autoescaping must be off for it.

    Returns:
        The template, and for each of its lines the line of the Markdown.
    """
    return document.placeholders.restore(_Writer(document.placeholders, document.blocks).blocks(document.blocks, ""))


class _Writer:
    def __init__(self, placeholders: Placeholders, letter: Sequence[Node]) -> None:
        self._placeholders = placeholders
        self._titles = stories.titles(letter)

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
        raise AssertionError(node.kind)

    def heading(self, node: Node, indent: str) -> str:
        text = self.wrapped(self.words(node), indent, indent)
        if self._placeholders.pattern.search(text) or "\n" in text:
            return text
        mark = "=" if node.token.tag == "h1" else "-"
        return f"{text}\n{indent}{mark * (len(text) - len(indent))}"

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
                body = "\n\n" + "\n".join(inner + line for line in lines)
            case Body.NOTHING:
                body = ""
        arguments = arguments_of(self._placeholders, directive, node.token.info)
        return call(self._placeholders, node, directive, arguments, body)

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
                    out.append(token.content)
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
