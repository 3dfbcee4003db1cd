"""Submitting when this process slept, when others hold the rows, and when the database is away for a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.ground.errors import StoreError
from pillarbox.mailings import control
from pillarbox.mailings import submit as submitting
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Result, Unit
from pillarbox.model.states import MailingState, MessageState, Verdict
from pillarbox.store import claims, waves
from pillarbox.store.project import Project
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying


def test_a_sender_that_slept_past_its_lease_sends_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between claim and act, woken after the lease: others may have decided, so the unit goes back unsent."""
    mailing = planned(project)
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    ready = dispatch(project, mailing, transport)
    claim, asleep = submitting.claim, []

    def and_sleep(of: Dispatch) -> object:
        claimed = claim(of)
        if not asleep:
            asleep.append(1)
            moment = clock.now() + timedelta(seconds=transport.lease_seconds + 1)
            monkeypatch.setattr(clock, "now", lambda: moment)
        return claimed

    monkeypatch.setattr(submitting, "claim", and_sleep)
    submit(ready)
    assert transport.units == []
    found = status(project, mailing.name)
    assert (found.accepted, found.in_doubt) == (0, 0)
    assert found.remaining == CROWD


def test_what_a_late_sleeper_brings_back_is_sent_after_all(project: Project) -> None:
    """Taken for dead while it slept, the rest sent and the mailing closed: what it then returns makes it open again."""
    mailing = planned(project)
    sent = Scripted(answer=saying(Verdict.ACCEPTED))
    ready = dispatch(project, mailing, sent)
    once: list[int] = []

    def while_it_sleeps(unit: Unit) -> Result:
        if not once:
            once.append(unit.attempt_id)
            with project.store.writing() as connection:
                claims.bury(connection, mailing.id, unit.attempt_id, state=MessageState.IN_DOUBT, detail="dead")
            while submit(ready) is not None:
                pass
            assert control.finish_if_done(project, mailing)
            return saying(Verdict.RETURNED)(unit)
        return saying(Verdict.ACCEPTED)(unit)

    submit(replace(ready, transport=Scripted(answer=while_it_sleeps)))
    found = status(project, mailing.name)
    assert (found.mailing.state, found.in_doubt) == (MailingState.SENDING, 0)
    assert found.remaining > 0
    while submit(ready) is not None:
        pass
    assert status(project, mailing.name).accepted == CROWD
    assert control.finish_if_done(project, mailing)
    assert len(sent.addresses) == len(set(sent.addresses)) == CROWD


@pytest.mark.postgres
def test_rows_in_others_hands_do_not_end_a_sender(project: Project) -> None:
    """PostgreSQL: the next group's rows are being claimed by another; there is still work, so this sender goes on."""
    if project.store.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    mailing = planned(project)
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    ready = dispatch(project, mailing, transport)
    with project.store.writing() as connection:
        group = waves.next_group(connection, mailing.id)
        assert group
        claims.claim(connection, mailing.id, group, most=1_000, worker="other",
                       lease_until=clock.now())
        assert submit(ready) is not None


def test_what_the_provider_said_is_written_when_the_database_is_back(
        project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart of the database between act and record does not put in doubt what is known."""
    mailing = planned(project)
    away = threading.Event()
    transport = Scripted(answer=lambda unit: (away.set(), saying(Verdict.ACCEPTED)(unit))[1])
    ready = dispatch(project, mailing, transport)
    store = project.store
    real = type(store).writing

    @contextmanager
    def writing(of: object) -> Iterator[Connection]:
        if away.is_set():
            away.clear()
            raise StoreError("The database is restarting.", retry=True)
        with real(of) as connection:  # type: ignore[arg-type]
            yield connection

    monkeypatch.setattr(type(store), "writing", writing)
    submit(ready)
    assert status(project, mailing.name).accepted == len(transport.addresses)
