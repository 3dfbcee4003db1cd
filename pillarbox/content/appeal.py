"""An appeal's folder: ``appeal.toml``, the letter, its images; read whole, every fault at once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pillarbox.content import pictures, shelf, variants
from pillarbox.content.settings import AppealSettings, VariantSettings
from pillarbox.content.source import Desk, line_of, printable
from pillarbox.ground.resources import shipped
from pillarbox.model.config import FILE as PROJECT_FILE
from pillarbox.model.records import Finding, Level
from pillarbox.model.states import Kind

FILE = "appeal.toml"
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_SLUG = 100
"""Characters of an appeal's name: it stands in addresses, and file systems end at 255 bytes."""
IMAGE_KINDS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
"""What every mail program shows, and WebP, which Outlook for Windows does not (caniemail.com, read 2026-11): it is made
into one of the others."""
MOST_IMAGES = 60
_HINT = re.compile(r"\{#.*?#\}", re.DOTALL)
"""What no supporter sees: a letter of nothing else is empty."""
_NOT_MEANT = ("thumbs.db", "desktop.ini")
"""What Windows puts into folders of pictures; editors' copies (``name~``, ``~$name``) are not meant either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file of the letter."""

    file: str
    """Path from the project's folder."""
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """The letter as a part of the supporters gets it, whole: what a variant does not say itself is the letter's own."""

    subject: str
    subject_line: int
    preheader: str
    preheader_line: int
    letter: Source
    text: Source | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Appeal:
    """An appeal's folder, read and sound."""

    slug: str
    title: str
    subject: str
    subject_line: int
    """Line of appeal.toml that sets the subject."""
    preheader: str
    preheader_line: int
    title_line: int | None = None
    kind: Kind
    layout: str
    language: str
    series: str
    date: datetime.date | None
    topics: tuple[str, ...]
    links: Mapping[str, str]
    """Only those that the appeal sets."""
    facts: Mapping[str, Any]
    letter: Source
    """letter.md or letter.html."""
    text: Source | None
    """letter.txt, when the plain-text part was written by hand."""
    images: Mapping[str, bytes] = field(default_factory=dict)
    """Name in images/ → content as it leaves: made small, upright and silent (``content.pictures``)."""
    hosting: str = ""
    """How they travel: ``hosted``, ``embedded``; empty: as the project says."""
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Code of a finding → why it need not be told."""
    variants: Mapping[str, Variant] = field(default_factory=dict)
    """Label → what is read instead; the letter itself is variant ``a`` (``content.variants.FIRST``)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its variants, the letter's own first; none when everybody gets the same letter."""
        return (variants.FIRST, *self.variants) if self.variants else ()

    def as_variant(self, label: str) -> Appeal:
        """The appeal as whoever gets this variant reads it, without the others; itself for ``a`` and for no label."""
        if label in ("", variants.FIRST):
            return replace(self, variants={})
        own = self.variants[label]
        return replace(self, subject=own.subject, subject_line=own.subject_line, preheader=own.preheader,
                       preheader_line=own.preheader_line, letter=own.letter, text=own.text, variants={})

    def differences(self, label: str) -> tuple[str, ...]:
        """What a variant says differently from the letter: of subject, preheader, letter and text."""
        if label not in self.variants:
            return ()
        own = self.variants[label]
        pairs = (("subject", self.subject, own.subject), ("preheader", self.preheader, own.preheader),
                 ("letter", self.letter.content, own.letter.content),
                 ("text", self.text and self.text.content, own.text and own.text.content))
        return tuple(name for name, one, other in pairs if one != other)

    @property
    def file(self) -> str:
        """The settings file, from the project's folder."""
        return f"{self.letter.file.rpartition('/')[0]}/{FILE}"

    @property
    def is_markdown(self) -> bool:
        """Whether the letter is Markdown (else HTML)."""
        return self.letter.file.endswith(".md")


