"""Logging in to the dashboard: who gets in, for how long, and who does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pillarbox.model.states import Role
from pillarbox.store.connect import Store
from pillarbox.web.app import create
from tests.web.desk import NAMES, login, staff
from tests.web.site import PROJECT, TestClient, settings_for


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    """A dashboard with one user of each role."""
    staff(store)
    with TestClient(create(store, settings_for(None), PROJECT), raise_server_exceptions=False) as opened:
        yield opened


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(client: TestClient) -> None:
    """The page that was asked for comes after the login."""
    asked = client.get("/staff/", follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/staff/login?next=/staff/")
    entered = login(client, onward="/staff/")
    assert (entered.status_code, entered.headers["location"]) == (303, "/staff/")
    assert NAMES[Role.SEND] in client.get("/staff/").text
