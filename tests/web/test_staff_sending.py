"""Sending from the dashboard: asked twice, by the role for it, done by what the command line does, and written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update
from starlette.requests import Request

from pillarbox.content import bundle as bundles
from pillarbox.ground import clock
from pillarbox.ground.errors import StoreError
from pillarbox.ground.process import Worker
from pillarbox.mailings import asking, control, departure, planning
from pillarbox.model.states import Basis, MailingState, MessageState, Role
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.runner.tick import tick
from pillarbox.staff import users
from pillarbox.store import mailings, notices, schema, workers
from pillarbox.store import staff as store_staff
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from pillarbox.web.app import create
from pillarbox.web.staff import forms, seen
from tests import projects
from tests.web.desk import NAMES, login, post, staff, token
from tests.web.site import TestClient

pytestmark = pytest.mark.usefixtures("quick_passwords")
CROWD = 30


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A project with a planned mailing, and a browser before its dashboard."""

    project: Project
    mailing: Mailing
    client: TestClient

    @property
    def place(self) -> str:
        """The mailing's sending page."""
        return f"/staff/mailings/{self.mailing.name}/sending"

    @property
    def now(self) -> Mailing:
        """The mailing as it stands."""
        with self.project.store.reading() as connection:
            return mailings.by_id(connection, self.mailing.id)

    def audit(self) -> list[tuple[str, str]]:
        """(actor, action) of what was done to the mailing, oldest first."""
        with self.project.store.reading() as connection:
            return [(row.actor, row.action) for row in connection.execute(
                select(schema.audit).where(schema.audit.c.subject == self.mailing.name).order_by(schema.audit.c.id))]

    def with_worker(self) -> Desk:
        """A worker is there."""
        with self.project.store.writing() as connection:
            workers.beat(connection, str(Worker.this()), kind="worker", host="box")
        return self


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A practice mailing to thirty."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    made = projects.make(tmp_path / "project")
    project = open_project(made.folder)
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(CROWD))
    import_list(project.store, secret=project.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    mailing = planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",)))).mailing
    staff(project.store)
    yield facing(project, mailing)
    project.close()


def facing(project: Project, mailing: Mailing) -> Desk:
    """The dashboard of a project, with nobody logged in."""
    app = create(project.store, project.settings, project.id)
    return Desk(project=project, mailing=mailing, client=TestClient(app, raise_server_exceptions=False))


@pytest.fixture
def live(desk: Desk) -> Desk:
    """The same as a live mailing by SendGrid, in a home that needs no server; nothing in the tests lets it go."""
    settings = desk.project.settings
    settings = settings.model_copy(update={
        "project": settings.project.model_copy(update={"transport": "sendgrid", "home": "laptop"}),
        "sender": settings.sender.model_copy(update={"email": "letters@renecassin.org"})})
    bundle, _ = bundles.gather(settings, "harbour", desk.project.folder)
    assert bundle
    with desk.project.store.writing() as connection:
        mailings.keep_bundle(connection, bundle_id=bundle.id, appeal="harbour", content=bundle.pack())
        mailings.change(connection, desk.mailing.id, practice=False, transport="sendgrid", bundle_id=bundle.id)
        mailing = mailings.by_id(connection, desk.mailing.id)
    return facing(replace(desk.project, settings=settings), mailing)


# ------------------------------------------------------------------------------------------------ asked twice


def test_a_practice_mailing_is_sent_by_the_worker(desk: Desk) -> None:
    """Two pages, then the worker's next look starts it; the audit log names the user each time."""
    desk.with_worker()
    login(desk.client)
    page = desk.client.get(desk.place).text
    assert "PRACTICE: nobody was mailed" in page
    assert f'href="{desk.place}/send"' in page
    asked = desk.client.get(f"{desk.place}/send").text
    for wanted in ("PRACTICE", "The Harbour Trust &lt;letters<wbr>@harbour.example&gt;", "The harbour needs you, …",
                   f"<strong>{CROWD}</strong>", "files on this machine"):
        assert wanted in asked
    assert desk.now.send_at is None
    done = post(desk.client, f"{desk.place}/send", count=CROWD)
    assert (done.status_code, done.headers["location"]) == (303, desk.place)
    assert "a worker takes it up within seconds" in desk.client.get(desk.place).text
    assert "a worker takes it up within seconds" not in desk.client.get(desk.place).text
    assert desk.now.state is MailingState.PLANNED
    assert [mailing.id for mailing in tick(desk.project, worker="test").sendable] == [desk.mailing.id]
    assert desk.now.state is MailingState.SENDING
    assert desk.audit()[-2:] == [(NAMES[Role.SEND], "send-now"), (NAMES[Role.SEND], "send")]


def test_nothing_is_sent_while_no_worker_is_there(desk: Desk) -> None:
    """The page says so and has no button; a post is refused with the same sentence, and nothing is changed."""
    login(desk.client)
    page = desk.client.get(f"{desk.place}/send")
    assert "No worker has been seen in the last 5 minutes" in page.text
    assert "Send it now" not in page.text
    refused = post(desk.client, f"{desk.place}/send", "/staff/", count=CROWD)
    assert refused.status_code == 409
    assert "No worker has been seen in the last 5 minutes" in refused.text
    assert (desk.now.state, desk.now.send_at) == (MailingState.PLANNED, None)
    assert "send-now" not in str(desk.audit())


def test_a_live_mailing_wants_its_count_typed(live: Desk) -> None:
    """Account, From, subject and count are shown; another number, words or nothing: refused, nothing changed."""
    live.with_worker()
    login(live.client)
    assert post(live.client, f"{live.place}/approve", count=CROWD).status_code == 303
    page = live.client.get(f"{live.place}/send").text
    for wanted in ("LIVE", "SendGrid (api.sendgrid.com)", "&lt;letters<wbr>@renecassin.org&gt;",
                   "The harbour needs you", 'name="count" type="text"', "60 seconds after you press"):
        assert wanted in page
    for wrong in (str(CROWD - 1), "thirty", "", "-30", "٣٠", "3e1", "9" * 400):
        refused = post(live.client, f"{live.place}/send", count=wrong)
        assert refused.status_code == 409, wrong
        assert (live.now.state, live.now.send_at) == (MailingState.PLANNED, None)
    began = clock.now()
    assert post(live.client, f"{live.place}/send", count=f" {CROWD} ").status_code == 303
    assert live.now.send_at is not None
    assert timedelta(seconds=58) < live.now.send_at - began < timedelta(seconds=75)
    assert [line for line in live.audit() if line[1] != "refused"][-2:] == [
        (NAMES[Role.SEND], "approve"), (NAMES[Role.SEND], "send-now")]


def test_a_live_mailing_can_be_held_back_in_its_countdown(live: Desk) -> None:
    """Within the sixty seconds nothing leaves, and a press stops it."""
    live.with_worker()
    login(live.client)
    post(live.client, f"{live.place}/approve", count=CROWD)
    post(live.client, f"{live.place}/send", count=CROWD)
    assert tick(live.project, worker="test").sendable == []
    assert post(live.client, f"{live.place}/pause", reason="the date was wrong").status_code == 303
    assert (live.now.state, live.now.state_reason) == (MailingState.PAUSED, "the date was wrong")
    with clock.freeze(clock.now() + timedelta(minutes=3)):
        assert tick(live.project, worker="test").sendable == []


def test_a_live_mailing_is_not_sent_before_it_is_approved(live: Desk) -> None:
    """Neither the page nor a post of one's own making sends it; a typed count approves it by name."""
    live.with_worker()
    login(live.client)
    assert live.client.get(f"{live.place}/send").status_code == 409
    refused = post(live.client, f"{live.place}/send", "/staff/", count=CROWD, seen=seen.mark(live.project, live.now))
    assert refused.status_code == 409
    assert "nobody has approved" in refused.text
    assert post(live.client, f"{live.place}/approve", count=CROWD + 1).status_code == 409
    assert live.now.approved_by is None
    assert post(live.client, f"{live.place}/approve", count=CROWD).status_code == 303
    assert live.now.approved_by == NAMES[Role.SEND]


def test_sending_at_a_time(desk: Desk) -> None:
    """A time is chosen, shown in words, confirmed; nonsense and the past are refused with a sentence."""
    desk.with_worker()
    login(desk.client)
    at = f"{clock.now() + timedelta(days=9):%Y-%m-%d}T08:00"
    for wrong in ("soon", "2020-01-01T08:00", "<script>alert(1)</script>"):
        page = desk.client.get(f"{desk.place}/send-at", params={"at": wrong})
        assert page.status_code == 409
        assert "Send it then" not in page.text
        assert "<script>" not in page.text
    page = desk.client.get(f"{desk.place}/send-at", params={"at": at})
    assert "at 08:00</strong> (London)" in page.text
    assert desk.now.send_at is None
    assert post(desk.client, f"{desk.place}/send-at", f"{desk.place}/send-at?at={at}", at=at,
                count=CROWD).status_code == 303
    assert desk.now.send_at is not None
    assert desk.now.send_by == NAMES[Role.SEND]
    assert "It waits to leave on" in desk.client.get("/staff/").text
    assert post(desk.client, f"{desk.place}/send-at", f"{desk.place}/send-at?at={at}",
                count=CROWD).status_code == 409


def test_a_time_without_a_worker_is_refused(desk: Desk) -> None:
    """As `send --at` does."""
    login(desk.client)
    at = f"{clock.now() + timedelta(days=9):%Y-%m-%d}T08:00"
    refused = post(desk.client, f"{desk.place}/send-at", "/staff/", at=at, count=CROWD)
    assert refused.status_code == 409
    assert "No worker has been seen" in refused.text
    assert desk.now.send_at is None


def test_holding_back_letting_go_on_and_cancelling(desk: Desk) -> None:
    """Each asks first and changes nothing by that; each is written down with the name and the reason."""
    desk.with_worker()
    control.start(desk.project, desk.mailing.name, actor="test")
    login(desk.client)
    for deed in ("pause", "cancel"):
        assert desk.client.get(f"{desk.place}/{deed}").status_code == 200
    assert desk.now.state is MailingState.SENDING
    post(desk.client, f"{desk.place}/pause", reason="  a wrong\r\n link  ")
    assert (desk.now.state, desk.now.state_reason) == (MailingState.PAUSED, "a wrong link")
    assert post(desk.client, f"{desk.place}/resume", count=CROWD).status_code == 303
    assert [mailing.id for mailing in tick(desk.project, worker="test").sendable] == [desk.mailing.id]
    post(desk.client, f"{desk.place}/cancel", count=CROWD)
    assert (desk.now.state, desk.now.state_reason) == (MailingState.CANCELLED, f"by {NAMES[Role.SEND]}")
    assert [action for who, action in desk.audit() if who == NAMES[Role.SEND]] == ["pause", "resume", "send", "cancel"]
    assert desk.client.get(f"{desk.place}/resume").status_code == 409
    assert post(desk.client, f"{desk.place}/resume", "/staff/", count=0).status_code == 409


def test_going_on_wants_a_worker(desk: Desk) -> None:
    """What began and paused is refused while nobody would go on with it."""
    control.start(desk.project, desk.mailing.name, actor="test")
    asking.ask(desk.project, desk.now, reason="too many bounced.")
    login(desk.client)
    refused = post(desk.client, f"{desk.place}/resume", count=CROWD)
    assert refused.status_code == 409
    assert "No worker" in refused.text
    assert desk.now.state is MailingState.PAUSED


def test_what_was_planned_for_another_road_is_refused(desk: Desk) -> None:
    """Settings that became live meanwhile do not send a practice mailing, nor at a time."""
    settings = desk.project.settings.model_copy(update={"project": desk.project.settings.project.model_copy(
        update={"transport": "smtp"})})
    other = facing(replace(desk.project, settings=settings), desk.mailing).with_worker()
    login(other.client)
    at = f"{clock.now() + timedelta(days=9):%Y-%m-%d}T08:00"
    for deed, more in (("send", {}), ("send-at", {"at": at})):
        refused = post(other.client, f"{other.place}/{deed}", "/staff/", count=CROWD,
                       seen=seen.mark(other.project, other.now), **more)
        assert refused.status_code == 409
        assert "was planned for" in refused.text
    assert other.now.send_at is None


# ------------------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize(("role", "deed"), [
    (Role.VIEW, "approve"), (Role.VIEW, "send"), (Role.VIEW, "send-at"), (Role.VIEW, "resume"), (Role.VIEW, "pause"),
    (Role.VIEW, "cancel"), (Role.PREPARE, "approve"), (Role.PREPARE, "send"), (Role.PREPARE, "send-at"),
    (Role.PREPARE, "resume"), (Role.PREPARE, "cancel")])
