"""A claim of which the database did not say that it was committed is undone: nothing of it left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Connection, update

from pillarbox.ground.errors import StoreError
from pillarbox.mailings import claiming, control
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.states import MailingState, Verdict
from pillarbox.store import mailings
from pillarbox.store.connect import Store
from pillarbox.store.project import Project
from pillarbox.store.schema import attempts
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying


@dataclass
class Mute:
    """A store that commits, and then cannot say so: as many times as told."""

    store: Store
    times: list[StoreError] = field(default_factory=list)
    before: Any = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; its commit is not answered."""
        with self.store.writing() as connection:
            yield connection
        if self.times:
            fault = self.times.pop()
            if self.before:
                self.before()
            raise fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def mute(project: Project, going: Dispatch, *times: StoreError, before: Any = None) -> Dispatch:
    """The same dispatch through a store that falls silent."""
    return replace(going, project=replace(project, store=Mute(project.store, list(times), before)))  # type: ignore[arg-type]


def gone() -> StoreError:
    """What a database that stopped looks like."""
    return StoreError("The database went away.", retry=True)


def test_a_claim_whose_commit_was_not_answered_is_planned_again(project: Project) -> None:
    """Nothing was posted, and only this sender knows it: no doubt, everybody still to go, and they go later."""
    mailing = planned(project)
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    going = dispatch(project, mailing, transport)
    with pytest.raises(StoreError):
        submit(mute(project, going, gone()))
    assert transport.units == []
    found = status(project, mailing.name)
    assert (found.remaining, found.in_doubt) == (CROWD, 0)
    with project.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM messages WHERE state = 'submitting'").scalar() == 0
    while submit(going):
        pass
    assert sorted(transport.addresses) == sorted(set(transport.addresses))
    assert len(transport.addresses) == CROWD


def test_while_the_database_stays_away_nothing_is_guessed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives up after its patience: the unit stays its own, and is in doubt when its lease is over."""
    monkeypatch.setattr(claiming, "DATABASE_BACK_SECONDS", 0.0)
    monkeypatch.setattr(claiming, "DATABASE_PAUSE_SECONDS", 0.0)
    mailing = planned(project)
    going = dispatch(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED)))

    def rolled_back() -> None:
        raise gone()

    silent = mute(project, going, gone())
    store: Any = silent.project.store
    real, calls = store.writing, []

    @contextmanager
    def away_after_the_first() -> Iterator[Connection]:
        calls.append(1)
        if len(calls) > 1:
            rolled_back()
        with real() as connection:
            yield connection

    store.writing = away_after_the_first
    with pytest.raises(StoreError):
        submit(silent)
    with project.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM messages WHERE state = 'submitting'").scalar() > 0


def test_an_attempt_of_another_sender_is_left_alone(project: Project) -> None:
    """The id alone says nothing: with another lease it is somebody else's, and on its way."""
    mailing = planned(project)
    going = dispatch(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED)))

    def somebody_elses() -> None:
        with project.store.writing() as connection:
            connection.execute(update(attempts).values(worker="another:1:1"))

    with pytest.raises(StoreError):
        submit(mute(project, going, gone(), before=somebody_elses))
    with project.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM messages WHERE state = 'submitting'").scalar() > 0


def test_what_comes_back_to_a_cancelled_mailing_is_cancelled(project: Project) -> None:
    """Cancelled at the very moment: nothing stays planned in it."""
    mailing = planned(project)
    going = dispatch(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED)))
    with pytest.raises(StoreError):
        submit(mute(project, going, gone(), before=lambda: control.cancel(project, mailing.name, reason="by staff")))
    found = status(project, mailing.name)
    with project.store.reading() as connection:
        assert mailings.find(connection, mailing.name).state is MailingState.CANCELLED
    assert (found.remaining, found.cancelled) == (0, CROWD)
