"""Each donation is written down once and tied to the letter that raised it, by the strongest evidence there is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from pillarbox.giving import offline
from pillarbox.giving.record import Recorded, record
from pillarbox.ground.address import keyed_hash
from pillarbox.ground.errors import Refused
from pillarbox.ground.money import Money
from pillarbox.model.records import Gift
from pillarbox.model.states import Attribution, Kind, MessageState, Outcome
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SECRET, SENT_AT

ALICE = "alice@example.org"


def gift(*, code: str = "", address: str = "", days: float = 1, external_id: str = "D1") -> Gift:
    """£25, ``days`` after the letters went out."""
    return Gift(amount=Money(minor=2500), received=SENT_AT + timedelta(days=days), source="csv",
                external_id=external_id, address=address, code=code, gift_aid=True)


def written(store: Store, *gifts: Gift) -> Recorded:
    return record(store, gifts, secret=SECRET, window_days=30, actor="Test")


def donation(store: Store) -> Any:
    """The only donation."""
    with store.reading() as connection:
        return connection.execute(select(schema.donations)).one()


def letter(store: Store, name: str = "appeal", *, sent: datetime = SENT_AT, **mailing: Any) -> tuple[int, int, str]:
    """A letter to Alice: mailing, message, and the code of its donate link."""
    state = mailing.pop("state", MessageState.ACCEPTED)
    outcome = mailing.pop("outcome", Outcome.NONE)
    with store.writing() as connection:
        alice = connection.execute(select(schema.supporters.c.id)).scalar() or builders.supporter(connection)
        mailing_id = builders.mailing(connection, name, **mailing)
        message = builders.message(connection, mailing_id, alice, state=state, accepted_at=sent, outcome=outcome)
        code = connection.execute(select(schema.messages.c.code).where(schema.messages.c.id == message)).scalar_one()
    return mailing_id, message, code


@pytest.mark.parametrize("written_as", ["{}", " {} ", "ref={}", "Donation, {}; thank you", "https://x.example/?ref={}&a=1"])
def test_the_links_code_is_the_strongest(store: Store, written_as: str) -> None:
    """The code names letter, mailing and supporter, in whatever reference it stands and in any letter case."""
    mailing, message, code = letter(store)
    letter(store, "newer", sent=SENT_AT + timedelta(hours=1))
    recorded = written(store, gift(code=written_as.format(code.upper()), address=ALICE))
    assert recorded.attributed[Attribution.LINK_CODE] == 1
    found = donation(store)
    assert (found.mailing_id, found.message_id, found.supporter_id) == (mailing, message, 1)
    assert found.attribution == Attribution.LINK_CODE
    assert found.address_hash == keyed_hash(ALICE, SECRET)


def test_who_gives_through_anothers_link_is_themselves(store: Store) -> None:
    """A letter is passed on: the gift is the mailing's, the donor is the owner of the address."""
    mailing, _, code = letter(store)
    with store.writing() as connection:
        bob = builders.supporter(connection, "bob@example.org")
    written(store, gift(code=code, address="bob@example.org"))
    assert (donation(store).mailing_id, donation(store).supporter_id) == (mailing, bob)


def test_a_source_code_names_the_mailing(store: Store) -> None:
    """Without a link's code the mailing's own code counts, in any letter case; the letter is not known."""
    mailing, _, _ = letter(store, source_code="UF26")
    written(store, gift(code="Gift uf26", address=ALICE))
    found = donation(store)
    assert (found.attribution, found.mailing_id, found.message_id) == (Attribution.SOURCE_CODE, mailing, None)
    assert found.supporter_id == 1


def test_the_address_names_the_newest_letter_before(store: Store) -> None:
    """Without a code the newest letter to the address counts: not one that came after the gift."""
    letter(store, "older", sent=SENT_AT - timedelta(days=3))
    mailing, message, _ = letter(store, "newer")
    letter(store, "later", sent=SENT_AT + timedelta(days=2))
    assert written(store, gift(address=ALICE, code="unknown")).attributed[Attribution.ADDRESS] == 1
    found = donation(store)
    assert (found.mailing_id, found.message_id, found.supporter_id) == (mailing, message, 1)


@pytest.mark.parametrize(("days", "kind"), [
    (-0.01, Attribution.NONE), (0, Attribution.ADDRESS), (30, Attribution.ADDRESS), (30.01, Attribution.NONE)])
def test_the_window(store: Store, days: float, kind: Attribution) -> None:
    """The stated days after the letter count, both ends included."""
    letter(store)
    written(store, gift(address=ALICE, days=days))
    assert donation(store).attribution == kind
    assert donation(store).supporter_id == 1


def test_each_gift_of_a_file_has_a_window_of_its_own(store: Store) -> None:
    """An old gift beside it in the file does not stretch the window of a new one."""
    letter(store)
    recorded = written(store, gift(address=ALICE, days=1), gift(address=ALICE, days=60, external_id="D2"))
    assert (recorded.attributed[Attribution.ADDRESS], recorded.attributed[Attribution.NONE]) == (1, 1)


