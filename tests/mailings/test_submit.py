"""Intent is recorded before the act, and what is not known is never sent on a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, TransportError
from pillarbox.mailings import control
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.mailings.dispatch import batch_size
from pillarbox.mailings.reconcile import reconcile
from pillarbox.mailings.status import Status, status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import SuppressionReason, Verdict
from pillarbox.runner.local import Run
from pillarbox.store import claims, suppressions, waves
from pillarbox.store.project import Project
from pillarbox.store.schema import attempts, consents, messages, supporters
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying


def balanced(project: Project, name: str) -> Status:
    """The mailing's status; the states add up."""
    found = status(project, name)
    assert (found.accepted + found.failed + found.in_doubt + found.cancelled + found.withdrawn + found.remaining
            == found.mailing.planned == CROWD)
    return found


def test_a_mailing_is_sent_once_to_everyone(project: Project) -> None:
    """Several threads share the work; nobody is met twice, nobody is passed over, and a second send is refused."""
    mailing = planned(project)
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    Run(dispatch=dispatch(project, mailing, transport))(4)
    assert sorted(transport.addresses) == sorted(f"supporter{n}@example.org" for n in range(CROWD))
    assert balanced(project, mailing.name).accepted == CROWD
    with pytest.raises(Refused, match="has been sent already"):
        control.start(project, mailing.name, actor="test")


def test_a_unit_has_one_shape_and_one_tracking_choice(project: Project) -> None:
    """Those who agreed to tracking never travel with those who did not."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    Run(dispatch=dispatch(project, planned(project), transport))(1)
    agreed = {f"supporter{n}@example.org" for n in range(0, CROWD, 3)}
    for unit in transport.units:
        assert {message.address in agreed for message in unit.messages} == {unit.tracked}
    assert len({unit.shape.id for unit in transport.units}) == 2


def test_whoever_left_since_planning_is_not_written_to(project: Project) -> None:
    """Unsubscribed, consent withdrawn, tracking withdrawn: looked at again in the claim itself."""
    mailing = planned(project)
    with project.store.writing() as connection:
        rows = connection.execute(select(supporters.c.id, supporters.c.address, supporters.c.address_hash)
                                  .order_by(supporters.c.id).limit(4)).all()
        suppressions.add(connection, address_hash=rows[1].address_hash, address=None, since=clock.now(),
                         reason=SuppressionReason.UNSUBSCRIBED, source="test")
        connection.execute(update(consents).where(consents.c.supporter_id == rows[2].id, consents.c.channel == "email")
                           .values(basis="none"))
        connection.execute(update(consents).where(consents.c.supporter_id == rows[0].id,
                                                  consents.c.channel == "tracking").values(basis="none"))
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    Run(dispatch=dispatch(project, mailing, transport))(2)
    assert not {row.address for row in rows[:3]} & set(transport.addresses)
    found = balanced(project, mailing.name)
    assert (found.accepted, found.withdrawn) == (CROWD - 3, 3)
    with project.store.reading() as connection:
        why = connection.execute(select(messages.c.detail).where(messages.c.state == "withdrawn")).scalars()
        assert sorted(why) == ["no-consent", "tracking-withdrawn", "unsubscribed"]


def test_intent_is_on_record_before_the_act(project: Project) -> None:
    """At the moment of sending, the ledger already says which messages are on their way, in whose name."""
    seen = []

    def look(unit: Unit) -> Result:
        with project.store.reading() as connection:
            seen.append(connection.execute(select(messages.c.id).where(
                messages.c.state == "submitting", messages.c.attempt_id == unit.attempt_id)
                .order_by(messages.c.id)).scalars().all())
        return saying(Verdict.ACCEPTED)(unit)

    transport = Scripted(answer=look)
    submit(dispatch(project, planned(project), transport))
    assert seen == [[message.message_id for message in transport.units[0].messages]]


def test_unknown_is_in_doubt_and_never_sent_again_by_itself(project: Project) -> None:
    """A lost answer: those messages wait for the truth, the others go on."""
    answers = iter([saying(Verdict.UNKNOWN, "the answer was lost")])
    transport = Scripted(answer=lambda unit: next(answers, saying(Verdict.ACCEPTED))(unit))
    mailing = planned(project)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    found = balanced(project, mailing.name)
    doubted = len(transport.units[0].messages)
    assert (found.in_doubt, found.accepted) == (doubted, CROWD - doubted)
    assert len(transport.addresses) == len(set(transport.addresses)) == CROWD
    assert found.details == {"the answer was lost": doubted}


def test_staff_settle_doubt_and_it_is_recorded(project: Project) -> None:
    """``--assume unsent`` opens the mailing again for exactly those; ``--assume sent`` closes them."""
    answers = iter([saying(Verdict.UNKNOWN), saying(Verdict.UNKNOWN)])
    transport = Scripted(answer=lambda unit: next(answers, saying(Verdict.ACCEPTED))(unit))
    mailing = planned(project)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    doubted = {message.address for unit in transport.units[:2] for message in unit.messages}
    transport.units.clear()
    assert reconcile(project, mailing.name, assume="unsent").settled == len(doubted)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    assert set(transport.addresses) == doubted
    assert balanced(project, mailing.name).accepted == CROWD
    with pytest.raises(Refused, match="in doubt"):
        reconcile(project, mailing.name, assume="sent")


def test_refused_fails_with_the_providers_words(project: Project) -> None:
    """A message that surely was not taken and never will be."""
    def answer(unit: Unit) -> Result:
        good = saying(Verdict.ACCEPTED)(unit).receipts[1:]
        return Result(receipts=(Receipt(message_id=unit.messages[0].message_id, verdict=Verdict.REFUSED,
                                        detail="Does not contain a valid address."), *good))

    transport = Scripted(answer=answer)
    mailing = planned(project)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    found = balanced(project, mailing.name)
    assert found.failed == len(transport.units)
    assert list(found.details) == ["Does not contain a valid address."]


def test_a_wrong_key_in_mid_send_stops_at_once(project: Project) -> None:
    """Nothing is marked sent, the reason is kept, and the next send continues."""
    transport = Scripted(answer=saying(Verdict.RETURNED, "401", stop="SendGrid refused the API key."))
    mailing = planned(project)
    run = Run(dispatch=dispatch(project, mailing, transport))
    run(1)
    assert run.stopped_because == "SendGrid refused the API key."
    assert len(transport.units) == 1
    assert balanced(project, mailing.name).remaining == CROWD
    assert status(project, mailing.name).mailing.state_reason == "SendGrid refused the API key"
    control.resume(project, mailing.name)
    transport.answer = saying(Verdict.ACCEPTED)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    assert balanced(project, mailing.name).accepted == CROWD


def test_a_provider_that_cannot_be_reached_ends_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five tries in a row, then a sentence; everything is still planned."""
    monkeypatch.setattr("pillarbox.runner.local._FIRST_PAUSE_SECONDS", 0.001)
    transport = Scripted(answer=saying(Verdict.RETURNED, "connection refused", unreachable=True))
    mailing = planned(project)
    run = Run(dispatch=dispatch(project, mailing, transport))
    run(1)
    assert "5 tries in a row failed: connection refused" in run.stopped_because
    assert (len(transport.units), balanced(project, mailing.name).remaining) == (5, CROWD)


