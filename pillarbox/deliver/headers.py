"""What every transport writes at the top of a message: names, addresses, one-click unsubscribe, practice."""

from __future__ import annotations

import re
from email.charset import BASE64, Charset
from email.header import Header
from email.utils import formataddr
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from pillarbox.ground.errors import TransportError
from pillarbox.model.records import Envelope

ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
"""RFC 8058, section 3.1: says that a POST to the address in List-Unsubscribe takes the supporter off at once."""
PRACTICE = ("X-Pillarbox-Practice", "yes")
NOWHERE = "https://practice.invalid"
"""Stands in practice for the base URL that a project does not have yet; RFC 2606 keeps ``.invalid`` from resolving."""
LONGEST_NAME = 128
"""Characters of a display name that are kept; the rest would only fold the header."""

# One encoding always: to weigh both against each other takes the email package ten times as long.
_CRLF = "\r\n"
_ASCII, _UTF8 = Charset("us-ascii"), Charset("utf-8")
_UTF8.header_encoding = BASE64
# Control, format and line-separating characters: none belongs in a header, and CR and LF would begin another one.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_SPACES = re.compile(r"\s+")


def one_line(text: str) -> str:
    """``text`` as one line that cannot begin a header of its own."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _SPACES.sub(" ", _UNPRINTABLE.sub(" ", text)).strip()


def display_name(text: str) -> str:
    """A name fit for To and From: one line, at most ``LONGEST_NAME`` characters."""
    return one_line(text)[:LONGEST_NAME].rstrip()


@lru_cache(maxsize=4096)
def ascii_address(address: str) -> str | None:
    """The address as ASCII (a domain in other letters becomes IDNA); None when the mailbox name itself is not ASCII."""
    if address.isascii():
        return address
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).ascii_email
    except EmailNotValidError:
        return None


def mailbox(name: str, address: str) -> str:
    """``name <address>`` as an RFC 5322 header value: quoted where it must be, encoded words where it is not ASCII.

    A mailbox name outside ASCII stays as it is (RFC 6532).
    """
    shown = display_name(name)
    if not shown:
        return address
    if shown.isascii() and "=?" not in shown and address.isascii():
        return formataddr((shown, address))
    return f"{Header(shown, _UTF8, maxlinelen=75).encode(linesep=_CRLF)} <{address}>"


def plain_name(file: str) -> str:
    """A file's name in ASCII, without what a header or a folder takes for something else."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", file).strip("-.") or "image"


def unstructured(name: str, text: str) -> str:
    """A free-text header's value (Subject), folded and encoded where it must be."""
    line = one_line(text)
    if line.isascii() and "=?" not in line and len(name) + 2 + len(line) <= 78:
        return line
    charset = _ASCII if line.isascii() and "=?" not in line else _UTF8
    return Header(line, charset, header_name=name, maxlinelen=76).encode(linesep=_CRLF)


def unsubscribe(envelope: Envelope, key: str) -> tuple[tuple[str, str], ...]:
    """The List-Unsubscribe headers of one message, for transports that write their own.

    Raises:
        TransportError: when a live message would offer no way to leave.
    """
    base = envelope.base_url or (NOWHERE if envelope.practice else "")
    ways = [f"<{base}/u/{key}>"] if base else []
    if envelope.unsubscribe_mailto:
        ways.append(f"<mailto:{one_line(envelope.unsubscribe_mailto)}?subject=unsubscribe>")
    if not ways:
        raise TransportError("This message would offer no way to unsubscribe.", where="pillarbox.toml",
                             todo="Set [project] base_url, or [sender] unsubscribe_mailto.")
    listed = ("List-Unsubscribe", ", ".join(ways))
    # RFC 8058 needs an https address: a mailto alone is no one-click.
    return (listed, ONE_CLICK) if base else (listed,)
