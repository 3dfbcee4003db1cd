"""Every documented limit refuses what is beyond it, names the field, and lets pass what is on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillarbox.standin import intake, limits
from pillarbox.standin.behaviour import API_KEY
from pillarbox.standin.mailbox import as_eml
from pillarbox.standin.server import Standin
from tests.standin.conftest import body

NOW = 1_800_000_000
Run = Callable[..., tuple[Standin, httpx.Client]]


def fields(request: Any) -> list[str | None]:
    return [one.field for one in limits.refusals(request, NOW)]


def first(**more: Any) -> dict[str, Any]:
    """A request whose first personalization is changed."""
    request = body(2)
    request["personalizations"][0].update(more)
    return request


def test_a_sound_request_is_let_pass() -> None:
    """1,000 personalizations within every limit are accepted."""
    assert fields(body(1_000)) == []


ON_THE_LIMIT = {
    "substitutions": first(substitutions={"x7f00001x": "é" * 4_995 + "x"}),
    "150 substitutions": first(substitutions={f"x{n}x": "" for n in range(150)}),
    "custom_args": first(custom_args={"pillarbox": "x" * 9_991}),
    "categories": body(categories=["x" * 255, *"abcdefghi"]),
    "send_at": body(send_at=NOW + 72 * 3_600),
    "a name in quotation marks": first(to=[{"email": "a@example.org", "name": '"Mr, Mrs; Smith"'}]),
    "html alone": body(content=[{"type": "text/html", "value": "x"}]),
    "subjects on each": {**body(1, subject=None), "personalizations": [
        {"to": [{"email": "a@example.org"}], "subject": "Yes"}]},
    "a domain in another script": first(to=[{"email": "a@bücher.example"}]),
}


@pytest.mark.parametrize("request_body", ON_THE_LIMIT.values(), ids=ON_THE_LIMIT)
def test_what_is_on_the_limit_passes(request_body: dict[str, Any]) -> None:
    """A limit allows its own value."""
    assert fields(request_body) == []


BEYOND = {
    "no personalization": (body(0), "personalizations"),
    "1,001 personalizations": (body(1_001), "personalizations"),
    "1,001 recipients": (first(cc=[{"email": f"cc{n}@example.org"} for n in range(999)]), "personalizations"),
    "an address twice": (first(to=[{"email": "SUPPORTER1@example.org"}]), "personalizations.1"),
    "an address in to and bcc": (first(bcc=[{"email": "supporter0@example.org"}]), "personalizations.0"),
    "no to": (first(to=[]), "personalizations.0.to"),
    "substitutions too long": (first(substitutions={"x7f00001x": "é" * 4_996}), "personalizations.0.substitutions"),
    "151 substitutions": (first(substitutions={f"x{n}x": "" for n in range(151)}), "personalizations.0.substitutions"),
    "a substitution that is a number": (first(substitutions={"x7f00001x": 7}), "personalizations.0.substitutions"),
    "custom_args too long": (first(custom_args={"pillarbox": "x" * 9_992}), "personalizations.0.custom_args"),
    "custom_args too long together": ({**first(custom_args={"a": "x" * 6_000}), "custom_args": {"b": "x" * 6_000}},
                                      "personalizations.0.custom_args"),
    "a custom_arg that is a number": (first(custom_args={"pillarbox": 7}), "personalizations.0.custom_args"),
    "11 categories": (body(categories=list("abcdefghijk")), "categories"),
    "a category of 256": (body(categories=["x" * 256]), "categories.0"),
    "a category twice": (body(categories=["a", "a"]), "categories"),
    "a category beyond ASCII": (body(categories=["año"]), "categories.0"),
    "send_at too far": (body(send_at=NOW + 72 * 3_600 + 1), "send_at"),
    "one's send_at too far": (first(send_at=NOW + 80 * 3_600), "personalizations.0.send_at"),
    "no subject": (body(subject=""), "subject"),
    "an empty subject for one": (first(subject=""), "personalizations.0.subject"),
    "html before text": (body(content=[{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]),
                         "content"),
    "no content": (body(content=[]), "content"),
    "empty content": (body(content=[{"type": "text/plain", "value": ""}]), "content.0.value"),
    "no sender": (body(**{"from": {}}), "from.email"),
    "a mailbox beyond ASCII": (first(to=[{"email": "josé@example.org"}]), "personalizations.0.to.email"),
    "no address": (first(to=[{"email": "nobody"}]), "personalizations.0.to.email"),
    "a comma in a name": (first(to=[{"email": "a@example.org", "name": "Smith, J"}]), "personalizations.0.to.name"),
    "a semicolon in a name": (first(to=[{"email": "a@example.org", "name": "J; S"}]), "personalizations.0.to.name"),
    "a line break in a name": (first(to=[{"email": "a@example.org", "name": "J\nBcc: x"}]),
                               "personalizations.0.to.name"),
    "a line break in a header": (first(headers={"X-A": "a\r\nBcc: x"}), "personalizations.0.headers"),
    "a header that is a number": (first(headers={"X-A": 7}), "personalizations.0.headers"),
    "a header's name with a space": (body(headers={"X A": "a"}), "headers"),
    "an attachment that is not base64": (body(attachments=[{"content": "?", "filename": "a"}]),
                                         "attachments.0.content"),
    "an attachment without a name": (body(attachments=[{"content": "QUFB"}]), "attachments.0.filename"),
    "a line break in a content id": (body(attachments=[{"content": "QUFB", "filename": "a", "content_id": "a\nb"}]),
                                     "attachments.0.content_id"),
    "an attachment that hides": (body(attachments=[{"content": "QUFB", "filename": "a", "disposition": "hidden"}]),
                                 "attachments.0.disposition"),
    "no object": ([], None),
    "to is no array": (first(to={"email": "a@example.org"}), "personalizations.0.to"),
    "reply_to is an array": (body(reply_to=[{"email": "a@example.org"}]), "reply_to"),
    "a tracking setting is no object": (body(tracking_settings={"open_tracking": True}),
                                        "tracking_settings.open_tracking"),
}


@pytest.mark.parametrize(("request_body", "field"), BEYOND.values(), ids=BEYOND)
def test_what_is_beyond_a_limit_is_refused(request_body: Any, field: str | None) -> None:
    """Whatever a limit forbids is refused, and the refusal names its field and nothing else."""
    assert fields(request_body) == [field]


@pytest.mark.parametrize("name", sorted(limits.RESERVED_HEADERS))
def test_reserved_headers_are_refused(name: str) -> None:
    """No header that SendGrid keeps for itself may be set, in any letter case."""
    assert fields(first(headers={name.upper(): "x"})) == ["personalizations.0.headers"]


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                     lambda inner: (st.lists(inner, max_size=2)
                                    | st.dictionaries(st.text(max_size=3), inner, max_size=2)),
                     max_leaves=4)


@given(st.sampled_from(["from", "reply_to", "subject", "content", "categories", "headers", "custom_args", "send_at",
                        "asm", "tracking_settings", "mail_settings", "attachments", "reply_to_list", "template_id"]),
       st.sampled_from(["to", "cc", "bcc", "from", "subject", "headers", "substitutions", "custom_args", "send_at"]),
       _JSON, _JSON)
@settings(max_examples=150, deadline=None)
def test_no_json_confuses_it(outer: str, inner: str, one: Any, other: Any) -> None:
    """Whatever JSON comes, it is refused with errors or accepted whole; nothing breaks."""
    for request in (body(1, **{outer: one}), first(**{inner: other}), {**first(**{inner: other}), outer: one}):
        if not limits.refusals(request, NOW):
            for kept in intake.messages(request, "request", datetime.now(UTC)):
                assert kept.subject
                assert as_eml(kept)


def test_errors_have_sendgrids_form(run: Run) -> None:
    """A refusal is a 400 with message, field and help, and nothing of the request is accepted."""
    standin, client = run()
    answer = client.post("/v3/mail/send", json=first(to=[{"email": "nobody"}]))
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert set(error) == {"message", "field", "help"}
    assert error["field"] == "personalizations.0.to.email"
    assert standin.counts()["accepted"] == 0


def test_the_key_is_asked_for(run: Run) -> None:
    """No key, a wrong key and a key without Bearer are 401, and nothing is accepted."""
    standin, client = run()
    for shown in ("Bearer SG.wrong", API_KEY, ""):
        answer = client.post("/v3/mail/send", json=body(), headers={"Authorization": shown})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (401, None)
    assert standin.counts()["accepted"] == 0


def test_an_unverified_sender_is_forbidden(run: Run) -> None:
    """Where senders are limited, another From is 403."""
    _, client = run(senders=("example.net",))
    assert client.post("/v3/mail/send", json=body()).status_code == 403


def test_only_json_is_taken(run: Run) -> None:
    """Another content type is 415, what does not parse is 400."""
    _, client = run()
    sent = json.dumps(body())
    assert client.post("/v3/mail/send", content=sent, headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.post("/v3/mail/send", content="{", headers={"Content-Type": "application/json"}).status_code == 400


def test_a_message_of_30_mb_is_too_large(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body beyond the limit is 413 and ends the connection unread."""
    monkeypatch.setattr("pillarbox.standin.handler.MOST_MESSAGE_BYTES", 1_000)
    standin, client = run()
    assert client.post("/v3/mail/send", json=body(10)).status_code == 413
    assert standin.counts()["requests"] == 0


@pytest.mark.shared
def test_the_numbers_are_the_specifications(published: Path) -> None:
    """The limits are those of SendGrid's published description."""
    spec = json.loads((published / "tsg_mail_v3.json").read_text("utf-8"))
    schema = spec["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]["properties"]
    assert schema["personalizations"]["maxItems"] == limits.MOST_PERSONALIZATIONS
    assert schema["categories"]["maxItems"] == limits.MOST_CATEGORIES
    assert schema["categories"]["items"]["maxLength"] == limits.MOST_CATEGORY_CHARACTERS
    listed = schema["headers"]["description"].partition("following headers: ")[2]
    assert {name.strip(" `.").lower() for name in listed.split(",")} == limits.RESERVED_HEADERS
    one = schema["personalizations"]["items"]["properties"]
    assert f"exceed {limits.MOST_SUBSTITUTION_BYTES:,} bytes" in one["substitutions"]["description"]
    assert f"exceed {limits.MOST_CUSTOM_ARG_BYTES:,} bytes" in one["custom_args"]["description"]
