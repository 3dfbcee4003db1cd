"""A project with a letter to Alice, and its web application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import argon2
import pytest
from sqlalchemy import select

from pillarbox.model.records import Place, Token
from pillarbox.staff import passwords
from pillarbox.store import letters, schema
from pillarbox.store.connect import Store
from pillarbox.web.app import create
from tests import builders
from tests.signing import Signer
from tests.web.browsing import chromium
from tests.web.site import PROJECT, Site, TestClient, settings_for


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    """On each engine in turn."""
    signer = Signer()
    with store.writing() as connection:
        mailing = builders.mailing(connection)
        shape = builders.shape(
            connection, mailing, html='<!DOCTYPE html><p>Dear x7f00000x, <a href="/u/x7f00001x">leave</a></p>',
            tokens=letters.pack_tokens([Token(mark="x7f00000x", value=0, place=Place.TEXT),
                                        Token(mark="x7f00001x", value=1, place=Place.URL)]))
        alice = builders.supporter(connection)
        message = builders.message(connection, mailing, alice, shape_id=shape,
                                   values=letters.pack_values(["Alice & <Co>", "k"]))
        key = connection.execute(select(schema.messages.c.key)).scalar_one()
    settings = settings_for(signer)
    with TestClient(create(store, settings, PROJECT), raise_server_exceptions=False) as client:
        yield Site(client=client, store=store, settings=settings, signer=signer, message_id=message, key=key)


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords hashed cheaply, where a test is of something else: each would cost a tenth of a second and 64 MiB."""
    monkeypatch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium; each test makes its own context."""
    with chromium() as opened:
        yield opened
