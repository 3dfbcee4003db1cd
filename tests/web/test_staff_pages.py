"""What the dashboard shows, and what it does not let in: hostile words, strange paths, endless bodies."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import insert

from pillarbox.ground import clock
from pillarbox.ground.errors import StoreError
from pillarbox.ground.process import Worker
from pillarbox.model.states import MailingState, MessageState, OccurrenceState, Role
from pillarbox.staff import users
from pillarbox.store import audit, mailings, notices, schema, workers
from pillarbox.store.connect import Store
from pillarbox.web.app import create
from pillarbox.web.staff import audit as door
from pillarbox.web.staff import forms
from tests import builders
from tests.web.browsing import serving
from tests.web.desk import NAMES, PASSWORD, login, post, staff, token
from tests.web.site import PROJECT, TestClient, rows, settings_for

pytestmark = pytest.mark.usefixtures("quick_passwords")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}`<b>`"


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    """Sarah, who may send, is logged in."""
    staff(store, Role.SEND)
    with TestClient(create(store, settings_for(None), PROJECT), raise_server_exceptions=False) as opened:
        login(opened)
        yield opened


def mailing(store: Store, name: str = "harbour", **columns: object) -> int:
    """A mailing with one message."""
    with store.writing() as connection:
        made = builders.mailing(connection, name, **{"planned": 1, **columns})  # type: ignore[arg-type]
        builders.message(connection, made, builders.supporter(connection, f"{name}@example.org"))
    return made


# ------------------------------------------------------------------------------------------------ glance


def test_the_first_page_tells_what_staff_must_know(client: TestClient, store: Store) -> None:
    """State, progress, doubt, money, practice, what is due, notices, and whether a worker is there."""
    made = mailing(store, state=MailingState.SENDING, practice=True, title="The harbour", planned=2)
    with store.writing() as connection:
        builders.message(connection, made, builders.supporter(connection, "bob@example.org"),
                         state=MessageState.IN_DOUBT)
        connection.execute(insert(schema.donations).values(
            amount_minor=12_550, currency="GBP", received_at=clock.now(), source="csv", external_id="1",
            gift_aid=False, regular=False, mailing_id=made, attribution="link-code", created_at=clock.now()))
        notices.add(connection, kind="paused", mailing_id=made, words="harbour is paused: `pillarbox resume harbour`.")
    page = client.get("/staff/").text
    for wanted in ("The harbour", "Being sent", "PRACTICE", "nobody was mailed", "No worker is there",
                   "nobody is sure that 1 letter went", "£125.50", "1 gift", "of 2",
                   "<code>pillarbox resume harbour</code>", "None has ever been seen"):
        assert wanted in page, wanted
    with store.writing() as connection:
        workers.beat(connection, str(Worker.this()), kind="worker", host="the-box")
    page = client.get("/staff/").text
    assert "No worker is there" not in page
    assert "seen just now on the-box" in page


def test_older_mailings_are_a_page_away(client: TestClient, store: Store) -> None:
    """Twenty a page, newest first, each once."""
    with store.writing() as connection:
        for number in range(45):
            builders.mailing(connection, f"letter-{number:02}", title=f"Letter {number:02}.")
    seen: list[str] = []
    path = "/staff/"
    while path:
        page = client.get(path).text
        seen += [line for line in (f"Letter {number:02}." for number in range(45)) if line in page]
        path = page.partition('href="/staff/?before=')[2].partition('"')[0]
        path = path and f"/staff/?before={path}"
    assert sorted(seen) == [f"Letter {number:02}." for number in range(45)]


def test_the_audit_log_can_be_narrowed_and_turned(client: TestClient, store: Store) -> None:
    """By person and by subject; sixty a page; the fields of a line in words."""
    with store.writing() as connection:
        for number in range(130):
            audit.record(connection, actor="Ann" if number % 2 else "Ben", action="approve", subject=f"m-{number % 3}",
                         detail={"planned": 1234, "content_hash": "abc"})
    assert client.get("/staff/audit").text.count("approved it") == 60
    page = client.get("/staff/audit", params={"who": "Ann", "what": "m-1"}).text
    assert page.count("approved it") == 22
    assert "messages planned: 1,234" in page
    assert "abc" not in page
    assert "<option selected>Ann</option>" in page
    older = client.get("/staff/audit" + page_of(client.get("/staff/audit?who=Ben").text)).text
    assert older.count("approved it") == 5


def page_of(text: str) -> str:
    """The query of the link to older lines."""
    return text.partition("&amp;before=")[0].rpartition("/staff/audit")[2].replace("&amp;", "&") + "&before=" + (
        text.partition("&amp;before=")[2].partition('"')[0])


# ------------------------------------------------------------------------------------------------ what comes in


@pytest.mark.parametrize("query", [
    "before=-1", "before=x", "before=99999999999999999999", "before=٣", "who=%00&what=%00", "what=" + "x" * 3000,
    "before=1;drop", "who[]=1"])
def test_odd_queries_are_no_fault(client: TestClient, query: str) -> None:
    """Whatever stands in the address, a page is shown."""
    assert client.get(f"/staff/?{query}").status_code == 200
    assert client.get(f"/staff/audit?{query}").status_code == 200


@pytest.mark.parametrize("path", [
    "/staff/mailings/nobody/sending", "/staff/mailings/%2e%2e/sending", "/staff/mailings/..%2f..%2fetc/sending",
    "/staff/mailings/%00/sending", "/staff/mailings/harbour/sending/launch", "/staff/mailings/harbour/sending/send/x",
    "/staff/mailings/harbour%27--/sending", "/staff/mailings/HARBOUR/sending", "/staff/schedules/0/remove",
    "/staff/schedules/99999999999999999999999/remove", "/staff/schedules/-1/remove", "/staff/%2e%2e/metrics",
    "/staff/assets/", "/staff/mailings/" + "x" * 4000 + "/sending"])
def test_odd_paths_lead_nowhere(client: TestClient, store: Store, path: str) -> None:
    """404, with the dashboard's own page or none, and no fault."""
    with store.writing() as connection:
        builders.mailing(connection, "harbour")
    assert client.get(path).status_code == 404