def test_a_role_that_is_too_small_is_refused(desk: Desk, role: Role, deed: str) -> None:
    """403 for the question and for the deed; nothing is changed, and the audit log tells who tried."""
    desk.with_worker()
    before = desk.now
    login(desk.client, role)
    assert desk.client.get(f"{desk.place}/{deed}").status_code == 403
    at = f"{clock.now() + timedelta(days=9):%Y-%m-%d}T08:00"
    refused = post(desk.client, f"{desk.place}/{deed}", "/staff/", count=CROWD, at=at)
    assert refused.status_code == 403
    assert "This needs the role “send”" in refused.text or "This needs the role “prepare”" in refused.text
    assert desk.now == before
    assert desk.audit()[-1] == (NAMES[role], "refused")
    page = desk.client.get(desk.place).text
    assert f'href="{desk.place}/{deed}"' not in page


def test_who_prepares_may_hold_back(desk: Desk) -> None:
    """Stopping needs less than sending."""
    control.start(desk.project, desk.mailing.name, actor="test")
    login(desk.client, Role.PREPARE)
    assert f'href="{desk.place}/pause"' in desk.client.get(desk.place).text
    assert post(desk.client, f"{desk.place}/pause").status_code == 303
    assert desk.now.state is MailingState.PAUSED


