"""The mailings table: made, found, and moved from state to state by conditional updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.keys import new_key
from pillarbox.model.states import Kind, MailingState
from pillarbox.store.schema import bundles, editions, mailings

# Any number that no other advisory lock of the database has: "plan" in ASCII.
_PLANNING = int.from_bytes(b"plan", "big")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailing:
    """One send of one edition to one audience, as the ledger has it."""

    id: int
    name: str
    appeal: str
    kind: Kind
    edition_id: int
    edition: str
    practice: bool
    state: MailingState
    transport: str
    bundle_id: str
    source_code: str
    title: str
    audience: Mapping[str, Any]
    audience_size: int
    excluded: Mapping[str, int]
    planned: int
    shapes: int
    slow_path: int
    content_hash: str
    for_date: date
    not_before: datetime | None
    not_after: datetime | None
    created_at: datetime
    planned_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    state_reason: str
    send_at: datetime | None
    """When a worker starts it."""
    send_by: str
    """Who asked for that."""
    per_second: float | None
    """Most messages a second; None: as fast as it goes."""
    hours: str
    """When it may leave, in the charity's zone: ``08:00-20:00``; empty: at any hour."""
    span_hours: float | None
    """A supporter whom another mailing reached within as many hours is left out."""
    wave: int
    """Messages of later waves wait: 0 while a launch is watched, else 1."""
    watch_until: datetime | None
    watched: bool
    """Whether the launch's watch is over."""
    spread_seconds: float | None
    """Over how long a launch spreads those who come after its first wave."""
    provider_batch: str
    """The provider's name for what it holds until its time (SendGrid's batch id)."""
    corrects_id: int | None
    """The mailing that this one apologises for."""
    variants: Mapping[str, Mapping[str, Any]]
    """Label → ``subject`` (as the writer wrote it), ``differs`` (from variant a: of subject, preheader, letter, text),
    ``planned``; empty where everybody gets the same letter."""


_QUERY = select(mailings, editions.c.label.label("edition")).join(editions)


def _mailing(row: Row[Any]) -> Mailing:
    values = dict(row._mapping)
    return Mailing(**values | {"kind": Kind(values["kind"]), "state": MailingState(values["state"])})


def by_id(connection: Connection, mailing_id: int) -> Mailing:
    """The mailing with this id; it must exist."""
    return _mailing(connection.execute(_QUERY.where(mailings.c.id == mailing_id)).one())


def hold(connection: Connection, mailing_id: int, *, alone: bool) -> Mailing:
    """The same, held as it stands until the transaction ends: whoever would change it waits.

    Others may hold it too, unless it is held alone; only who holds it alone may change it. SQLite's writers are alone
    anyway.
    """
    return _mailing(connection.execute(
        _QUERY.where(mailings.c.id == mailing_id).with_for_update(read=not alone, key_share=alone, of=mailings)).one())


def state(connection: Connection, mailing_id: int) -> MailingState | None:
    """The state of a mailing; None when there is none with this id."""
    found = connection.execute(select(mailings.c.state).where(mailings.c.id == mailing_id)).scalar_one_or_none()
    return MailingState(found) if found else None


