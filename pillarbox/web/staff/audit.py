"""The audit log, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.mailings import moments
from pillarbox.store import audit
from pillarbox.store.connect import Store
from pillarbox.web.staff.frame import render, site_of

_MOST = 60
WORDS = {
    "approve": "approved it", "approval-withdrawn": "took the approval back",
    "approval-kept": "kept an approval of the plan before",
    "send": "let it start", "send-now": "asked to send it now",
    "send-at": "asked to send it at a time", "hold": "handed it to SendGrid, to keep until its time",
    "pause": "held it back", "resume": "let it go on", "cancel": "cancelled it", "plan": "planned it",
    "plan-stands": "let it stand: the plan that was to replace it came to nothing",
    "schedule": "scheduled it", "unschedule": "ended its schedule", "adopt": "adopted the database",
    "backup": "backed it up", "restore": "restored it", "reconcile": "settled what was in doubt",
    "login": "logged in", "logout": "logged out", "logout-everywhere": "logged out everywhere",
    "user-add": "added a user", "user-role": "changed a user’s role", "user-password": "set a user’s password",
    "user-disable": "disabled a user", "user-enable": "enabled a user", "refused": "was refused",
    "export": "took a table away", "token-add": "made a token for the API",
    "token-revoke": "revoked a token of the API",
    "lists import": "imported a list", "supporters forget": "forgot a supporter", "publish": "published the letter",
    "withdraw": "took the letter off the website", "donations-recorded": "recorded donations",
}
"""What an action is called on screen; others are read as they stand."""
_PLAIN = {"count": "messages", "planned": "messages planned", "needs": "needs the role"}
_HIDDEN = ("content_hash", "path", "accepted")


async def show(request: Request) -> Response:
    """A page of the log; ``?before=`` turns to older lines, ``?who=`` and ``?what=`` narrow it."""
    asked = request.query_params
    given = asked.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None
    who, what = asked.get("who", "")[:200].replace("\0", ""), asked.get("what", "").strip()[:200].replace("\0", "")
    rows, actors = await run_in_threadpool(_look, site_of(request).store, before, who, what)
    zone = site_of(request).settings.project.zone
    return render(request, "staff/audit", rows=[(row, WORDS.get(row.action, row.action.replace("-", " ")),
                                                 _details(row.detail, zone)) for row in rows[:_MOST]],
                  actors=actors, who=who, what=what, first=before is None,
                  older=rows[_MOST - 1].id if len(rows) > _MOST else None)


def _look(store: Store, before: int | None, who: str, what: str) -> tuple[list[Row[Any]], list[str]]:
    with store.reading() as connection:
        return (audit.page(connection, most=_MOST + 1, before=before, actor=who, subject=what),
                audit.actors(connection))


def _details(detail: Mapping[str, Any], zone: str) -> str:
    """What a line says beside the deed, in one line."""
    parts = []
    for name, value in detail.items():
        if name in _HIDDEN or value in ("", None, 0, [], {}):
            continue
        parts.append(f"{_PLAIN.get(name, name.replace('_', ' '))}: {_said(value, zone)}")
    return "; ".join(parts)


def _said(value: Any, zone: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return moments.in_words(moment, zone) if moment.tzinfo else value
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(each, zone)}" for name, each in value.items())
    return ", ".join(_said(each, zone) for each in value) if isinstance(value, list) else str(value)
