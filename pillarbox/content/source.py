"""Read one file of a project: inside its folder, of a sensible size, in UTF-8; what is wrong becomes a finding."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pillarbox.model.records import Finding, Level

TEXT_BYTES = 512 * 1024
"""A letter's source may be this big: five times the 102 KB at which Gmail clips a finished message."""

_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"' ]+?)\s*=")
_DECODE_LINE = re.compile(r"at line (\d+)")
M = TypeVar("M", bound=BaseModel)


@dataclass(kw_only=True, slots=True)
class Desk:
    """Where a project's files are read and the faults of all of them are gathered."""

    project: Path
    findings: list[Finding] = field(default_factory=list)

    def fault(self, code: str, path: Path | str, message: str, *, line: int | None = None,
              level: Level = Level.ERROR) -> None:
        """Note a finding about a file."""
        name = path if isinstance(path, str) else self.name(path)
        self.findings.append(Finding(level=level, code=code, file=name, line=line, message=message))

    def name(self, path: Path) -> str:
        """The path as staff know it: from the project's folder, with forward slashes, fit for screens and JSON."""
        for project in (self.project, self.project.resolve()):
            if path.is_relative_to(project):
                return printable(path.relative_to(project).as_posix())
        return printable("/".join(path.parts[-3:]))

    def text(self, path: Path, root: Path) -> str | None:
        """A text file's content with LF line ends; None when it cannot be had (a finding says why)."""
        data = self.data(path, root, TEXT_BYTES)
        if data is None:
            return None
        try:
            content = data.decode("utf-8-sig")
        except UnicodeDecodeError as fault:
            line = data.count(b"\n", 0, fault.start) + 1
            self.fault("not-utf-8", path, f"Byte {fault.start} is not UTF-8: save the file as UTF-8 and try again.",
                       line=line)
            return None
        if (position := content.find("\0")) >= 0:
            self.fault("nul-character", path, "There is a NUL character here: remove it.",
                       line=content.count("\n", 0, position) + 1)
            return None
        return content.replace("\r\n", "\n").replace("\r", "\n")

    def data(self, path: Path, root: Path, most: int) -> bytes | None:
        """A file's bytes, when it lies inside ``root`` (links followed) and is no bigger than ``most`` bytes."""
        if not _inside(path, root):
            self.fault("path-outside", path, f"This leads out of {root.name}/: put the file itself there.")
            return None
        try:
            if not path.is_file():  # a folder; a pipe, on which reading would wait for ever
                self.fault("unreadable", path, "This is no file: put the file itself there.")
                return None
            if path.stat().st_size > most:
                self.fault("too-big", path, f"The file is bigger than {most // 1024} KB: make it smaller.", line=1)
                return None
            return path.read_bytes()
        except OSError as fault:
            self.fault("unreadable", path, f"The file cannot be read: {fault.strerror}.")
            return None

    def table(self, path: Path, root: Path, model: type[M], *,
              loads: Callable[[str], Mapping[str, Any]] = tomllib.loads,
              place: Callable[[str, Sequence[int | str]], int | None] | None = None) -> tuple[M | None, str]:
        """A TOML file checked against ``model``, every fault at once, and its source.

        Args:
            path: the file.
            root: the folder that it must not lead out of.
            model: what it may say.
            loads: reads the TOML; may raise ``tomllib.TOMLDecodeError``.
            place: the line that sets a key; ``line_of`` when not said.
        """
        source = self.text(path, root)
        if source is None:
            return None, ""
        try:
            said = loads(source)
        except (ValueError, RecursionError) as fault:  # a number of ten thousand digits, brackets in brackets
            self.fault("bad-toml", path, f"This is not valid TOML: {_broken(fault)}.", line=_broken_at(source, fault))
            return None, source
        try:
            return model.model_validate(said), source
        except ValidationError as fault:
            for error in fault.errors(include_input=False, include_url=False):
                self.fault("bad-setting", path, _sentence(error), line=(place or line_of)(source, error["loc"]))
        return None, source


def printable(name: str) -> str:
    """A file's name without what would upset a terminal or is no text: names may hold any bytes on some systems."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


def _broken_at(source: str, fault: Exception) -> int:
    """The line at which TOML's reader gave up."""
    if found := _DECODE_LINE.search(str(fault)):
        return int(found[1])
    lines = source.rstrip("\n").split("\n")
    if isinstance(fault, tomllib.TOMLDecodeError):  # at its end: saved half-way, or with a mark that nobody closed
        return len(lines)
    marks = "[{" if isinstance(fault, RecursionError) else "0123456789"
    return 1 + max(range(len(lines)), key=lambda number: sum(map(lines[number].count, marks)))


def _broken(fault: Exception) -> str:
    if isinstance(fault, tomllib.TOMLDecodeError):
        return str(fault)
    return "too many brackets stand within one another" if isinstance(fault, RecursionError) else \
        "there is a number of more digits than can be read"


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (RuntimeError, OSError):  # a link that leads to itself
        return False


def line_of(source: str, path: Sequence[int | str], *, whole: bool = False) -> int | None:
    """The line (from 1) of a TOML file that sets the key at ``path``, or its nearest table; None when neither is there.

    ``whole``: the key itself, not its table.
    TOML's reader keeps no positions; headers and keys at the beginning of a line are enough for settings files.
    """
    wanted = [part for part in path if isinstance(part, str)]
    table: list[str] = []
    nearest: tuple[int, int] | None = None
    for number, text in enumerate(source.split("\n"), 1):
        if header := _HEADER.match(text):
            table = _dotted(header[1])
            here = table
        elif key := _KEY.match(text):
            here = table + _dotted(key[1])
        else:
            continue
        if here and here == wanted[: len(here)] and (nearest is None or len(here) > nearest[0]):
            nearest = (len(here), number)
    return nearest[1] if nearest and not (whole and nearest[0] < len(wanted)) else None


def _dotted(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in text.split(".")]


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "the file"
    match error["type"]:
        case "missing":
            return f"{name} is missing: add it."
        case "extra_forbidden":
            return f"{name} is no setting of this file: see how it is spelt, or put facts of your own under [facts]."
        case "enum" | "literal_error":
            return f"{name} is one of {_choices(error['ctx']['expected'])}."
        case "string_too_short":
            least = error["ctx"]["min_length"]
            return f"{name} is " + ("empty: write it." if least == 1 else f"too short: write at least {least} letters.")
        case "string_too_long":
            return f"{name} is too long: write at most {error['ctx']['max_length']:,} letters."
        case "string_type":
            return f"{name} is no text: put it between quotation marks, like {name} = \"…\"."
        case "dict_type" | "model_type":
            return f"{name} wants names and values: write it like {name} = {{ name = \"…\" }}."
        case "bool_type" | "bool_parsing":
            return f"{name} is either true or false, without quotation marks."
        case kind if kind.startswith("date"):
            return f"{name} is no day: write it like 2026-12-10, without quotation marks."
        case _:
            return f"{name}: {str(error['msg']).removeprefix('Value error, ')}."


def _choices(expected: str) -> str:
    """The values of an enumeration, without how Python writes it: ``<Kind.APPEAL: 'appeal'>``."""
    return re.sub(r"<[^:<>]*: '([^']*)'>", r"\1", expected)
