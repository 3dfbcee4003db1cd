"""The store keeps its word on both engines."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from pillarbox.ground.errors import StoreError
from pillarbox.store.connect import ClashError, Store, connect
from pillarbox.store.schema import marks, metadata, suppressions


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    """An exception inside ``writing`` undoes all of it."""
    with pytest.raises(RuntimeError), store.writing() as connection:
        connection.execute(insert(marks).values(name="x", at=datetime.now(UTC)))
        raise RuntimeError
    with store.reading() as connection:
        assert connection.execute(select(marks)).all() == []


def test_times_come_back_aware(store: Store) -> None:
    """UTC in, UTC out, on every engine."""
    moment = datetime(2026, 12, 10, 8, 30, tzinfo=UTC)
    with store.writing() as connection:
        connection.execute(insert(marks).values(name="x", at=moment))
    with store.reading() as connection:
        assert connection.execute(select(marks.c.at)).scalar_one() == moment


def test_a_fault_never_carries_values(store: Store) -> None:
    """What goes wrong in the database reaches staff as a sentence without anybody's data."""
    marks.drop(store.writer)
    with pytest.raises(StoreError) as caught, store.reading() as connection:
        connection.execute(select(marks).where(marks.c.name == "alice@example.org"))
    assert "alice@example.org" not in str(caught.value)


def test_a_contradiction_is_told_apart_and_carries_no_values(store: Store) -> None:
    """A row that is there already: a fault of its own kind, to be tried again, and no word of whose row it is."""
    row = {"address_hash": "h", "address": "alice@example.org", "reason": "manual", "source": "alice@example.org",
           "since": datetime.now(UTC)}
    with store.writing() as connection:
        connection.execute(insert(suppressions).values(row))
    with pytest.raises(ClashError) as caught, store.writing() as connection:
        connection.execute(insert(suppressions).values(row))
    assert "alice" not in str(caught.value)
    assert caught.value.retry


def test_a_value_that_does_not_fit_is_not_told(store: Store) -> None:
    """PostgreSQL's own words quote the value; ours do not."""
    if store.is_sqlite:
        pytest.skip("SQLite takes any value")
    with pytest.raises(StoreError) as caught, store.reading() as connection:
        connection.execute(text("SELECT CAST('alice@example.org' AS integer)"))
    assert "alice" not in str(caught.value)


