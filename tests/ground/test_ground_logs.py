"""What may stand in a line of the log, and what never does."""

from __future__ import annotations

import ast
import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
import uvicorn
from sqlalchemy import create_engine, text

from pillarbox.ground import logs
from pillarbox.ground.keys import new_key

ROOM = logs.get("test")
KEY = "jb7dqro6n2lxnbgacypltefy4abcde"
PACKAGE = Path(logs.__file__).resolve().parent.parent


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Where lines go, at DEBUG."""
    stream = io.StringIO()
    logs.start("debug", "json", stream=stream)
    yield stream
    logs.stop()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    """Every line, read back."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_json_object(out: io.StringIO) -> None:
    """Time, level, event and its fields."""
    ROOM.info("batch.settled", mailing="human-rights-day-message-for-our-supporters-20261210", attempt=7,
              accepted=1_000, seconds=0.123456, practice=True)
    (line,) = lines(out)
    assert line.pop("at").endswith("Z")
    assert line == {"level": "info", "event": "batch.settled",
                    "mailing": "human-rights-day-message-for-our-supporters-20261210", "attempt": 7,
                    "accepted": 1_000, "seconds": 0.1235, "practice": True}


def test_plain_lines_are_for_eyes() -> None:
    """On a terminal: time, event, fields; a warning says that it is one."""
    stream = io.StringIO()
    logs.start("info", "plain", stream=stream)
    ROOM.info("batch.settled", mailing="harbour-20261210", accepted=1_000)
    ROOM.warning("attempt.buried", attempt=3)
    ROOM.debug("unseen")
    logs.stop()
    first, second = stream.getvalue().splitlines()
    assert first[8:] == " batch.settled mailing=harbour-20261210 accepted=1,000"
    assert second[8:] == " WARNING attempt.buried attempt=3"


@pytest.mark.parametrize("value", [
    "alice@example.org", "alice%40example.org", "Alice Archer", "https://letters.example.org/u/abc", KEY,
    KEY.upper(), "Xk3_9dQeR7-tYw2LmB5nVc8ZaSfGhJ4pKq6uToI1rEx", "SG.abc.def",
    "Dear Alice,", "a" * 200, ["alice"], {}, b"alice", "0f" * 16,
], ids=str)
def test_what_is_no_name_of_ours_is_withheld(out: io.StringIO, value: Any) -> None:
    """An address, a person's name, a URL, a key, a hash, a body: none is shown, in whatever field it comes."""
    ROOM.info("something", mailing=value)
    (line,) = lines(out)
    assert line["mailing"] == logs.WITHHELD


def test_an_unknown_field_is_dropped_and_counted(out: io.StringIO) -> None:
    """A field that nobody decided upon is not shown."""
    ROOM.info("something", **{"salutation": "Alice", "new": 1})
    (line,) = lines(out)
    assert (line["new"], line["withheld"], "salutation" in line) == (1, 1, False)


def test_an_event_is_a_name_not_a_sentence(out: io.StringIO) -> None:
    """Words in place of an event's name are withheld."""
    ROOM.warning("Alice Archer has left")
    assert "Alice" not in out.getvalue()


def test_an_exception_tells_its_kind_and_place_only(out: io.StringIO) -> None:
    """Neither its words, nor those of what caused it, nor a line of source."""
    try:
        try:
            raise KeyError("alice@example.org")
        except KeyError as cause:
            raise ValueError("Alice Archer cannot be written to") from cause
    except ValueError as fault:
        ROOM.fault("request.failed", fault, status=500)
    assert "lice" not in out.getvalue()
    (line,) = lines(out)
    assert (line["fault"], line["causes"], line["status"]) == ("ValueError", ["KeyError"], 500)
    assert line["trace"][-1].startswith("test_ground_logs.py:")


