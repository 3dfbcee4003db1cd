"""The limits that SendGrid documents for ``POST /v3/mail/send``, enforced with errors of SendGrid's form.

Sources: the Mail Send description (twilio/sendgrid-oai, ``tsg_mail_v3.json``), and the page
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors (modified 2026-07-02), both read 2026-11. Where
the two differ the stricter one holds here: 10,000 bytes of substitutions and of custom arguments (the page says
50,000), 150 substitutions a personalization (the description says 10,000). The field names are SendGrid's; the
sentences are ours.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_PERSONALIZATIONS = 1_000
MOST_RECIPIENTS = 1_000
MOST_SUBSTITUTION_BYTES = 10_000
MOST_SUBSTITUTIONS = 150
MOST_CUSTOM_ARG_BYTES = 10_000
MOST_CATEGORIES = 10
MOST_CATEGORY_CHARACTERS = 255
FARTHEST_SEND_AT_SECONDS = 72 * 3_600
MOST_MESSAGE_BYTES = 30_000_000
RESERVED_HEADERS = frozenset({
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
    "to", "from", "subject", "reply-to", "cc", "bcc",
})

_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message."
# Mailbox names are ASCII (SendGrid refuses others); a domain may be written in letters of any script.
_ADDRESS = re.compile(r"[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]+(\.[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]+)*@[\w-]+(\.[\w-]+)+")
_OBJECTS = ("reply_to", "headers", "custom_args", "asm", "mail_settings", "tracking_settings")
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_CONTROL = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """One entry of the ``errors`` array."""

    message: str
    field: str | None
    """Path of what is wrong, e.g. ``personalizations.3.to``; None when it is the request as a whole."""
    anchor: str = ""
    """Where on SendGrid's page of errors the help stands."""

    def as_json(self) -> dict[str, str | None]:
        """The entry as SendGrid writes it."""
        return {"message": self.message, "field": self.field, "help": _HELP + self.anchor if self.anchor else None}


def refusals(request: Any, now: int) -> list[Refusal]:
    """Everything in a parsed Mail Send body that SendGrid would refuse with 400; empty when it would accept it.

    Args:
        request: the parsed JSON.
        now: the present, in Unix seconds; ``send_at`` is measured from it.
    """
    if not isinstance(request, dict):
        return [Refusal(message="Bad Request", field=None)]
    if wrong := [name for name in _OBJECTS if not isinstance(request.get(name), dict | None)]:
        return [Refusal(message="Must be an object.", field=name, anchor=name) for name in wrong]
    settings = [(f"{name}.{inner}", value) for name in ("mail_settings", "tracking_settings")
                for inner, value in (request.get(name) or {}).items()]
    if strange := [name for name, value in settings if not isinstance(value, dict | None)]:
        return [Refusal(message="Must be an object.", field=name, anchor="settings") for name in strange]
    return [*_sender(request), *_personalizations(request, now), *_subject(request), *_content(request),
            *_categories(request), *_headers(request.get("headers"), "headers"),
            *_send_at(request, "send_at", now), *_attachments(request)]


def _sender(request: dict[str, Any]) -> Iterator[Refusal]:
    sender = request.get("from")
    if not isinstance(sender, dict) or not sender.get("email"):
        yield Refusal(message="A from object with an email is required for every send.", field="from.email",
                      anchor="from")
    else:
        yield from _person(sender, "from", "from")
    for number, person in enumerate(_people(request.get("reply_to")) + _people(request.get("reply_to_list"))):
        yield from _person(person, "reply_to" if request.get("reply_to") else f"reply_to_list.{number}", "reply_to")
    if request.get("reply_to") and request.get("reply_to_list"):
        yield Refusal(message="Use reply_to or reply_to_list, not both.", field="reply_to", anchor="reply_to")
    if request.get("template_id"):
        yield Refusal(message="The stand-in keeps no templates.", field="template_id", anchor="template_id")


