"""What is mailed again and again, and what is due; also as a calendar file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings import agenda, moments, schedules, summary
from pillarbox.mailings.agenda import Entry
from pillarbox.mailings.rhythm import in_words
from pillarbox.people.audience import Rule
from pillarbox.staff import sessions
from pillarbox.store import schedules as table
from pillarbox.store.schedules import Schedule
from pillarbox.web.site import Site
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import go, render
from pillarbox.web.staff.guard import visitor
from pillarbox.web.staff.home import what_is_due, who_works

_NEXT = 3


class ScheduleDoors:
    """``/staff/schedules`` and ``/staff/calendar.ics``."""

    def __init__(self, site: Site) -> None:
        self._project = site.project

    async def show(self, request: Request) -> Response:
        """Every schedule, and the calendar of the next weeks."""
        standing = await run_in_threadpool(self._standing)
        due, fault = await run_in_threadpool(what_is_due, self._project)
        return render(request, "staff/schedules", standing=standing, months=_by_month(due), weeks=agenda.WEEKS,
                      due_fault=fault,
                      workers=await run_in_threadpool(who_works, self._project))

    async def calendar(self, request: Request) -> Response:  # noqa: ARG002 - Starlette hands it over
        """The calendar for a calendar program."""
        due = await run_in_threadpool(agenda.agenda, self._project)
        return Response(agenda.to_ics(due, project_id=self._project.id), media_type="text/calendar", headers={
            "Content-Disposition": 'attachment; filename="pillarbox.ics"'})

    async def ask(self, request: Request) -> Response:
        """The page that asks whether a schedule shall end. Nothing is changed."""
        return render(request, "staff/unschedule", crumbs=(("Schedules", "/staff/schedules"),),
                      each=await run_in_threadpool(self._one, request))

    async def remove(self, request: Request) -> Response:
        """End a schedule."""
        await form(request)
        one = await run_in_threadpool(self._one, request)
        actor = visitor(request)
        _, left = await run_in_threadpool(schedules.remove, self._project, str(one["schedule"].id),
                                          actor=actor.user.name)
        waiting = f" These are planned already and now wait for you: {', '.join(each.name for each in left)}." if left \
            else ""
        await run_in_threadpool(sessions.tell, self._project.store, actor,
                                f"The schedule of {one['schedule'].appeal} has ended.{waiting}")
        return go("/staff/schedules")

    def _standing(self) -> list[dict[str, Any]]:
        with self._project.store.reading() as connection:
            found = table.standing(connection)
        return [_shown(each) for each in found]

    def _one(self, request: Request) -> dict[str, Any]:
        with self._project.store.reading() as connection:
            found = [each for each in table.standing(connection) if each.id == request.path_params["number"]]
        if not found:
            raise HTTPException(404)
        return _shown(found[0])


def _shown(schedule: Schedule) -> dict[str, Any]:
    try:
        coming = [moments.in_words(occasion.due, schedule.zone) for occasion in schedules.upcoming(schedule, _NEXT)]
    except PillarboxError as fault:
        coming = [fault.sentence()]
    return {"schedule": schedule, "rule": in_words(schedule.rule), "next": coming,
            "audience": summary.words_of(Rule.from_json(schedule.audience))}


def _by_month(due: Iterable[Entry]) -> list[tuple[str, list[tuple[Entry, date, str]]]]:
    """Entries by the month in which they fall, each with its day and time of day where it is due."""
    shown = [(entry, entry.at.astimezone(ZoneInfo(entry.zone))) for entry in due]
    return [(month, [(entry, local.date(), f"{local:%H:%M}") for entry, local in found])
            for month, found in groupby(shown, key=lambda pair: f"{pair[1]:%B %Y}")]