def test_who_must_yield_is_told_to_try_again(store: Store) -> None:
    """Two that wait for each other: one goes on, the other is told so, and nothing of disks that are full."""
    if store.is_sqlite:
        pytest.skip("SQLite has one writer")
    with store.writing() as connection:
        connection.execute(insert(marks), [{"name": name, "at": datetime.now(UTC)} for name in ("a", "b")])
    both, told = threading.Barrier(2), []

    def write(first: str, second: str) -> None:
        try:
            with store.writing() as connection:
                connection.execute(select(marks).where(marks.c.name == first).with_for_update())
                both.wait(10)
                connection.execute(select(marks).where(marks.c.name == second).with_for_update())
        except StoreError as fault:
            told.append(fault)

    writers = [threading.Thread(target=write, args=names) for names in (("a", "b"), ("b", "a"))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    [fault] = told
    assert "waited for each other" in str(fault)
    assert "disk" not in str(fault)
    assert fault.retry


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    """A file that is no database is a sentence, not a fault of the program."""
    (tmp_path / "test.db").write_bytes(b"no database" * 1000)
    damaged = connect("sqlite:///test.db", tmp_path)
    with pytest.raises(StoreError, match="damaged"), damaged.reading():
        pass
    damaged.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where the database's folder should be lies a file."""
    (tmp_path / "var").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be made"):
        connect("sqlite:///var/test.db", tmp_path)


def _rows() -> dict[str, Any]:
    """The least rows that a message needs, as ``insert`` takes them."""
    moment = datetime.now(UTC)
    return {
        "supporters": {"id": 1, "address": "a@example.org", "address_hash": "h1", "title": "", "first_name": "",
                       "last_name": "", "salutation": "", "fields": {}, "created_at": moment, "updated_at": moment},
        "bundles": {"id": "b", "appeal": "a", "made_at": moment, "content": b""},
        "editions": {"id": 1, "appeal": "a", "label": "first", "practice": False},
        "mailings": {"id": 1, "name": "a-1", "appeal": "a", "kind": "appeal", "edition_id": 1, "practice": False,
                     "transport": "files", "bundle_id": "b", "source_code": "S1", "title": "t", "audience": {},
                     "excluded": {}, "for_date": moment.date(), "created_at": moment},
        "shapes": {"id": 1, "mailing_id": 1, "content_hash": "s", "subject": "", "html": "", "text": "", "tokens": [],
                   "private": False},
        "messages": {"id": 1, "mailing_id": 1, "edition_id": 1, "supporter_id": 1, "address": "a@example.org",
                     "address_hash": "h1", "key": "k1", "code": "c1", "shape_id": 1, "tracked": False,
                     "state": "planned"},
    }


@pytest.fixture
def filled(store: Store) -> Store:
    """A database with one message, and a second mailing and supporter to try with."""
    rows = _rows()
    with store.writing() as connection:
        for name, row in rows.items():
            connection.execute(insert(metadata.tables[name]).values(row))
        connection.execute(insert(metadata.tables["supporters"]).values(
            rows["supporters"] | {"id": 2, "address": "b@example.org", "address_hash": "h2"}))
        connection.execute(insert(metadata.tables["mailings"]).values(
            rows["mailings"] | {"id": 2, "name": "a-2", "source_code": "S2"}))
    return store


@pytest.mark.parametrize(("table", "change"), [
    ("messages", {"supporter_id": 2, "address_hash": "h2"}),  # the same keys
    ("messages", {"key": "k2", "code": "c2", "supporter_id": 2}),  # one address twice in a mailing
    ("messages", {"key": "k2", "code": "c2", "address_hash": "h2"}),  # one supporter twice in a mailing
    ("messages", {"key": "k2", "code": "c2", "mailing_id": 2}),  # one supporter twice in an edition
    ("messages", {"key": "k2", "code": "c2", "supporter_id": 2, "address_hash": "h2", "state": "posted"}),
    ("messages", {"key": "k2", "code": "c2", "supporter_id": 99, "address_hash": "h2"}),
    ("mailings", {"name": "a-3"}),  # one source code twice
    ("mailings", {"source_code": "S3"}),  # one name twice
    ("editions", {}),
    ("shapes", {}),
    ("bundles", {}),
])
def test_the_tables_themselves_forbid(filled: Store, table: str, change: dict[str, Any]) -> None:
    """What may never be twice is refused by the database, whatever the program believes."""
    row = _rows()[table] | change
    if table != "bundles":
        row.pop("id")
    with pytest.raises(ClashError), filled.writing() as connection:
        connection.execute(insert(metadata.tables[table]).values(row))


@pytest.mark.parametrize("state", ["cancelled", "withdrawn", "failed"])
def test_what_surely_never_left_makes_room_in_its_edition(filled: Store, state: str) -> None:
    """A message that did not go does not stand in the way of one that shall."""
    messages = metadata.tables["messages"]
    row = _rows()["messages"] | {"id": 2, "key": "k2", "code": "c2", "mailing_id": 2}
    with filled.writing() as connection:
        connection.execute(update(messages).values(state=state))
        connection.execute(insert(messages).values(row))
    with pytest.raises(ClashError), filled.writing() as connection:
        connection.execute(update(messages).where(messages.c.id == 1).values(state="accepted"))


def test_a_new_folder_of_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    """Everybody's address lies in it; a folder that is there already is left as it is."""
    connect("sqlite:///var/pillarbox.db", tmp_path).close()
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    (tmp_path / "shared").mkdir(mode=0o755)
    connect("sqlite:///shared/pillarbox.db", tmp_path).close()
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755
