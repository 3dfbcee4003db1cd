"""A mailing pauses itself when something is wrong, says why in numbers, and tells staff once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, event, select

from pillarbox.events.apply import RECEIVED
from pillarbox.ground import clock
from pillarbox.mailings import brakes, control
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import EventKind, MailingState, Verdict
from pillarbox.reports import details
from pillarbox.runner.local import Run
from pillarbox.store import brakes as brake_table
from pillarbox.store import claims, mailings, waves
from pillarbox.store import events as event_table
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import audit, messages, notices
from pillarbox.store.waves import Group
from tests.mailings.conftest import CROWD, Scripted, planned, saying
from tests.mailings.launching import configured, hear, ids, move_to, now, sending, until_it_waits


@pytest.fixture
def strict(project: Project) -> Project:
    """Shares mean something from fifty messages on."""
    return configured(project, "brakes", least=50, rejected_batches=3)


def test_bad_news_is_found_by_its_mailing(strict: Project) -> None:
    """Asked for with every batch: by an index that holds nothing else, not among a million opens."""
    store = strict.store
    if not store.is_sqlite:
        pytest.skip("PostgreSQL's planner walks through tables as small as these")
    seen: list[tuple[str, Any]] = []
    event.listen(store.reader, "before_cursor_execute", lambda _c, _u, said, given, _x, _m: seen.append((said, given)))
    with store.reading() as connection:
        brake_table.cases(connection, 1)
        details.donation_pages(connection, 1)
        asked = [one for one in seen if "FROM events" in one[0]]
        for said, given in asked:
            steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given)]
            assert any("USING INDEX ix_events_telling (mailing_id=? AND kind=?)" in step for step in steps), steps
    assert len(asked) == 2


def accepting(unit: Unit) -> Result:
    """SendGrid's answer: accepted, under an id of its own."""
    return Result(receipts=tuple(Receipt(message_id=message.message_id, verdict=Verdict.ACCEPTED, provider_id="sg")
                                 for message in unit.messages))


def handed_over(project: Project) -> Mailing:
    """A mailing of which most has been handed over, and which is still being sent."""
    mailing = planned(project)
    transport = Scripted(answer=accepting, unit=20)
    going = sending(project, mailing, transport)
    while len(transport.addresses) < 80:
        submit(going)
    return now(project, mailing)


def out(project: Project, mailing: Mailing) -> list[int]:
    """The messages that were handed over."""
    with project.store.reading() as connection:
        return list(connection.execute(select(messages.c.id).where(
            messages.c.mailing_id == mailing.id, messages.c.state == "accepted").order_by(messages.c.id)).scalars())


def told(project: Project) -> list[str]:
    """What staff are told."""
    with project.store.reading() as connection:
        return [row.words for row in connection.execute(notices.select())]


@pytest.mark.parametrize(("kind", "words"), [
    (EventKind.BOUNCED, "letters bounced for good"),
    (EventKind.COMPLAINED, "supporters complained of it as spam"),
    (EventKind.BLOCKED, "letters to example.org were turned away there"),
])
def test_too_large_a_share_pauses_it(strict: Project, kind: EventKind, words: str) -> None:
    """Bounces, complaints, blocks at a domain: paused, with the numbers, and staff are told once."""
    mailing = handed_over(strict)
    assert brakes.look(strict, mailing) == ""
    sent = out(strict, mailing)
    hear(strict, mailing, kind, sent[:5], domain="example.org")
    why = brakes.look(strict, mailing)
    assert why.startswith(f"5 of {len(sent)} {words}")
    found = now(strict, mailing)
    assert (found.state, found.state_reason) == (MailingState.PAUSED, why)
    brakes.look(strict, mailing)
    assert len(told(strict)) == 1
    assert why in told(strict)[0]
    with strict.store.reading() as connection:
        assert connection.execute(select(audit.c.actor).where(audit.c.action == "pause")).scalars().all() == ["brakes"]


@pytest.mark.parametrize(("kind", "count"), [
    (EventKind.BOUNCED, 2), (EventKind.COMPLAINED, 1), (EventKind.BLOCKED, 3), (EventKind.DEFERRED, 40)])
def test_a_small_share_does_not(strict: Project, kind: EventKind, count: int) -> None:
    """Below the limits; one complaint alone; and what is only put off."""
    mailing = handed_over(strict)
    hear(strict, mailing, kind, out(strict, mailing)[:count], domain="example.org")
    assert brakes.look(strict, mailing) == ""
    assert now(strict, mailing).state is MailingState.SENDING


def test_shares_of_a_few_mean_nothing(project: Project) -> None:
    """Before as many were handed over as the settings ask for, nobody looks at shares."""
    careful = configured(project, "brakes", least=CROWD)
    mailing = handed_over(careful)
    hear(careful, mailing, EventKind.BOUNCED, out(careful, mailing)[:40])
    assert brakes.look(careful, mailing) == ""


