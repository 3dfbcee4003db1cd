"""The reins of a mailing, pulled at awkward moments."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pillarbox.ground.errors import Refused
from pillarbox.mailings import control, refusals
from pillarbox.mailings.reconcile import reconcile
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Result, Unit
from pillarbox.model.states import MailingState, Verdict
from pillarbox.runner.local import Run
from pillarbox.store.project import Project
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying


def while_in_flight(project: Project, name: str, then: Callable[[Unit], Result]) -> Callable[[Unit], Result]:
    """An answer during which somebody cancels the mailing."""
    def answer(unit: Unit) -> Result:
        if status(project, name).mailing.state is MailingState.SENDING:
            control.cancel(project, name, reason="wrong picture")
        return then(unit)

    return answer


def test_what_comes_back_to_a_cancelled_mailing_is_cancelled(project: Project) -> None:
    """A unit that the provider sent back after the cancel does not wait for ever for a sending that never comes."""
    mailing = planned(project)
    busy = Scripted(answer=while_in_flight(project, mailing.name, saying(Verdict.RETURNED, wait_seconds=0.01)))
    Run(dispatch=dispatch(project, mailing, busy))(1)
    found = status(project, mailing.name)
    assert (found.cancelled, found.remaining) == (CROWD, 0)


def test_those_whom_a_cancelled_mailing_never_reached_can_be_planned_again(project: Project) -> None:
    """Even when the sender died before it could tidy up: a message that came back holds no place in the edition."""
    mailing = planned(project, again="spring")
    busy = Scripted(answer=while_in_flight(project, mailing.name, saying(Verdict.RETURNED)))
    submit(dispatch(project, mailing, busy))
    assert planned(project, again="spring").planned == CROWD


def test_doubt_in_a_cancelled_mailing_is_settled_as_cancelled(project: Project) -> None:
    """``--assume unsent`` does not plan messages of a mailing that will never be sent."""
    mailing = planned(project)
    lost = Scripted(answer=while_in_flight(project, mailing.name, saying(Verdict.UNKNOWN, "no answer")))
    Run(dispatch=dispatch(project, mailing, lost))(1)
    assert status(project, mailing.name).in_doubt
    reconcile(project, mailing.name, assume="unsent")
    found = status(project, mailing.name)
    assert (found.cancelled, found.remaining, found.in_doubt) == (CROWD, 0, 0)


def test_a_run_that_did_not_end_its_mailing_says_why(project: Project) -> None:
    """Paused, cancelled, or the rest in another's hands; nothing to say of one that is done."""
    mailing = planned(project)
    assert "another process" in refusals.why_unfinished(mailing, 40)
    assert refusals.why_unfinished(mailing, 0) == ""
    assert "the picture" in refusals.why_unfinished(control.pause(project, mailing.name, reason="the picture"), CROWD)
    assert "for good" in refusals.why_unfinished(control.cancel(project, mailing.name, reason="for good"), 0)


def test_the_newest_mailing_is_meant_when_none_is_named(project: Project) -> None:
    """``status`` alone answers for what was planned last; before that, in words."""
    with pytest.raises(Refused, match="has been planned"):
        status(project)
    planned(project)
    newest = planned(project)
    assert status(project).mailing.name == newest.name


def test_a_run_that_was_paused_and_resumed_says_that_it_waits_to_go_on(project: Project) -> None:
    """Nobody else holds what is left: `send`, or a worker, has to take it up."""
    mailing = planned(project)
    submit(dispatch(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED))))
    control.pause(project, mailing.name, reason="a look")
    resumed = control.resume(project, mailing.name)
    why = refusals.why_unfinished(resumed, 60)
    assert "60 messages are still to go" in why
    assert f"`pillarbox send {mailing.name}`" in why
