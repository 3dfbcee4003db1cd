"""An apology goes to exactly those whom the mailing reached, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from pillarbox.ground import address, clock
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.ground.process import Worker
from pillarbox.mailings import check, control, live
from pillarbox.mailings.correct import Begun, correct
from pillarbox.mailings.planning import Planned
from pillarbox.mailings.reconcile import reconcile
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import MailingState, Verdict
from pillarbox.people import rights
from pillarbox.runner.local import Run
from pillarbox.store import claims, mailings, schema, waves
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from tests import projects
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying


@pytest.fixture
def written(project: Project) -> Project:
    """The letter of apology lies ready."""
    write(project.folder)
    return project


def write(folder: Path) -> None:
    home = folder / "appeals" / "harbour-correction"
    home.mkdir()
    (home / "appeal.toml").write_text('title = "A correction"\nsubject = "Correction"\nkind = "message"\n', "utf-8")
    (home / "letter.md").write_text("{{ supporter.salutation }},\n\nThe date was wrong. We are sorry.\n", "utf-8")


def send(project: Project, mailing: Mailing, answer: Callable[[Unit], Result] | None = None) -> list[str]:
    """Send it; who was in it."""
    transport = Scripted(answer=answer or saying(Verdict.ACCEPTED))
    Run(dispatch=dispatch(project, mailing, transport))(1)
    return sorted(transport.addresses)


def mixed(unit: Unit) -> Result:
    """Of every three one is accepted, one refused, one in doubt."""
    verdicts = (Verdict.ACCEPTED, Verdict.REFUSED, Verdict.UNKNOWN)
    return Result(receipts=tuple(Receipt(message_id=one.message_id, verdict=verdicts[one.message_id % 3], detail="x")
                                 for one in unit.messages))


def states(project: Project, mailing: Mailing) -> dict[str, str]:
    """Address → state."""
    with project.store.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(select(
            schema.messages.c.address, schema.messages.c.state).where(schema.messages.c.mailing_id == mailing.id))}


def test_it_goes_to_exactly_those_whom_it_reached(written: Project) -> None:
    """Accepted and in doubt; the refused never got it, and whoever left since gets nothing."""
    mailing = planned(written)
    send(written, mailing, mixed)
    reached = sorted(who for who, state in states(written, mailing).items() if state in ("accepted", "in_doubt"))
    gone, *reached = reached
    with written.store.writing() as connection:
        person = connection.execute(select(schema.supporters.c.address_hash).where(
            schema.supporters.c.address == gone)).scalar_one()
        connection.execute(schema.suppressions.insert().values(
            address_hash=person, reason="unsubscribed", source="test", since=clock.now()))
    done = correct(written, mailing.name)
    assert isinstance(done, Planned)
    apology = done.mailing
    assert (apology.corrects_id, apology.span_hours, apology.edition) == (mailing.id, 0, mailing.name)
    assert dict(apology.excluded) == {"unsubscribed": 1, "not-reached": CROWD - len(reached) - 1}
    assert apology.audience_size == CROWD
    assert send(written, apology) == reached


def test_twice_is_refused(written: Project) -> None:
    """One that was not sent is replaced; one that was sent is not sent again."""
    mailing = planned(written)
    send(written, mailing)
    correct(written, mailing.name)
    done = correct(written, mailing.name)
    assert isinstance(done, Planned)
    send(written, done.mailing)
    with pytest.raises(Refused, match="has been sent already"):
        correct(written, mailing.name)


def test_two_mailings_of_one_appeal_are_corrected_each(written: Project) -> None:
    """The same letter of apology serves another edition's people."""
    for label in ("spring", "summer"):
        mailing = planned(written, again=label)
        send(written, mailing)
        done = correct(written, mailing.name)
        assert isinstance(done, Planned)
        assert len(send(written, done.mailing)) == CROWD


def test_whoever_left_or_never_got_it_after_all_is_withdrawn(written: Project) -> None:
    """What was in doubt and is now taken as unsent needs no apology; the claim looks again."""
    mailing = planned(written)
    send(written, mailing, mixed)
    before = states(written, mailing)
    done = correct(written, mailing.name)
    assert isinstance(done, Planned)
    reconcile(written, mailing.name, assume="unsent", actor="Ada")
    assert send(written, done.mailing) == sorted(who for who, state in before.items() if state == "accepted")


