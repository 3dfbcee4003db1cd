"""The parts of a newsletter's stories, dates and contents, found in what a writer put between the ``:::`` lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from pillarbox.compose.directives import DIRECTIVES, Body
from pillarbox.compose.markdown import DIRECTIVE, GROUP, STATEMENT, Node

BESIDE_WIDTH = 180
"""Pixels of a picture beside a story's words: the measure less 20 between them and 320 for the words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """One story's parts, each as the writer wrote it."""

    picture: Node | None
    """The first paragraph, when it holds an image and nothing else."""
    words: tuple[Node, ...]
    more: Node | None
    """The last paragraph when it is one link and nothing else, or an ``if`` of such: it leads on to the story."""


def is_story(node: Node) -> bool:
    """Whether a block is a story."""
    directive = DIRECTIVES.get(node.token.info.partition(" ")[0]) if node.kind == DIRECTIVE else None
    return directive is not None and directive.body is Body.STORY


def parts(node: Node) -> Story:
    """The parts of a story."""
    words = list(node.children)
    picture = words.pop(0) if words and _is_picture(words[0]) else None
    more = words.pop() if words and _leads_on(words[-1]) else None
    return Story(picture=picture, words=tuple(words), more=more)


def titles(blocks: Sequence[Node]) -> list[str]:
    """The headings of a letter's stories, in order: its table of contents.

    Only of stories that everybody gets: one within an ``if`` or a loop is in nobody's contents. They are words, not
    links: where links within a letter do nothing (caniemail.com/features/html-anchor-links/, read 2026-11: Gmail for
    iOS and others), a reader would press in vain.
    """
    found = [next((child for child in node.children if child.kind == "heading"), None)
             for node in blocks if is_story(node)]
    return [title(heading) for heading in found if heading]


def title(heading: Node) -> str:
    """A heading's words alone, without links or emphasis; placeholders stay."""
    return " ".join("".join(token.content or " " for token in tokens_of(heading) if not token.nesting).split())


def day(paragraph: Node) -> tuple[list[Token], list[Token]] | None:
    """A date's line in two: the bold words that it begins with, and the rest. A colon between them goes; None when the
    line does not begin with bold words."""
    tokens = [token for token in tokens_of(paragraph) if token.content or token.type != "text"]
    if not tokens or tokens[0].type != "strong_open":
        return None
    end = next(number for number, token in enumerate(tokens) if token.type == "strong_close")
    bold, rest = tokens[1:end], tokens[end + 1 :]
    while rest and rest[0].type in ("softbreak", "hardbreak"):
        rest = rest[1:]
    return (bold[:-1] + [_with(token, token.content.rstrip().removesuffix(":")) for token in bold[-1:]],
            [_with(token, token.content.lstrip().removeprefix(":").lstrip()) for token in rest[:1]] + rest[1:])


def tokens_of(node: Node) -> list[Token]:
    """The words of a block as markdown-it's tokens."""
    return [token for child in node.children for token in child.token.children or ()]


def _with(token: Token, content: str) -> Token:
    """A text token with other words; the plain-text part still reads the first one."""
    return token.copy(content=content) if token.type == "text" else token


def _is_picture(node: Node) -> bool:
    held = _held(node)
    return [token.type for token in held] == ["image"]


def _is_link(node: Node) -> bool:
    held = _held(node)
    return (len(held) > 1 and held[0].type == "link_open" and held[-1].type == "link_close"
            and sum(token.type == "link_open" for token in held) == 1)


def _leads_on(node: Node) -> bool:
    if node.kind != GROUP:
        return _is_link(node)
    held = [child for child in node.children if child.kind != STATEMENT]
    return bool(held) and all(map(_leads_on, held))


def _held(node: Node) -> list[Token]:
    tokens = tokens_of(node) if node.kind == "paragraph" else []
    return [token for token in tokens if token.type != "softbreak" and (token.content or token.type != "text")]
