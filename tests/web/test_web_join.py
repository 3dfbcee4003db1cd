"""Joining: nothing before the owner of the address says yes, and nobody learns whom we know."""

from __future__ import annotations

import json
import logging
import re
import socket
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, insert, select

from pillarbox.ground import clock
from pillarbox.ground.address import keyed_hash
from pillarbox.mailings import service
from pillarbox.model.states import Basis, Channel, Frequency, SuppressionReason
from pillarbox.people import joining, rights
from pillarbox.people.joining import Wish
from pillarbox.store import consents, lists, schema, suppressions, wishes
from pillarbox.store.project import Project
from pillarbox.web.app import create
from pillarbox.web.join import body
from tests.mailings.conftest import project
from tests.web import joining as forms
from tests.web.browsing import serving
from tests.web.joining import FORM, SITE, TRACKING, WORDING, letters, link_of, visiting, with_form
from tests.web.site import rows

__all__ = ["project"]
MIRIAM = "miriam@example.org"


def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread delivers: the test does."""
    monkeypatch.setattr(service, "soon", lambda _project: None)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet(monkeypatch)


def suppress(project: Project, reason: SuppressionReason, address: str = MIRIAM) -> None:
    """Keep the address out."""
    with project.store.writing() as connection:
        rights.suppress(connection, address_hash=keyed_hash(address, project.secret), address=address, reason=reason,
                        source="test", at=clock.now())


def on_list(project: Project) -> list[str]:
    """Addresses on the newsletter's list."""
    with project.store.reading() as connection:
        return list(connection.execute(
            select(schema.supporters.c.address).select_from(schema.supporters.join(schema.list_members).join(schema.lists))
            .where(schema.lists.c.name == "newsletter", schema.list_members.c.left_at.is_(None))).scalars())


def test_double_opt_in(project: Project) -> None:
    """Form, letter, page, button: then on the list, with names, wording, time, page and source as evidence."""
    project = with_form(project)
    with visiting(project) as client:
        answer = client.post("/join", data={**FORM, "form": "page", "tracking": "yes"})
        assert (answer.status_code, "look in your inbox" in answer.text) == (200, True)
        assert on_list(project) == []
        (letter,) = letters(project)
        assert letter["To"] == MIRIAM
        assert letter["Auto-Submitted"] == "auto-generated"
        assert not [name for name in letter.keys() if name.lower().startswith("list-")]  # noqa: SIM118 - headers
        assert "מרים" not in str(letter.get_body(("html",)))
        page = client.get(link_of(letter))
        assert "Please send me “updates” &amp; news by email." in page.text
        assert TRACKING in page.text
        assert on_list(project) == []
        assert "you have joined us" in client.post(link_of(letter)).text
    assert on_list(project) == [MIRIAM]
    assert rows(project.store, schema.supporters.c.first_name, schema.supporters.c.last_name)[-1] == (
        "מרים", 'O’Brien "Mimi"')
    with project.store.reading() as connection:
        kept = connection.execute(select(schema.consents).where(schema.consents.c.source == "sign-up form")).all()
    assert {(row.channel, row.basis, row.wording) for row in kept} == {
        ("email", "consent", WORDING), ("tracking", "consent", TRACKING)}
    assert rows(project.store, schema.sign_ups.c.page, schema.sign_ups.c.wording, schema.sign_ups.c.address) == [
        ("/join", WORDING, None)]


def test_looking_at_the_link_changes_nothing(project: Project) -> None:
    """Link scanners follow every link: GET and HEAD confirm nobody."""
    project = with_form(project)
    with visiting(project) as client:
        client.post("/join", data=FORM)
        link = link_of(letters(project)[0])
        for _ in range(3):
            client.get(link)
            client.head(link)
    assert on_list(project) == []


def test_a_link_confirms_once(project: Project) -> None:
    """Used again after its owner left, it brings nobody back."""
    project = with_form(project)
    with visiting(project) as client:
        client.post("/join", data=FORM)
        link = link_of(letters(project)[0])
        client.post(link)
        suppress(project, SuppressionReason.UNSUBSCRIBED)
        for answer in (client.post(link), client.get(link)):
            assert answer.status_code == 200
            assert "You left after you used this link" in answer.text
            assert "you have joined us" not in answer.text
    with project.store.reading() as connection:
        assert suppressions.reasons(connection, keyed_hash(MIRIAM, project.secret)) == [
            SuppressionReason.UNSUBSCRIBED]


