"""What the tests of supporters' own pages share: a project with lists opened to choice, and Alice on some of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from pillarbox.model.config import Settings
from pillarbox.model.sections import LinkSettings, PreferenceSettings
from pillarbox.model.states import Basis, Channel
from pillarbox.store import lists, schema, workers
from pillarbox.store.connect import Store
from pillarbox.web.app import create
from tests import builders
from tests.builders import SENT_AT
from tests.signing import Signer
from tests.web.site import PROJECT, TestClient, settings_for

LISTS = {"newsletter": "Our newsletter, once a month", "campaigns": "Campaigns & what you can do",
         "events": "Events near you"}
WORDING = "You may count what I open."
# All that a supporter's page can change, and all that must be as before after an undo.
PARTS = (schema.consents, schema.list_members, schema.wishes, schema.suppressions, schema.supporters)


def settings() -> Settings:
    """A live project's, in which supporters may choose."""
    plain = settings_for(Signer())
    return plain.model_copy(update={
        "project": plain.project.model_copy(update={"base_url": "https://letters.example.org",
                                                    "transport": "sendgrid"}),
        "preferences": PreferenceSettings(lists=LISTS, tracking_wording=WORDING),
        "links": LinkSettings(sign_up="https://example.org/join")})


def alice(connection: Connection) -> str:
    """On two of the lists, never on the third, agreed to tracking; the key of her letter."""
    person = builders.supporter(connection, first_name="Alice", last_name="Wonder")
    connection.execute(insert(schema.consents).values(
        supporter_id=person, channel=Channel.TRACKING, basis=Basis.CONSENT, source="stall", wording="At the stall",
        obtained_on=SENT_AT.date(), recorded_at=SENT_AT))
    for name in ("newsletter", "campaigns", "main"):
        lists.join_many(connection, lists.create(connection, name, SENT_AT), [person], SENT_AT, None)
    builders.message(connection, builders.mailing(connection), person)
    return str(connection.execute(select(schema.messages.c.key)).scalar_one())


def at_work(store: Store) -> None:
    """A worker is there, as far as the server can tell: nothing is sent while a test looks on."""
    with store.writing() as connection:
        workers.beat(connection, "worker", kind="worker", host="")


def standing(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of what a supporter's pages can change."""
    with store.reading() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=str) for table in PARTS}


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"{name} is not on the page"
    return found.group(1)


def form(page: str, **said: Any) -> Mapping[str, Any]:
    """The preferences form as it stands on a page, with what is said put over it."""
    plain = {"once": hidden(page, "once"), "wording": hidden(page, "wording"),
             "offered": re.findall(r'name="offered" value="([^"]*)"', page),
             "list": re.findall(r'name="list" value="([^"]*)" checked', page),
             "frequency": re.findall(r'name="frequency" value="([^"]*)" checked', page)[0],
             "pause": re.findall(r'name="pause".*? value="([^"]*)"', page)[0]}
    if 'name="tracking" value="yes" checked' in page:
        plain["tracking"] = "yes"
    return {name: value for name, value in {**plain, **said}.items() if value is not None}


def client(store: Store, given: Settings | None = None) -> TestClient:
    """The application."""
    return TestClient(create(store, given or settings(), PROJECT), raise_server_exceptions=False)
