"""Mailings at a glance: what stands where, what is in doubt, what is due, and whether anybody is there to do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, StoreError
from pillarbox.mailings import agenda, asking, outlook
from pillarbox.mailings.agenda import Entry
from pillarbox.model.states import MailingState
from pillarbox.reports.glance import Glance, glances
from pillarbox.store import notices, numbers, workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.web.staff.frame import render, site_of

_MOST, _DUE, _NOTICES = 20, 6, 8
_NOTICED_WITHIN = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """Whether somebody is there to send."""

    present: bool
    seen_at: datetime | None
    """When one was last seen; None: never."""
    ago: str
    """How long ago, in words."""
    hosts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """The first page."""

    glances: tuple[Glance, ...]
    outlooks: dict[int, str]
    """Mailing's id → what comes next of it."""
    doubts: tuple[Row[Any], ...]
    """Mailings with messages of which nobody knows whether they went: name, practice, messages."""
    due: tuple[Entry, ...]
    due_fault: str
    """Why nothing can be said of what is due; empty: it can."""
    notices: tuple[tuple[Row[Any], str, bool], ...]
    """Each with its mailing's name (may be empty), and whether that is practice."""
    workers: Workers
    waits_for_worker: bool
    """Whether something would go by itself if a worker were there."""
    older: int | None
    """Before which id the next page goes on; None: there is none."""


async def home(request: Request) -> Response:
    """The first page; ``?before=`` turns to older mailings."""
    given = request.query_params.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None
    found = await run_in_threadpool(overview, site_of(request).project, before)
    return render(request, "staff/home", found=found, first=before is None)


def overview(project: Project, before: int | None = None) -> Overview:
    """Gather the first page, or one of older mailings."""
    with project.store.reading() as connection:
        found = glances(connection, most=_MOST + 1, before=before)
        doubts = tuple(numbers.in_doubt(connection))
        told = [row for row in notices.newest(connection, _NOTICES) if row.at > clock.now() - _NOTICED_WITHIN]
        names = notices.names(connection, [row.mailing_id for row in told if row.mailing_id])
    shown = tuple(found[:_MOST])
    due, fault = what_is_due(project)
    return Overview(
        glances=shown, outlooks={each.mailing.id: outlook.said(project, each.mailing, commands=False)
                                 for each in shown if each.mailing.state is not MailingState.SENT},
        doubts=doubts, due=tuple(due[:_DUE]), due_fault=fault,
        notices=tuple((row, *names.get(row.mailing_id, ("", False))) for row in told), workers=who_works(project),
        waits_for_worker=any(_waits(each.mailing) for each in shown),
        older=shown[-1].mailing.id if len(found) > _MOST else None)


def what_is_due(project: Project) -> tuple[list[Entry], str]:
    """The calendar; or why a schedule in it can no longer be read: no page must fail for it."""
    try:
        return agenda.agenda(project), ""
    except StoreError:
        raise
    except PillarboxError as fault:
        return [], fault.sentence()


def who_works(project: Project) -> Workers:
    """Whether a worker was seen lately."""
    with project.store.reading() as connection:
        here, seen = workers.present(connection), numbers.last_worker(connection)
    ago = ""
    if seen is not None:
        past = clock.now() - seen
        ago = "just now" if past < timedelta(minutes=1) else f"{asking.span(past)} ago"
    hosts = tuple(sorted({one.host for one in here if one.host}))
    return Workers(present=bool(here), seen_at=seen, ago=ago, hosts=hosts)


def _waits(mailing: Mailing) -> bool:
    return mailing.state is MailingState.SENDING or (
        mailing.state is MailingState.PLANNED and mailing.send_at is not None)