def read(project: Path, slug: str) -> tuple[Appeal | None, tuple[Finding, ...]]:
    """Read ``appeals/<slug>/`` of a project.

    Returns:
        The appeal, or None when it has faults; and everything found, errors and advice.
    """
    desk = Desk(project=project)
    folder = project / "appeals" / slug
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        desk.fault("bad-name", f"appeals/{slug[:LONGEST_SLUG]}", "An appeal's name has small letters, digits and "
                   f"single hyphens only, like uyghur-freedom, and at most {LONGEST_SLUG} of them.")
        return None, tuple(desk.findings)
    if not folder.is_dir():
        known = ", ".join(sorted(path.parent.name for path in folder.parent.glob(f"*/{FILE}"))) or "none"
        desk.fault("no-appeal", folder, f"There is no appeal of this name. Known appeals: {known}.")
        return None, tuple(desk.findings)
    return _read(desk, folder, slug)


SERVICE = ("service",)
"""Where the service letters lie below a templates folder: one folder each."""


def service_letters(project: Path) -> dict[str, Path]:
    """Name → folder of every service letter: the project's own before the one that is shipped."""
    roots = (shipped("templates"), project / "templates")
    found = [path.parent for root in roots for path in sorted(root.joinpath(*SERVICE).glob(f"*/{FILE}"))]
    return {folder.name: folder for folder in found if SLUG.fullmatch(folder.name)}


def read_service(project: Path, name: str) -> tuple[Appeal | None, tuple[Finding, ...]]:
    """Read the service letter of this name, a folder like an appeal's; the answer is as ``read``'s."""
    folder = service_letters(project).get(name)
    if folder is None:
        desk = Desk(project=project)
        known = ", ".join(sorted(service_letters(project))) or "none"
        desk.fault("no-appeal", f"templates/service/{name}", f"There is no such service letter. Known ones: {known}.")
        return None, tuple(desk.findings)
    desk = Desk(project=folder.parents[2])
    appeal, found = _read(desk, folder, name)
    if appeal and appeal.variants:
        desk.fault("bad-variant", appeal.file, "A service letter answers what somebody did, and has no variants: "
                   f"remove {', '.join(appeal.variants)}.")
        return None, tuple(desk.findings)
    return appeal, found


def _read(desk: Desk, folder: Path, slug: str) -> tuple[Appeal | None, tuple[Finding, ...]]:
    settings, toml = None, ""
    if (folder / FILE).exists():
        settings, toml = desk.table(folder / FILE, folder, AppealSettings, place=variants.place,
                                    loads=lambda source: _loaded(desk, folder, source))
    else:
        desk.fault("missing-file", folder / FILE, "The appeal has no settings: add appeal.toml with title and subject.")
    letter, text = _letter(desk, folder, "letter"), _optional(desk, folder, "letter.txt")
    named = _variant_files(desk, folder)
    images = _images(desk, folder)
    if settings is None or letter is None:
        return None, tuple(desk.findings)
    appeal = Appeal(
        slug=slug, title=settings.title, subject=settings.subject, subject_line=line_of(toml, ["subject"]) or 1,
        preheader=settings.preheader, preheader_line=line_of(toml, ["preheader"]) or 1,
        title_line=line_of(toml, ["title"]), kind=settings.kind,
        layout=settings.layout, language=settings.language, series=settings.series, date=settings.date,
        topics=settings.topics, links={k: v for k, v in settings.links.model_dump().items() if v},
        facts=settings.facts, letter=letter, text=text, images=images,
        ignored=settings.check.ignore, hosting=settings.images)
    found = {}
    for label in variants.OTHERS:
        if label in settings.variants or label in named:
            found[label] = _variant(desk, folder, appeal, toml, label, settings.variants.get(label, VariantSettings()))
    appeal = replace(appeal, variants=found)
    sound = not any(each.level is Level.ERROR for each in desk.findings)
    return appeal if sound else None, tuple(desk.findings)


def _loaded(desk: Desk, folder: Path, source: str) -> Mapping[str, Any]:
    settings, slips = variants.gather(variants.load(source))
    for slip in slips:
        desk.fault("bad-variant", folder / FILE, slip.message, line=variants.place(source, slip.path))
    return settings


def _variant_files(desk: Desk, folder: Path) -> set[str]:
    """The labels of variants that have a file of their own."""
    found = set()
    for path, label, _ in variants.files(folder):
        if len(label) == 1 and label in variants.OTHERS:
            found.add(label)
        elif len(label) == 1:
            desk.fault("bad-variant", path, variants.wrong_name(label))
        else:
            desk.fault("stray-letter", path, "This file is not read: a variant of the letter is called letter.b.md. "
                       "Rename it, or move it out of the appeal's folder.", level=Level.WARNING)
    return found


