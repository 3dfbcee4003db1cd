"""A request whose answer was lost is looked for in SendGrid's own record, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from pillarbox.deliver import choose
from pillarbox.deliver.search import Found, NoSearchError
from pillarbox.deliver.sendgrid.client import Answer, SendgridClient
from pillarbox.deliver.sendgrid.search import PATIENCE_SECONDS, SendgridSearch
from pillarbox.deliver.sendgrid.transport import SendgridTransport
from pillarbox.model.config import Settings
from pillarbox.model.sections import ProjectSettings, SendgridSettings
from pillarbox.standin.behaviour import API_KEY, Act, Behaviour, Fault, Stage
from pillarbox.standin.server import Standin
from tests.deliver.cast import message, unit

LOST = Fault(act=Act.CLOSE, stage=Stage.AFTER_ACCEPTING)
SOUGHT = {f"person-{n}@example.org": n for n in (1, 2, 3)}


def settings(url: str, transport: str = "sendgrid") -> Settings:
    return Settings(project=ProjectSettings(transport=transport),
                    sendgrid=SendgridSettings(api_key=API_KEY, url=url, timeout_seconds=5))


@pytest.fixture
def asked() -> Iterator[Callable[..., SendgridSearch]]:
    """Makes searches of a running account."""
    made: list[SendgridSearch] = []

    def make(server: Standin, pause: Callable[[float], None] = lambda _: None) -> SendgridSearch:
        client = SendgridClient(api_key=API_KEY, url=server.url, timeout_seconds=5, connections=1)
        made.append(SendgridSearch(client, pause=pause))
        return made[-1]

    yield make
    for one in made:
        one.close()


def send(server: Standin, people: int = 3, **changed: Any) -> None:
    transport = SendgridTransport(settings(server.url).sendgrid)
    transport.send(unit([message(n) for n in range(1, people + 1)], **changed))
    transport.close()


def test_what_was_accepted_without_an_answer_is_found(asked: Callable[..., SendgridSearch]) -> None:
    """By attempt, in two requests; with the id that the receipt would have brought."""
    with Standin(Behaviour(activity=True, activity_limit=2, faults={1: LOST})) as server:
        send(server)
        found = asked(server).find(project="proj1234", attempt_id=77, sought=SOUGHT)
        provider = server.messages[0].request_id
    assert sorted(found, key=lambda one: one.message_id) == [
        Found(message_id=n, provider_id=provider) for n in (1, 2, 3)]


def test_what_never_arrived_is_not_found(asked: Callable[..., SendgridSearch]) -> None:
    """Nor is what another attempt, or another project, sent to the same people."""
    with Standin(Behaviour(activity=True)) as server:
        send(server)
        search = asked(server)
        assert search.find(project="proj1234", attempt_id=7, sought=SOUGHT) == []
        assert search.find(project="another1", attempt_id=77, sought=SOUGHT) == []
        assert search.find(project="proj1234", attempt_id=77, sought={"nobody@example.org": 9}) == []


def test_addresses_are_compared_as_we_write_them(asked: Callable[..., SendgridSearch]) -> None:
    """SendGrid has a domain's IDNA form."""
    with Standin(Behaviour(activity=True)) as server:
        transport = SendgridTransport(settings(server.url).sendgrid)
        transport.send(unit([message(1, address="info@bücher.example"), message(2)]))
        transport.close()
        assert server.messages[0].address == "info@xn--bcher-kva.example"
        [found] = asked(server).find(project="proj1234", attempt_id=77, sought={"info@bücher.example": 1})
    assert found.message_id == 1


def test_without_the_add_on_it_says_so(asked: Callable[..., SendgridSearch]) -> None:
    """In a sentence that names it."""
    with Standin() as server, pytest.raises(NoSearchError, match="additional email activity history"):
        asked(server).find(project="proj1234", attempt_id=77, sought=SOUGHT)


def test_it_waits_for_the_rate_limit(asked: Callable[..., SendgridSearch]) -> None:
    """Until the moment that a 429 names."""
    waited: list[float] = []
    with Standin(Behaviour(activity=True, activity_limit=1, activity_seconds=60)) as server:
        send(server)

        def pause(seconds: float) -> None:
            waited.append(seconds)
            object.__setattr__(server.behaviour, "activity_limit", 10)  # instead of sleeping for a minute

        assert len(asked(server, pause).find(project="proj1234", attempt_id=77, sought=SOUGHT)) == 3
    assert len(waited) == 1
    assert 50 < waited[0] <= 61


def test_it_does_not_wait_for_ever(asked: Callable[..., SendgridSearch]) -> None:
    """After some minutes in all it says when to come back."""
    waited: list[float] = []
    answers = iter([Answer(status=429, headers={"x-ratelimit-reset": "120"}, body=b"")] * 10)
    with pytest.raises(NoSearchError, match="until") as caught:
        SendgridSearch(_Scripted(lambda *_: next(answers)), pause=waited.append).find(  # type: ignore[arg-type]
            project="proj1234", attempt_id=77, sought=SOUGHT)
    assert caught.value.retry
    assert sum(waited) <= PATIENCE_SECONDS


class _Scripted:
    """A client whose answers a test writes."""

    def __init__(self, answer: Callable[..., Answer]) -> None:
        self._answer = answer

    def get(self, *path: str, query: object = None) -> Answer:
        return self._answer(*path)


def said(content: object, status: int = 200) -> Answer:
    return Answer(status=status, headers={}, body=orjson.dumps(content))


@pytest.mark.parametrize("answers", [
    [said({"messages": [{"to_email": "person-1@example.org", "msg_id": "abc.filter-1"}]}),
     said({"unique_args": '{"pillarbox": "proj1234.1.76"}'})],
    [said({"messages": [{"to_email": "person-1@example.org", "msg_id": "abc.filter-1"}]}), said({})],
    [said([])], [said({"messages": None})], [said("x")],
    [Answer(status=200, headers={}, body=b"<html>")], [said({}, 500)], [said({}, 400)],
], ids=["another's", "no arguments", "list", "none", "text", "html", "500", "400"])
def test_an_answer_that_is_not_to_the_question_is_not_used(answers: list[Answer]) -> None:
    """One message of each answer is looked at whole: what is not surely ours settles nothing."""
    given = iter(answers)
    search = SendgridSearch(_Scripted(lambda *_: next(given)))  # type: ignore[arg-type]
    with pytest.raises(NoSearchError):
        search.find(project="proj1234", attempt_id=77, sought=SOUGHT)


def test_no_address_stands_in_a_url() -> None:
    """The question names project and attempt alone."""
    seen: list[str] = []

    class Client:
        def get(self, *path: str, query: dict[str, str] | None = None) -> Answer:
            seen.extend([*path, *(query or {}).values()])
            return said({"messages": []})

    SendgridSearch(Client()).find(project="proj1234", attempt_id=77, sought=SOUGHT)  # type: ignore[arg-type]
    assert seen == ["messages", "unique_args['pillarbox'] LIKE \"proj1234.%.77\"", "1000"]


def test_only_sendgrid_has_such_a_record() -> None:
    """Files and SMTP servers cannot be asked."""
    assert choose.search(settings("http://127.0.0.1:9", "files")) is None
    assert choose.search(settings("http://127.0.0.1:9", "smtp")) is None
    search = choose.search(settings("http://127.0.0.1:9"))
    assert search is not None
    with pytest.raises(NoSearchError, match="could not be reached"):
        search.find(project="proj1234", attempt_id=77, sought=SOUGHT)
    search.close()
