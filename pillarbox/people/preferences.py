"""What a supporter wishes to get, as their own page shows it and saves it: lists, how much, a pause, tracking.

The key of any letter opens this. It shows nothing personal, and it cannot bring anybody back: who left everything, or a
list, comes back by an undo on the page where they left, by a link mailed to them, or by joining anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from dateutil.relativedelta import relativedelta
from sqlalchemy import BindParameter, Connection, and_, bindparam, select

from pillarbox.ground import clock
from pillarbox.model.sections import PreferenceSettings
from pillarbox.model.states import Basis, Channel, Frequency
from pillarbox.people import holder as holders
from pillarbox.people import undoing
from pillarbox.people.holder import Holder, Standing
from pillarbox.people.segments import ZONE, has_consent
from pillarbox.store import consents, lists, wishes
from pillarbox.store.connect import Store
from pillarbox.store.schema import list_members, supporters
from pillarbox.store.schema import lists as lists_table
from pillarbox.store.schema import wishes as wishes_table
from pillarbox.store.wishes import Wish

SOURCE = "preferences page"
PAUSE = relativedelta(months=3)
"""The pause that is offered to those who are leaving."""
LONGEST_PAUSE = relativedelta(years=1)


class Membership(StrEnum):
    """How a supporter stands to a list."""

    ON = "on"
    NEVER = "never"
    LEFT = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A list that the charity opened to choice."""

    name: str
    words: str
    membership: Membership

    @property
    def is_on(self) -> bool:
        """Whether they get it."""
        return self.membership is Membership.ON


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences:
    """What one supporter wishes."""

    frequency: Frequency = Frequency.EVERYTHING
    paused_until: date | None = None
    """The first day on which letters may come again; None: no pause, or it is over."""
    lists: tuple[Choice, ...] = ()
    tracking: bool = False

    @property
    def open(self) -> tuple[Choice, ...]:
        """Lists that they may tick: those that they never left."""
        return tuple(choice for choice in self.lists if choice.membership is not Membership.LEFT)

    @property
    def left(self) -> tuple[Choice, ...]:
        """Lists that they left."""
        return tuple(choice for choice in self.lists if choice.membership is Membership.LEFT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """What the form says."""

    frequency: Frequency
    paused_until: date | None
    """At most a year ahead."""
    offered: frozenset[str]
    """Lists that the form showed: of others it says nothing."""
    lists: frozenset[str]
    """Those of them that were ticked."""
    tracking: bool | None
    """None: the form did not ask."""


class Fewer(StrEnum):
    """What is offered to those who get too many letters."""

    NEWSLETTERS = "newsletters"
    PAUSE = "pause"
    LISTS = "lists"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """How it stands with the holder of a key."""

    standing: Standing
    preferences: Preferences = Preferences()
    undo: str = ""
    """The pass that takes back what was just changed; empty when nothing was."""
    gone_back: bool = True
    """False: the pass for undoing was good no more."""


def look(store: Store, key: str, settings: PreferenceSettings) -> Seen:
    """What the holder of a letter's key wishes; changes nothing. Who gets no letters counts as having left."""
    with store.reading() as connection:
        holder = holders.of(connection, key)
        if holder.standing is not Standing.READER or not holder.written_to:
            return Seen(standing=_standing(holder))
        return Seen(standing=Standing.READER, preferences=read(connection, holder.supporter_id, settings))


def save(store: Store, key: str, chosen: Chosen, settings: PreferenceSettings, *, once: str = "") -> Seen:
    """Save what the holder of a key chose.

    Args:
        store: the database.
        key: of the letter.
        chosen: what the form says.
        settings: the project's.
        once: what is random in one showing of the form, see ``undoing.offer``.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        return _change(connection, key, settings, lambda holder: _apply(connection, holder, chosen, settings), once)


def fewer(store: Store, key: str, token: str, choice: Fewer, kept: frozenset[str],
          settings: PreferenceSettings) -> Seen:
    """Who just left gets less instead: the leaving is taken back and the choice put on top, both or neither.

    Args:
        store: the database.
        key: of the letter.
        token: the undo pass of the leaving.
        choice: what they want instead.
        kept: for ``LISTS``, the lists to stay on; of those opened to choice they leave the others.
        settings: the project's.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        holder = holders.of(connection, key)
        if holder.standing is Standing.LEFT and not _back(connection, holder, token):
            return Seen(standing=Standing.LEFT, gone_back=False)

        def apply(holder: Holder) -> None:
            before = wishes.of(connection, holder.supporter_id)
            match choice:
                case Fewer.NEWSLETTERS:
                    wish = replace(before, frequency=Frequency.NEWSLETTERS)
                case Fewer.PAUSE:
                    wish = replace(before, paused_until=_midnight(clock.today(ZONE.key) + PAUSE))
                case Fewer.LISTS:
                    wish = before
                    offered = frozenset(settings.lists)
                    _choose_lists(connection, holder.supporter_id, offered, kept, settings, joining=False)
            wishes.keep(connection, holder.supporter_id, wish, clock.now())

        return replace(_change(connection, key, settings, apply), undo="")


def undo(store: Store, key: str, token: str, settings: PreferenceSettings) -> Seen:
    """Take back what the holder of a key changed a while ago.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        holder = holders.of(connection, key)
        if holder.standing in (Standing.UNKNOWN, Standing.PROOF):
            return Seen(standing=holder.standing)
        good = _back(connection, holder, token)
        holder = holders.of(connection, key)
        return Seen(standing=_standing(holder), gone_back=good,
                    preferences=read(connection, holder.supporter_id, settings))


# Built once, as the holder's.
_OF: BindParameter[int] = bindparam("of_supporter")
_WISH = (select(wishes_table.c.frequency, wishes_table.c.paused_until,
                has_consent(Channel.TRACKING, (Basis.CONSENT,)).label("tracking"))
         .select_from(supporters.outerjoin(wishes_table, wishes_table.c.supporter_id == supporters.c.id))
         .where(supporters.c.id == _OF))
_LISTS = (select(lists_table.c.name, list_members.c.supporter_id, list_members.c.left_at)
          .outerjoin(list_members, and_(list_members.c.list_id == lists_table.c.id, list_members.c.supporter_id == _OF))
          .where(lists_table.c.name.in_(bindparam("names", expanding=True))))


def read(connection: Connection, supporter_id: int, settings: PreferenceSettings) -> Preferences:
    """What a supporter wishes, as far as the charity opened it to choice."""
    row = connection.execute(_WISH, {"of_supporter": supporter_id}).one()
    until = row.paused_until
    return Preferences(
        frequency=Frequency(row.frequency or Frequency.EVERYTHING), tracking=bool(row.tracking),
        paused_until=until.astimezone(ZONE).date() if until is not None and until > clock.now() else None,
        lists=choices(connection, supporter_id, settings))


def choices(connection: Connection, supporter_id: int, settings: PreferenceSettings) -> tuple[Choice, ...]:
    """The lists that are open to choice, in the charity's order, and how the supporter stands to each."""
    if not settings.lists:
        return ()
    rows = connection.execute(_LISTS, {"of_supporter": supporter_id, "names": list(settings.lists)})
    known = {name: Membership.NEVER if of is None else Membership.ON if left_at is None else Membership.LEFT
             for name, of, left_at in rows}
    return tuple(Choice(name=name, words=words, membership=known.get(name, Membership.NEVER))
                 for name, words in settings.lists.items())


def last_pause_day() -> date:
    """The furthest day until which letters may be paused."""
    return clock.today(ZONE.key) + LONGEST_PAUSE


def first_pause_day() -> date:
    """The nearest."""
    return clock.today(ZONE.key) + timedelta(days=1)


def _change(connection: Connection, key: str, settings: PreferenceSettings,
            apply: Callable[[Holder], None], once: str = "") -> Seen:
    holder = holders.of(connection, key)
    if holder.standing is not Standing.READER or not holder.written_to:
        return Seen(standing=_standing(holder))
    holders.hold(connection, holder.supporter_id)
    before = undoing.state(connection, holder)
    apply(holder)
    token = undoing.offer(connection, holder, before, source=SOURCE, once=once)
    return Seen(standing=Standing.READER, undo=token, preferences=read(connection, holder.supporter_id, settings))


def _standing(holder: Holder) -> Standing:
    return Standing.LEFT if holder.standing is Standing.READER and not holder.written_to else holder.standing


def _back(connection: Connection, holder: Holder, token: str) -> bool:
    if not token or not holder.supporter_id:
        return False
    holders.hold(connection, holder.supporter_id)
    return undoing.take_back(connection, holder, token)


def _apply(connection: Connection, holder: Holder, chosen: Chosen, settings: PreferenceSettings) -> None:
    at, of = clock.now(), holder.supporter_id
    until = None if chosen.paused_until is None else min(chosen.paused_until, last_pause_day())
    before = wishes.of(connection, of)
    wish = Wish(frequency=chosen.frequency, paused_until=None if until is None else _midnight(until),
                own_name=before.own_name)
    if wish != before:
        wishes.keep(connection, of, wish, at)
    _choose_lists(connection, of, chosen.offered, chosen.lists, settings)
    if chosen.tracking is not None and settings.tracking_wording:
        _choose_tracking(connection, of, settings.tracking_wording, at, agreed=chosen.tracking)


def _choose_lists(connection: Connection, of: int, offered: frozenset[str], ticked: frozenset[str],
                  settings: PreferenceSettings, *, joining: bool = True) -> None:
    """Leave what is not ticked, join what is; a list that was left before stays so."""
    at = clock.now()
    for choice in choices(connection, of, settings):
        if choice.name not in offered:
            continue
        list_id = lists.find(connection, choice.name)
        if choice.membership is Membership.ON and choice.name not in ticked and list_id is not None:
            lists.leave(connection, list_id, of, at)
        elif choice.membership is Membership.NEVER and choice.name in ticked and joining:
            list_id = lists.create(connection, choice.name, at) if list_id is None else list_id
            lists.join_many(connection, list_id, [of], at, None)


def _choose_tracking(connection: Connection, of: int, wording: str, at: datetime, *, agreed: bool) -> None:
    before = consents.of(connection, [of]).get((of, Channel.TRACKING))
    if not agreed:
        consents.withdraw(connection, of, SOURCE, at, [Channel.TRACKING])
    elif before is not Basis.CONSENT:
        consents.apply(connection, [consents.Change(
            supporter_id=of, channel=Channel.TRACKING, before=before, after=Basis.CONSENT, source=SOURCE,
            obtained_on=clock.today(ZONE.key), wording=wording)], at)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)
