"""After the crash of a rehearsal: what is in doubt, what events say of it, and what goes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import select

from pillarbox.deliver.sendgrid import events as sendgrid
from pillarbox.events.apply import apply
from pillarbox.ground import clock
from pillarbox.mailings.reconcile import reconcile
from pillarbox.model.states import MessageState
from pillarbox.rehearsal.observer import Observer
from pillarbox.standin.events import events_of
from pillarbox.standin.mailbox import Kept
from pillarbox.standin.reactions import Fate, Reaction
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import messages

BY = "rehearsal"
_SEED = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Crash:
    """What a killed sender left, and what became of it. Counts are of messages."""

    after: int
    """Accepted when it was killed."""
    in_doubt: int
    """Of which nobody could be sure whether they went."""
    arrived: int
    """Of those, what had gone in truth."""
    recognised: int
    """Of those, what was known by its events, as SendGrid posts them."""
    sent_again: int
    """What had not gone: let go again by a decision, as staff do with ``reconcile``."""

    def to_json(self) -> dict[str, int]:
        """As data."""
        return {"after": self.after, "in_doubt": self.in_doubt, "arrived": self.arrived,
                "recognised": self.recognised, "sent_again": self.sent_again}


def settle(project: Project, mailing: Mailing, observer: Observer) -> Crash:
    """Settle what a crash put in doubt: by events first, then, since the stand-in knows the truth, by a decision."""
    doubtful = in_doubt(project, mailing)
    arrived = sum(address in observer.times for address in doubtful)
    heard = [one for taken in observer.around_the_crash for one in taken if one.address.lower() in doubtful]
    _hear(project, heard)
    left = in_doubt(project, mailing)
    unsent = 0
    if left and not any(address in observer.times for address in left):
        unsent = reconcile(project, mailing.name, assume="unsent", actor=BY).ways["staff"]
    return Crash(after=observer.killed_at or 0, in_doubt=len(doubtful), arrived=arrived,
                 recognised=len(doubtful) - len(left), sent_again=unsent)


def in_doubt(project: Project, mailing: Mailing) -> set[str]:
    """Addresses, in lower case, of which nobody is sure whether their letter went."""
    with project.store.reading() as connection:
        return {str(address).lower() for address in connection.execute(select(messages.c.address).where(
            messages.c.mailing_id == mailing.id, messages.c.state == MessageState.IN_DOUBT)).scalars()}


def _hear(project: Project, heard: Sequence[Kept]) -> None:
    """Take in what SendGrid would post of these messages."""
    if not heard:
        return
    told = [_delivered(one) for one in heard]
    parsed = sendgrid.read(orjson.dumps(events_of(told, seed=_SEED)), project=project.id)
    apply(project.store, parsed.events, secret=project.secret)


def _delivered(message: Kept) -> Reaction:
    at = clock.now()
    return Reaction(message=message, fate=Fate.DELIVERED, drop_reason="", processed_at=at, deferrals=(), settled_at=at,
                    apple_at=None, scanned_at=None, opened_at=(), by_google_proxy=False, clicks=(),
                    complained_at=None, left_at=None)