def _variant(desk: Desk, folder: Path, appeal: Appeal, toml: str, label: str, said: VariantSettings) -> Variant:
    stem = f"letter.{label}"
    before = len(desk.findings)
    own = _letter(desk, folder, stem, needed=False)
    text = _optional(desk, folder, f"{stem}.txt")
    subject_line = variants.place(toml, ("variants", label, "subject")) or appeal.subject_line
    preheader_line = variants.place(toml, ("variants", label, "preheader")) or appeal.preheader_line
    found = Variant(
        subject=appeal.subject if said.subject is None else said.subject,
        subject_line=appeal.subject_line if said.subject is None else subject_line,
        preheader=appeal.preheader if said.preheader is None else said.preheader,
        preheader_line=appeal.preheader_line if said.preheader is None else preheader_line,
        letter=own or appeal.letter, text=text or (None if own else appeal.text))
    if len(desk.findings) == before and not replace(appeal, variants={label: found}).differences(label):
        desk.fault("same-variant", folder / FILE, f"Variant {label} says nothing of its own: give it a subject under "
                   f"[variants.{label}], or write letter.{label}.md; or remove it.",
                   line=variants.place(toml, ("variants", label)))
    return found


def _letter(desk: Desk, folder: Path, stem: str, *, needed: bool = True) -> Source | None:
    markdown, html = folder / f"{stem}.md", folder / f"{stem}.html"
    if markdown.exists() and html.exists():
        desk.fault("two-letters", html, f"There is a {stem}.md too: keep one of the two.")
        return None
    if not markdown.exists() and not html.exists():
        if needed:
            desk.fault("missing-file", markdown, "The appeal has no letter: write letter.md (or letter.html).")
        return None
    if html.exists() and not (folder / f"{stem}.txt").exists():
        desk.fault("no-text-part", html, f"A letter in HTML needs its plain-text part beside it: write {stem}.txt.")
    found = _optional(desk, folder, markdown.name if markdown.exists() else html.name)
    if found and not _HINT.sub("", found.content).strip():
        desk.fault("empty-letter", found.file, "The letter is empty: write it.", line=1)
        return None
    return found


def _optional(desk: Desk, folder: Path, name: str) -> Source | None:
    path = folder / name
    if not path.exists():
        return None
    content = desk.text(path, folder)
    return None if content is None else Source(file=desk.name(path), content=content)


def _images(desk: Desk, folder: Path) -> dict[str, bytes]:
    found = {}
    kept = desk.project.joinpath(*shelf.FOLDER) if (desk.project / PROJECT_FILE).is_file() else None
    paths = [path for path in sorted((folder / "images").glob("*")) if (folder / "images").is_dir()
             and not path.name.startswith((".", "~$")) and not path.name.endswith("~")
             and path.name.lower() not in _NOT_MEANT and not path.is_dir()]
    if len(paths) > MOST_IMAGES:
        desk.fault("many-images", folder / "images", f"There are {len(paths)} images, and a letter takes {MOST_IMAGES} "
                                                     "at most: keep those that it shows.")
        return {}
    for path in paths:
        if path.name != printable(path.name):
            desk.fault("image-name", path, "The name of this image has characters that cannot be written in a letter: "
                                           "rename it, to letters, digits and hyphens.")
        elif path.suffix.lower() not in IMAGE_KINDS:
            kind = path.suffix.lstrip(".").upper() or "such"
            desk.fault("image-kind", path, f"Mail programs show no {kind} files: save a photograph as JPEG, a drawing "
                                           "as PNG.")
        elif (data := _image(desk, folder, path)) is not None:
            try:
                found[path.name] = shelf.prepared(data, kept)
            except pictures.BadImageError as fault:
                desk.fault(fault.code, path, fault.message)
    return found


def _image(desk: Desk, folder: Path, path: Path) -> bytes | None:
    try:
        size = path.stat().st_size if path.is_file() else 0
    except OSError:
        size = 0
    if size > pictures.MOST_BYTES:
        desk.fault("image-too-big", path, f"The image has {size / 1024 ** 2:,.0f} MB, more than a camera's: save it as "
                                          f"JPEG, about {2 * pictures.WIDEST:,} pixels wide.")
        return None
    return desk.data(path, folder, pictures.MOST_BYTES)
