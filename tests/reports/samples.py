"""Whole mailings with plausible, seeded rates: to look at reports, and to time them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, insert

from pillarbox.ground.keys import new_keys
from pillarbox.model.states import Agent, Attribution, EventKind, MessageState, Outcome
from pillarbox.store import tallies
from pillarbox.store.schema import donations, events, messages, supporters
from tests.reports.builders import LAUNCH, Builder, address_hash

_LINKS = (("https://donate.example.org/give?ref={key}", 6), ("https://donate.example.org/monthly?ref={key}", 2),
          ("https://charity.example.org/uyghur-briefing", 3), ("https://charity.example.org/share", 1))
_REASONS = (("550 5.1.1 <{address}>: user unknown", Outcome.BOUNCED), ("552 5.2.2 mailbox full", Outcome.BLOCKED),
            ("550 5.1.1 no such user here", Outcome.BOUNCED), ("Bounced Address", Outcome.DROPPED),
            ("550 5.7.1 our policy refuses this", Outcome.BLOCKED))
_DOMAINS = ("mail.example.org", "post.example.net", "letters.example.com")
_SUBJECTS = ("Freedom for the Uyghurs", "{{ supporter.first_name }}, will you write to Beijing?")
_GIFTS = (10_00, 20_00, 25_00, 25_00, 50_00, 50_00, 100_00, 250_00)


def sample_mailing(connection: Connection, count: int, *, seed: int = 7, agreed: float = 0.62,
                   name: str = "uyghur-freedom-20261123", variants: str = "", **more: Any) -> int:
    """A mailing of ``count`` messages, most of them delivered, some opened, a few of them answered with a gift.

    With ``variants`` ("ab") every second letter is of another one, and those of ``b`` are opened more often.

    Returns:
        The mailing's id.
    """
    if variants:
        more["variants"] = {label: {"subject": _SUBJECTS[number % 2], "planned": 0,
                                    "differs": ["subject", "letter"] if number else []}
                            for number, label in enumerate(variants)}
    built = Builder(connection, name=name, **more)
    chance = random.Random(seed)
    first = 1 + (connection.exec_driver_sql("SELECT max(id) FROM messages").scalar() or 0)
    people, letters, heard, gifts = [], [], [], []
    for number, key in enumerate(new_keys(count), start=first):
        address = f"{name}-{number}@example.org"
        tracked = chance.random() < agreed
        state, outcome = _fate(chance)
        people.append({"id": number, "address": address, "address_hash": address_hash(address), "fields": {},
                       "created_at": LAUNCH, "updated_at": LAUNCH})
        letters.append({"id": number, "mailing_id": built.mailing_id, "edition_id": built.edition_id,
                        "supporter_id": number, "address": address, "address_hash": address_hash(address), "key": key,
                        "shape_id": built.shape_id, "tracked": tracked, "state": state,
                        "outcome": outcome, "detail": "unsubscribed" if state is MessageState.WITHDRAWN else "",
                        "accepted_at": LAUNCH if state is MessageState.ACCEPTED else None,
                        "variant": variants[number % len(variants)] if variants else ""})
        if state is MessageState.ACCEPTED:
            read = 0.6 if letters[-1]["variant"] == "b" else 0.44
            heard += _heard(chance, built.mailing_id, number, key, tracked, outcome, read)
            if outcome is Outcome.DELIVERED and chance.random() < 0.024:
                gifts.append(_gift(chance, built.mailing_id, number, key))
    for table, rows in ((supporters, people), (messages, letters), (events, heard), (donations, gifts)):
        _insert(connection, table, rows)
    if connection.dialect.name != "sqlite":
        for table in (supporters, messages):
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {first + count})")
    tallies.remake(connection, built.mailing_id)
    return built.mailing_id


def _fate(chance: random.Random) -> tuple[MessageState, Outcome]:
    draw = chance.random()
    if draw < 0.004:
        return MessageState.WITHDRAWN, Outcome.NONE
    if draw < 0.007:
        return MessageState.IN_DOUBT, Outcome.NONE
    if draw < 0.010:
        return MessageState.FAILED, Outcome.NONE
    if draw < 0.04:
        return MessageState.ACCEPTED, chance.choice(_REASONS)[1]
    return MessageState.ACCEPTED, Outcome.NONE if draw > 0.995 else Outcome.DELIVERED


def _heard(chance: random.Random, mailing_id: int, number: int, key: str, tracked: bool,
           outcome: Outcome, reads: float) -> Iterator[dict[str, Any]]:
    arrived = timedelta(seconds=chance.expovariate(1 / 900))

    def event(kind: EventKind, after: timedelta, agent: Agent = Agent.HUMAN, url: str = "",
              reason: str = "") -> dict[str, Any]:
        mark = f"{kind[:3]}{agent[:1]}{number}"
        return {"message_id": number, "mailing_id": mailing_id, "kind": kind, "at": LAUNCH + after,
                "received_at": LAUNCH + after, "provider": "sendgrid", "provider_key": mark, "fingerprint": mark,
                "agent": agent, "url": url, "reason": reason, "domain": chance.choice(_DOMAINS)}

    if outcome is Outcome.DELIVERED:
        yield event(EventKind.DELIVERED, arrived)
    elif outcome is not Outcome.NONE:
        reason = chance.choice([words for words, fits in _REASONS if fits is outcome])
        yield event(EventKind(outcome), arrived, reason=reason.format(address="someone@example.org"))
    if outcome is not Outcome.DELIVERED:
        return
    if tracked and chance.random() < 0.3:
        yield event(EventKind.OPENED, arrived + timedelta(minutes=2), Agent.MACHINE)
    if tracked and chance.random() < reads:
        read = arrived + _later(chance)
        yield event(EventKind.OPENED, read)
        if chance.random() < 0.16:
            urls, weights = zip(*_LINKS, strict=True)
            yield event(EventKind.CLICKED, read + timedelta(minutes=3),
                        url=chance.choices(urls, weights)[0].format(key=key))
    if tracked and chance.random() < 0.03:
        yield event(EventKind.CLICKED, arrived, Agent.MACHINE, url=_LINKS[2][0])
    if chance.random() < 0.003:
        yield event(EventKind.UNSUBSCRIBED, arrived + _later(chance))
    if chance.random() < 0.0006:
        yield event(EventKind.COMPLAINED, arrived + _later(chance))


def _later(chance: random.Random) -> timedelta:
    """Most answer the same day; few after the third."""
    return timedelta(hours=min(chance.lognormvariate(1.3, 1.2), 70))


def _gift(chance: random.Random, mailing_id: int, number: int, key: str) -> dict[str, Any]:
    kind = chance.choices(list(Attribution)[:3], [7, 2, 1])[0]
    at = LAUNCH + _later(chance) + timedelta(minutes=5)
    known = kind is not Attribution.SOURCE_CODE
    return {"amount_minor": chance.choice(_GIFTS), "currency": "EUR" if chance.random() < 0.01 else "GBP",
            "received_at": at, "source": "csv", "external_id": f"gift-{key}", "method": "card", "name": "A. Supporter",
            "gift_aid": chance.random() < 0.6, "regular": chance.random() < 0.12, "mailing_id": mailing_id,
            "message_id": number if kind is Attribution.LINK_CODE else None, "supporter_id": number if known else None,
            "attribution": kind, "created_at": at}


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    source = iter(rows)
    while part := list(islice(source, 5_000)):
        connection.execute(insert(table), part)
