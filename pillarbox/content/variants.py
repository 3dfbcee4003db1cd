"""How an appeal's variants are written down: keys of appeal.toml, and files beside the letter.

The letter itself is variant ``a``; up to four others say only what they say differently. Each of these is read, so that
whatever a writer remembers is right (docs/decisions/0014-variants-of-a-letter.md)::

    [variants.b]                    "subject.b" = "…"               subject.b = "…"
    subject = "…"

The last is no TOML beside ``subject = "…"``; its key is taken as if it had quotation marks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pillarbox.content.source import line_of

FIRST = "a"
"""What the letter itself is called where there are variants."""
OTHERS = "bcde"
"""A handful: each further one makes every comparison less sure."""
FIELDS = ("subject", "preheader")
"""Settings that a variant may say differently."""

_KEY = re.compile(rf"({'|'.join(FIELDS)})\.(.+)", re.DOTALL)
_BARE = re.compile(rf"^([ \t]*)((?:{'|'.join(FIELDS)})\.[A-Za-z0-9_-]+)([ \t]*=)", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_PRINTED, _STATEMENT = re.compile(r"\{\{.*?\}\}"), re.compile(r"\{[%#].*?[%#]\}")
_ELSE = re.compile(r"\{%[-+]?\s*(?:else|elif\b.*?)\s*[-+]?%\}")
_FILE = re.compile(r"letter\.([^.]+)\.(md|html|txt)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Slip:
    """Something said of variants that cannot be."""

    message: str
    path: tuple[str, ...]
    """The key, as ``place`` takes it."""


def load(source: str) -> dict[str, Any]:
    """The TOML of appeal.toml, with ``subject.b = …`` taken for ``"subject.b" = …`` where it would be no TOML.

    Raises:
        tomllib.TOMLDecodeError: it is none, even so.
    """
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        table = _TABLE.search(source)
        end = table.start() if table else len(source)
        quoted = _BARE.sub(r'\1"\2"\3', source[:end]) + source[end:]
        if quoted != source:
            try:
                return tomllib.loads(quoted)
            except tomllib.TOMLDecodeError:
                pass  # the first fault is told: its place is in what staff wrote
        raise


def gather(settings: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Slip, ...]]:
    """The settings with every way of naming a variant brought to one, ``variants.<label>.<field>``, and the slips."""
    found: dict[str, Any] = {}
    slips: list[Slip] = []
    variants: dict[str, Any] = {}
    if isinstance(settings.get("variants", {}), dict):
        variants = {label: dict(said) if isinstance(said, dict) else said
                    for label, said in settings.get("variants", {}).items()}
    for key, value in settings.items():
        if key == "variants" and isinstance(value, dict):
            continue
        spelt = _KEY.fullmatch(key)
        if spelt:
            _say(found, variants, slips, spelt[1], spelt[2].strip(), value)
        elif key in FIELDS and isinstance(value, dict):
            for label, words in value.items():
                _say(found, variants, slips, key, label, words)
        elif key in FIELDS:
            _say(found, variants, slips, key, FIRST, value)
        else:
            found[key] = value
    for label in [label for label in variants if label not in OTHERS or len(label) != 1]:
        slips.append(Slip(message=wrong_name(label), path=("variants", label)))
        del variants[label]
    return found | ({"variants": variants} if variants else {}), tuple(slips)


def _say(found: dict[str, Any], variants: dict[str, Any], slips: list[Slip], name: str, label: str, words: Any) -> None:
    """Note what a variant says in one field; ``a``'s is the letter's own."""
    own = found if label == FIRST else variants.setdefault(label, {})
    if not isinstance(own, dict):
        return  # told where the variant itself is looked at
    if name in own:
        slips.append(Slip(message=f"{name}.{label} is said twice: keep one of the two.", path=(name, label)))
    own[name] = words


def wrong_name(label: str) -> str:
    """What is said of a variant that cannot be called so."""
    if label == FIRST:
        return (f"The letter itself is variant {FIRST}: its words are subject, preheader and letter.md. Give the other "
                f"one a letter from {OTHERS[0]} to {OTHERS[-1]}.")
    return (f"There is no variant {label!r}: the letter itself is {FIRST}, and others are called "
            f"{', '.join(OTHERS[:-1])} or {OTHERS[-1]}.")


def difference(differs: Sequence[str]) -> str:
    """What a variant says differently, in words: ``another subject and letter``; empty for the letter itself."""
    said = [{"text": "plain text"}.get(name, name) for name in differs]
    head = f"{', '.join(said[:-1])} and " if len(said) > 1 else ""
    return f"another {head}{said[-1]}" if said else ""


def words(label: str, said: Mapping[str, Any]) -> str:
    """What a mailing keeps of a variant, in words: its subject, with ``…`` for what a supporter's data fill in.

    Args:
        label: the variant's.
        said: ``subject`` and ``differs``.
    """
    subject = " ".join(_ELSE.sub(" | ", _PRINTED.sub("…", said["subject"])).split())
    own = [name for name in said["differs"] if name != "subject"]
    return f"“{_STATEMENT.sub('', subject)}”" + (f", {difference(own)}" if own and label != FIRST else "")


def place(source: str, path: Sequence[int | str]) -> int | None:
    """The line of appeal.toml that says what stands at ``path``, in whichever way it is spelt there."""
    if len(path) > 1 and path[0] == "variants":
        label = path[1]
        for field in (path[2],) if len(path) > 2 else FIELDS:
            if short := line_of(source, [field, label], whole=True):
                return short
    return line_of(source, path)


def files(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Files that are named like a variant's letter: the path, its label (any word), its kind (md, html, txt)."""
    for path in sorted(folder.glob("letter.*.*")):
        if found := _FILE.fullmatch(path.name):
            yield path, found[1], found[2]
