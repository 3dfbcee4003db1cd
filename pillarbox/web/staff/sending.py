"""A mailing's sending page and the doors of its deeds: each is asked twice, and written to the audit log with the
user's name."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused, StoreError
from pillarbox.mailings import departure, launch, moments, summary
from pillarbox.model.states import MailingState
from pillarbox.reports.words import MAILING_STATE
from pillarbox.staff import sessions
from pillarbox.store import audit, messages, notices
from pillarbox.store.mailings import Mailing
from pillarbox.web.site import Site
from pillarbox.web.staff import deeds, seen, wish
from pillarbox.web.staff.deeds import Deed
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import go, refusal, render
from pillarbox.web.staff.guard import Door, visitor
from pillarbox.web.staff.home import who_works
from pillarbox.web.staff.mailings import mailing_of
from pillarbox.web.staff.progress import Counts
from pillarbox.web.staff.wish import Wish

_LONGEST_WHY, _NOTICES, _RELOAD_SECONDS = 300, 5, 10
_SOON = timedelta(hours=1)


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
        role, found = visitor(request).user.role, await self._possible(request, mailing)
        return render(request, "staff/sending", **values, mailing=mailing, crumbs=(("Mailings", "/staff/"),),
                      deeds=[deed for deed in found if role.includes(deed.role)],
                      others=[deed for deed in found if not role.includes(deed.role)])

    def _standing(self, mailing: Mailing) -> dict[str, Any]:
        with self._project.store.reading() as connection:
            details = messages.failures(connection, mailing.id)
            told = notices.newest(connection, _NOTICES, mailing_id=mailing.id)
        going = mailing.state is MailingState.SENDING or (
            mailing.state is MailingState.PLANNED and mailing.send_at is not None
            and mailing.send_at - clock.now() < _SOON)
        return {"found": self._counts.snapshot(mailing.id, as_read=mailing), "details": details, "told": told,
                "approved": deeds.approved_by(self._project, mailing),
                "going": going, "summary": summary.summary(self._project, mailing), "workers": who_works(self._project),
                "reload_seconds": _RELOAD_SECONDS if going else 0}

    def ask(self, deed: Deed) -> Door:
        """The page that asks again. Nothing is changed."""
        async def asking(request: Request) -> Response:
            mailing = await mailing_of(request)
            if deed not in await self._possible(request, mailing):
                by = f", approved by {mailing.approved_by}" if mailing.approved_by else ", approved by nobody"
                return refusal(request, f"{mailing.name} is {MAILING_STATE[mailing.state]}{by}: “{deed.label}” is not "
                                        "possible now. Nothing was changed.", status=409, back=_place(mailing))
            return await self._asked(request, mailing, deed, at=wish.time_of(request.query_params))
        return asking

    def do(self, deed: Deed) -> Door:
        """Do it, and go back to the mailing's page, which says what was done."""
        async def doing(request: Request) -> Response:
            fields, mailing, actor = await form(request), await mailing_of(request), visitor(request).user.name
            try:
                wished = wish.read(fields, counted=bool(deed.counts), actor=actor, zone=self._zone)
                said = await run_in_threadpool(self._done, mailing, deed, wished)
            except StoreError:
                raise
            except PillarboxError as fault:
                await run_in_threadpool(self._note_refused, mailing, deed, actor, fault)
                mailing = await mailing_of(request)
                if deed not in await self._possible(request, mailing):
                    return refusal(request, fault.sentence(), status=409, back=_place(mailing))
                return await self._asked(request, mailing, deed, fault=fault.sentence(),
                                         at=wish.time_of(fields), reason=wish.reason_of(fields))
            await run_in_threadpool(sessions.tell, self._project.store, visitor(request), said)
            return go(f"/staff/mailings/{mailing.name}/sending")
        return doing

    async def _possible(self, request: Request, mailing: Mailing) -> list[Deed]:
        return await run_in_threadpool(deeds.possible, self._project, mailing, visitor(request).user.name)

    def _done(self, mailing: Mailing, deed: Deed, wished: Wish) -> str:
        """Do it, once the number that was typed is the one that is, and nothing has changed since the page asked."""
        if deed.asks_anew and not wished.seen:
            raise Refused("No page asked for this. Nothing was done.",
                          todo="See how it stands, and say it if it shall be.")
        if deed.asks_anew and wished.seen != seen.mark(self._project, mailing):
            if deed.again and (said := deed.again(self._project, mailing, wished)):
                return said
            raise Refused(f"{mailing.name} has been changed since you were asked. Nothing was done.",
                          todo="See how it stands now, and say it once more if it shall be.")
        expected = deeds.count(self._project, mailing, deed)
        if deed.counts and wished.count != expected:
            raise Refused(f"{mailing.name} has {expected:,} messages, not {wished.count:,}. Nothing was done.")
        return deed.does(self._project, mailing, wished)

    def _note_refused(self, mailing: Mailing, deed: Deed, actor: str, fault: PillarboxError) -> None:
        """Into the audit log: who wanted what, and why it was not done."""
        with suppress(StoreError), self._project.store.writing() as connection:
            audit.record(connection, actor=actor, action="refused", subject=mailing.name,
                         detail={"deed": deed.name, "why": fault.sentence()[:_LONGEST_WHY]})

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
                      count=await run_in_threadpool(deeds.count, self._project, mailing, deed),
                      at=at, fault=fault, reason=reason,
                      when=moments.in_words(moment, self._zone) if moment else "", example=moments.EXAMPLE,
                      seen=await run_in_threadpool(seen.mark, self._project, mailing),
                      approved=await run_in_threadpool(deeds.approved_by, self._project, mailing),
                      since=await run_in_threadpool(seen.since, self._project, mailing, deed),
                      stands=await run_in_threadpool(seen.outlook_of, self._project, mailing, deed),
                      alone=deed.needs_worker and not works.present,
                      countdown=round(self._project.settings.launch.countdown_seconds) if fresh else 0,
                      crumbs=(("Mailings", "/staff/"), _place(mailing)))


def _place(mailing: Mailing) -> tuple[str, str]:
    return mailing.title, f"/staff/mailings/{mailing.name}/sending"
