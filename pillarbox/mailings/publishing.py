"""A letter on the open web: composed from the mailing's frozen bundle for a reader without a name."""

from __future__ import annotations

import html as html_
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from pillarbox.compose import letter as letters
from pillarbox.compose.environment import plain_environment
from pillarbox.compose.faults import finding_of
from pillarbox.content import bundle as bundles
from pillarbox.content import templates
from pillarbox.content.appeal import SLUG
from pillarbox.content.bundle import Bundle
from pillarbox.ground import clock, logs
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.mailings import approval, envelopes, pictures
from pillarbox.mailings.card import card
from pillarbox.mailings.check import SAMPLES
from pillarbox.model.config import Settings
from pillarbox.model.records import Letter
from pillarbox.model.states import Kind, MailingState
from pillarbox.people import values
from pillarbox.store import audit, images, mailings, public_letters
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

log = logs.get("mailings")

HOME = "/letters"
"""The archive; a letter lies below it."""
LAYOUT = "public"
_OF_THE_LAYOUT = ("layouts/public.html", "public.css")
_LONGEST_SLUG = 100
_SUMMARY = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What was published."""

    mailing: str
    slug: str
    url: str
    practice: bool
    news: bool
    """Whether it was not there before (or had been withdrawn)."""

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``publish --json``."""
        return {"mailing": self.mailing, "slug": self.slug, "url": self.url, "practice": self.practice,
                "news": self.news}


def site(settings: Settings) -> str:
    """Where the public reaches this project, without a trailing slash; empty when it has no server."""
    given = {"home": settings.project.home, "base_url": settings.project.base_url}
    return envelopes.base_url(given, practice=settings.practice)


def publish(project: Project, name: str, *, slug: str = "", by: str = "staff") -> Published:
    """Put a mailing's letter on the web, or compose again what is there.

    Args:
        project: the project.
        name: the mailing's, or its appeal's.
        slug: the letter's name in its address; by default the appeal's, or the mailing's when that is taken.
        by: who publishes, for the audit.

    Raises:
        Refused: a proof, a practice mailing on a live site, a live one that nobody approved, no server, a name that is
            taken.
        LetterError: the letter reads something that a reader without a name does not have.
    """
    base = site(project.settings)
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
        before = public_letters.of_mailing(connection, mailing.id)
        _refuse(project, connection, mailing, base)
        chosen = _slug(connection, mailing, slug or (before.slug if before else ""))
        bundle = bundles.unpack(mailings.bundle(connection, mailing.bundle_id))
    at = clock.now()
    shown = pictures.used(bundle, _letter(project, mailing, bundle))
    picture, kind, size = card(bundle, shown)
    page = compose(project, mailing, bundle, slug=chosen, size=size, published=before.published_at if before else at)
    with project.store.writing() as connection:
        images.keep(connection, shown)
        if public_letters.taken(connection, chosen, but=mailing.id):
            raise Refused(f"Another letter was published as {chosen!r} just now.", todo="Choose a name with --slug.")
        public_letters.keep(connection, mailing.id, {
            "slug": chosen, "practice": mailing.practice, "title": bundle.appeal.title, "summary": page.summary,
            "dated": bundle.appeal.date or mailing.for_date, "language": bundle.appeal.language, "html": page.html,
            "card": picture, "card_kind": kind}, at=at, by=by)
        audit.record(connection, actor=by, action="publish", subject=mailing.name, detail={"slug": chosen})
    log.info("letter.published", mailing=mailing.name, practice=mailing.practice)
    return Published(mailing=mailing.name, slug=chosen, url=f"{base}{HOME}/{chosen}", practice=mailing.practice,
                     news=before is None or before.withdrawn_at is not None)


def withdraw(project: Project, name: str, *, by: str = "staff") -> str:
    """Take a mailing's letter from the web: its address says from now on that it is gone.

    Returns:
        its name there.

    Raises:
        Refused: it is not published.
    """
    with project.store.writing() as connection:
        mailing = mailings.find(connection, name)
        before = public_letters.of_mailing(connection, mailing.id)
        if before is None or not public_letters.withdraw(connection, mailing.id, clock.now()):
            raise Refused(f"{mailing.name} is not published.")
        audit.record(connection, actor=by, action="withdraw", subject=mailing.name, detail={"slug": before.slug})
    log.info("letter.withdrawn", mailing=mailing.name)
    return before.slug