def test_other_libraries_keep_their_constant_words_and_numbers(out: io.StringIO) -> None:
    """Arguments may be anybody's words; a line that came ready-made may be anything."""
    other = logging.getLogger("urllib3.connectionpool")
    other.debug('%s://%s:%s "%s %s %s" %s %s', "https", "host", 443, "GET", f"/u/{new_key()}", "HTTP/1.1", 200, None)
    other.warning(f"Alice Archer <alice@example.org> {new_key()}")
    other.warning("Row %r", ("Alice", 3))
    other.warning("Row %(name)s", {"name": "Alice"})
    assert "lice" not in out.getvalue()
    first, second, *_ = lines(out)
    assert first["words"] == '…://…:443 "… … …" 200 …'
    assert (second["words"], second["from"]) == (logs.WITHHELD, "urllib3.connectionpool")


def test_clients_that_print_keys_say_nothing(out: io.StringIO) -> None:
    """python-http-client writes the API key and every body at DEBUG."""
    logging.getLogger("python_http_client.client").debug("%s", "Bearer SG.key")
    logging.getLogger("sendgrid").error("key")
    assert out.getvalue() == ""


def test_a_named_secret_never_stands_in_a_line(out: io.StringIO) -> None:
    """Whatever it looks like."""
    logs.conceal("harbour-passphrase")
    ROOM.info("something", mailing="harbour-passphrase")
    logging.getLogger("other").warning("harbour-passphrase %d", 1)
    assert "harbour-passphrase" not in out.getvalue()


def test_a_thread_that_breaks_is_a_line_without_words(out: io.StringIO) -> None:
    """Python's own trace would print the exception's words."""
    def broken() -> None:
        raise RuntimeError("alice@example.org")

    thread = threading.Thread(target=broken)
    thread.start()
    thread.join()
    (line,) = lines(out)
    assert (line["event"], line["fault"]) == ("thread.broke", "RuntimeError")
    assert "alice" not in out.getvalue()


def test_a_line_that_cannot_be_made_is_silent(out: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """Logging's own complaint would print the arguments."""
    out.close()
    ROOM.info("something", mailing="harbour")
    assert capsys.readouterr().err == ""


def test_nothing_is_written_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Without ``start`` even a warning is silent: commands speak for themselves."""
    ROOM.error("something")
    assert capsys.readouterr().err == ""


def test_every_field_that_the_program_uses_is_decided() -> None:
    """A slip in a field's name is found here, not in the night."""
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("debug", "info", "warning", "error", "fault")
                    and isinstance(node.func.value, ast.Name) and node.func.value.id == "log"):
                wrong += [f"{path.name}:{node.lineno} {word.arg}" for word in node.keywords
                          if word.arg is not None and word.arg not in logs.FIELDS]
    assert wrong == []


@pytest.fixture
def talkative() -> Iterator[None]:
    """SQLAlchemy keeps itself quiet unless told otherwise."""
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    yield
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)


@pytest.mark.usefixtures("talkative")
def test_the_libraries_that_we_use_at_their_most_talkative(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy writes rows and values, uvicorn and urllib3 paths with keys: they do write, and nothing is told."""
    # A server of an earlier test, without an access log, has silenced it for the whole process.
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE people (name TEXT, address TEXT)"))
        connection.execute(text("INSERT INTO people VALUES (:name, :address)"),
                           {"name": "Alice Archer", "address": "alice@example.org"})
        assert connection.execute(text("SELECT * FROM people")).all() == [("Alice Archer", "alice@example.org")]
    engine.dispose()
    with _served() as url:
        urllib3.request("GET", f"{url}/u/{KEY}?email=alice@example.org", retries=False).close()
    heard = {line["from"] for line in lines(out)}
    assert {"sqlalchemy.engine.Engine", "urllib3.connectionpool", "uvicorn.access"} <= heard
    for secret in ("lice", "rcher", KEY, "example.org"):
        assert secret not in out.getvalue()


@contextmanager
def _served() -> Iterator[str]:
    """A page served by uvicorn with its access log on, as we never do."""
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=True,
                                           lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
