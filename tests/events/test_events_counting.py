"""What is counted as events arrive is what a recount of them gives, whatever happens meanwhile."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from pillarbox.deliver.sendgrid.events import parse
from pillarbox.events.apply import apply, heal, tie_late
from pillarbox.ground.address import keyed_hash
from pillarbox.model.records import Event
from pillarbox.model.states import RETURNED, Agent, EventKind, MessageState, Outcome
from pillarbox.people import rights
from pillarbox.reports import details, figures, timeline
from pillarbox.store import schema, tallies
from pillarbox.store.connect import Store
from pillarbox.store.contributions import Facet, Response, contribution
from tests import builders
from tests.builders import SECRET, SENT_AT
from tests.reports.recount import slowly

PEOPLE = ("alice@example.org", "bob@example.org", "charlie@own.example.org")
REASONS = ("550 5.1.1 <alice@example.org> gone", "452 4.2.2 full", "blocked by policy", "")
AGENTS = ("Mozilla/5.0 (iPhone)", "Mozilla/5.0 (Windows NT 10.0)", "")
LINKS = ("https://give.example.org/a?ref=1", "https://give.example.org/a?ref=2", "https://example.org/b/", "/c",
         f"https://example.org/v/{'k' * 30}")


@st.composite
def an_event(draw: st.DrawFn) -> Event:
    """About one of six messages to three people in two mailings; now and then without our id, so that it ties late."""
    message = draw(st.integers(1, 6))
    kind = draw(st.sampled_from([*EventKind, EventKind.CLICKED, EventKind.OPENED, EventKind.DELIVERED]))
    seconds = draw(st.one_of(st.integers(0, 20), st.integers(0, 40).map(lambda n: n * 900)))
    url = draw(st.sampled_from(LINKS)) if kind is EventKind.CLICKED else ""
    name = f"{kind}-{message}-{seconds}-{url}"
    return Event(
        kind=kind, at=SENT_AT + timedelta(seconds=seconds), provider="sendgrid", provider_event_id=name,
        fingerprint=keyed_hash(name, b"print"), message_id=draw(st.sampled_from([message, message, None])),
        attempt_id=None, provider_id=f"sg-{message}", address=PEOPLE[(message - 1) % 3], url=url,
        user_agent=draw(st.sampled_from(AGENTS)) if kind in (EventKind.OPENED, EventKind.CLICKED) else "",
        agent=Agent.MACHINE if kind is EventKind.OPENED and seconds % 2 else Agent.HUMAN,
        reason=REASONS[seconds // 900 % 4] if kind in RETURNED else "",
        raw=f"{{\"email\": \"{PEOPLE[(message - 1) % 3]}\"}}")


def begin(store: Store) -> None:
    """Nothing but three people, two mailings and a message of each to each, tracked and not, in several states.

    The first mailing has variants.
    """
    with store.writing() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(delete(table))
        people = [builders.supporter(connection, address, id=1 + place) for place, address in enumerate(PEOPLE)]
        for number in range(2):
            mailing = builders.mailing(connection, f"mailing-{number}", id=1 + number)
            for place, person in enumerate(people):
                id_ = number * 3 + place + 1
                state = MessageState.ACCEPTED if id_ in (1, 5) else MessageState.IN_DOUBT
                builders.message(connection, mailing, person, id=id_, state=state, tracked=id_ != 2,
                                 variant="" if number else "ab"[id_ % 2],
                                 provider_id=f"sg-{id_}" if state is MessageState.ACCEPTED else "")


def agrees(store: Store) -> None:
    """What is kept is what the slow way counts, and what a recount gives."""
    for mailing_id in (1, 2):
        with store.reading() as connection:
            kept = {(facet, key): n for facet, counts in tallies.of(connection, mailing_id, *Facet).items()
                    for key, n in counts.items()}
            assert kept == slowly(connection, mailing_id)
        assert tallies.check(store, mailing_id).equal


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(events=st.lists(an_event(), min_size=1, max_size=30, unique_by=lambda event: event.fingerprint),
       chance=st.randoms(use_true_random=False))
def test_tallies_are_what_a_recount_gives(store: Store, events: list[Event], chance: random.Random) -> None:
    """Shuffled, doubled, cut into posts, tied late, tagged, healed and forgotten: the kept numbers are the counted."""
    begin(store)
    shuffled = [*events, *chance.choices(events, k=len(events) // 2)]
    chance.shuffle(shuffled)
    while shuffled:
        size = chance.randint(1, 9)
        apply(store, shuffled[:size], secret=SECRET)
        shuffled = shuffled[size:]
        if chance.random() < 0.2:
            rights.forget(store, secret=SECRET, email=chance.choice(PEOPLE))
        if chance.random() < 0.2:
            tie_late(store)
            heal(store, 1)
    agrees(store)


def kept(store: Store, *facets: Facet) -> dict[Facet, dict[str, int]]:
    with store.reading() as connection:
        return tallies.of(connection, 1, *facets)


def told(kind: EventKind, message: int = 1, *, seconds: int = 600, url: str = "", **more: Any) -> Event:
    name = f"{kind}-{message}-{seconds}-{url}-{more}"
    return Event(**{
        "kind": kind, "at": SENT_AT + timedelta(seconds=seconds), "provider": "sendgrid", "provider_event_id": name,
        "fingerprint": keyed_hash(name, b"print"), "message_id": message, "attempt_id": None, "provider_id": "",
        "address": PEOPLE[(message - 1) % 3], "url": url, **more})


def take(store: Store, events: Sequence[Event]) -> None:
    apply(store, events, secret=SECRET)


def test_why_letters_came_back_is_kept_as_they_do(store: Store) -> None:
    """By outcome, cause and domain; a graver outcome that follows takes the place of the one before."""
    begin(store)
    take(store, [told(EventKind.BLOCKED, reason="451 4.7.1 not now")])
    assert kept(store, Facet.RETURNED) == {Facet.RETURNED: {"blocked policy-for-now": 1}}
    take(store, [told(EventKind.BOUNCED, reason=REASONS[0]), told(EventKind.BOUNCED, seconds=700, reason="")])
    take(store, [told(EventKind.BOUNCED, 3, reason="550 5.9.9 never seen"), told(EventKind.DELIVERED, seconds=10)])
    assert kept(store, Facet.RETURNED, Facet.RETURNED_FROM) == {
        Facet.RETURNED: {"bounced no-mailbox": 1, "bounced 5.9.9": 1},
        Facet.RETURNED_FROM: {"example.org": 1, "own.example.org": 1}}
    with store.reading() as connection:
        found = details.returned(connection, 1, {Outcome.BOUNCED: 3, Outcome.BLOCKED: 0, Outcome.DROPPED: 0})
    assert found.by_reason == ((Outcome.BOUNCED, "No reason given", 1), (Outcome.BOUNCED, "No such mailbox", 1),
                               (Outcome.BOUNCED, "Other (5.9.9)", 1))
    assert (found.by_domain, found.lone_domains) == ((), 3)
    agrees(store)


def test_a_lone_domain_goes_with_who_is_forgotten(store: Store) -> None:
    """It may be somebody's own name: not even a count of none stays under it."""
    begin(store)
    take(store, [told(EventKind.BOUNCED, 3, reason=REASONS[0])])
    rights.forget(store, secret=SECRET, email=PEOPLE[2])
    with store.reading() as connection:
        keys = connection.execute(select(schema.tallies.c.key)).scalars().all()
    assert not [key for key in keys if "own.example" in key]
    assert kept(store, Facet.RETURNED_FROM) == {Facet.RETURNED_FROM: {"": 1}}
    agrees(store)