# ------------------------------------------------------------------------------------------------ forms of others


@pytest.mark.parametrize("how", ["no token", "empty", "of another session", "of the login", "of the cookie",
                                 "of before", "in the address"])
def test_a_form_that_is_not_this_sessions_is_refused(desk: Desk, how: str) -> None:
    """403, nothing changed, nothing in the audit log."""
    control.start(desk.project, desk.mailing.name, actor="test")
    other = facing(desk.project, desk.mailing)
    login(other.client, Role.VIEW)
    visit = token(desk.client.get("/staff/login"))
    login(desk.client)
    old = token(desk.client.get("/staff/"))
    if how == "of before":
        login(desk.client)
    fields = {"no token": {}, "empty": {"form_token": ""}, "of the login": {"form_token": visit},
              "of another session": {"form_token": token(other.client.get("/staff/"))},
              "of the cookie": {"form_token": desk.client.cookies["pillarbox"]}, "of before": {"form_token": old},
              "in the address": {}}[how]
    query = f"?form_token={old}" if how == "in the address" else ""
    before = desk.audit()
    refused = desk.client.post(f"{desk.place}/pause{query}", data={"reason": "x", **fields})
    assert refused.status_code == 403
    assert desk.now.state is MailingState.SENDING
    assert desk.audit() == before


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://testserver.evil.example"}, {"Origin": "http://testserver:81"}])
def test_a_post_from_another_site_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    """Even with the right token: what the browser says of its origin must agree."""
    control.start(desk.project, desk.mailing.name, actor="test")
    login(desk.client)
    given = token(desk.client.get("/staff/"))
    refused = desk.client.post(f"{desk.place}/pause", data={"form_token": given}, headers=headers)
    assert refused.status_code == 403
    assert desk.now.state is MailingState.SENDING
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert desk.client.post(f"{desk.place}/pause", data={"form_token": given}, headers=own,
                            follow_redirects=False).status_code == 303


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch", "options"])
def test_only_a_post_does_anything(desk: Desk, method: str) -> None:
    """No link, no image, no other method changes a mailing."""
    control.start(desk.project, desk.mailing.name, actor="test")
    login(desk.client)
    given = token(desk.client.get("/staff/"))
    desk.client.request(method, f"{desk.place}/pause", params={"form_token": given, "reason": "x"})
    desk.client.request(method, "/staff/logout", params={"form_token": given})
    assert desk.now.state is MailingState.SENDING
    assert desk.client.get("/staff/", follow_redirects=False).status_code == 200


