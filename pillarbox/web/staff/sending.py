"""A mailing's sending page, and its deeds: each is asked twice, done by the function that the command line calls, and
written to the audit log with the user's name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused, StoreError
from pillarbox.mailings import (
    approval,
    approving,
    control,
    departure,
    drift,
    holding,
    launch,
    moments,
    outlook,
    refusals,
    summary,
)
from pillarbox.mailings.drift import Drift
from pillarbox.model.states import MailingState, Role
from pillarbox.people.values import one_line
from pillarbox.reports.words import MAILING_STATE
from pillarbox.staff import sessions
from pillarbox.store import audit, messages, notices
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.web.site import Site
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import go, refusal, render
from pillarbox.web.staff.guard import Door, visitor
from pillarbox.web.staff.home import who_works
from pillarbox.web.staff.mailings import mailing_of
from pillarbox.web.staff.progress import Counts

_LONGEST_REASON, _LONGEST_TIME, _LONGEST_WHY, _MOST_READ, _MOST_DIGITS = 200, 60, 300, 1_000, 12
_NOTICES, _RELOAD_SECONDS = 5, 10
_SOON = timedelta(hours=1)
_HOW = "or tick the box below, and it leaves as it was planned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a posted form asks for, read."""

    count: int | None
    """The number that was typed (live) or shown (practice); None where none is asked for."""
    reason: str
    at: datetime | None
    actor: str
    as_planned: bool
    """Whether they said that it shall leave as it was planned, though something has changed since."""
    seen: str
    """How the mailing stood on the page that asked (``_mark``); empty when no such page did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Something that can be done to a mailing."""

    name: str
    """In the path."""
    label: str
    """On the button that asks for it."""
    question: str
    """The title of the page that asks again."""
    sure: str
    """On the button that does it."""
    does: Callable[[Project, Mailing, Wish], str]
    """Does it; returns what the next page says."""
    role: Role = Role.SEND
    asks_anew: bool = True
    """Whether it is asked once more when the mailing stands otherwise by now than the page said."""
    counts: str = ""
    """Which number is typed for a live mailing: ``remaining``, ``planned``, or none."""
    stops: bool = False
    needs_worker: bool = False


def _approve(project: Project, mailing: Mailing, wish: Wish) -> str:
    control.approve(project, mailing.name, by=wish.actor, via="dashboard")
    found = _approved(project, mailing)
    if not found.complete:
        return f"You approved {mailing.name}. One more person must, before it may go."
    return f"You approved {mailing.name}. It is not sent by that."


def _take_back(project: Project, mailing: Mailing, wish: Wish) -> str:
    control.withdraw(project, mailing.name, by=wish.actor, reason=wish.reason, via="dashboard")
    found = _approved(project, mailing)
    stands = f" It still has enough approvals, by {found.by}, and may go." if found.complete else ""
    return f"You no longer stand for {mailing.name}.{stands}"


def _send(project: Project, mailing: Mailing, wish: Wish) -> str:
    drift.refuse(project, mailing, as_planned=wish.as_planned, how=_HOW)
    moved = departure.at_once(project, mailing.name, count=wish.count or 0, actor=wish.actor)
    if moved.send_at and moved.send_at > clock.now():
        seconds = round((moved.send_at - clock.now()).total_seconds())
        return f"{mailing.name} leaves in {seconds} seconds. Until then you can hold it back, and nothing is sent."
    return f"{mailing.name} is on its way: a worker takes it up within seconds."


def _send_at(project: Project, mailing: Mailing, wish: Wish) -> str:
    if wish.at is None:
        raise Refused("No time was named.", todo=f"Write it like {moments.EXAMPLE!r}.")
    refusals.refuse_other_road(project, mailing)
    drift.refuse(project, mailing, as_planned=wish.as_planned, how=_HOW)
    departure.wait(project, mailing.name, at=wish.at, count=wish.count or 0, actor=wish.actor)
    return f"{mailing.name} leaves on {moments.in_words(wish.at, project.settings.project.zone)}."