def test_a_report_reads_what_was_kept(store: Store) -> None:
    """Figures, timeline, links and devices tell of events that were taken in, without a recount."""
    begin(store)
    take(store, [told(EventKind.DELIVERED, seconds=30), told(EventKind.OPENED, user_agent=AGENTS[0]),
                 told(EventKind.CLICKED, url=LINKS[0], user_agent=AGENTS[1]),
                 told(EventKind.CLICKED, seconds=4000, url=LINKS[1], user_agent=AGENTS[1])])
    with store.reading() as connection:
        found = figures.figures(connection, 1)
        line = timeline.timeline(connection, 1)
        links = details.links(connection, 1)
        devices = details.devices(connection, 1)
    assert (found.delivered, found.opened_human, found.clicked_human, found.tracked_delivered) == (1, 1, 1, 1)
    assert [(bucket.counts[timeline.Series.DELIVERED], bucket.counts[timeline.Series.CLICKED])
            for bucket in line.buckets] == [(1, 1)]
    assert [(link.link, link.human, link.clicks_human) for link in links] == [("give.example.org/a", 1, 2)]
    assert [(row.device, row.opened, row.clicked) for row in devices] == [("phone", 1, 0), ("desktop", 0, 1)]


def test_a_click_that_turns_out_a_scanner_s_changes_sides(store: Store) -> None:
    """A click counts as a person's until the delivery shows that it came too soon; then it is counted anew."""
    begin(store)
    take(store, [told(EventKind.CLICKED, seconds=60, url="/b")])
    assert kept(store, Facet.LINK_HUMAN, Facet.LINK_SCANNER) == {Facet.LINK_HUMAN: {"/b": 1}, Facet.LINK_SCANNER: {}}
    take(store, [told(EventKind.DELIVERED, seconds=60)])
    assert kept(store, Facet.LINK_HUMAN, Facet.LINK_SCANNER) == {Facet.LINK_HUMAN: {}, Facet.LINK_SCANNER: {"/b": 1}}
    assert kept(store, Facet.CLICKED_HUMAN) == {Facet.CLICKED_HUMAN: {}}
    agrees(store)


def test_a_bounce_takes_a_delivery_back(store: Store) -> None:
    """What counted as delivered, and as read among the delivered, does so no more."""
    begin(store)
    take(store, [told(EventKind.DELIVERED), told(EventKind.OPENED)])
    take(store, [told(EventKind.BOUNCED, seconds=900)])
    assert kept(store, Facet.DELIVERED) == {Facet.DELIVERED: {}}
    agrees(store)


