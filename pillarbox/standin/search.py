"""The account's message search (Email Activity Feed): GET /v3/messages and /v3/messages/{msg_id}.

An add-on of the account: without it both answer 403. Forms of the answers and the 400 for an unknown field:
twilio/sendgrid-oai, ``tsg_email_activity_v3.yaml``; questions and operators: "Getting Started with the Email Activity
Feed API"; both read 2026-11. Of the question's language this knows ``=`` and LIKE on a few fields, joined by AND; what
it does not know it refuses.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from pillarbox.standin.mailbox import Kept

MOST = 1_000
_TERM = re.compile(r"""(msg_id|to_email|from_email|status|unique_args\['([^']+)'\])"""
                   r"""\s*(=|\s(?i:LIKE)\s)\s*(["'])((?:(?!\4).)*)\4""")
_AND = re.compile(r"\s+AND\s+")


class Limit:
    """So many questions in so many seconds; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: deque[float] = deque()

    def wait(self, most: int, seconds: float) -> float:
        """0 when the question is taken, else the time (Unix seconds) at which the next one is."""
        now = time.time()
        with self._lock:
            while self._asked and self._asked[0] <= now - seconds:
                self._asked.popleft()
            if len(self._asked) >= most:
                return self._asked[0] + seconds
            self._asked.append(now)
        return 0.0


def answer(messages: Iterable[Kept], query: Mapping[str, str]) -> tuple[int, Any]:
    """The answer to GET /v3/messages: newest first."""
    limit = query.get("limit", "10")
    if not limit.isdigit() or not 1 <= int(limit) <= MOST:
        return 400, _errors("limit must be greater than 0 and less than or equal to 1000")
    if not query.get("query"):
        return 400, _errors("query is required")
    try:
        terms = [_term(text) for text in _AND.split(query["query"].strip())]
    except ValueError as fault:
        return 400, _errors(str(fault))
    found = [one for one in messages if all(pattern.fullmatch(_value(one, field)) for field, pattern in terms)]
    return 200, {"messages": [_short(one) for one in reversed(found)][: int(limit)]}


def single(messages: Iterable[Kept], msg_id: str) -> tuple[int, Any]:
    """The answer to GET /v3/messages/{msg_id}."""
    for one in messages:
        if one.sg_message_id == msg_id:
            return 200, {
                **{name: value for name, value in _short(one).items() if name not in ("opens_count", "clicks_count",
                                                                                      "last_event_time")},
                "template_id": "", "asm_group_id": one.asm_group_id or 0, "teammate": "", "api_key_id": "standin",
                "events": [{"event_name": "processed", "processed": _time(one.accepted_at)}],
                "originating_ip": "192.0.2.20", "categories": list(one.categories),
                "unique_args": orjson.dumps(dict(one.custom_args)).decode(), "outbound_ip": "192.0.2.10",
                "outbound_ip_type": "dedicated"}
    return 404, _errors("not found")


def _term(text: str) -> tuple[str, re.Pattern[str]]:
    """A field and what its value must look like.

    Raises:
        ValueError: not of a form that is known here.
    """
    found = _TERM.fullmatch(text.strip().strip("()"))
    if found is None:
        raise ValueError(f"invalid syntax: '{text[:80]}'")
    field, argument, operator, _, value = found.groups()
    pattern = re.escape(value)
    if operator.strip().upper() == "LIKE":
        pattern = pattern.replace("%", ".*").replace("_", ".")
    return f"unique_args.{argument}" if argument else field, re.compile(pattern, re.DOTALL)


def _value(one: Kept, field: str) -> str:
    if field.startswith("unique_args."):
        return one.custom_args.get(field.partition(".")[2], "")
    return str(_short(one)[field])


def _short(one: Kept) -> dict[str, Any]:
    return {"from_email": one.from_email, "msg_id": one.sg_message_id, "subject": one.subject, "to_email": one.address,
            "status": "processed", "opens_count": 0, "clicks_count": 0, "last_event_time": _time(one.accepted_at)}


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _errors(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message}]}
