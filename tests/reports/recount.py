"""The slow way: a mailing's figures counted from its events by grouped SQL: what the kept numbers must equal."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, String, and_, case, cast, distinct, func, or_, select

from pillarbox.model.causes import cause_of, weight
from pillarbox.model.states import Agent, EventKind, Outcome
from pillarbox.store.contributions import Facet, Mark, folded
from pillarbox.store.schema import events, messages

_HEARD = (EventKind.OPENED, EventKind.CLICKED, EventKind.UNSUBSCRIBED, EventKind.COMPLAINED)
_MARKS = (Mark.OPENED, Mark.OPENED_HUMAN, Mark.CLICKED, Mark.CLICKED_HUMAN, Mark.UNSUBSCRIBED, Mark.COMPLAINED)


def slowly(connection: Connection, mailing_id: int) -> dict[tuple[str, str], int]:
    """(facet, key) → how many; what is 0 is left out."""
    found: Counter[tuple[str, str]] = Counter()
    for tracked, variant, delivered, *marks, n in connection.execute(_responses(mailing_id)):
        key = sum(int(mark) for mark, yes in zip(_MARKS, marks, strict=True) if yes)
        marked = str(key + 64 * bool(tracked) + 128 * bool(delivered))
        found[Facet.RESPONSES, marked] += n
        if variant:
            found[Facet.VARIANT, f"{variant} {marked}"] += n
    for kind, human, hour, n in connection.execute(_by_hour(connection, mailing_id)):
        facet = {EventKind.DELIVERED: Facet.DELIVERED, EventKind.CLICKED: Facet.CLICKED_HUMAN}.get(
            kind, Facet.OPENED_HUMAN if human else Facet.OPENED_MACHINE)
        found[facet, hour] += n
    for device, kind, n in connection.execute(_devices(mailing_id)):
        found[Facet.OPENED_ON if kind == EventKind.OPENED else Facet.CLICKED_ON, device] += n
    found.update(_links(connection, mailing_id))
    found.update(_returned(connection, mailing_id))
    return {key: n for key, n in found.items() if n}


def _responses(mailing_id: int) -> Any:
    def ever(condition: Any) -> Any:
        return func.max(case((condition, 1), else_=0))

    human = events.c.agent == Agent.HUMAN
    by_message = select(
        events.c.message_id,
        ever(events.c.kind == EventKind.OPENED).label("opened"),
        ever(and_(events.c.kind == EventKind.OPENED, human)).label("opened_human"),
        ever(events.c.kind == EventKind.CLICKED).label("clicked"),
        ever(and_(events.c.kind == EventKind.CLICKED, human)).label("clicked_human"),
        ever(events.c.kind == EventKind.UNSUBSCRIBED).label("unsubscribed"),
        ever(events.c.kind == EventKind.COMPLAINED).label("complained"),
    ).where(events.c.mailing_id == mailing_id, events.c.kind.in_(_HEARD), events.c.message_id.is_not(None)).group_by(
        events.c.message_id).subquery()
    delivered = case((messages.c.outcome == Outcome.DELIVERED, 1), else_=0).label("delivered")
    seen = [column for column in by_message.c if column.name != "message_id"]
    kinds = (messages.c.tracked, messages.c.variant, delivered, *seen)
    return select(*kinds, func.count()).join_from(
        by_message, messages, messages.c.id == by_message.c.message_id).group_by(*kinds)


def _by_hour(connection: Connection, mailing_id: int) -> Any:
    human = func.min(case((events.c.agent == Agent.HUMAN, events.c.at)))
    first = select(
        events.c.message_id, events.c.kind, case((human.is_not(None), 1), else_=0).label("human"),
        func.coalesce(human, func.min(events.c.at)).label("at"),
    ).where(events.c.mailing_id == mailing_id, events.c.message_id.is_not(None),
            events.c.kind.in_([EventKind.DELIVERED, EventKind.OPENED, EventKind.CLICKED]),
            ).group_by(events.c.message_id, events.c.kind).subquery()
    hour: Any = (func.substr(cast(first.c.at, String), 1, 13) if connection.dialect.name == "sqlite"
                 else func.to_char(func.timezone("UTC", first.c.at), "YYYY-MM-DD HH24"))
    return select(first.c.kind, first.c.human, hour, func.count()).join_from(
        first, messages, messages.c.id == first.c.message_id).where(or_(
            and_(first.c.kind == EventKind.DELIVERED, messages.c.outcome == Outcome.DELIVERED),
            and_(first.c.kind == EventKind.OPENED, messages.c.tracked),
            and_(first.c.kind == EventKind.CLICKED, messages.c.tracked, first.c.human == 1),
        )).group_by(first.c.kind, first.c.human, hour)


def _devices(mailing_id: int) -> Any:
    device = case((events.c.device.in_(("phone", "tablet", "desktop")), events.c.device), else_="unknown")
    return select(device, events.c.kind, func.count(distinct(events.c.message_id))).join_from(
        events, messages, messages.c.id == events.c.message_id).where(
        events.c.mailing_id == mailing_id, events.c.kind.in_((EventKind.OPENED, EventKind.CLICKED)),
        events.c.agent == Agent.HUMAN, messages.c.tracked).group_by(device, events.c.kind)


def _returned(connection: Connection, mailing_id: int) -> Counter[tuple[str, str]]:
    told: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for message_id, outcome, reason, domain in connection.execute(
            select(messages.c.id, messages.c.outcome, events.c.reason, events.c.domain).join_from(
                messages, events, (events.c.message_id == messages.c.id) & (events.c.kind == messages.c.outcome)).where(
                messages.c.mailing_id == mailing_id, messages.c.outcome.in_(("bounced", "blocked", "dropped")))):
        told.setdefault((message_id, outcome), []).append((cause_of(reason), domain))
    found: Counter[tuple[str, str]] = Counter()
    for (_, outcome), own in told.items():
        causes = sorted((cause for cause, _ in own), key=weight)
        domains = sorted(domain for _, domain in own if domain) or [""]
        found[Facet.RETURNED, f"{outcome} {causes[0]}"] += 1
        found[Facet.RETURNED_FROM, domains[0]] += 1
    return found


def _links(connection: Connection, mailing_id: int) -> Counter[tuple[str, str]]:
    clicks: dict[tuple[int, str], Counter[str]] = {}
    for message_id, url, agent in connection.execute(select(events.c.message_id, events.c.url, events.c.agent).join(
            messages, messages.c.id == events.c.message_id).where(
            events.c.mailing_id == mailing_id, events.c.kind == EventKind.CLICKED, messages.c.tracked)):
        clicks.setdefault((message_id, folded(url)), Counter())[agent] += 1
    found: Counter[tuple[str, str]] = Counter()
    for (_, link), by in clicks.items():
        found[Facet.LINK_HUMAN if by[Agent.HUMAN] else Facet.LINK_SCANNER, link] += 1
        found[Facet.CLICKS_HUMAN, link] += by[Agent.HUMAN]
        found[Facet.CLICKS_SCANNER, link] += by[Agent.MACHINE]
    return found