def _refuse(project: Project, connection: Connection, mailing: Mailing, base: str) -> None:
    if mailing.kind in (Kind.PROOF, Kind.SERVICE):
        raise Refused(f"{mailing.name} is a {mailing.kind}: it is not for the public.")
    if mailing.practice and not project.settings.practice:
        raise Refused(f"{mailing.name} is practice and went to nobody: it cannot stand on a live site.",
                      todo="Plan the appeal with the settings as they are now, and publish that mailing.")
    if not mailing.practice and not (found := approval.standing(connection, project.settings, mailing)).complete:
        raise Refused(f"{mailing.name} is not approved: {found.why_not}.", todo=found.whose_turn(mailing.name))
    if mailing.state is MailingState.CANCELLED:
        raise Refused(f"{mailing.name} was cancelled.")
    if not base:
        raise Refused("There is no server on which the letter could be read.",
                      todo="Set [project] base_url in pillarbox.toml to where `pillarbox serve` answers.")


def _slug(connection: Any, mailing: Mailing, wanted: str) -> str:
    if wanted:
        if not SLUG.fullmatch(wanted) or len(wanted) > _LONGEST_SLUG:
            raise Refused(f"{wanted!r} cannot stand in an address.", where="--slug",
                          todo="Use small letters, digits and single hyphens.")
        if public_letters.taken(connection, wanted, but=mailing.id):
            raise Refused(f"Another letter has the name {wanted!r}.", where="--slug", todo="Choose another name.")
        return wanted
    free = (name for name in (mailing.appeal, mailing.name)
            if not public_letters.taken(connection, name, but=mailing.id))
    return next(free, mailing.name)


# ------------------------------------------------------------------------------------------------ composing


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicPage:
    """A letter as anybody reads it."""

    html: str
    summary: str
    """Plain words, a line."""


def compose(project: Project, mailing: Mailing, bundle: Bundle, *, slug: str, size: tuple[int, int],
            published: datetime) -> PublicPage:
    """The letter for a reader without a name: fallbacks for every name, gifts counted by the mailing's source code.

    Raises:
        LetterError: it reads something that only a supporter has.
    """
    home = f"{site(project.settings)}{HOME}"
    url = f"{home}/{slug}"
    framed = replace(bundle, appeal=replace(bundle.appeal, layout=LAYOUT), links={**bundle.links, "share": url},
                     templates={**_layout(project), **bundle.templates})
    letter = _letter(project, mailing, framed)
    environment = plain_environment(letter)
    give = envelopes.link_maker(project.settings, bundle, mailing.source_code).links("", None)
    context: dict[str, Any] = {
        "supporter": SAMPLES["a supporter without a name"],
        # No way to leave, and no copy of one's own: who reads this is nobody in particular.
        "links": {"donate": give["donate"], "donate_monthly": give["donate_monthly"], "view": url},
    }
    part = letters.PREHEADER
    try:
        summary = values.one_line(html_.unescape(environment.rendered(part, context)))[:_SUMMARY]
        context["public"] = {
            "url": url, "home": home, "summary": summary, "image": f"{url}/card", "image_width": size[0],
            "image_height": size[1], "published": published.isoformat(timespec="seconds"),
            "practice": mailing.practice, "share": share(bundle.appeal.title, url),
            "join": f"{site(project.settings)}/join" if project.settings.join.lists else ""}
        part = letter.html
        return PublicPage(html=environment.rendered(part, context), summary=summary)
    except Exception as fault:  # noqa: BLE001 - whatever a template raises is the letter's fault, told with its place
        found = finding_of(fault, letter, part)
        raise LetterError("The letter cannot be composed for a reader without a name.", findings=(found,),
                          todo="Give what it reads of a supporter a fallback, or publish another letter.") from None


def _letter(project: Project, mailing: Mailing, bundle: Bundle) -> Letter:
    """Its images are fetched from here, however they travelled by mail."""
    return letters.build(bundle, date=mailing.for_date, mailing={
        "name": mailing.name, "images": f"{site(project.settings)}{envelopes.IMAGES_PATH}"})


def _layout(project: Project) -> Mapping[str, Any]:
    """The page around the letter as it is now: a bundle of an earlier Pillarbox holds none."""
    now, _ = templates.read(project.folder)
    return {name: now[name] for name in _OF_THE_LAYOUT}


def share(title: str, url: str) -> list[dict[str, str]]:
    """Plain links by which a reader passes a letter on; no script of anybody's."""
    def asked(address: str, **values: str) -> str:
        return f"{address}?{urlencode(values, quote_via=quote)}"

    return [{"name": name, "href": href} for name, href in {
        "Email": asked("mailto:", subject=title, body=url),
        "WhatsApp": asked("https://wa.me/", text=f"{title} {url}"),
        "Facebook": asked("https://www.facebook.com/sharer/sharer.php", u=url),
        "X": asked("https://x.com/intent/post", text=title, url=url),
        "Bluesky": asked("https://bsky.app/intent/compose", text=f"{title} {url}"),
    }.items()]
