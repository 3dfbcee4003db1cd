"""The words that staff wrote, passage by passage, each with its line in the file that they edit.

A supporter's values and template statements stand as one sign each, so that nobody's name is taken for a misspelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from html.parser import HTMLParser
from itertools import islice

from markdown_it.token import Token

from pillarbox.compose import markdown
from pillarbox.compose.placeholders import Placeholders
from pillarbox.content.appeal import Appeal, Source
from pillarbox.model.records import Finding, Level

VALUE = "\ufffc"
"""Stands where a value is printed: ``{{ supporter.first_name }}``. It is no letter to any regular expression."""
STATEMENT = "\ufff9"
"""Stands where a statement steers within a passage: ``{% if … %}``."""
MOST = 40
"""Findings of one check on one letter."""
NEAR = 400
"""Characters on both sides of a word that are looked at: a paragraph may be as long as a file."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Soft hyphens, joiners and direction marks: they are no part of a word's spelling."""
_HINT = re.compile(r"\[\[[^\[\]]{1,600}\]\]")
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "div", "dl", "dt",
    "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav",
    "ol", "p", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"))
_SILENT = frozenset(("head", "script", "style", "title"))
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))


class Part(StrEnum):
    """What a passage is in the letter."""

    WORDS = "words"
    """A paragraph, an item of a list, the label of a button."""
    HEADING = "heading"
    ALT = "alt"
    """What an image shows, said in words."""
    TITLE = "title"
    SUBJECT = "subject"
    PREHEADER = "preheader"


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """Words that belong together: a paragraph, a heading, the subject."""

    text: str
    """NFC; a line break where the source has one."""
    file: str
    lines: tuple[int | None, ...]
    """For each line of ``text``, that of the file (from 1); None when it is not known."""
    part: Part
    language: str
    """BCP 47."""
    set_apart: tuple[tuple[int, int], ...] = ()
    """Stretches in italics: titles, words of another language."""

    @property
    def english(self) -> bool:
        """Whether its words are English."""
        return self.language.partition("-")[0].lower() == "en"

    def line(self, position: int) -> int | None:
        """The file's line of a place in ``text``."""
        return self.lines[min(self.text.count("\n", 0, position), len(self.lines) - 1)]

    def finding(self, level: Level, code: str, position: int, message: str) -> Finding:
        """A finding about the words at a place in ``text``."""
        return Finding(level=level, code=code, file=self.file, line=self.line(position), message=message)


def written(appeal: Appeal) -> tuple[Passage, ...]:
    """Everything that staff wrote for an appeal: subject, preheader, title, the letter, its plain-text part."""
    return (*_settings(appeal), *body(appeal.letter, appeal.language),
            *(body(appeal.text, appeal.language) if appeal.text else ()))


def body(source: Source, language: str) -> tuple[Passage, ...]:
    """The passages of letter.md, letter.html or letter.txt, by the file's name."""
    return _body(source.content, source.file, language)


def hypertext(html: str, file: str, language: str) -> tuple[Passage, ...]:
    """The passages of HTML without template tags."""
    reader = _Reader(Placeholders(""), file, language)
    reader.feed(html)
    reader.close()
    return tuple(reader.passages)


def few(found: Iterable[Finding]) -> Iterator[Finding]:
    """The first ``MOST`` findings of a check; of a letter that has more, the rest would hide what else is found."""
    yield from islice(found, MOST)


def without_hints(text: str) -> str:
    """``text`` with what a new letter has in ``[[…]]``, to be written yet, covered up; places stay as they are."""
    return _HINT.sub(lambda found: re.sub(r"[^\n]", VALUE, found[0]), text)


