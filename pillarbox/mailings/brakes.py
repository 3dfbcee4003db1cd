"""What makes a mailing pause itself: too many bounces, complaints or blocks, refusals or doubt in a row, or silence.

Whoever resumes a paused mailing accepts what was known by then: the shares stand in the audit log with the resuming.
Afterwards a share stops it only when it has risen by the limit once more above what was accepted; refusals, doubt and
silence count only from the resuming on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from pillarbox.events.apply import RECEIVED
from pillarbox.ground import clock
from pillarbox.model.config import Settings
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import audit, brakes, mailings, notices
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

_EVERY_SECONDS = 5.0
# Looking may take this share of the time that passes between two looks, on a large mailing.
_LOOKING_SHARE = 0.05
# One complaint among two hundred is above every sensible share, and says nothing.
_LEAST_CASES = 2
_TAKERS = {"files": "the mail folder", "smtp": "the mail server", "sendgrid": "SendGrid"}


@dataclass(kw_only=True, slots=True)
class Watchman:
    """Looks at a mailing's brakes now and then while it is sent; shared by the threads that send it."""

    _due: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_by(self, project: Project, mailing: Mailing, *, at_once: bool = False) -> str:
        """Look, if it is time, or at once; returns why the mailing was paused, or nothing."""
        with self._lock:
            began = time.monotonic()
            if began < self._due and not at_once:
                return ""
            self._due = began + _EVERY_SECONDS
        why = look(project, mailing)
        took = time.monotonic() - began
        self._due = max(self._due, began + took / _LOOKING_SHARE)
        return why


def look(project: Project, mailing: Mailing) -> str:
    """Pause the mailing if what is known of it says so; returns why, in one sentence, or nothing."""
    with project.store.reading() as connection:
        mailing = mailings.by_id(connection, mailing.id)
        if mailing.state is not MailingState.SENDING:
            return ""
        why = _why(connection, project.settings, mailing, after_watch=False)
    if why:
        with project.store.writing() as connection:
            pull(connection, mailing, why)
    return why


def look_within(connection: Connection, project: Project, mailing: Mailing, *, after_watch: bool = False) -> str:
    """The same in the caller's transaction.

    Args:
        connection: the caller's.
        project: the project.
        mailing: the mailing.
        after_watch: the launch's watch is over: had anything been heard, it would have been heard by now.
    """
    if why := _why(connection, project.settings, mailing, after_watch=after_watch):
        pull(connection, mailing, why)
    return why


def pull(connection: Connection, mailing: Mailing, why: str) -> bool:
    """Pause a mailing that is being sent, and tell staff; returns whether it was this that paused it.

    Args:
        connection: in a transaction.
        mailing: the mailing.
        why: a sentence without its full stop, with numbers.
    """
    why = why.rstrip(".")
    if not mailings.move(connection, mailing.id, before=(MailingState.SENDING,), after=MailingState.PAUSED, reason=why):
        return False
    audit.record(connection, actor="brakes", action="pause", subject=mailing.name, detail={"reason": why})
    notices.add(connection, kind="paused", mailing_id=mailing.id,
                words=f"{mailing.name} has paused itself: {why}. Nothing more of it leaves until somebody has looked: "
                      f"`pillarbox resume {mailing.name}` accepts this and lets it go on, `pillarbox cancel "
                      f"{mailing.name}` ends it.")
    return True


def known(connection: Connection, mailing: Mailing) -> dict[str, Any]:
    """The shares as they are known now: what is accepted by resuming, for the audit."""
    cases = brakes.cases(connection, mailing.id)
    accepted = brakes.accepted(connection, mailing.id)
    return {"hard_bounces": _share(cases.bounced, accepted), "complaints": _share(cases.complained, accepted),
            "blocks": {domain: _share(count, brakes.accepted(connection, mailing.id, domain=domain))
                       for domain, count in cases.blocked.items()}}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Accepted:
    """What staff accepted when they resumed the mailing last."""

    at: datetime | None = None
    shares: Mapping[str, Any] = field(default_factory=dict)

    def limit(self, limit: float, *names: str) -> float:
        """The limit that holds: as set, or that much again above what was accepted."""
        found: Any = self.shares
        for name in names:
            found = found.get(name, {}) if isinstance(found, Mapping) else {}
        share = float(found) if isinstance(found, int | float) else 0.0
        return limit + share if share > limit else limit


