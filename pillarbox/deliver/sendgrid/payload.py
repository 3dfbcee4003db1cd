"""A unit as Mail Send requests: one body for up to 1,000 supporters, and what differs between them as substitutions.

Limits: Mail Send description (twilio/sendgrid-oai, ``tsg_mail_v3.json``) and the Mail Send errors page
(https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors, modified 2026-07-02); where they differ, the
stricter one holds. Everything is built by column, as bytes: no object is made for a supporter.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

import orjson

from pillarbox.deliver.headers import (
    ONE_CLICK,
    PRACTICE,
    ascii_address,
    display_name,
    one_line,
    plain_name,
    unsubscribe,
)
from pillarbox.model.records import UNSUBSCRIBE_TAG, Envelope, InlineImage, Outgoing, Unit
from pillarbox.shape.bodies import Body, body, tagged
from pillarbox.shape.columns import json_column

MOST_MESSAGES = 1_000
MOST_SUBSTITUTIONS = 150
MOST_SUBSTITUTION_BYTES = 10_000
MOST_REQUEST_BYTES = 30_000_000
CUSTOM_ARGUMENT = "pillarbox"
"""Carried along by SendGrid and given back with every event: project, message and attempt; no personal data."""
_IN_NAMES = str.maketrans({",": " ", ";": " "})
_LEAVE_TEXT = "To stop these emails: <% %>"
_LEAVE_HTML = "<p>To stop these emails, <% use this link %>.</p>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One POST to /v3/mail/send."""

    messages: tuple[Outgoing, ...]
    """In the order of the request's personalizations."""
    content: bytes
    """The JSON."""


def requests(unit: Unit, messages: Sequence[Outgoing], *, individual: bool = False) -> Iterator[Request]:
    """The requests that carry ``messages`` (all of ``unit``, or what remains of it), each within SendGrid's limits.

    A message whose substitutions would be too long, or whose address occurs already, travels alone with a body of its
    own; so does every message when ``individual``.

    Args:
        unit: gives envelope, shape and tracking.
        messages: at least one; their addresses have an ASCII form.
        individual: a request a message.
    """
    if individual or (len(messages) == 1 and not unit.envelope.proof):
        yield from (_single(unit, message) for message in messages)
        return
    together, alone = _first_of_each_address(messages)
    for start in range(0, len(together), MOST_MESSAGES):
        yield from _batch(unit, together[start : start + MOST_MESSAGES])
    yield from (_single(unit, message) for message in alone)


def _first_of_each_address(messages: Sequence[Outgoing]) -> tuple[Sequence[Outgoing], Sequence[Outgoing]]:
    first = {message.address.lower(): message for message in reversed(messages)}
    if len(first) == len(messages):
        return messages, ()
    chosen = {message.message_id for message in first.values()}
    return ([m for m in messages if m.message_id in chosen], [m for m in messages if m.message_id not in chosen])


def _batch(unit: Unit, messages: Sequence[Outgoing]) -> Iterator[Request]:
    """One request of them all where the limits allow, else in halves or one by one."""
    proof = unit.envelope.proof
    if len(messages) == 1 and not proof:
        yield _single(unit, messages[0])
        return
    letter = tagged(unit.shape, [message.values for message in messages], constants=proof)
    if len(letter.tags) > MOST_SUBSTITUTIONS or _collide(unit.envelope, [tag for tag, _ in letter.tags]):
        yield from (_single(unit, message) for message in messages)
        return
    filled = list(_objects([(orjson.dumps(tag), json_column(column)) for tag, column in letter.tags], len(messages)))
    long = {number for number, one in enumerate(filled) if len(one) > MOST_SUBSTITUTION_BYTES}
    if long:
        yield from _batch_or_none(unit, [m for number, m in enumerate(messages) if number not in long])
        yield from (_single(unit, messages[number]) for number in sorted(long))
        return
    head = _head(unit, Body(subject=letter.subject, html=letter.html, text=letter.text))
    content = _assembled(head, _personalizations(unit, messages, filled if letter.tags else None))
    if len(content) > MOST_REQUEST_BYTES and len(messages) > 1:
        half = len(messages) // 2
        yield from _batch(unit, messages[:half])
        yield from _batch(unit, messages[half:])
        return
    yield Request(messages=tuple(messages), content=content)


def _batch_or_none(unit: Unit, messages: Sequence[Outgoing]) -> Iterator[Request]:
    if messages:
        yield from _batch(unit, messages)


def _single(unit: Unit, message: Outgoing) -> Request:
    """One message with its own finished body."""
    head = _head(unit, body(unit.shape, message.values))
    return Request(messages=(message,), content=_assembled(head, _personalizations(unit, [message], None)))


def _collide(envelope: Envelope, tags: Iterable[str]) -> bool:
    """Whether a tag stands in Reply-To, which SendGrid searches too."""
    sought = f"{envelope.reply_to_name}{envelope.reply_to}".lower()
    return any(tag.lower() in sought for tag in tags)


# ------------------------------------------------------------------------------------------ what differs


