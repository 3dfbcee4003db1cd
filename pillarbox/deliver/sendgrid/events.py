"""SendGrid's event webhook: its words turned into ours.

Fields and reasons: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and the webhook
description (twilio/sendgrid-oai, ``tsg_webhooks_v3.json``), both read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from pillarbox.deliver.sendgrid.payload import CUSTOM_ARGUMENT
from pillarbox.deliver.words import plain
from pillarbox.ground.address import normalise
from pillarbox.ground.errors import Refused
from pillarbox.ground.keys import dated_digest
from pillarbox.model.records import Event
from pillarbox.model.states import Agent, EventKind

PROVIDER = "sendgrid"

KINDS: Mapping[str, EventKind] = {
    "processed": EventKind.PROCESSED,
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DEFERRED,
    "bounce": EventKind.BOUNCED,
    "dropped": EventKind.DROPPED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
}
BLOCKED = "blocked"
"""A bounce's ``type`` when the message, not the address, was turned away."""
DROPS: Mapping[str, bool] = {
    "bounced address": True,
    "unsubscribed address": True,
    "spam reporting address": True,
    "invalid": True,
    "invalid smtpapi header": False,
    "spam content": False,
    "recipient list over package quota": False,
}
"""A drop's documented reason → whether it is about the address, which then gets nothing more. Others are not."""
PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|YahooCacheSystem|^Mozilla/5\.0$")
"""Mail programs that fetch pictures on their own: Gmail's and Yahoo's proxies name themselves, Apple's Mail Privacy
Protection sends the bare ``Mozilla/5.0`` (SendGrid's page on Apple Mail Privacy Protection; wordtothewise.com/2021/09/
apple-mpp; both read 2026-11)."""

_OURS = re.compile(r"([A-Za-z0-9_-]{1,32})\.(\d{1,18})\.(\d{1,18})")
_FILTER = re.compile(r"\.(?:filter|recvd)", re.IGNORECASE)
_LONGEST = 255
"""Characters of a request's id, which has 22: PostgreSQL's indexes take no more than 2,704 bytes."""
_READ = 500
"""Characters of a program's name for itself that are looked at: whoever opens a letter may write what they like there,
and thousands of them are remembered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """A post, understood."""

    events: tuple[Event, ...]
    ignored: Mapping[str, int]
    """Event words that mean nothing here → how often they came."""
    foreign: int
    """Events of other installations of Pillarbox on the same account, left out."""
    faults: tuple[str, ...]
    """A sentence for each item that is no event; the others are good."""


def parse(raw: bytes, *, project: str) -> list[Event]:
    """The events of a post or file, all of which must be sound.

    Args:
        raw: a JSON array of SendGrid's events.
        project: our public id; events that carry another's are left out.

    Raises:
        Refused: no JSON array, or items that are no events; says which.
    """
    found = read(raw, project=project)
    if found.faults:
        more = f" And {len(found.faults) - 3} more." if len(found.faults) > 3 else ""
        raise Refused(" ".join(found.faults[:3]) + more, todo="Nothing was taken in.")
    return list(found.events)


def read(raw: bytes, *, project: str) -> Parsed:
    """The events of a post or file, with what was left out and why.

    Raises:
        Refused: the whole is no JSON array.
    """
    try:
        items = _items(raw)
    except (ValueError, RecursionError):
        raise Refused("These are not SendGrid's events: the text is not JSON.") from None
    if not isinstance(items, list):
        raise Refused("These are not SendGrid's events: a JSON array was expected.")
    events: list[Event] = []
    faults: list[str] = []
    ignored: Counter[str] = Counter()
    foreign = 0
    for number, item in enumerate(items, start=1):
        if usual := _usual(item, project):
            events.append(usual)
            continue
        word = item.get("event") if isinstance(item, dict) else None
        if not isinstance(word, str):
            faults.append(f"Item {number} has no event.")
            continue
        if word not in KINDS:
            ignored[plain(word)] += 1
            continue
        ours = _OURS.fullmatch(_argument(item))
        if ours and ours[1] != project:
            foreign += 1
            continue
        try:
            events.append(_event(item, word, ours))
        except ValueError as fault:
            faults.append(f"Item {number} ({word}): {fault}.")
    return Parsed(events=tuple(events), ignored=dict(ignored), foreign=foreign, faults=tuple(faults))


def _items(raw: bytes) -> Any:
    """The post as values.

    Half a character, or a byte that is no UTF-8, in what a mail program calls itself becomes U+FFFD: it must not cost
    the other events of the post, which would come again for a day and never be taken in.

    Raises:
        ValueError: no JSON.
        RecursionError: nested beyond all events.
    """
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(raw)
    lenient = json.dumps(json.loads(raw.decode("utf-8", "replace")), ensure_ascii=False)
    return orjson.loads(lenient.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _argument(item: dict[str, Any]) -> str:
    """Our custom argument: SendGrid puts them among the event's own fields; its settings can nest them."""
    if isinstance(plainly := item.get(CUSTOM_ARGUMENT), str):
        return plainly
    for holder in (item.get("unique_args"), item.get("custom_args")):
        if isinstance(holder, dict) and isinstance(found := holder.get(CUSTOM_ARGUMENT), str):
            return found
    return ""


