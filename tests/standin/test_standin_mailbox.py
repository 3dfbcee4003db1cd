"""Substitution works as SendGrid documents it."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from pillarbox.standin.mailbox import substitute
from pillarbox.standin.server import Standin
from tests.standin.conftest import body

Run = Callable[..., tuple[Standin, httpx.Client]]


def test_tags_match_in_any_letter_case() -> None:
    """A tag is found whatever its letter case, and values go in unescaped."""
    assert substitute("X1x and x1X", {"x1x": "<&\\1"}) == "<&\\1 and <&\\1"


def test_the_longer_tag_wins() -> None:
    """A tag that begins like another is not cut short."""
    assert substitute("-name- -name-2", {"-name-": "A", "-name-2": "B"}) == "A B"


def test_a_tag_inside_a_value_is_substituted_too() -> None:
    """Values are substituted again, four deep at most: a name that looks like a token does harm here as there."""
    assert substitute("a1", {"a1": "b1", "b1": "c1"}) == "c1"
    assert substitute("a1", {"a1": "a1!"}) == "a1!!!!"


def test_every_documented_part_is_substituted(run: Run) -> None:
    """Subject, both contents and reply-to are substituted; headers and custom arguments are not."""
    standin, client = run()
    request = body(2, reply_to={"email": "x7f00002x@example.org"}, headers={"X-A": "x7f00001x"})
    request["personalizations"][0]["custom_args"]["tag"] = "x7f00001x"
    client.post("/v3/mail/send", json=request)
    first, second = standin.messages
    assert (first.subject, second.subject) == ("A letter for Sam 0", "A letter for Sam 1")
    assert "Dear Sam 1" in second.text
    assert "Dear Sam 1" in second.html
    assert first.reply_to == "code0@example.org"
    assert (first.headers["X-A"], first.custom_args["tag"]) == ("x7f00001x", "x7f00001x")


def test_a_personalization_wins_over_the_message(run: Run) -> None:
    """Its subject and sender replace the message's; its headers and arguments are laid over them."""
    standin, client = run()
    request = body(1, headers={"X-A": "1", "X-B": "1"}, custom_args={"batch": "7", "pillarbox": "no"})
    request["personalizations"][0].update({"subject": "Own", "headers": {"X-B": "2"},
                                           "from": {"email": "own@example.org"}})
    client.post("/v3/mail/send", json=request)
    [kept] = standin.messages
    assert (kept.subject, kept.from_email) == ("Own", "own@example.org")
    assert kept.headers == {"X-A": "1", "X-B": "2"}
    assert kept.custom_args == {"batch": "7", "pillarbox": "message-0"}


def test_tracking_settings_are_kept(run: Run) -> None:
    """What the request says of tracking is on each message; silence means the account's setting, which is on."""
    standin, client = run()
    client.post("/v3/mail/send", json=body(1))
    client.post("/v3/mail/send", json=body(1, tracking_settings={
        "open_tracking": {"enable": False}, "click_tracking": {"enable": False},
        "subscription_tracking": {"enable": True}}))
    silent, told = standin.messages
    assert (silent.open_tracking, silent.click_tracking, silent.subscription_tracking) == (True, True, False)
    assert (told.open_tracking, told.click_tracking, told.subscription_tracking) == (False, False, True)


def test_request_ids_repeat_with_a_seed(run: Run) -> None:
    """With a seed the ids repeat from run to run; without one they never do."""
    ids = []
    for seed in (3, 3, None, None):
        _, client = run(seed=seed)
        ids.append(client.post("/v3/mail/send", json=body(1)).headers["X-Message-Id"])
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