def test_a_form_sent_twice_does_nothing_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A double click finds what the first press did, also once it has begun; a reload of an old page does not."""
    desk.with_worker()
    login(desk.client)
    given = asked(desk, "send")
    first = desk.client.post(f"{desk.place}/send", data=given, follow_redirects=False)
    tick(desk.project, worker="test")
    second = desk.client.post(f"{desk.place}/send", data=given, follow_redirects=False)
    assert (first.status_code, second.status_code) == (303, 303)
    assert "is being sent already: you pressed twice, and it goes once." in desk.client.get(desk.place).text
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=2))
    old = desk.client.post(f"{desk.place}/send", data=given, follow_redirects=False)
    assert old.status_code == 409
    assert "has been changed since you were asked. Nothing was done." in old.text
    assert [action for _, action in desk.audit()].count("send-now") == 1


@pytest.mark.parametrize(("deed", "says"), [
    ("approve", "You approved {name} already."), ("send-at", "that was said already"),
    ("resume", "is no longer held back: that was said already"), ("take-back", "You no longer stand for {name}.")])
def test_a_second_press_is_told_what_the_first_did(desk: Desk, deed: str, says: str) -> None:
    """It changes nothing more, is not refused, and is written down once."""
    desk.with_worker()
    login(desk.client)
    if deed == "take-back":
        control.approve(desk.project, desk.mailing.name, by=NAMES[Role.SEND])
    if deed == "resume":
        control.pause(desk.project, desk.mailing.name, reason="a look", actor="test")
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT12:00")
    given = {**asked(desk, f"send-at?at={at}" if deed == "send-at" else deed), "at": at, "count": str(CROWD)}
    for _ in range(2):
        answer = desk.client.post(f"{desk.place}/{deed}", data=given, follow_redirects=False)
        assert answer.status_code == 303, answer.text
    assert says.format(name=desk.mailing.name) in desk.client.get(desk.place).text
    done = [action for actor, action in desk.audit() if actor == NAMES[Role.SEND]]
    assert len(done) == len(set(done)), done


def test_hostile_words_of_a_mailing_are_shown_as_words(desk: Desk) -> None:
    """Its title, subject, reasons, approver and details arrive as text on each of its pages."""
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>`<b>`"
    with desk.project.store.writing() as connection:
        mailings.change(connection, desk.mailing.id, title=hostile, state_reason=hostile,
                        audience={"lists": [hostile], "segments": [hostile], "exclude": []},
                        state=MailingState.PAUSED)
        connection.execute(update(schema.shapes).values(subject=hostile))
        connection.execute(update(schema.messages).values(detail=hostile, state=MessageState.IN_DOUBT))
        notices.add(connection, kind="paused", mailing_id=desk.mailing.id, words=hostile)
    control.approve(desk.project, desk.mailing.name, by=hostile)
    login(desk.client)
    pages = [desk.client.get(path) for path in (desk.place, f"{desk.place}/resume", f"{desk.place}/cancel",
                                                f"{desk.place}/send", "/staff/")]
    pages.append(post(desk.client, f"{desk.place}/cancel", reason=hostile, count="1"))
    for page in pages:
        assert "&lt;script&gt;" in page.text
        assert not re.search(r"<script(?! src=\"/staff/assets/)|<img|<b>|onerror=alert\(2\)>(?!`)", page.text), page.url


# ------------------------------------------------------------------------------------------------ two at it


def asked(desk: Desk, deed: str) -> dict[str, str]:
    """What the form of the page that asks carries."""
    page = desk.client.get(f"{desk.place}/{deed}")
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


def test_a_page_that_is_overtaken_sends_nothing(desk: Desk) -> None:
    """A colleague set a time meanwhile: the old page's button does nothing, says so, and shows how it stands now."""
    desk.with_worker()
    login(desk.client)
    old = asked(desk, "send")
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT12:00")
    assert post(desk.client, f"{desk.place}/send-at", f"{desk.place}/send-at?at={at}", count=CROWD, at=at
                ).status_code == 303
    planned = desk.now.send_at
    refused = desk.client.post(f"{desk.place}/send", data=old, follow_redirects=False)
    assert refused.status_code == 409
    assert "has been changed since you were asked" in refused.text
    assert "It waits to leave on" in refused.text
    assert desk.now.send_at == planned
    assert post(desk.client, f"{desk.place}/send", count=CROWD).status_code == 303, "asked anew, it goes"