def test_a_mailbox_that_stays_busy_fails_alone(project: Project) -> None:
    """One by one: a temporary refusal is tried three times, then fails with its words; the others are sent."""
    def answer(unit: Unit) -> Result:
        busy = unit.messages[0].address == "supporter7@example.org"
        return saying(Verdict.RETURNED if busy else Verdict.ACCEPTED, "450 busy" if busy else "")(unit)

    transport = Scripted(answer=answer, unit=1)
    mailing = planned(project)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    found = balanced(project, mailing.name)
    assert (found.failed, found.accepted, found.details) == (1, CROWD - 1, {"450 busy": 1})
    assert transport.addresses.count("supporter7@example.org") == 3
    assert {len(unit.messages) for unit in transport.units} == {1}


def test_our_own_fault_before_the_act_leaves_the_unit_planned(project: Project) -> None:
    """A transport that raises before it did anything costs nothing."""
    def answer(unit: Unit) -> Result:
        raise TransportError("No folder to write to.")

    mailing = planned(project)
    with pytest.raises(TransportError):
        Run(dispatch=dispatch(project, mailing, Scripted(answer=answer)))(1)
    assert balanced(project, mailing.name).remaining == CROWD


def test_a_transport_that_breaks_in_mid_act_leaves_doubt(project: Project) -> None:
    """Nobody knows how far it came, so nothing is assumed."""
    def answer(unit: Unit) -> Result:
        raise ZeroDivisionError

    mailing = planned(project)
    with pytest.raises(ZeroDivisionError):
        Run(dispatch=dispatch(project, mailing, Scripted(answer=answer)))(1)
    found = balanced(project, mailing.name)
    assert found.in_doubt > 0
    assert found.in_doubt + found.remaining == CROWD