def test_a_link_ends_after_seven_days(project: Project) -> None:
    """Then it says so, and what was typed is deleted."""
    project = with_form(project)
    with visiting(project) as client:
        client.post("/join", data=FORM)
        link = link_of(letters(project)[0])
        with clock.freeze(clock.now() + timedelta(days=7, minutes=1)):
            assert client.get(link).status_code == 404
            assert client.post(link).status_code == 404
            service.sweep(project)
    assert on_list(project) == []
    assert rows(project.store, schema.sign_ups.c.id) == []
    assert rows(project.store, schema.service_letters.c.id) == []


@pytest.mark.parametrize("token", ["a" * 30, "A2" * 15, "short", "%00", "..%2f..%2fjoin", "' OR 1=1 --", "x" * 5_000])
def test_a_guessed_link_opens_nothing(project: Project, token: str) -> None:
    """A token that was never given out is a kind 404."""
    with visiting(with_form(project)) as client:
        assert client.get(f"/join/confirm/{token}").status_code in (404, 405)
        assert client.post(f"/join/confirm/{token}").status_code in (404, 405)


def test_the_token_is_not_kept(project: Project) -> None:
    """Once the letter has gone, nothing in the database confirms anything."""
    project = with_form(project)
    with visiting(project) as client:
        client.post("/join", data=FORM)
        token = link_of(letters(project)[0]).rpartition("/")[2]
    with project.store.reading() as connection:
        for table in (schema.sign_ups, schema.service_letters):
            for row in connection.execute(select(table)):
                assert token not in str(tuple(row))


STATES = ["unknown", "known", "unsubscribed", "bounced", "erased", "complained"]


