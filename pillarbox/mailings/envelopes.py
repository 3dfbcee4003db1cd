"""What is the same for every message of a mailing on its way out."""

from __future__ import annotations

from collections.abc import Mapping

from pillarbox.compose.links import LinkMaker
from pillarbox.ground import clock
from pillarbox.model.config import Settings
from pillarbox.model.records import Envelope
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

# Where `pillarbox serve` answers by default: the links of practice letters lead there, to nobody outside.
PRACTICE_BASE_URL = "http://127.0.0.1:8025"
PRACTICE_SENDER = "practice@pillarbox.example"


def base_url(settings: Settings) -> str:
    """Where supporters reach us; this machine in practice; empty in the Laptop home, where SendGrid answers."""
    if settings.project.home == "laptop" and not settings.practice:
        return ""
    return settings.project.base_url or (PRACTICE_BASE_URL if settings.practice else "")


def envelope(project: Project, mailing: Mailing) -> Envelope:
    """The envelope of a mailing, from the settings as they are."""
    settings = project.settings
    sender = settings.sender
    return Envelope(
        project=project.id, mailing=mailing.name, practice=mailing.practice, base_url=base_url(settings),
        from_name=sender.name, from_email=sender.email or PRACTICE_SENDER, reply_to=sender.reply_to or sender.email,
        unsubscribe_mailto=sender.unsubscribe_mailto, hold_batch=mailing.provider_batch,
        hold_until=mailing.send_at if mailing.provider_batch and _ahead(mailing) else None)


def _ahead(mailing: Mailing) -> bool:
    return mailing.send_at is not None and clock.now() < mailing.send_at


def link_maker(settings: Settings, pages: Mapping[str, str], source_code: str) -> LinkMaker:
    """Makes the links of one mailing's letters; ``pages`` are the bundle's: the appeal's own before the project's."""
    return LinkMaker(base_url=base_url(settings), donate=pages["donate"], donate_monthly=pages["donate_monthly"],
                     code_parameter=settings.links.code_parameter, source_code=source_code)