def test_links_hold_nobody_s_key_or_address(store: Store) -> None:
    """A link with each supporter's own key, code or address in it is one tally, and holds none of them."""
    begin(store)
    keys = ("a" * 30, "b" * 30)
    take(store, [told(EventKind.CLICKED, number, url=url) for number, key in zip((1, 3), keys, strict=True)
                 for url in (f"https://x.org/d/{key}", f"https://x.org/s/{PEOPLE[number - 1]}?code={key}")])
    assert kept(store, Facet.LINK_HUMAN)[Facet.LINK_HUMAN] == {"x.org/d/…": 2, "x.org/s/(address)": 2}


def test_forgetting_somebody_keeps_the_counts_and_drops_the_links(store: Store) -> None:
    """A forgotten supporter's click still counts, at a link that is not told."""
    begin(store)
    take(store, [told(EventKind.CLICKED, url="/b"), told(EventKind.CLICKED, 3, url="/b")])
    rights.forget(store, secret=SECRET, email=PEOPLE[0])
    assert kept(store, Facet.LINK_HUMAN)[Facet.LINK_HUMAN] == {"/b": 1, "": 1}
    agrees(store)


def test_posts_at_once_about_the_same_messages_lose_nothing(store: Store) -> None:
    """Different events of the same messages, in posts at the same moment, are all counted, and nobody is locked out."""
    begin(store)
    many = [told(kind, message, seconds=second // 6 if kind is EventKind.DELIVERED else second,
                 url="/b" if kind is EventKind.CLICKED else "")
            for kind in (EventKind.OPENED, EventKind.CLICKED, EventKind.DELIVERED) for message in (1, 2, 3)
            for second in range(100, 190, 6)]
    random.Random(3).shuffle(many)
    posts = [many[start::9] for start in range(9)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda post: take(store, post), posts))
    agrees(store)
    assert kept(store, Facet.CLICKS_HUMAN)[Facet.CLICKS_HUMAN] == {"/b": 30}


@pytest.mark.parametrize("damage", ["a number", "a missing number", "a number too many", "a message", "all"])
def test_a_rebuild_says_what_differed_and_mends_it(store: Store, damage: str) -> None:
    """Whatever is wrong with the kept numbers is told by a check, and right after a rebuild."""
    begin(store)
    take(store, [told(EventKind.DELIVERED), told(EventKind.OPENED), told(EventKind.OPENED, 3)])
    assert tallies.rebuild(store, 1).equal
    with store.writing() as connection:
        match damage:
            case "a number":
                connection.execute(update(schema.tallies).where(schema.tallies.c.facet == Facet.DELIVERED).values(n=7))
            case "a missing number":
                connection.execute(delete(schema.tallies).where(schema.tallies.c.facet == Facet.OPENED_HUMAN))
            case "a number too many":
                connection.execute(insert(schema.tallies).values(mailing_id=1, facet="link-human", key="x", n=1))
            case "a message":
                connection.execute(update(schema.responses).values(flags=0))
            case _:
                connection.execute(delete(schema.tallies))
                connection.execute(delete(schema.responses))
    found = tallies.check(store, 1)
    assert not found.equal
    assert tallies.rebuild(store, 1) == found
    agrees(store)


def test_a_proof_of_the_pure_rule() -> None:
    """A message of which nothing was heard adds nothing; of a reader who did not agree, only that it was opened."""
    read = Response(flags=3, opened_hour=5)
    assert contribution(Response(), (), tracked=True, delivered=True) == {}
    assert contribution(read, (), tracked=False, delivered=False) == {(Facet.RESPONSES, "3"): 1}


def test_an_outcome_alone_moves_the_delivered(store: Store) -> None:
    """A delivery heard when the message had bounced counts as no delivery."""
    begin(store)
    with store.writing() as connection:
        connection.execute(update(schema.messages).where(schema.messages.c.id == 1).values(outcome=Outcome.BOUNCED))
    take(store, [told(EventKind.DELIVERED), told(EventKind.OPENED)._replace(user_agent="")])
    assert kept(store, Facet.DELIVERED)[Facet.DELIVERED] == {}
    with store.reading() as connection:
        assert connection.execute(select(schema.messages.c.outcome).where(schema.messages.c.id == 1)
                                  ).scalar_one() == Outcome.BOUNCED
    agrees(store)


def test_texts_longer_than_an_index_takes_cost_no_post(store: Store) -> None:
    """An endless link, an endless id of a message that nobody knows, and an endless program are counted as any."""
    begin(store)
    chance = random.Random(7)
    endless = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))  # which cannot be packed
    common = {"email": PEOPLE[0], "timestamp": int(SENT_AT.timestamp()) + 900, "useragent": endless}
    told = [{**common, "event": "click", "sg_event_id": "a", "pillarbox": "proj1234.1.1", "url": f"https://x/{endless}"},
            {**common, "event": "open", "sg_event_id": "b", "sg_message_id": endless}]
    applied = apply(store, parse(orjson.dumps(told), project="proj1234"), secret=SECRET)
    assert (applied.new, applied.unmatched) == (2, 1)
    assert tallies.check(store, 1).equal