@pytest.mark.parametrize("deed", ["approve", "send", "send-at"])
def test_what_no_page_asked_is_not_done(desk: Desk, deed: str) -> None:
    """A form that skips the page that asks again does nothing, however good its token."""
    desk.with_worker()
    login(desk.client)
    form = {"form_token": token(desk.client.get("/staff/account")), "count": CROWD, "at": "2027-01-10T08:00"}
    answer = desk.client.post(f"{desk.place}/{deed}", data=form, follow_redirects=False)
    assert answer.status_code == 409
    assert "No page asked for this. Nothing was done." in answer.text
    assert (desk.now.send_at, desk.now.approved_by) == (desk.mailing.send_at, desk.mailing.approved_by)


def test_a_second_press_does_not_begin_the_countdown_anew(live: Desk) -> None:
    """Two presses, two tabs: the moment at which it leaves stays the one that was said first."""
    live.with_worker()
    control.approve(live.project, live.mailing.name, by="Ann")
    login(live.client)
    form = {**asked(live, "send"), "count": str(CROWD)}
    assert live.client.post(f"{live.place}/send", data=form, follow_redirects=False).status_code == 303
    leaves = live.now.send_at
    assert live.client.post(f"{live.place}/send", data=form, follow_redirects=False).status_code == 303
    assert "you pressed twice, and it goes once. It leaves in" in live.client.get(live.place).text
    assert live.now.send_at == leaves
    assert [action for _, action in live.audit()].count("send-now") == 1
    assert "refused" not in [action for _, action in live.audit()]


