"""The audience is who may be written to, and everybody else is counted with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, insert, update

from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis, Channel, MessageState, SuppressionReason
from pillarbox.people import audience
from pillarbox.people.audience import Rule
from pillarbox.people.segments import Segment
from pillarbox.store.connect import Store
from pillarbox.store.schema import attempts, consents, donations, list_members, lists, supporters, suppressions
from tests import builders

_COUNT = count(1)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CAST = ("alice", "bob", "charlie", "dana", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj",
        "olivia")
MAIN = Rule(lists=("main",))


@pytest.fixture
def people(store: Store) -> Iterator[Connection]:
    """Thirteen supporters on the list ``main``, all with consent; Alice and Bob are on ``board`` as well."""
    with store.writing() as connection:
        connection.execute(insert(lists), [{"id": 1, "name": "main", "created_at": NOW},
                                           {"id": 2, "name": "board", "created_at": NOW}])
        connection.execute(insert(supporters), [
            {"id": number, "address": f"{name}@example.org", "address_hash": name, "title": "Ms",
             "first_name": name.title(), "last_name": "Made-Up", "fields": {"ward": "North" if number % 2 else "South"},
             "country": "GB", "language": "en-GB", "created_at": NOW, "updated_at": NOW}
            for number, name in enumerate(CAST, start=1)])
        connection.execute(insert(list_members), [
            *({"list_id": 1, "supporter_id": number, "joined_at": NOW} for number in range(1, len(CAST) + 1)),
            *({"list_id": 2, "supporter_id": number, "joined_at": NOW} for number in (1, 2))])
        connection.execute(insert(consents), [
            {"supporter_id": number, "channel": Channel.EMAIL, "basis": Basis.CONSENT, "recorded_at": NOW}
            for number in range(1, len(CAST) + 1)])
        connection.execute(insert(consents).values(supporter_id=1, channel=Channel.TRACKING, basis=Basis.CONSENT,
                                                   recorded_at=NOW))
    with store.writing() as connection:
        yield connection


def left_since(connection: Connection, rule: Rule, *claimed: dict[str, Any], tracked: bool = False,
               segments: dict[str, Segment] | None = None) -> dict[int, str]:
    """Who of an attempt's messages must not leave; the attempt is made for the question."""
    mailing = builders.mailing(connection, f"m{next(_COUNT)}")
    attempt = connection.execute(insert(attempts).values(mailing_id=mailing, worker="w", size=len(claimed),
                                                         started_at=NOW, lease_until=NOW).returning(attempts.c.id))
    attempt_id = attempt.scalar_one()
    for row in claimed:
        builders.message(connection, mailing, row["supporter_id"], state=MessageState.SUBMITTING, tracked=tracked,
                         address=f"{row['address_hash']}@example.org", attempt_id=attempt_id,
                         **{key: value for key, value in row.items() if key != "supporter_id"})
    return audience.no_longer_eligible(connection, rule, segments or {}, mailing_id=mailing, attempt_id=attempt_id,
                                       tracked=tracked)


def number(name: str) -> int:
    """The supporter's id."""
    return CAST.index(name) + 1


def suppress(connection: Connection, name: str, reason: SuppressionReason) -> None:
    """Put the supporter's address on the list of those who get nothing."""
    connection.execute(insert(suppressions).values(address_hash=name, reason=reason, source="test", since=NOW))


def written_to(connection: Connection, rule: Rule, segments: dict[str, Segment] | None = None) -> set[str]:
    """Names of those who would get the letter."""
    return {candidate.address.partition("@")[0] for candidate in audience.candidates(connection, rule, segments or {})}


def gave(connection: Connection, name: str, at: datetime = NOW) -> None:
    """Record a donation of a pound."""
    connection.execute(insert(donations).values(
        amount_minor=100, currency="GBP", received_at=at, source="csv", external_id=f"{name}{at}", gift_aid=False,
        regular=False, supporter_id=number(name), attribution="none", created_at=NOW))


def everyone_leaves(connection: Connection) -> None:
    """One supporter for each reason to be left out."""
    for name, reason in zip(CAST[2:], SuppressionReason, strict=False):
        suppress(connection, name, reason)
    connection.execute(update(consents).where(consents.c.supporter_id == number("judy"),
                                              consents.c.channel == "email").values(basis=Basis.NONE))
    connection.execute(update(list_members).where(list_members.c.supporter_id == number("mallory")).values(left_at=NOW))
    connection.execute(update(supporters).where(supporters.c.id == number("niaj"))
                       .values(address=None, forgotten_at=NOW))