def _pause(project: Project, mailing: Mailing, wish: Wish) -> str:
    control.pause(project, mailing.name, reason=wish.reason or f"by {wish.actor}", actor=wish.actor)
    return f"{mailing.name} is held back. What was in flight finishes; nothing more leaves."


def _resume(project: Project, mailing: Mailing, wish: Wish) -> str:
    if mailing.started_at or mailing.send_at:
        departure.refuse_alone(project)
    moved = control.resume(project, mailing.name, actor=wish.actor)
    if moved.send_at and moved.send_at > clock.now():
        return (f"{mailing.name} is no longer held back. It leaves on "
                f"{moments.in_words(moved.send_at, project.settings.project.zone)}.")
    if moved.send_at:
        return f"{mailing.name} goes on: a worker takes it up within seconds."
    return f"{mailing.name} is no longer held back. Send it when you like."


def _cancel(project: Project, mailing: Mailing, wish: Wish) -> str:
    holding.cancel(project, mailing.name, reason=wish.reason or f"by {wish.actor}", actor=wish.actor)
    return f"{mailing.name} is cancelled. What has left has left; nothing more leaves."


DEEDS = {deed.name: deed for deed in (
    Deed(name="approve", label="Approve", question="Approve this mailing?", sure="I have read it and approve it",
         does=_approve, counts="planned"),
    Deed(name="send", label="Send now", question="Send this mailing now?", sure="Send it now", does=_send,
         counts="remaining", needs_worker=True),
    Deed(name="send-at", label="Send at a time", question="Send this mailing at a time?", sure="Send it then",
         does=_send_at, counts="remaining", needs_worker=True),
    Deed(name="resume", label="Let it go on", question="Let this mailing go on?", sure="Let it go on", does=_resume,
         counts="remaining"),
    Deed(name="pause", label="Hold it back", question="Hold this mailing back?", sure="Hold it back", does=_pause,
         role=Role.PREPARE, stops=True, asks_anew=False),
    Deed(name="take-back", label="Take your approval back", question="Take your approval back?",
         sure="I no longer stand for it", does=_take_back, stops=True),
    Deed(name="cancel", label="Cancel it for good", question="Cancel this mailing for good?",
         sure="Cancel it for good", does=_cancel, counts="planned", stops=True, asks_anew=False),
)}


def _approved(project: Project, mailing: Mailing) -> approval.Standing:
    """Who stands for a mailing as it is."""
    with project.store.reading() as connection:
        return approval.standing(connection, project.settings, mailing)


def possible(project: Project, mailing: Mailing, by: str) -> list[Deed]:
    """What can be done to a mailing as it stands, by somebody; an approval is taken back only by who gave it."""
    names: list[str] = []
    if mailing.state in (MailingState.PLANNED, MailingState.PAUSED):
        with project.store.reading() as connection:
            theirs = approving.given_by(connection, project.settings, mailing, by)
        names += ["take-back"] if theirs else []
    approved = _approved(project, mailing).complete
    match mailing.state:
        case MailingState.PLANNED:
            names += [] if approved else ["approve"]
            names += ["send", "send-at"] if approved or mailing.practice else []
            names += ["pause"] if mailing.send_at else []
            names += ["cancel"]
        case MailingState.SENDING:
            names += ["pause", "cancel"]
        case MailingState.PAUSED:
            names += [] if approved else ["approve"]
            names += ["resume", "cancel"]
        case MailingState.HELD:
            names += ["cancel"]
    return [deed for name, deed in DEEDS.items() if name in names]


