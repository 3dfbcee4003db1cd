"""What every transport promises, held by one suite against real servers on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from pillarbox.deliver.choose import OUTBOX, TRANSPORTS, transport
from pillarbox.deliver.transport import Transport
from pillarbox.model.config import Settings
from pillarbox.model.records import Unit
from pillarbox.model.sections import ProjectSettings, SendgridSettings, SmtpSettings
from pillarbox.model.states import Verdict
from pillarbox.shape.bodies import body
from pillarbox.standin.behaviour import API_KEY
from pillarbox.standin.mailbox import as_eml
from pillarbox.standin.server import Standin
from tests.deliver.cast import NAMES, message, unit
from tests.deliver.mailserver import Inbox, running


@dataclass
class Way:
    """A transport, the settings that chose it, and what has arrived at its other end."""

    settings: Settings
    transport: Transport
    arrived: Callable[[], list[EmailMessage]]

    def send(self, given: Unit):
        """In acts of the transport's own size."""
        size = self.transport.unit
        return [self.transport.send(Unit(attempt_id=given.attempt_id, envelope=given.envelope, shape=given.shape,
                                         tracked=given.tracked, messages=given.messages[start : start + size]))
                for start in range(0, len(given.messages), size)]


@pytest.fixture(params=[*TRANSPORTS, "sendgrid-individual"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    """Each transport in turn, chosen by settings."""
    name, _, individual = request.param.partition("-")
    with ExitStack() as stack:
        project = ProjectSettings(transport=name)
        if name == "files":
            settings = Settings(project=project, folder=tmp_path)
            outbox = tmp_path.joinpath(*OUTBOX, "new")

            def raw() -> list[bytes]:
                return [p.read_bytes() for p in sorted(outbox.iterdir(), key=lambda p: int(p.stem))]
        elif name == "smtp":
            inbox = Inbox()
            port = stack.enter_context(running(inbox))
            settings = Settings(project=project, smtp=SmtpSettings(host="127.0.0.1", port=port, security="none",
                                                                   timeout_seconds=5))

            def raw() -> list[bytes]:
                return [content for _, content in inbox.mails]
        else:
            server = stack.enter_context(Standin())
            settings = Settings(project=project, sendgrid=SendgridSettings(
                api_key=API_KEY, url=server.url, timeout_seconds=5,
                personalise="individual" if individual else "substitutions"))

            def raw() -> list[bytes]:
                return [as_eml(one) for one in server.messages]
        chosen = transport(settings)
        yield Way(settings, chosen,
                  lambda: [message_from_bytes(one, policy=default) for one in raw()])  # type: ignore[misc]
        chosen.close()


def words(part: EmailMessage) -> str:
    return part.get_content().replace("\r\n", "\n").rstrip()


def bare(name: str) -> str:
    """A name without the signs that some providers cannot carry."""
    return re.sub(r"[,;\s]+", " ", name).strip('"')


def test_practice_is_told_by_the_settings(way: Way) -> None:
    """Files and servers on this machine reach nobody: practice."""
    assert way.settings.practice
    assert way.transport.name == way.settings.project.transport


def test_it_is_ready(way: Way) -> None:
    """check() is content with a transport that works, as often as it is asked."""
    way.transport.check()
    way.transport.check()


def test_every_message_has_its_receipt_in_order(way: Way) -> None:
    """Receipts come for exactly the messages of the unit, in their order, whatever its size up to the limit."""
    sent = unit(min(way.transport.unit, 25))
    result = way.transport.send(sent)
    assert [r.message_id for r in result.receipts] == [m.message_id for m in sent.messages]
    assert {r.verdict for r in result.receipts} == {Verdict.ACCEPTED}
    assert all(r.provider_id for r in result.receipts)
    assert (result.stop, result.wait_seconds) == ("", 0)
    assert len(way.arrived()) == len(sent.messages)


def test_what_arrives_is_what_was_composed(way: Way) -> None:
    """Subject, plain text first, HTML: each supporter's own, in every script."""
    people = [message(n, salutation=name or "Friend") for n, name in enumerate(NAMES, start=1)]
    sent = unit(people)
    way.send(sent)
    for mail, one in zip(way.arrived(), people, strict=True):
        wanted = body(sent.shape, one.values)
        text, html = mail.iter_parts()
        assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        assert mail["Subject"] == wanted.subject
        assert (words(text), words(html)) == (wanted.text.rstrip(), wanted.html.rstrip())


def test_addressed_to_one_person(way: Way) -> None:
    """Each message names its supporter and nobody else."""
    sent = unit(5)
    way.send(sent)
    for mail, one in zip(way.arrived(), sent.messages, strict=True):
        [person] = mail["To"].addresses
        assert person.addr_spec == one.address
        assert bare(person.display_name) == bare(one.to_name)
        assert mail["Cc"] is None
        assert mail["Bcc"] is None


def test_every_message_can_be_left_with_one_click(way: Way) -> None:
    """List-Unsubscribe with the message's own key, and List-Unsubscribe-Post (RFC 8058)."""
    sent = unit(3)
    way.send(sent)
    for mail, one in zip(way.arrived(), sent.messages, strict=True):
        assert f"<https://letters.example.org/u/{one.key}>" in mail["List-Unsubscribe"]
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_practice_says_so_in_the_message(way: Way) -> None:
    """A practice message carries a mark; a message that is none does not."""
    way.send(unit([message(1)]))
    way.send(unit([message(2)], practice=False))
    practice, live = way.arrived()
    assert practice["X-Pillarbox-Practice"] == "yes"
    assert live["X-Pillarbox-Practice"] is None


@pytest.mark.parametrize("name", [
    "Eve\r\nBcc: all@example.org", "Eve\nX-Evil: 1", "Eve\x0bX: 1", "Eve\u2028X: 1", "Eve <eve@evil.example>, x",
    '"Eve" <eve@evil.example>', "a" * 5000, "=?utf-8?q?Eve=0d=0aBcc:_x?=",
    "x7f00000x"])
def test_a_name_cannot_become_a_header(way: Way, name: str) -> None:
    """Whatever stands in a name, no header and no addressee is added."""
    way.send(unit([message(1, to_name=name), message(2, to_name="Bob")]))
    first, second = way.arrived()
    assert sorted(set(first.keys())) == sorted(set(second.keys()))
    assert [a.addr_spec for a in first["To"].addresses] == ["person-1@example.org"]


def test_repeatable_is_honest(way: Way) -> None:
    """Where repeating is said to do no harm, a message sent twice is there once; else it is there twice."""
    sent = unit([message(1)])
    way.transport.send(sent)
    way.transport.send(sent)
    assert len(way.arrived()) == (1 if way.transport.repeatable else 2)


def test_the_lease_outlasts_the_time_limits(way: Way) -> None:
    """Longer than a single time limit of any transport."""
    assert way.transport.lease_seconds > 60


def test_it_can_be_used_after_closing(way: Way) -> None:
    """close() lets go of connections; the next act opens its own."""
    way.transport.send(unit([message(1)]))
    way.transport.close()
    assert way.transport.send(unit([message(2)])).receipts[0].verdict is Verdict.ACCEPTED
