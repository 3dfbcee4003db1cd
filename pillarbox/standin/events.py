"""SendGrid's event JSON for what supporters and their mail programs did."""

from __future__ import annotations

import hashlib
import random
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pillarbox.standin.mailbox import Kept
from pillarbox.standin.reactions import Fate, Rates, Reaction, links, reactions
from pillarbox.standin.suppressions import Suppressions

Event = dict[str, Any]

# Addresses for documentation: RFC 5737.
_SENDING_IP = "192.0.2.10"
_APPLE = "Mozilla/5.0"
_GOOGLE = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
_SCANNER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/41.0 Safari/537.36"
_PEOPLE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Thunderbird/145.0",
)
_HARD = (("550 5.1.1 The email account that you tried to reach does not exist.", "5.1.1", "Invalid Address"),
         ("550 5.4.1 Recipient address rejected: Access denied.", "5.4.1", "Invalid Address"),
         ("552 5.2.2 The mailbox is over quota and inactive.", "5.2.2", "Mailbox Unavailable"))
_BLOCKED = (("550 5.7.1 Message rejected by the receiving server's policy.", "5.7.1", "Reputation"),
            ("421 4.7.0 Temporarily limited because of unusual traffic.", "4.7.0", "Frequency or Volume Too High"))


def events(messages: Iterable[Kept], *, seed: int, rates: Rates | None = None, sent: datetime | None = None,
           days: int = 7, suppressions: Suppressions | None = None, until: datetime | None = None) -> list[Event]:
    """All events of some messages, as SendGrid would post them: some twice, in no order.

    The arguments are those of ``reactions.reactions``; ``until`` leaves out what happens later (aware). Where
    ``suppressions`` is given, bounces, complaints and unsubscribes are added to it.
    """
    told = reactions(messages, seed=seed, rates=rates, sent=sent, days=days, suppressions=suppressions)
    return events_of(told, seed=seed, rates=rates, suppressions=suppressions, until=until)


def events_of(told: Iterable[Reaction], *, seed: int, rates: Rates | None = None,
              suppressions: Suppressions | None = None, until: datetime | None = None) -> list[Event]:
    """The events of reactions already drawn, so that events and donations can tell one story."""
    chosen = rates or Rates()
    found = [event for one in told for event in _of(one, seed, chosen)]
    if until is not None:
        found = [event for event in found if event["timestamp"] <= until.timestamp()]
    if suppressions is not None:
        suppressions.learn(sorted(found, key=lambda event: event["timestamp"]))
    dice = random.Random(f"{seed}|post")
    found += [dict(event) for event in found if dice.random() < chosen.repeated]
    dice.shuffle(found)
    return found


def _of(told: Reaction, seed: int, rates: Rates) -> Iterator[Event]:
    message = told.message
    dice = random.Random(f"{seed}|{message.address.lower()}|{'|'.join(message.categories)}|events")
    if told.fate is Fate.DROPPED:
        yield _event(told, "dropped", told.settled_at, reason=told.drop_reason, status="5.0.0")
        return
    yield _event(told, "processed", told.processed_at, send_at=0)
    for attempt, at in enumerate(told.deferrals, start=1):
        yield _event(told, "deferred", at, response="451 4.7.1 Greylisted, please try again later",
                     attempt=str(attempt), tls=1)
    if told.fate is Fate.DELIVERED:
        yield _event(told, "delivered", told.settled_at, response="250 2.0.0 OK", ip=_SENDING_IP, tls=1)
        yield from _tracked(told, dice)
        return
    blocked = told.fate is Fate.BLOCKED
    reason, status, kind = dice.choice(_BLOCKED if blocked else _HARD)
    late = not blocked and dice.random() < rates.without_arguments
    yield _event(told, "bounce", told.settled_at, reason=reason, status=status, bounce_classification=kind,
                    type="blocked" if blocked else "bounce", ip=_SENDING_IP, tls=1, bare=late)


def _tracked(told: Reaction, dice: random.Random) -> Iterator[Event]:
    message, mine = told.message, dice.choice(_PEOPLE)
    home = f"198.51.100.{dice.randrange(1, 255)}"
    if message.open_tracking and message.html:
        if told.apple_at:
            yield _event(told, "open", told.apple_at, useragent=_APPLE, ip=f"203.0.113.{dice.randrange(1, 255)}",
                         sg_machine_open=True, sg_content_type="html")
        agent, place = (_GOOGLE, "203.0.113.7") if told.by_google_proxy else (mine, home)
        for at in told.opened_at:
            yield _event(told, "open", at, useragent=agent, ip=place, sg_machine_open=False, sg_content_type="html")
    if message.click_tracking:
        for number, url in enumerate(links(message) if told.scanned_at else []):
            assert told.scanned_at is not None
            yield _event(told, "click", told.scanned_at, url=url, useragent=_SCANNER, ip="203.0.113.99",
                         url_offset={"index": number, "type": "html"}, sg_content_type="html")
        for at, url in told.clicks:
            yield _event(told, "click", at, url=url, useragent=mine, ip=home, url_offset={"index": 0, "type": "html"},
                         sg_content_type="html")
    if told.complained_at:
        yield _event(told, "spamreport", told.complained_at)
    # Without either setting people leave by the letter's own link or List-Unsubscribe: see ``leavers``.
    if told.left_at and message.asm_group_id is not None:
        yield _event(told, "group_unsubscribe", told.left_at, useragent=mine, ip=home, url="https://stand-in.invalid/",
                     asm_group_id=message.asm_group_id)
    elif told.left_at and message.subscription_tracking:
        yield _event(told, "unsubscribe", told.left_at)


def leavers(told: Iterable[Reaction]) -> list[tuple[datetime, str]]:
    """When, and at which URL, people leave by one click (RFC 8058) whom SendGrid does not hear of, in time's order.

    A mail program would post ``List-Unsubscribe=One-Click`` there.
    """
    found = []
    for one in told:
        headers = {name.lower(): value for name, value in one.message.headers.items()}
        posted = headers.get("list-unsubscribe-post", "").strip() == "List-Unsubscribe=One-Click"
        urls = [part.strip(" <>") for part in headers.get("list-unsubscribe", "").split(",")]
        url = next((url for url in urls if url.startswith(("http://", "https://"))), "")
        if one.left_at and posted and url and not one.message.subscription_tracking:
            found.append((one.left_at, url))
    return sorted(found)


def _event(told: Reaction, kind: str, at: datetime, *, bare: bool = False, **more: Any) -> Event:
    message = told.message
    seconds = int(at.timestamp())
    identity = f"{kind}|{message.sg_message_id}|{seconds}|{more.get('url', '')}|{more.get('useragent', '')}"
    event: Event = {
        "email": message.address, "timestamp": seconds, "smtp-id": f"<{message.request_id}@geopod-ismtpd-standin>",
        "event": kind, "sg_message_id": message.sg_message_id,
        "sg_event_id": urlsafe_b64encode(hashlib.sha256(identity.encode()).digest()[:24]).decode(), **more,
    }
    if message.categories:
        event["category"] = list(message.categories)
    # Custom arguments lie at the top level, beside SendGrid's own names, and never over them.
    return event if bare else {**message.custom_args, **event}