def plan_alone(connection: Connection) -> None:
    """Let no other process begin a plan until this transaction ends: both would choose the same edition and name.

    SQLite's writers are alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_PLANNING)))


def newest(connection: Connection) -> Mailing:
    """The mailing that was planned last; a proof is none.

    Raises:
        Refused: there is none.
    """
    row = connection.execute(_QUERY.where(mailings.c.state != MailingState.COMPOSING, mailings.c.kind != Kind.PROOF)
                             .order_by(mailings.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        raise Refused("No mailing has been planned yet.")
    return _mailing(row)


def find(connection: Connection, name: str) -> Mailing:
    """The mailing that staff mean by a mailing's name, or by an appeal's: then its newest. A proof goes by its own
    name alone.

    Raises:
        Refused: when there is none; the sentence names those that there are.
    """
    of_appeal = and_(mailings.c.appeal == name, mailings.c.kind != Kind.PROOF)
    rows = connection.execute(_QUERY.where(or_(mailings.c.name == name, of_appeal))
                              .where(mailings.c.state != MailingState.COMPOSING)
                              .order_by((mailings.c.name == name).desc(), mailings.c.id.desc()).limit(1)).all()
    if rows:
        return _mailing(rows[0])
    known = connection.execute(select(mailings.c.name).where(mailings.c.state != MailingState.COMPOSING,
                                                             mailings.c.kind != Kind.PROOF)
                               .order_by(mailings.c.id.desc()).limit(5)).scalars().all()
    raise Refused(f"There is no mailing called {name!r}.",
                  todo=f"The newest are: {', '.join(known)}." if known else "None has been planned yet.")


def all_of(connection: Connection, *, appeal: str | None = None, practice: bool | None = None) -> list[Mailing]:
    """Mailings, newest first; those still being composed are left out."""
    query = _QUERY.where(mailings.c.state != MailingState.COMPOSING).order_by(mailings.c.id.desc())
    if appeal is not None:
        query = query.where(mailings.c.appeal == appeal)
    if practice is not None:
        query = query.where(mailings.c.practice == practice)
    return [_mailing(row) for row in connection.execute(query)]


def latest_of_edition(connection: Connection, edition_id: int, *, before: int) -> Mailing | None:
    """The newest mailing of an edition that is older than one of them; None: that one is the first."""
    row = connection.execute(_QUERY.where(mailings.c.edition_id == edition_id, mailings.c.id < before)
                             .order_by(mailings.c.id.desc()).limit(1)).one_or_none()
    return _mailing(row) if row else None


def correction(connection: Connection, mailing: Mailing) -> str | None:
    """The name of the mailing that apologises for another, sent or not; None when there is none that counts."""
    found: str | None = connection.execute(select(mailings.c.name).where(
        mailings.c.corrects_id == mailing.id, mailings.c.practice == mailing.practice,
        mailings.c.state != MailingState.CANCELLED).order_by(mailings.c.id.desc()).limit(1)).scalar_one_or_none()
    return found


def newest_first(connection: Connection, most: int, *, before: int | None = None) -> list[Mailing]:
    """At most so many mailings, newest first; those still being composed are left out.

    Args:
        before: only those with smaller ids than this.
    """
    query = _QUERY.where(mailings.c.state != MailingState.COMPOSING).order_by(mailings.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(mailings.c.id < before)
    return [_mailing(row) for row in connection.execute(query)]


def named(connection: Connection, name: str) -> Mailing | None:
    """The mailing with this very name; None when there is none, or it is being composed."""
    row = connection.execute(_QUERY.where(mailings.c.name == name, mailings.c.state != MailingState.COMPOSING)
                             ).one_or_none()
    return _mailing(row) if row else None


def composing(connection: Connection) -> list[Mailing]:
    """Mailings that some process composes, or composed when it died."""
    return [_mailing(row) for row in
            connection.execute(_QUERY.where(mailings.c.state == MailingState.COMPOSING))]


def edition(connection: Connection, *, appeal: str, label: str, practice: bool) -> int:
    """The id of an edition, made when there is none."""
    where = (editions.c.appeal == appeal, editions.c.label == label, editions.c.practice == practice)
    found = connection.execute(select(editions.c.id).where(*where)).scalar_one_or_none()
    if found is None:
        found = connection.execute(insert(editions).values(appeal=appeal, label=label, practice=practice)
                                   .returning(editions.c.id)).scalar_one()
    return int(found)


def labels(connection: Connection, *, appeal: str, practice: bool) -> list[str]:
    """The labels of an appeal's editions."""
    return list(connection.execute(select(editions.c.label).where(
        editions.c.appeal == appeal, editions.c.practice == practice)).scalars())


def keep_bundle(connection: Connection, *, bundle_id: str, appeal: str, content: bytes) -> None:
    """Store a bundle once."""
    if connection.execute(select(bundles.c.id).where(bundles.c.id == bundle_id)).first() is None:
        connection.execute(insert(bundles).values(id=bundle_id, appeal=appeal, content=content, made_at=clock.now()))


def bundle(connection: Connection, bundle_id: str) -> bytes:
    """A stored bundle's bytes."""
    return bytes(connection.execute(select(bundles.c.content).where(bundles.c.id == bundle_id)).scalar_one())


def new_name(connection: Connection, appeal: str, day: date) -> str:
    """A mailing's name: the appeal, the day, and a number from the second on."""
    stem = f"{appeal}-{day:%Y%m%d}"
    taken = set(connection.execute(select(mailings.c.name).where(mailings.c.name.startswith(stem))).scalars())
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return name


def create(connection: Connection, **values: Any) -> int:
    """Insert a mailing in state ``composing``; returns its id. Its source code is made here: short, for paper too."""
    row = connection.execute(insert(mailings).values(
        source_code=new_key()[:8].upper(), state=MailingState.COMPOSING, created_at=clock.now(),
        **{"variants": {}, **values},
    ).returning(mailings.c.id))
    return int(row.scalar_one())


def move(connection: Connection, mailing_id: int, *, before: Sequence[MailingState], after: MailingState,
         reason: str = "", **values: Any) -> bool:
    """Move a mailing from one of the states ``before`` to ``after``; returns whether it stood in one of them."""
    found = connection.execute(update(mailings).where(mailings.c.id == mailing_id, mailings.c.state.in_(before))
                               .values(state=after, state_reason=reason, **values))
    return found.rowcount == 1


def change(connection: Connection, mailing_id: int, **values: Any) -> None:
    """Write some columns of a mailing."""
    connection.execute(update(mailings).where(mailings.c.id == mailing_id).values(**values))


def begin_launch(connection: Connection, mailing_id: int, *, wave: int, watched: bool,
                 spread_seconds: float | None) -> bool:
    """Set how a mailing begins; returns whether it had not begun before."""
    return connection.execute(update(mailings).where(
        mailings.c.id == mailing_id, mailings.c.started_at.is_(None), mailings.c.wave == 1, ~mailings.c.watched,
    ).values(wave=wave, watched=watched, spread_seconds=spread_seconds)).rowcount == 1


def begin_watch(connection: Connection, mailing_id: int, *, until: datetime) -> None:
    """Begin the watch after the first wave, once."""
    connection.execute(update(mailings).where(
        mailings.c.id == mailing_id, mailings.c.wave == 0, mailings.c.watch_until.is_(None)).values(watch_until=until))


def end_watch(connection: Connection, mailing_id: int) -> None:
    """Let the other waves follow, unless the mailing was held back meanwhile."""
    connection.execute(update(mailings).where(
        mailings.c.id == mailing_id, mailings.c.wave == 0, mailings.c.state == MailingState.SENDING,
    ).values(wave=1, watched=True))
