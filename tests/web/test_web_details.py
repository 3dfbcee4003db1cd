"""Name and address: opened by a link mailed to the address held, once and for an hour; a new address is confirmed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from pillarbox.ground import clock
from pillarbox.ground.address import keyed_hash
from pillarbox.model.states import SuppressionReason
from pillarbox.people import rights
from pillarbox.store import passes, schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SECRET
from tests.web.site import TestClient, rows
from tests.web.wishing import alice, at_work, client, form, standing

NOW = datetime(2026, 12, 15, 9, 0, tzinfo=UTC)
NEW = "alice.wonder@example.com"


@dataclass(frozen=True)
class Here:
    """Alice's pages."""

    web: TestClient
    store: Store
    key: str

    def mailed(self, kind: str) -> list[tuple[str, str]]:
        """(address, path of the link) of the service letters of this kind, in their order."""
        with self.store.reading() as connection:
            found = connection.execute(select(schema.service_letters).where(
                schema.service_letters.c.kind == kind).order_by(schema.service_letters.c.id)).all()
        return [(row.address, row._mapping["values"].get("link", "").removeprefix("https://letters.example.org"))
                for row in found]

    def link(self) -> str:
        """The path of a fresh link."""
        assert self.web.post(f"/p/{self.key}/link").status_code == 200
        return self.mailed("details-link")[-1][1]

    def save(self, link: str, **said: str) -> Any:
        """The form behind a link."""
        plain = {"title": "", "first_name": "Alice", "last_name": "Wonder", "salutation": "",
                 "email": "alice@example.org"}
        return self.web.post(link, data={**plain, **said})

    def person(self) -> Any:
        """Alice, as she is held."""
        with self.store.reading() as connection:
            return connection.execute(select(schema.supporters).order_by(schema.supporters.c.id).limit(1)).one()


@pytest.fixture
def here(store: Store) -> Iterator[Here]:
    """On each engine in turn."""
    with store.writing() as connection:
        key = alice(connection)
    with client(store) as web, clock.freeze(NOW):
        at_work(store)
        yield Here(web=web, store=store, key=key)


def test_the_link_goes_to_the_address_held(here: Here) -> None:
    """Not a word of it on the page that asked; of 150 bits, kept as a hash alone, of use for an hour."""
    answer = here.web.post(f"/p/{here.key}/link", headers={"Host": "evil.example.com"})
    assert "alice" not in answer.text
    [(address, link)] = here.mailed("details-link")
    assert address == "alice@example.org"
    assert re.fullmatch(r"/details/[a-z2-7]{30}", link)
    assert rows(here.store, schema.service_letters.c.not_after) == [(NOW + timedelta(hours=1),)]
    assert all(link.rpartition("/")[2] not in str(row) for row in rows(here.store, *schema.passes.c))


def test_it_opens_what_is_held_and_saves_what_is_said(here: Here) -> None:
    """Looking any number of times changes nothing; saving uses it up."""
    link = here.link()
    before = standing(here.store)
    for _ in range(2):
        page = here.web.get(link)
        assert 'value="Alice"' in page.text
        assert 'value="alice@example.org"' in page.text
        assert page.headers["cache-control"] == "private, no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
    assert standing(here.store) == before
    assert "Saved" in here.save(link, title="Dr", first_name="Ally", salutation="Hello Ally").text
    person = here.person()
    assert (person.title, person.first_name, person.last_name, person.salutation, person.address) == (
        "Dr", "Ally", "Wonder", "Hello Ally", "alice@example.org")
    assert here.web.get(link).status_code == 404
    assert here.save(link, first_name="Mallory").status_code == 404
    assert here.person().first_name == "Ally"


def test_it_is_good_for_an_hour(here: Here) -> None:
    """Then it opens nothing, and says how to get another."""
    link = here.link()
    with clock.freeze(NOW + timedelta(hours=1)):
        assert here.web.get(link).status_code == 404
        answer = here.save(link, first_name="Mallory")
    assert answer.status_code == 404
    assert "This link works no more" in answer.text
    assert here.person().first_name == "Alice"


def test_an_inbox_is_not_filled(here: Here) -> None:
    """Whoever holds a letter may ask as often as they like: three links an hour are sent, the answer is the same."""
    answers = {here.web.post(f"/p/{here.key}/link").text for _ in range(6)}
    assert len(answers) == 1
    assert len(here.mailed("details-link")) == 3


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{ 7 * 7 }}",
                                  "Ann\r\nBcc: everybody@example.org", "A" * 5_000, "\u202eecilA", "a\x00b"])
def test_a_name_is_words(here: Here, evil: str) -> None:
    """Markup, templates and line ends stay text of one line, of a length that fits."""
    here.save(here.link(), first_name=evil, last_name=evil, salutation=evil, title=evil)
    person = here.person()
    for text in (person.title, person.first_name, person.last_name, person.salutation):
        assert len(text) <= 200
        assert not re.search("[\r\n\x00\u202e]", text)
    page = here.web.get(here.link()).text
    assert "<script" not in page
    assert "<img" not in page
    assert "everybody@example.org" not in here.mailed("details-link")[-1][0]


