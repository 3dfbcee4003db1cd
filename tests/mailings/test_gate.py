"""What the gate lets pass: warm-up, caps of recipient domains, a rest that is spread out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from pillarbox.ground import clock
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import Verdict
from pillarbox.runner.local import Run
from pillarbox.store import mailings
from pillarbox.store.project import Project
from pillarbox.store.schema import messages, quotas, throttles
from tests.mailings.conftest import CROWD, Scripted, planned, saying
from tests.mailings.launching import configured, ids, live, move_to, sending, until_it_waits

NOON = datetime(2026, 12, 10, 12, 0, tzinfo=UTC)


def domains(unit: Unit, project: Project) -> set[str]:
    """The recipient domains of a unit, as the ledger has them."""
    with project.store.reading() as connection:
        return set(connection.execute(select(messages.c.domain).where(
            messages.c.id.in_([message.message_id for message in unit.messages]))).scalars())


def test_a_domain_at_its_cap_is_passed_over(project: Project) -> None:
    """Five may leave to it now; all others leave; its other messages are neither taken nor lost."""
    capped = configured(project, "limits", domains={"slow.example": 300.0})
    mailing = planned(project)
    move_to(project, ids(project, mailing)[:60], "slow.example")
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    waiting = until_it_waits(sending(capped, mailing, transport))
    assert waiting is not None
    assert "slow.example gets at most 300 an hour" in waiting.waiting
    assert 50 < waiting.result.wait_seconds <= 60
    found = status(project, mailing.name)
    assert (found.accepted, found.remaining) == (5 + CROWD - 60, 55)
    assert [len(unit.messages) for unit in transport.units if domains(unit, project) == {"slow.example"}] == [5]
    with project.store.reading() as connection:
        assert not connection.execute(messages.select().where(messages.c.state == "submitting")).all()


def test_every_domain_has_a_cap_of_its_own(project: Project) -> None:
    """Two capped domains and the rest: each gets its share; what was given back of an emptied one is found again."""
    capped = configured(project, "limits", domains={"a.example": 360_000.0, "b.example": 360_000.0})
    mailing = planned(project)
    everyone = ids(project, mailing)
    move_to(project, everyone[:1], "a.example")
    move_to(project, everyone[1:20], "b.example")
    came_back: list[int] = []

    def answer(unit: Unit) -> Result:
        if everyone[0] in {message.message_id for message in unit.messages} and not came_back:
            came_back.append(1)
            return Result(receipts=tuple(Receipt(message_id=message.message_id, verdict=Verdict.RETURNED)
                                         for message in unit.messages), wait_seconds=0.1)
        return saying(Verdict.ACCEPTED)(unit)

    transport = Scripted(answer=answer)
    Run(dispatch=sending(capped, mailing, transport))(2)
    assert came_back
    assert status(project, mailing.name).accepted == CROWD
    assert all(len(domains(unit, project)) == 1 for unit in transport.units)


def test_the_warm_up_plan_grows_day_by_day(project: Project) -> None:
    """Thirty on the first day, fifty on the second, then no cap of ours; the day is the charity's."""
    warm = configured(project, "limits", warm_up=(30, 50))
    mailing = live(project, planned(project))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going = sending(warm, mailing, transport, now=True)
    with clock.freeze(NOON):
        waiting = until_it_waits(going)
        assert waiting is not None
        assert "day 1 of the warm-up plan" in waiting.waiting
        assert waiting.result.wait_seconds == pytest.approx(12 * 3600)  # London keeps UTC in December
        assert len(transport.addresses) == 30
    with clock.freeze(NOON + timedelta(days=30)):  # a day on which nothing left is no day of the plan
        assert until_it_waits(going) is not None
        assert len(transport.addresses) == 80
    with clock.freeze(NOON + timedelta(days=31)):
        assert until_it_waits(going) is None
        assert len(transport.addresses) == CROWD


def test_what_did_not_leave_is_not_counted_against_the_warm_up(project: Project) -> None:
    """A provider that is busy for a moment does not eat the day's messages."""
    warm = configured(project, "limits", warm_up=(30,))
    mailing = live(project, planned(project))
    transport = Scripted(answer=saying(Verdict.RETURNED, wait_seconds=0.01))
    going = sending(warm, mailing, transport, now=True)
    with clock.freeze(NOON):
        for _ in range(3):
            submit(going)
        transport.answer = saying(Verdict.ACCEPTED)
        until_it_waits(going)
    assert status(project, mailing.name).accepted == 30
    with project.store.reading() as connection:
        assert connection.execute(select(quotas.c.used)).scalars().all() == [30]


def test_practice_neither_obeys_nor_counts_for_the_warm_up(project: Project) -> None:
    """Nobody's mailbox learns anything from practice."""
    warm = configured(project, "limits", warm_up=(30,))
    assert until_it_waits(sending(warm, planned(project), Scripted(answer=saying(Verdict.ACCEPTED)))) is None
    with project.store.reading() as connection:
        assert not connection.execute(quotas.select()).all()


def test_the_rest_is_spread_out(project: Project) -> None:
    """A hundred over a thousand seconds: three in half a minute, then a wait."""
    mailing = planned(project)
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going = sending(project, mailing, transport)
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, spread_seconds=1_000.0)
    waiting = until_it_waits(going)
    assert waiting is not None
    assert "spread out" in waiting.waiting
    assert len(transport.addresses) == 3
    assert waiting.result.wait_seconds == pytest.approx(30, abs=3)


def test_without_limits_no_limit_is_kept(project: Project) -> None:
    """No row, no lock, no look at a clock."""
    until_it_waits(sending(project, planned(project), Scripted(answer=saying(Verdict.ACCEPTED))))
    with project.store.reading() as connection:
        assert not connection.execute(throttles.select()).all()
        assert not connection.execute(quotas.select()).all()


def test_practice_does_not_use_up_what_live_mailings_may(project: Project) -> None:
    """The project's limit holds for both, each by itself."""
    slow = configured(project, "limits", per_second=0.1)
    assert until_it_waits(sending(slow, planned(project), Scripted(answer=saying(Verdict.ACCEPTED)))) is not None
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    until_it_waits(sending(slow, live(project, planned(project)), transport, now=True))
    assert len(transport.addresses) == 1


def test_a_domain_nobody_is_left_at_does_not_end_the_run(project: Project) -> None:
    """One capped domain is empty, another is full: it waits for that, and does not take the mailing for done."""
    capped = configured(project, "limits", domains={"empty.example": 60.0, "slow.example": 60.0})
    mailing = planned(project)
    move_to(project, ids(project, mailing), "slow.example")
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    waiting = until_it_waits(sending(capped, mailing, transport))
    assert waiting is not None
    assert "slow.example" in waiting.waiting
    assert len(transport.addresses) == 1
