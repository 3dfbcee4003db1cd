"""What the tests of the dashboard share: its users, and a browser's part in logging in and posting forms."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx

from pillarbox.model.states import Role
from pillarbox.staff import users
from pillarbox.store.connect import Store
from tests.web.site import TestClient

PASSWORD = "heron lantern quarry"
NAMES = {Role.VIEW: "Vera View", Role.PREPARE: "Paul Prepare", Role.SEND: "Sarah Send"}
_SEEN = re.compile(r'name="seen" value="([^"]*)"')
_TOKEN = re.compile(r'name="form_token" value="([^"]*)"')


def staff(store: Store, *roles: Role) -> None:
    """Let somebody of each of these roles in; all of them have the same password."""
    for role in roles or tuple(Role):
        users.add(store, name=NAMES[role], role=role, password=PASSWORD)


def token(page: httpx.Response) -> str:
    """The token in a page's form."""
    found = _TOKEN.search(page.text)
    assert found, f"no form on {page.url}: {page.text[:300]}"
    return found[1]


def login(client: TestClient, role: Role = Role.SEND, *, name: str = "", password: str = PASSWORD,
          onward: str = "/staff/") -> httpx.Response:
    """Log in as a browser does that is not logged in yet; the answer is not followed."""
    client.cookies.pop("pillarbox", None)
    page = client.get("/staff/login", params={"next": onward})
    return client.post("/staff/login", follow_redirects=False, data={
        "form_token": token(page), "name": name or NAMES[role], "password": password, "next": onward})


def with_pictures(client: TestClient, path: str) -> str:
    """A page once its pictures are drawn: the first look starts that, and does not wait for it."""
    until = time.monotonic() + 60
    while "data-awaited" in (page := client.get(path).text):
        assert time.monotonic() < until, "the pictures never came"
        time.sleep(0.05)
    return page


def post(client: TestClient, path: str, page: str = "", **fields: Any) -> httpx.Response:
    """Post a form as the page at ``page`` (else at ``path``) would; the answer is not followed."""
    found = client.get(page or path)
    seen = _SEEN.search(found.text)
    return client.post(path, follow_redirects=False, data={
        "form_token": token(found), **({"seen": seen[1]} if seen else {}), **fields})