def asked(project: Project, address: str) -> list[str]:
    """The statements that taking in a form takes."""
    said: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    engines = {id(engine): engine for engine in (project.store.reader, project.store.writer)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    wish = Wish(email=address, first_name="A", last_name="B", tracking=False, page="/join", visitor="192.0.2.1")
    assert joining.ask(project.store, project.settings.join, wish, secret=project.secret,
                       base_url="https://x.example") is joining.Asked.TAKEN
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    return said


def test_nobody_learns_whom_we_know(project: Project) -> None:
    """Known, unknown, unsubscribed, bounced, erased: the same page, and the same work statement for statement."""
    project = with_form(project)
    first = asked(project, "warm-up@example.org")
    for state in STATES:
        address = f"{state}@example.org"
        if state != "unknown":
            with project.store.writing() as connection:
                connection.execute(insert(schema.supporters).values(
                    address=address, address_hash=keyed_hash(address, project.secret), fields={},
                    created_at=clock.now(), updated_at=clock.now()))
        if state in set(SuppressionReason):
            suppress(project, SuppressionReason(state), address)
    statements = {state: asked(project, f"{state}@example.org") for state in STATES}
    assert len({tuple(each) for each in statements.values()}) == 1, first
    pages = set()
    with visiting(project) as client:
        for state in STATES:
            answer = client.post("/join", data={"email": f"{state}@example.org"})
            pages.add((answer.status_code, answer.text))
    assert len(pages) == 1


def test_who_left_comes_back_by_their_own_word(project: Project) -> None:
    """The confirmation lifts `unsubscribed`, from the list too, and is written down."""
    project = with_form(project)
    address = "supporter1@example.org"
    suppress(project, SuppressionReason.UNSUBSCRIBED, address)
    with project.store.writing() as connection:
        newsletter = lists.create(connection, "newsletter", clock.now())
        who = connection.execute(select(schema.supporters.c.id).where(
            schema.supporters.c.address == address)).scalar_one()
        lists.join_many(connection, newsletter, [who], clock.now(), None)
        lists.leave(connection, newsletter, who, clock.now())
    with visiting(project) as client:
        client.post("/join", data={"email": address, "first_name": "Somebody", "last_name": "Else"})
        client.post(link_of(letters(project)[0]))
    assert on_list(project) == [address]
    with project.store.reading() as connection:
        assert suppressions.reasons(connection, keyed_hash(address, project.secret)) == []
        assert consents.of(connection, [who])[who, Channel.EMAIL] is Basis.CONSENT
        named = connection.execute(select(schema.supporters.c.first_name).where(
            schema.supporters.c.id == who)).scalar_one()
    assert named == "Name1", "what is known of a supporter is not overwritten by a form"
    assert [row for row in rows(project.store, schema.audit.c.action, schema.audit.c.subject) if row[0] == "join"] == [
        ("join", f"supporter {who}")]


@pytest.mark.parametrize("reason", ["fps", "manual", "complained"])
def test_only_staff_lift_the_rest(project: Project, reason: str) -> None:
    """The page says so plainly, staff are told without a name, and nothing is changed."""
    project = with_form(project)
    suppress(project, SuppressionReason(reason))
    with visiting(project) as client:
        client.post("/join", data=FORM)
        answer = client.post(link_of(letters(project)[0]))
        assert "We need to look at this ourselves" in answer.text
    assert on_list(project) == []
    told = [str(words) for (words,) in rows(project.store, schema.notices.c.words)]
    assert any(reason in words for words in told)
    assert not any("miriam" in words.lower() for words in told)
    assert [found[:2] for found in joining.for_staff(project.store)] == [(MIRIAM, reason)]


@pytest.mark.parametrize("reason", ["bounced", "invalid", "erased"])
def test_no_letter_where_none_can_go(project: Project, reason: str) -> None:
    """Hard suppressions hold for service letters too; the answer is the same."""
    project = with_form(project)
    suppress(project, SuppressionReason(reason))
    with visiting(project) as client:
        assert "look in your inbox" in client.post("/join", data=FORM).text
    assert letters(project) == []
    assert rows(project.store, schema.service_letters.c.state) == [("failed",)]


def test_two_posts_make_one_letter(project: Project) -> None:
    """A double click, or a page sent again: one letter, the same answer. Ten minutes later one more may go, up to three
    a day."""
    project = with_form(project)
    now = clock.now()
    with visiting(project) as client:
        for minutes in (0, 0, 9, 11, 25, 40, 60):
            with clock.freeze(now + timedelta(minutes=minutes)):
                assert client.post("/join", data=FORM).status_code == 200
    # PostgreSQL counts by its own clock, which no test moves.
    assert len(rows(project.store, schema.sign_ups.c.id)) == (3 if project.store.is_sqlite else 1)


def test_other_spellings_fill_no_inbox(project: Project) -> None:
    """Three letters a day to an inbox, however its address is spelled; another inbox still gets its own."""
    project = with_form(project)
    with visiting(project) as client:
        for email in ("a.nn@gmail.com", "ann+1@gmail.com", "a.n.n+2@googlemail.com", "ann+3@gmail.com",
                      "an.n@gmail.com"):
            assert client.post("/join", data={"email": email}).status_code == 200
        assert len(rows(project.store, schema.sign_ups.c.id)) == 3
        client.post("/join", data={"email": "a.n.n@example.org"})
        client.post("/join", data={"email": "ann@example.org"})
    assert len(rows(project.store, schema.sign_ups.c.id)) == 5


def test_an_untold_tick_is_no_tick(project: Project) -> None:
    """A form of elsewhere that says no to tracking is shown again without the tick."""
    with visiting(with_form(project)) as client:
        assert " checked" not in client.post("/join", data={"email": "nobody", "tracking": "no"}).text
        assert " checked" in client.post("/join", data={"email": "nobody", "tracking": "yes"}).text


@pytest.mark.parametrize("email", ["", "   ", "nobody", "a@b", "a b@example.org", "a@example.org\r\nBcc: b@example.org",
                                   "<script>alert(1)</script>@example.org", "x" * 300 + "@example.org", "a@.org",
                                   "\ufffd\ufffd@example.org"])
def test_a_bad_address_gets_a_kind_sentence(project: Project, email: str) -> None:
    """What was typed stays in the form, escaped; nothing is kept."""
    with visiting(with_form(project)) as client:
        answer = client.post("/join", data={**FORM, "email": email})
    assert answer.status_code == 422
    assert 'aria-describedby="email-wrong"' in answer.text
    assert "<script>" not in answer.text
    assert "O’Brien &#34;Mimi&#34;" in answer.text
    assert rows(project.store, schema.sign_ups.c.id) == []


def test_a_mailbox_that_the_way_out_does_not_carry(project: Project) -> None:
    """SendGrid carries no letters outside ASCII before the @: nobody is sent to look into an inbox in vain."""
    files = with_form(project)
    out = files.settings.project.model_copy(update={
        "transport": "sendgrid", "base_url": "https://letters.harbour.org"})
    carried = replace(files, settings=files.settings.model_copy(update={"project": out}))
    with visiting(carried) as client:
        answer = client.post("/join", data={**FORM, "email": "zoë@example.org"})
        assert answer.status_code == 422
        assert "letters such as é" in answer.text
        assert rows(project.store, schema.sign_ups.c.id) == []
        assert client.post("/join", data={**FORM, "email": "zoe@exämple.org"}).status_code == 200
    with visiting(files) as client:
        assert client.post("/join", data={**FORM, "email": "zoë@example.org"}).status_code == 200


def test_the_trap_catches_programs(project: Project) -> None:
    """Who fills in the field that nobody sees is thanked, and nothing happens."""
    with visiting(with_form(project)) as client:
        good = client.post("/join", data={**FORM, "email": "other@example.org"})
        caught = client.post("/join", data={**FORM, "topic": "Buy this"})
    assert (caught.status_code, caught.text) == (good.status_code, good.text)
    assert len(rows(project.store, schema.sign_ups.c.id)) == 1


def test_a_network_may_not_flood(project: Project) -> None:
    """Above [join] per_hour a kind 429; nothing of the visitor's network address is kept in clear."""
    project = with_form(project, per_hour=3)
    with visiting(project) as client:
        codes = [client.post("/join", data={"email": f"p{number}@example.org"}).status_code for number in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert client.post("/join", data={"email": "p9@example.org"}).headers["retry-after"]
    kept = [str(name) for (name,) in rows(project.store, schema.throttles.c.name)]
    assert any(re.fullmatch(r"join:from:[0-9a-f]{32}", name) for name in kept)
    assert not any("testclient" in name for name in kept)


def test_nobody_mails_strangers_through_the_form(project: Project) -> None:
    """From however many networks: no more letters than [join] per_hour_in_all leave in any hour, and staff learn it."""
    project = with_form(project, per_hour_in_all=6)
    wish = Wish(email="", first_name="", last_name="", tracking=False, page="/join", visitor="")
    began = clock.now()
    asked = []
    for minute in range(0, 60, 2):
        with clock.freeze(began + timedelta(minutes=minute)):
            asked.append(joining.ask(project.store, project.settings.join, secret=project.secret, base_url="https://x",
                                     wish=replace(wish, email=f"p{minute}@example.org", visitor=f"192.0.2.{minute}")))
    assert asked[:4] == ["taken"] * 3 + ["busy"]
    assert 3 <= asked.count("taken") <= 6  # PostgreSQL goes by its own clock, for which no hour passes here
    assert len(letters(project)) == asked.count("taken")
    assert len(rows(project.store, schema.notices.c.id)) == 1


def test_the_form_rests_and_says_so(project: Project) -> None:
    """The same honest page for every address, known or asked for a moment ago; nothing is saved."""
    project = with_form(project, per_hour_in_all=2)
    with visiting(project) as client:
        assert client.post("/join", data={"email": "p1@example.org"}).status_code == 200
        answers = [client.post("/join", data={"email": email}) for email in ("p1@example.org", "p2@example.org")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].text == answers[1].text
    assert "Nothing was saved" in answers[0].text
    assert answers[0].headers["retry-after"]
    assert len(rows(project.store, schema.sign_ups.c.id)) == 1


@pytest.mark.parametrize("name", [
    "https://win.example", "www.win.example", "win.example.com", "Visit Win.CO now", "t.me/win", "x.com", "a@b.example",
    "<b>Ann</b>", "[Ann](win)", "{{ deed.link }}", "call 08001234567", "пример.рф", "Ann | 50%"])
def test_a_carrier_of_words_is_no_name(project: Project, name: str) -> None:
    """Web addresses, mark-up and telephone numbers are refused, kindly, and everything typed is still there."""
    project = with_form(project)
    with visiting(project) as client:
        for field in ("first_name", "last_name"):
            answer = client.post("/join", data={"email": "ann@example.org", field: name})
            assert answer.status_code == 422
            assert "Please write your name alone" in answer.text
            assert 'value="ann@example.org"' in answer.text
            assert re.findall(r'id="(\w+)"[^>]* aria-invalid', answer.text) == [field], "only what is wrong is marked"
            assert f'aria-describedby="{field}-wrong" autofocus' in answer.text
    assert rows(project.store, schema.sign_ups.c.id) == []


def test_both_names_may_be_wrong(project: Project) -> None:
    """Both are marked, and the first of them is where one goes on."""
    with visiting(with_form(project)) as client:
        answer = client.post("/join", data={"email": "ann@example.org", "first_name": "x.com", "last_name": "y.com"})
    assert re.findall(r'id="(\w+)"[^>]* aria-invalid', answer.text) == ["first_name", "last_name"]
    assert answer.text.count("autofocus") == 1


@pytest.mark.parametrize("name", [
    "O'Brien", "O’Brien-Smith", "מרים", "ג׳ורג׳", 'צה"ל', "J.R.R.", "St.John", "Dr.Smith", "Ann & Bob", "Ann + Bob",
    "Ann (Annie)", "Jean-Luc", "de la Cruz", "Smith Jr.", "J.Smith", "John 3rd", "!Xóõ", "ئايگۈل", "Ng",
    "Charity Fund Ltd.", "N/A"])
def test_a_real_name_is_taken(project: Project, name: str) -> None:
    """Whatever script and signs it has."""
    project = with_form(project)
    with visiting(project) as client:
        assert client.post("/join", data={"email": "ann@example.org", "first_name": name,
                                          "last_name": name}).status_code == 200
    assert len(rows(project.store, schema.sign_ups.c.id)) == 1


def test_signing_up_anew_ends_a_pause(project: Project) -> None:
    """The newer word counts, and stands in the history; how much they wish to get stays."""
    project = with_form(project)
    until = clock.now() + timedelta(days=80)
    with visiting(project) as client:
        client.post("/join", data=FORM)
        client.post(link_of(letters(project)[0]))
        with project.store.writing() as connection:
            who = connection.execute(select(schema.sign_ups.c.supporter_id)).scalar_one()
            wishes.keep(connection, who, wishes.Wish(frequency=Frequency.NEWSLETTERS, paused_until=until), clock.now())
            connection.execute(delete(schema.throttles))
        client.post("/join", data=FORM)
        client.post(link_of(letters(project)[1]))
    with project.store.reading() as connection:
        assert wishes.of(connection, who) == wishes.Wish(frequency=Frequency.NEWSLETTERS)
        assert connection.execute(select(schema.wish_changes.c.changes)).scalar_one() == {
            "paused_until": [until.isoformat(), None]}


@pytest.mark.parametrize(("content", "kind", "status"), [
    (b"email=" + b"a" * 20_000_000, "application/x-www-form-urlencoded", 413),
    (b'{"email": "a@example.org"}', "application/json", 415),
    (b"--x\r\n", "multipart/form-data; boundary=x", 415),
    (b"&".join(b"a%d=1" % number for number in range(500)), "application/x-www-form-urlencoded", 400),
    (b"email=\xff\xfe", "application/x-www-form-urlencoded", 400),
    (b"", "", 415),
])
def test_what_is_no_form_is_refused(project: Project, content: bytes, kind: str, status: int) -> None:
    """Too large, of another kind, of too many fields: refused, nothing changed."""
    with visiting(with_form(project)) as client:
        answer = client.post("/join", content=content, headers={"content-type": kind} if kind else {})
    assert answer.status_code == status
    assert rows(project.store, schema.sign_ups.c.id) == []


def test_a_slow_client_is_not_waited_for(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who sends a form a letter a minute is told so, and holds up nobody."""
    monkeypatch.setattr(body, "SECONDS", 0.3)
    given = with_form(project)
    with serving(create(given.store, given.settings, given.id)) as base:
        host, port = base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(b"POST /join HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
                         b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=")
            assert slow.recv(4096).startswith(b"HTTP/1.1 408")
    assert rows(project.store, schema.sign_ups.c.id) == []


@pytest.mark.parametrize(("origin", "status"), [
    (SITE, 200), ("null", 200), ("https://evil.example", 403), ("https://harbour.example.evil.example", 403),
    ("http://harbour.example", 403), ("HTTPS://HARBOUR.EXAMPLE", 200)])
def test_other_websites_may_not_post(project: Project, origin: str, status: int) -> None:
    """The charity's own website may, by a form of its own, and stands in the evidence."""
    with visiting(with_form(project)) as client:
        assert client.post("/join", data=FORM, headers={"origin": origin}).status_code == status
    expected = {200: [(SITE if "arbour" in origin.lower() else "a form elsewhere",)], 403: []}[status]
    assert rows(project.store, schema.sign_ups.c.page) == expected


def test_changed_words_are_shown_again(project: Project) -> None:
    """Nobody agrees to words that were not before their eyes."""
    with visiting(with_form(project)) as client:
        answer = client.post("/join", data={**FORM, "shown": "0123456789abcdef"})
        assert answer.status_code == 409
        assert "read them again" in answer.text
        shown = re.search(r'name="shown" value="([0-9a-f]{16})"', answer.text)
        assert shown
        assert client.post("/join", data={**FORM, "shown": shown[1]}).status_code == 200
    assert len(rows(project.store, schema.sign_ups.c.id)) == 1


def test_the_frame_is_for_named_websites_alone(project: Project) -> None:
    """/join/form may stand in a frame of [join] sites; the page itself and all others in none."""
    with visiting(with_form(project)) as client:
        framed = client.get("/join/form")
        assert f"frame-ancestors {SITE}" in framed.headers["content-security-policy"]
        assert "x-frame-options" not in framed.headers
        sent = client.post("/join/form", data=FORM)
        assert f"frame-ancestors {SITE}" in sent.headers["content-security-policy"]
        alone = client.get("/join")
        assert "frame-ancestors 'none'" in alone.headers["content-security-policy"]
        assert alone.headers["x-frame-options"] == "DENY"
        for answer in (framed, alone):
            assert "noindex" in answer.headers["x-robots-tag"]
            assert "set-cookie" not in answer.headers


def test_without_a_list_there_is_no_form(project: Project) -> None:
    """[join] lists empty: 404, also for posts."""
    with visiting(project) as client:
        for path in ("/join", "/join/form"):
            assert client.get(path).status_code == 404
            assert client.post(path, data=FORM).status_code == 404


def test_what_could_not_be_saved_is_said(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    """It never pretends, and neither name nor address nor token reaches the log."""
    project = with_form(project)
    with visiting(project) as client:
        client.post("/join", data=FORM)
        link = link_of(letters(project)[0])
        schema.list_members.drop(project.store.writer)
        with caplog.at_level(logging.DEBUG):
            answer = client.post(link)
        assert answer.status_code == 503
        assert "could not save" in answer.text
        schema.sign_ups.drop(project.store.writer)
        with caplog.at_level(logging.DEBUG):
            assert "could not save" in client.post("/join", data={**FORM, "email": "new@example.org"}).text
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("pillarbox"))
    assert ours
    assert not re.search(r"miriam|new@example|מרים|" + link.rpartition("/")[2], ours.lower())


def test_the_welcome_letter_is_a_choice(project: Project) -> None:
    """[join] welcome: one letter more after the confirmation, which greets by name."""
    project = with_form(project, welcome=True)
    with visiting(project) as client:
        client.post("/join", data={**FORM, "first_name": "Miriam", "last_name": ""})
        link = link_of(letters(project)[0])
        client.post(link)
        client.post(link)
    assert ["Welcome" in forms.text_of(letter) for letter in letters(project)] == [False, True]
    assert "Dear Miriam," in forms.text_of(letters(project)[1])


def test_rights_reach_what_was_typed(project: Project) -> None:
    """Export shows a sign-up and its letter, without the token; forgetting deletes both before they were confirmed."""
    project = with_form(project)
    with visiting(project) as client:
        client.post("/join", data=FORM)
        told = rights.export(project.store, secret=project.secret, email=MIRIAM)
        assert told["sign_ups"][0]["address"] == MIRIAM
        assert told["service_letters"][0]["kind"] == "confirm"
        assert "/join/confirm/" not in json.dumps(told, default=str)
        rights.forget(project.store, secret=project.secret, email=MIRIAM)
        assert letters(project) == []
    hashed = keyed_hash(MIRIAM, project.secret)
    assert rows(project.store, schema.sign_ups.c.id) == []
    assert rows(project.store, schema.service_letters.c.address, schema.service_letters.c["values"]) == [(None, {})]
    assert (hashed,) not in rows(project.store, schema.service_letters.c.address_hash)
