"""One letter to one person, by the project's way out: HTML and text, no tracking, no way to leave, no batch.

For service letters. What is known of it afterwards is told as of every message (``model.records.Receipt``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

import orjson

from pillarbox.deliver.choose import OUTBOX
from pillarbox.deliver.headers import PRACTICE, ascii_address, display_name, one_line, plain_name
from pillarbox.ground import clock
from pillarbox.ground.address import domain
from pillarbox.model.config import Settings
from pillarbox.model.records import InlineImage, Receipt, Result
from pillarbox.model.states import Verdict

FOLDER = (*OUTBOX, "service")
"""Where the files transport puts it, below the project's folder."""
CATEGORY = "service"
"""SendGrid's category of these letters."""
LONGEST_WAIT_SECONDS = 15.0
"""For each answer of a server: somebody waits for this letter, and others wait behind it."""
LEASE_SECONDS = 360.0
"""Longer than all waits of the longest talk together (14 with an SMTP server), with time to spare."""
_OFF = {"enable": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleMail:
    """A finished letter to one address."""

    name: str
    """Unique and opaque: the same mail again replaces its file, and carries the same Message-ID."""
    to: str
    to_name: str
    """May be empty."""
    from_name: str
    from_email: str
    reply_to: str
    """May be empty."""
    subject: str
    text: str
    html: str
    practice: bool
    images: tuple[InlineImage, ...] = ()
    """What the HTML shows as ``cid:…``."""


def hand_over(settings: Settings, mail: SingleMail) -> Result:
    """Hand the letter over, and tell what is known of it.

    Raises:
        TransportError: the way out cannot be used as it is set up; nothing was sent.
    """
    if ascii_address(mail.to) is None and settings.project.transport != "files":
        return _told(Verdict.REFUSED, "The mailbox name has letters outside ASCII, which this way out cannot carry.")
    return _WAYS[settings.project.transport](settings, mail)


def _told(verdict: Verdict, detail: str = "", *, provider_id: str = "", stop: str = "", wait: float = 0.0,
          unreachable: bool = False) -> Result:
    return Result(receipts=(Receipt(message_id=0, verdict=verdict, provider_id=provider_id, detail=detail),), stop=stop,
                  wait_seconds=wait, unreachable=unreachable)


def _files(settings: Settings, mail: SingleMail) -> Result:
    folder = settings.folder.joinpath(*FOLDER)
    draft = folder / f".{mail.name}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(rfc5322(mail))
        draft.replace(folder / f"{mail.name}.eml")
    except OSError as fault:
        return _told(Verdict.RETURNED, f"Mail cannot be written to {folder}: {fault.strerror or fault}.",
                     unreachable=True)
    return _told(Verdict.ACCEPTED, provider_id=f"{mail.name}.eml")


def _smtp(settings: Settings, mail: SingleMail) -> Result:
    from pillarbox.deliver.smtp.transport import SmtpTransport

    limit = min(settings.smtp.timeout_seconds, LONGEST_WAIT_SECONDS)
    server = SmtpTransport(settings.smtp.model_copy(update={"timeout_seconds": limit}))
    try:
        return server.carry(mail.from_email, mail.to, rfc5322(mail))
    finally:
        server.close()


def _sendgrid(settings: Settings, mail: SingleMail) -> Result:
    from pillarbox.deliver.sendgrid import verdicts
    from pillarbox.deliver.sendgrid.client import NoAnswerError
    from pillarbox.deliver.sendgrid.transport import connected
    from pillarbox.deliver.sendgrid.verdicts import Meaning

    limit = min(settings.sendgrid.timeout_seconds, LONGEST_WAIT_SECONDS)
    client = connected(settings.sendgrid.model_copy(update={"timeout_seconds": limit, "connections": 1}))
    try:
        reading = verdicts.read(client.send(orjson.dumps(request(mail))), clock.now())
    except NoAnswerError as fault:
        if fault.left:
            return _told(Verdict.UNKNOWN, f"The request was sent to SendGrid, then: {fault.why}.")
        return _told(Verdict.RETURNED, f"SendGrid could not be reached: {fault.why}.", unreachable=True)
    finally:
        client.close()
    match reading.meaning:
        case Meaning.ACCEPTED:
            return _told(Verdict.ACCEPTED, provider_id=reading.provider_id)
        case Meaning.REFUSED:
            return _told(Verdict.REFUSED, reading.named.get(0) or reading.words)
        case Meaning.UNKNOWN:
            return _told(Verdict.UNKNOWN, reading.words)
        case Meaning.LATER:
            return _told(Verdict.RETURNED, reading.words, wait=reading.wait_seconds)
        case Meaning.STOP:
            return _told(Verdict.RETURNED, reading.words, stop=reading.words)


_WAYS: Mapping[str, Callable[[Settings, SingleMail], Result]] = {
    "files": _files, "smtp": _smtp, "sendgrid": _sendgrid}


def request(mail: SingleMail) -> dict[str, Any]:
    """A Mail Send body. Every tracking setting is said: where a request is silent, the account's own hold."""
    from pillarbox.deliver.sendgrid.payload import attachment, person

    def mailbox(name: str, address: str) -> dict[str, str]:
        found = {"email": ascii_address(address) or address}
        return found | {"name": shown} if (shown := person(name)) else found

    body: dict[str, Any] = {
        "personalizations": [{"to": [mailbox(mail.to_name, mail.to)],
                              "headers": {"Auto-Submitted": "auto-generated"}
                              | dict([PRACTICE] if mail.practice else [])}],
        "from": mailbox(mail.from_name, mail.from_email),
        "subject": one_line(mail.subject),
        "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
        "categories": [CATEGORY],
        "tracking_settings": {"click_tracking": {"enable": False, "enable_text": False}, "open_tracking": _OFF,
                              "subscription_tracking": _OFF, "ganalytics": _OFF},
        # Who left, and asks to come back, must get the letter that lets them.
        "mail_settings": {"bypass_unsubscribe_management": {"enable": True}},
    }
    if mail.images:
        body["attachments"] = [attachment(image) for image in mail.images]
    return body | {"reply_to": mailbox("", mail.reply_to)} if mail.reply_to else body


def rfc5322(mail: SingleMail) -> bytes:
    """The letter as a message: plain text first, then HTML."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(mail.from_name, mail.from_email)
    message["To"] = _address(mail.to_name, mail.to)
    if mail.reply_to:
        message["Reply-To"] = _address("", mail.reply_to)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{mail.name}@{domain(ascii_address(mail.from_email) or 'localhost')}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office notes stay away
    if mail.practice:
        message[PRACTICE[0]] = PRACTICE[1]
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for image in mail.images:
        kind, _, subtype = image.media_type.partition("/")
        page = message.get_body(("related", "html"))
        assert page is not None, "just added"
        page.add_related(image.content, kind, subtype, cid=f"<{image.content_id}>", disposition="inline",
                         filename=plain_name(image.name))
    return message.as_bytes()


def _address(name: str, address: str) -> Address | str:
    plain = ascii_address(address)
    # The mailbox name itself is not ASCII: only a file can hold it.
    return Address(display_name=display_name(name), addr_spec=plain) if plain else one_line(address)