def _personalizations(request: dict[str, Any], now: int) -> Iterator[Refusal]:
    given = request.get("personalizations")
    if not isinstance(given, list) or not given:
        yield Refusal(message="At least one personalization is required.", field="personalizations",
                      anchor="personalizations")
        return
    if len(given) > MOST_PERSONALIZATIONS:
        yield Refusal(message=f"A request may have {MOST_PERSONALIZATIONS} personalizations; "
                              f"this one has {len(given)}.",
                      field="personalizations", anchor="personalizations")
        return
    shared = request.get("custom_args")
    yield from _strings(shared, "custom_args", MOST_CUSTOM_ARG_BYTES)
    seen: set[str] = set()
    recipients = 0
    for number, one in enumerate(given):
        field = f"personalizations.{number}"
        if not isinstance(one, dict):
            yield Refusal(message="A personalization is an object.", field=field, anchor="personalizations")
            continue
        for kind in ("to", "cc", "bcc"):
            if not isinstance(one.get(kind), list | None):
                yield Refusal(message="Recipients are an array.", field=f"{field}.{kind}",
                              anchor=f"personalizations.{kind}")
        people = [(kind, person) for kind in ("to", "cc", "bcc") for person in _people(one.get(kind))]
        recipients += len(people)
        yield from _recipients(people, field, seen)
        yield from _strings(one.get("substitutions"), f"{field}.substitutions", MOST_SUBSTITUTION_BYTES,
                            MOST_SUBSTITUTIONS)
        own = one.get("custom_args")
        if isinstance(own, dict) and isinstance(shared, dict):
            own = {**shared, **own}
        yield from _strings(own, f"{field}.custom_args", MOST_CUSTOM_ARG_BYTES)
        yield from _headers(one.get("headers"), f"{field}.headers")
        yield from _send_at(one, f"{field}.send_at", now)
        if "from" in one:
            sender = one["from"]
            yield from _person(sender if isinstance(sender, dict) else {}, f"{field}.from", "from")
    if recipients > MOST_RECIPIENTS:
        yield Refusal(message=f"A request may have {MOST_RECIPIENTS} recipients (to, cc and bcc together); "
                              f"this one has {recipients}.", field="personalizations", anchor="recipient-errors")


def _recipients(people: list[tuple[str, Any]], field: str, seen: set[str]) -> Iterator[Refusal]:
    if not any(kind == "to" for kind, _ in people):
        yield Refusal(message="The to array is required, with at least one email object.", field=f"{field}.to",
                      anchor="personalizations.to")
    for kind, person in people:
        yield from _person(person, f"{field}.{kind}", f"personalizations.{kind}")
        address = person.get("email") if isinstance(person, dict) else None
        if not isinstance(address, str):
            continue
        if address.lower() in seen:
            # SendGrid's own sentence names the address too: callers must keep it out of their logs.
            yield Refusal(message=f"Each address may occur once in a request. The first to occur again is [{address}], "
                                  f"in {field}.{kind}.", field=field, anchor="recipient-errors")
        seen.add(address.lower())


def _person(person: Any, field: str, anchor: str) -> Iterator[Refusal]:
    address = person.get("email") if isinstance(person, dict) else None
    if not isinstance(address, str) or len(address) > 320 or not _ADDRESS.fullmatch(address):
        yield Refusal(message="Does not contain a valid address.", field=f"{field}.email", anchor=anchor)
    name = person.get("name") if isinstance(person, dict) else None
    if name is None:
        return
    if not isinstance(name, str) or _CONTROL.search(name):
        yield Refusal(message="A name must be a string without line breaks.", field=f"{field}.name", anchor=anchor)
    elif (";" in name or "," in name) and not (len(name) > 1 and name[0] == name[-1] == '"'):
        # sendgrid-python 6.12, helpers/mail/email.py, puts such names in quotation marks for this reason.
        yield Refusal(message="A name with , or ; must stand in quotation marks.", field=f"{field}.name", anchor=anchor)


