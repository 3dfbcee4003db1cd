"""A live mailing begins with its most engaged supporters, is watched, and then goes to the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import control, launch
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import EventKind, MailingState, Verdict
from pillarbox.runner.local import Run
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import messages
from tests.mailings.conftest import CROWD, Scripted, planned, saying
from tests.mailings.launching import configured, hear, ids, live, move_to, now, sending, until_it_waits

FIRST = 30


@pytest.fixture
def cautious(project: Project) -> Project:
    """A project that sends to thirty first, and watches for half an hour."""
    return configured(project, "launch", first=FIRST, watch_minutes=30.0)


def in_wave(project: Project, mailing: Mailing, wave: int) -> int:
    """How many messages stand in a wave."""
    with project.store.reading() as connection:
        return len(connection.execute(select(messages.c.id).where(
            messages.c.mailing_id == mailing.id, messages.c.wave == wave)).all())


def test_the_first_leave_and_the_rest_waits_for_the_watch(cautious: Project) -> None:
    """Thirty leave, then nothing for half an hour, then all others; each exactly once."""
    mailing = live(cautious, planned(cautious))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going = sending(cautious, mailing, transport)
    began = clock.now()
    waiting = until_it_waits(going)
    assert waiting is not None
    assert "nothing more leaves until" in waiting.waiting
    assert len(transport.addresses) == FIRST
    with clock.freeze(began + timedelta(minutes=29)):
        assert until_it_waits(going) is not None
        assert len(transport.addresses) == FIRST
    with clock.freeze(clock.now() + timedelta(minutes=31)):
        assert until_it_waits(going) is None
    assert len(set(transport.addresses)) == len(transport.addresses) == CROWD
    assert (now(cautious, mailing).wave, now(cautious, mailing).watched) == (1, True)


def test_the_most_engaged_are_the_first(cautious: Project) -> None:
    """Those who clicked in the last mailing are among the thirty."""
    before = live(cautious, planned(cautious))
    until_it_waits(sending(cautious, before, Scripted(answer=saying(Verdict.ACCEPTED)), now=True))
    with cautious.store.reading() as connection:
        agreed = connection.execute(select(messages.c.id, messages.c.address).where(
            messages.c.mailing_id == before.id, messages.c.tracked).limit(10)).all()
    hear(cautious, before, EventKind.CLICKED, [row.id for row in agreed])
    mailing = live(cautious, planned(cautious, again="second", span_hours=0.0))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    until_it_waits(sending(cautious, mailing, transport))
    assert {row.address for row in agreed} <= set(transport.addresses)
    assert len(transport.addresses) == FIRST


def test_a_launch_goes_on_where_a_dead_sender_left_it(cautious: Project) -> None:
    """Another sender, at any stage, sees the same launch: it is in the ledger, not in anybody's memory."""
    mailing = live(cautious, planned(cautious))
    half = Scripted(answer=saying(Verdict.ACCEPTED), unit=20)
    began = sending(cautious, mailing, half)
    submit(began)  # and here it dies
    second = Scripted(answer=saying(Verdict.ACCEPTED))
    until_it_waits(sending(cautious, mailing, second))
    assert len(half.addresses) + len(second.addresses) == FIRST
    until = now(cautious, mailing).watch_until
    third = Scripted(answer=saying(Verdict.ACCEPTED))
    until_it_waits(sending(cautious, mailing, third))
    assert (now(cautious, mailing).watch_until, third.addresses) == (until, [])
    assert in_wave(cautious, mailing, 0) == FIRST
    with clock.freeze(clock.now() + timedelta(minutes=31)):
        assert until_it_waits(sending(cautious, mailing, third)) is None
    assert len(half.addresses) + len(second.addresses) + len(third.addresses) == CROWD