def test_a_list_that_was_left_is_come_back_to(here: Here) -> None:
    """By this link, which only she got; not by a letter's key. Others than those that she left are not joined."""
    here.web.post(f"/p/{here.key}", data=form(here.web.get(f"/p/{here.key}").text, list=["campaigns"]))
    link = here.link()
    assert 'name="back" value="newsletter"' in here.web.get(link).text
    here.web.post(link, data={"email": "alice@example.org", "back": ["newsletter", "events", "main"]})
    with here.store.reading() as connection:
        on = connection.execute(select(schema.lists.c.name).join(schema.list_members).where(
            schema.list_members.c.left_at.is_(None))).scalars().all()
    assert sorted(on) == ["campaigns", "main", "newsletter"]


def test_a_new_address_counts_when_it_is_confirmed(here: Here) -> None:
    """A link to the new one, a note to the old, and nothing changes before the button there is pressed, once."""
    answer = here.save(here.link(), email=" Alice.Wonder@Example.COM ", first_name="Ally")
    assert "One more step" in answer.text
    [(to, link)] = here.mailed("address-confirm")
    assert to == NEW
    assert [address for address, _ in here.mailed("address-note")] == ["alice@example.org"]
    assert NEW in here.web.get(link).text
    assert (here.person().address, here.person().first_name) == ("alice@example.org", "Ally")
    before = standing(here.store)
    assert "counts from now on" in here.web.post(link).text
    after = standing(here.store)
    assert (here.person().address, here.person().address_hash) == (NEW, keyed_hash(NEW, SECRET))
    assert {name for name in before if before[name] != after[name]} == {"supporters"}  # consents and lists are hers
    assert rows(here.store, schema.former_addresses.c.address_hash) == [(keyed_hash("alice@example.org", SECRET),)]
    assert here.web.post(link).status_code == 404
    assert here.web.get(link).status_code == 404


def test_the_note_and_the_link_say_nothing_of_each_other(here: Here) -> None:
    """The old inbox does not learn the new address, nor the new one her name: it may be a stranger's by a slip."""
    here.save(here.link(), email=NEW)
    with here.store.reading() as connection:
        letters = {row.kind: row for row in connection.execute(select(schema.service_letters))}
    assert NEW not in str(tuple(letters["address-note"]))
    assert letters["address-confirm"].supporter_id is None


@pytest.mark.parametrize("email", ["alice", "", "a@b", "alice@example.org, bob@example.org", "x" * 20_000 + "@x.org",
                                   "alice@example.org\r\nBcc: bob@example.org"])
def test_what_is_no_address_is_told(here: Here, email: str) -> None:
    """The form comes back as it was filled in, and the link stays good."""
    link = here.link()
    answer = here.save(link, email=email, first_name="Ally <b>")
    assert answer.status_code == 422
    assert 'aria-describedby="email-hint wrong" aria-invalid="true" autofocus' in answer.text
    assert "Ally &lt;b&gt;" in answer.text
    assert here.person().first_name == "Alice"
    assert here.web.get(link).status_code == 200


def test_a_mailbox_that_the_way_out_does_not_carry(here: Here) -> None:
    """SendGrid carries no letters outside ASCII before the @: said at once; whose address is such a one may keep it."""
    link = here.link()
    answer = here.save(link, email="zoë@example.org")
    assert answer.status_code == 422
    assert "letters such as é" in answer.text
    assert here.mailed("address-confirm") == []
    with here.store.writing() as connection:
        connection.execute(update(schema.supporters).values(address="zoë@example.org"))
    assert here.save(link, email="zoë@example.org", first_name="Zoë").status_code == 200
    assert here.person().first_name == "Zoë"


@pytest.mark.parametrize("taken", ["supporter", "unsubscribed", "complained", "fps", "erased", "manual"])
def test_somebody_elses_address_is_not_given_away(here: Here, taken: str) -> None:
    """The page is word for word the same; no letter goes there; the old address is told all the same."""
    free = here.save(here.link(), email="free@example.org").text
    with here.store.writing() as connection:
        if taken == "supporter":
            builders.supporter(connection, NEW)
        else:
            connection.execute(insert(schema.suppressions).values(
                address_hash=keyed_hash(NEW, SECRET), reason=SuppressionReason(taken), source="x", since=NOW))
    answer = here.save(here.link(), email=NEW)
    assert answer.text == free
    assert [to for to, _ in here.mailed("address-confirm")] == ["free@example.org"]
    assert len(here.mailed("address-note")) == 2