def _personalizations(unit: Unit, messages: Sequence[Outgoing], filled: Sequence[bytes] | None) -> list[bytes]:
    """One JSON object a message: to, headers, custom_args and, if there are any, substitutions."""
    args = json_column([f"{unit.envelope.project}.{m.message_id}.{unit.attempt_id}" for m in messages])
    parts: list[Iterable[bytes]] = [repeat(b'{"to":['), _people(messages), repeat(b"]")]
    if headers := _headers(unit.envelope, messages):
        parts += [repeat(b',"headers":'), headers]
    parts += [repeat(b',"custom_args":{"%s":' % CUSTOM_ARGUMENT.encode()), args, repeat(b"}")]
    if filled is not None:
        parts += [repeat(b',"substitutions":'), filled]
    parts.append(repeat(b"}"))
    return _rows(parts)


def _people(messages: Sequence[Outgoing]) -> list[bytes]:
    emails = json_column([ascii_address(message.address) or message.address for message in messages])
    names = json_column([person(message.to_name) for message in messages])
    return [b'{"email":%s,"name":%s}' % (email, name) if name != b'""' else b'{"email":%s}' % email
            for email, name in zip(emails, names, strict=True)]


def person(name: str) -> str:
    """A display name as SendGrid can carry it: it splits names at ``,`` and ``;``, quoted or not, and what looks like
    an encoded word would be decoded on the way."""
    return display_name(name.translate(_IN_NAMES).replace("=?", "= ?"))


def _headers(envelope: Envelope, messages: Sequence[Outgoing]) -> list[bytes]:
    """Each message's own headers; SendGrid does not look for substitutions there. In the Laptop home SendGrid adds the
    List-Unsubscribe headers itself (subscription tracking)."""
    constant = dict([PRACTICE] if envelope.practice else [])
    if not envelope.base_url:
        return [orjson.dumps(constant)] * len(messages) if constant else []
    sample = unsubscribe(envelope, "KEY")
    before, after = sample[0][1].split("KEY", 1)
    ways = json_column([f"{before}{message.key}{after}" for message in messages])
    rest = orjson.dumps({ONE_CLICK[0]: ONE_CLICK[1], **constant})
    return [b'{"%s":%s,%s' % (sample[0][0].encode(), way, rest[1:]) for way in ways]


def _objects(columns: Sequence[tuple[bytes, Sequence[bytes]]], count: int) -> Iterator[bytes]:
    """For each row the JSON object of its cells."""
    if not columns:
        return repeat(b"{}", count)
    parts: list[Iterable[bytes]] = []
    for number, (name, column) in enumerate(columns):
        parts += [repeat((b"," if number else b"{") + name + b":"), column]
    parts.append(repeat(b"}"))
    return iter(_rows(parts))


def _rows(parts: Sequence[Iterable[bytes]]) -> list[bytes]:
    # The constant parts repeat for ever; the columns end the rows.
    return [b"".join(row) for row in zip(*parts, strict=False)]


# ------------------------------------------------------------------------------------------ what is shared


def _head(unit: Unit, letter: Body) -> dict[str, Any]:
    envelope = unit.envelope
    head: dict[str, Any] = {
        "from": _sender(envelope.from_name, envelope.from_email),
        "subject": one_line(letter.subject),
        "content": [{"type": "text/plain", "value": letter.text}, {"type": "text/html", "value": letter.html}],
        "categories": [envelope.mailing],
        "tracking_settings": _tracking(unit),
    }
    if envelope.hold_until:
        head |= {"send_at": int(envelope.hold_until.timestamp()), "batch_id": envelope.hold_batch}
    if unit.images:
        head["attachments"] = [attachment(image) for image in unit.images]
    if envelope.reply_to:
        head["reply_to"] = _sender(envelope.reply_to_name, envelope.reply_to)
    return head


def attachment(image: InlineImage) -> dict[str, str]:
    """An image within the letter: SendGrid makes ``Content-ID: <…>`` of its content_id."""
    return {"content": _base64(image.content), "type": image.media_type, "filename": plain_name(image.name),
            "disposition": "inline", "content_id": image.content_id}


@lru_cache(maxsize=32)
def _base64(content: bytes) -> str:
    # The same in every request of a mailing.
    return b64encode(content).decode()


def _sender(name: str, address: str) -> dict[str, str]:
    found = {"email": ascii_address(address) or address}
    if shown := person(name):
        found["name"] = shown
    return found


def _tracking(unit: Unit) -> dict[str, Any]:
    """Every setting is said: where a request is silent, the account's own settings hold."""
    laptop = not unit.envelope.base_url
    leave: dict[str, Any] = {"enable": laptop and not unit.envelope.proof}
    if unit.envelope.proof:
        pass  # whoever tried SendGrid's own link would get no letter of ours any more
    elif laptop and UNSUBSCRIBE_TAG in unit.shape.html and UNSUBSCRIBE_TAG in unit.shape.text:
        leave["substitution_tag"] = UNSUBSCRIBE_TAG
    elif laptop:
        leave |= {"text": _LEAVE_TEXT, "html": _LEAVE_HTML}
    return {
        "click_tracking": {"enable": unit.tracked, "enable_text": False},
        "open_tracking": {"enable": unit.tracked},
        "subscription_tracking": leave,
        "ganalytics": {"enable": False},
    }


def _assembled(head: dict[str, Any], personalizations: Sequence[bytes]) -> bytes:
    return b"".join((orjson.dumps(head)[:-1], b',"personalizations":[', b",".join(personalizations), b"]}"))


