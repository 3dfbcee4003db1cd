"""Images that travel within a message: beside the HTML that shows them, the same for everybody, by every way out."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import orjson
import pytest

from pillarbox.deliver import single
from pillarbox.deliver.files.transport import FilesTransport
from pillarbox.deliver.sendgrid import payload
from pillarbox.deliver.sendgrid.transport import SendgridTransport
from pillarbox.deliver.single import SingleMail
from pillarbox.deliver.smtp.transport import SmtpTransport
from pillarbox.model.config import Settings
from pillarbox.model.records import InlineImage, Unit
from pillarbox.model.sections import SendgridSettings, SmtpSettings
from pillarbox.model.states import Verdict
from pillarbox.standin.behaviour import API_KEY
from pillarbox.standin.mailbox import as_eml
from pillarbox.standin.server import Standin
from tests import photographs
from tests.deliver.cast import shape, unit
from tests.deliver.mailserver import Inbox, running

HARBOUR = InlineImage(content_id="harbour.jpg@pillarbox", name="The harbour, May.jpg", media_type="image/jpeg",
                      content=photographs.photograph(700, 400))
LOGO = InlineImage(content_id="logo.png@pillarbox", name="logo.png", media_type="image/png",
                   content=photographs.drawing())
UNUSED = InlineImage(content_id="no.png@pillarbox", name="no.png", media_type="image/png", content=b"never")
SHOWN = '<img src="cid:harbour.jpg@pillarbox" alt="a"><img src="cid:logo.png@pillarbox" alt="b">'


def letters(count: int = 3, **more: Any) -> Unit:
    """A unit whose letters show two of three images."""
    return unit(count, letter=shape(SHOWN), images=(HARBOUR, LOGO, UNUSED), **more)


def look(content: bytes) -> None:
    """A whole message: text first, or the HTML together with what it shows."""
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    assert message.get_content_type() == "multipart/alternative"
    plain, related = message.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    html, *images = related.iter_parts()
    assert html.get_content_type() == "text/html"
    shown = html.get_content()
    assert [(part["Content-ID"], part.get_content_type(), part.get_content_disposition()) for part in images] == [
        ("<harbour.jpg@pillarbox>", "image/jpeg", "inline"), ("<logo.png@pillarbox>", "image/png", "inline")]
    assert [part.get_content() for part in images] == [HARBOUR.content, LOGO.content]
    assert all(f"cid:{part['Content-ID'][1:-1]}" in shown for part in images)
    assert images[0].get_filename() == "The-harbour-May.jpg"


def test_files(tmp_path: Path) -> None:
    """Practice mail shows them in any mail program."""
    FilesTransport(tmp_path).send(letters())
    written = sorted((tmp_path / "new").iterdir())
    assert len(written) == 3
    for file in written:
        look(file.read_bytes())
        assert max(map(len, file.read_bytes().split(b"\r\n"))) <= 998, "RFC 5321's longest line"


def test_smtp() -> None:
    """A real mail server gets them."""
    inbox = Inbox()
    with running(inbox) as port:
        transport = SmtpTransport(SmtpSettings(host="127.0.0.1", port=port, security="none", timeout_seconds=5))
        assert transport.send(letters(1)).receipts[0].verdict is Verdict.ACCEPTED
        transport.close()
    [(_, content)] = inbox.mails
    look(content)


@contextmanager
def sendgrid(**more: Any) -> Iterator[tuple[Standin, SendgridTransport]]:
    with Standin() as server:
        transport = SendgridTransport(SendgridSettings(api_key=API_KEY, url=server.url, **more))
        yield server, transport
        transport.close()


@pytest.mark.parametrize("personalise", ["substitutions", "individual"])
def test_sendgrid(personalise: str) -> None:
    """SendGrid takes them with the batch, each once, and everybody's copy has them."""
    with sendgrid(personalise=personalise) as (server, transport):
        result = transport.send(letters(40 if personalise == "substitutions" else 1))
        assert {receipt.verdict for receipt in result.receipts} == {Verdict.ACCEPTED}
        kept = server.messages
    for message in kept:
        look(as_eml(message))
    assert f'src="cid:{HARBOUR.content_id}"' in kept[0].html


def test_a_request_carries_an_image_once() -> None:
    """Not once a supporter: the size of a request hardly grows with them."""
    few, many = letters(2), letters(200)
    [small] = payload.requests(few, few.messages)
    [large] = payload.requests(many, many.messages)
    given = orjson.loads(large.content)["attachments"]
    assert [one["content_id"] for one in given] == [HARBOUR.content_id, LOGO.content_id]
    assert given[0] == {"content": base64.b64encode(HARBOUR.content).decode(), "type": "image/jpeg",
                        "filename": "The-harbour-May.jpg", "disposition": "inline", "content_id": HARBOUR.content_id}
    assert len(large.content) - len(small.content) < 200 * 600


def test_a_letter_that_shows_none_carries_none() -> None:
    """What another version of the letter shows does not weigh in this one."""
    plain = unit(2, images=(HARBOUR,))
    assert plain.images == ()
    [request] = payload.requests(plain, plain.messages)
    assert "attachments" not in orjson.loads(request.content)


def test_a_single_letter_carries_them(tmp_path: Path) -> None:
    """Service letters, too, by files and by SendGrid."""
    mail = SingleMail(name="one", to="alice@example.org", to_name="", from_name="Us", from_email="us@charity.example",
                      reply_to="", subject="Hi", text="Hi", html=f"<p>Hi</p>{SHOWN}", practice=True,
                      images=(HARBOUR, LOGO))
    single.hand_over(Settings(folder=tmp_path), mail)
    look(tmp_path.joinpath(*single.FOLDER, "one.eml").read_bytes())
    with Standin() as server:
        settings = Settings(folder=tmp_path, sendgrid=SendgridSettings(api_key=API_KEY, url=server.url))
        settings = settings.model_copy(update={
            "project": settings.project.model_copy(update={"transport": "sendgrid"})})
        assert single.hand_over(settings, mail).receipts[0].verdict is Verdict.ACCEPTED
        [kept] = server.messages
    look(as_eml(kept))