def test_a_message_counts_once_and_only_in_its_mailing(strict: Project) -> None:
    """The same bounce told often is one; other mailings' bounces are theirs."""
    mailing = handed_over(strict)
    for _ in range(5):
        hear(strict, mailing, EventKind.BOUNCED, out(strict, mailing)[:1])
    other = handed_over(strict)
    hear(strict, other, EventKind.BOUNCED, out(strict, other)[:20])
    assert brakes.look(strict, mailing) == ""
    assert "20 of" in brakes.look(strict, other)


def test_blocks_elsewhere_do_not_count_at_a_domain(strict: Project) -> None:
    """Ten blocks, one at each of ten domains, say nothing of any of them."""
    mailing = planned(strict)
    move_to(strict, ids(strict, mailing)[:20], "few.example")
    until_it_waits(sending(strict, mailing, Scripted(answer=accepting)))
    for number, message_id in enumerate(ids(strict, mailing)[20:30]):
        hear(strict, mailing, EventKind.BLOCKED, [message_id], domain=f"d{number}.example")
    hear(strict, mailing, EventKind.BLOCKED, ids(strict, mailing)[:10], domain="few.example")
    assert brakes.look(strict, mailing) == ""


def test_what_staff_accepted_does_not_stop_it_again(strict: Project) -> None:
    """After resume the old numbers are accepted; much worse ones are not."""
    mailing = handed_over(strict)
    sent = out(strict, mailing)
    hear(strict, mailing, EventKind.BOUNCED, sent[:4])
    assert brakes.look(strict, mailing)
    control.resume(strict, mailing.name)
    control.start(strict, mailing.name, actor="test")
    assert brakes.look(strict, mailing) == ""
    hear(strict, mailing, EventKind.BOUNCED, sent[4:6])
    assert brakes.look(strict, mailing) == ""
    hear(strict, mailing, EventKind.BOUNCED, sent[6:8])
    assert "8 of" in brakes.look(strict, mailing)
    with strict.store.reading() as connection:
        noted: Any = connection.execute(select(audit.c.detail).where(audit.c.action == "resume")).scalar_one()
    assert noted["accepted"]["hard_bounces"] == pytest.approx(4 / len(sent))


def test_accepting_bounces_is_not_accepting_complaints(strict: Project) -> None:
    """Each brake is accepted by itself."""
    mailing = handed_over(strict)
    hear(strict, mailing, EventKind.BOUNCED, out(strict, mailing)[:20])
    assert brakes.look(strict, mailing)
    control.resume(strict, mailing.name)
    control.start(strict, mailing.name, actor="test")
    hear(strict, mailing, EventKind.COMPLAINED, out(strict, mailing)[:2])
    assert "complained" in brakes.look(strict, mailing)


def test_batches_refused_in_a_row_pause_it(strict: Project) -> None:
    """Three batches refused whole: it stops before the whole list is refused; one accepted between begins anew."""
    mailing = planned(strict)
    transport = Scripted(answer=saying(Verdict.REFUSED, "The content is not allowed."), unit=10)
    going = sending(strict, mailing, transport)
    submit(going)
    submit(going)
    transport.answer = saying(Verdict.ACCEPTED)
    submit(going)
    transport.answer = saying(Verdict.REFUSED, "The content is not allowed.")
    submit(going)
    submit(going)
    assert brakes.look(strict, mailing) == ""
    submit(going)
    why = brakes.look(strict, mailing)
    assert "refused the last 3 batches one after another (The content is not allowed)" in why
    control.resume(strict, mailing.name)
    control.start(strict, mailing.name, actor="test")
    assert brakes.look(strict, mailing) == "", "refusals before the resuming are accepted"


def test_what_a_provider_said_of_all_holds_for_all_workers(strict: Project) -> None:
    """A key that is refused pauses the mailing in the act's own record: no other worker claims after it."""
    mailing = planned(strict)
    transport = Scripted(answer=saying(Verdict.RETURNED, "401", stop="SendGrid does not accept the API key (401)."))
    Run(dispatch=sending(strict, mailing, transport))(1)
    found = now(strict, mailing)
    assert (found.state, found.state_reason) == (MailingState.PAUSED, "SendGrid does not accept the API key (401)")
    assert "API key" in told(strict)[0]
    assert status(strict, mailing.name).remaining == CROWD