EVERY_REASON = {**{reason.value: 1 for reason in SuppressionReason}, "no-consent": 1, "left-list": 1, "forgotten": 1}


def test_each_reason_leaves_somebody_out_and_all_add_up(people: Connection) -> None:
    """Whoever is on the lists is either written to or counted with one reason."""
    everyone_leaves(people)
    rule = Rule(lists=("main",), exclude=("board",))
    assert written_to(people, rule) == {"olivia"}
    counts = audience.left_out(people, rule, {})
    assert counts == {**EVERY_REASON, "excluded": 2}
    assert sum(counts.values()) + 1 == len(CAST)


def test_what_the_plan_says_the_claim_says(people: Connection) -> None:
    """The re-check gives the same reasons as the plan, person by person."""
    everyone_leaves(people)
    rule = Rule(lists=("main",), exclude=("board",))
    found = left_since(people, rule, *({"id": 100 + number(name), "supporter_id": number(name), "address_hash": name}
                                       for name in CAST))
    assert 100 + number("olivia") not in found
    counts: dict[str, int] = {}
    for reason in found.values():
        counts[reason] = counts.get(reason, 0) + 1
    assert counts == audience.left_out(people, rule, {})


def test_two_lists_count_a_supporter_once(people: Connection) -> None:
    """Lists are merged before anything is counted."""
    rule = Rule(lists=("main", "board"))
    found = [candidate.supporter_id for candidate in audience.candidates(people, rule, {})]
    assert found == sorted(set(found))
    assert len(found) == len(CAST)
    assert audience.left_out(people, rule, {}) == {}


def test_leaving_one_list_of_two_is_not_leaving(people: Connection) -> None:
    """Who left one of the lists still gets what goes to the other."""
    people.execute(update(list_members).where(list_members.c.list_id == 2).values(left_at=NOW))
    assert {"alice", "bob"} <= written_to(people, Rule(lists=("main", "board")))
    assert audience.left_out(people, Rule(lists=("board",)), {}) == {"left-list": 2}


def test_soft_opt_in_is_a_basis_and_another_channel_is_not(people: Connection) -> None:
    """Only consent or soft opt-in on email lets a letter go."""
    people.execute(update(consents).where(consents.c.supporter_id == 2).values(basis=Basis.SOFT_OPT_IN))
    people.execute(delete(consents).where(consents.c.supporter_id == 1, consents.c.channel == "email"))
    assert "bob" in written_to(people, MAIN)
    assert "alice" not in written_to(people, MAIN)


def test_the_weightiest_suppression_is_told(people: Connection) -> None:
    """Who both bounced and unsubscribed counts as unsubscribed, whichever came first."""
    suppress(people, "alice", SuppressionReason.BOUNCED)
    suppress(people, "alice", SuppressionReason.UNSUBSCRIBED)
    assert audience.left_out(people, MAIN, {}) == {"unsubscribed": 1}


def test_a_candidate_carries_what_a_letter_says(people: Connection) -> None:
    """Name, greeting, language, fields and tracking choice come with the supporter."""
    alice = next(audience.candidates(people, MAIN, {}))
    assert (alice.supporter_id, alice.address, alice.address_hash) == (1, "alice@example.org", "alice")
    assert (alice.salutation, alice.to_name) == ("Dear Ms Made-Up", "Alice Made-Up")
    assert (alice.language, alice.country, alice.fields, alice.tracked) == ("en-GB", "GB", {"ward": "North"}, True)
    assert not any(other.tracked for other in list(audience.candidates(people, MAIN, {}))[1:])


def test_tracking_and_address_are_checked_again(people: Connection) -> None:
    """A message planned with tracking, or for another address, does not leave once that has changed."""
    people.execute(delete(consents).where(consents.c.channel == Channel.TRACKING))
    assert left_since(people, MAIN, {"id": 1, "supporter_id": 1, "address_hash": "alice"}, tracked=True) == {
        1: "tracking-withdrawn"}
    assert left_since(people, MAIN, {"id": 2, "supporter_id": 2, "address_hash": "old-bob"},
                      {"id": 3, "supporter_id": 3, "address_hash": "charlie"}) == {2: "changed-address"}
    assert left_since(people, MAIN) == {}


def test_a_segment_narrows_the_lists(people: Connection) -> None:
    """With a list and a segment, those on the list who fit are written to, and the rest are counted."""
    rule, segments = Rule(lists=("main",), segments=("north",)), {"north": Segment(fields={"ward": ("north",)})}
    assert len(written_to(people, rule, segments)) == 7
    assert audience.left_out(people, rule, segments) == {"outside-segment": 6}


