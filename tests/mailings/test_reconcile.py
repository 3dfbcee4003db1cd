"""Doubt is settled by events, by SendGrid's own record, by staff; in that order, and nothing on a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.events.apply import apply
from pillarbox.ground import clock
from pillarbox.ground.address import keyed_hash
from pillarbox.ground.errors import Refused
from pillarbox.mailings import control
from pillarbox.mailings.reconcile import reconcile
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Event, Result, Unit
from pillarbox.model.states import Basis, EventKind, MailingState, Verdict
from pillarbox.people.intake import import_list
from pillarbox.runner.local import Run
from pillarbox.standin.behaviour import Act, Behaviour, Fault, Stage
from pillarbox.standin.server import Standin
from pillarbox.store import schema
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from tests import projects
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying

LOST = "the answer was lost"


def in_doubt(project: Project) -> Mailing:
    """A mailing that was handed over whole, without an answer."""
    mailing = planned(project)
    Run(dispatch=dispatch(project, mailing, Scripted(answer=saying(Verdict.UNKNOWN, LOST), unit=CROWD)))(1)
    assert status(project, mailing.name).in_doubt == CROWD
    return mailing


def rows(project: Project, *columns: Any) -> list[Any]:
    """Columns of messages, oldest first."""
    with project.store.reading() as connection:
        return list(connection.execute(select(*columns).order_by(schema.messages.c.id)))


def delivered(message_id: int, address: str, attempt_id: int | None, *, minutes: int = 1) -> Event:
    """SendGrid says that a message was delivered."""
    name = f"{message_id}-{attempt_id}-{minutes}"
    return Event(kind=EventKind.DELIVERED, at=clock.now() + timedelta(minutes=minutes), provider="sendgrid",
                 provider_event_id=name, fingerprint=keyed_hash(name, b"print"), message_id=message_id,
                 attempt_id=attempt_id, provider_id=f"sg-{attempt_id}", address=address, raw="{}")


def notices(project: Project) -> list[str]:
    """What staff are told."""
    with project.store.reading() as connection:
        return list(connection.execute(select(schema.notices.c.words).order_by(schema.notices.c.id)).scalars())


def audited(project: Project) -> list[tuple[str, dict[str, Any]]]:
    """Who reconciled, and what."""
    with project.store.reading() as connection:
        return [tuple(row) for row in connection.execute(select(schema.audit.c.actor, schema.audit.c.detail).where(
            schema.audit.c.action == "reconcile").order_by(schema.audit.c.id))]


def test_nothing_in_doubt_is_refused(project: Project) -> None:
    """A sentence; not even the audit log changes."""
    mailing = planned(project)
    with pytest.raises(Refused, match="it is known whether it went"):
        reconcile(project, mailing.name)
    with pytest.raises(Refused, match="it is known whether it went"):
        reconcile(project, mailing.name, assume="unsent", actor="Ada")
    assert audited(project) == []
    assert status(project, mailing.name).remaining == CROWD


def test_a_decision_has_a_name(project: Project) -> None:
    """Blank is nobody."""
    mailing = in_doubt(project)
    with pytest.raises(Refused, match="--by NAME"):
        reconcile(project, mailing.name, assume="sent", actor="  ")
    assert status(project, mailing.name).in_doubt == CROWD


@pytest.mark.parametrize("assume", ["sent", "unsent"])
def test_who_decided_stands_with_message_and_audit(project: Project, assume: Any) -> None:
    """And what is taken as sent went when its attempt began, not when somebody decided."""
    mailing = in_doubt(project)
    with clock.freeze(clock.now() + timedelta(hours=3)):
        done = reconcile(project, mailing.name, assume=assume, actor="Ada Staff")
    assert (dict(done.ways), done.in_doubt, done.by) == ({"events": 0, "search": 0, "staff": CROWD}, 0, "Ada Staff")
    assert bool(done.warning) == (assume == "unsent")
    assert audited(project) == [("Ada Staff", {"assume": assume, "messages": CROWD})]
    for detail, accepted in rows(project, schema.messages.c.detail, schema.messages.c.accepted_at):
        assert detail.startswith(f"taken as {assume} by Ada Staff, ")
        assert (accepted is not None) == (assume == "sent")
        assert accepted is None or accepted < clock.now()
    found = status(project, mailing.name)
    assert (found.accepted, found.remaining) == ((CROWD, 0) if assume == "sent" else (0, CROWD))


def test_events_that_were_heard_before_the_doubt_settle_it(project: Project) -> None:
    """As after a restore: the event is in the table, the message in doubt."""
    mailing = in_doubt(project)
    message_id, address, attempt = rows(project, schema.messages.c.id, schema.messages.c.address,
                                        schema.messages.c.attempt_id)[0]
    apply(project.store, [delivered(message_id, address, attempt)], secret=project.secret)
    with project.store.writing() as connection:
        connection.execute(schema.messages.update().where(schema.messages.c.id == message_id).values(state="in_doubt"))
    done = reconcile(project, mailing.name)
    assert (done.ways["events"], done.in_doubt) == (1, CROWD - 1)


def test_what_lost_our_ids_and_came_early_is_tied_when_a_run_ends(project: Project) -> None:
    """An event without them, before the receipt that brings SendGrid's id, finds its message."""
    mailing = planned(project)

    def answer(unit: Unit) -> Result:
        name = f"sg-{unit.attempt_id}"
        early = Event(kind=EventKind.BLOCKED, at=clock.now(), provider="sendgrid", provider_event_id=name,
                      fingerprint=name, message_id=None, attempt_id=None, provider_id=name, raw="{}",
                      address=unit.messages[0].address)
        apply(project.store, [early], secret=project.secret)
        accepted = saying(Verdict.ACCEPTED)(unit)
        return replace(accepted, receipts=tuple(replace(one, provider_id=name) for one in accepted.receipts))

    transport = Scripted(answer=answer)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    assert status(project, mailing.name).outcomes["blocked"] == len(transport.units)