def test_a_run_looks_while_it_sends(strict: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounces that are heard in mid-send stop it before the list is through."""
    monkeypatch.setattr(brakes, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(brakes, "_LOOKING_SHARE", 1e9)
    mailing = planned(strict)

    def answer(unit: Unit) -> Any:
        hear(strict, mailing, EventKind.BOUNCED, [message.message_id for message in unit.messages][:2])
        return saying(Verdict.ACCEPTED)(unit)

    transport = Scripted(answer=answer, unit=10)
    Run(dispatch=sending(strict, mailing, transport))(1)
    assert now(strict, mailing).state is MailingState.PAUSED
    assert 50 <= len(transport.addresses) < CROWD


class Listening:
    """A project whose mailings go by SendGrid, with the webhook set up."""

    def __init__(self, project: Project) -> None:
        self.project = configured(project, "sendgrid", webhook_key=SecretStr("a public key"))
        self.mailing = handed_over(self.project)
        with project.store.writing() as connection:
            mailings.change(connection, self.mailing.id, transport="sendgrid")
        self.mailing = now(project, self.mailing)

    def hears(self) -> None:
        """Some event of SendGrid, about whatever."""
        with self.project.store.writing() as connection:
            event_table.mark(connection, RECEIVED.format(provider="sendgrid"), clock.now())


@pytest.fixture
def listening(project: Project) -> Listening:
    """Handed over a moment ago, and nothing heard yet."""
    return Listening(project)


def test_silence_after_something_was_handed_over(listening: Listening) -> None:
    """Not one event in half an hour: the webhook may lead nowhere."""
    assert brakes.look(listening.project, listening.mailing) == ""
    with clock.freeze(clock.now() + timedelta(minutes=31)):
        assert "nothing has been heard from SendGrid yet" in brakes.look(listening.project, listening.mailing)
        control.resume(listening.project, listening.mailing.name)
        control.start(listening.project, listening.mailing.name, actor="test")
        assert brakes.look(listening.project, listening.mailing) == ""


def test_no_silence_while_something_is_heard(listening: Listening) -> None:
    """An event after the last batch is enough; so are settings that ask for none."""
    with clock.freeze(clock.now() + timedelta(minutes=10)):
        listening.hears()
    with clock.freeze(clock.now() + timedelta(hours=5)):
        assert brakes.look(listening.project, listening.mailing) == ""


@pytest.mark.parametrize(("section", "values"), [
    ("brakes", {"silence_minutes": 0.0}), ("project", {"home": "laptop"}),
    ("sendgrid", {"webhook_key": SecretStr("")})])
def test_where_no_events_are_expected_silence_is_no_sign(listening: Listening, section: str,
                                                         values: dict[str, object]) -> None:
    """No webhook, the Laptop home, or switched off."""
    deaf = configured(listening.project, section, **values)
    with clock.freeze(clock.now() + timedelta(hours=5)):
        assert brakes.look(deaf, listening.mailing) == ""


def _next(connection: Connection, mailing: Mailing) -> Group:
    found = waves.next_group(connection, mailing.id)
    assert found is not None
    return found


def test_batches_of_which_nobody_is_sure_pause_it(strict: Project) -> None:
    """A provider that is ill does not put the whole list in doubt; a sender that died says nothing of the provider."""
    careful = configured(strict, "brakes", unsure_batches=3)
    mailing = planned(careful)
    transport = Scripted(answer=saying(Verdict.UNKNOWN, "SendGrid answered 500."), unit=10)
    going = sending(careful, mailing, transport)
    submit(going)
    submit(going)
    transport.answer = accepting
    submit(going)
    transport.answer = saying(Verdict.UNKNOWN, "SendGrid answered 500.")
    submit(going)
    submit(going)
    with careful.store.writing() as connection:  # a kill -9 in mid-send
        claims.claim(connection, mailing.id, _next(connection, mailing), most=10, worker="dead",
                     lease_until=clock.now() - timedelta(seconds=1))
    assert bury_the_dead(careful, mailing, repeatable=False) == 10
    assert now(careful, mailing).state is MailingState.SENDING
    submit(going)
    found = now(careful, mailing)  # at once, not when it is next looked
    assert found.state is MailingState.PAUSED
    assert found.state_reason.startswith("of the last 3 batches nobody is sure")
    assert found.state_reason.endswith("took them (SendGrid answered 500)")
    assert status(careful, mailing.name).remaining >= 30
    control.resume(careful, mailing.name)
    control.start(careful, mailing.name, actor="test")
    assert brakes.look(careful, mailing) == "", "doubt before the resuming is accepted"


def test_in_the_watch_a_few_at_a_domain_are_enough(project: Project) -> None:
    """No domain has half of the first wave: else the watch would never see that one turns everybody away."""
    first = configured(configured(project, "brakes", least=100), "launch", first=80, watch_minutes=30)
    mailing = planned(first)
    move_to(first, ids(first, mailing), "many.example")
    until_it_waits(sending(first, mailing, Scripted(answer=accepting), practise=True))
    sent = out(first, mailing)
    move_to(first, sent[:12], "few.example")
    hear(first, mailing, EventKind.BLOCKED, sent[:2], domain="few.example")
    assert brakes.look(first, mailing).startswith("2 of 12 letters to few.example were turned away there")
