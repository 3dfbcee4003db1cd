"""Letters that the stand-in keeps until their time, and taking them back, within SendGrid's documented limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from pillarbox.ground import clock
from pillarbox.standin.server import Standin
from tests.standin.conftest import body

Run = Callable[..., tuple[Standin, httpx.Client]]


def batch(client: httpx.Client) -> str:
    """A fresh batch id."""
    answer = client.post("/v3/mail/batch", json={})
    assert answer.status_code == 201
    return str(answer.json()["batch_id"])


def hold(client: httpx.Client, name: str, **ahead: float) -> None:
    """Two letters, to leave so far ahead."""
    at = int((clock.now() + timedelta(**ahead)).timestamp())
    assert client.post("/v3/mail/send", json=body(2, send_at=at, batch_id=name)).status_code == 202


def stop(client: httpx.Client, name: str, status: str = "cancel") -> int:
    """Cancel or pause a batch; the answer's status."""
    return client.post("/v3/user/scheduled_sends", json={"batch_id": name, "status": status}).status_code


def test_letters_wait_for_their_time(run: Run) -> None:
    """Before it nobody has them; after it everybody does, once."""
    standin, client = run()
    hold(client, batch(client), hours=1)
    assert (standin.counts()["held"], standin.messages) == (2, [])
    standin.scheduled.release(clock.now() + timedelta(hours=2))
    assert (standin.counts()["held"], standin.counts()["personalizations"]) == (0, 2)


@pytest.mark.parametrize(("status", "after", "left"), [("cancel", 2, (0, 2, 0)), ("pause", 2, (2, 0, 0)),
                                                       ("pause", 80, (0, 2, 0))])
def test_a_batch_is_taken_back(run: Run, status: str, after: float, left: tuple[int, int, int]) -> None:
    """Cancelled: thrown away at its time. Paused: kept, and thrown away 72 hours after it."""
    standin, client = run()
    name = batch(client)
    hold(client, name, hours=1)
    assert stop(client, name, status) == 201
    assert client.get(f"/v3/user/scheduled_sends/{name}").json() == [{"batch_id": name, "status": status}]
    standin.scheduled.release(clock.now() + timedelta(hours=after))
    found = standin.counts()
    assert (found["held"], found["discarded"], found["personalizations"]) == left


def test_what_cannot_be_taken_back(run: Run) -> None:
    """An unknown batch, one that was cancelled already, one of the last ten minutes, an eleventh: 400 each."""
    _, client = run()
    near, far = batch(client), batch(client)
    hold(client, near, minutes=9)
    hold(client, far, hours=9)
    assert stop(client, "nobody") == 400
    assert stop(client, near) == 400
    assert stop(client, far, "stop") == 400
    assert [stop(client, far), stop(client, far)] == [201, 400]
    assert [stop(client, batch(client)) for _ in range(10)] == [201] * 9 + [400]
    assert client.delete(f"/v3/user/scheduled_sends/{far}").status_code == 204
    assert stop(client, batch(client)) == 201


def test_a_batch_id_must_have_been_made(run: Run) -> None:
    """A made-up one is refused with the letter; a wrong key opens none of this."""
    standin, client = run()
    answer = client.post("/v3/mail/send", json=body(1, batch_id="made-up"))
    assert (answer.status_code, _fields(answer)) == (400, ["batch_id"])
    client.headers["Authorization"] = "Bearer wrong"
    assert client.post("/v3/mail/batch", json={}).status_code == 401
    assert stop(client, "x") == 401
    assert standin.counts()["requests"] == 1


def _fields(answer: httpx.Response) -> list[Any]:
    return [error["field"] for error in answer.json()["errors"]]