def test_advancing_often_is_advancing_once(cautious: Project) -> None:
    """A worker's tick may call it at any time: before the first are out, in the watch, after it."""
    mailing = live(cautious, planned(cautious))
    launch.advance(cautious, mailing)
    assert now(cautious, mailing) == mailing
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going = sending(cautious, mailing, transport)
    launch.advance(cautious, mailing)
    assert now(cautious, mailing).watch_until is None
    until_it_waits(going)
    for _ in range(3):
        launch.advance(cautious, mailing)
    assert not now(cautious, mailing).watched
    with clock.freeze(clock.now() + timedelta(minutes=31)):
        for _ in range(3):
            launch.advance(cautious, mailing)
        after = now(cautious, mailing)
        assert (after.wave, after.watched, after.state) == (1, True, MailingState.SENDING)


def test_the_watch_does_not_begin_while_the_first_are_on_their_way(cautious: Project) -> None:
    """Nor while one of them came back and is to leave again."""
    mailing = live(cautious, planned(cautious))
    seen: list[object] = []

    def answer(unit: Unit) -> Result:
        launch.advance(cautious, mailing)
        seen.append(now(cautious, mailing).watch_until)
        verdict = Verdict.RETURNED if len(seen) == 1 else Verdict.ACCEPTED
        return Result(wait_seconds=0.01, receipts=tuple(
            Receipt(message_id=message.message_id, verdict=verdict) for message in unit.messages))

    until_it_waits(sending(cautious, mailing, Scripted(answer=answer)))
    assert seen == [None] * len(seen)
    assert now(cautious, mailing).watch_until is not None


@pytest.mark.parametrize("when", ["at-start", "in-the-watch"])
def test_now_is_everyone_at_once(cautious: Project, when: str) -> None:
    """``--now`` skips first wave and watch; given later it ends them."""
    mailing = live(cautious, planned(cautious))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    if when == "in-the-watch":
        until_it_waits(sending(cautious, mailing, transport))
        assert len(transport.addresses) == FIRST
    assert until_it_waits(sending(cautious, mailing, transport, now=True)) is None
    assert len(set(transport.addresses)) == CROWD


def test_a_list_no_longer_than_the_first_wave_has_none(project: Project) -> None:
    """There is no rest that a watch could protect."""
    cautious = configured(project, "launch", first=CROWD)
    mailing = live(cautious, planned(cautious))
    assert until_it_waits(sending(cautious, mailing, Scripted(answer=saying(Verdict.ACCEPTED)))) is None
    assert now(cautious, mailing).watch_until is None


def test_when_only_the_first_are_left_the_mailing_is_done(cautious: Project) -> None:
    """The rest left the list meanwhile, or was cancelled: nobody waits for a watch over nothing."""
    mailing = live(cautious, planned(cautious))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going = sending(cautious, mailing, transport)
    with cautious.store.writing() as connection:
        connection.execute(messages.update().where(messages.c.wave == 1).values(state="withdrawn"))
    assert until_it_waits(going) is None
    assert control.finish_if_done(cautious, mailing)


