"""What makes a restored ledger safe: it remembers less than happened, so nothing in it may leave by itself.

Three kinds of mailing could be sent a second time. One that the backup shows half sent: its messages may have left
since. One that was merely planned then: likewise. One that was planned and sent later: the backup has never heard of
it, but the journal of launches has.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from pillarbox.ground import clock
from pillarbox.keeping import doubt, rows, wishes
from pillarbox.keeping.doubt import Paused
from pillarbox.keeping.journal import Launch
from pillarbox.keeping.present import Known
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import audit, consents, mailings, notices, suppressions
from pillarbox.store.schema import (
    attempts,
    marks,
    messages,
    quotas,
    schedules,
    staff_sessions,
    supporters,
    workers,
)
from pillarbox.store.schema import mailings as mailings_table
from pillarbox.store.schema import notices as notices_table
from pillarbox.store.schema import suppressions as suppressions_table
from pillarbox.store.upsert import insert_for

IDS_LEFT_FREE = 10_000_000
"""Ids between the last one known and the next one given out: what was given out since the backup, and is known to the
provider (custom_args), must not come to mean somebody else."""
UNKNOWN_BUNDLE = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Aftermath:
    """What a restored database does not do by itself, and what staff must know."""

    paused: tuple[Paused, ...]
    sent_since: tuple[Launch, ...]
    """Mailings that were sent after the backup; it keeps their editions, not their messages."""
    schedules: tuple[str, ...]
    """Commands that put the stopped schedules back."""
    suppressions: int
    """People who left since, carried over from the database that was replaced."""
    erased: tuple[str, ...]
    """Addresses of supporters who asked since to be forgotten, and are back: forget them again at once."""


def settle(connection: Connection, *, made_at: datetime, launches: Sequence[Launch], known: Known,
           highest: Mapping[str, int]) -> Aftermath:
    """Make a database that was just filled from a backup safe, in the transaction that filled it.

    Args:
        made_at: when the backup was made.
        launches: everything that the journals tell.
        known: what the replaced database still knew.
        highest: ids given out when the backup was made.
    """
    known_launches = (*known.launches, *launches)
    _leave_ids_free(connection, [highest, known.highest, *(launch.highest for launch in known_launches)])
    told = {launch.source_code: launch for launch in known_launches}
    _end_attempts(connection)
    paused = _pause(connection, made_at, known.untouched - set(told))
    since = _remember(connection, list(told.values()))
    stopped = _stop_schedules(connection)
    left, erased = _carry_over(connection, known)
    connection.execute(delete(workers))
    connection.execute(delete(staff_sessions))  # who has logged out since must not be logged in again
    connection.execute(delete(marks).where(marks.c.name == "arriving"))
    return Aftermath(paused=paused, sent_since=tuple(since), schedules=stopped, suppressions=left, erased=erased)


def _end_attempts(connection: Connection) -> None:
    connection.execute(update(attempts).where(attempts.c.finished_at.is_(None)).values(
        finished_at=clock.now(), detail="the database was restored"))


def _pause(connection: Connection, made_at: datetime, untouched: frozenset[str]) -> tuple[Paused, ...]:
    """Pause what is unfinished; what may have left since goes in doubt."""
    # A plan that was being composed is dead now: the next plan sweeps it away.
    connection.execute(update(mailings_table).where(mailings_table.c.state == MailingState.COMPOSING).values(
        state_reason="restored"))
    doubt.mark(connection, messages.c.state == MessageState.SUBMITTING)
    doubt.mark_service(connection)
    why = f"the database was restored from the backup of {made_at:%d %B %Y, %H:%M} UTC"
    return tuple(doubt.hold_back(connection, mailing, why, surely_here=(
        mailing.source_code in untouched and mailing.started_at is None)) for mailing in doubt.unfinished(connection))


# ------------------------------------------------------------------------------------------------ sent since


def _remember(connection: Connection, launches: Sequence[Launch]) -> list[Launch]:
    """Give each launch that the ledger does not know a sent mailing without messages: a plan of its edition is refused.

    Returns:
        those launches.
    """
    here = set(connection.execute(select(mailings_table.c.source_code)).scalars())
    lost = [launch for launch in launches if launch.source_code not in here]
    if lost:
        mailings.keep_bundle(connection, bundle_id=UNKNOWN_BUNDLE, appeal="", content=b"")
    for launch in lost:
        edition = mailings.edition(connection, appeal=launch.appeal, label=launch.edition, practice=launch.practice)
        connection.execute(insert(mailings_table).values(
            name=_free_name(connection, launch.mailing), appeal=launch.appeal, kind=launch.kind, edition_id=edition,
            practice=launch.practice, state=MailingState.SENT, transport=launch.transport, bundle_id=UNKNOWN_BUNDLE,
            source_code=launch.source_code, title=launch.title, audience={}, audience_size=0, excluded={}, planned=0,
            for_date=launch.for_date, created_at=launch.at, started_at=launch.at, finished_at=launch.at,
            state_reason="sent after the backup that this database was restored from; who got it is not known here"))
    return lost


def _free_name(connection: Connection, wanted: str) -> str:
    taken = set(connection.execute(select(mailings_table.c.name).where(
        mailings_table.c.name.startswith(wanted, autoescape=True))).scalars())
    return next(name for number in range(1, len(taken) + 2)
                if (name := wanted if number == 1 else f"{wanted}-{number}") not in taken)


def _stop_schedules(connection: Connection) -> tuple[str, ...]:
    """Take every schedule out: what it planned and sent since is not known. Staff put it back by a command."""
    found = connection.execute(select(schedules).where(schedules.c.removed_at.is_(None))).all()
    connection.execute(update(schedules).where(schedules.c.removed_at.is_(None)).values(removed_at=clock.now()))
    return tuple(_command(row) for row in found)


def _command(row: Row[Any]) -> str:
    """The command that makes a schedule again, from tomorrow on: today's may have gone."""
    said = ["pillarbox", "schedule", "add", row.appeal, "--rule", row.rule, "--at", row.at, "--zone", row.zone]
    for key, option in (("lists", "--list"), ("segments", "--segment"), ("exclude", "--exclude")):
        for name in row.audience.get(key, ()):
            said += [option, name]
    said += ["--late", f"{row.late_hours:g}", "--starts", f"{clock.today(row.zone) + timedelta(days=1)}"]
    return shlex.join([*said, "--own-zone"] if row.own_zone else said)


