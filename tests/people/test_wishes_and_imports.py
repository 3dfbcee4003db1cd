"""A later list never overrides what a supporter asked for on their own pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from pillarbox.ground.address import keyed_hash
from pillarbox.model.states import Basis, Channel, Frequency
from pillarbox.people import rights
from pillarbox.people.intake import ImportReport, import_list
from pillarbox.store import consents, lists, wishes
from pillarbox.store.connect import Store
from pillarbox.store.schema import consents as consents_table
from pillarbox.store.schema import list_members, supporters
from pillarbox.store.schema import wishes as wishes_table
from pillarbox.store.wishes import Wish

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECRET = b"a secret for tests"
FILE = "email,first name,last name,tracking\nalice@example.org,A,W,yes\n"


def take(store: Store, folder: Path, text: str = FILE) -> ImportReport:
    """Import with consent into ``main``."""
    path = folder / "list.csv"
    path.write_text(text, "utf-8")
    return import_list(store, secret=SECRET, path=path, list_name="main", basis=Basis.CONSENT, source="stall",
                       obtained=date(2026, 3, 1), tracking=True, dry_run=False)


def alice(store: Store) -> Any:
    """Her row."""
    with store.reading() as connection:
        return connection.execute(select(supporters).limit(1)).one()


def test_how_much_a_pause_and_tracking_stay(store: Store, tmp_path: Path) -> None:
    """The list says yes to everything; she had said otherwise."""
    take(store, tmp_path)
    wish = Wish(frequency=Frequency.MONTHLY, paused_until=NOW)
    with store.writing() as connection:
        wishes.keep(connection, 1, wish, NOW)
        consents.withdraw(connection, 1, "preferences page", NOW, [Channel.TRACKING])
    take(store, tmp_path)
    with store.reading() as connection:
        assert wishes.of(connection, 1) == wish
        assert connection.execute(select(consents_table.c.basis).where(
            consents_table.c.channel == Channel.TRACKING)).scalar_one() == Basis.NONE


def test_a_list_that_was_left_stays_left(store: Store, tmp_path: Path) -> None:
    """Kept out of that list, by name."""
    take(store, tmp_path)
    with store.writing() as connection:
        lists.leave(connection, 1, 1, NOW)
    assert take(store, tmp_path).kept_out == {"left-list": 1}
    with store.reading() as connection:
        assert connection.execute(select(list_members.c.left_at)).scalar_one() == NOW


def test_a_name_that_she_wrote_herself_stays(store: Store, tmp_path: Path) -> None:
    """What the list says beside it is taken in; and staff who add her by hand pass on her word."""
    take(store, tmp_path)
    with store.writing() as connection:
        connection.execute(update(supporters).values(first_name="Ally", salutation="Hello Ally"))
        wishes.keep(connection, 1, wishes.own(Wish()), NOW)
    take(store, tmp_path, "email,first name,last name,town\nalice@example.org,A,W,Leeds\n")
    row = alice(store)
    assert (row.first_name, row.salutation, row.fields) == ("Ally", "Hello Ally", {"town": "Leeds"})
    rights.add(store, secret=SECRET, email="alice@example.org", first_name="Alison", list_name="main",
               basis=Basis.CONSENT, source="by phone")
    assert alice(store).first_name == "Alison"


def test_an_address_that_was_given_up_begins_nobody_anew(store: Store, tmp_path: Path) -> None:
    """An old list still has it: she is written to where she said. Somebody else may join with it by their own word."""
    take(store, tmp_path)
    with store.writing() as connection:
        new = "new@example.org"
        connection.execute(update(supporters).values(address=new, address_hash=keyed_hash(new, SECRET)))
        wishes.give_up(connection, keyed_hash("alice@example.org", SECRET), 1, NOW)
    assert take(store, tmp_path).kept_out == {"former-address": 1}
    assert alice(store).address == "new@example.org"
    with store.reading() as connection:
        assert len(connection.execute(select(supporters.c.id)).all()) == 1
        assert connection.execute(select(wishes_table)).all() == []
