"""Mail to a folder."""

from __future__ import annotations

import mailbox
import os
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from pillarbox.deliver.files.transport import FilesTransport
from pillarbox.ground import clock
from pillarbox.ground.errors import TransportError
from pillarbox.model.states import Verdict
from pillarbox.shape.bodies import body
from tests.deliver.cast import NAMES, message, shape, unit

MOMENT = datetime(2026, 12, 10, 8, 30, tzinfo=UTC)


def opened(folder: Path, number: int) -> EmailMessage:
    content = (folder / "new" / f"{number}.eml").read_bytes()
    found = message_from_bytes(content, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def words(part: EmailMessage) -> str:
    """A part as it is read: its line ends are the mail program's own, and so is the line end before a boundary."""
    return part.get_content().replace("\r\n", "\n").rstrip()


def test_a_mail_program_reads_what_was_composed(tmp_path: Path) -> None:
    """Headers, plain text first and HTML come back as they were, in every script, without a defect."""
    sent = unit([message(n, salutation=name or "Friend") for n, name in enumerate(NAMES, start=1)])
    with clock.freeze(MOMENT):
        result = FilesTransport(tmp_path).send(sent)
    assert [r.verdict for r in result.receipts] == [Verdict.ACCEPTED] * len(NAMES)
    for one in sent.messages:
        mail = opened(tmp_path, one.message_id)
        wanted = body(sent.shape, one.values)
        assert mail.get_content_type() == "multipart/alternative"
        text, html = mail.iter_parts()
        assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        assert words(text) == wanted.text.rstrip()
        assert words(html) == wanted.html.rstrip()
        assert mail["Subject"] == wanted.subject
        assert mail["Date"].datetime == MOMENT
        assert mail["To"].addresses == (Address(one.to_name, addr_spec=one.address),)
        assert mail["From"].addresses == (Address("René Cassin, the charity", addr_spec="hello@charity.example.org"),)
        assert mail["Reply-To"] == "reply@charity.example.org"
        assert mail["Message-ID"] == f"<proj1234.{one.message_id}@charity.example.org>"
        assert mail["List-Unsubscribe"].split(", ")[0] == f"<https://letters.example.org/u/{one.key}>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["X-Pillarbox-Practice"] == "yes"
        assert not [*mail.defects, *text.defects, *html.defects]


@pytest.mark.parametrize("filling", ["word " * 500, "ש" * 5000, "x" * 5000, "tail \n\tand\t\n=3D\n"])
def test_lines_are_short_and_end_in_crlf(tmp_path: Path, filling: str) -> None:
    """Body lines have at most 76 characters, whatever the letter's lines are, and every line ends as RFC 5322 says."""
    sent = unit(1, letter=shape(filling))
    FilesTransport(tmp_path).send(sent)
    content = (tmp_path / "new" / "1.eml").read_bytes()
    head, _, rest = content.partition(b"\r\n\r\n")
    assert max(map(len, rest.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 78 + 60  # List-Unsubscribe's URLs cannot be folded
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert words(opened(tmp_path, 1).get_body(("html",))) == body(sent.shape, sent.messages[0].values).html.rstrip()


def test_the_folder_is_a_maildir(tmp_path: Path) -> None:
    """Python's own maildir reader finds every message, and nothing is left in tmp."""
    FilesTransport(tmp_path / "a" / "mail").send(unit(5))
    assert len(mailbox.Maildir(tmp_path / "a" / "mail", create=False)) == 5
    assert list((tmp_path / "a" / "mail" / "tmp").iterdir()) == []


def test_sending_again_replaces(tmp_path: Path) -> None:
    """The same message written twice is one file, even after a mail program has looked at it."""
    transport = FilesTransport(tmp_path)
    transport.send(unit(2))
    (tmp_path / "new" / "1.eml").rename(tmp_path / "cur" / "1.eml:2,S")
    transport.send(unit([message(1, salutation="Again"), message(2)]))
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["2.eml"]
    assert b"Again" in (tmp_path / "cur" / "1.eml:2,S").read_bytes()


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """Letters hold personal data: no other account of the machine sees them."""
    FilesTransport(tmp_path / "mail").send(unit(1))
    assert (tmp_path / "mail" / "new" / "1.eml").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "mail" / "new").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """check() says which folder and why; send() gives every message back and stops."""
    (tmp_path / "file").write_text("")
    transport = FilesTransport(tmp_path / "file" / "mail")
    with pytest.raises(TransportError, match="cannot be written to"):
        transport.check()
    result = transport.send(unit(3))
    assert [r.verdict for r in result.receipts] == [Verdict.RETURNED] * 3
    assert "cannot be written to" in result.stop


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_leaves_whole_files_only(tmp_path: Path) -> None:
    """The message that did not fit and those after it go back; what was written before stays, nothing is half there."""
    transport = FilesTransport(tmp_path)
    transport.check()
    (tmp_path / "tmp" / f"2.eml.{os.getpid()}").symlink_to("/dev/full")
    result = transport.send(unit(3))
    assert [r.verdict for r in result.receipts] == [Verdict.ACCEPTED, Verdict.RETURNED, Verdict.RETURNED]
    assert "No space left" in result.stop
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["1.eml"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_without_a_public_address_practice_still_shows_the_way_out(tmp_path: Path) -> None:
    """A project that has no base URL yet practises with one that cannot resolve."""
    FilesTransport(tmp_path).send(unit(1, base_url="", unsubscribe_mailto=""))
    mail = opened(tmp_path, 1)
    assert mail["List-Unsubscribe"] == f"<https://practice.invalid/u/{message(1).key}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