# ------------------------------------------------------------------------------------------------ carried over


def _carry_over(connection: Connection, known: Known) -> tuple[int, tuple[str, ...]]:
    """Whoever left since stays out, whatever the backup says of them; a day's cap keeps what it has spent."""
    before = connection.execute(select(func.count()).select_from(suppressions_table)).scalar_one()
    back = _of(connection, list(known.erased))
    for start in range(0, len(known.suppressions), rows.ROWS_AT_ONCE):
        suppressions.add_many(connection, known.suppressions[start:start + rows.ROWS_AT_ONCE])
    after = connection.execute(select(func.count()).select_from(suppressions_table)).scalar_one()
    moment = clock.now()
    wishes.carry_over(connection, known.wishes, moment)
    people = _of(connection, [address_hash for address_hash, _ in known.withdrawn])
    for address_hash, channel in known.withdrawn:
        if address_hash in people:
            consents.withdraw(connection, people[address_hash][0], "carried over at a restore", moment, (channel,))
    for row in known.quotas:
        into = insert_for(connection, quotas).values(row)
        connection.execute(into.on_conflict_do_update(
            index_elements=["name", "day"], set_={"used": into.excluded.used},
            where=quotas.c.used < into.excluded.used))
    return after - before, tuple(address for _, address in back.values() if address)