def test_a_letter_of_apology_is_begun_and_cannot_be_planned_as_it_is(project: Project) -> None:
    """With hints where to write; nothing is planned before somebody did."""
    mailing = planned(project)
    send(project, mailing)
    begun = correct(project, mailing.name)
    assert isinstance(begun, Begun)
    assert begun.folder == Path("appeals", "harbour-correction")
    assert f"pillarbox correct {mailing.name}" in begun.sentence
    toml = (project.folder / begun.folder / "appeal.toml").read_text("utf-8")
    assert "Correction: our letter “A letter about the harbour”" in toml
    with pytest.raises(LetterError):
        correct(project, mailing.name)
    found = [one for one in check.check(project, begun.appeal).findings if one.level == "error"]
    assert found
    assert all("write_here_what_was_wrong" in one.message for one in found)
    letter = project.folder / begun.folder / "letter.md"
    letter.write_text(letter.read_text("utf-8").replace(
        "{{ write_here_what_was_wrong_and_what_is_right }}", "The date was wrong: it is the 10th."), "utf-8")
    done = correct(project, mailing.name)
    assert isinstance(done, Planned)
    assert done.mailing.planned == CROWD
    with project.store.reading() as connection:
        html = connection.execute(select(schema.shapes.c.html).where(
            schema.shapes.c.mailing_id == done.mailing.id).limit(1)).scalar_one()
    assert "The date was wrong" in html
    assert "Three short paragraphs" not in html


def test_a_named_letter_that_is_not_there_is_a_fault(project: Project) -> None:
    """``--appeal`` names staff's own folder: none is made."""
    mailing = planned(project)
    send(project, mailing)
    with pytest.raises(LetterError):
        correct(project, mailing.name, appeal="sorry")
    assert not (project.folder / "appeals" / "sorry").exists()


def test_a_mailing_that_may_still_leave_is_ended_first(written: Project) -> None:
    """Else some would get the wrong letter after the apology; paused or cancelled it can be corrected."""
    mailing = planned(written)
    with pytest.raises(Refused, match="reached nobody"):
        correct(written, mailing.name)
    submit(dispatch(written, mailing, Scripted(answer=saying(Verdict.ACCEPTED))))
    with pytest.raises(Refused, match="may still leave"):
        correct(written, mailing.name)
    control.pause(written, mailing.name, reason="wrong date")
    done = correct(written, mailing.name)
    assert isinstance(done, Planned)
    assert 0 < done.mailing.planned < CROWD
    control.cancel(written, mailing.name, reason="wrong date")
    again = correct(written, mailing.name)
    assert isinstance(again, Planned)
    assert again.mailing.planned == done.mailing.planned


def test_what_was_corrected_does_not_go_on(written: Project) -> None:
    """Whoever it reached after the apology was planned would get none; without an apology it may go on."""
    mailing = planned(written)
    submit(dispatch(written, mailing, Scripted(answer=saying(Verdict.ACCEPTED))))
    control.pause(written, mailing.name, reason="wrong date")
    done = correct(written, mailing.name)
    assert isinstance(done, Planned)
    with pytest.raises(Refused, match=f"{done.mailing.name} apologises for {mailing.name}"):
        control.resume(written, mailing.name)
    with written.store.reading() as connection:
        assert mailings.state(connection, mailing.id) is MailingState.PAUSED
    control.cancel(written, done.mailing.name, reason="nothing was wrong")
    assert control.resume(written, mailing.name).state is MailingState.PLANNED


def test_what_is_on_its_way_is_waited_for(written: Project) -> None:
    """A unit in flight when the mailing was paused: who is in it is not known yet."""
    mailing = planned(written)
    ready = dispatch(written, mailing, Scripted(answer=saying(Verdict.ACCEPTED)))
    submit(ready)
    with written.store.writing() as connection:
        group = waves.next_group(connection, mailing.id)
        assert group is not None
        claims.claim(connection, mailing.id, group, most=5, worker=str(Worker.this()),
                     lease_until=clock.now().replace(year=2999))
    control.pause(written, mailing.name, reason="wrong date")
    with pytest.raises(Refused, match="on their way"):
        correct(written, mailing.name)


def test_practice_needs_no_real_apology(written: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A practice mailing, and settings that are live now: nobody was mailed, so nobody is."""
    mailing = planned(written)
    send(written, mailing)
    settings = written.settings.model_copy(update={"project": written.settings.project.model_copy(
        update={"transport": "sendgrid"})})
    now_live = Project(id=written.id, folder=written.folder, settings=settings, store=written.store)
    monkeypatch.setattr(live, "refuse", lambda _: [])
    monkeypatch.setattr(address, "is_reserved", lambda _: False)
    with pytest.raises(Refused, match="nobody to apologise to"):
        correct(now_live, mailing.name)


def test_whoever_was_forgotten_gets_nothing(written: Project) -> None:
    """They are counted, and that is all."""
    mailing = planned(written)
    send(written, mailing)
    rights.forget(written.store, secret=written.secret, email="supporter3@example.org")
    done = correct(written, mailing.name)
    assert isinstance(done, Planned)
    assert dict(done.mailing.excluded) == {"forgotten": 1}
    assert done.mailing.state is MailingState.PLANNED


def test_the_ledger_of_the_first_mailing_is_untouched(written: Project) -> None:
    """A correction is a mailing of its own."""
    mailing = planned(written)
    send(written, mailing)
    before = states(written, mailing)
    done = correct(written, mailing.name)
    assert isinstance(done, Planned)
    send(written, done.mailing)
    assert states(written, mailing) == before
    assert projects.APPEAL in (written.folder / "appeals" / "harbour" / "appeal.toml").read_text("utf-8")