def test_a_segment_alone_still_keeps_out_who_left(people: Connection) -> None:
    """Without a list, whoever left every list of theirs is left out."""
    people.execute(update(list_members).where(list_members.c.supporter_id == 3).values(left_at=NOW))
    rule, segments = Rule(lists=(), segments=("north",)), {"north": Segment(fields={"ward": ("North",)})}
    assert len(written_to(people, rule, segments)) == 6
    assert audience.left_out(people, rule, segments) == {"left-list": 1}


def test_a_gift_between_plan_and_claim_is_seen(people: Connection) -> None:
    """Who gives after the plan no longer fits a segment of those who never gave."""
    rule, segments = Rule(lists=("main",), segments=("never",)), {"never": Segment(never_gave=True)}
    assert "alice" in written_to(people, rule, segments)
    gave(people, "alice")
    assert left_since(people, rule, {"id": 1, "supporter_id": 1, "address_hash": "alice"},
                      segments=segments) == {1: "outside-segment"}


@pytest.mark.parametrize(("segment", "expected"), [
    (Segment(lists=("board",)), {"alice", "bob"}),
    (Segment(lists=("main",), not_lists=("board",), fields={"ward": ("South",)}),
     {"dana", "frank", "heidi", "judy", "niaj"}),
    (Segment(country=("IL",)), set()),
    (Segment(country=("GB", "IL"), language=("en",), lists=("board",)), {"alice", "bob"}),
    (Segment(language=("he",)), set()),
    (Segment(tracking=True), {"alice"}),
    (Segment(tracking=False, lists=("board",)), {"bob"}),
    (Segment(gave=True), {"charlie", "dana"}),
    (Segment(gave_since=date(2026, 11, 20)), {"charlie"}),
    (Segment(gave=True, not_gave_since=date(2026, 1, 1)), {"dana"}),
    (Segment(never_gave=True, lists=("board",)), {"alice", "bob"}),
    (Segment(joined_before=date(2026, 11, 20)), set()),
    (Segment(joined_before=date(2026, 11, 21), lists=("board",)), {"alice", "bob"}),
    (Segment(joined_after=date(2026, 11, 19), lists=("board",)), {"alice", "bob"}),
    (Segment(joined_after=date(2026, 11, 20)), set()),
    (Segment(fields={"ward": ("צפון",)}), set()),
], ids=lambda value: type(value).__name__)
def test_each_part_of_a_segment_chooses(people: Connection, segment: Segment, expected: set[str]) -> None:
    """A segment takes exactly those for whom all of its parts hold."""
    gave(people, "charlie")
    gave(people, "dana", datetime(2024, 3, 1, tzinfo=UTC))
    assert written_to(people, Rule(lists=(), segments=("s",)), {"s": segment}) == expected


@pytest.mark.parametrize(("rule", "words"), [
    (Rule(lists=()), "No list and no segment"),
    (Rule(lists=("mian",)), "no list called 'mian'. Known lists: board, main"),
    (Rule(lists=("main",), segments=("x",)), "no segment called 'x'. Known segments: odd"),
    (Rule(lists=("main",), exclude=("y",)), "'y' to exclude. Known lists and segments: board, main, odd"),
    (Rule(lists=("main",), segments=("odd",)), "segment odd names the list 'gone', which does not exist"),
], ids=lambda value: type(value).__name__)
def test_an_unknown_name_is_refused_with_the_known_ones(people: Connection, rule: Rule, words: str) -> None:
    """A slip in a list's or segment's name stops everything, and says what there is."""
    with pytest.raises(Refused) as caught:
        audience.check(people, rule, {"odd": Segment(lists=("gone",))})
    assert words in caught.value.sentence()


def test_a_rule_survives_the_database() -> None:
    """What is kept with a mailing is the rule that was planned."""
    rule = Rule(lists=("main",), segments=("a", "b"), exclude=("board",))
    assert Rule.from_json(rule.to_json()) == rule


def test_the_claim_finds_its_rows_by_index(people: Connection) -> None:
    """On SQLite the re-check looks rows up: it never walks through a table."""
    if people.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's planner walks through tables as small as these")
    seen: list[tuple[str, Any]] = []
    engine: Engine = people.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _u, said, given, _x, _m: seen.append((said, given)))
    rule = Rule(lists=("main",), segments=("donors",), exclude=("board",))
    left_since(people, rule, {"id": 1, "supporter_id": 1, "address_hash": "alice"},
               segments={"donors": Segment(gave=True, lists=("main",), tracking=True)})
    said, given = seen[-1]
    steps = [row[3] for row in people.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given)]
    assert steps
    assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step and "subquery" not in step]
