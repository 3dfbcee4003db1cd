"""What each of SendGrid's answers proves about a request's messages.

Statuses: https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors (read 2026-11).
There is no idempotency key: what may have been acted upon is unknown, and is never sent again on a guess.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

import orjson

from pillarbox.deliver.sendgrid.client import Answer
from pillarbox.deliver.words import plain

PAUSE_SECONDS = 10.0
"""Waited after a provider that could not be reached or failed."""
LIMIT_SECONDS = 60.0
"""Waited after a 429 that does not say how long."""
LONGEST_WAIT_SECONDS = 3_600.0

_PERSONALIZATION = re.compile(r"\bpersonalizations[.\[](\d+)")
# Fields that every message of a mailing shares: what is wrong there is wrong for all.
_SHARED = re.compile(r"^(from|reply_to|reply_to_list|categories|tracking_settings|mail_settings|asm|headers)\b")
_STOPS = {
    401: "SendGrid does not accept the API key.",
    403: "SendGrid forbids this account to send (the key may lack the permission mail.send, or the sender's address is "
         "not verified).",
    404: "SendGrid has no such page: the address in [sendgrid] url may be wrong.",
    405: "SendGrid does not take mail at this address: [sendgrid] url may be wrong.",
    406: "SendGrid did not understand what we accept.",
    451: "SendGrid keeps this account's data in another region: set [sendgrid] url to https://api.eu.sendgrid.com.",
}


class Meaning(Enum):
    """What to do with a request's messages."""

    ACCEPTED = auto()
    REFUSED = auto()
    """Surely unsent; some of them are at fault."""
    LATER = auto()
    """Surely unsent; nothing is wrong with them."""
    STOP = auto()
    """Surely unsent; nothing else can succeed either."""
    UNKNOWN = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """An answer, understood."""

    meaning: Meaning
    words: str = ""
    """A sentence, freed of addresses."""
    provider_id: str = ""
    named: dict[int, str] = field(default_factory=dict)
    """Number of a personalization → what is wrong with it."""
    wait_seconds: float = 0.0


def read(answer: Answer, now: datetime) -> Reading:
    """What an answer to POST /v3/mail/send means.

    Args:
        answer: status, headers and body.
        now: the present (aware), to measure X-RateLimit-Reset from.
    """
    status = answer.status
    if status == 202:
        return Reading(meaning=Meaning.ACCEPTED, provider_id=answer.headers.get("x-message-id", ""))
    errors = _errors(answer.body)
    told = " ".join(f"{words}" for _, words in errors[:3])
    words = plain(f"SendGrid answered {status}: {told}" if told else f"SendGrid answered {status}.")
    if status == 429:
        return Reading(meaning=Meaning.LATER, words=words, wait_seconds=wait_seconds(answer, now))
    if status == 408:
        return Reading(meaning=Meaning.LATER, words=words, wait_seconds=PAUSE_SECONDS)
    if 300 <= status < 400:
        return Reading(meaning=Meaning.STOP, words=f"The SendGrid address answered {status}, a redirection, which is "
                                                   "not followed: [sendgrid] url may be wrong.")
    if status in _STOPS:
        return Reading(meaning=Meaning.STOP, words=f"{_STOPS[status]} ({words})")
    if 400 <= status < 500:
        shared = [words for name, words in errors if _SHARED.match(name)]
        if shared:
            return Reading(meaning=Meaning.STOP, words=f"SendGrid refuses what every message of this mailing shares: "
                                                       f"{plain(' '.join(shared))}")
        return Reading(meaning=Meaning.REFUSED, words=words, named=_named(errors))
    return Reading(meaning=Meaning.UNKNOWN, words=words, wait_seconds=PAUSE_SECONDS)


def _errors(body: bytes) -> list[tuple[str, str]]:
    """(field, message) of each error; whatever is not of the documented form is left out."""
    try:
        given: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    found = given.get("errors") if isinstance(given, dict) else None
    return [(str(one.get("field") or ""), str(one.get("message") or ""))
            for one in (found if isinstance(found, list) else []) if isinstance(one, dict)]


def _named(errors: list[tuple[str, str]]) -> dict[int, str]:
    named: dict[int, str] = {}
    for name, words in errors:
        if found := _PERSONALIZATION.search(name) or _PERSONALIZATION.search(words):
            named.setdefault(int(found[1]), plain(words))
    return named


def wait_seconds(answer: Answer, now: datetime) -> float:
    """Seconds until a 429's limit is lifted: Retry-After (seconds or a date), else X-RateLimit-Reset (Unix seconds)."""
    seconds = LIMIT_SECONDS
    retry, reset = answer.headers.get("retry-after", ""), answer.headers.get("x-ratelimit-reset", "")
    if retry.isascii() and retry.isdigit():
        seconds = float(retry)
    elif retry:
        with suppress(ValueError, TypeError):
            seconds = (parsedate_to_datetime(retry) - now).total_seconds()
    elif reset.isascii() and reset.isdigit():
        seconds = float(reset) - now.timestamp() if len(reset) > 8 else float(reset)
    return min(max(seconds, 1.0), LONGEST_WAIT_SECONDS)


def may_send(answer: Answer) -> bool:
    """Whether an answer to GET /v3/scopes lists the permission to send mail."""
    try:
        given: Any = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return False
    scopes = given.get("scopes") if isinstance(given, dict) else None
    return isinstance(scopes, list) and "mail.send" in scopes