@pytest.mark.parametrize("meanwhile", ["held back", "a colleague"])
def test_only_ones_own_press_counts_as_the_first(live: Desk, meanwhile: str) -> None:
    """What was held back since, or set going by a colleague from the same page, is told as changed."""
    live.with_worker()
    control.approve(live.project, live.mailing.name, by="Ann")
    login(live.client)
    form = {**asked(live, "send"), "count": str(CROWD)}
    if meanwhile == "held back":
        live.client.post(f"{live.place}/send", data=form, follow_redirects=False)
        control.pause(live.project, live.mailing.name, reason="a wrong figure", actor="Ann")
    else:
        departure.at_once(live.project, live.mailing.name, count=CROWD, actor="Ann", page=form["seen"])
    answer = live.client.post(f"{live.place}/send", data=form, follow_redirects=False)
    assert answer.status_code == 409
    assert "has been changed since you were asked. Nothing was done." in answer.text


def test_two_presses_at_the_same_moment_are_one(live: Desk) -> None:
    """Both saw the mailing as it was: it is set going once, and both are told when it leaves."""
    live.with_worker()
    control.approve(live.project, live.mailing.name, by="Ann")
    mark = seen.mark(live.project, live.now)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: departure.at_once(live.project, live.mailing.name, count=CROWD, actor="Ann",
                                                          page=mark).send_at, range(4)))
    assert len(set(found)) == 1
    assert [action for _, action in live.audit()].count("send-now") == 1


