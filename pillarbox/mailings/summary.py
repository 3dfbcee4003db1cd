"""What somebody must see before they let a mailing go: the way out, From, subject, and how many it goes to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from pillarbox.mailings.envelopes import envelope
from pillarbox.people.audience import Rule
from pillarbox.store import messages, shapes
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

_SUBJECTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """One mailing, as the question "shall it go?" shows it."""

    account: str
    """The way out: ``SendGrid (api.sendgrid.com)``."""
    sender: str
    """``The Harbour Trust <letters@harbour.example>``, as it was when the mailing was planned."""
    reply_to: str
    subjects: tuple[str, ...]
    """The first few; ``…`` stands where a supporter's own words go."""
    audience: str
    """``the lists newsletter and friends, without staff``."""
    remaining: int
    """Messages that would be sent."""
    variants: tuple[str, ...] = ()
    """Of the letter, each with how many were planned: ``a 50``; none where everybody gets the same."""


def summary(project: Project, mailing: Mailing) -> Summary:
    """Gather what somebody must see before they let a mailing go."""
    outside = envelope(project, mailing)
    with project.store.reading() as connection:
        remaining = messages.remaining(connection, mailing.id)
        subjects = shapes.subjects(connection, mailing.id, max(_SUBJECTS, 2 * len(mailing.variants)))
    return Summary(account=_account(project, mailing), sender=f"{outside.from_name} <{outside.from_email}>",
                   reply_to=outside.reply_to, subjects=tuple(subjects), audience=audience_words(mailing),
                   remaining=remaining, variants=tuple(
                       f"{label} {said['planned']:,}" for label, said in mailing.variants.items()))


def audience_words(mailing: Mailing) -> str:
    """Whom a mailing was planned for, in words."""
    return words_of(Rule.from_json(mailing.audience)) if mailing.audience else ""


def words_of(rule: Rule) -> str:
    """The people that a rule means, in words."""
    parts = [_some("list", rule.lists), _some("segment", rule.segments)]
    words = ", of those ".join(part for part in parts if part) if rule.lists and rule.segments else "".join(parts)
    return words + (f", without {_and(rule.exclude)}" if rule.exclude else "")


def _account(project: Project, mailing: Mailing) -> str:
    settings = project.settings
    match mailing.transport:
        case "sendgrid":
            return f"SendGrid ({urlsplit(settings.sendgrid.url).hostname or settings.sendgrid.url})"
        case "smtp":
            user = f" as {settings.smtp.username}" if settings.smtp.username else ""
            return f"the mail server {settings.smtp.host}{user}"
        case _:
            return "files on this machine, which nobody receives"


def _some(what: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    return f"the {what}{'s' if len(names) > 1 else ''} {_and(names)}"


def _and(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
