"""Logging in: slow for who guesses, and the same in words and in time whether or not the name is known."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from sqlalchemy import Connection

from pillarbox.ground import clock, logs
from pillarbox.staff import passwords, sessions, users
from pillarbox.store import audit, staff, throttles
from pillarbox.store.project import Project
from pillarbox.store.staff import User

log = logs.get("staff")

_PREFIX = "login:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """So many tries at once, and one more each so many seconds (GCRA, as a mailing's limits are)."""

    burst: int
    seconds: float


BY_NAME = Limit(burst=10, seconds=60.0)
"""For one name, known or not, from anywhere: 10 tries, then one a minute, some 500,000 a year."""
BY_PLACE = Limit(burst=20, seconds=30.0)
"""For one network address, whatever the names: an office has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of a try. Neither is set: name and password do not belong together."""

    token: str = ""
    """They are in, with this."""
    wait_seconds: float = 0.0
    """Too many tries: so long."""


def attempt(project: Project, *, name: str, password: str, place: str, agent: str, shown: str = "") -> Answer:
    """Try to log in.

    Args:
        place: the network address that it comes from; only a keyed hash of it is kept, until its limit is paid.
        agent: the browser's User-Agent.
        shown: the session token that the browser brought along; its session ends when they get in.

    Raises:
        Refused: too many others are at it at this moment.
    """
    folded = users.folded(name)
    limits = _limits(project, folded, place)
    with project.store.writing() as connection:
        if wait := _pay(connection, limits):
            log.warning("login.limited", wait_seconds=round(wait))
            return Answer(wait_seconds=wait)
    with project.store.reading() as connection:
        user = staff.user(connection, folded)
        kept = staff.password_hash(connection, user.id) if user else None
    # The comparison comes before the look at whether they may: it takes its time for everybody.
    if not passwords.agrees(kept, password) or user is None or kept is None or user.disabled_at:
        log.warning("login.refused")
        return Answer()
    again = passwords.hashed(password) if passwords.is_outdated(kept) else None
    with project.store.writing() as connection:
        token = _enter(connection, project, user, agent=agent, shown=shown, again=again)
        _give_back(connection, limits)
    log.info("login.done")
    return Answer(token=token)


def pay_for_name(project: Project, name: str) -> float:
    """Take one try of a name's own limit, wherever a password is asked for; returns how long to wait, or 0."""
    limits = {key: limit for key, limit in _limits(project, users.folded(name), "").items() if limit is BY_NAME}
    with project.store.writing() as connection:
        return _pay(connection, limits)


def _enter(connection: Connection, project: Project, user: User, *, agent: str, shown: str, again: str | None) -> str:
    staff.change_user(connection, user.id, seen_at=clock.now(), **({"password_hash": again} if again else {}))
    audit.record(connection, actor=user.name, action="login", subject=user.name)
    return sessions.begin(connection, project.settings, user, agent=agent, ended=shown)


def _limits(project: Project, folded: str, place: str) -> dict[str, Limit]:
    return {f"{_PREFIX}name:{sessions.keyed(project.settings, 'login name', folded)[:32]}": BY_NAME,
            f"{_PREFIX}place:{sessions.keyed(project.settings, 'login place', network(place))[:32]}": BY_PLACE}


def network(place: str) -> str:
    """An address as a limit sees it: of IPv6 the first 64 bits, which one household or office has to itself."""
    try:
        found = ipaddress.ip_address(place)
    except ValueError:
        return place
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _pay(connection: Connection, limits: dict[str, Limit]) -> float:
    """Take one try of each limit; returns for how long nobody may, having taken none, or 0."""
    throttles.sweep(connection, _PREFIX)
    held, now = throttles.hold(connection, list(limits)), throttles.now(connection)
    until = {name: min(max(held[name], now), now + limit.burst * limit.seconds) + limit.seconds
             for name, limit in limits.items()}
    if wait := max((0.0, *(until[name] - now - limit.burst * limit.seconds for name, limit in limits.items()))):
        return wait
    throttles.pay(connection, until)
    return 0.0


def _give_back(connection: Connection, limits: dict[str, Limit]) -> None:
    """Whoever got in did not guess: that try does not count."""
    held = throttles.hold(connection, list(limits))
    throttles.pay(connection, {name: max(0.0, held[name] - limit.seconds) for name, limit in limits.items()})
