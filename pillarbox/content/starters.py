"""A new appeal's folder: begun from a letter that reads like one, or from another appeal, and put in place at once."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError

from pillarbox.content.appeal import FILE, IMAGE_KINDS, LONGEST_SLUG, SLUG
from pillarbox.content.pictures import MOST_BYTES
from pillarbox.content.source import Desk
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.ground.resources import shipped

KINDS = ("appeal", "newsletter", "message")
REMINDER = "reminder"
OPEN, CLOSE = "[[", "]]"
"""Round words that wait for the writer's own."""
_TOKEN = re.compile(r"%([A-Z]+)%")
# Beside appeal.toml: letters in every form and variant, and the words that the charity spells in its own way.
_COPIED = re.compile(r"letter(\.[a-z])?\.(md|html|txt)|words\.txt")
_MONTHS = ("January|February|March|April|May|June|July|August|September|October|November|December|"
           "Jan|Feb|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec")
_DATES = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_MONTHS})\b(?:,?\s+\d{{4}})?|(?:{_MONTHS})\s+\d{{1,4}}\b"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|(?:19|20)\d\d\b|(?:yesterday|today|tomorrow)\b"
    r"|(?:last|next|this) (?:week|month|year|spring|summer|autumn|winter)\b)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """Another appeal, made ready to be written anew."""

    files: Mapping[str, bytes]
    """Path in the folder → content."""
    todo: tuple[str, ...]
    """What the writer has to change, a sentence each."""


def titled(slug: str) -> str:
    """A headline to begin with: ``winter-appeal`` → "Winter appeal"."""
    words = slug.replace("-", " ")
    return words[:1].upper() + words[1:]


def quoted(text: str) -> str:
    """A text's words as they stand between TOML's double quotes."""
    return tomlkit.string(text).as_string()[1:-1]


def starter(project: Path, name: str, words: Mapping[str, str]) -> dict[str, bytes]:
    """The files of a starting letter: ``templates/new/<name>/``, the project's own before the shipped one.

    Args:
        project: the project's folder.
        name: one of ``KINDS``, or ``REMINDER``.
        words: what stands for ``%TITLE%`` and its like.

    Raises:
        LetterError: a project's own starting letter cannot be read.
    """
    root = next(root for root in (project / "templates", shipped("templates")) if (root / "new" / name / FILE).exists())
    desk = Desk(project=project)
    folder = root / "new" / name
    found = {path.name: desk.text(path, root) for path in sorted(folder.iterdir())
             if path.name == FILE or _COPIED.fullmatch(path.name)}
    if desk.findings:
        raise LetterError("The letter to begin with cannot be read; nothing was made.", findings=tuple(desk.findings))
    return {name: _filled(name, text or "", words).encode() for name, text in found.items()}


def _filled(name: str, text: str, words: Mapping[str, str]) -> str:
    def word(token: re.Match[str]) -> str:
        said = words.get(token[1], token[0])
        if token[1] == "LINKS":  # lines of TOML, not words
            return said
        return quoted(said) if name == FILE else said.replace("{", "(").replace("}", ")")

    return _TOKEN.sub(word, text)


def copied(project: Path, source: str, title: str) -> Copy:
    """The files of another appeal, with title, subject and preheader to be written, and without its date and series.

    Raises:
        LetterError: the appeal is not there, or its files cannot be read.
    """
    folder, desk = project / "appeals" / source, Desk(project=project)
    if not SLUG.fullmatch(source) or not folder.is_dir():
        known = ", ".join(sorted(path.parent.name for path in folder.parent.glob(f"[a-z0-9]*/{FILE}"))) or "none"
        raise Refused(f"There is no appeal {source!r}.", where="--from", todo=f"Known appeals: {known}.")
    files: dict[str, bytes] = {}
    for path in sorted(folder.iterdir()) if (folder / FILE).exists() else ():
        if path.name == FILE or _COPIED.fullmatch(path.name):
            files[path.name] = (desk.text(path, folder) or "").encode()
    for path in sorted((folder / "images").iterdir()) if (folder / "images").is_dir() else ():
        if path.suffix.lower() in IMAGE_KINDS and (data := desk.data(path, folder, MOST_BYTES)) is not None:
            files[f"images/{path.name}"] = data
    if FILE not in files:
        desk.fault("missing-file", folder / FILE, "The appeal has no settings, so it cannot be copied.")
    todo: list[str] = []
    if not desk.findings:
        try:
            settings = tomlkit.parse(files[FILE].decode())
        except TOMLKitError as fault:
            desk.fault("bad-toml", folder / FILE, f"This is not valid TOML: {fault}.")
        else:
            todo += _fresh(settings, title)
            files[FILE] = tomlkit.dumps(settings).encode()
    if desk.findings:
        raise LetterError(f"The appeal {source} cannot be copied; nothing was made.", findings=tuple(desk.findings))
    return Copy(files=files, todo=(*todo, *_dated(files)))


def place(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder with these files: wholly, or not at all.

    Raises:
        Refused: it is there already, or it cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise Refused(f"There is an appeal {folder.name!r} already.", where=f"appeals/{folder.name}",
                      todo="Choose another name, or change that one.")
    work = folder.with_name(f".new-{folder.name}-{secrets.token_hex(4)}")
    try:
        work.mkdir(parents=True)
        for name, content in files.items():
            path = work / name
            path.parent.mkdir(exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        work.rename(folder)
    except BaseException as fault:
        shutil.rmtree(work, ignore_errors=True)
        if isinstance(fault, OSError):
            raise Refused(f"appeals/{folder.name} cannot be written ({fault.strerror}); nothing was made.",
                          todo="See that the disk has room and that the folder is yours to write in.") from None
        raise


def sound_slug(slug: str) -> str:
    """A name that an appeal's folder may have.

    Raises:
        Refused: it may not.
    """
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise Refused(f"{slug[:80]!r} is no name for an appeal.",
                      todo=f"Use small letters, digits and single hyphens, at most {LONGEST_SLUG}, like winter-appeal.")
    return slug


def _fresh(settings: TOMLDocument, title: str) -> Iterator[str]:
    """Set what belonged to the other letter back to the beginning; say what is to be written."""
    settings["title"] = title
    yield "title: it is made from the folder's name; write the headline."
    wanted = {"subject": f"{OPEN}What a friend would write above it{CLOSE}",
              "preheader": f"{OPEN}The next thing that you would say{CLOSE}"}
    variants = settings.get("variants", {})
    for table in (settings, *(each for each in variants.values() if isinstance(each, dict))):
        for key in list(table):
            if (mark := wanted.get(key.partition(".")[0])) is not None:
                table[key] = mark
                yield f"{key}: write a new one in place of {mark}."
    for key, why in (("date", "this letter has its own day"), ("series", "set it if the two belong together")):
        if key in settings:
            yield f"{key}: {settings.pop(key)} was taken out; {why}."
    links = settings.get("links")
    if isinstance(links, dict) and links.get("share"):
        yield "[links] share: it leads to the page of the other letter."


def _dated(files: Mapping[str, bytes]) -> Iterator[str]:
    """The places of a letter's words that speak of a time."""
    for name, content in files.items():
        if not name.startswith("letter."):
            continue
        for number, line in enumerate(content.decode().split("\n"), 1):
            if found := list(dict.fromkeys(match[0] for match in _DATES.finditer(line))):
                yield f"{name}, line {number}: is “{'”, “'.join(found)}” still right?"


