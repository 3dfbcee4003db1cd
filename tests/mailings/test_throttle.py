"""Limits hold: in numbers, over processes, on both engines."""

from __future__ import annotations

import threading
import time

import pytest

from pillarbox.mailings import control
from pillarbox.mailings.status import status
from pillarbox.mailings.throttle import SECOND, Limit
from pillarbox.model.records import Result, Unit
from pillarbox.model.states import Verdict
from pillarbox.runner.local import Run
from pillarbox.store.project import Project
from pillarbox.store.schema import messages
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying
from tests.mailings.launching import configured


def limit(per_second: float, grain: float = SECOND) -> Limit:
    """A limit of no name."""
    return Limit(name="x", per_second=per_second, grain=grain, why="")


@pytest.mark.parametrize(("rate", "most"), [(10, 10), (0.2, 1), (2.7, 2), (5_000, 5_000)])
def test_a_unit_is_what_the_rate_brings_in_a_second(rate: float, most: int) -> None:
    """At 10 a second ten leave every second, not a thousand every hundred; at least one leaves."""
    assert limit(rate).most == most


def test_who_comes_while_it_is_not_paid_waits_until_it_is() -> None:
    """Ten messages at ten a second are paid for after a second."""
    one = limit(10)
    paid = one.paid(10, now=1_000.0)
    assert [one.wait(paid, now) for now in (1_000.0, 1_000.4, 1_001.0, 1_500.0)] == pytest.approx([1.0, 0.6, 0, 0])


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_costs_one_unit_at_most(jump: float) -> None:
    """Back: nobody waits a day. Ahead: nothing is saved up, so what follows is as slow as ever."""
    one = limit(10)
    paid = one.paid(10, now=1_000_000.0)
    now = 1_000_000.0 + jump
    assert one.wait(paid, now) <= 1.0
    assert one.wait(one.paid(10, now), now) == pytest.approx(1.0)


def test_a_mailing_goes_no_faster_than_its_rate(project: Project) -> None:
    """A hundred at fifty a second, by four threads: never more than fifty and one unit in any second."""
    mailing = planned(project)
    moments: list[tuple[float, int]] = []

    def answer(unit: Unit) -> Result:
        moments.append((time.monotonic(), len(unit.messages)))
        return saying(Verdict.ACCEPTED)(unit)

    transport = Scripted(answer=answer, unit=20)
    started = dispatch(project, mailing, transport)
    control.start(project, mailing.name, actor="test", per_second=50)
    Run(dispatch=started)(4)
    assert status(project, mailing.name).accepted == CROWD
    for begin, _ in moments:
        assert sum(size for at, size in moments if begin <= at < begin + 1) <= 50 + 20
    assert moments[-1][0] - moments[0][0] >= (CROWD - 20) / 50 * 0.9


def test_one_who_waits_holds_nothing_and_wakes_for_stop(project: Project) -> None:
    """Nobody is claimed while the limit is used up; a stop in the middle of a long wait is obeyed at once."""
    mailing = planned(project)
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    started = dispatch(configured(project, "limits", per_second=0.01), mailing, transport)
    told: list[str] = []
    run = Run(dispatch=started, on_wait=told.append)
    thread = threading.Thread(target=run, args=(2,))
    thread.start()
    end = time.monotonic() + 60
    # The second asks while the first may still be on its way.
    while not (told and status(project, mailing.name).accepted) and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.05)
    assert told
    found = status(project, mailing.name)
    assert (found.accepted, found.remaining) == (1, CROWD - 1)
    with project.store.reading() as connection:
        assert connection.execute(messages.select().where(messages.c.state == "submitting")).all() == []
    began = time.monotonic()
    run.stopping.set()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - began < 4
    assert "per_second" in told[0]
