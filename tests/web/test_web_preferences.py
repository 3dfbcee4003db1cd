"""What a supporter wishes: shown without anything personal, saved as asked, taken back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from pillarbox.ground import clock
from pillarbox.model.states import Basis, Channel, Kind
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests.web.site import TestClient, rows
from tests.web.wishing import WORDING, alice, client, form, hidden, settings, standing

NOW = datetime(2026, 12, 15, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Here:
    """Alice's pages."""

    web: TestClient
    store: Store
    key: str

    def page(self) -> str:
        """Her form."""
        return str(self.web.get(f"/p/{self.key}").text)

    def save(self, **said: Any) -> Any:
        """Her form, filled in otherwise."""
        return self.web.post(f"/p/{self.key}", data=form(self.page(), **said))


@pytest.fixture
def here(store: Store) -> Iterator[Here]:
    """On each engine in turn."""
    with store.writing() as connection:
        key = alice(connection)
    with client(store) as web, clock.freeze(NOW):
        yield Here(web=web, store=store, key=key)


def on_lists(store: Store) -> dict[str, bool]:
    """Which lists Alice was ever on, and whether she is."""
    with store.reading() as connection:
        found = [tuple(row) for row in connection.execute(
            select(schema.lists.c.name, schema.list_members.c.left_at).join(schema.list_members))]
    return {str(name): left is None for name, left in found}


def test_a_forwarded_letter_opens_nothing_personal(here: Here) -> None:
    """Neither name nor address stands on the page, and looking changes nothing."""
    before = standing(here.store)
    page = here.page()
    assert not [word for word in ("alice", "Alice", "Wonder") if word in page]
    assert "Our newsletter, once a month" in page
    assert "Campaigns &amp; what you can do" in page
    assert "main" not in form(page)["offered"]
    assert here.web.head(f"/p/{here.key}").status_code == 200
    assert standing(here.store) == before
    assert rows(here.store, schema.passes.c.kind) == []


def test_how_much_and_a_pause(here: Here) -> None:
    """Saved, told, shown again, and written into the history."""
    answer = here.save(frequency="monthly", pause="2027-03-01")
    assert answer.status_code == 200
    assert "At most one email a month" in answer.text
    assert "No letters before 1 March 2027" in answer.text
    assert rows(here.store, schema.wishes.c.frequency, schema.wishes.c.paused_until) == [
        ("monthly", datetime(2027, 3, 1, tzinfo=UTC))]
    assert form(here.page())["frequency"] == "monthly"
    assert form(here.page())["pause"] == "2027-03-01"
    assert rows(here.store, schema.wish_changes.c.source, schema.wish_changes.c.changes) == [
        ("preferences page", {"frequency": ["everything", "monthly"],
                              "paused_until": [None, "2027-03-01T00:00:00+00:00"]})]
    here.save(frequency="everything", pause="")
    assert rows(here.store, schema.wishes.c.frequency) == []


@pytest.mark.parametrize(("typed", "words"), [
    ("2026-12-15", "This day is over"), ("2020-01-01", "This day is over"), ("2027-12-16", "a year at most"),
    ("soon", "could not read this date"), ("9" * 5000, "could not read this date")])
def test_a_pause_that_cannot_be_is_told(here: Here, typed: str, words: str) -> None:
    """The form comes back as it was filled in, nothing saved."""
    before = standing(here.store)
    answer = here.save(frequency="monthly", pause=typed, list=["campaigns"])
    assert answer.status_code == 422
    assert words in answer.text
    assert form(answer.text)["frequency"] == "monthly"
    assert form(answer.text)["list"] == ["campaigns"]
    assert standing(here.store) == before


@pytest.mark.parametrize("typed", ["2027-12-15", "15/12/2027", " 15 Dec 2027 "])
def test_a_year_is_the_longest_pause(here: Here, typed: str) -> None:
    """To the day, however a browser without a calendar has it typed."""
    assert here.save(pause=typed).status_code == 200
    assert rows(here.store, schema.wishes.c.paused_until) == [(datetime(2027, 12, 15, tzinfo=UTC),)]


def test_lists_are_left_and_joined(here: Here) -> None:
    """What is not ticked is left, what is ticked is joined; lists that are not open to choice stay as they are."""
    answer = here.save(list=["campaigns", "events"])
    assert "Our newsletter, once a month: no" in answer.text
    assert on_lists(here.store) == {"newsletter": False, "campaigns": True, "main": True, "events": True}


def test_a_letters_key_brings_nobody_back_to_a_list(here: Here) -> None:
    """A list that was left is not offered, and ticking it all the same does nothing."""
    here.save(list=["campaigns"])
    assert "You left: Our newsletter, once a month" in here.page()
    page = here.page()
    here.web.post(f"/p/{here.key}", data=form(page, list=["newsletter", "campaigns"],
                                               offered=["newsletter", "campaigns", "events"]))
    assert on_lists(here.store)["newsletter"] is False


