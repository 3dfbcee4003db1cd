"""A running stand-in, a plain Mail Send body, and letters that were accepted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pillarbox.standin.behaviour import API_KEY, Behaviour
from pillarbox.standin.mailbox import Kept
from pillarbox.standin.server import Standin

ROOT = Path(__file__).resolve().parents[2]
HTML = ('<p>Dear x7f00001x</p><a href="https://donate.example.org/now?a=1&amp;ref=x7f00002x">Donate</a>'
        '<a href="https://example.org/about">About</a><a href="https://example.org/unsubscribe/x7f00002x">Leave</a>')


def body(people: int = 2, **more: Any) -> dict[str, Any]:
    """A request that SendGrid accepts, to made-up supporters."""
    return {
        "personalizations": [{
            "to": [{"email": f"supporter{number}@example.org", "name": f"Sam Supporter{number}"}],
            "substitutions": {"x7f00001x": f"Sam {number}", "x7f00002x": f"code{number}"},
            "custom_args": {"pillarbox": f"message-{number}"},
        } for number in range(people)],
        "from": {"email": "appeals@example.org", "name": "The Charity"}, "reply_to": {"email": "office@example.org"},
        "subject": "A letter for X7F00001X", "categories": ["uyghur-freedom"],
        "content": [{"type": "text/plain", "value": "Dear x7f00001x, https://donate.example.org/now?ref=x7f00002x"},
                    {"type": "text/html", "value": HTML}],
        **more,
    }


@pytest.fixture
def run() -> Iterator[Callable[..., tuple[Standin, httpx.Client]]]:
    """Start a stand-in that behaves as told, and a client that shows the right key."""
    opened: list[tuple[Standin, httpx.Client]] = []

    def start(**behaviour: Any) -> tuple[Standin, httpx.Client]:
        standin = Standin(Behaviour(**behaviour)).start()
        client = httpx.Client(base_url=standin.url, trust_env=False, timeout=5,
                              headers={"Authorization": f"Bearer {API_KEY}"})
        opened.append((standin, client))
        return opened[-1]

    yield start
    for standin, client in opened:
        client.close()
        standin.stop()


@pytest.fixture(scope="session")
def letters() -> list[Kept]:
    """500 accepted letters, tracked."""
    with Standin(Behaviour(seed=1)) as standin, httpx.Client(trust_env=False) as client:
        answer = client.post(f"{standin.url}/v3/mail/send", json=body(500),
                             headers={"Authorization": f"Bearer {API_KEY}"})
        assert answer.status_code == 202
        return standin.messages


@pytest.fixture
def published() -> Path:
    """The folder of SendGrid's published specifications."""
    places = [os.environ.get("PILLARBOX_SHARED"), ROOT.parent / "shared", ROOT.parent.parent / "shared"]
    for place in places:
        if place and (found := Path(place) / "sendgrid").is_dir():
            return found
    pytest.skip("the published specifications are not beside this checkout")