def folded(text: str) -> str:
    """``text`` with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())


@lru_cache(maxsize=16)
def _body(content: str, file: str, language: str) -> tuple[Passage, ...]:
    return tuple(replace(passage, text=without_hints(passage.text)) for passage in _passages(content, file, language)
                 if passage.text.strip())


def _passages(content: str, file: str, language: str) -> Iterable[Passage]:
    match file.rpartition(".")[2]:
        case "md":
            document = markdown.read(content, file)
            return _blocks(document.blocks, document.placeholders, file, language, Part.WORDS)
        case "html":
            masked = Placeholders(content)
            reader = _Reader(masked, file, language)
            reader.feed(masked.text)
            reader.close()
            return reader.passages
        case _:
            return _plain(Placeholders(content), file, language)


def _settings(appeal: Appeal) -> Iterator[Passage]:
    for part, text, line in ((Part.SUBJECT, appeal.subject, appeal.subject_line),
                             (Part.TITLE, appeal.title, appeal.title_line),
                             (Part.PREHEADER, appeal.preheader, appeal.preheader_line)):
        if text.strip():
            placeholders = Placeholders(text)
            yield Passage(text=_clean(placeholders, placeholders.text), file=appeal.file, lines=(line,), part=part,
                          language=appeal.language)


def _clean(placeholders: Placeholders, text: str) -> str:
    def sign(found: re.Match[str]) -> str:
        return {"v": VALUE, "s": STATEMENT}.get(found[0][-1], "")

    plain = _INVISIBLE.sub("", placeholders.pattern.sub(sign, text))
    return unicodedata.normalize("NFC", plain.replace("\u00a0", " ").replace("\u202f", " "))


# ---------------------------------------------------------------------------------------------- Markdown


def _blocks(nodes: Sequence[markdown.Node], placeholders: Placeholders, file: str, language: str,
            part: Part) -> Iterator[Passage]:
    for node in nodes:
        if node.kind == "inline":
            yield from _Words(placeholders, file, language, part).read(node)
            continue
        name, _, rest = node.token.info.partition(" ") if node.kind == markdown.DIRECTIVE else ("", "", "")
        inner = rest.split()[0] if name == "lang" and rest.split() else language
        yield from _blocks(node.children, placeholders, file, inner, Part.HEADING if node.kind == "heading" else part)


@dataclass(kw_only=True, slots=True)
class _Draft:
    """A passage in the making."""

    text: str = ""
    set_apart: list[tuple[int, int]] = field(default_factory=list)
    opened: int | None = None


class _Words:
    """The words of one Markdown block."""

    def __init__(self, placeholders: Placeholders, file: str, language: str, part: Part) -> None:
        self._placeholders, self._file, self._language, self._part = placeholders, file, language, part

    def read(self, node: markdown.Node) -> Iterator[Passage]:
        tokens = node.token.children or []
        lines = self._lines(node, tokens)
        draft, row = _Draft(), 0
        for token in tokens:
            match token.type:
                case "text" | "text_special":
                    draft.text += _clean(self._placeholders, token.content)
                case "code_inline":
                    draft.text += VALUE
                case "softbreak" | "hardbreak":
                    draft.text += "\n"
                    row += 1
                case "image":
                    draft.text += VALUE
                    yield self._passage(_clean(self._placeholders, token.content), (lines[row],), Part.ALT)
                case "em_open":
                    draft.opened = len(draft.text)
                case "em_close" if draft.opened is not None:
                    draft.set_apart.append((draft.opened, len(draft.text)))
        yield self._passage(draft.text, lines, self._part, tuple(draft.set_apart))

    def _lines(self, node: markdown.Node, tokens: Sequence[Token]) -> tuple[int, ...]:
        """The source's line of each line of the block; lines that hold only a comment were taken out before."""
        rows = 1 + sum(token.type in ("softbreak", "hardbreak") for token in tokens)
        if not node.token.map:
            return (node.line,) * rows
        origin = self._placeholders.origin
        return tuple(origin[min(node.token.map[0] + row, len(origin) - 1)] for row in range(rows))

    def _passage(self, text: str, lines: tuple[int, ...], part: Part,
                 set_apart: tuple[tuple[int, int], ...] = ()) -> Passage:
        return Passage(text=text, file=self._file, lines=lines, part=part, language=self._language,
                       set_apart=set_apart)


# ---------------------------------------------------------------------------------------------- HTML and plain text


class _Reader(HTMLParser):
    """Passages between an HTML letter's block tags."""

    def __init__(self, placeholders: Placeholders, file: str, language: str) -> None:
        super().__init__(convert_charrefs=True)
        self.passages: list[Passage] = []
        self._placeholders, self._file = placeholders, file
        self._tags: list[tuple[str, str]] = [("", language)]
        self._text, self._lines = "", list[int]()
        self._apart: list[tuple[int, int]] = []
        self._opened: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in _BLOCKS:
            self._flush()
        if tag == "img":
            self._text += VALUE
            if alt := (said.get("alt") or "").strip():
                self._add(alt, (self._line(),), Part.ALT)
        elif tag not in _VOID:
            self._tags.append((tag, said.get("lang") or self._tags[-1][1]))
        if tag in ("em", "i", "cite"):
            self._opened = len(self._text)

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._flush()
        if tag in ("em", "i", "cite") and self._opened is not None:
            self._apart.append((self._opened, len(self._text)))
            self._opened = None
        if any(tag == name for name, _ in self._tags[1:]):
            while self._tags.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if any(name in _SILENT for name, _ in self._tags):
            return
        line = self._line()
        if not self._text.strip():
            kept = data.lstrip()
            line += data.count("\n", 0, len(data) - len(kept))
            data, self._text, self._lines = kept, "", []
        if not data:
            return
        self._lines = self._lines or [line]
        self._lines += range(line + 1, line + 1 + data.count("\n"))
        self._text += _clean(self._placeholders, data)

    def close(self) -> None:
        super().close()
        self._flush()

    def _line(self) -> int:
        return self.getpos()[0]

    def _flush(self) -> None:
        if self._text.strip():
            heading = any(re.fullmatch(r"h[1-6]", name) for name, _ in self._tags)
            self._add(self._text.rstrip(), tuple(self._lines or [self._line()]),
                      Part.HEADING if heading else Part.WORDS, tuple(self._apart))
        self._text, self._lines, self._apart, self._opened = "", [], [], None

    def _add(self, text: str, lines: tuple[int, ...], part: Part,
             set_apart: tuple[tuple[int, int], ...] = ()) -> None:
        origin = self._placeholders.origin
        # HTML that was not masked has its own lines.
        known = tuple(origin[min(line, len(origin)) - 1] if len(origin) > 1 else line for line in lines)
        self.passages.append(Passage(text=_clean(self._placeholders, text), file=self._file, lines=known, part=part,
                                     language=self._tags[-1][1], set_apart=set_apart))


def _plain(placeholders: Placeholders, file: str, language: str) -> Iterator[Passage]:
    """Paragraphs of plain text: blank lines part them, and so do the marks of a list."""
    rows: list[tuple[str, int]] = []
    for text, line in [*zip(placeholders.text.split("\n"), placeholders.origin, strict=True), ("", 0)]:
        bare = placeholders.pattern.sub("", text).strip()
        if rows and (not bare or re.match(r"\s*(?:[-*•]|\d+\.)\s", text) or not re.search(r"\w", bare)):
            yield Passage(text=_clean(placeholders, "\n".join(row for row, _ in rows)), file=file,
                          lines=tuple(number for _, number in rows), part=Part.WORDS, language=language)
            rows = []
        if bare and re.search(r"\w", bare):
            rows.append((re.sub(r"^\s*(?:[-*•]\s+)?", "", text).rstrip(), line))
