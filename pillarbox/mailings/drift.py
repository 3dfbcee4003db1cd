"""Drift: what lies in an appeal's folder now is not what its mailing was planned from, and that is what leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pillarbox.content import bundle as bundles
from pillarbox.mailings.changes import Change, Version, between
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """An appeal's folder is not what its mailing was planned from: that leaves, and not what lies there now."""

    changes: tuple[Change, ...]
    """Empty: the folder cannot be read as it is now."""


def of(project: Project, mailing: Mailing) -> Drift | None:
    """Whether the folder has changed since a mailing was planned; None: it has not, or is not on this host."""
    if not (project.folder / "appeals" / mailing.appeal).is_dir():
        return None
    with project.store.reading() as connection:
        planned = bundles.unpack(mailings.bundle(connection, mailing.bundle_id))
    now, _ = bundles.gather(project.settings, mailing.appeal, project.folder)
    if now is None:
        return Drift(changes=())
    if now.id == planned.id:
        return None
    # A sender that is missing altogether is ``live``'s to tell.
    now = replace(now, sender={**planned.sender, **{name: said for name, said in now.sender.items() if said}})
    nothing: Mapping[str, str] = {}
    found = between(Version(bundle=planned, facts=nothing), Version(bundle=now, facts=nothing))
    return Drift(changes=found) if found else None
