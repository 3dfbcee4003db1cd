"""The supporters of the stand-in behave plausibly, alike for one seed, and are seen only where tracking is on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from pillarbox.standin.events import events, events_of, leavers
from pillarbox.standin.mailbox import Kept
from pillarbox.standin.reactions import Rates, reactions
from pillarbox.standin.server import Standin
from pillarbox.standin.suppressions import Suppressions
from tests.standin.conftest import body

SENT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
Run = Callable[..., tuple[Standin, httpx.Client]]


def test_a_seed_repeats_itself(letters: list[Kept]) -> None:
    """One seed tells one story, another seed another."""
    assert events(letters, seed=7, sent=SENT) == events(letters, seed=7, sent=SENT)
    assert events(letters, seed=7, sent=SENT) != events(letters, seed=8, sent=SENT)


def test_the_story_does_not_hang_on_the_batch(letters: list[Kept]) -> None:
    """A supporter reacts alike whoever else was written to, and in whichever request."""
    alone = reactions([replace(letters[9], number=0, request_id="other")], seed=7, sent=SENT)[0]
    among = reactions(letters, seed=7, sent=SENT)[9]
    assert (alone.settled_at, alone.opened_at, alone.clicks) == (among.settled_at, among.opened_at, among.clicks)


def test_500_letters_show_some_of_everything(letters: list[Kept]) -> None:
    """Every kind of event occurs at a plausible rate."""
    rates = Rates(complained=0.01, left=0.03)
    counted = Counter(event["event"] for event in events(letters, seed=7, sent=SENT, rates=rates))
    assert {"processed", "delivered", "deferred", "bounce", "dropped", "open", "click", "spamreport"} <= set(counted)
    assert 470 <= counted["delivered"] <= 510
    found = events(letters, seed=7, sent=SENT)
    bounces = {event["type"] for event in found if event["event"] == "bounce"}
    assert bounces == {"bounce", "blocked"}
    human = {event["email"] for event in found if event["event"] == "open" and not event["sg_machine_open"]}
    machine = {event["email"] for event in found if event["event"] == "open" and event["sg_machine_open"]}
    assert 120 <= len(human) <= 220
    assert 110 <= len(machine) <= 190


def test_some_events_come_twice_and_none_in_order(letters: list[Kept]) -> None:
    """About one in fifty is repeated whole, and the order is shuffled."""
    found = events(letters, seed=7, sent=SENT)
    repeated = len(found) - len({event["sg_event_id"] for event in found})
    assert 0.005 < repeated / len(found) < 0.05
    times = [event["timestamp"] for event in found]
    assert times != sorted(times)


def test_times_make_sense(letters: list[Kept]) -> None:
    """Nothing comes before its cause, most readers read on the first day, nothing is later than asked for."""
    told = [one for one in reactions(letters, seed=7, sent=SENT, days=5) if one.opened_at]
    for one in told:
        assert SENT <= one.processed_at < one.settled_at < one.opened_at[0]
        assert all(at > one.opened_at[0] for at, _ in one.clicks)
        assert one.opened_at[-1] < SENT + timedelta(days=5)
    assert sum(one.opened_at[0] < SENT + timedelta(days=1) for one in told) > len(told) / 2
    until = SENT + timedelta(hours=1)
    assert max(event["timestamp"] for event in events(letters, seed=7, sent=SENT, until=until)) <= until.timestamp()


def test_untracked_letters_show_no_opens_or_clicks(letters: list[Kept]) -> None:
    """Without tracking SendGrid hears of neither."""
    untracked = [replace(one, open_tracking=False, click_tracking=False) for one in letters]
    assert not {"open", "click"} & {event["event"] for event in events(untracked, seed=7, sent=SENT)}
    opens = [replace(one, click_tracking=False) for one in letters]
    kinds = {event["event"] for event in events(opens, seed=7, sent=SENT)}
    assert "open" in kinds
    assert "click" not in kinds


def test_scanners_follow_every_link_within_a_second_of_delivery(letters: list[Kept]) -> None:
    """A scanner's clicks cover all of the letter's links; a person's lead to a link of that letter."""
    found = events(letters, seed=7, sent=SENT, rates=Rates(scanner=1, clicked=1, opened=0, repeated=0, deferred=0))
    delivered = {event["email"]: event["timestamp"] for event in found if event["event"] == "delivered"}
    clicks = Counter(event["email"] for event in found if event["event"] == "click")
    assert set(clicks.values()) == {3}
    assert all(0 <= event["timestamp"] - delivered[event["email"]] <= 2 for event in found if event["event"] == "click")
    urls = {event["url"] for event in found if event["email"] == letters[7].address and event["event"] == "click"}
    assert "https://donate.example.org/now?a=1&ref=code7" in urls


