"""Events are taken in once, in any order, all or nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from pillarbox.events.apply import Applied, apply, tie_late
from pillarbox.events.matching import match
from pillarbox.ground import clock
from pillarbox.ground.address import keyed_hash
from pillarbox.model.records import Event
from pillarbox.model.states import (
    Agent,
    Basis,
    Channel,
    EventKind,
    Kind,
    MessageState,
    Outcome,
    SuppressionReason,
)
from pillarbox.people import rights
from pillarbox.store import events as table
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SECRET, SENT_AT

ALICE = "alice@example.org"


def an_event(kind: EventKind, message_id: int | None, *, seconds: int = 60, address: str = ALICE, url: str = "",
             **fields: Any) -> Event:
    """An event of SendGrid's about Alice's message, ``seconds`` after it was sent."""
    name = f"{kind}-{message_id}-{seconds}-{address}-{url}"
    return Event(**{
        "kind": kind, "at": SENT_AT + timedelta(seconds=seconds), "provider": "sendgrid",
        "provider_event_id": name, "fingerprint": keyed_hash(name, b"print"), "message_id": message_id,
        "attempt_id": None, "provider_id": "", "address": address, "url": url, "raw": "{}", **fields})


def take_in(store: Store, *events: Event) -> Applied:
    return apply(store, events, secret=SECRET)


def letter(store: Store, state: MessageState = MessageState.ACCEPTED, *, address: str = ALICE, **columns: Any) -> int:
    """One message to Alice in a mailing of its own."""
    with store.writing() as connection:
        return builders.message(connection, builders.mailing(connection),
                                builders.supporter(connection, address), state=state, **columns)


def column(store: Store, *columns: Any) -> list[Any]:
    """What stands in these columns, in the order of the rows' keys."""
    with store.reading() as connection:
        rows = connection.execute(select(*columns).order_by(*columns[0].table.primary_key))
        return [tuple(row) if len(columns) > 1 else row[0] for row in rows]


def test_a_delivery_shows_on_the_message(store: Store) -> None:
    """A delivered event gives its message that outcome, and is kept with its mailing and domain."""
    message = letter(store)
    assert take_in(store, an_event(EventKind.DELIVERED, message)) == Applied(new=1)
    assert column(store, schema.messages.c.outcome) == [Outcome.DELIVERED]
    assert column(store, schema.events.c.message_id, schema.events.c.mailing_id, schema.events.c.domain) == [
        (message, 1, "example.org")]


def test_a_repeat_counts_once(store: Store) -> None:
    """The same event in one post, in two posts, or under another event id is one event."""
    event = an_event(EventKind.DELIVERED, letter(store))
    assert take_in(store, event, event) == Applied(new=1, repeated=1)
    assert take_in(store, event) == Applied(repeated=1)
    assert take_in(store, event._replace(provider_event_id="another")) == Applied(repeated=1)
    assert take_in(store, event._replace(fingerprint="another")) == Applied(repeated=1)
    assert len(column(store, schema.events.c.id)) == 1


def test_events_without_an_id_are_told_apart(store: Store) -> None:
    """A provider that gives no event id still reports more than one event."""
    message = letter(store)
    pair = [an_event(kind, message, provider_event_id="") for kind in (EventKind.DELIVERED, EventKind.OPENED)]
    assert take_in(store, *pair) == Applied(new=2)
    assert take_in(store, *pair) == Applied(repeated=2)


