"""What the stand-in accepted: messages as each supporter would have got them, and counts that miss nothing."""

from __future__ import annotations

import base64
import os
import re
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

# "You can have up to 4 nested substitutions": substitution-tags page of the SendGrid documentation, read 2026-11.
_MOST_NESTED = 4
MESSAGE_ARGUMENT = "pillarbox"
"""The custom argument that names one of our messages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """What the messages of one request share, before substitution."""

    subject: str
    text: str
    html: str
    reply_to: str
    attachments: tuple[Mapping[str, str], ...] = ()
    """As they came: content (base64), type, filename, disposition, content_id."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One accepted message. ``subject``, ``text`` and ``html`` are substituted when they are first read."""

    request_id: str
    """What X-Message-Id said; ``sg_message_id`` of its events begins with it."""
    number: int
    """Place of its personalization in the request, from 0."""
    address: str
    """As it came."""
    to_name: str
    others: tuple[str, ...]
    """Addresses of cc and bcc."""
    from_email: str
    from_name: str
    headers: Mapping[str, str]
    custom_args: Mapping[str, str]
    categories: tuple[str, ...]
    substitutions: Mapping[str, str]
    open_tracking: bool
    click_tracking: bool
    subscription_tracking: bool
    asm_group_id: int | None
    accepted_at: datetime
    body: Body

    @property
    def sg_message_id(self) -> str:
        """The id that events carry: request, filter server, place in the request."""
        return f"{self.request_id}.recvd-standin-1-{self.number:X}.0"

    @cached_property
    def subject(self) -> str:
        """The subject as the supporter reads it."""
        return substitute(self.body.subject, self.substitutions)

    @cached_property
    def reply_to(self) -> str:
        """The address for answers, substituted as documented; empty when none was given."""
        return substitute(self.body.reply_to, self.substitutions)

    @property
    def text(self) -> str:
        """The plain-text part as the supporter reads it; empty when there is none."""
        return substitute(self.body.text, self.substitutions)

    @property
    def html(self) -> str:
        """The HTML part as the supporter reads it; empty when there is none."""
        return substitute(self.body.html, self.substitutions)


def substitute(template: str, values: Mapping[str, str]) -> str:
    """Put values in place of their tags: without regard to case, unescaped, tags inside values too (four deep)."""
    if not values or not template:
        return template
    tags = tuple(values)
    by_tag = {tag.lower(): value for tag, value in values.items()}
    parts = list(_split(template, tags))
    parts[1::2] = [by_tag[tag.lower()] for tag in parts[1::2]]
    done = "".join(parts)
    pattern = _pattern(tags)
    if not any(pattern.search(value) for value in values.values()):
        return done
    for _ in range(_MOST_NESTED - 1):
        again = pattern.sub(lambda found: by_tag[found[0].lower()], done)
        if again == done:
            break
        done = again
    return done


@lru_cache(maxsize=64)
def _pattern(tags: tuple[str, ...]) -> re.Pattern[str]:
    # Longest first, so that a tag which begins like another is not cut short.
    return re.compile("(" + "|".join(re.escape(tag) for tag in sorted(tags, key=len, reverse=True) if tag) + ")",
                      re.IGNORECASE)


@lru_cache(maxsize=16)
def _split(template: str, tags: tuple[str, ...]) -> tuple[str, ...]:
    # One scan serves all personalizations of a request: they share the template and nearly always the tags.
    return tuple(_pattern(tags).split(template))