def test_a_list_that_the_form_did_not_show_is_left_alone(here: Here) -> None:
    """The charity opened another list while the form was being filled in."""
    page = here.page()
    here.web.post(f"/p/{here.key}", data=form(page, offered=["campaigns"], list=None))
    assert on_lists(here.store) == {"newsletter": True, "campaigns": False, "main": True}
    here.web.post(f"/p/{here.key}", data=form(page, offered=["main"], list=None))
    assert on_lists(here.store)["main"] is True


def test_tracking_is_agreed_to_in_words_and_at_a_time(here: Here) -> None:
    """Given: the wording as it stood on the page, and when. Taken back: at once, and kept in the history."""
    here.save(tracking=None)
    tracking = (schema.consents.c.basis, schema.consents.c.wording, schema.consents.c.source,
                schema.consents.c.recorded_at)
    with here.store.reading() as connection:
        row = connection.execute(select(*tracking).where(schema.consents.c.channel == Channel.TRACKING)).one()
    assert (row.basis, row.recorded_at) == (Basis.NONE, NOW)
    here.save(tracking="yes")
    with here.store.reading() as connection:
        row = connection.execute(select(*tracking).where(schema.consents.c.channel == Channel.TRACKING)).one()
        changes = connection.execute(select(schema.wish_changes.c.changes).order_by(
            schema.wish_changes.c.id)).scalars().all()
    assert tuple(row) == (Basis.CONSENT, WORDING, "preferences page", NOW)
    assert changes == [{"tracking": ["consent", "none"]},
                       {"tracking": ["none", "consent"], "tracking_wording": WORDING}]


def test_nobody_agrees_to_words_that_they_did_not_see(here: Here) -> None:
    """The wording changed while the form lay open: it is shown again, and nothing is saved."""
    here.save(tracking=None)
    before = standing(here.store)
    answer = here.save(tracking="yes", wording="0123456789abcdef")
    assert answer.status_code == 422
    assert "please look again" in answer.text
    assert standing(here.store) == before


@pytest.mark.parametrize("said", [
    {"frequency": "monthly", "pause": "2027-02-01", "list": None, "tracking": None},
    {"frequency": "newsletters"}, {"list": ["newsletter", "campaigns", "events"]}, {"tracking": None}])
def test_undo_brings_back_exactly_what_stood(here: Here, said: dict[str, Any]) -> None:
    """Every row to the letter, once, with the history told."""
    before = standing(here.store)
    token = hidden(here.save(**said).text, "undo")
    assert standing(here.store) != before
    answer = here.web.post(f"/p/{here.key}/undo", data={"undo": token})
    assert "All is as it was before" in answer.text
    after = standing(here.store)
    assert after == before
    with here.store.reading() as connection:
        assert connection.execute(select(schema.wish_changes.c.source).order_by(
            schema.wish_changes.c.id)).scalars().all() == ["preferences page", "taken back by the supporter"]
    assert here.web.post(f"/p/{here.key}/undo", data={"undo": token}).status_code == 409


def test_undo_leaves_alone_what_somebody_else_changed_since(here: Here) -> None:
    """Staff took her off a list that she had joined: the undo does not touch it."""
    token = hidden(here.save(list=["newsletter", "campaigns", "events"], frequency="monthly").text, "undo")
    with here.store.writing() as connection:
        connection.execute(update(schema.list_members).where(schema.list_members.c.left_at.is_(None),
                                                             schema.list_members.c.list_id == 4).values(left_at=NOW))
    here.web.post(f"/p/{here.key}/undo", data={"undo": token})
    assert on_lists(here.store)["events"] is False
    assert rows(here.store, schema.wishes.c.frequency) == []


def test_an_undo_is_good_for_a_day(here: Here) -> None:
    """Then it is too late, and the page says how it stands."""
    token = hidden(here.save(frequency="monthly").text, "undo")
    with clock.freeze(NOW.replace(day=16, hour=9, minute=1)):
        answer = here.web.post(f"/p/{here.key}/undo", data={"undo": token})
    assert answer.status_code == 409
    assert "can no longer be taken back" in answer.text
    assert rows(here.store, schema.wishes.c.frequency) == [("monthly",)]


def test_a_pass_is_one_persons(here: Here) -> None:
    """Another supporter's letter cannot use it."""
    from tests import builders

    token = hidden(here.save(frequency="monthly").text, "undo")
    with here.store.writing() as connection:
        bob = builders.supporter(connection, "bob@example.org")
        mailing = connection.execute(select(schema.mailings.c.id)).scalar_one()
        message = builders.message(connection, mailing, bob)
        key = connection.execute(select(schema.messages.c.key).where(schema.messages.c.id == message)).scalar_one()
    assert here.web.post(f"/p/{key}/undo", data={"undo": token}).status_code == 409
    assert rows(here.store, schema.wishes.c.frequency) == [("monthly",)]