def test_an_appeals_name_is_not_its_mailings(client: TestClient, store: Store) -> None:
    """Whoever acts on a page acts on the very mailing that it shows."""
    with store.writing() as connection:
        builders.mailing(connection, "harbour-20261210", appeal="harbour", state=MailingState.SENDING)
    assert client.get("/staff/mailings/harbour/sending/pause").status_code == 404
    assert client.get("/staff/mailings/harbour-20261210/sending/pause").status_code != 404


@pytest.mark.parametrize(("raw", "kind", "status"), [
    (b"x=" + b"a" * (20 * 1024 * 1024), "application/x-www-form-urlencoded", 413),
    (b"x=" + b"a" * forms.MOST_BYTES, "application/x-www-form-urlencoded", 413),
    (b"&".join([b"a=1"] * 500), "application/x-www-form-urlencoded", 400),
    (b"a=%ff%fe", "application/x-www-form-urlencoded", 400),
    (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
    (b'{"form_token": 1}', "application/json", 415),
    (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--\r\n", "multipart/form-data; boundary=x", 415),
    (b"", "text/plain", 415)])
def test_bodies_that_are_no_form_are_refused(client: TestClient, raw: bytes, kind: str, status: int) -> None:
    """Too large, too many fields, no text, another kind: refused before anything is done."""
    for path in ("/staff/logout", "/staff/login", "/staff/account/leave-everywhere"):
        assert client.post(path, content=raw, headers={"Content-Type": kind}).status_code == status
    assert client.get("/staff/", follow_redirects=False).status_code == 200


def test_a_length_that_lies_is_refused(client: TestClient) -> None:
    """A body without an honest length is counted as it comes."""
    def endless() -> Iterator[bytes]:
        yield b"x="
        for _ in range(300):
            yield b"a" * 1024

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/staff/logout", content=endless(), headers=kind).status_code == 413
    assert client.post("/staff/logout", content=b"", headers={**kind, "Content-Length": "-1"}).status_code in (400, 413)


def test_slow_clients_are_let_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten who send a byte at a time get 408 in the end, and others are served meanwhile."""
    monkeypatch.setattr(forms, "SECONDS", 1.5)
    head = (b"POST /staff/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 1000\r\n\r\n")
    with serving(create(store, settings_for(None), PROJECT)) as base:
        port = int(base.rpartition(":")[2])
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
        for one in slow:
            one.sendall(head + b"x")
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)) as other:
            other.sendall(b"GET /staff/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b" 200 " in other.recv(100)
        assert time.monotonic() - began < 1.4
        for one in slow:
            one.settimeout(10)
            assert b" 408 " in one.recv(100)
            one.close()


# ------------------------------------------------------------------------------------------------ hostile words


def test_hostile_words_are_shown_as_words(client: TestClient, store: Store) -> None:
    """HTML and script in titles, subjects, names, reasons, notices and the log arrive as text on every page."""
    name = "harbour"
    with store.writing() as connection:
        made = builders.mailing(connection, name, title=HOSTILE, state=MailingState.PAUSED, state_reason=HOSTILE,
                                planned=1, approved_by=HOSTILE, approved_at=clock.now())
        builders.shape(connection, made, subject=HOSTILE)
        bob = builders.supporter(connection, "bob@example.org", first_name=HOSTILE)
        builders.message(connection, made, bob, state=MessageState.IN_DOUBT, to_name=HOSTILE, detail=HOSTILE)
        notices.add(connection, kind="paused", mailing_id=made, words=HOSTILE)
        audit.record(connection, actor=HOSTILE, action=HOSTILE, subject=HOSTILE, detail={HOSTILE: HOSTILE})
        workers.beat(connection, "host:1:1", kind="once", host=HOSTILE)
        schedule = connection.execute(insert(schema.schedules).values(
            appeal=HOSTILE.replace("{", "").replace("}", ""), rule="FREQ=WEEKLY", at="08:00", zone="Europe/London",
            starts_on=clock.now().date(), audience={"lists": [HOSTILE], "segments": [], "exclude": []}, late_hours=6.0,
            practice=True, created_at=clock.now(), created_by=HOSTILE).returning(schema.schedules.c.id)).scalar_one()
        connection.execute(insert(schema.occurrences).values(
            schedule_id=schedule, local=f"{clock.now() + timedelta(days=7):%Y-%m-%d}T08:00", appeal=HOSTILE,
            due_at=(clock.now() + timedelta(days=7)).replace(hour=8, minute=0, second=0, microsecond=0),
            state=OccurrenceState.FAULTY, reason=HOSTILE, changed_at=clock.now()))
        assert mailings.by_id(connection, made).title == HOSTILE
    users.add(store, name="Eve <i>x</i>", role=Role.VIEW, password=PASSWORD)
    assert post(client, "/staff/account/password", "/staff/account", current=HOSTILE, new=HOSTILE,
                again="other").status_code == 409
    for path in ("/staff/", "/staff/audit", "/staff/schedules", f"/staff/schedules/{schedule}/remove", "/staff/account",
                 f"/staff/audit?what={HOSTILE}&who={HOSTILE}"):
        page = client.get(path)
        assert page.status_code == 200, path
        for tag in ("<script>alert", "<img", "<b>", "<i>x"):
            assert tag not in page.text, path
    failed = client.post("/staff/login", data={"form_token": "x", "name": HOSTILE, "password": "x"})
    assert "<script>alert" not in failed.text
    seen = TestClient(create(store, settings_for(None), PROJECT))
    again = seen.post("/staff/login", data={"form_token": token(seen.get("/staff/login")), "name": HOSTILE,
                                            "password": "x", "next": HOSTILE})
    assert again.status_code == 403
    assert "&lt;script&gt;" in again.text
    assert "<script>alert" not in again.text
    assert NAMES[Role.SEND] in client.get("/staff/").text


def test_nothing_personal_reaches_the_log(client: TestClient, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Names, passwords and tokens of a login are in no line."""
    login(client, name="Nobody Here", password="a secret of mine")
    login(client)
    for secret in ("Nobody", "secret", NAMES[Role.SEND], client.cookies["pillarbox"]):
        assert secret not in caplog.text


def test_a_store_that_is_away_is_said(client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with a sentence, and nobody is logged out for it."""
    def away(*_: object) -> None:
        raise StoreError("The database could not do it: disk I/O error.")

    monkeypatch.setattr(door, "_look", away)
    page = client.get("/staff/audit")
    assert page.status_code == 503
    assert "disk I/O error" in page.text
    assert rows(store, schema.staff_sessions.c.id)
