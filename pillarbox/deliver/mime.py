"""Whole RFC 5322 messages, a unit at a time: the email package lays out one message, every other fills its gaps."""

from __future__ import annotations

from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.policy import compat32
from email.utils import format_datetime
from functools import lru_cache

from pillarbox.deliver.headers import ONE_CLICK, PRACTICE, ascii_address, mailbox, plain_name, unstructured, unsubscribe
from pillarbox.ground.address import domain
from pillarbox.model.records import Envelope, InlineImage, Outgoing, Unit
from pillarbox.shape.bodies import bodies

# "=_" occurs neither in quoted-printable nor in base64 (RFC 2045, section 6.7), so no body can hold the boundary.
_BOUNDARY, _INNER_BOUNDARY = "=_pillarbox", "=_pillarbox_with_images"
_WIRE = compat32.clone(linesep="\r\n")
_QP, _BASE64 = "quoted-printable", "base64"
_GAP = "xpillarboxgapx"


def mails(unit: Unit, date: datetime) -> Iterator[tuple[Outgoing, bytes]]:
    """Each message of the unit with its finished bytes: CRLF, plain text first, body lines of at most 76 characters.

    Args:
        unit: the messages to write.
        date: what stands in the Date header (aware).

    Raises:
        TransportError: when a live message would offer no way to unsubscribe.
    """
    text_coding, html_coding = _coding(unit.shape.text), _coding(unit.shape.html)
    pieces = _skeleton(unit, date, text_coding, html_coding)
    made = bodies(unit.shape, [message.values for message in unit.messages])
    for message, (subject, html, text) in zip(unit.messages, made, strict=True):
        fillings = (
            _utf8(mailbox(message.to_name, ascii_address(message.address) or message.address)),
            _utf8(unstructured("Subject", subject)),
            _utf8(message_id(unit.envelope, message)),
            _utf8(unsubscribe(unit.envelope, message.key)[0][1]),
            _encoded(text, text_coding),
            _encoded(html, html_coding),
        )
        whole = [pieces[0]]
        for filling, piece in zip(fillings, pieces[1:], strict=True):
            whole += (filling, piece)
        yield message, b"".join(whole)


def message_id(envelope: Envelope, message: Outgoing) -> str:
    """The Message-ID: the same each time that this message is written, so that a repeat is seen to be one."""
    return f"<{envelope.project}.{message.message_id}@{domain(ascii_address(envelope.from_email) or 'localhost')}>"


def _skeleton(unit: Unit, date: datetime, text_coding: str, html_coding: str) -> list[bytes]:
    """One message as the email package writes it, cut at the gaps that ``mails`` fills, in their order."""
    envelope, images = unit.envelope, unit.images
    sender = mailbox(envelope.from_name, ascii_address(envelope.from_email) or envelope.from_email)
    root = MIMEMultipart("alternative", boundary=_BOUNDARY, policy=_WIRE)
    constants = [("From", sender)]
    if envelope.reply_to:
        constants.append(("Reply-To", mailbox(envelope.reply_to_name, envelope.reply_to)))
    root["Date"] = format_datetime(date)
    for name, _ in constants:
        root[name] = f"{_GAP}{name}"
    for name in ("To", "Subject", "Message-ID", "List-Unsubscribe"):
        root[name] = _GAP
    if ONE_CLICK in unsubscribe(envelope, "key"):
        root[ONE_CLICK[0]] = ONE_CLICK[1]
    if envelope.practice:
        root[PRACTICE[0]] = PRACTICE[1]
    root.attach(_part("plain", text_coding))
    html = _part("html", html_coding)
    if images:
        # RFC 2387: the HTML and what it shows belong together, as one alternative to the plain text.
        related = MIMEMultipart("related", boundary=_INNER_BOUNDARY, policy=_WIRE)
        related.set_param("type", "text/html")
        related.attach(html)
        for number, image in enumerate(images):
            related.attach(_inline(image, f"{_GAP}image{number};"))
        html = related
    root.attach(html)
    written = root.as_bytes()
    for name, value in constants:
        written = written.replace(f"{_GAP}{name}".encode(), _utf8(value))
    for number, image in enumerate(images):
        written = written.replace(f"{_GAP}image{number};".encode(), _base64(image.content))
    return written.split(_GAP.encode())


def _inline(image: InlineImage, payload: str) -> Message:
    part = Message(policy=_WIRE)
    part["Content-Type"] = image.media_type
    part["Content-Transfer-Encoding"] = _BASE64
    part["Content-ID"] = f"<{image.content_id}>"
    part.add_header("Content-Disposition", "inline", filename=plain_name(image.name))
    part.set_payload(payload)
    return part



def _part(kind: str, coding: str) -> Message:
    part = Message(policy=_WIRE)
    part["Content-Type"] = f'text/{kind}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = coding
    part.set_payload(_GAP)
    return part


def _coding(sample: str) -> str:
    """The shorter of the two encodings: quoted-printable triples every byte that is not ASCII, base64 adds a third."""
    return _QP if len(sample.encode()) - len(sample) < len(sample) / 8 else _BASE64


def _encoded(body: bytes, coding: str) -> bytes:
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if coding == _BASE64:
        return _wrapped(lines.replace(b"\n", b"\r\n"))
    return b"\r\n".join(map(_quoted, lines.split(b"\n")))


def _wrapped(content: bytes) -> bytes:
    return encodebytes(content).replace(b"\n", b"\r\n")


# The images of a mailing are the same in every message.
_base64 = lru_cache(maxsize=32)(_wrapped)


@lru_cache(maxsize=8192)
def _quoted(line: bytes) -> bytes:
    # Quoted-printable works line by line, and most lines of a letter are the same for everyone.
    return b2a_qp(line).replace(b"\n", b"\r\n")


def _utf8(value: str) -> bytes:
    return value.encode()
