"""Taking back: what a supporter changed by mistake becomes exactly what it was, as far as nobody changed it since.

Whoever makes a change is shown a pass for taking it back. It is on that page alone: who holds the letter only, because
it was passed on to them, cannot bring somebody back who left.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Date, Table, and_, delete, insert, select

from pillarbox.ground import clock
from pillarbox.model.states import Basis, SuppressionReason
from pillarbox.people.holder import Holder
from pillarbox.store import passes, wishes
from pillarbox.store.passes import PassKind
from pillarbox.store.schema import Moment, consent_changes, consents, list_members, lists, suppressions
from pillarbox.store.schema import wishes as wishes_table

WHILE = timedelta(hours=24)
"""How long a change can be taken back."""
UNDONE = "taken back by the supporter"

State = dict[str, dict[str, Any]]
"""Part → key → row, as JSON holds it: ``wish``, ``consents`` by channel, ``lists`` by id, ``left`` by address hash."""

# Part → its table, and the column by which its rows of one supporter differ.
_PARTS: Mapping[str, tuple[Table, str]] = {
    "wish": (wishes_table, "supporter_id"), "consents": (consents, "channel"), "lists": (list_members, "list_id")}


def state(connection: Connection, holder: Holder) -> State:
    """All that a supporter's own pages can change, as it stands."""
    found: State = {}
    for part, (table, key) in _PARTS.items():
        rows = connection.execute(select(table).where(table.c.supporter_id == holder.supporter_id))
        # (a plain name, without what SQLAlchemy knows of its quoting, which JSON's writer does not take for text)
        found[part] = {str(getattr(row, key)): {"".join(name): _plain(value) for name, value in row._mapping.items()}
                       for row in rows}
    left = connection.execute(select(suppressions.c.address_hash, suppressions.c.source, suppressions.c.since).where(
        suppressions.c.address_hash.in_((holder.address_hash, holder.message_hash)),
        suppressions.c.reason == SuppressionReason.UNSUBSCRIBED))
    found["left"] = {row.address_hash: {"source": row.source, "since": _plain(row.since)} for row in left}
    return found


def changes(before: State, after: State) -> dict[str, dict[str, list[Any]]]:
    """Part → key → [before, after] of what differs; None: there was, or is, no row."""
    found = {part: {key: [before[part].get(key), after[part].get(key)]
                    for key in sorted(before[part].keys() | after[part].keys())
                    if before[part].get(key) != after[part].get(key)} for part in before}
    return {part: rows for part, rows in found.items() if rows}


def offer(connection: Connection, holder: Holder, before: State, *, source: str, once: str = "") -> str:
    """Write down what a supporter just changed, and make the pass that takes it back; earlier ones are good no more.

    A button that is pressed twice changes nothing the second time. Its page proves by ``once`` that it is the same
    one, and gets a new pass for the same change.

    Args:
        connection: the transaction of the change.
        holder: who changed it.
        before: how it stood.
        source: the page, in staff's words.
        once: what is random in that one showing of the page; may be empty.

    Returns:
        the pass; empty when nothing was changed.
    """
    earlier = passes.newest(connection, PassKind.UNDO, holder.supporter_id)
    changed = changes(before, state(connection, holder))
    if changed:
        wishes.note(connection, holder.supporter_id, source=source, changes=_told(connection, changed), at=clock.now())
        kept = {"once": passes.hashed(once) if once else "", "changes": changed}
    elif once and earlier is not None and earlier["once"] == passes.hashed(once):
        kept = dict(earlier)
    else:  # such as a provider's one-click after the supporter's own: the page that they have open stays good
        return ""
    passes.drop(connection, PassKind.UNDO, holder.supporter_id)
    return passes.make(connection, PassKind.UNDO, supporter_id=holder.supporter_id, valid=WHILE, values=kept)


def take_back(connection: Connection, holder: Holder, token: str) -> bool:
    """Put back what stood before the change that a pass belongs to; whether the pass was good.

    What somebody else changed since (a complaint, staff) stays as they left it.
    """
    good = passes.find(connection, PassKind.UNDO, token)
    if good is None or good.supporter_id != holder.supporter_id or passes.use(connection, PassKind.UNDO, token) is None:
        return False
    now, at = state(connection, holder), clock.now()
    for part, rows in good._mapping["values"]["changes"].items():
        for key, (before, after) in rows.items():
            if now[part].get(key) == after:
                _put_back(connection, holder, part, key, before, at)
    undone = changes(now, state(connection, holder))
    if undone:
        wishes.note(connection, holder.supporter_id, source=UNDONE, changes=_told(connection, undone), at=at)
    return True


def _put_back(connection: Connection, holder: Holder, part: str, key: str, before: Mapping[str, Any] | None,
              at: datetime) -> None:
    if part == "left":
        if before is None:
            connection.execute(delete(suppressions).where(
                suppressions.c.address_hash == key, suppressions.c.reason == SuppressionReason.UNSUBSCRIBED))
        return
    table, name = _PARTS[part]
    column = table.c[name]
    mine = and_(table.c.supporter_id == holder.supporter_id, column == (key if part == "consents" else int(key)))
    if table is consents:
        _tell_history(connection, holder, key, before, at)
    connection.execute(delete(table).where(mine))
    if before is not None:
        connection.execute(insert(table).values(_typed(table, before)))


def _tell_history(connection: Connection, holder: Holder, channel: str, before: Mapping[str, Any] | None,
                  at: datetime) -> None:
    stands = connection.execute(select(consents.c.basis).where(
        consents.c.supporter_id == holder.supporter_id, consents.c.channel == channel)).scalar()
    was, becomes = stands or Basis.NONE, before["basis"] if before else Basis.NONE
    if was != becomes:
        connection.execute(insert(consent_changes).values(
            supporter_id=holder.supporter_id, channel=channel, before=was, after=becomes, source=UNDONE, at=at))


def _told(connection: Connection, changed: Mapping[str, Mapping[str, list[Any]]]) -> dict[str, Any]:
    """The same for the history: short, lists by their names, with what was agreed to word for word."""
    told: dict[str, Any] = {}
    for before, after in changed.get("wish", {}).values():
        for name, usual in (("frequency", "everything"), ("paused_until", None), ("own_name", False)):
            pair = [one[name] if one else usual for one in (before, after)]
            if pair[0] != pair[1]:
                told[name] = pair
    for channel, pair in changed.get("consents", {}).items():
        told[channel] = [one["basis"] if one else Basis.NONE.value for one in pair]
        if pair[1] and pair[1]["basis"] == Basis.CONSENT and pair[1]["wording"]:
            told[f"{channel}_wording"] = pair[1]["wording"]
    if changed.get("lists"):
        names = {str(row.id): row.name for row in connection.execute(select(lists.c.id, lists.c.name))}
        told["lists"] = {names[key]: ["on" if one and one["left_at"] is None else "off" for one in pair]
                         for key, pair in changed["lists"].items()}
    if changed.get("left"):
        told["unsubscribed"] = [any(pair[place] for pair in changed["left"].values()) for place in (0, 1)]
    return told


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that JSON held, as the table takes it."""
    return {name: _moment(table, name, value) if isinstance(value, str) else value for name, value in row.items()}


def _moment(table: Table, name: str, value: str) -> Any:
    kind = table.c[name].type
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value
