"""How a live mailing begins: the most engaged supporters first, a watch, then everybody else.

All of it stands in the mailing's row, so that it survives a crash at any moment, and any number of workers agree on it:

- ``wave`` 0: only messages of wave 0 may leave, the first ones; 1: all may.
- ``watch_until``: set once the first ones are out; until then nothing more leaves.
- ``watched``: the watch is over, or was skipped.
- ``spread_seconds``: over how long those who come after are spread out (see ``gate``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.mailings import brakes
from pillarbox.model.states import MailingState
from pillarbox.people import engagement
from pillarbox.store import mailings, waves
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.waves import Domains

# While the first ones are on their way, or being watched, whoever waits looks again this often.
_ON_THEIR_WAY_SECONDS, _WATCH_SECONDS = 0.5, 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """How a mailing shall begin."""

    first: tuple[int, ...] = ()
    """Ids of the messages that leave first; empty: all leave at once."""
    spread_seconds: float | None = None


def opening(project: Project, mailing: Mailing, *, now: bool = False, practise: bool = False) -> Opening | None:
    """Choose how a mailing begins; None when it has begun, or is practice that does not play a launch.

    Args:
        project: the project.
        mailing: planned, and never started.
        now: everyone at once, without a watch.
        practise: launch though it is a practice mailing.
    """
    if not is_fresh(mailing) or (mailing.practice and not practise):
        return None
    settings = project.settings.launch
    if now or _by_own_times(project, mailing):
        return Opening()
    spread = settings.spread_hours * 3600 or None
    if not settings.first or mailing.planned <= settings.first:
        return Opening(spread_seconds=spread)
    with project.store.reading() as connection:
        first = engagement.most_engaged(connection, mailing.id, settings.first)
    return Opening(first=tuple(first), spread_seconds=spread)


def _by_own_times(project: Project, mailing: Mailing) -> bool:
    """Whether each message has a time of its own: then zone follows zone, and no zone's morning waits for another."""
    with project.store.reading() as connection:
        return waves.first_due(connection, mailing.id) is not None


def is_fresh(mailing: Mailing) -> bool:
    """Whether nothing of the mailing has been let go yet: no start, no launch."""
    return mailing.started_at is None and mailing.wave == 1 and not mailing.watched


def begin(connection: Connection, mailing: Mailing, chosen: Opening) -> None:
    """Put the first ones in front, in the transaction that starts the mailing. Of several senders one does it."""
    if mailings.begin_launch(connection, mailing.id, wave=0 if chosen.first else 1, watched=not chosen.first,
                             spread_seconds=chosen.spread_seconds):
        waves.put_first(connection, mailing.id, chosen.first)


def skip(connection: Connection, mailing: Mailing) -> None:
    """Let everybody follow at once, whatever the launch was waiting for."""
    mailings.change(connection, mailing.id, wave=1, watched=True, spread_seconds=None)


def advance(project: Project, mailing: Mailing) -> None:
    """Take a launch as far as it may go now. Any number of times, from anywhere, comes to the same."""
    with project.store.writing() as connection:
        advance_within(connection, project, mailings.hold(connection, mailing.id, alone=True))


def advance_within(connection: Connection, project: Project, mailing: Mailing, *,
                   without: tuple[str, ...] = ()) -> Mailing:
    """The same in the caller's transaction; returns the mailing as it stands then.

    First ones out: the watch begins. Watch over: the brakes look once more, and then everybody else may follow.

    Args:
        connection: the caller's; it holds the mailing alone.
        project: the project.
        mailing: as it stands.
        without: recipient domains that are not waited for, because they are at their cap.
    """
    if mailing.wave or mailing.state is not MailingState.SENDING:
        return mailing
    moment = clock.now()
    watch = timedelta(minutes=project.settings.launch.watch_minutes)
    if mailing.watch_until is None:
        if waves.wave_is_out(connection, mailing.id, wave=0, domains=Domains(without=without)):
            mailings.begin_watch(connection, mailing.id, until=moment + watch)
    elif mailing.watch_until > moment + watch:  # the clock was put back, or the watch made shorter
        mailings.change(connection, mailing.id, watch_until=moment + watch)
    elif mailing.watch_until <= moment and not brakes.look_within(connection, project, mailing, after_watch=True):
        mailings.end_watch(connection, mailing.id)
    return mailings.by_id(connection, mailing.id)


def wait_seconds(mailing: Mailing) -> float:
    """How soon to look again at a mailing whose launch holds the rest back."""
    if mailing.watch_until is None:
        return _ON_THEIR_WAY_SECONDS
    return min(_WATCH_SECONDS, max(0.05, (mailing.watch_until - clock.now()).total_seconds()))


def words(mailing: Mailing, zone: str) -> str:
    """What a launch waits for, for staff; empty when it holds nothing back."""
    if mailing.wave or mailing.state is not MailingState.SENDING:
        return ""
    if mailing.watch_until is None:
        return "the first letters, to the most engaged supporters, are on their way"
    return (f"the first letters are out; nothing more leaves until {_clock(mailing.watch_until, zone)}, while it is "
            "watched whether they bounce or are complained about")


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"
