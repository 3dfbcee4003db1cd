"""Logging in to the dashboard: who gets in, for how long, and who does not."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import argon2
import httpx
import pytest
from sqlalchemy import select, update

from pillarbox.ground import clock
from pillarbox.model.config import Settings
from pillarbox.model.states import Role
from pillarbox.staff import login as deed
from pillarbox.staff import passwords, users
from pillarbox.store import schema, throttles
from pillarbox.store.connect import Store
from pillarbox.web.app import create
from pillarbox.web.staff.frame import own_path
from tests.web.browsing import serving
from tests.web.desk import NAMES, PASSWORD, login, post, staff, token
from tests.web.site import PROJECT, TestClient, rows, settings_for


@pytest.fixture
def client(store: Store, quick_passwords: None) -> Iterator[TestClient]:
    """A dashboard with one user of each role."""
    staff(store)
    with another(store) as opened:
        yield opened


def another(store: Store, settings: Settings | None = None, base: str = "http://testserver") -> TestClient:
    """Another browser before the same database, as of another process."""
    app = create(store, settings or settings_for(None), PROJECT)
    return TestClient(app, base_url=base, raise_server_exceptions=False)


def is_in(client: TestClient) -> bool:
    """Whether the first page is shown."""
    return client.get("/staff/", follow_redirects=False).status_code == 200


def sessions(store: Store) -> int:
    """How many sessions stand in the database."""
    return len(rows(store, schema.staff_sessions.c.id))


# ------------------------------------------------------------------------------------------------ in and out


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(client: TestClient) -> None:
    """The page that was asked for comes after the login."""
    asked = client.get("/staff/audit?who=x", follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/staff/login?next=/staff/audit%3Fwho%3Dx")
    entered = login(client, onward="/staff/audit?who=x")
    assert (entered.status_code, entered.headers["location"]) == (303, "/staff/audit?who=x")
    assert NAMES[Role.SEND] in client.get("/staff/").text


@pytest.mark.parametrize("path", [
    "/staff/", "/staff/audit", "/staff/schedules", "/staff/calendar.ics", "/staff/account", "/staff/mailings/x/sending",
    "/staff/mailings/x/sending/send", "/staff/mailings/x/sending/progress"])
def test_every_page_is_behind_the_login(client: TestClient, path: str) -> None:
    """Without a session no page says anything, whether or not there is such a mailing."""
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code in (303, 401)
    assert "sarah" not in answer.text.lower()


def test_the_database_knows_no_token(client: TestClient, store: Store) -> None:
    """What the browser shows is nowhere in the database, and what the database holds logs nobody in."""
    login(client)
    shown = client.cookies["pillarbox"]
    (kept,) = rows(store, schema.staff_sessions.c.token_hash)[0]
    assert shown != kept
    thief = another(store)
    thief.cookies.set("pillarbox", str(kept)[:43])
    assert not is_in(thief)


def test_nobody_goes_on_with_a_token_that_they_brought(client: TestClient, store: Store) -> None:
    """Session fixation: the token before the login is worth nothing after it, and a made-up one never is."""
    planted = "A" * 43
    fields = {"form_token": token(client.get("/staff/login")), "name": NAMES[Role.SEND], "password": PASSWORD}
    visit = client.cookies["pillarbox-visit"]
    entered = another(store).post("/staff/login", follow_redirects=False, data=fields,
                                  headers={"Cookie": f"pillarbox={planted}; pillarbox-visit={visit}"})
    assert entered.status_code == 303
    (given,) = [line for line in entered.headers.get_list("set-cookie") if line.startswith("pillarbox=")]
    assert planted not in given
    thief = another(store)
    thief.cookies.set("pillarbox", planted)
    assert not is_in(thief)


def test_a_second_login_ends_the_first_session(client: TestClient, store: Store) -> None:
    """The token changes at each login, and the one before is dead."""
    given = token(client.get("/staff/login"))
    login(client)
    thief = another(store)
    thief.cookies.set("pillarbox", client.cookies["pillarbox"])
    entered = client.post("/staff/login", follow_redirects=False, data={
        "form_token": given, "name": NAMES[Role.SEND], "password": PASSWORD})
    assert entered.status_code == 303
    assert [is_in(client), is_in(thief)] == [True, False]
    assert sessions(store) == 1


def test_a_stolen_cookie_is_worthless_after_the_logout(client: TestClient, store: Store) -> None:
    """Logging out ends the session in the database, not in this browser alone."""
    login(client)
    thief = another(store)
    thief.cookies.set("pillarbox", client.cookies["pillarbox"])
    assert is_in(thief)
    assert post(client, "/staff/logout", "/staff/").status_code == 303
    assert not is_in(thief)
    assert sessions(store) == 0


def test_logging_out_everywhere(client: TestClient, store: Store) -> None:
    """Every browser of this user is out; other people's stay in."""
    phone, colleague = another(store), another(store)
    login(client)
    login(phone)
    login(colleague, Role.VIEW)
    post(client, "/staff/account/leave-everywhere", "/staff/account")
    assert [is_in(one) for one in (client, phone, colleague)] == [False, False, True]


