"""What is the same for every message of a mailing on its way out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from pillarbox.compose.links import LinkMaker
from pillarbox.content import bundle as bundles
from pillarbox.content import images
from pillarbox.content.bundle import Bundle
from pillarbox.ground import clock
from pillarbox.model.config import Settings
from pillarbox.model.records import Envelope, InlineImage
from pillarbox.model.states import Kind
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

# Where `pillarbox serve` answers by default: the links of practice letters lead there, to nobody outside.
PRACTICE_BASE_URL = "http://127.0.0.1:8025"
PRACTICE_SENDER = "practice@pillarbox.example"
EMBEDDED = "embedded"
IMAGES_PATH = "/i/"
"""Where `pillarbox serve` answers with images."""


def base_url(sender: Mapping[str, str], *, practice: bool) -> str:
    """Where supporters reach us; this machine in practice; empty in the Laptop home, where SendGrid answers.

    Args:
        sender: the bundle's (``content.bundle.SENDER``).
        practice: whether nobody is mailed.
    """
    if sender["home"] == "laptop" and not practice:
        return ""
    return sender["base_url"] or (PRACTICE_BASE_URL if practice else "")


def envelope(project: Project, mailing: Mailing) -> Envelope:
    """The envelope of a mailing, from its stored bundle: the sender is as it was when the mailing was planned."""
    with project.store.reading() as connection:
        bundle = bundles.unpack(mailings.bundle(connection, mailing.bundle_id))
    sender = bundle.sender
    return Envelope(
        project=project.id, mailing=mailing.name, practice=mailing.practice,
        base_url=base_url(sender, practice=mailing.practice), from_name=sender["name"],
        from_email=sender["email"] or PRACTICE_SENDER, reply_to=sender["reply_to"] or sender["email"],
        unsubscribe_mailto=sender["unsubscribe_mailto"], proof=mailing.kind is Kind.PROOF,
        hold_batch=mailing.provider_batch,
        hold_until=mailing.send_at if mailing.provider_batch and _ahead(mailing) else None, images=within(bundle))


def within(bundle: Bundle) -> tuple[InlineImage, ...]:
    """The images that its letters carry within; none where they are fetched."""
    return inline(bundle) if bundle.sender["images"] == EMBEDDED else ()


def inline(bundle: Bundle) -> tuple[InlineImage, ...]:
    """All images of a bundle, as a message carries them."""
    found = {images.content_id(data): (name, data) for name, data in sorted(bundle.appeal.images.items())}
    return tuple(InlineImage(content_id=content_id, media_type=images.media_type(data), content=data,
                             name=str(PurePosixPath(name).with_suffix(f".{images.kind(data)}")))
                 for content_id, (name, data) in found.items())


def images_at(bundle: Bundle, *, practice: bool) -> str:
    """What the addresses of a letter's images begin with; empty where nobody could fetch them."""
    if bundle.sender["images"] == EMBEDDED:
        return images.CID
    base = base_url(bundle.sender, practice=practice)
    return f"{base}{IMAGES_PATH}" if base else ""


def _ahead(mailing: Mailing) -> bool:
    return mailing.send_at is not None and clock.now() < mailing.send_at


def link_maker(settings: Settings, bundle: Bundle, source_code: str) -> LinkMaker:
    """Makes the links of one mailing's letters; the appeal's own pages come before the project's.

    Donate links lead through our own pages where there are any for good: in a box with a base URL.
    """
    pages, giving = bundle.links, settings.giving
    # A template stands for the project's own page; an appeal's page is told the code as its platform carries it.
    templates = (giving.template if pages["donate"] == settings.links.donate else "",
                 giving.template_monthly if pages["donate_monthly"] == settings.links.donate_monthly else "")
    return LinkMaker(base_url=base_url(bundle.sender, practice=settings.practice), donate=pages["donate"],
                     donate_monthly=pages["donate_monthly"], code_parameter=settings.links.code_parameter,
                     amount_parameter=settings.links.amount_parameter, source_code=source_code, templates=templates,
                     platforms=(giving.platform, giving.platform_monthly or giving.platform),
                     through_us=bundle.sender["home"] == "box" and bool(bundle.sender["base_url"]))
