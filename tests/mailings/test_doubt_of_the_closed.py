"""What comes back to a mailing that was closed, held or cancelled meanwhile is sent, or said; never forgotten."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import control, holding
from pillarbox.mailings.reconcile import reconcile
from pillarbox.mailings.status import Status, status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Result, Unit
from pillarbox.model.states import MailingState, MessageState, Verdict
from pillarbox.runner.local import Run
from pillarbox.runner.tick import tick
from pillarbox.store import audit, claims, mailings, messages
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying

ACCEPTING, LOSING = saying(Verdict.ACCEPTED), saying(Verdict.UNKNOWN, "the answer was lost")
IN_FIVE_HOURS = timedelta(hours=5)


def kept_at_sendgrid(project: Project, transport: Scripted) -> Mailing:
    """A mailing that was handed over, to be kept for five hours."""
    mailing = planned(project)
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, provider_batch="batch", send_at=clock.now() + IN_FIVE_HOURS)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    return mailing


def standing(project: Project, mailing: Mailing) -> Status:
    """How it stands."""
    return status(project, mailing.name)


def test_doubt_of_a_held_mailing_taken_as_unsent_is_handed_over_again(project: Project) -> None:
    """Before its time: nobody is left behind in a mailing that is later called sent."""
    mailing = kept_at_sendgrid(project, Scripted(answer=LOSING, unit=CROWD))
    assert standing(project, mailing).mailing.state is MailingState.HELD
    reconcile(project, mailing.name, assume="unsent", actor="Ada")
    assert standing(project, mailing).remaining == CROWD
    again = Scripted(answer=ACCEPTING)
    Run(dispatch=dispatch(project, mailing, again))(1)
    found = standing(project, mailing)
    assert (found.mailing.state, found.accepted, len(again.addresses)) == (MailingState.HELD, CROWD, CROWD)


def test_what_was_not_handed_over_is_not_called_sent_at_its_time(project: Project) -> None:
    """Whatever led there: a held mailing with messages left goes on, and says so."""
    mailing = kept_at_sendgrid(project, Scripted(answer=ACCEPTING))
    with project.store.writing() as connection:
        messages.change_state(connection, mailing.id, before=MessageState.ACCEPTED, after=MessageState.PLANNED,
                              detail="")
    with clock.freeze(clock.now() + IN_FIVE_HOURS + timedelta(minutes=1)):
        assert holding.release(project) == []
    assert standing(project, mailing).mailing.state is MailingState.SENDING


def test_a_taking_back_that_died_half_way_hands_nothing_more_over(project: Project,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled at SendGrid while it was being handed over, then killed: nothing goes where it would be discarded."""
    mailing = kept_at_sendgrid(project, Scripted(answer=ACCEPTING))
    with project.store.writing() as connection:
        mailings.move(connection, mailing.id, before=(MailingState.HELD,), after=MailingState.SENDING)

    class Dying:
        def cancel_batch(self, _batch: str) -> None:
            raise KeyboardInterrupt

        def batch_is_cancelled(self, _batch: str) -> bool:
            return True

    monkeypatch.setattr(holding, "_sendgrid", lambda _project: nullcontext(Dying()))
    with pytest.raises(KeyboardInterrupt):
        holding.cancel(project, mailing.name, reason="wrong")
    assert standing(project, mailing).mailing.state is MailingState.PAUSED
    with pytest.raises(Refused, match="may have"):
        control.resume(project, mailing.name)
    with clock.freeze(clock.now() + IN_FIVE_HOURS + timedelta(minutes=1)):
        holding.release(project)
    found = standing(project, mailing)
    assert (found.mailing.state, found.cancelled) == (MailingState.CANCELLED, CROWD)


def test_a_mailing_that_left_by_itself_waits_for_staff_after_their_decision(project: Project) -> None:
    """Sent with --at, in doubt, taken as unsent: no worker sends it again before somebody says `send`."""
    mailing = planned(project)
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, send_at=clock.now() - timedelta(minutes=1), send_by="staff")
    Run(dispatch=dispatch(project, mailing, Scripted(answer=LOSING, unit=CROWD)))(1)
    assert standing(project, mailing).mailing.state is MailingState.SENT
    reconcile(project, mailing.name, assume="unsent", actor="Ada")
    done = tick(project, worker="test")
    found = standing(project, mailing)
    assert (found.mailing.state, found.mailing.send_at, done.sendable) == (MailingState.PLANNED, None, [])


def test_a_late_answer_keeps_back_what_staff_took_as_unsent(project: Project) -> None:
    """The sender slept, was taken for dead, staff decided; then it tells that the letters went: none goes twice."""
    mailing = planned(project)
    once: list[int] = []

    def while_it_sleeps(unit: Unit) -> Result:
        if not once:
            once.append(unit.attempt_id)
            with project.store.writing() as connection:
                claims.bury(connection, mailing.id, unit.attempt_id, state=MessageState.IN_DOUBT, detail="dead")
            reconcile(project, mailing.name, assume="unsent", actor="Ada")
        return ACCEPTING(unit)

    sender = Scripted(answer=while_it_sleeps)
    Run(dispatch=dispatch(project, mailing, sender))(1)
    assert standing(project, mailing).accepted == len(sender.addresses) == len(set(sender.addresses)) == CROWD


def test_what_comes_back_to_a_cancelled_mailing_is_cancelled_at_once(project: Project) -> None:
    """In the same transaction: a sender that is killed right after it leaves nobody planned in a dead mailing."""
    mailing = planned(project)

    def cancelled_meanwhile(unit: Unit) -> Result:
        control.cancel(project, mailing.name, reason="the wrong letter")
        return saying(Verdict.RETURNED, "too many requests", wait_seconds=60.0)(unit)

    submit(dispatch(project, mailing, Scripted(answer=cancelled_meanwhile)))
    found = standing(project, mailing)
    assert (found.mailing.state, found.cancelled, found.remaining) == (MailingState.CANCELLED, CROWD, 0)


@pytest.mark.postgres
def test_a_decision_and_the_closing_see_each_other(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Staff decide while the last sender closes the mailing: it is not called sent with letters left in it."""
    if project.store.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    mailing = planned(project)
    ready = dispatch(project, mailing, Scripted(answer=LOSING, unit=CROWD))
    while submit(ready) is not None:
        pass
    record, closing = audit.record, list[threading.Thread]()

    def slowly(*given: Any, **more: Any) -> None:
        closing.append(threading.Thread(target=control.finish_if_done, args=(project, mailing)))
        closing[0].start()
        time.sleep(1)
        record(*given, **more)

    monkeypatch.setattr(audit, "record", slowly)
    reconcile(project, mailing.name, assume="unsent", actor="Ada")
    closing[0].join()
    found = standing(project, mailing)
    assert (found.mailing.state, found.remaining) == (MailingState.SENDING, CROWD)
