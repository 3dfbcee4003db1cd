"""What differs between two versions of a mailing, for people to read: words by line, settings, layouts, images, links.

A version is what somebody can stand for: its bundle, and whom, when and by which way the mailing is for.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pillarbox.content.bundle import Bundle

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
# So long a file is compared by its lines' count alone: nobody reads such a difference.
_MOST_LINES, _MOST_BYTES, _MOST_WORDS = 5_000, 400_000, 1_500
_CONTEXT = 45
"""Characters kept on either side of a changed word in a long line."""
_UNSEEN = ("Cc", "Cf", "Cs", "Co")
_JOINERS = "\t\u200c\u200d"
"""Scripts and emoji are written with them: they change how letters join, and nothing else."""
_FIRST = ("appeal.subject", "appeal.preheader", "appeal.title", "appeal.letter", "appeal.text", "appeal", "sender",
          "links", "theme", "templates", "images")
_SETTINGS = {"sender": "Sender", "links": "Link", "theme": "theme.toml", "appeal": "appeal.toml",
             "appeal.links": "Link", "appeal.facts": "Fact"}
_VARIANT = re.compile(r"appeal\.variants\.(.)\.(.+)")
_NAMED = {"appeal.subject": "Subject", "appeal.preheader": "Preheader", "appeal.title": "Title",
          "sender.name": "From (name)", "sender.email": "From (address)", "sender.reply_to": "Reply address",
          "sender.images": "How images travel", "sender.unsubscribe_mailto": "Address for unsubscribing"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some words of a line."""

    text: str
    changed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of what was, or of what is now."""

    sign: str
    """``-``: was so; ``+``: is so."""
    number: int | None
    """Of the line in its file; None for a setting."""
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that is not as it was."""

    what: str
    """``Subject``, ``Words of appeals/spring/letter.md``, ``Image pier.jpg`` …"""
    lines: tuple[Line, ...]
    more: int = 0
    """Lines that are not shown."""

    def to_json(self) -> dict[str, object]:
        """As data."""
        return {"what": self.what, "more": self.more,
                "lines": [{"sign": line.sign, "line": line.number, "text": line.text} for line in self.lines]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """What somebody stands for, or would."""

    bundle: Bundle
    facts: Mapping[str, str]
    """What is no part of the bundle, in words: audience, count, date, way out."""


def between(before: Version, after: Version) -> tuple[Change, ...]:
    """Everything that differs, weightiest first."""
    was, now = flat(before.bundle), flat(after.bundle)
    found = [_change(path, was.get(path), now.get(path)) for path in sorted(was.keys() | now.keys(), key=_rank)
             if was.get(path) != now.get(path)]
    facts = [_setting(name, before.facts.get(name, ""), after.facts.get(name, ""))
             for name in dict.fromkeys((*before.facts, *after.facts))
             if before.facts.get(name, "") != after.facts.get(name, "")]
    return tuple(found + facts)


def print_of(bundle: Bundle) -> str:
    """A fingerprint of everything that a bundle says; where its settings stand in their file is no part of that."""
    digest = hashlib.sha256()
    for path, leaf in sorted(flat(bundle).items()):
        digest.update(f"{path}\0{type(leaf).__name__}\0".encode())
        digest.update(leaf if isinstance(leaf, bytes) else str(leaf).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------------ flat


@dataclass(frozen=True, slots=True)
class File:
    """A text file of a bundle."""

    name: str
    content: str


Leaf = str | bytes | File


def flat(bundle: Bundle) -> dict[str, Leaf]:
    """Path → what stands there: ``appeal.subject``, ``templates.letter.css``, ``sender.email`` …; empty ones left out.

    It knows no list of fields: what a bundle learns to carry is compared as well.
    """
    found: dict[str, Leaf] = {}
    for part in dataclasses.fields(bundle):
        if part.name != "id":
            _walk(part.name, getattr(bundle, part.name), found)
    # A variant carries whole what it shares with the letter: said once.
    return {path: leaf for path, leaf in found.items()
            if not (shared := _VARIANT.fullmatch(path)) or found.get(f"appeal.{shared[2]}") != leaf}


def _walk(path: str, value: Any, found: dict[str, Leaf]) -> None:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {part.name: getattr(value, part.name) for part in dataclasses.fields(value)}
    match value:
        case {"file": str(name), "content": str(content), **rest} if not rest:
            found[path] = File(name, content)
        case Mapping():
            for name, inner in value.items():
                _walk(f"{path}.{name}", inner, found)
        case list() | tuple():
            if value:
                found[path] = ", ".join(map(str, value))
        case bytes():
            found[path] = value
        case _ if path.endswith("_line"):  # where a setting stands in its file
            pass
        case _ if value not in (None, ""):
            found[path] = str(value)


def _rank(path: str) -> tuple[int, str]:
    if ".images." in path:
        return len(_FIRST), path
    place = next((number for number, head in enumerate(_FIRST) if path == head or path.startswith(f"{head}.")),
                 len(_FIRST))
    return place, path


# ------------------------------------------------------------------------------------------------ changes


def _change(path: str, was: Leaf | None, now: Leaf | None) -> Change:
    if isinstance(was, bytes) or isinstance(now, bytes):
        return _image(path.rpartition("images.")[2] or path, was, now)
    if isinstance(was, File) or isinstance(now, File):
        return _file(path, was, now)
    return _setting(_called(path), was or "", now or "")


def _called(path: str) -> str:
    if path in _NAMED:
        return _NAMED[path]
    if (own := _VARIANT.fullmatch(path)) and f"appeal.{own[2]}" in _NAMED:
        return f"{_NAMED[f'appeal.{own[2]}']} of variant {own[1]}"
    if ".images." in path:
        return f"Image {path.rpartition('.images.')[2]}"
    head, _, name = path.rpartition(".")
    while head:
        if head in _SETTINGS:
            return f"{_SETTINGS[head]}: {path.removeprefix(f'{head}.')}"
        head = head.rpartition(".")[0]
    return name


def _setting(name: str, was: str, now: str) -> Change:
    if was and now:
        before, after = _words(was, now)
        return Change(what=name, lines=(Line(sign="-", number=None, parts=before),
                                        Line(sign="+", number=None, parts=after)))
    sign, text = ("+", now) if now else ("-", was)
    return Change(what=name, lines=(Line(sign=sign, number=None, parts=(Part(text=shown(text), changed=True),)),))


def _image(name: str, was: Leaf | None, now: Leaf | None) -> Change:
    lines = [Line(sign=sign, number=None, parts=(Part(text=_weight(leaf), changed=True),))
             for sign, leaf in (("-", was), ("+", now)) if isinstance(leaf, bytes)]
    return Change(what=f"Image {shown(name)}", lines=tuple(lines))


def _weight(data: bytes) -> str:
    size = f"{len(data):,} bytes" if len(data) < 10_000 else f"{len(data) / 1000:,.0f} KB"
    return f"{size} (fingerprint {hashlib.sha256(data).hexdigest()[:8]})"


def _file(path: str, was: Leaf | None, now: Leaf | None) -> Change:
    before = was.content.splitlines() if isinstance(was, File) else []
    after = now.content.splitlines() if isinstance(now, File) else []
    file = now.name if isinstance(now, File) else was.name if isinstance(was, File) else path
    what = f"{'Layout' if path.startswith('templates.') else 'Words of'} {shown(file)}"
    if not isinstance(was, File) or not isinstance(now, File):
        gone = not isinstance(now, File)
        said = Part(text=f"{'is gone' if gone else 'is new'} ({len(before) or len(after):,} lines)", changed=True)
        return Change(what=what, lines=(Line(sign="-" if gone else "+", number=None, parts=(said,)),))
    if (max(len(before), len(after)) > _MOST_LINES or max(len(was.content), len(now.content)) > _MOST_BYTES):
        return Change(what=what, lines=tuple(
            Line(sign=sign, number=None, parts=(Part(text=f"{len(lines):,} lines, too many to compare", changed=True),))
            for sign, lines in (("-", before), ("+", after))))
    lines = tuple(_lines(before, after))
    if not lines:  # another end of a line, or of the file
        lines = (Line(sign="+", number=None, parts=(Part(text="line ends only", changed=True),)),)
    return Change(what=what, lines=lines)


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    for what, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        pairs = min(i2 - i1, j2 - j1)
        for step in range(pairs):
            was, now = _words(before[i1 + step], after[j1 + step])
            yield Line(sign="-", number=i1 + step + 1, parts=was)
            yield Line(sign="+", number=j1 + step + 1, parts=now)
        for step in range(pairs, i2 - i1):
            yield Line(sign="-", number=i1 + step + 1, parts=(Part(text=shown(before[i1 + step]), changed=True),))
        for step in range(pairs, j2 - j1):
            yield Line(sign="+", number=j1 + step + 1, parts=(Part(text=shown(after[j1 + step]), changed=True),))


def _words(was: str, now: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Two forms of a line with the words marked that differ; what is the same far from them is cut."""
    old, new = _WORD.findall(was), _WORD.findall(now)
    if max(len(old), len(new)) > _MOST_WORDS:
        return (Part(text=shown(was), changed=True),), (Part(text=shown(now), changed=True),)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < 0.3:  # another line altogether: marks would only confuse
        return (Part(text=shown(was), changed=True),), (Part(text=shown(now), changed=True),)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for what, i1, i2, j1, j2 in matcher.get_opcodes():
        left.append(("".join(old[i1:i2]), what != "equal"))
        right.append(("".join(new[j1:j2]), what != "equal"))
    return _cut(left), _cut(right)


def _cut(parts: list[tuple[str, bool]]) -> tuple[Part, ...]:
    parts = [part for part in parts if part[0]]
    made = []
    for number, (text, changed) in enumerate(parts):
        if not changed and len(text) > 2 * _CONTEXT:
            head = "" if number == 0 else text[:_CONTEXT].rpartition(" ")[0] + " "
            tail = "" if number == len(parts) - 1 else " " + text[-_CONTEXT:].partition(" ")[2]
            text = f"{head}…{tail}"
        made.append(Part(text=shown(text), changed=changed))
    return tuple(made)


def shown(text: str) -> str:
    """Words as they may be shown: what cannot be seen, or would steer a terminal or the direction, is named."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"‹U+{ord(sign):04X}›" if unicodedata.category(sign) in _UNSEEN and sign not in _JOINERS else sign
                   for sign in text)