def test_what_was_refused_stands_in_the_audit_log(desk: Desk) -> None:
    """Who wanted what of which mailing, and why it was not done; of too small a role also which deed."""
    login(desk.client)
    post(desk.client, f"{desk.place}/cancel", count=CROWD + 1)
    login(desk.client, Role.VIEW)
    post(desk.client, f"{desk.place}/cancel", "/staff/account", count=CROWD)
    with desk.project.store.reading() as connection:
        found = connection.execute(select(schema.audit.c.actor, schema.audit.c.detail).where(
            schema.audit.c.action == "refused").order_by(schema.audit.c.id)).all()
    assert [(row.actor, row.detail["deed"]) for row in found] == [
        (NAMES[Role.SEND], "cancel"), (NAMES[Role.VIEW], "cancel")]
    assert f"has {CROWD} messages, not {CROWD + 1}" in found[0].detail["why"]
    assert desk.now.state is MailingState.PLANNED


def test_what_was_cancelled_in_a_terminal_offers_no_button(desk: Desk) -> None:
    """The page was open; the refusal says why, and no form remains that could only be refused again."""
    desk.with_worker()
    login(desk.client)
    old = asked(desk, "send")
    control.cancel(desk.project, desk.mailing.name, reason="a wrong date", actor="staff")
    refused = desk.client.post(f"{desk.place}/send", data=old, follow_redirects=False)
    assert refused.status_code == 409
    assert "Send it now" not in refused.text


def test_a_deed_that_was_done_is_not_called_a_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database takes the deed and then not the words about it: the answer goes on to the mailing's page."""
    login(desk.client)
    page = desk.client.get(f"{desk.place}/cancel")
    kept = store_staff.change

    def busy(connection: Connection, session_id: int, **values: object) -> None:
        if values.get("flash"):
            raise StoreError("The database could not do it: database is locked.", retry=True)
        kept(connection, session_id, **values)

    monkeypatch.setattr(store_staff, "change", busy)
    done = desk.client.post(f"{desk.place}/cancel", follow_redirects=False, data={
        "form_token": token(page), "count": str(CROWD)})
    assert (done.status_code, desk.now.state) == (303, MailingState.CANCELLED)


def test_a_reason_is_one_line_without_tricks(desk: Desk) -> None:
    """What somebody types here is read in a colleague's terminal and kept by PostgreSQL: no escapes, no NUL."""
    desk.with_worker()
    login(desk.client)
    post(desk.client, f"{desk.place}/send", count=CROWD)
    login(desk.client, Role.PREPARE)
    assert post(desk.client, f"{desk.place}/pause", reason="a\0 wrong\x1b[2J\r\nname\u202e").status_code == 303
    assert desk.now.state_reason.isprintable()
    assert "wrong" in desk.now.state_reason