def test_a_long_file_is_one_act(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """More events than one statement can hold are taken in bit by bit, all in one transaction."""
    monkeypatch.setattr("pillarbox.events.apply.CHUNK", 7)
    message = letter(store)
    many = [an_event(EventKind.OPENED, message, seconds=number) for number in range(20)]
    assert take_in(store, *many, many[0]) == Applied(new=20, repeated=1)
    naive = many[0]._replace(fingerprint="other", provider_event_id="other", at=datetime(2026, 1, 1))  # noqa: DTZ001
    more = [an_event(EventKind.CLICKED, message, seconds=number) for number in range(20)]
    with pytest.raises(Exception, match="aware"):
        take_in(store, *more, naive)
    assert len(column(store, schema.events.c.id)) == 20


def test_several_posts_at_once(store: Store) -> None:
    """Posts that share events and messages, at the same moment, wait for each other and lose nothing."""
    message = letter(store, MessageState.IN_DOUBT)
    told = [an_event(kind, message, seconds=second, provider_id="sg-1")
            for kind in (EventKind.PROCESSED, EventKind.DELIVERED, EventKind.CLICKED, EventKind.UNSUBSCRIBED)
            for second in range(60, 85)]
    posts = [random.Random(seed).sample(told, 60) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        found = sum(pool.map(lambda post: apply(store, post, secret=SECRET), posts), Applied())
    assert found.new == len({event.fingerprint for post in posts for event in post})
    assert found.new + found.repeated == 12 * 60
    assert column(store, schema.messages.c.state, schema.messages.c.outcome) == [
        (MessageState.ACCEPTED, Outcome.DELIVERED)]
    assert len(column(store, schema.consent_changes.c.id)) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_bounce_outweighs_a_delivery(store: Store, order: int) -> None:
    """A bounce after a delivery wins; a delivery heard late never undoes it."""
    message = letter(store)
    pair = [an_event(EventKind.DELIVERED, message), an_event(EventKind.BOUNCED, message, seconds=90)]
    for event in pair[::order]:
        take_in(store, event)
    assert column(store, schema.messages.c.outcome) == [Outcome.BOUNCED]


@pytest.mark.parametrize("state", [MessageState.PLANNED, MessageState.SUBMITTING, MessageState.IN_DOUBT])
def test_an_event_proves_acceptance(store: Store, state: MessageState) -> None:
    """What the provider speaks of has left, whatever the ledger thought; the earliest event says when."""
    message = letter(store, state)
    applied = take_in(store, an_event(EventKind.OPENED, message, seconds=500, provider_id="sg-1"))
    take_in(store, an_event(EventKind.PROCESSED, message, seconds=5, provider_id="sg-1"))
    assert column(store, schema.messages.c.state, schema.messages.c.accepted_at, schema.messages.c.provider_id) == [
        (MessageState.ACCEPTED, SENT_AT + timedelta(seconds=5), "sg-1")]
    assert applied.alarms == ()


@pytest.mark.parametrize("state", [MessageState.FAILED, MessageState.CANCELLED, MessageState.WITHDRAWN])
def test_a_message_thought_unsent_raises_an_alarm(store: Store, state: MessageState) -> None:
    """An event about a failed, cancelled or withdrawn message proves acceptance and is told, once."""
    message = letter(store, state)
    (alarm,) = take_in(store, an_event(EventKind.PROCESSED, message)).alarms
    assert (alarm.message_id, alarm.state, alarm.twice) == (message, state, False)
    assert take_in(store, an_event(EventKind.DELIVERED, message)).alarms == ()
    assert column(store, schema.messages.c.state) == [MessageState.ACCEPTED]
    assert column(store, schema.audit.c.action, schema.audit.c.subject) == [
        ("event-about-unsent-message", f"message {message}")]


def test_an_alarm_leaves_a_replaced_message_as_it_was(store: Store) -> None:
    """When another message of the edition reached the supporter, the contradiction is told and nothing breaks."""
    with store.writing() as connection:
        alice = builders.supporter(connection)
        first = builders.mailing(connection, "first")
        edition = connection.execute(select(schema.mailings.c.edition_id)).scalar_one()
        again = builders.mailing(connection, "again", edition_id=edition)
        failed = builders.message(connection, first, alice, state=MessageState.FAILED)
        builders.message(connection, again, alice)
    (alarm,) = take_in(store, an_event(EventKind.DELIVERED, failed)).alarms
    assert alarm.twice
    assert take_in(store, an_event(EventKind.OPENED, failed)).alarms == ()
    assert column(store, schema.messages.c.state, schema.messages.c.outcome) == [
        (MessageState.FAILED, Outcome.DELIVERED), (MessageState.ACCEPTED, Outcome.NONE)]


def test_a_late_bounce_is_matched_by_provider_id_and_address(store: Store) -> None:
    """A bounce that lost our id finds its message by the provider's, and only at that address."""
    letter(store, provider_id="sg-1")
    bounce = an_event(EventKind.BOUNCED, None, provider_id="sg-1")
    assert take_in(store, bounce) == Applied(new=1)
    assert column(store, schema.messages.c.outcome) == [Outcome.BOUNCED]


def test_a_bounce_may_come_before_what_names_its_message(store: Store) -> None:
    """An event without our id waits, and finds its message when another event brings the provider's id."""
    message = letter(store, MessageState.IN_DOUBT)
    assert take_in(store, an_event(EventKind.BOUNCED, None, provider_id="sg-1")).unmatched == 1
    take_in(store, an_event(EventKind.PROCESSED, message, provider_id="sg-1"))
    assert column(store, schema.messages.c.outcome) == [Outcome.BOUNCED]
    assert column(store, schema.events.c.message_id) == [message, message]


def test_a_bounce_may_come_before_the_receipt(store: Store) -> None:
    """``tie_late`` finds the messages whose provider id came by receipt, after the event."""
    message = letter(store, MessageState.SUBMITTING)
    take_in(store, an_event(EventKind.BOUNCED, None, provider_id="sg-1"))
    with store.writing() as connection:
        connection.execute(schema.messages.update().values(provider_id="sg-1", state=MessageState.ACCEPTED))
    assert tie_late(store) == 1
    assert tie_late(store) == 0
    assert column(store, schema.messages.c.id, schema.messages.c.outcome) == [(message, Outcome.BOUNCED)]


def test_an_id_given_out_anew_is_not_trusted(store: Store) -> None:
    """After a restore an old message's id may be somebody else's: the address must agree."""
    message = letter(store, MessageState.PLANNED)
    assert take_in(store, an_event(EventKind.BOUNCED, message, address="bob@example.org")) == Applied(foreign=1)
    assert column(store, schema.messages.c.state) == [MessageState.PLANNED]


@pytest.mark.parametrize(("event", "reason"), [
    (an_event(EventKind.BOUNCED, 1), SuppressionReason.BOUNCED),
    (an_event(EventKind.COMPLAINED, 1), SuppressionReason.COMPLAINED),
    (an_event(EventKind.UNSUBSCRIBED, 1), SuppressionReason.UNSUBSCRIBED),
    (an_event(EventKind.DROPPED, 1, suppresses=True, reason="Bounced Address"), SuppressionReason.BOUNCED),
    (an_event(EventKind.DROPPED, 1, suppresses=True, reason="Unsubscribed Address"), SuppressionReason.UNSUBSCRIBED),
    (an_event(EventKind.DROPPED, 1, suppresses=True, reason="Spam Reporting Address"), SuppressionReason.COMPLAINED),
    (an_event(EventKind.DROPPED, 1, suppresses=True, reason="Invalid"), SuppressionReason.INVALID),
    (an_event(EventKind.DROPPED, 1, reason="Recipient List over Package Quota"), None),
    (an_event(EventKind.BLOCKED, 1), None),
    (an_event(EventKind.DEFERRED, 1), None),
    (an_event(EventKind.OPENED, 1), None),
], ids=lambda value: f"{value.kind}-{value.reason}" if isinstance(value, Event) else None)
def test_who_is_suppressed(store: Store, event: Event, reason: SuppressionReason | None) -> None:
    """Hard bounces, spam reports, unsubscribes and some drops suppress the address; a block never does."""
    letter(store)
    take_in(store, event)
    expected = [] if reason is None else [(keyed_hash(ALICE, SECRET), reason, event.at)]
    assert column(store, schema.suppressions.c.address_hash, schema.suppressions.c.reason,
                  schema.suppressions.c.since) == expected


@pytest.mark.parametrize(("kind", "after"), [
    (EventKind.UNSUBSCRIBED, Basis.NONE), (EventKind.COMPLAINED, Basis.NONE), (EventKind.BOUNCED, Basis.CONSENT)])
def test_a_wish_ends_consent_and_a_bounce_does_not(store: Store, kind: EventKind, after: Basis) -> None:
    """Leaving withdraws consent to email, with its history; a dead mailbox says nothing about consent."""
    message = letter(store)
    take_in(store, an_event(kind, message))
    take_in(store, an_event(kind, message, seconds=120))
    assert column(store, schema.consents.c.basis) == [after]
    changes = column(store, schema.consent_changes.c.before, schema.consent_changes.c.after)
    assert changes == ([(Basis.CONSENT, Basis.NONE)] if after is Basis.NONE else [])


def test_only_new_events_act(store: Store) -> None:
    """Someone who came back is not sent away again by an old event that is delivered once more."""
    event = an_event(EventKind.UNSUBSCRIBED, letter(store))
    take_in(store, event)
    with store.writing() as connection:
        connection.execute(schema.suppressions.delete())
        connection.execute(schema.consents.update().values(basis=Basis.CONSENT))
    take_in(store, event)
    assert column(store, schema.suppressions.c.id) == []
    assert column(store, schema.consents.c.basis) == [Basis.CONSENT]


def test_other_mail_of_the_account_is_not_kept(store: Store) -> None:
    """An event about nobody of ours leaves no row; a hard bounce of it still suppresses, by hash alone."""
    strange = an_event(EventKind.BOUNCED, None, address="stranger@example.net")
    assert take_in(store, strange, an_event(EventKind.OPENED, 999, address="other@example.net")) == Applied(foreign=2)
    assert column(store, schema.events.c.id) == []
    assert column(store, schema.suppressions.c.address, schema.suppressions.c.address_hash) == [
        (None, keyed_hash("stranger@example.net", SECRET))]


def test_nothing_has_happened_that_is_still_to_come(store: Store) -> None:
    """Dated a month ahead, by a clock that is wrong or worse: it happened by now, and moves no mark beyond."""
    message, begun = letter(store), clock.now()
    ahead, soon = begun + timedelta(days=30), begun + timedelta(minutes=4)
    take_in(store, an_event(EventKind.OPENED, message, at=ahead))
    assert applied_times(store) == [(EventKind.OPENED, False)]
    take_in(store, an_event(EventKind.CLICKED, message, at=soon))
    with store.reading() as connection:
        heard = connection.execute(select(schema.marks.c.at).where(
            schema.marks.c.name == "events-heard:sendgrid")).scalar_one()
        clicked = connection.execute(select(schema.events.c.at).where(
            schema.events.c.kind == EventKind.CLICKED)).scalar_one()
    assert heard == clicked == soon, "clocks differ by minutes"


def applied_times(store: Store) -> list[tuple[str, bool]]:
    """Of every event: its kind, and whether it lies more than minutes ahead."""
    with store.reading() as connection:
        return [(row.kind, row.at > clock.now() + timedelta(minutes=5)) for row in connection.execute(
            select(schema.events.c.kind, schema.events.c.at))]


def test_all_or_nothing(store: Store) -> None:
    """A fault in one event of a post leaves nothing of the post."""
    message = letter(store)
    naive = an_event(EventKind.OPENED, message, at=datetime(2026, 12, 10, 9, 0))  # noqa: DTZ001 - the fault
    with pytest.raises(Exception, match="aware"):
        take_in(store, an_event(EventKind.BOUNCED, message), naive)
    assert column(store, schema.events.c.id) == []
    assert column(store, schema.messages.c.outcome) == [Outcome.NONE]
    assert column(store, schema.suppressions.c.id) == []


def test_reports_can_say_until_when_events_were_heard(store: Store) -> None:
    """The marks hold the newest event's time, which never goes back, and when the provider last spoke."""
    message = letter(store)
    take_in(store, an_event(EventKind.OPENED, message, seconds=900))
    take_in(store, an_event(EventKind.DELIVERED, message, seconds=10))
    marks = dict(column(store, schema.marks.c.name, schema.marks.c.at))
    assert marks["events-heard:sendgrid"] == SENT_AT + timedelta(seconds=900)
    assert abs((marks["events-received:sendgrid"] - datetime.now(UTC)).total_seconds()) < 60


def test_a_late_event_brings_nothing_of_a_forgotten_person_back(store: Store) -> None:
    """It counts for its mailing; no address, hash, link or payload is kept with it."""
    message = letter(store)
    rights.forget(store, secret=SECRET, email=ALICE)
    before = column(store, schema.suppressions.c.address_hash, schema.suppressions.c.reason)
    told = [an_event(EventKind.BOUNCED, message, reason=f"no mailbox {ALICE}", raw=ALICE),
            an_event(EventKind.UNSUBSCRIBED, message, raw=ALICE), an_event(EventKind.OPENED, None, raw=ALICE)]
    assert take_in(store, *told) == Applied(new=2, foreign=1)
    kept = schema.events.c
    assert column(store, kept.mailing_id, kept.address_hash, kept.reason, kept.domain, kept.raw) == [
        (1, None, "", "", None)] * 2
    assert column(store, schema.suppressions.c.address_hash, schema.suppressions.c.reason) == before


def test_events_and_staff_suppress_alike(store: Store) -> None:
    """An unsubscribe that SendGrid reports leaves what the same wish, written down by staff, leaves."""
    took = {}
    for name in ("alice@example.org", "bob@example.org"):
        with store.writing() as connection:
            person = builders.supporter(connection, name)
            connection.execute(schema.consents.insert().values(
                supporter_id=person, channel=Channel.TRACKING, basis=Basis.CONSENT, recorded_at=SENT_AT))
        if name.startswith("alice"):
            take_in(store, an_event(EventKind.UNSUBSCRIBED, None))
        else:
            with store.writing() as connection:
                rights.unsubscribe(connection, address_hash=keyed_hash(name, SECRET), address=name, source="sendgrid",
                                   at=SENT_AT)
        took[name] = [
            column(store, schema.suppressions.c.reason, schema.suppressions.c.address)[-1][0],
            [row[1:] for row in column(store, schema.consents.c.supporter_id, schema.consents.c.channel,
                                       schema.consents.c.basis) if row[0] == person],
            sorted(row[1:] for row in column(store, schema.consent_changes.c.supporter_id,
                                             schema.consent_changes.c.channel, schema.consent_changes.c.before,
                                             schema.consent_changes.c.after) if row[0] == person)]
    assert took["alice@example.org"] == took["bob@example.org"]


def test_a_proof_changes_nobodys_wishes(store: Store) -> None:
    """A proof goes to staff in a supporter's name: its events suppress nobody and end no consent."""
    message = letter(store)
    with store.writing() as connection:
        connection.execute(schema.mailings.update().values(kind=Kind.PROOF))
    take_in(store, an_event(EventKind.UNSUBSCRIBED, message), an_event(EventKind.BOUNCED, message))
    assert column(store, schema.suppressions.c.id) == []
    assert column(store, schema.consents.c.basis) == [Basis.CONSENT]


def agents(store: Store) -> dict[str, str]:
    return dict(column(store, schema.events.c.url, schema.events.c.agent))


def clicked(message: int, url: str, seconds: int) -> Event:
    return an_event(EventKind.CLICKED, message, url=url, seconds=seconds)


def one_by_one(store: Store, events: Sequence[Event]) -> None:
    for event in events:
        take_in(store, event)


@pytest.mark.parametrize("order", [1, -1])
def test_a_burst_of_clicks_is_a_scanner(store: Store, order: int) -> None:
    """Three links within two seconds are a machine's, whichever comes first; a click minutes later is a person's."""
    message = letter(store)
    one_by_one(store, [clicked(message, "/a", 600), clicked(message, "/b", 601), clicked(message, "/c", 602),
                       clicked(message, "/d", 900)][::order])
    assert agents(store) == {"/a": Agent.MACHINE, "/b": Agent.MACHINE, "/c": Agent.MACHINE, "/d": Agent.HUMAN}


@pytest.mark.parametrize("order", [1, -1])
def test_a_click_at_the_moment_of_delivery_is_a_scanner(store: Store, order: int) -> None:
    """A click just before or after delivery is a machine's, also when the delivery is heard of later."""
    message = letter(store)
    one_by_one(store, [an_event(EventKind.DELIVERED, message, seconds=60), clicked(message, "/a", 55),
                       clicked(message, "/b", 62), clicked(message, "/c", 90)][::order])
    assert agents(store) == {"": Agent.HUMAN, "/a": Agent.MACHINE, "/b": Agent.MACHINE, "/c": Agent.HUMAN}


def test_a_double_click_is_a_person(store: Store) -> None:
    """The same link twice within a second is an impatient supporter."""
    message = letter(store)
    one_by_one(store, [clicked(message, "/a", 600), clicked(message, "/a", 601), clicked(message, "/b", 602)])
    assert set(agents(store).values()) == {Agent.HUMAN}


TELLING = (schema.events.c.raw, schema.events.c.url, schema.events.c.reason, schema.events.c.domain,
           schema.events.c.address_hash)


@pytest.mark.parametrize("kind", [EventKind.COMPLAINED, EventKind.DELIVERED])
@pytest.mark.parametrize("case", ["its message", "their address", "their former address"])
def test_who_is_forgotten_while_a_post_waits_is_forgotten_there_too(
        store: Store, monkeypatch: pytest.MonkeyPatch, case: str, kind: EventKind) -> None:
    """The post read their address before; of what it then writes nothing tells of them, nor keeps their address."""
    message, now = letter(store), ALICE
    if case == "their former address":
        now = "alice.now@example.org"
        with store.writing() as connection:
            who = connection.execute(update(schema.supporters).values(
                address=now, address_hash=keyed_hash(now, SECRET)).returning(schema.supporters.c.id)).scalar_one()
            connection.execute(schema.former_addresses.insert().values(
                supporter_id=who, address_hash=keyed_hash(ALICE, SECRET), left_at=SENT_AT))

    def meanwhile(*given: Any) -> Any:
        found = match(*given)
        if not store.is_sqlite:  # which lets nobody write meanwhile
            rights.forget(store, secret=SECRET, email=now)
        return found

    monkeypatch.setattr("pillarbox.events.apply.match", meanwhile)
    take_in(store, an_event(kind, message if case == "its message" else None, url="https://example.org/a",
                            raw=f'{{"email": "{ALICE}"}}'))
    if store.is_sqlite:
        rights.forget(store, secret=SECRET, email=now)
    assert [tuple(row) for row in column(store, *TELLING)] == [(None, "", "", "", None)]
    assert set(column(store, schema.suppressions.c.address)) == {None}


def test_a_post_and_who_is_forgotten_do_not_lock_each_other_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever is second waits for the first; neither fails."""
    message = letter(store)
    real = table.add_new
    with ThreadPoolExecutor(1) as pool:
        coming: list[Any] = []

        def slowly(*given: Any) -> Any:
            found = real(*given)
            coming.append(pool.submit(rights.forget, store, secret=SECRET, email=ALICE))
            threading.Event().wait(0.5)
            return found

        monkeypatch.setattr(table, "add_new", slowly)
        take_in(store, an_event(EventKind.UNSUBSCRIBED, message))
        assert coming[0].result(timeout=60).was_known
    assert [tuple(row) for row in column(store, *TELLING)] == [(None, "", "", "", None)]


def test_what_waits_for_its_message_and_who_is_forgotten_do_not_lock_each_other_out(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post about Bob looks at an event of Alice's that no message owns, while she is forgotten; neither fails."""
    letter(store)
    with store.writing() as connection:
        bobs = builders.message(connection, builders.mailing(connection, "another"),
                                builders.supporter(connection, "bob@example.org"), state=MessageState.ACCEPTED)
    take_in(store, an_event(EventKind.DELIVERED, None, provider_id="one-request", raw=f'{{"email": "{ALICE}"}}'))
    real = table.ownerless
    with ThreadPoolExecutor(1) as pool:
        coming: list[Any] = []

        def slowly(*given: Any, **how: Any) -> Any:
            found = real(*given, **how)
            if how.get("hold", True):
                coming.append(pool.submit(rights.forget, store, secret=SECRET, email=ALICE))
                threading.Event().wait(0.5)
            return found

        monkeypatch.setattr(table, "ownerless", slowly)
        take_in(store, an_event(EventKind.DELIVERED, bobs, address="bob@example.org", provider_id="one-request"))
        assert coming[0].result(timeout=60).was_known
    assert (None, "", "", "", None) in [tuple(row) for row in column(store, *TELLING)]