def test_a_session_ends_when_nothing_is_done_in_it(client: TestClient) -> None:
    """Two hours idle and it is over; used in between, it goes on until twelve hours after the login."""
    login(client)
    began = clock.now()
    with clock.freeze(began + timedelta(minutes=119)):
        assert is_in(client)
    with clock.freeze(began + timedelta(minutes=230)):
        assert is_in(client)
    with clock.freeze(began + timedelta(minutes=351)):
        assert not is_in(client)


def test_a_session_ends_in_any_case(client: TestClient) -> None:
    """Twelve hours after the login, however busy."""
    login(client)
    began = clock.now()
    for hour in range(1, 12):
        with clock.freeze(began + timedelta(hours=hour)):
            assert is_in(client)
    with clock.freeze(began + timedelta(hours=12, seconds=1)):
        assert not is_in(client)


def test_who_is_disabled_is_out_at_once(client: TestClient, store: Store) -> None:
    """The open session ends, and the right password does not help."""
    login(client)
    users.disable(store, NAMES[Role.SEND])
    assert not is_in(client)
    assert login(client).status_code == 403
    users.enable(store, NAMES[Role.SEND])
    assert not is_in(client)
    assert login(client).status_code == 303


def test_another_role_holds_from_the_next_click(client: TestClient, store: Store) -> None:
    """No session keeps the role that it began with."""
    login(client)
    assert client.get("/staff/schedules/1/remove").status_code == 404
    users.change_role(store, NAMES[Role.SEND], Role.VIEW)
    assert client.get("/staff/schedules/1/remove").status_code == 403


def test_a_changed_password_ends_all_other_sessions(client: TestClient, store: Store) -> None:
    """This one goes on, under another token."""
    phone = another(store)
    login(phone)
    login(client)
    before = client.cookies["pillarbox"]
    wrong = post(client, "/staff/account/password", "/staff/account", current="no", new="otter saddle violin",
                 again="otter saddle violin")
    assert wrong.status_code == 409
    assert is_in(phone)
    changed = post(client, "/staff/account/password", "/staff/account", current=PASSWORD, new="otter saddle violin",
                   again="otter saddle violin")
    assert changed.status_code == 303
    assert "Your password is changed" in client.get("/staff/account").text
    assert client.cookies["pillarbox"] != before
    assert not is_in(phone)
    assert login(phone).status_code == 403
    assert login(phone, password="otter saddle violin").status_code == 303


# ------------------------------------------------------------------------------------------------ cookies, headers


def test_the_cookie_over_https_is_this_hosts_alone(store: Store) -> None:
    """__Host-, Secure, HttpOnly, SameSite=Lax, no Domain; over http, in practice, without __Host- and Secure."""
    staff(store)
    plain = settings_for(None)
    secure = plain.model_copy(update={"project": plain.project.model_copy(
        update={"base_url": "https://letters.harbour.example"})})
    client = another(store, secure, base="https://letters.harbour.example")
    given = login(client).headers.get_list("set-cookie")
    (session,) = [line for line in given if line.startswith("__Host-pillarbox=")]
    for wanted in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert wanted in session
    assert "domain" not in session.lower()
    assert "expires" not in session.lower()
    assert is_in(client)