def test_who_is_disabled_while_a_form_arrives_does_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form may take 15 seconds to arrive: who may do what is looked at when it is here."""
    login(desk.client)
    page = desk.client.get(f"{desk.place}/cancel")
    read = forms._read

    async def slowly(request: Request) -> dict[str, str]:
        fields = await read(request)
        users.disable(desk.project.store, NAMES[Role.SEND])
        return fields

    monkeypatch.setattr(forms, "_read", slowly)
    answer = desk.client.post(f"{desk.place}/cancel", follow_redirects=False, data={
        "form_token": token(page), "count": str(CROWD)})
    assert answer.headers["location"] == "/staff/login"
    assert desk.now.state is MailingState.PLANNED


def test_going_on_is_told_as_it_will_be(desk: Desk) -> None:
    """What waits for its time goes on waiting, and both pages say until when."""
    desk.with_worker()
    login(desk.client)
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT12:00")
    post(desk.client, f"{desk.place}/send-at", f"{desk.place}/send-at?at={at}", count=CROWD, at=at)
    post(desk.client, f"{desk.place}/pause")
    assert "When you let it go on, it leaves on" in desk.client.get(f"{desk.place}/resume").text
    assert post(desk.client, f"{desk.place}/resume", count=CROWD).status_code == 303
    assert "is no longer held back. It leaves on" in desk.client.get(desk.place).text


# ------------------------------------------------------------------------------------------------ approval


def test_the_page_that_asks_for_approval_shows_what_changed(live: Desk) -> None:
    """Since somebody stood for it; words that differ are marked, and what the folder says since then as well."""
    control.approve(live.project, live.mailing.name, by="Ann")
    letter = live.project.folder / "appeals" / "harbour" / "letter.md"
    letter.write_text(letter.read_text("utf-8").replace("1862", "1863 < now"), "utf-8")
    practice = replace(live.project, settings=live.project.settings.model_copy(update={
        "project": live.project.settings.project.model_copy(update={"transport": "files"})}))
    with live.project.store.writing() as connection:
        connection.execute(update(schema.mailings).values(practice=True))
    again = planning.plan(practice, planning.Wish(appeal="harbour", rule=Rule(lists=("all",)))).mailing
    desk = facing(practice, again)
    login(desk.client)
    page = desk.client.get(f"{desk.place}/approve").text
    assert "Changed since what Ann approved on" in page
    assert "<del>1862</del>" in page
    assert "<ins>1863 &lt; now</ins>" in page
    assert "Not in what was planned" not in page
    letter.write_text(letter.read_text("utf-8").replace("Please", "Kindly"), "utf-8")
    assert "Not in what was planned" in desk.client.get(f"{desk.place}/approve").text


@pytest.mark.parametrize(("deed", "more"), [("send", {}), ("send-at", {"at": "2027-01-04T10:00"})])
def test_a_live_mailing_whose_folder_changed_goes_only_when_that_is_said(live: Desk, deed: str,
                                                                       more: dict[str, str]) -> None:
    """As in a terminal: refused with what has changed, unless the box is ticked; then what was planned leaves."""
    live.with_worker()
    control.approve(live.project, live.mailing.name, by="Ann")
    letter = live.project.folder / "appeals" / "harbour" / "letter.md"
    login(live.client)
    at = f"?at={more['at']}" if more else ""
    assert 'name="as_planned"' not in live.client.get(f"{live.place}/{deed}{at}").text
    letter.write_text(letter.read_text("utf-8").replace("1862", "1863"), "utf-8")
    refused = post(live.client, f"{live.place}/{deed}", f"{live.place}/{deed}{at}", count=CROWD, **more)
    assert refused.status_code == 409
    assert "and what would leave is what was planned" in refused.text
    assert "1863" in refused.text
    assert 'name="as_planned"' in refused.text
    assert live.now.send_at is None
    assert post(live.client, f"{live.place}/{deed}", f"{live.place}/{deed}{at}", count=CROWD, as_planned="yes", **more
                ).status_code == 303
    assert live.now.send_at


def test_an_approval_is_taken_back_on_the_page(live: Desk) -> None:
    """By who gave it, and nobody else; the deed is offered to them alone."""
    control.approve(live.project, live.mailing.name, by="Ann")
    login(live.client)
    assert "take-back" not in live.client.get(live.place).text
    assert live.client.get(f"{live.place}/take-back").status_code == 409
    assert post(live.client, f"{live.place}/take-back", f"{live.place}/cancel").status_code == 409
    control.approve(live.project, live.mailing.name, by=NAMES[Role.SEND])
    assert f'href="{live.place}/take-back"' in live.client.get(live.place).text
    done = post(live.client, f"{live.place}/take-back", reason="a wrong figure")
    assert done.status_code == 303
    assert "It still has enough approvals, by Ann" in live.client.get(live.place).text
    assert live.now.approved_by == "Ann"
    assert (NAMES[Role.SEND], "approval-withdrawn") in live.audit()


def test_the_first_of_two_approvals_is_not_enough(live: Desk) -> None:
    """The page says that one more must, and lets nobody send it."""
    rules = live.project.settings.approval.model_copy(update={"needed": 2})
    project = replace(live.project, settings=live.project.settings.model_copy(update={"approval": rules}))
    desk = facing(project, live.mailing).with_worker()
    login(desk.client)
    assert post(desk.client, f"{desk.place}/approve", count=CROWD).status_code == 303
    page = desk.client.get(desk.place).text
    assert f"by {NAMES[Role.SEND]}" in page
    assert "2 people must" in page
    assert f'href="{desk.place}/approve"' in page
    assert f'href="{desk.place}/send"' not in page
    control.approve(project, desk.mailing.name, by="Ben")
    assert f'href="{desk.place}/send"' in desk.client.get(desk.place).text