def test_a_button_pressed_twice_can_still_be_taken_back(here: Here) -> None:
    """The same page sent twice changes nothing the second time, and its undo still leads back to the start."""
    before, sent = standing(here.store), form(here.page(), frequency="monthly")
    here.web.post(f"/p/{here.key}", data=sent)
    token = hidden(here.web.post(f"/p/{here.key}", data=sent).text, "undo")
    here.web.post(f"/p/{here.key}/undo", data={"undo": token})
    assert standing(here.store) == before


@pytest.mark.parametrize("sent", [{}, {"frequency": "hourly"}, {"frequency": "everything' OR 1=1 --"}])
def test_an_odd_form_changes_nothing(here: Here, sent: dict[str, str]) -> None:
    """What no page of ours sends is refused."""
    before = standing(here.store)
    assert here.web.post(f"/p/{here.key}", data=sent).status_code in (400, 415)
    assert standing(here.store) == before


def test_a_form_of_20_megabytes_is_refused(here: Here) -> None:
    """At every door, unread; nothing is changed."""
    before = standing(here.store)
    for path in (f"/p/{here.key}", f"/u/{here.key}", f"/u/{here.key}/fewer", f"/p/{here.key}/undo",
                 f"/details/{here.key}"):
        answer = here.web.post(path, content=b"frequency=" + b"a" * 20_000_000,
                               headers={"content-type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 413, path
        assert "could not read this" in answer.text
    assert standing(here.store) == before


def test_who_has_left_sees_no_form_and_changes_nothing(here: Here) -> None:
    """The key of an old letter is no way back."""
    here.web.post(f"/u/{here.key}")
    before = standing(here.store)
    assert "You are unsubscribed" in here.page()
    answer = here.web.post(f"/p/{here.key}", data={"frequency": "everything", "offered": "newsletter",
                                                    "list": "newsletter"})
    assert "You are unsubscribed" in answer.text
    assert standing(here.store) == before


def test_who_is_not_written_to_is_told_so(here: Here) -> None:
    """Consent ended by another way, a complaint say: the form would promise what does not come."""
    with here.store.writing() as connection:
        connection.execute(delete(schema.consents))
    assert "You are unsubscribed" in here.page()


def test_a_proofs_key_changes_nobody(here: Here) -> None:
    """Made to be looked at."""
    sent = form(here.page(), frequency="monthly")
    with here.store.writing() as connection:
        connection.execute(update(schema.mailings).values(kind=Kind.PROOF))
    before = standing(here.store)
    assert "proof" in here.page()
    for path in ("", "/undo", "/link"):
        assert "proof" in here.web.post(f"/p/{here.key}{path}", data=sent).text
    assert standing(here.store) == before


@pytest.mark.parametrize("key", ["a2b3c4d5e6f7a2b3c4d5e6f7ab", "a" * 30, "%00", "..%2f..%2fetc", "a" * 5000])
def test_an_unknown_key_opens_nothing(here: Here, key: str) -> None:
    """A kind 404 at every door."""
    for path in (f"/p/{key}", f"/details/{key}", f"/address/{key}"):
        assert here.web.get(path).status_code == 404, path
    for path in (f"/p/{key}", f"/p/{key}/undo", f"/p/{key}/link", f"/u/{key}/fewer", f"/u/{key}/undo",
                 f"/details/{key}", f"/address/{key}"):
        sent = {"frequency": "monthly", "fewer": "pause", "undo": "a" * 30, "email": "alice@example.org"}
        assert here.web.post(path, data=sent).status_code == 404, path


def test_markup_in_the_words_is_words(store: Store) -> None:
    """A list's description and the wording are text on the page."""
    evil = "<script>alert(1)</script>"
    plain = settings()
    given = plain.model_copy(update={"preferences": plain.preferences.model_copy(
        update={"lists": {"newsletter": evil}, "tracking_wording": evil})})
    with store.writing() as connection:
        key = alice(connection)
    with client(store, given) as web:
        page = web.get(f"/p/{key}").text
    assert evil not in page
    assert page.count("&lt;script&gt;") == 2


def test_without_settings_the_page_stands(store: Store) -> None:
    """No list is open to choice and tracking is not offered: how much, and a pause."""
    plain = settings()
    given = plain.model_copy(update={"preferences": plain.preferences.model_copy(
        update={"lists": {}, "tracking_wording": ""})})
    with store.writing() as connection:
        key = alice(connection)
    with client(store, given) as web, clock.freeze(NOW):
        page = web.get(f"/p/{key}").text
        assert "What about" not in page
        assert "Counting" not in page
        before = standing(store)
        web.post(f"/p/{key}", data={"frequency": "newsletters", "pause": ""})
    after = standing(store)
    assert {name for name in before if after[name] != before[name]} == {"wishes"}