def test_no_page_may_be_framed_kept_or_told_on(client: TestClient) -> None:
    """Clickjacking, caches and referrers: each page's headers see to them, and no script but our own file runs."""
    login(client)
    for path in ("/staff/login", "/staff/", "/staff/audit", "/staff/nothing"):
        headers = client.get(path).headers
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "private, no-store"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["referrer-policy"] == "same-origin"


def test_the_files_are_kept_for_ever_under_names_of_their_content(client: TestClient) -> None:
    """Another content would have another name; a made-up name is no file."""
    page = client.get("/staff/login").text
    path = page[page.index("/staff/assets/style-"):].partition('"')[0]
    found = client.get(path)
    assert (found.status_code, found.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in found.headers["cache-control"]
    for made_up in ("/staff/assets/style-0000000000000000.css", "/staff/assets/..%2f..%2fbase.html",
                    "/staff/assets/%2e%2e/app.py"):
        assert client.get(made_up).status_code == 404


@pytest.mark.parametrize("onward", [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
    "/staff/../u/abc", "/staff//evil.example", "/hooks/sendgrid", "/staffroom", " //evil.example", "/staff/%2e%2e/x",
    "http:/staff/", "/staff/\r\nSet-Cookie: a=b", "\t//evil.example", "/staff/\u2028", "x" * 5000, "/staff/?a=//b"])
def test_the_way_on_leads_nowhere_else(client: TestClient, onward: str) -> None:
    """Open redirect: whatever ?next= says, the login leads into the dashboard."""
    assert own_path(onward) == "/staff/"
    assert login(client, onward=onward).headers["location"] == "/staff/"
    assert client.get("/staff/login", params={"next": onward}, follow_redirects=False).headers["location"] == "/staff/"


# ------------------------------------------------------------------------------------------------ guessing


@pytest.fixture
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's clock goes by ours, so that a test can let time pass."""
    monkeypatch.setattr(throttles, "now", lambda _connection: clock.now().timestamp())


def test_wrong_names_and_wrong_passwords_are_told_the_same(client: TestClient, store: Store) -> None:
    """Status, words and headers do not say whether the name is known, disabled or made up."""
    users.disable(store, NAMES[Role.VIEW])
    said = {login(client, name=name, password=given).text.replace(name, "")
            for name, given in ((NAMES[Role.SEND], "x" * 20), ("Nobody Here", PASSWORD), (NAMES[Role.VIEW], PASSWORD),
                                (NAMES[Role.SEND], ""), (NAMES[Role.SEND], "y" * 5_000))}
    assert len(said) == 1
    assert "do not belong together" in said.pop()


def test_names_that_are_known_take_no_longer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known and an unknown name take the same time, with passwords hashed as they really are."""
    users.add(store, name=NAMES[Role.SEND], role=Role.SEND, password=PASSWORD)
    client = another(store)
    monkeypatch.setattr(deed, "BY_NAME", deed.Limit(burst=1000, seconds=1.0))
    monkeypatch.setattr(deed, "BY_PLACE", deed.Limit(burst=1000, seconds=1.0))
    passwords.warm()
    took: dict[str, list[float]] = {NAMES[Role.SEND]: [], "Nobody Here": []}
    given = token(client.get("/staff/login"))
    for _ in range(9):
        for name, times in took.items():
            began = time.perf_counter()
            client.post("/staff/login", data={"form_token": given, "name": name, "password": "x" * 20})
            times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    assert abs(known - unknown) < 0.35 * max(known, unknown), took


@pytest.mark.parametrize("name", [NAMES[Role.SEND], "Nobody Here"])
def test_guessing_is_limited_by_name(client: TestClient, store: Store, one_clock: None,
                                     monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """After ten tries the right password waits too, in every process; after a minute there is one more try."""
    monkeypatch.setattr(deed, "BY_PLACE", deed.Limit(burst=1000, seconds=1.0))
    began = clock.now()
    with clock.freeze(began):
        assert [login(client, name=name, password="x" * 20).status_code for _ in range(10)] == [403] * 10
        refused = login(another(store), name=name.upper())
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        assert "Wait 60 seconds" in refused.text
        assert login(client, Role.VIEW).status_code == 303
    with clock.freeze(began + timedelta(seconds=61)):
        assert login(another(store), name=name).status_code == (303 if name != "Nobody Here" else 403)


def test_guessing_is_limited_by_place(client: TestClient, store: Store, one_clock: None) -> None:
    """One address tries twenty names, then waits, whatever the name; the address itself is not written down."""
    with clock.freeze(clock.now()):
        said = [login(client, name=f"Somebody {number}", password="x" * 20).status_code for number in range(21)]
        assert said == [403] * 20 + [429]
        assert login(client).status_code == 429
        names = [str(name) for name, in rows(store, schema.throttles.c.name)]
        assert not any("testclient" in name or "somebody" in name.lower() for name in names)
        elsewhere = TestClient(create(store, settings_for(None), PROJECT), client=("192.0.2.7", 1))
        assert login(elsewhere).status_code == 303


def test_logging_in_does_not_count_as_guessing(client: TestClient) -> None:
    """Whoever gets in may do so as often as they like."""
    assert {login(client).status_code for _ in range(25)} == {303}


def test_limits_that_are_paid_are_forgotten(client: TestClient, store: Store, one_clock: None) -> None:
    """Guessers leave no rows behind for longer than their limit lasts."""
    login(client, name="Nobody Here", password="x" * 20)
    with clock.freeze(clock.now() + timedelta(hours=1)):
        login(client)
    assert len(rows(store, schema.throttles.c.name)) == 2


def test_places_are_networks() -> None:
    """Of IPv6 a whole household's network counts as one; IPv4 in IPv6's clothes is itself."""
    assert deed.network("2001:db8:1:2:aaaa::1") == deed.network("2001:db8:1:2:bbbb::9") == "2001:db8:1:2::/64"
    assert deed.network("::ffff:192.0.2.1") == deed.network("192.0.2.1") == "192.0.2.1"
    assert deed.network("testclient") == "testclient"


def test_an_old_hash_is_made_anew_at_the_login(client: TestClient, store: Store) -> None:
    """Parameters that have become too cheap are replaced when the password is there to do it."""
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    with store.writing() as connection:
        connection.execute(update(schema.staff_users).values(password_hash=cheap))
    assert login(client).status_code == 303
    with store.reading() as connection:
        kept = connection.execute(select(schema.staff_users.c.password_hash).where(
            schema.staff_users.c.name == NAMES[Role.SEND])).scalar_one()
    assert "m=64,t=1" in kept  # what the tests' own passwords cost


def test_a_crowd_at_the_login_keeps_no_supporter_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many try to log in at once, few threads are theirs; the rest of the site has its own."""
    staff(store, Role.VIEW)
    go_on, inside = threading.Event(), []

    def slow(*_given: object, **_named: object) -> deed.Answer:
        inside.append(1)
        go_on.wait(150)
        return deed.Answer()

    monkeypatch.setattr(deed, "attempt", slow)
    with serving(create(store, settings_for(None), PROJECT)) as base:
        page = httpx.get(f"{base}/staff/login")
        headers = {"Cookie": f"pillarbox-visit={page.cookies['pillarbox-visit']}"}
        visitors = httpx.Client(limits=httpx.Limits(max_connections=None), timeout=180)
        body, answers = {"form_token": token(page), "name": "x", "password": "y", "next": ""}, []

        def knock() -> None:
            answers.append(visitors.post(f"{base}/staff/login", data=body, headers=headers).status_code)

        crowd = [threading.Thread(target=knock) for _ in range(60)]
        for one in crowd:
            one.start()
        try:
            assert httpx.get(f"{base}/health", timeout=60).status_code == 200
            until = time.monotonic() + 120  # the crowd may be slow to come
            while 503 not in answers and time.monotonic() < until:
                time.sleep(0.05)
        finally:
            go_on.set()
            for one in crowd:
                one.join()
            visitors.close()
    assert len(inside) < 60
    assert set(answers) == {403, 503}, "who finds too many waiting is told so at once"


def test_a_name_with_a_nul_is_a_wrong_name(client: TestClient) -> None:
    """PostgreSQL takes no NUL: that must not become a database that is away."""
    assert login(client, name="Vera\0nobody").status_code == 403