def test_an_event_about_what_was_taken_as_unsent_keeps_it_back(project: Project) -> None:
    """Planned again, then an event proves that it went: it is not sent again, and there is nothing to alarm about."""
    mailing = in_doubt(project)
    first = rows(project, schema.messages.c.id, schema.messages.c.address, schema.messages.c.attempt_id)
    reconcile(project, mailing.name, assume="unsent", actor="Ada")
    kept = first[:30]
    applied = apply(project.store, [delivered(*row) for row in kept], secret=project.secret)
    assert applied.alarms == ()
    again = Scripted(answer=saying(Verdict.ACCEPTED))
    Run(dispatch=dispatch(project, mailing, again))(1)
    assert len(again.addresses) == CROWD - 30
    assert not set(again.addresses) & {row.address for row in kept}
    found = status(project, mailing.name)
    assert (found.accepted, found.mailing.state) == (CROWD, MailingState.SENT)
    later = [delivered(*row, minutes=5) for row in kept]
    assert apply(project.store, later, secret=project.secret).alarms == ()


def test_an_event_about_what_was_sent_again_alarms(project: Project) -> None:
    """Once a message, with a notice to staff; the events of the second sending alarm nobody."""
    mailing = in_doubt(project)
    first = rows(project, schema.messages.c.id, schema.messages.c.address, schema.messages.c.attempt_id)
    reconcile(project, mailing.name, assume="unsent", actor="Ada")
    Run(dispatch=dispatch(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED))))(1)
    second = rows(project, schema.messages.c.id, schema.messages.c.address, schema.messages.c.attempt_id)
    assert apply(project.store, [delivered(*row) for row in second], secret=project.secret).alarms == ()
    alarms = apply(project.store, [delivered(*row) for row in first[:2]], secret=project.secret).alarms
    assert [(alarm.message_id, alarm.twice) for alarm in alarms] == [(row.id, True) for row in first[:2]]
    assert apply(project.store, [delivered(*row, minutes=9) for row in first[:2]], secret=project.secret).alarms == ()
    [words] = notices(project)
    assert "2 of these supporters got the letter twice" in words
    assert status(project, mailing.name).accepted == CROWD


def test_an_event_while_it_is_sent_again_alarms_and_is_believed(project: Project) -> None:
    """The second sending is in flight: too late to hold it back, not too late to say so."""
    mailing = in_doubt(project)
    first = rows(project, schema.messages.c.id, schema.messages.c.address, schema.messages.c.attempt_id)
    reconcile(project, mailing.name, assume="unsent", actor="Ada")
    told: list[Any] = []

    def answer(unit: Any) -> Any:
        told.extend(apply(project.store, [delivered(*row) for row in first if row.id in {
            one.message_id for one in unit.messages}], secret=project.secret).alarms)
        return saying(Verdict.UNKNOWN, LOST)(unit)

    ready = dispatch(project, mailing, Scripted(answer=answer))
    submit(ready)
    assert {alarm.twice for alarm in told} == {True}
    assert status(project, mailing.name).accepted == len(told)


