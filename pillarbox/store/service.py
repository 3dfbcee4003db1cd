"""Service letters in the database: asked for once a deed, claimed by one, settled by who claimed.

Rows change hands by conditional updates. ``tries`` is the number of a claim: what a claim settles, it settles only
while it is still the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from pillarbox.ground import clock
from pillarbox.ground.process import Worker
from pillarbox.store.schema import marks, service_approvals, service_letters
from pillarbox.store.upsert import insert_for

_T = service_letters.c
_OPEN = ("waiting", "submitting")
_TOO_LATE = "it was of no use any more when it could have gone"
_DIED = "the sender died while this was on its way"


def ask(connection: Connection, *, kind: str, deed: str, address: str, address_hash: str,
        values: Mapping[str, str], supporter_id: int | None = None, not_after: datetime | None = None) -> bool:
    """Have a service letter sent, in the transaction of the deed that asks for it.

    Args:
        connection: the transaction.
        kind: which letter: ``confirm``, ``details-link`` …
        deed: what it answers, opaque and of at most 64 signs: the same deed asks for the same letter once.
        address: where it goes.
        address_hash: keyed hash of the address.
        values: what the letter says of this deed (``deed.…`` in it); forgotten as soon as the letter has gone.
        supporter_id: whose it is, when they are known: then the letter may greet them by name.
        not_after: after this moment it is of no use any more.

    Returns:
        Whether it is news.
    """
    row = {"kind": kind, "deed": deed, "address": address, "address_hash": address_hash, "values": dict(values),
           "supporter_id": supporter_id, "asked_at": clock.now(), "not_after": not_after}
    statement = insert_for(connection, service_letters).values(row).on_conflict_do_nothing(
        index_elements=["kind", "deed"])
    return connection.execute(statement.returning(_T.id)).first() is not None


# ------------------------------------------------------------------------------------------------ on their way


def open_letters(connection: Connection) -> bool:
    """Whether any letter waits or is on its way."""
    return connection.execute(select(_T.id).where(_T.state.in_(_OPEN)).limit(1)).first() is not None


def due(connection: Connection, most: int) -> list[Row[Any]]:
    """Letters that may be tried now, the oldest first."""
    return list(connection.execute(
        select(service_letters).where(_T.state == "waiting", or_(_T.due_at.is_(None), _T.due_at <= clock.now()))
        .order_by(_T.asked_at, _T.id).limit(most)))


def claim(connection: Connection, letter: Row[Any], *, worker: str, transport: str, lease: timedelta) -> int | None:
    """Take a waiting letter in the name of a worker; the claim's number, or None when another was first."""
    taken = connection.execute(
        update(service_letters).where(_T.id == letter.id, _T.state == "waiting", _T.tries == letter.tries,
                                      _T.address.is_not(None))
        .values(state="submitting", worker=worker, transport=transport, lease_until=clock.now() + lease,
                tries=_T.tries + 1, due_at=None).returning(_T.tries)).first()
    return int(taken.tries) if taken else None


def settle(connection: Connection, letter_id: int, tries: int, *, state: str, detail: str = "", provider_id: str = "",
           due_at: datetime | None = None) -> bool:
    """Write down what became of a claim; False when the claim is no longer the newest."""
    values: dict[str, Any] = {"state": state, "detail": detail, "provider_id": provider_id, "lease_until": None,
                              "due_at": due_at}
    if state == "accepted":
        values["accepted_at"] = clock.now()
    if state != "waiting":
        values["values"] = {}  # a link that opens something must not lie about
    return connection.execute(
        update(service_letters).where(_T.id == letter_id, _T.state == "submitting", _T.tries == tries)
        .values(values)).rowcount == 1


def give_up(connection: Connection, letter: Row[Any], detail: str) -> bool:
    """A waiting letter will never go: it failed."""
    return connection.execute(
        update(service_letters).where(_T.id == letter.id, _T.state == "waiting")
        .values(state="failed", detail=detail, values={})).rowcount == 1


def lapse(connection: Connection) -> int:
    """Let letters fail that are of no use any more; how many."""
    return connection.execute(
        update(service_letters).where(_T.state == "waiting", _T.not_after < clock.now())
        .values(state="failed", detail=_TOO_LATE, values={})).rowcount