class SendingDoors:
    """``/staff/mailings/{name}/sending`` and below."""

    def __init__(self, site: Site, counts: Counts) -> None:
        self._project = site.project
        self._zone = site.settings.project.zone
        self._counts = counts

    async def show(self, request: Request) -> Response:
        """Where the mailing stands, and what can be done."""
        values = await run_in_threadpool(self._standing, await mailing_of(request))
        mailing = values["found"].mailing  # what the buttons are for and what the script follows is one look
        role, deeds = visitor(request).user.role, await run_in_threadpool(
            possible, self._project, mailing, visitor(request).user.name)
        return render(request, "staff/sending", **values, mailing=mailing, crumbs=(("Mailings", "/staff/"),),
                      deeds=[deed for deed in deeds if role.includes(deed.role)],
                      others=[deed for deed in deeds if not role.includes(deed.role)])

    def _standing(self, mailing: Mailing) -> dict[str, Any]:
        with self._project.store.reading() as connection:
            details = messages.failures(connection, mailing.id)
            told = notices.newest(connection, _NOTICES, mailing_id=mailing.id)
        going = mailing.state is MailingState.SENDING or (
            mailing.state is MailingState.PLANNED and mailing.send_at is not None
            and mailing.send_at - clock.now() < _SOON)
        return {"found": self._counts.snapshot(mailing.id, as_read=mailing), "details": details, "told": told,
                "approved": _approved(self._project, mailing),
                "going": going, "summary": summary.summary(self._project, mailing), "workers": who_works(self._project),
                "reload_seconds": _RELOAD_SECONDS if going else 0}

    def ask(self, deed: Deed) -> Door:
        """The page that asks again. Nothing is changed."""
        async def asking(request: Request) -> Response:
            mailing = await mailing_of(request)
            if deed not in await run_in_threadpool(possible, self._project, mailing, visitor(request).user.name):
                by = f", approved by {mailing.approved_by}" if mailing.approved_by else ", approved by nobody"
                return refusal(request, f"{mailing.name} is {MAILING_STATE[mailing.state]}{by}: “{deed.label}” is not "
                                        "possible now. Nothing was changed.", status=409, back=_place(mailing))
            at = request.query_params.get("at", "").strip()[:_LONGEST_TIME]
            return await self._asked(request, mailing, deed, at=at)
        return asking

    def do(self, deed: Deed) -> Door:
        """Do it, and go back to the mailing's page, which says what was done."""
        async def doing(request: Request) -> Response:
            fields, mailing = await form(request), await mailing_of(request)
            try:
                wish = self._read(fields, deed, actor=visitor(request).user.name)
                said = await run_in_threadpool(self._done, mailing, deed, wish)
            except StoreError:
                raise
            except PillarboxError as fault:
                await run_in_threadpool(self._note_refused, mailing, deed, visitor(request).user.name, fault)
                mailing = await mailing_of(request)
                if deed not in await run_in_threadpool(possible, self._project, mailing, visitor(request).user.name):
                    return refusal(request, fault.sentence(), status=409, back=_place(mailing))
                return await self._asked(request, mailing, deed, fault=fault.sentence(),
                                         at=fields.get("at", "").strip()[:_LONGEST_TIME],
                                         reason=fields.get("reason", "")[:_LONGEST_REASON])
            await run_in_threadpool(sessions.tell, self._project.store, visitor(request), said)
            return go(f"/staff/mailings/{mailing.name}/sending")
        return doing

    def _read(self, fields: Mapping[str, str], deed: Deed, *, actor: str) -> Wish:
        count = None
        if deed.counts:
            typed = re.sub(r"[\s,.]", "", fields.get("count", ""))
            if not (typed.isascii() and typed.isdigit() and len(typed) < _MOST_DIGITS):
                raise Refused("Type the number of messages, as it stands above. Nothing was done.")
            count = int(typed)
        at = fields.get("at", "").strip()[:_LONGEST_TIME]
        reason = one_line(fields.get("reason", "")[:_MOST_READ])[:_LONGEST_REASON]
        return Wish(count=count, reason=reason, actor=actor, seen=fields.get("seen", ""),
                    as_planned=fields.get("as_planned") == "yes",
                    at=moments.read_moment(at, self._zone, now=clock.now()) if at else None)

    def _done(self, mailing: Mailing, deed: Deed, wish: Wish) -> str:
        """Do it, once the number that was typed is the one that is, and nothing has changed since the page asked."""
        if deed.asks_anew and wish.seen != _mark(self._project, mailing):
            raise Refused(f"{mailing.name} has been changed since you were asked. Nothing was done.",
                          todo="See how it stands now, and say it once more if it shall be.")
        expected = self._count(mailing, deed)
        if deed.counts and wish.count != expected:
            raise Refused(f"{mailing.name} has {expected:,} messages, not {wish.count:,}. Nothing was done.")
        return deed.does(self._project, mailing, wish)

    def _note_refused(self, mailing: Mailing, deed: Deed, actor: str, fault: PillarboxError) -> None:
        """Into the audit log: who wanted what, and why it was not done."""
        with suppress(StoreError), self._project.store.writing() as connection:
            audit.record(connection, actor=actor, action="refused", subject=mailing.name,
                         detail={"deed": deed.name, "why": fault.sentence()[:_LONGEST_WHY]})

    def _count(self, mailing: Mailing, deed: Deed) -> int:
        if deed.counts == "planned":
            return mailing.planned
        with self._project.store.reading() as connection:
            return messages.remaining(connection, mailing.id)

    async def _asked(self, request: Request, mailing: Mailing, deed: Deed, *, at: str = "", fault: str = "",
                     reason: str = "") -> Response:
        moment = None
        if at:
            try:
                moment = moments.read_moment(at, self._zone, now=clock.now())
                departure.refuse_time(mailing, moment, self._zone)
            except Refused as refused:
                fault, moment = fault or refused.sentence(), None
        told = await run_in_threadpool(summary.summary, self._project, mailing)
        works = await run_in_threadpool(who_works, self._project)
        fresh = deed.name == "send" and not mailing.practice and launch.is_fresh(mailing)
        return render(request, "staff/deed", status=409 if fault else 200, mailing=mailing, deed=deed, summary=told,
                      count=await run_in_threadpool(self._count, mailing, deed), at=at, fault=fault, reason=reason,
                      when=moments.in_words(moment, self._zone) if moment else "", example=moments.EXAMPLE,
                      seen=await run_in_threadpool(_mark, self._project, mailing),
                      approved=await run_in_threadpool(_approved, self._project, mailing),
                      since=await run_in_threadpool(_since, self._project, mailing, deed),
                      stands=await run_in_threadpool(_stands, self._project, mailing, deed),
                      alone=deed.needs_worker and not works.present,
                      countdown=round(self._project.settings.launch.countdown_seconds) if fresh else 0,
                      crumbs=(("Mailings", "/staff/"), _place(mailing)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """What a page that asks shows of what has changed."""

    before: approval.Comparison | None
    """Since somebody last stood for it; None: nobody ever did."""
    drift: Drift | None
    """In what it was planned from; None: nothing."""
    asks: bool
    """Whether they have to say that it shall leave as it was planned."""


def _since(project: Project, mailing: Mailing, deed: Deed) -> Since:
    if deed.stops or mailing.started_at:
        return Since(before=None, drift=None, asks=False)
    before = None
    if deed.name == "approve":
        with project.store.reading() as connection:
            before = approval.compared(connection, project.settings, mailing)
    found = drift.of(project, mailing)
    asks = found is not None and not mailing.practice and deed.name in ("send", "send-at")
    return Since(before=before, drift=found, asks=asks)


def _mark(project: Project, mailing: Mailing) -> str:
    """Another one whenever what a page that asks says of the mailing is no longer so."""
    facts = (mailing.state, mailing.started_at, mailing.send_at, mailing.approved_by, mailing.approved_at,
             _approved(project, mailing).by)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _stands(project: Project, mailing: Mailing, deed: Deed) -> tuple[str, str]:
    """Where it stands before the deed, and what letting it go on comes to, in words; either may be empty."""
    said, then = outlook.said(project, mailing, commands=False), ""
    if deed.name == "resume":
        if mailing.started_at or (mailing.send_at and mailing.send_at <= clock.now()):
            then = "When you let it go on, all that has not left leaves at once."
        elif mailing.send_at:
            when = moments.in_words(mailing.send_at, project.settings.project.zone)
            then = f"When you let it go on, it leaves on {when}."
        else:
            then = "When you let it go on, it waits until somebody sends it."
    return said, then


def _place(mailing: Mailing) -> tuple[str, str]:
    return mailing.title, f"/staff/mailings/{mailing.name}/sending"
