"""How the lists grow, and how healthy they are: who joined, left and bounced by month; consents; who is silent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Subquery, and_, case, distinct, func, select, union

from pillarbox.ground import clock
from pillarbox.model.states import Basis, Channel, MessageState, SuppressionReason
from pillarbox.reports.timeline import hour_of, read_hour
from pillarbox.store.contributions import Mark
from pillarbox.store.donations import NET
from pillarbox.store.schema import (
    consents,
    donations,
    list_members,
    lists,
    mailings,
    messages,
    responses,
    supporters,
    suppressions,
)

MONTHS = 24
YEAR = timedelta(days=365)
_BOUNCED = (SuppressionReason.BOUNCED, SuppressionReason.INVALID)


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    """A month of a list."""

    start: date
    joined: int
    left: int
    """Left the list, unsubscribed, complained, or asked to be forgotten."""
    bounced: int
    """Their address was found to take no mail any more."""
    on_it: int
    """At the month's end, or now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """How a list stands now. Whoever is on several lists counts on each."""

    id: int
    name: str
    on_it: int
    """Neither left, nor unsubscribed, nor bounced."""
    left: int
    bounced: int
    consents: Mapping[Basis, int]
    """Those on it, by the basis on which they may be mailed."""
    tracking: int
    """Those on it who agreed to open and click tracking."""
    watched: int
    """Those of them who have been on it for a year, and were mailed within it: of whom it can be told."""
    silent: int
    """Those of the watched who neither opened nor followed anything sent within the year, nor gave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """One list over time."""

    health: Health
    months: tuple[Month, ...]
    """Oldest first, without gaps, at most ``MONTHS``."""
    zone: str
    """IANA zone in which months begin."""


def health(connection: Connection) -> tuple[Health, ...]:
    """Every list as it stands now, by name."""
    standing, bases = _standing(connection), _bases(connection)
    watched = _silence(connection)
    found = []
    for id_, name in connection.execute(select(lists.c.id, lists.c.name).order_by(lists.c.name)):
        status = standing.get(id_, Counter())
        by_basis = bases.get(id_, {})
        consented = {basis: sum(n for (one, _), n in by_basis.items() if one is basis) for basis in reversed(Basis)}
        known, silent = watched.get(id_, (0, 0))
        found.append(Health(
            id=id_, name=name, on_it=status["on"], left=status["left"], bounced=status["bounced"], consents=consented,
            tracking=sum(n for (_, agreed), n in by_basis.items() if agreed), watched=known, silent=silent))
    return tuple(found)


def growth(connection: Connection, list_id: int, zone: str = "Europe/London") -> Growth | None:
    """One list, month by month; None when there is none with this id."""
    of = next((one for one in health(connection) if one.id == list_id), None)
    if of is None:
        return None
    return Growth(health=of, months=_months(connection, list_id, ZoneInfo(zone)), zone=zone)


# ------------------------------------------------------------------------------------------------ who is on a list


def _gone(reasons: Any) -> Subquery:
    """Address hash → since when it is suppressed for one of these reasons."""
    return select(suppressions.c.address_hash, func.min(suppressions.c.since, type_=suppressions.c.since.type).label(
        "since")).where(reasons).group_by(suppressions.c.address_hash).subquery()


def _members() -> Subquery:
    """list_id, supporter_id, joined_at, status (on, left, bounced), gone_at: everybody who ever was on a list."""
    own = _gone(suppressions.c.reason.not_in(_BOUNCED))
    dead = _gone(suppressions.c.reason.in_(_BOUNCED))
    m = list_members.c
    # Whoever left the list left it, whatever came after; a supporter's own word weighs more than a bounce.
    since = case((m.left_at.is_not(None), m.left_at), (own.c.since.is_not(None), own.c.since), else_=dead.c.since)
    gone_at = case((since < m.joined_at, m.joined_at), else_=since)
    status = case((m.left_at.is_not(None), "left"), (own.c.since.is_not(None), "left"),
                  (dead.c.since.is_not(None), "bounced"), else_="on")
    return (select(m.list_id, m.supporter_id, m.joined_at, status.label("status"), gone_at.label("gone_at"))
            .join_from(list_members, supporters).outerjoin(own, own.c.address_hash == supporters.c.address_hash)
            .outerjoin(dead, dead.c.address_hash == supporters.c.address_hash).subquery())


def _standing(connection: Connection) -> dict[int, Counter[str]]:
    members = _members()
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for list_id, status, n in connection.execute(
            select(members.c.list_id, members.c.status, func.count()).group_by(members.c.list_id, members.c.status)):
        found[list_id][status] = n
    return found


def _bases(connection: Connection) -> dict[int, dict[tuple[Basis, bool], int]]:
    members = _members()
    mail, tracking = consents.alias(), consents.alias()
    basis = func.coalesce(mail.c.basis, Basis.NONE.value).label("basis")
    agreed = func.coalesce(tracking.c.basis, "").label("agreed")
    found: dict[int, dict[tuple[Basis, bool], int]] = defaultdict(Counter)
    for list_id, kind, tracked, n in connection.execute(
            select(members.c.list_id, basis, agreed, func.count()).select_from(members)
            .outerjoin(mail, and_(mail.c.supporter_id == members.c.supporter_id, mail.c.channel == Channel.EMAIL))
            .outerjoin(tracking, and_(tracking.c.supporter_id == members.c.supporter_id,
                                      tracking.c.channel == Channel.TRACKING))
            .where(members.c.status == "on").group_by(members.c.list_id, basis, agreed)):
        found[list_id][Basis(kind), tracked == Basis.CONSENT] += n
    return found


def _silence(connection: Connection) -> dict[int, tuple[int, int]]:
    """List → (of whom it can be told, of those who were silent)."""
    since = clock.now() - YEAR
    members = _members()
    mailed = (select(messages.c.supporter_id).join_from(messages, mailings, messages.c.mailing_id == mailings.c.id)
              .where(messages.c.state == MessageState.ACCEPTED, messages.c.accepted_at >= since, messages.c.tracked,
                     ~mailings.c.practice).distinct().subquery())
    acted = union(
        select(messages.c.supporter_id).join_from(responses, messages, responses.c.message_id == messages.c.id)
        .where(messages.c.accepted_at >= since,
               responses.c.flags.op("&")(int(Mark.OPENED_HUMAN | Mark.CLICKED_HUMAN)) != 0),
        select(donations.c.supporter_id).where(donations.c.received_at >= since, NET > 0,
                                               donations.c.supporter_id.is_not(None))).subquery()
    agreed = select(consents.c.supporter_id).where(
        consents.c.channel == Channel.TRACKING, consents.c.basis == Basis.CONSENT).subquery()
    rows = connection.execute(
        select(members.c.list_id, func.count(distinct(members.c.supporter_id)),
               func.count(distinct(case((acted.c.supporter_id.is_(None), members.c.supporter_id)))))
        .select_from(members).join(agreed, agreed.c.supporter_id == members.c.supporter_id)
        .join(mailed, mailed.c.supporter_id == members.c.supporter_id)
        .outerjoin(acted, acted.c.supporter_id == members.c.supporter_id)
        .where(members.c.status == "on", members.c.joined_at < since).group_by(members.c.list_id))
    return {list_id: (n, silent) for list_id, n, silent in rows}


# ------------------------------------------------------------------------------------------------ month by month


def _months(connection: Connection, list_id: int, local: ZoneInfo) -> tuple[Month, ...]:
    members = _members()
    joined = _by_month(connection, local, select(
        hour_of(connection, members.c.joined_at).label("hour"), func.count().label("n"))
        .where(members.c.list_id == list_id).group_by("hour"))
    gone = {status: _by_month(connection, local, select(
        hour_of(connection, members.c.gone_at).label("hour"), func.count().label("n"))
        .where(members.c.list_id == list_id, members.c.status == status).group_by("hour"))
        for status in ("left", "bounced")}
    first = min(joined, default=None)
    if first is None:
        return ()
    made, on_it, month, last = [], 0, first, _month_of(clock.now(), local)
    while month <= last:
        on_it += joined[month] - gone["left"][month] - gone["bounced"][month]
        made.append(Month(start=month, joined=joined[month], left=gone["left"][month],
                          bounced=gone["bounced"][month], on_it=on_it))
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return tuple(made[-MONTHS:])


def _by_month(connection: Connection, local: ZoneInfo, query: Any) -> Counter[date]:
    found: Counter[date] = Counter()
    for hour, n in connection.execute(query):
        found[_month_of(read_hour(hour), local)] += n
    return found


def _month_of(moment: datetime, local: ZoneInfo) -> date:
    return moment.astimezone(local).date().replace(day=1)