# ------------------------------------------------------------------------------------------------ SendGrid's record


def sending(tmp_path: Path, request: pytest.FixtureRequest, server: Standin) -> Project:
    """A project of a hundred that sends to this local SendGrid."""
    made = projects.make(tmp_path / "project", transport="sendgrid")
    monkeypatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv("PILLARBOX_SENDGRID_URL", server.url)
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.stand-in")
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    return filled(open_project(made.folder), tmp_path)


def filled(project: Project, tmp_path: Path) -> Project:
    """The list of a hundred."""
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(CROWD))
    import_list(project.store, secret=project.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    return project


CUT = {1: Fault(act=Act.CLOSE, stage=Stage.AFTER_ACCEPTING), 2: Fault(act=Act.CLOSE, stage=Stage.AFTER_READING)}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def cut_off(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A project whose first batch arrived at SendGrid and whose second did not, both without an answer."""
    with Standin(Behaviour(activity=True, activity_limit=100, faults=CUT)) as server:
        project = sending(tmp_path, request, server)
        mailing = planned(project)
        transport = choose_transport(project.settings)
        ready = dispatch(project, mailing, transport)  # type: ignore[arg-type]
        submit(ready)
        submit(ready)
        transport.close()
        yield server, project, mailing.name
        project.close()


def test_sendgrids_record_settles_what_arrived(cut_off: Any) -> None:
    """What is found is sent, with its id and the time of its attempt; what is not found stays in doubt."""
    server, project, name = cut_off
    arrived = {one.address for one in server.messages}
    doubt = status(project, name).in_doubt
    assert 0 < len(arrived) < doubt
    done = reconcile(project, name)
    assert (done.ways["search"], done.in_doubt, done.search_said) == (len(arrived), doubt - len(arrived), "")
    m = schema.messages.c
    settled = [row for row in rows(project, m.address, m.state, m.provider_id, m.detail, m.accepted_at)
               if row.state == "accepted"]
    assert {row.address for row in settled} == arrived
    assert {row.provider_id for row in settled} == {server.messages[0].request_id}
    assert {row.detail for row in settled} == {"found in SendGrid's message search"}
    assert all(row.accepted_at <= datetime.now(UTC) for row in settled)
    assert [actor for actor, _ in audited(project)] == ["message search"]


def test_without_the_add_on_staff_are_told_and_go_on(cut_off: Any) -> None:
    """A sentence, no fault; their decision is taken in the same breath."""
    server, project, name = cut_off
    object.__setattr__(server.behaviour, "activity", False)
    done = reconcile(project, name)
    assert "does not have the message search" in done.search_said
    assert done.in_doubt == status(project, name).in_doubt > 0
    done = reconcile(project, name, assume="sent", actor="Ada")
    assert done.in_doubt == 0
    assert done.ways["staff"] > 0


def test_after_a_search_staff_decide_about_the_rest_alone(cut_off: Any) -> None:
    """``--assume unsent`` does not touch what SendGrid has: everyone gets the letter once."""
    server, project, name = cut_off
    done = reconcile(project, name, assume="unsent", actor="Ada")
    assert done.ways["search"] > 0
    assert done.ways["staff"] > 0
    transport = choose_transport(project.settings)
    Run(dispatch=dispatch(project, status(project, name).mailing, transport))(1)  # type: ignore[arg-type]
    transport.close()
    found = server.counts()
    assert (found["personalizations"], found["addresses"], found["duplicates"]) == (CROWD, CROWD, 0)


def test_a_mailing_by_another_way_is_not_looked_for(project: Project) -> None:
    """The settings say files now: SendGrid is not asked."""
    mailing = in_doubt(project)
    with project.store.writing() as connection:
        connection.execute(schema.mailings.update().values(transport="sendgrid"))
    assert reconcile(project, mailing.name).search_said == ""


def test_doubt_in_a_cancelled_mailing_says_who_decided(project: Project) -> None:
    """Cancelled for good, and the name is not lost."""
    mailing = in_doubt(project)
    with project.store.writing() as connection:
        connection.execute(schema.mailings.update().values(state=MailingState.SENDING))
    control.cancel(project, mailing.name, reason="wrong picture")
    reconcile(project, mailing.name, assume="unsent", actor="Ada")
    assert {(row.state, row.detail[:23]) for row in rows(project, schema.messages.c.state, schema.messages.c.detail)
            } == {("cancelled", "taken as unsent by Ada,")}