def _people(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _subject(request: dict[str, Any]) -> Iterator[Refusal]:
    subject = request.get("subject")
    ones = [one for one in _people(request.get("personalizations")) if isinstance(one, dict)]
    for number, one in enumerate(ones):
        if "subject" in one and not (isinstance(one["subject"], str) and one["subject"]):
            yield Refusal(message="A subject is a string of at least one character.",
                          field=f"personalizations.{number}.subject", anchor="personalizations.subject")
    if subject is None and ones and all("subject" in one for one in ones):
        return
    if not isinstance(subject, str) or not subject:
        yield Refusal(message="A subject is required, on the message or on every personalization.", field="subject",
                      anchor="subject")


def _content(request: dict[str, Any]) -> Iterator[Refusal]:
    content = request.get("content")
    if not isinstance(content, list) or not content:
        yield Refusal(message="At least one content block is required.", field="content", anchor="content")
        return
    kinds = []
    for number, part in enumerate(content):
        kind, value = (part.get("type"), part.get("value")) if isinstance(part, dict) else (None, None)
        if not isinstance(kind, str) or not kind or ";" in kind or _CONTROL.search(kind):
            yield Refusal(message="A content type is a string, without ; and line breaks.",
                          field=f"content.{number}.type", anchor="content.type")
            continue
        if not isinstance(value, str) or not value:
            yield Refusal(message="A content value is a string of at least one character.",
                          field=f"content.{number}.value", anchor="content.value")
        kinds.append(kind)
    rank = {"text/plain": 0, "text/html": 1}
    if kinds != sorted(kinds, key=lambda kind: rank.get(kind, 2)):
        yield Refusal(message="text/plain comes first, then text/html, then anything else (RFC 1341, 7.2).",
                      field="content", anchor="content")


def _categories(request: dict[str, Any]) -> Iterator[Refusal]:
    given = request.get("categories")
    if given is None:
        return
    if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
        yield Refusal(message="Categories are an array of strings.", field="categories", anchor="categories")
        return
    if len(given) > MOST_CATEGORIES:
        yield Refusal(message=f"A message may have {MOST_CATEGORIES} categories; this one has {len(given)}.",
                      field="categories", anchor="categories")
    if len(set(given)) < len(given):
        yield Refusal(message="The categories must be a list without repeats.", field="categories", anchor="categories")
    for number, one in enumerate(given):
        if len(one) > MOST_CATEGORY_CHARACTERS:
            yield Refusal(message=f"A category has at most {MOST_CATEGORY_CHARACTERS} characters.",
                          field=f"categories.{number}", anchor="categories")
        if not one.isascii():
            yield Refusal(message="A category is written in ASCII.", field=f"categories.{number}", anchor="categories")


def _strings(value: Any, field: str, most_bytes: int, most_items: int = 10_000) -> Iterator[Refusal]:
    if value is None:
        return
    anchor = "personalizations." + field.rpartition(".")[2]
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        yield Refusal(message="Names and values must all be strings.", field=field, anchor=anchor)
        return
    if len(value) > most_items:
        yield Refusal(message=f"There may be {most_items} items here; there are {len(value)}.", field=field,
                      anchor=anchor)
    size = sum(len(name.encode()) + len(one.encode()) for name, one in value.items())
    if size > most_bytes:
        yield Refusal(message=f"Names and values together may have {most_bytes} bytes; these have {size}.", field=field,
                      anchor=anchor)


def _headers(value: Any, field: str) -> Iterator[Refusal]:
    if value is None:
        return
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        yield Refusal(message="Header values must be strings.", field=field, anchor="headers")
        return
    if len({name.lower() for name in value}) < len(value):
        yield Refusal(message="A header may occur once.", field=field, anchor="headers")
    for name, one in value.items():
        if not _HEADER_NAME.fullmatch(name):
            yield Refusal(message="A header's name is ASCII, without spaces.", field=field, anchor="headers")
        elif name.lower() in RESERVED_HEADERS:
            yield Refusal(message=f"The header {name} is reserved.", field=field, anchor="headers")
        if _CONTROL.search(one):
            yield Refusal(message="A header's value has no line breaks.", field=field, anchor="headers")


def _send_at(holder: dict[str, Any], field: str, now: int) -> Iterator[Refusal]:
    moment = holder.get("send_at")
    if moment is None:
        return
    if not isinstance(moment, int) or isinstance(moment, bool):
        yield Refusal(message="send_at is a Unix timestamp, an integer.", field=field, anchor="send_at")
    elif moment > now + FARTHEST_SEND_AT_SECONDS:
        yield Refusal(message="A send may be scheduled 72 hours ahead at most.", field=field, anchor="send_at")


def _attachments(request: dict[str, Any]) -> Iterator[Refusal]:
    for number, one in enumerate(_people(request.get("attachments"))):
        content = one.get("content") if isinstance(one, dict) else None
        try:
            if not isinstance(content, str) or not base64.b64decode(content, validate=True):
                raise ValueError
        except (ValueError, binascii.Error):
            yield Refusal(message="An attachment's content is base64.", field=f"attachments.{number}.content",
                          anchor="attachments.content")
            continue
        for name in ("filename", "type", "content_id"):
            value = one.get(name, "" if name == "filename" else "may be left out")
            if not _fits_a_header(value, without=";" if name == "type" else ""):
                yield Refusal(message=f"An attachment's {name} is a string without line breaks.",
                              field=f"attachments.{number}.{name}", anchor=f"attachments.{name}")
        if one.get("disposition") not in (None, "inline", "attachment"):
            yield Refusal(message="A disposition is inline or attachment.", field=f"attachments.{number}.disposition",
                          anchor="attachments.disposition")


def _fits_a_header(value: Any, *, without: str) -> bool:
    return isinstance(value, str) and bool(value) and not _CONTROL.search(value) and not (without and without in value)