def test_an_address_that_was_taken_meanwhile(here: Here) -> None:
    """Between asking and confirming somebody else joined with it: kindly refused, nothing changed."""
    here.save(here.link(), email=NEW)
    with here.store.writing() as connection:
        builders.supporter(connection, NEW)
    before = standing(here.store)
    answer = here.web.post(here.mailed("address-confirm")[0][1])
    assert answer.status_code == 409
    assert "cannot be used for that" in answer.text
    assert standing(here.store) == before


def test_who_says_no_says_it_everywhere(here: Here) -> None:
    """She asks for the change, leaves, then confirms: letters come to neither address. A bounce stays the address's."""
    here.save(here.link(), email=NEW)
    with here.store.writing() as connection:
        connection.execute(insert(schema.suppressions).values(
            address_hash=here.person().address_hash, reason=SuppressionReason.BOUNCED, source="x", since=NOW))
    here.web.post(f"/u/{here.key}")
    here.web.post(here.mailed("address-confirm")[0][1])
    assert here.person().address == NEW
    assert sorted(rows(here.store, schema.suppressions.c.address_hash, schema.suppressions.c.reason)) == sorted([
        (keyed_hash("alice@example.org", SECRET), "bounced"), (keyed_hash("alice@example.org", SECRET), "unsubscribed"),
        (keyed_hash(NEW, SECRET), "unsubscribed")])


def test_back_to_the_old_address(here: Here) -> None:
    """There and back again: each counts when it is confirmed, and the one given up last is the one kept out."""
    here.save(here.link(), email=NEW)
    here.web.post(here.mailed("address-confirm")[-1][1])
    here.save(here.link(), email="alice@example.org")
    assert here.mailed("details-link")[-1][0] == NEW
    here.web.post(here.mailed("address-confirm")[-1][1])
    assert here.person().address == "alice@example.org"
    assert rows(here.store, schema.former_addresses.c.address_hash) == [(keyed_hash(NEW, SECRET),)]


def test_a_link_to_the_old_inbox_opens_nothing_any_more(here: Here) -> None:
    """Whoever reads the inbox that she gave up has lost the way in."""
    link = here.link()
    here.save(here.link(), email=NEW)
    here.web.post(here.mailed("address-confirm")[0][1])
    assert here.web.get(link).status_code == 404
    with here.store.writing() as connection:  # and were the pass still there
        token = "a" * 30
        connection.execute(insert(schema.passes).values(
            token_hash=passes.hashed(token), kind="details", supporter_id=1,
            address_hash=keyed_hash("alice@example.org", SECRET), values={}, made_at=NOW,
            expires_at=NOW + timedelta(hours=1)))
    assert here.web.get(f"/details/{token}").status_code == 404


def test_the_kinds_of_pass_are_not_mixed_up(here: Here) -> None:
    """A link to the details confirms no address, and an undo opens none."""
    link = here.link().rpartition("/")[2]
    assert here.web.get(f"/address/{link}").status_code == 404
    assert here.web.post(f"/address/{link}").status_code == 404
    assert here.web.post(f"/p/{here.key}/undo", data={"undo": link}).status_code == 409


def test_everything_is_exported_and_forgotten(here: Here) -> None:
    """By the address held or the one given up: wishes, history, links and what was on its way."""
    here.web.post(f"/p/{here.key}", data=form(here.web.get(f"/p/{here.key}").text, frequency="monthly"))
    here.save(here.link(), email=NEW, first_name="Ally")
    here.web.post(here.mailed("address-confirm")[0][1])
    here.save(here.link(), email="third@example.org", first_name="Ally")
    for email in ("alice@example.org", NEW):
        held = rights.export(here.store, secret=SECRET, email=email)
        assert held["wishes"][0]["frequency"] == "monthly"
        assert len(held["wish_history"]) == 3
        assert len(held["former_addresses"]) == 1
        assert {row["kind"] for row in held["links"]} == {"undo", "address"}
    rights.forget(here.store, secret=SECRET, email="alice@example.org")
    with here.store.reading() as connection:
        left = {name: str(list(connection.execute(select(table)))) for name, table in schema.metadata.tables.items()}
    for trace in ("Ally", "Wonder", "third@", NEW, keyed_hash("third@example.org", SECRET)):
        assert not [name for name, words in left.items() if trace in words], trace
    for address in ("alice@example.org", NEW):
        assert [name for name, words in left.items() if keyed_hash(address, SECRET) in words] == ["suppressions"]
    assert rows(here.store, schema.wishes.c.supporter_id) == rows(here.store, schema.passes.c.kind) == []
    assert here.web.get(f"/p/{here.key}").text.count("You are unsubscribed")


def test_a_forgotten_persons_link_opens_nothing(here: Here) -> None:
    """It was on its way when they were forgotten."""
    link = here.link()
    rights.forget(here.store, secret=SECRET, email="alice@example.org")
    assert here.web.get(link).status_code == 404
    with here.store.reading() as connection:
        assert connection.execute(select(schema.service_letters.c.state)).scalars().all() == ["failed"]