_USUAL = {word: kind for word, kind in KINDS.items() if kind not in (EventKind.BOUNCED, EventKind.DROPPED)}
"""The words whose kind depends on nothing else, and that suppress nothing."""
_HUMAN, _MACHINE = Agent.HUMAN, Agent.MACHINE  # Python 3.11 takes as long to look a member up as for a call


def _usual(item: Any, project: str) -> Event | None:
    """What the careful reading would give, in half the time, of an item that has nothing odd about it; else None.

    Nearly all are such. No field is asked what it is: what is missing or of another type fails where it is used, and
    the careful reading has the words for it.
    """
    try:
        word, email, second, provider_id = item["event"], item["email"], item["timestamp"], item["sg_message_id"]
        event_id, kind, ours = item["sg_event_id"], _USUAL[word], _OURS.fullmatch(item[CUSTOM_ARGUMENT])
        get = item.get
        url, user_agent, reason, response = get("url", ""), get("useragent", ""), get("reason", ""), get("response", "")
        whole = "".join((email, provider_id, event_id, url, user_agent, reason, response))  # takes nothing but texts
        user_agent = user_agent[:_READ]
        if "\0" in whole or type(second) is not int or ours is None:  # True is an int, and no time
            return None
        at, raw = _second(second), orjson.dumps(item).decode()
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    owner, message_id, attempt_id = ours.groups()
    if owner != project:
        return None
    reason = reason or response
    # By place: by name it takes twice as long.
    return Event(
        kind, at, PROVIDER, event_id, dated_digest(second, word, provider_id, email, url), int(message_id),
        int(attempt_id), request_id(provider_id), _address(email), _agent(item, user_agent), url,
        _plain(reason) if reason else "", False, user_agent, raw)


_TEXTS = ("email", "url", "sg_message_id", "useragent", "reason", "sg_event_id")


def _event(item: dict[str, Any], word: str, ours: re.Match[str] | None) -> Event:
    """The careful reading. Raises ValueError with what is wrong."""
    email, url, provider_id, user_agent, reason, event_id = [
        _text(item, name) if name in item else "" for name in _TEXTS]
    user_agent, reason = user_agent[:_READ], reason or _text(item, "response")
    at = _moment(item.get("timestamp"))
    kind = KINDS[word]
    if kind is EventKind.BOUNCED and _text(item, "type") == BLOCKED:
        kind = EventKind.BLOCKED
    return Event(
        kind=kind, at=at, provider=PROVIDER, provider_event_id=event_id,
        fingerprint=dated_digest(int(at.timestamp()), word, provider_id, email, url),
        message_id=int(ours[2]) if ours else None, attempt_id=int(ours[3]) if ours else None,
        provider_id=request_id(provider_id), address=_address(email), agent=_agent(item, user_agent), url=url,
        reason=_plain(reason) if reason else "", suppresses=_suppresses(kind, reason), user_agent=user_agent,
        raw=_raw(item))


def _raw(item: dict[str, Any]) -> str:
    try:
        return orjson.dumps(item).decode()
    except orjson.JSONEncodeError:
        raise ValueError("nested beyond all events") from None


# Servers say the same of thousands of letters, and so do the few programs that fetch pictures.
_plain = lru_cache(maxsize=1024)(plain)


def request_id(sg_message_id: str) -> str:
    """What X-Message-Id said when the message was accepted: the first part of ``sg_message_id``."""
    first, _, rest = sg_message_id.partition(".")
    return (first if rest.startswith(("recvd", "filter")) else _FILTER.split(sg_message_id, maxsplit=1)[0])[:_LONGEST]


def _suppresses(kind: EventKind, reason: str) -> bool:
    if kind is EventKind.BOUNCED:
        return True
    # "Spam Content (if spam checker app enabled)" and the like: what stands in brackets is a remark.
    return kind is EventKind.DROPPED and DROPS.get(reason.partition("(")[0].strip().lower(), False)


def _agent(item: dict[str, Any], user_agent: str) -> Agent:
    machine = item.get("sg_machine_open") is True or (user_agent and _is_proxy(user_agent))
    return _MACHINE if machine else _HUMAN


@lru_cache(maxsize=4096)
def _is_proxy(user_agent: str) -> bool:
    return PROXIES.search(user_agent) is not None


def _text(item: dict[str, Any], name: str) -> str:
    found = item.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ValueError(f"{name} is not text")
    # PostgreSQL keeps no NUL in a text; ``raw`` keeps it, escaped.
    return found.replace("\0", "") if "\0" in found else found


def _moment(given: object) -> datetime:
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("timestamp is missing or no Unix time")
    try:
        return _second(given)
    except (OverflowError, OSError, ValueError):
        raise ValueError("timestamp is no Unix time") from None


@lru_cache(maxsize=8192)
def _second(given: float) -> datetime:
    # Before 1970 nobody was mailed, and near the year 1 there is no "ten seconds before", which the rule for scanners
    # asks for: one such event would cost its post for ever.
    if given < 0:
        raise ValueError("a time before all mail")
    return datetime.fromtimestamp(given, UTC)


# What ``normalise`` gives of such an address, good or bad, is its small letters: no accents, quotes, or encoded domain.
_SIMPLE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+", re.ASCII)


def _address(email: str) -> str:
    if _SIMPLE.fullmatch(email) and "xn--" not in (small := email.lower()):
        return small
    try:
        return normalise(email) if email else ""
    except ValueError:
        return email.strip().lower()
