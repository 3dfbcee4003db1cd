"""A bundle: one appeal with everything that its letters are made from, frozen by content hash.

The database keeps it, and workers compose from it alone: what changes in the folder after a plan changes no letter.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from pillarbox.content import appeal as appeals
from pillarbox.content import templates as layouts
from pillarbox.content import theme as themes
from pillarbox.content.appeal import Appeal, Source, Variant
from pillarbox.content.theme import Theme
from pillarbox.ground.errors import StoreError
from pillarbox.model.config import Settings
from pillarbox.model.records import Finding, Level
from pillarbox.model.states import Kind

FORM = 1
"""Version of the packed form; raised when a field is added that an older Pillarbox must not overlook."""
UNPACKED_BYTES = 256 * 1024 * 1024
SENDER = ("name", "email", "reply_to", "unsubscribe_mailto", "home", "base_url", "images")
LINKS = ("donate", "donate_monthly", "sign_up", "website", "share")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Appeal, theme, templates, images and the settings that a letter reads."""

    id: str
    """SHA-256 of the content, 64 hex digits: the same content has the same id on every machine."""
    appeal: Appeal
    theme: Theme
    templates: Mapping[str, Source]
    """Name → layout, component or include."""
    links: Mapping[str, str]
    """The charity's pages (see ``LINKS``), the appeal's own before the project's; empty when there is none."""
    sender: Mapping[str, str]
    """Who it comes from, where supporters reach us and how images travel (``hosted``, ``embedded``; see ``SENDER``), as
    the settings were; empty when not said."""

    def as_variant(self, label: str) -> Bundle:
        """The bundle as whoever gets this variant of the appeal reads it; its id stays that of the whole."""
        return replace(self, appeal=self.appeal.as_variant(label))

    def pack(self) -> bytes:
        """The bundle as bytes for the database."""
        return zlib.compress(_json(_content(self.appeal, self.theme, self.templates, self.links, self.sender)), 9)


def freeze(appeal: Appeal, theme: Theme, templates: Mapping[str, Source], links: Mapping[str, str],
           sender: Mapping[str, str]) -> Bundle:
    """A bundle of these parts; ``links`` are the project's, which the appeal's own override."""
    merged = {name: appeal.links.get(name) or links.get(name, "") for name in LINKS}
    merged["website"] = merged["website"] or theme.charity.website
    known = {name: sender.get(name, "") for name in SENDER}
    digest = hashlib.sha256(_json(_content(appeal, theme, templates, merged, known))).hexdigest()
    return Bundle(id=digest, appeal=appeal, theme=theme, templates=dict(templates), links=merged, sender=known)


def unpack(packed: bytes) -> Bundle:
    """The bundle that ``pack`` made.

    Raises:
        StoreError: when the bytes are no bundle, or a newer Pillarbox made them.
    """
    try:
        opener = zlib.decompressobj()
        data = json.loads(opener.decompress(packed, UNPACKED_BYTES), object_hook=_revive)
        form = data.pop("form")
        if form != FORM:
            raise StoreError(f"A bundle has form {form}, which this Pillarbox does not know.",
                             todo="Install the Pillarbox that made it, or a newer one.")
        letter = data["appeal"]
        variants = {label: Variant(**_with_sources(said)) for label, said in letter.pop("variants", {}).items()}
        appeal = Appeal(**{**_with_sources(letter), "kind": Kind(letter["kind"]), "topics": tuple(letter["topics"])},
                        variants=variants)
        templates = {name: Source(**each) for name, each in data["templates"].items()}
        bundle = freeze(appeal, Theme.model_validate(data["theme"]), templates, data["links"], data["sender"])
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
        raise StoreError("A mailing's bundle cannot be read.",
                         todo="Restore the database from a backup, or plan the mailing again.") from None
    return bundle


def gather(settings: Settings, slug: str, project: Path | None = None) -> tuple[Bundle | None, tuple[Finding, ...]]:
    """Read an appeal, the theme and the templates of a project, and freeze them.

    Returns:
        The bundle, or None when something has an error; and everything found, in every file, at once.
    """
    folder = project or settings.folder
    return _gather(settings, folder, *appeals.read(folder, slug))


def gather_service(settings: Settings, name: str, project: Path) -> tuple[Bundle | None, tuple[Finding, ...]]:
    """The same of a service letter (``templates/service/<name>/``)."""
    return _gather(settings, project, *appeals.read_service(project, name))


def _gather(settings: Settings, folder: Path, appeal: Appeal | None,
            found: tuple[Finding, ...]) -> tuple[Bundle | None, tuple[Finding, ...]]:
    theme, more = themes.read(folder)
    templates, rest = layouts.read(folder)
    findings = [*found, *more, *rest]
    if appeal and f"layouts/{appeal.layout}.html" not in templates:
        known = sorted(n[8:-5] for n in templates if n.startswith("layouts/") and n.endswith(".html"))
        findings.append(Finding(level=Level.ERROR, code="no-layout", file=appeal.file, line=None,
                                message=f"There is no layout {appeal.layout!r}: use one of {', '.join(known)}."))
    if appeal is None or theme is None or any(each.level is Level.ERROR for each in findings):
        return None, tuple(findings)
    sender = {**settings.sender.model_dump(), "home": settings.project.home, "base_url": settings.project.base_url,
              "images": appeal.hosting or settings.project.how_images_travel}
    return freeze(appeal, theme, templates, settings.links.model_dump(), sender), tuple(findings)


def _with_sources(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an appeal or a variant, with its files as they were."""
    text = said["text"]
    return {**said, "letter": Source(**said["letter"]), "text": Source(**text) if text else None}


def _content(appeal: Appeal, theme: Theme, templates: Mapping[str, Source], links: Mapping[str, str],
             sender: Mapping[str, str]) -> Any:
    written = asdict(appeal)
    if not appeal.variants:
        del written["variants"]  # a letter without any keeps the id that it had before there were variants
    return {"form": FORM, "appeal": written, "theme": theme.constants(), "links": dict(links),
            "sender": dict(sender),
            "templates": {name: asdict(source) for name, source in templates.items()}}


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> dict[str, str]:
    match value:
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case time():
            return {"$time": value.isoformat()}
    raise TypeError(type(value).__name__)


def _revive(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        match next(iter(found.items())):
            case ("$bytes", str(text)):
                return base64.b64decode(text)
            case ("$datetime", str(text)):
                return datetime.fromisoformat(text)
            case ("$date", str(text)):
                return date.fromisoformat(text)
            case ("$time", str(text)):
                return time.fromisoformat(text)
    return found