@pytest.mark.parametrize("practise", [False, True])
def test_practice_launches_when_asked(cautious: Project, practise: bool) -> None:
    """Practice mailings leave at once, unless somebody wants to see a launch."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    waiting = until_it_waits(sending(cautious, planned(cautious), transport, practise=practise))
    assert (waiting is not None, len(transport.addresses)) == (practise, FIRST if practise else CROWD)


def test_two_senders_that_start_it_at_once_launch_it_once(cautious: Project) -> None:
    """Each has chosen its first ones; those of one of them count."""
    mailing = live(cautious, planned(cautious))
    chosen = launch.opening(cautious, mailing)
    assert chosen is not None
    other = launch.Opening(first=tuple(set(ids(cautious, mailing)) - set(chosen.first)))
    with cautious.store.writing() as connection:
        launch.begin(connection, mailing, chosen)
    with cautious.store.writing() as connection:
        launch.begin(connection, mailing, other)
    assert in_wave(cautious, mailing, 0) == FIRST


def test_bad_news_in_the_watch_keep_the_rest_back(cautious: Project) -> None:
    """Four of thirty bounce: nothing more leaves when the watch is over, until staff say so; then everything does.

    The settings ask for a hundred messages before shares mean anything; of a smaller first wave half is enough.
    """
    mailing = live(cautious, planned(cautious))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going = sending(cautious, mailing, transport)
    until_it_waits(going)
    with cautious.store.reading() as connection:
        out = connection.execute(select(messages.c.id).where(messages.c.state == "accepted")).scalars().all()
    hear(cautious, mailing, EventKind.BOUNCED, out[:4])
    with clock.freeze(clock.now() + timedelta(minutes=31)):
        assert until_it_waits(going) is None
        found = now(cautious, mailing)
        assert (found.state, len(transport.addresses)) == (MailingState.PAUSED, FIRST)
        assert "4 of 30 letters bounced for good (13.3%; the limit is 3.0%)" in found.state_reason
        with pytest.raises(Refused, match=r"is paused: 4 of 30 letters bounced"):
            control.start(cautious, mailing.name, actor="test")
        control.resume(cautious, mailing.name)
        assert until_it_waits(sending(cautious, mailing, transport)) is None
    assert status(cautious, mailing.name).accepted == CROWD


def test_a_capped_domain_among_the_first_keeps_nobody_else_waiting(cautious: Project) -> None:
    """The watch begins when all others of the first are out; what the cap holds back leaves in its own time."""
    capped = configured(cautious, "limits", domains={"slow.example": 60.0})
    mailing = live(capped, planned(capped))
    going = sending(capped, mailing, Scripted(answer=saying(Verdict.ACCEPTED)))
    with capped.store.reading() as connection:
        first = connection.execute(select(messages.c.id).where(messages.c.wave == 0)).scalars().all()
    move_to(capped, first[:10], "slow.example")
    waiting = until_it_waits(going)
    assert waiting is not None
    assert "nothing more leaves until" in waiting.waiting
    assert status(capped, mailing.name).accepted == FIRST - 10 + 1
    with clock.freeze(clock.now() + timedelta(minutes=31)):
        waiting = until_it_waits(going)
        assert waiting is not None
        assert "slow.example gets at most" in waiting.waiting
    assert status(capped, mailing.name).accepted >= CROWD - 10 + 1


def test_two_workers_in_a_launch_do_not_lock_each_other_out(cautious: Project) -> None:
    """Four threads, as four workers: the watch begins once, ends once, and everybody gets one letter."""
    quick = configured(cautious, "launch", first=FIRST, watch_minutes=0.01)
    mailing = live(quick, planned(quick))
    transport = Scripted(answer=saying(Verdict.ACCEPTED), unit=5)
    Run(dispatch=sending(quick, mailing, transport))(4)
    assert len(set(transport.addresses)) == len(transport.addresses) == CROWD


def test_a_clock_that_was_put_back_does_not_make_a_watch_longer(cautious: Project) -> None:
    """A watch lasts as long as the settings say, at most."""
    mailing = live(cautious, planned(cautious))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    with clock.freeze(clock.now() + timedelta(days=2)):
        going = sending(cautious, mailing, transport)
        until_it_waits(going)
    until_it_waits(going)
    until = now(cautious, mailing).watch_until
    assert until is not None
    assert until - clock.now() <= timedelta(minutes=30)


def test_the_rest_is_spread_out_when_the_settings_say_so(project: Project) -> None:
    """Seventy over an hour, after thirty at once and the watch."""
    cautious = configured(project, "launch", first=FIRST, watch_minutes=0.0, spread_hours=1.0)
    mailing = live(cautious, planned(cautious))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going: Dispatch = sending(cautious, mailing, transport)
    waiting = until_it_waits(going)
    while waiting is not None and "spread" not in waiting.waiting:
        waiting = until_it_waits(going)
    assert waiting is not None
    assert waiting.result.wait_seconds == pytest.approx(3_600 / 70, abs=3)
    assert len(transport.addresses) == FIRST + 1


def test_letters_with_times_of_their_own_have_no_first_wave(cautious: Project) -> None:
    """Nobody's morning waits for the watch of another zone."""
    mailing = live(cautious, planned(cautious, due_at=lambda _person: clock.now() - timedelta(minutes=1)))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    assert until_it_waits(sending(cautious, mailing, transport)) is None
    assert len(transport.addresses) == CROWD
    assert now(cautious, mailing).watched
