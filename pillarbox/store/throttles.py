"""The throttles and quotas tables: what limits have been used, over all workers and hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from pillarbox.ground import clock
from pillarbox.store.schema import quotas, throttles
from pillarbox.store.upsert import insert_for


def now(connection: Connection) -> float:
    """The database's clock, in epoch seconds: workers on several hosts must not each go by their own.

    SQLite has none of its own, and all its users are on one machine: theirs serves.
    """
    if connection.dialect.name == "postgresql":  # not now(), which stands still within a transaction
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
    return clock.now().timestamp()


def hold(connection: Connection, names: Sequence[str]) -> dict[str, float]:
    """Lock limits until the transaction ends, always in the order of their names; name → paid until.

    A limit that was never used is paid for since ever.
    """
    query = (select(throttles.c.name, throttles.c.paid_until).where(throttles.c.name.in_(names))
             .order_by(throttles.c.name).with_for_update())
    found = {row[0]: row[1] for row in connection.execute(query)}
    if missing := sorted(set(names) - found.keys()):
        connection.execute(insert_for(connection, throttles).on_conflict_do_nothing(),
                           [{"name": name, "paid_until": 0.0} for name in missing])
        found = {row[0]: row[1] for row in connection.execute(query)}
    return found


def pay(connection: Connection, until: Mapping[str, float]) -> None:
    """Write until when limits that are held are paid for, in epoch seconds."""
    if until:
        connection.execute(
            update(throttles).where(throttles.c.name == bindparam("of")).values(paid_until=bindparam("until")),
            [{"of": name, "until": moment} for name, moment in sorted(until.items())])


def sweep(connection: Connection, prefix: str) -> None:
    """Forget limits whose names begin so and of which nothing is left to pay: they are as if never used."""
    connection.execute(delete(throttles).where(
        throttles.c.name >= prefix, throttles.c.name < prefix[:-1] + chr(ord(prefix[-1]) + 1),
        throttles.c.paid_until < now(connection)))


def days(connection: Connection, name: str, today: date) -> tuple[int, int]:
    """On how many days before today something was used of a quota; and how much of it today.

    Today's row is locked until the transaction ends.
    """
    connection.execute(insert_for(connection, quotas).values(name=name, day=today, used=0).on_conflict_do_nothing())
    used = connection.execute(select(quotas.c.used).where(quotas.c.name == name, quotas.c.day == today)
                              .with_for_update()).scalar_one()
    before = connection.execute(select(func.count()).select_from(quotas).where(
        quotas.c.name == name, quotas.c.day < today, quotas.c.used > 0)).scalar_one()
    return int(before), int(used)


def use(connection: Connection, name: str, day: date, count: int) -> None:
    """Count what was used of a day's quota; a negative count gives back."""
    spent = quotas.c.used + count
    if not connection.execute(update(quotas).where(quotas.c.name == name, quotas.c.day == day)
                              .values(used=spent)).rowcount:
        connection.execute(insert(quotas).values(name=name, day=day, used=max(count, 0)))