def _of(connection: Connection, hashes: Sequence[str]) -> dict[str, tuple[int, str | None]]:
    """Address hash → (id, address) of the supporters who have one of these."""
    found = {}
    for start in range(0, len(hashes), rows.ROWS_AT_ONCE):
        for row in connection.execute(
                select(supporters.c.address_hash, supporters.c.id, supporters.c.address)
                .where(supporters.c.address_hash.in_(hashes[start:start + rows.ROWS_AT_ONCE]))):
            found[str(row[0])] = (int(row[1]), row[2])
    return found


def _leave_ids_free(connection: Connection, highest: Sequence[Mapping[str, int]]) -> None:
    there = rows.highest_ids(connection)
    last = {name: max(there.get(name, 0), *(one.get(name, 0) for one in highest)) for name in there}
    rows.give_out_after(connection, {
        name: value + IDS_LEFT_FREE if name in ("mailings", "messages", "attempts") else value
        for name, value in last.items()})


# ------------------------------------------------------------------------------------------------ words


def tell(connection: Connection, aftermath: Aftermath, *, made_at: datetime, file: str, actor: str) -> None:
    """Write it into the audit log and the notices, in the same transaction.

    Notices of the backup's time are old news: they count as told, and are not mailed again.
    """
    moment = clock.now()
    connection.execute(update(notices_table).where(notices_table.c.told_at.is_(None)).values(told_at=moment))
    audit.record(connection, actor=actor, action="restore", subject=file, detail={
        "made_at": made_at.isoformat(), "paused": [one.mailing for one in aftermath.paused],
        "in_doubt": sum(one.in_doubt for one in aftermath.paused),
        "sent_since": [launch.mailing for launch in aftermath.sent_since], "schedules": len(aftermath.schedules),
        "suppressions": aftermath.suppressions, "erased": len(aftermath.erased)})
    notices.add(connection, kind="restored",
                words=f"The database was restored from the backup of {made_at:%d %B %Y, %H:%M} UTC. "
                      + " ".join(next_steps(aftermath)))
    doubt.tell_each(connection, aftermath.paused)


def next_steps(aftermath: Aftermath) -> list[str]:
    """What staff do next, in the order to do it; a sentence or two each. No personal data."""
    steps = ["If the database that this backup came from still runs anywhere, end it for good: two could both send."]
    if aftermath.erased:
        steps.append(f"{len(aftermath.erased):,} people who had asked to be forgotten came back with the backup: "
                     "forget them again (`pillarbox supporters forget EMAIL`).")
    doubtful = [one for one in aftermath.paused if one.in_doubt]
    if doubtful:
        names = ", ".join(one.mailing for one in doubtful)
        steps.append(f"Bring in the provider's events first (`pillarbox events import FILE`), then settle what is not "
                     f"sure to have gone, one mailing after the other, with `pillarbox reconcile MAILING`: {names}. "
                     "Say `--assume unsent` only of a mailing that surely did not leave.")
    if quiet := [one.mailing for one in aftermath.paused if not one.in_doubt and one.state == MailingState.PAUSED]:
        steps.append(f"Nothing of these had left; look at them, then `pillarbox resume MAILING`: {', '.join(quiet)}.")
    if held := [one.mailing for one in aftermath.paused if one.state == MailingState.HELD]:
        steps.append(f"SendGrid keeps these until their time, or has sent them by now: {', '.join(held)}. "
                     "`pillarbox cancel MAILING` calls back what is still there.")
    if aftermath.sent_since:
        names = ", ".join(launch.mailing for launch in aftermath.sent_since)
        steps.append(f"These were sent after the backup: {names}. Their editions are kept, so that they cannot be "
                     "planned again; who got them is known to SendGrid alone.")
    if aftermath.schedules:
        steps.append("Every schedule is stopped. Look in SendGrid what was sent since, then put each back.")
    steps.append("Whoever unsubscribed after the backup may not be known here: look through SendGrid's suppression "
                 "lists (`pillarbox suppressions add EMAIL`), and import again the lists and donations that came "
                 "since, before the next plan.")
    return steps
