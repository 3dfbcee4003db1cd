"""The stand-in's message search answers as the Email Activity Feed is documented."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from pillarbox.standin.behaviour import API_KEY, Behaviour
from pillarbox.standin.server import Standin

ALL = "status=\"processed\""


def ask(url: str) -> tuple[int, Any, Any]:
    """Status, headers and JSON of an authorised GET."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {API_KEY}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, json.loads(answer.read())
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, fault.headers, json.loads(fault.read())


def search(server: Standin, query: str, **more: str) -> tuple[int, Any, Any]:
    """Ask a question."""
    return ask(f"{server.url}/v3/messages?{urlencode({'query': query, **more})}")


def post(server: Standin, *numbers: int) -> None:
    """Send a letter to these people, in one request."""
    body = {"from": {"email": "a@charity.example.org"}, "subject": "Hello", "categories": ["harbour"],
            "content": [{"type": "text/plain", "value": "x"}],
            "personalizations": [{"to": [{"email": f"p{n}@example.org"}], "custom_args": {"pillarbox": f"proj.{n}.7"}}
                                 for n in numbers]}
    request = urllib.request.Request(f"{server.url}/v3/mail/send", data=json.dumps(body).encode(), headers={
        "Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture
def server() -> Iterator[Standin]:
    """An account with the add-on, and three letters sent."""
    with Standin(Behaviour(activity=True, activity_limit=100)) as running:
        post(running, 1, 2, 3)
        yield running


def found(server: Standin, query: str) -> list[str]:
    """Who comes back for a question."""
    status, _, content = search(server, query, limit="100")
    assert status == 200, content
    return [one["to_email"] for one in content["messages"]]


@pytest.mark.parametrize(("query", "wanted"), [
    ("unique_args['pillarbox'] LIKE \"proj.%.7\"", ["p3@example.org", "p2@example.org", "p1@example.org"]),
    ("(unique_args['pillarbox']=\"proj.2.7\")", ["p2@example.org"]),
    ("unique_args['pillarbox'] LIKE \"proj.%.77\"", []),
    ("to_email=\"p1@example.org\" AND status=\"processed\"", ["p1@example.org"]),
])
def test_questions(server: Standin, query: str, wanted: list[str]) -> None:
    """By custom argument or address, exactly or by pattern; newest first."""
    assert found(server, query) == wanted


def test_one_message_shows_its_arguments(server: Standin) -> None:
    """As text that holds JSON; an unknown id is 404."""
    _, _, content = search(server, 'to_email="p2@example.org"')
    [short] = content["messages"]
    assert set(short) == {"from_email", "msg_id", "subject", "to_email", "status", "opens_count", "clicks_count",
                          "last_event_time"}
    _, _, whole = ask(f"{server.url}/v3/messages/{quote(short['msg_id'], safe='')}")
    assert json.loads(whole["unique_args"]) == {"pillarbox": "proj.2.7"}
    assert ask(f"{server.url}/v3/messages/none")[0] == 404


@pytest.mark.parametrize("query", ["", "nonsense=\"x\"", "to_email", "to_email=\"a\" OR to_email=\"b\""])
def test_what_it_does_not_understand_it_refuses(server: Standin, query: str) -> None:
    """400 with a sentence."""
    status, _, content = search(server, query)
    assert status == 400
    assert content["errors"][0]["message"]


def test_the_limit_is_one_to_a_thousand(server: Standin) -> None:
    """And ten when none is named."""
    post(server, *range(10, 30))
    assert len(search(server, ALL)[2]["messages"]) == 10
    for odd in ("0", "1001", "many"):
        assert search(server, ALL, limit=odd)[0] == 400


def test_without_the_add_on_it_is_forbidden() -> None:
    """Both addresses answer 403."""
    with Standin() as server:
        assert ask(f"{server.url}/v3/messages?query=x")[0] == 403
        assert ask(f"{server.url}/v3/messages/abc")[0] == 403


def test_too_many_questions_are_429_with_the_time_of_the_next() -> None:
    """Single messages count too."""
    with Standin(Behaviour(activity=True, activity_limit=2)) as server:
        assert [search(server, ALL)[0], ask(f"{server.url}/v3/messages/none")[0]] == [200, 404]
        status, headers, _ = search(server, ALL)
        assert status == 429
        assert int(headers["X-RateLimit-Reset"]) > 1_700_000_000
        assert headers["X-RateLimit-Remaining"] == "0"