class Mailbox:
    """Accepted messages and counts; safe to use from many threads."""

    def __init__(self, *, keep: int, letters: Path | None = None, journal: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Kept] = deque(maxlen=keep)
        self._letters = letters
        if letters is not None:
            letters.mkdir(parents=True, exist_ok=True)
        self._journal = None if journal is None else os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.requests = 0
        """POSTs to /v3/mail/send that were read, accepted or not."""
        self.accepted = 0
        """Personalizations accepted."""
        self.bytes = 0
        """Bytes of the bodies of those POSTs, as they came over the wire."""
        self.addresses: Counter[str] = Counter()
        """Address in lower case → personalizations accepted for it."""
        self._by_message: Counter[str] = Counter()
        self._deliveries: Counter[tuple[str, str]] = Counter()

    @property
    def messages(self) -> list[Kept]:
        """What is kept, oldest first."""
        with self._lock:
            return list(self._kept)

    def to(self, address: str) -> list[Kept]:
        """What is kept for one address."""
        return [one for one in self.messages if one.address.lower() == address.lower()]

    def count_request(self, size: int) -> int:
        """Note a POST of ``size`` bytes; its number, from 1."""
        with self._lock:
            self.requests += 1
            self.bytes += size
            return self.requests

    def add(self, messages: list[Kept]) -> None:
        """Accept the messages of one request, all at once."""
        names = [one.custom_args.get(MESSAGE_ARGUMENT, "-") for one in messages]
        with self._lock:
            self._write(names)
            self.accepted += len(messages)
            self._by_message.update(names)
            self.addresses.update(one.address.lower() for one in messages)
            self._deliveries.update(("|".join(one.categories), one.address.lower()) for one in messages)
            self._kept.extend(messages)
        if self._letters is not None:
            for one in messages:
                name = re.sub(r"[^\w.@-]", "_", f"{one.address[:100]}-{one.request_id[:8]}-{one.number}")
                (self._letters / f"{name}.eml").write_bytes(as_eml(one))

    def count_only(self, personalizations: int, names: list[str]) -> None:
        """Accept without keeping: how many, and what the journal is to say of them."""
        with self._lock:
            self.accepted += personalizations
            self._write(names)

    def counts(self) -> dict[str, Any]:
        """What was sent here so far. ``duplicates``: deliveries of one category to one address beyond the first."""
        with self._lock:
            return {
                "requests": self.requests,
                "personalizations": self.accepted,
                "accepted": self.accepted,
                "bytes": self.bytes,
                "addresses": len(self.addresses),
                "duplicates": sum(count - 1 for count in self._deliveries.values()),
                "by_message": dict(self._by_message),
            }

    def close(self) -> None:
        """Close the journal."""
        with self._lock:
            if self._journal is not None:
                os.close(self._journal)
                self._journal = None

    def _write(self, names: list[str]) -> None:
        # One write a request, straight to the system: what was accepted is on record before the answer leaves, and
        # stays there if this process is killed.
        if self._journal is not None and names:
            os.write(self._journal, "".join(f"{name}\n" for name in names).encode())


def as_eml(message: Kept) -> bytes:
    """The message as a mail program opens it (RFC 5322)."""
    # A domain in another script needs RFC 6532; all else is written so that the oldest mail program reads it.
    mail = EmailMessage(policy=SMTP if message.address.isascii() else SMTPUTF8)
    mail["From"] = _address(message.from_name, message.from_email)
    mail["To"] = _address(message.to_name, message.address)
    mail["Subject"] = _line(message.subject)
    mail["Date"] = message.accepted_at
    mail["Message-ID"] = f"<{message.request_id}.{message.number}@stand-in.invalid>"
    if message.reply_to:
        mail["Reply-To"] = _line(message.reply_to)
    for name, value in message.headers.items():
        del mail[name]
        mail[name] = _line(value)
    mail["X-Stand-In"] = "Nobody was mailed"
    text, html = message.text, message.html
    if text:
        mail.set_content(text)
    # Base64 is said outright: finding the shortest encoding costs more than all the rest of a letter.
    if html and text:
        mail.add_alternative(html, subtype="html", cte="base64")
    elif html:
        mail.set_content(html, subtype="html", cte="base64")
    for one in message.body.attachments:
        _attach(mail, one)
    return mail.as_bytes()


def _attach(mail: EmailMessage, given: Mapping[str, str]) -> None:
    kind, _, subtype = (given.get("type") or "application/octet-stream").partition("/")
    content, name = base64.b64decode(given["content"]), _line(given["filename"])
    page = mail.get_body(("related", "html"))
    if given.get("disposition") == "inline" and page is not None:
        page.add_related(content, kind, subtype, cid=f"<{given.get('content_id') or name}>", disposition="inline",
                         filename=name)
    else:
        mail.add_attachment(content, kind, subtype, filename=name)


def _address(name: str, email: str) -> Address | str:
    try:
        return Address(display_name=_line(name.strip('"')), addr_spec=email)
    except ValueError:
        return email


def _line(text: str) -> str:
    return re.sub(r"[\r\n]+", " ", text)