def _abandon(project: Project, transport: Scripted) -> tuple[str, int]:
    """A unit whose worker died after the claim: its attempt is the ledger's only trace."""
    mailing = planned(project)
    ready = dispatch(project, mailing, transport)
    with project.store.writing() as connection:
        group = waves.next_group(connection, mailing.id)
        assert group is not None
        _, held = claims.claim(connection, mailing.id, group, most=20,
                                        worker="elsewhere:boot:1:1", lease_until=clock.now() + timedelta(seconds=60))
    assert ready.mailing.name == mailing.name
    return mailing.name, held


@pytest.mark.parametrize(("repeatable", "state"), [(False, "in_doubt"), (True, "remaining")])
def test_a_dead_lease_becomes_doubt_or_plan(project: Project, repeatable: bool, state: str) -> None:
    """Before the lease ends the unit is left alone; after it, doubt, or planned again where repeating is harmless."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    name, held = _abandon(project, transport)
    mailing = status(project, name).mailing
    assert bury_the_dead(project, mailing, repeatable=repeatable) == 0
    with clock.freeze(clock.now() + timedelta(seconds=61)):
        assert bury_the_dead(project, mailing, repeatable=repeatable) == held
    found = balanced(project, name)
    assert getattr(found, state) == (held if state == "in_doubt" else CROWD)


def test_a_zombie_that_wakes_up_heals_its_own_doubt_only(project: Project) -> None:
    """Late receipts settle what is in doubt in that attempt's name; what staff gave to another stays."""
    name, held = _abandon(project, Scripted(answer=saying(Verdict.ACCEPTED)))
    mailing = status(project, name).mailing
    with project.store.reading() as connection:
        attempt_id = connection.execute(select(attempts.c.id)).scalar_one()
        ids = connection.execute(select(messages.c.id).where(messages.c.state == "submitting")).scalars().all()
    with clock.freeze(clock.now() + timedelta(seconds=61)):
        bury_the_dead(project, mailing, repeatable=False)
    receipts = [Receipt(message_id=number, verdict=Verdict.ACCEPTED, provider_id="x") for number in ids]
    with project.store.writing() as connection:
        assert claims.settle(connection, attempt_id, receipts) == held
    assert balanced(project, name).accepted == held
    with project.store.writing() as connection:
        assert claims.settle(connection, attempt_id, receipts) == 0


def test_pause_and_cancel_take_hold_in_mid_send(project: Project) -> None:
    """From another terminal: what is in flight finishes, nothing more starts."""
    mailing = planned(project)

    def answer(unit: Unit) -> Result:
        control.pause(project, mailing.name, reason="wrong picture")
        return saying(Verdict.ACCEPTED)(unit)

    transport = Scripted(answer=answer)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    assert balanced(project, mailing.name).accepted == len(transport.units[0].messages)
    with pytest.raises(Refused, match="is paused: wrong picture"):
        control.start(project, mailing.name, actor="test")
    control.resume(project, mailing.name)
    control.cancel(project, mailing.name, reason="for good")
    assert balanced(project, mailing.name).remaining == 0


@pytest.mark.parametrize(("planned_count", "unit", "size"),
                         [(200, 1000, 100), (10_000, 1000, 200), (100_000, 1000, 1000), (100_000, 1, 1),
                          (50, 100, 100)])
def test_batches_fit_the_list(planned_count: int, unit: int, size: int) -> None:
    """One crash never puts a large part of a small list in doubt."""
    assert batch_size(planned_count, unit) == size


def test_the_sender_is_the_one_of_the_plan(project: Project) -> None:
    """Settings that change between plan and send change neither From nor the way out of a letter."""
    mailing = planned(project)
    settings = project.settings
    other = settings.model_copy(update={
        "sender": settings.sender.model_copy(update={"name": "Another Trust", "email": "x@other.example"}),
        "project": settings.project.model_copy(update={"base_url": "https://other.example"})})
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    submit(dispatch(replace(project, settings=other), mailing, transport))
    envelope = transport.units[0].envelope
    assert (envelope.from_name, envelope.from_email) == (settings.sender.name, settings.sender.email)
    assert "other.example" not in envelope.base_url
