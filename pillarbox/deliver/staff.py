"""A plain mail to the charity's own staff, by the project's way out. No letter, no marketing, nothing tracked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import orjson

from pillarbox.deliver.choose import OUTBOX
from pillarbox.deliver.headers import ascii_address, display_name, one_line
from pillarbox.ground import clock
from pillarbox.ground.address import domain
from pillarbox.ground.errors import TransportError
from pillarbox.model.config import Settings

FOLDER = (*OUTBOX, "staff")
"""Where the files transport puts it, below the project's folder."""
LONGEST_WAIT_SECONDS = 15.0
"""A server that is slow must not keep from its work the worker that tells staff of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffMail:
    """What staff are to read."""

    name: str
    """Unique for what it says: the same mail again replaces its file, and carries the same Message-ID."""
    to: tuple[str, ...]
    from_name: str
    from_email: str
    subject: str
    text: str


def post(settings: Settings, mail: StaffMail) -> None:
    """Hand the mail over.

    Raises:
        TransportError: it did not go, or nobody knows; to try again does no harm.
    """
    _WAYS[settings.project.transport](settings, mail)


def _files(settings: Settings, mail: StaffMail) -> None:
    folder = settings.folder.joinpath(*FOLDER)
    draft = folder / f".{mail.name}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_bytes(_rfc5322(mail, mail.to))
        draft.replace(folder / f"{mail.name}.eml")
    except OSError as fault:
        raise TransportError(f"Mail cannot be written to {folder}: {fault.strerror or fault}.", retry=True) from None


def _smtp(settings: Settings, mail: StaffMail) -> None:
    from pillarbox.deliver.smtp.transport import SmtpTransport

    limit = min(settings.smtp.timeout_seconds, LONGEST_WAIT_SECONDS)
    server = SmtpTransport(settings.smtp.model_copy(update={"timeout_seconds": limit}))
    try:
        for to in mail.to:
            server.post(mail.from_email, to, _rfc5322(mail, (to,)))
    finally:
        server.close()


def _sendgrid(settings: Settings, mail: StaffMail) -> None:
    from pillarbox.deliver.sendgrid.client import NoAnswerError
    from pillarbox.deliver.sendgrid.transport import connected

    limit = min(settings.sendgrid.timeout_seconds, LONGEST_WAIT_SECONDS)
    client = connected(settings.sendgrid.model_copy(update={"timeout_seconds": limit, "connections": 1}))
    try:
        answer = client.send(orjson.dumps(_request(mail)))
    except NoAnswerError as fault:
        raise TransportError(f"SendGrid cannot be reached ({fault.why}).", retry=True) from None
    finally:
        client.close()
    if answer.status != 202:
        raise TransportError(f"SendGrid did not take the mail to staff ({answer.status}).", retry=True)


_WAYS: Mapping[str, Callable[[Settings, StaffMail], None]] = {"files": _files, "smtp": _smtp, "sendgrid": _sendgrid}


def _request(mail: StaffMail) -> dict[str, object]:
    """A Mail Send body. Every tracking setting is said: where a request is silent, the account's own hold."""
    sender = {"email": ascii_address(mail.from_email) or mail.from_email}
    if mail.from_name:
        sender["name"] = display_name(mail.from_name.translate({ord(","): " ", ord(";"): " "}))
    off = {"enable": False}
    return {
        "personalizations": [{"to": [{"email": ascii_address(to) or to} for to in mail.to]}],
        "from": sender,
        "subject": one_line(mail.subject),
        "content": [{"type": "text/plain", "value": mail.text}],
        "tracking_settings": {"click_tracking": {"enable": False, "enable_text": False}, "open_tracking": off,
                              "subscription_tracking": off, "ganalytics": off},
        # Staff who tried out the unsubscribe link must still hear that a mailing paused itself.
        "mail_settings": {"bypass_unsubscribe_management": {"enable": True}},
    }


def _rfc5322(mail: StaffMail, to: tuple[str, ...]) -> bytes:
    message = EmailMessage(policy=SMTP)
    sender = ascii_address(mail.from_email) or mail.from_email
    message["From"] = f'"{_quoted(mail.from_name)}" <{sender}>' if mail.from_name else sender
    message["To"] = ", ".join(ascii_address(each) or each for each in to)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{mail.name}@{domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office notes stay away
    message.set_content(mail.text)
    return message.as_bytes()


def _quoted(name: str) -> str:
    return display_name(name).replace("\\", "").replace('"', "'")
