"""The donations that a mailing raised, each with what ties it to the mailing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground.errors import Refused
from pillarbox.reports import gifts, words
from pillarbox.reports.gifts import Gift
from pillarbox.store.mailings import Mailing
from pillarbox.web import cursors
from pillarbox.web.insight import look
from pillarbox.web.site import Site
from pillarbox.web.staff.frame import site_of
from pillarbox.web.staff.mailings import mailing_of

_MOST = 50


async def donations(request: Request) -> Response:
    """A page of them, newest first; ``?from=`` goes on."""
    mailing, site = await mailing_of(request), site_of(request)
    of = f"donations {mailing.id}"
    try:
        place = cursors.place(site.settings, of, request.query_params.get("from", ""))
    except Refused:
        raise HTTPException(404) from None
    before = (datetime.fromisoformat(place[0]), int(place[1])) if place else None
    found, evidence = await run_in_threadpool(_look, site, mailing, before)
    shown = found[:_MOST]
    more = cursors.seal(site.settings, of, shown[-1].received_at.isoformat(), shown[-1].id) if len(found) > _MOST \
        else ""
    return look.page(request, "donations", mailing=mailing, gifts=shown, evidence=evidence, more=more,
                     first=place is None, crumbs=(("Mailings", "/staff/"),))


def _look(site: Site, mailing: Mailing, before: tuple[datetime, int] | None) -> tuple[list[Gift], list[Any]]:
    with site.store.snapshot() as connection:
        found = gifts.page(connection, mailing.id, before=before, most=_MOST + 1, named=True)
        evidence = [(*words.EVIDENCE[kind], n, words.pounds(pence))
                    for kind, n, pence in gifts.by_evidence(connection, mailing.id)]
    return found, evidence
