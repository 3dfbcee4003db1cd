"""Live progress: what the stream says, to whom, for how long, and how often it is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from sqlalchemy import event, update

from pillarbox.ground.process import Worker
from pillarbox.model.states import MailingState, MessageState, Role
from pillarbox.staff import users
from pillarbox.store import mailings, schema, workers
from pillarbox.store.connect import Store, connect
from pillarbox.store.project import Project
from pillarbox.web.app import create
from pillarbox.web.staff import progress
from tests import builders
from tests.web.browsing import serving
from tests.web.desk import NAMES, login, staff
from tests.web.site import PROJECT, TestClient, settings_for

pytestmark = pytest.mark.usefixtures("quick_passwords")
PATH = "/staff/mailings/harbour/sending/progress"


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Store, int]]:
    """A server, its database, and a mailing of four that is being sent."""
    monkeypatch.setattr(progress, "STREAM_SECONDS", 3.0)
    monkeypatch.setattr(progress, "LOOK_SECONDS", 0.2)
    store = connect("sqlite:///live.db", tmp_path)
    schema.metadata.create_all(store.writer)
    staff(store, Role.VIEW)
    with store.writing() as connection:
        made = builders.mailing(connection, "harbour", state=MailingState.SENDING, planned=4)
        for number in range(4):
            builders.message(connection, made, builders.supporter(connection, f"s{number}@example.org"),
                             state=MessageState.PLANNED)
    with serving(create(store, settings_for(None), PROJECT)) as base:
        yield base, store, made
    store.close()


def cookie(store: Store) -> dict[str, str]:
    """A browser's cookie after its login."""
    client = TestClient(create(store, settings_for(None), PROJECT))
    login(client, Role.VIEW)
    return {"Cookie": f"pillarbox={client.cookies['pillarbox']}"}


def told(base: str, headers: dict[str, str]) -> Iterator[dict[str, object]]:
    """What one stream says, until the server ends it."""
    with httpx.stream("GET", base + PATH, headers=headers, timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield orjson.loads(line[6:])


def test_numbers_move_while_it_is_sent(running: tuple[str, Store, int]) -> None:
    """Each change is told, nothing personal with it; what is over ends the stream."""
    base, store, made = running
    stream = told(base, cookie(store))
    first = next(stream)
    assert (first["planned"], first["accepted"], first["remaining"], first["over"]) == (4, 0, 4, False)
    with store.writing() as connection:
        connection.execute(update(schema.messages).where(schema.messages.c.id <= 3).values(
            state=MessageState.ACCEPTED))
    second = next(stream)
    assert (second["accepted"], second["remaining"], second["settled"]) == (3, 1, 3)
    with store.writing() as connection:
        connection.execute(update(schema.messages).values(state=MessageState.ACCEPTED))
        mailings.change(connection, made, state=MailingState.SENT)
    last = list(stream)[-1]
    assert (last["over"], last["state"], last["accepted"]) == (True, "sent", 4)
    assert last["mark"] != first["mark"]
    assert "example.org" not in str([first, second, last])


def test_a_stream_ends_by_itself_and_a_dead_session_gets_none(running: tuple[str, Store, int]) -> None:
    """So the server can stop, and a logout holds: the next one is refused with 401, which ends the asking."""
    base, store, _ = running
    headers = cookie(store)
    began = time.monotonic()
    assert list(told(base, headers))
    assert time.monotonic() - began < 8
    users.disable(store, NAMES[Role.VIEW])
    assert httpx.get(base + PATH, headers=headers).status_code == 401
    assert httpx.get(base + PATH).status_code == 401


def test_looking_on_does_not_keep_a_session_alive(running: tuple[str, Store, int]) -> None:
    """A page that is left open is no person at work: what the next page has to say is kept for it, too."""
    base, store, _ = running
    headers = cookie(store)
    with store.writing() as connection:
        connection.execute(update(schema.staff_sessions).values(flash="Done.", flash_kind="done"))
    list(told(base, headers))
    assert "Done." in httpx.get(f"{base}/staff/", headers=headers).text


def test_many_who_look_cost_one_count(running: tuple[str, Store, int]) -> None:
    """Twelve at once ask the ledger as often as one does."""
    base, store, _ = running
    headers = cookie(store)
    counted = []
    event.listen(store.reader, "before_cursor_execute",
                 lambda _c, _u, statement, *_r: counted.append(1) if "UNION ALL SELECT" in statement.replace("\n", "")
                 else None)
    threads = [threading.Thread(target=lambda: list(told(base, headers))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(counted) <= 3.0 / 0.2 * 1.5


def test_there_is_an_end_to_lookers_on(running: tuple[str, Store, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """More than so many streams are refused; those that end make room."""
    base, store, _ = running
    monkeypatch.setattr(progress, "_MOST_STREAMS", 1)
    headers = cookie(store)
    with httpx.stream("GET", base + PATH, headers=headers) as first:
        lines = first.iter_lines()  # held, for the stream ends with it
        next(lines)
        assert httpx.get(base + PATH, headers=headers).status_code == 503
    assert list(told(base, headers))


def test_counts_rest_as_they_get_dearer(running: tuple[str, Store, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A count that took a tenth of a second is not asked for again within the next second."""
    _, store, made = running
    settings = settings_for(None)
    counts = progress.Counts(Project(id=PROJECT, folder=settings.folder, settings=settings, store=store))
    plain, asked = progress.progress, []

    def dear(*given: object) -> object:
        asked.append(1)
        time.sleep(0.1)
        return plain(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(progress, "progress", dear)
    until = time.monotonic() + 0.9
    while time.monotonic() < until:
        counts.snapshot(made)
    assert len(asked) == 1


def test_a_mailing_that_nobody_sends_says_so(running: tuple[str, Store, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker died: the page that is open says that nothing moves until one runs."""
    _, store, made = running
    settings = settings_for(None)
    counts = progress.Counts(Project(id=PROJECT, folder=settings.folder, settings=settings, store=store))
    monkeypatch.setattr(progress, "_REST", 0.0)
    assert "No worker is there" in counts.snapshot(made).words
    with store.writing() as connection:
        workers.beat(connection, str(Worker.this()), kind="worker", host="box")
    time.sleep(0.3)
    assert "No worker is there" not in counts.snapshot(made).words


def test_who_looks_while_it_is_counted_does_not_wait(running: tuple[str, Store, int], monkeypatch: pytest.MonkeyPatch
                                                     ) -> None:
    """They get what was counted last: threads that wait here are missed by supporters' pages."""
    _, store, made = running
    settings = settings_for(None)
    counts = progress.Counts(Project(id=PROJECT, folder=settings.folder, settings=settings, store=store))
    monkeypatch.setattr(progress, "_REST", 0.0)
    first, plain, begun, go_on = counts.snapshot(made), progress.progress, threading.Event(), threading.Event()

    def held(*given: object) -> object:
        begun.set()
        go_on.wait(20)
        return plain(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(progress, "progress", held)
    time.sleep(0.3)
    slow = threading.Thread(target=counts.snapshot, args=(made,))
    slow.start()
    assert begun.wait(20)
    assert counts.snapshot(made) is first
    go_on.set()
    slow.join()
