"""Names, addresses and unsubscribe headers."""

from __future__ import annotations

from email import message_from_string
from email.policy import default

import pytest
from hypothesis import given, strategies

from pillarbox.deliver.headers import ONE_CLICK, ascii_address, mailbox, one_line, unstructured, unsubscribe
from pillarbox.deliver.words import plain
from pillarbox.ground.errors import TransportError
from tests.deliver.cast import envelope


@given(name=strategies.text(max_size=200), subject=strategies.text(max_size=200))
def test_no_name_or_subject_adds_a_header(name: str, subject: str) -> None:
    """Whatever a name or subject holds, the message has the headers that it should, and one addressee."""
    to, about = mailbox(name, "alice@example.org"), unstructured("Subject", subject)
    written = f"To: {to}\r\nSubject: {about}\r\nEnd: x\r\n\r\n"
    read = message_from_string(written, policy=default)
    assert read.keys() == ["To", "Subject", "End"]
    assert [a.addr_spec for a in read["To"].addresses] == ["alice@example.org"]
    assert all(line.startswith((" ", "To", "Subject", "End")) or not line for line in written.split("\r\n"))


def test_a_name_keeps_its_signs() -> None:
    """Quotes, commas and semicolons stay in the name; other scripts become encoded words."""
    assert mailbox('Levi; "Mim", M', "m@example.org") == r'"Levi; \"Mim\", M" <m@example.org>'
    assert mailbox("רננה", "r@example.org") == "=?utf-8?b?16jXoNeg15Q=?= <r@example.org>"
    assert mailbox("", "r@example.org") == "r@example.org"
    assert "=?utf-8?" in mailbox("=?utf-8?q?Eve?=", "e@example.org")


def test_one_line_takes_out_what_cannot_be_seen() -> None:
    """Line breaks of any kind, controls and direction marks become one space."""
    assert one_line(" a\r\nBcc: b\u2028c\u202ed\x00e  f ") == "a Bcc: b c d e f"


def test_addresses_travel_as_ascii() -> None:
    """A domain in other letters becomes IDNA; a mailbox name in other letters has no such form."""
    assert ascii_address("a@bücher.example") == "a@xn--bcher-kva.example"
    assert ascii_address("מרים@example.org") is None


def test_the_way_out() -> None:
    """One click where there is a public address; a mailto alone otherwise; a live message with neither is refused."""
    assert unsubscribe(envelope(unsubscribe_mailto=""), "k") == (
        ("List-Unsubscribe", "<https://letters.example.org/u/k>"), ONE_CLICK)
    assert unsubscribe(envelope(base_url="", practice=False), "k") == (
        ("List-Unsubscribe", "<mailto:leave@charity.example.org?subject=unsubscribe>"),)
    with pytest.raises(TransportError, match="no way to unsubscribe"):
        unsubscribe(envelope(base_url="", unsubscribe_mailto="", practice=False), "k")


def test_words_of_others_are_masked() -> None:
    """Addresses and given names go; the sense stays."""
    assert plain("550 <a.b@example.org>: No Miriam\r\nhere", "Miriam") == "550 <(address)>: No (name) here"