def test_custom_arguments_lie_at_the_top_level(letters: list[Kept]) -> None:
    """Events carry them beside SendGrid's fields and never over them; some late bounces have lost them."""
    odd = [replace(one, custom_args={**one.custom_args, "event": "mine"}) for one in letters]
    found = events(odd, seed=7, sent=SENT, rates=Rates(hard_bounce=0.5, without_arguments=0.5))
    assert all(event["pillarbox"].startswith("message-") for event in found if event["event"] == "delivered")
    plain = events(letters, seed=7, sent=SENT, rates=Rates(hard_bounce=0.5, without_arguments=0.5))
    assert {"pillarbox" in event for event in plain if event["event"] == "bounce"} == {True, False}
    assert "mine" not in {event.get("event") for event in found}
    assert all(event["sg_message_id"].startswith(letters[0].request_id + ".") for event in found)


def test_people_leave_by_the_door_that_the_letter_has(letters: list[Kept]) -> None:
    """With subscription tracking or a group SendGrid tells of it; else the mail program presses one-click."""
    rates = Rates(left=0.1, repeated=0)
    headers = {"List-Unsubscribe": "<mailto:u@example.org>, <https://example.org/u/1>",
               "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    told = reactions([replace(one, headers=headers) for one in letters], seed=7, sent=SENT, rates=rates)
    count = sum(one.left_at is not None for one in told)
    assert count > 20
    assert [url for _, url in leavers(told)] == ["https://example.org/u/1"] * count
    for change, kind in (({"subscription_tracking": True}, "unsubscribe"), ({"asm_group_id": 5}, "group_unsubscribe")):
        found = events([replace(one, **change) for one in letters], seed=7, sent=SENT, rates=rates)
        assert Counter(event["event"] for event in found)[kind] == count


def test_suppressions_are_learnt_and_kept_to(run: Run) -> None:
    """Who bounced or complained is listed, blocked apart, and the next letter to a listed address is dropped."""
    standin, client = run()
    client.post("/v3/mail/send", json=body(500))
    found = events(standin.messages, seed=7, sent=SENT, suppressions=standin.suppressions,
                   rates=Rates(complained=0.02, dropped=0))
    hard = {event["email"] for event in found if event.get("type") == "bounce"}
    assert {entry["email"] for entry in client.get("/v3/suppression/bounces").json()} == hard
    blocked = {event["email"] for event in found if event.get("type") == "blocked"}
    assert {entry["email"] for entry in client.get("/v3/suppression/blocks").json()} == blocked
    assert client.get("/v3/suppression/spam_reports").json()
    again = reactions(standin.messages, seed=8, suppressions=standin.suppressions, rates=Rates(dropped=0))
    assert hard <= {one.message.address for one in again if one.drop_reason == "Bounced Address"}
    assert isinstance(standin.suppressions, Suppressions)


@pytest.mark.shared
def test_fields_are_sendgrids(letters: list[Kept], published: Path) -> None:
    """Each kind of event has the fields that SendGrid's own samples of it have."""
    samples = [event for name in ("all_events_test_endpoint", "multi_processed_bounce_blocked", "single_dropped")
               for event in json.loads((published / f"{name}.body").read_text("utf-8"))]
    told = reactions(letters, seed=7, sent=SENT, rates=Rates(complained=0.02))
    ours = {event["event"]: event for event in events_of(told, seed=7)}
    for sample in samples:
        if mine := ours.get(sample["event"]):
            assert set(sample) <= set(mine), sample["event"]