def bury(connection: Connection) -> list[str]:
    """Settle what dead senders left: in doubt, or waiting again where the letter was only written to a file.

    Returns:
        the kinds of those now in doubt, one a letter.
    """
    doubtful = []
    for row in connection.execute(select(service_letters).where(_T.state == "submitting")).all():
        worker = Worker.parse(row.worker)
        if row.lease_until and row.lease_until > clock.now() and not (worker and worker.surely_dead):
            continue
        again = row.transport == "files"
        if settle(connection, row.id, row.tries, state="waiting" if again else "in_doubt",
                  detail="" if again else _DIED) and not again:
            doubtful.append(row.kind)
    return doubtful


def postpone(connection: Connection, kind: str, until: datetime) -> None:
    """Let every waiting letter of a kind wait longer: it lacks something that all of them need."""
    connection.execute(update(service_letters).where(_T.kind == kind, _T.state == "waiting").values(due_at=until))


def prove(connection: Connection, *, kind: str, deed: str) -> None:
    """Its link was used, so it arrived: late truth heals a doubt."""
    connection.execute(
        update(service_letters).where(_T.kind == kind, _T.deed == deed, _T.state.in_(("in_doubt", "submitting")))
        .values(state="accepted", accepted_at=clock.now(), lease_until=None, values={}, detail="its link was used"))


def doubt_all(connection: Connection, detail: str) -> int:
    """After a restore nobody knows which of the open letters have gone since; how many are now in doubt."""
    return connection.execute(
        update(service_letters).where(_T.state.in_(_OPEN))
        .values(state="in_doubt", detail=detail, lease_until=None, values={})).rowcount


def forget_addresses(connection: Connection, before: datetime) -> int:
    """Take the address out of settled letters that were asked for before then; what remains is that one was sent."""
    return connection.execute(
        update(service_letters).where(_T.state.not_in(_OPEN), _T.asked_at < before, _T.address.is_not(None))
        .values(address=None, values={})).rowcount


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """(kind, state) → how many letters."""
    query = select(_T.kind, _T.state, func.count()).group_by(_T.kind, _T.state)
    return {(kind, state): int(number) for kind, state, number in connection.execute(query)}


# ------------------------------------------------------------------------------------------------ approvals


def approval(connection: Connection, kind: str, content_hash: str) -> Row[Any] | None:
    """Who stands for these words, and since when; None while nobody does."""
    return connection.execute(select(service_approvals).where(
        service_approvals.c.kind == kind, service_approvals.c.content_hash == content_hash)).one_or_none()


def approve(connection: Connection, *, kind: str, content_hash: str, by: str) -> None:
    """Somebody stands for these words; whatever waits for that may go."""
    row = {"kind": kind, "content_hash": content_hash, "approved_by": by, "approved_at": clock.now()}
    connection.execute(insert_for(connection, service_approvals).values(row).on_conflict_do_nothing())
    connection.execute(update(service_letters).where(and_(_T.kind == kind, _T.state == "waiting")).values(due_at=None))


def first_time(connection: Connection, mark: str) -> bool:
    """Whether this is the first time that something is noted under a mark of at most 40 signs."""
    statement = insert_for(connection, marks).values(name=mark, at=clock.now()).on_conflict_do_nothing(
        index_elements=["name"])
    return connection.execute(statement.returning(marks.c.name)).first() is not None


def unmark(connection: Connection, marks_: Sequence[str]) -> None:
    """What was noted under these marks may be told again when it happens again."""
    connection.execute(marks.delete().where(marks.c.name.in_(marks_)))


def hour_is_over(connection: Connection, mark: str, every: timedelta) -> bool:
    """Whether something that is done every so often is due: a look, which locks nothing."""
    last = connection.execute(select(marks.c.at).where(marks.c.name == mark)).scalar_one_or_none()
    return last is None or abs(clock.now() - last) >= every


def take_hour(connection: Connection, mark: str, every: timedelta) -> bool:
    """Whether it is this caller who does it now: one conditional update."""
    moment = clock.now()
    if first_time(connection, mark):
        return True
    return connection.execute(update(marks).where(marks.c.name == mark, or_(
        marks.c.at <= moment - every, marks.c.at >= moment + every)).values(at=moment)).rowcount == 1
