"""What the tests of the API share: a project with mailings and lists, tokens, and a program that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Connection, insert

from pillarbox.model.config import Settings
from pillarbox.model.sections import ApiSettings
from pillarbox.model.states import Basis, Channel, SuppressionReason, TokenScope
from pillarbox.staff import tokens
from pillarbox.store.connect import Store
from pillarbox.store.schema import consents, list_members, lists, supporters, suppressions
from pillarbox.web.app import create
from tests.reports.builders import LAUNCH, Builder, address_hash
from tests.web.site import PROJECT, TestClient, settings_for

NAME = "uyghur-freedom-20261123"


def settings_of(**api: Any) -> Settings:
    """A project's settings; by default nobody is told to wait."""
    return settings_for(None).model_copy(update={"api": ApiSettings(**{"per_minute": 100_000, **api})})


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The application, and a token of each scope."""

    client: TestClient
    store: Store
    settings: Settings
    token: str
    letters_token: str

    def get(self, path: str, *, token: str | None = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Ask, showing the token for everything or another."""
        return self.client.get(f"/api/v1{path}", headers={
            "Authorization": f"Bearer {self.token if token is None else token}", **(headers or {})})


def desk(store: Store, **api: Any) -> Desk:
    """A desk in front of this store."""
    settings = settings_of(**api)
    made = [tokens.add(store, settings, name=scope.value, scope=scope).secret for scope in TokenScope]
    return Desk(client=TestClient(create(store, settings, PROJECT), raise_server_exceptions=False), store=store,
                settings=settings, token=made[0], letters_token=made[1])


def fill(store: Store) -> Builder:
    """A mailing with opens, clicks and gifts; a practice one; two lists."""
    with store.writing() as connection:
        built = Builder(connection)
        first = built.message(address="alice@example.org", to_name="Alice <b>Bold</b>")
        built.opened(first, device="phone")
        built.clicked(first, "https://donate.example.org/give?ref=alice")
        built.gift(25_00, message_id=first, name="Alice Example", address="alice@example.org", code="alicecode",
                   note="in memory of Bob", method="card")
        built.message(address="bob@example.org")
        for n in range(4):
            built.gift(10_00 + n, name="Bob")
        Builder(connection, name="practice-20261101", practice=True)
        join(connection, "newsletter", "carol@example.org", consent=Basis.CONSENT, tracking=True)
        join(connection, "newsletter", "dan@example.org", consent=Basis.SOFT_OPT_IN)
        join(connection, "newsletter", "eve@example.org", suppressed=SuppressionReason.UNSUBSCRIBED)
        join(connection, "newsletter", "fay@example.org", suppressed=SuppressionReason.BOUNCED)
        join(connection, "friends", "gus@example.org")
        return built


def join(connection: Connection, name: str, address: str, *, consent: Basis | None = None, tracking: bool = False,
         suppressed: SuppressionReason | None = None) -> int:
    """Somebody on a list, who may have agreed, left or bounced; returns their id."""
    found = connection.execute(lists.select().where(lists.c.name == name)).one_or_none()
    list_id = found.id if found else connection.execute(
        insert(lists).values(name=name, created_at=LAUNCH).returning(lists.c.id)).scalar_one()
    who = int(connection.execute(insert(supporters).values(
        address=address, address_hash=address_hash(address), fields={}, created_at=LAUNCH, updated_at=LAUNCH)
        .returning(supporters.c.id)).scalar_one())
    connection.execute(insert(list_members).values(list_id=list_id, supporter_id=who, joined_at=LAUNCH))
    for channel, basis in ((Channel.EMAIL, consent), (Channel.TRACKING, Basis.CONSENT if tracking else None)):
        if basis:
            connection.execute(insert(consents).values(
                supporter_id=who, channel=channel, basis=basis, source="form", recorded_at=LAUNCH))
    if suppressed:
        connection.execute(insert(suppressions).values(
            address_hash=address_hash(address), address=address, reason=suppressed, source="test", since=LAUNCH))
    return who