@pytest.mark.parametrize("never", [
    {"kind": Kind.PROOF}, {"kind": Kind.SERVICE}, {"outcome": Outcome.BOUNCED},
    {"outcome": Outcome.BLOCKED}, {"outcome": Outcome.DROPPED}, {"state": MessageState.IN_DOUBT},
], ids=str)
def test_letters_that_raise_nothing_by_address(store: Store, never: dict[str, Any]) -> None:
    """Proofs reached nobody, service letters ask nothing, and what came back was not read."""
    letter(store, **never)
    written(store, gift(address=ALICE))
    assert donation(store).attribution == Attribution.NONE


@pytest.mark.parametrize("live", [False, True])
def test_practice_counts_by_address_only_where_nothing_was_live(store: Store, live: bool) -> None:
    """A project that practises shows the whole road; one that has sent for real never takes practice for it."""
    practised, _, _ = letter(store, practice=True)
    if live:
        letter(store, "real", sent=SENT_AT - timedelta(days=90), started_at=SENT_AT - timedelta(days=90))
    written(store, gift(address=ALICE))
    assert donation(store).mailing_id == (None if live else practised)


def test_practice_is_tied_by_code_alone(store: Store) -> None:
    """A practice letter's code ties a practice donation to it."""
    mailing, _, code = letter(store, practice=True)
    written(store, gift(code=code, address=ALICE))
    assert donation(store).mailing_id == mailing


def test_a_proof_never_attracts_a_donation(store: Store) -> None:
    """Neither its link's code nor its source code counts."""
    _, _, code = letter(store, kind=Kind.PROOF, source_code="PROOF1")
    written(store, gift(code=f"{code} PROOF1", address=ALICE))
    assert donation(store).attribution == Attribution.NONE


def test_the_same_gift_counts_once(store: Store) -> None:
    """In one file, in two files, and after its letter was tied: source and id tell."""
    letter(store)
    one, two = gift(address=ALICE), gift(address=ALICE, external_id="D2")
    first = written(store, one, one)
    assert (first.added, first.repeated) == (1, 1)
    again = written(store, one, two)
    assert (again.added, again.repeated, again.attributed[Attribution.ADDRESS]) == (1, 1, 1)
    with store.reading() as connection:
        assert connection.execute(select(schema.donations.c.external_id)).scalars().all() == ["D1", "D2"]


def test_what_was_done_is_in_the_audit_log(store: Store) -> None:
    """Who recorded how many, and nothing about the donors."""
    written(store, gift(address=ALICE))
    written(store, gift(address=ALICE))
    with store.reading() as connection:
        line = connection.execute(select(schema.audit)).one()
    assert (line.actor, line.action, line.subject) == ("Test", "donations-recorded", "1 donations")
    assert ALICE not in str(line.detail)


def by_hand(store: Store, **options: Any) -> Recorded:
    return offline.add(store, **{
        "amount": Money(minor=5000), "received": SENT_AT + timedelta(days=5), "method": "cheque", "name": "A. Example",
        "secret": SECRET, "window_days": 30, "actor": "Test", **options})


@pytest.mark.parametrize("named", ["UF26", "uf26", "appeal"])
def test_a_cheque_by_hand(store: Store, named: str) -> None:
    """A cheque is tied by the mailing's name or source code."""
    mailing, _, _ = letter(store, source_code="UF26")
    assert by_hand(store, mailing=named).attributed[Attribution.SOURCE_CODE] == 1
    found = donation(store)
    assert (found.mailing_id, found.method, found.name) == (mailing, "cheque", "A. Example")


def test_a_reference_makes_a_cheque_single(store: Store) -> None:
    """Two like cheques are two; the same number twice is one."""
    assert by_hand(store).added == by_hand(store).added == 1
    assert by_hand(store, reference="100017").added == 1
    assert by_hand(store, reference="100017").repeated == 1


@pytest.mark.parametrize(("options", "sentence"), [
    ({"mailing": "UF99"}, "No mailing has the name or source code 'UF99'"),
    ({"amount": Money(minor=0)}, "is none"),
    ({"amount": Money(minor=-500)}, "is none"),
    ({"method": "barter"}, "no method 'barter'"),
    ({"name": ""}, "email address or name"),
    ({"email": "nobody at all"}, "cannot be read"),
])
def test_what_cannot_be_added_is_refused(store: Store, options: dict[str, Any], sentence: str) -> None:
    """A slip at the keyboard adds nothing and says what to do."""
    with pytest.raises(Refused, match=sentence):
        by_hand(store, **options)
    with store.reading() as connection:
        assert connection.execute(select(schema.donations.c.id)).all() == []


def test_a_letter_in_doubt_that_proves_sent_counts_later(store: Store) -> None:
    """Only accepted letters raise money by address; once an event proves it, they do."""
    letter(store, state=MessageState.IN_DOUBT)
    with store.writing() as connection:
        connection.execute(update(schema.messages).values(state=MessageState.ACCEPTED))
    written(store, gift(address=ALICE))
    assert donation(store).attribution == Attribution.ADDRESS