def _why(connection: Connection, settings: Settings, mailing: Mailing, *, after_watch: bool) -> str:
    resumed = audit.newest(connection, action="resume", subject=mailing.name)
    accepted = _Accepted(at=resumed.at, shares=resumed.detail.get("accepted", {})) if resumed else _Accepted()
    reasons = (*_shares(connection, settings, mailing, accepted), _refusals(connection, settings, mailing, accepted),
               _doubts(connection, settings, mailing, accepted),
               _silence(connection, settings, mailing, accepted, after_watch=after_watch))
    return next((why for why in reasons if why), "")


def _shares(connection: Connection, settings: Settings, mailing: Mailing, accepted: _Accepted) -> Iterator[str]:
    limits = settings.brakes
    least = at_a_domain = limits.least
    if not mailing.wave:  # of a first wave that is smaller than that, half is enough: what else is it watched for
        least = min(least, max(1, settings.launch.first // 2))
        at_a_domain = min(least, max(1, settings.launch.first // 10))  # no domain has half of it
    cases = brakes.cases(connection, mailing.id)
    for count, limit, name, words in (
            (cases.bounced, limits.hard_bounces, "hard_bounces", "letters bounced for good"),
            (cases.complained, limits.complaints, "complaints", "supporters complained of it as spam")):
        yield _too_many(connection, mailing, count, least=least, limit=accepted.limit(limit, name), words=words)
    for domain, count in cases.blocked.items():
        yield _too_many(connection, mailing, count, least=at_a_domain, domain=domain,
                        limit=accepted.limit(limits.blocks_at_a_domain, "blocks", domain),
                        words=f"letters to {domain} were turned away there")


def _too_many(connection: Connection, mailing: Mailing, count: int, *, least: int, limit: float, words: str,
              domain: str = "") -> str:
    """Why a share is too large; counts what was handed over only where the cases could be too many at all."""
    if count < _LEAST_CASES or count <= limit * least:
        return ""
    handed = brakes.accepted(connection, mailing.id, domain=domain)
    share = _share(count, handed)
    if handed < least or share <= limit:
        return ""
    return f"{count:,} of {handed:,} {words} ({share:.1%}; the limit is {limit:.1%})"


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def _refusals(connection: Connection, settings: Settings, mailing: Mailing, accepted: _Accepted) -> str:
    number = settings.brakes.rejected_batches
    words = brakes.ended_alike(connection, mailing.id, MessageState.FAILED, number=number, since=accepted.at)
    if words is None:
        return ""
    return f"{_TAKERS[mailing.transport]} refused the last {number:,} batches one after another{_in_brackets(words)}"


def _doubts(connection: Connection, settings: Settings, mailing: Mailing, accepted: _Accepted) -> str:
    """A provider that is ill would else put the whole list in doubt, batch by batch, for somebody to decide on."""
    number = settings.brakes.unsure_batches
    words = brakes.ended_alike(connection, mailing.id, MessageState.IN_DOUBT, number=number, since=accepted.at)
    if words is None:
        return ""
    return (f"of the last {number:,} batches nobody is sure whether {_TAKERS[mailing.transport]} took them"
            f"{_in_brackets(words)}")


def _in_brackets(words: str) -> str:
    return f" ({words.rstrip('.')})" if words else ""


def _silence(connection: Connection, settings: Settings, mailing: Mailing, accepted: _Accepted, *,
             after_watch: bool) -> str:
    """Why silence is no good sign: letters were handed over, and not one event about any has come since."""
    minutes = settings.brakes.silence_minutes
    if not minutes or not expects_events(settings, mailing):
        return ""
    if mailing.provider_batch and mailing.send_at and clock.now() < mailing.send_at:
        return ""  # SendGrid keeps it until then, and has nothing to tell
    if after_watch:
        minutes = min(minutes, settings.launch.watch_minutes)
    heard = brakes.mark(connection, RECEIVED.format(provider=mailing.transport))
    since = max((at for at in (heard, accepted.at) if at), default=None)
    handed_at = brakes.handed_over(connection, mailing.id, after=since,
                                   before=clock.now() - timedelta(minutes=minutes))
    if handed_at is None or not minutes:
        return ""
    last = f"since {_at(heard, settings)}" if heard else "yet"
    return (f"nothing has been heard from {_TAKERS[mailing.transport]} {last}, though letters were handed over at "
            f"{_at(handed_at, settings)}: its event webhook may not reach this project")


def expects_events(settings: Settings, mailing: Mailing) -> bool:
    """Whether events ought to come by themselves: SendGrid's webhook has been set up."""
    return (mailing.transport == "sendgrid" and settings.project.home == "box"
            and bool(settings.sendgrid.webhook_key.get_secret_value()))


def _at(moment: datetime, settings: Settings) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.project.zone)):%H:%M on %d %B}"


