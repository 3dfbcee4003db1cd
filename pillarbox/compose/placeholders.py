"""Jinja tags out of the way of Markdown: each becomes one alphanumeric word, and is put back afterwards.

Jinja's own lexer finds the tags, so that quotes, several lines, comments and raw blocks are seen as Jinja sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from jinja2 import Environment, TemplateSyntaxError

_LEXER = Environment(keep_trailing_newline=True).lexer  # noqa: S701 - it only reads; nothing is rendered
_ENDS = {"variable_begin": "variable_end", "block_begin": "block_end", "comment_begin": "comment_end",
         "raw_begin": "raw_end"}
_LOOSE_BRACE = re.compile(r"\{(?=[{%#])")


class TagKind(StrEnum):
    """What a tag does in the text."""

    VALUE = "v"
    """Prints: ``{{ … }}``, or a raw block."""
    STATEMENT = "s"
    """Steers: ``{% … %}``."""
    COMMENT = "c"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """One Jinja tag of the source, or one that the compiler made."""

    code: str
    line: int
    """Line of the source (from 1) that it begins on."""
    kind: TagKind

    @property
    def words(self) -> list[str]:
        """What stands between the delimiters, in words: ``["if", "supporter.title"]``."""
        return self.inside.split()

    @property
    def inside(self) -> str:
        """What stands between the delimiters, without whitespace marks: ``supporter.title``."""
        return self.code[2:-2].strip("+-").strip()


class Placeholders:
    """A source with its tags replaced by words that occur nowhere in it."""

    def __init__(self, source: str) -> None:
        """Mask ``source`` (LF line ends).

        Raises:
            jinja2.TemplateSyntaxError: when Jinja cannot tell the tags apart.
        """
        self._prefix = _unused(source)
        self._tags: list[Tag] = []
        self.pattern = re.compile(rf"{self._prefix}(\d{{5}})[vsc]")
        """Matches one placeholder."""
        self.origin: list[int] = []
        """For each line of ``text`` (from 0), the line of the source (from 1)."""
        self.text = self._mask(source)

    def add(self, code: str, line: int, kind: TagKind) -> str:
        """The placeholder of a tag."""
        self._tags.append(Tag(code=code, line=line, kind=kind))
        return f"{self._prefix}{len(self._tags) - 1:05d}{kind}"

    def tags(self, text: str) -> list[Tag]:
        """The tags whose placeholders stand in ``text``, in order."""
        return [self._tags[int(found[1])] for found in self.pattern.finditer(text)]

    def only_statements(self, text: str) -> bool:
        """Whether ``text`` holds statements and blanks and nothing else."""
        tags = self.tags(text)
        return bool(tags) and all(t.kind is TagKind.STATEMENT for t in tags) and not self.pattern.sub("", text).strip()

    def bare(self, text: str) -> str:
        """``text`` as a writer would read it, tags in their own words; for sentences in findings."""
        return self.pattern.sub(lambda found: self._tags[int(found[1])].code, text)

    def restore(self, text: str) -> tuple[str, tuple[int, ...]]:
        """Put the tags back.

        Returns:
            The template, and for each of its lines the line of the source. Two tags from different lines never share
            a line of the template: a line break inside the second one's delimiters, where Jinja ignores it, keeps
            every error on its own line.
        """
        out: list[str] = []
        lines = [0]
        position = 0
        for found in self.pattern.finditer(text):
            self._literal(text[position : found.start()], out, lines, before_tag=True)
            tag = self._tags[int(found[1])]
            code = tag.code
            if lines[-1] not in (0, tag.line) and not code.startswith("{% raw"):
                code = re.sub(r"^(\{[{%][+-]?)\s*", r"\1\n", code)
                lines.append(tag.line)
                out.append(code)
                lines.extend(range(tag.line + 1, tag.line + code.count("\n")))
            else:
                lines[-1] = tag.line
                out.append(code)
                lines.extend(range(tag.line + 1, tag.line + code.count("\n") + 1))
            position = found.end()
        self._literal(text[position:], out, lines, before_tag=False)
        return "".join(out), _filled(lines)

    def _literal(self, text: str, out: list[str], lines: list[int], *, before_tag: bool) -> None:
        # Braces that came of an escape or an entity are letters here, and must not wake up as a tag.
        quoted = _LOOSE_BRACE.sub("{{ '{' }}", text)
        if before_tag and quoted.endswith("{"):
            quoted = quoted[:-1] + "{{ '{' }}"
        out.append(quoted)
        lines.extend([0] * text.count("\n"))

    def _mask(self, source: str) -> str:
        masked: list[str] = []
        origin = [1]
        for piece, line, kind in _pieces(source):
            if kind is None:
                masked.append(piece)
                origin.extend(range(line + 1, line + 1 + piece.count("\n")))
            else:
                masked.append(self.add(_fixed(piece) if kind is TagKind.STATEMENT else piece, line, kind))
        lines, self.origin = [], []
        for text, line in zip("".join(masked).split("\n"), origin, strict=True):
            without = self.pattern.sub(lambda m: "" if m[0].endswith(TagKind.COMMENT) else m[0], text)
            if without != text and not without.strip():
                continue  # a line of comments alone is no blank line: it must not split a paragraph
            lines.append(without)
            self.origin.append(line)
        self.origin = self.origin or [1]
        return "\n".join(lines)


def _pieces(source: str) -> Iterator[tuple[str, int, TagKind | None]]:
    """Tags and the text between them: (source text, line from 1, kind or None for plain text)."""
    position = start = 0
    line = 1
    ends = ""
    kind = TagKind.VALUE
    for _, token, value in _LEXER.tokeniter(source, None):
        where = source.index(value, position)  # a `{%-` makes the lexer drop whitespace before it
        if not ends and token in _ENDS:
            if where > start:
                yield source[start:where], line, None
                line += source.count("\n", start, where)
            start, ends = where, _ENDS[token]
            kind = {"block_begin": TagKind.STATEMENT, "comment_begin": TagKind.COMMENT}.get(token, TagKind.VALUE)
        elif ends and token == ends:
            # The end token may have swallowed the whitespace after it: that belongs to the text.
            stop = where + len(value.rstrip())
            yield source[start:stop], line, kind
            line += source.count("\n", start, stop)
            start, ends = stop, ""
        position = where + len(value)
    if ends:
        raise TemplateSyntaxError(f"{source[start:start + 2]} is not closed", line)
    if start < len(source):
        yield source[start:], line, None


def _fixed(code: str) -> str:
    """A statement that eats no whitespace around it, however the environment is set up, unless the writer said so."""
    head, body, tail = code[:2], code[2:-2], code[-2:]
    return head + ("" if body[0] in "+-" else "+") + body + ("" if body[-1] in "+-" else "+") + tail


def _filled(lines: list[int]) -> tuple[int, ...]:
    """Lines without a tag belong to the one above them."""
    filled = []
    last = next((line for line in lines if line), 1)
    for line in lines:
        last = line or last
        filled.append(last)
    return tuple(filled)


def _unused(source: str) -> str:
    prefix = "qj"
    while prefix in source.lower():
        prefix += "qz"[len(prefix) % 2]
    return prefix
