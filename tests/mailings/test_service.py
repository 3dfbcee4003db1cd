"""A service letter goes once, to whom it can reach, as it was approved; what nobody knows is in doubt and stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pillarbox.deliver import single
from pillarbox.doctor import service as doctor
from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.keys import new_key
from pillarbox.mailings import service
from pillarbox.model.config import Settings
from pillarbox.model.states import SuppressionReason
from pillarbox.people import rights
from pillarbox.runner.tick import tick
from pillarbox.standin.behaviour import Act, Behaviour, Fault, Stage
from pillarbox.standin.server import Standin
from pillarbox.store import schema, workers
from pillarbox.store import service as table
from pillarbox.store.project import Project
from tests.deliver.mailserver import Breaking, Inbox, running

VALUES = {"link": "https://letters.harbour.example/join/confirm/abc", "days": "7"}
LOST = Fault(act=Act.CLOSE, stage=Stage.AFTER_ACCEPTING)


def ask(project: Project, address: str = "alice@example.org", *, kind: str = "confirm", **more: object) -> None:
    """Somebody asks for a letter."""
    with project.store.writing() as connection:
        table.ask(connection, kind=kind, deed=new_key(), address=address, address_hash=f"{address:x<32}"[:32],
                  values=VALUES, **more)  # type: ignore[arg-type]


def states(project: Project) -> list[str]:
    """What became of the letters, in the order of asking."""
    with project.store.reading() as connection:
        return list(connection.execute(select(schema.service_letters.c.state)
                                       .order_by(schema.service_letters.c.id)).scalars())


def told(project: Project) -> list[str]:
    """What staff are told."""
    with project.store.reading() as connection:
        return list(connection.execute(select(schema.notices.c.words).order_by(schema.notices.c.id)).scalars())


def by_sendgrid(project: Project, standin: Standin) -> Project:
    """The project with this stand-in as its provider."""
    given = project.settings
    return replace(project, settings=given.model_copy(update={
        "project": given.project.model_copy(update={"transport": "sendgrid"}),
        "sendgrid": given.sendgrid.model_validate({"api_key": "SG.k", "url": standin.url})}))


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent on this machine is taken to reach people."""
    monkeypatch.setattr(Settings, "practice", property(lambda _settings: False))


def test_one_plain_letter_by_sendgrid(project: Project) -> None:
    """HTML and text, nothing tracked, no way to leave, no argument of a message; then its link is forgotten."""
    ask(project)
    with Standin(Behaviour(api_key="SG.k")) as standin:
        assert service.deliver(by_sendgrid(project, standin)) == 1
        (mail,) = standin.messages
    assert (mail.address, mail.categories, mail.custom_args) == ("alice@example.org", ("service",), {})
    assert (mail.open_tracking, mail.click_tracking, mail.subscription_tracking) == (False, False, False)
    assert dict(mail.headers) == {"Auto-Submitted": "auto-generated", "X-Pillarbox-Practice": "yes"}
    assert VALUES["link"] in mail.text
    assert f'href="{VALUES["link"]}"' in mail.html
    assert states(project) == ["accepted"]
    with project.store.reading() as connection:
        assert connection.execute(select(schema.service_letters.c["values"])).scalar_one() == {}


def test_by_smtp(project: Project) -> None:
    """By the project's mail server, one letter a talk."""
    ask(project)
    inbox = Inbox()
    given = project.settings
    with running(inbox) as port:
        settings = given.model_copy(update={
            "project": given.project.model_copy(update={"transport": "smtp"}),
            "smtp": given.smtp.model_validate({"host": "127.0.0.1", "port": port, "security": "none"})})
        assert service.deliver(replace(project, settings=settings)) == 1
    assert inbox.mails[0][0] == ["alice@example.org"]
    assert b"Auto-Submitted: auto-generated" in inbox.mails[0][1]
    assert b"List-" not in inbox.mails[0][1]


@pytest.mark.parametrize(("stage", "state"), [("dot", "in_doubt"), ("rcpt", "waiting"), ("connect", "waiting")])
def test_a_mail_server_that_hangs_up(project: Project, stage: str, state: str) -> None:
    """The whole letter was handed over, and then nothing: in doubt; before that, it surely did not go."""
    ask(project)
    given = project.settings
    with Breaking(stage) as server:
        settings = given.model_copy(update={
            "project": given.project.model_copy(update={"transport": "smtp"}),
            "smtp": given.smtp.model_validate({"host": "127.0.0.1", "port": server.port, "security": "none",
                                               "timeout_seconds": 1.0})})
        service.deliver(replace(project, settings=settings))
    assert states(project) == [state]


def test_a_lost_answer_is_doubt_for_good(project: Project) -> None:
    """It went, and nobody knows: not sent again, staff are told without a name, and the link's use heals it."""
    ask(project)
    with Standin(Behaviour(api_key="SG.k", faults={1: LOST})) as standin:
        there = by_sendgrid(project, standin)
        for _ in range(3):
            assert service.deliver(there) == 0
        with clock.freeze(clock.now() + timedelta(days=3)):
            service.deliver(there)
        assert standin.counts()["accepted"] == 1
    assert states(project) == ["in_doubt"]
    assert "in doubt" in told(project)[0]
    assert "alice" not in " ".join(told(project))
    with project.store.writing() as connection:
        deed = connection.execute(select(schema.service_letters.c.deed)).scalar_one()
        table.prove(connection, kind="confirm", deed=deed)
    assert states(project) == ["accepted"]


def test_surely_unsent_is_tried_again_with_an_end(project: Project) -> None:
    """Ever more rarely, a dozen times; then it failed, and staff are told."""
    ask(project)
    away = dict.fromkeys(range(1, 100), Fault(act=Act.ANSWER, status=429))
    start = clock.now()
    with Standin(Behaviour(api_key="SG.k", faults=away)) as standin:
        there = by_sendgrid(project, standin)
        service.deliver(there)
        service.deliver(there)
        assert standin.counts()["requests"] == 1, "not at once again"
        for quarter in range(1, 80):
            with clock.freeze(start + timedelta(minutes=15 * quarter)):
                service.deliver(there)
        assert standin.counts()["requests"] == service.MOST_TRIES
    assert states(project) == ["failed"]
    assert "given up" in told(project)[-1]


def test_one_that_is_refused_does_not_stop_the_rest(project: Project) -> None:
    """A 400 that blames the letter fails it; the next goes."""
    ask(project)
    ask(project, "bob@example.org")
    with Standin(Behaviour(api_key="SG.k", faults={1: Fault(act=Act.ANSWER, status=400)})) as standin:
        service.deliver(by_sendgrid(project, standin))
        service.deliver(by_sendgrid(project, standin))
    assert states(project) == ["failed", "accepted"]


def test_what_comes_too_late_fails(project: Project) -> None:
    """After its moment a letter is of no use."""
    ask(project, not_after=clock.now() - timedelta(seconds=1))
    assert service.deliver(project) == 0
    assert states(project) == ["failed"]


@pytest.mark.parametrize(("reason", "state"), [
    ("bounced", "failed"), ("invalid", "failed"), ("erased", "failed"),
    ("unsubscribed", "accepted"), ("complained", "accepted"), ("fps", "accepted"), ("manual", "accepted")])
def test_hard_suppressions_hold(project: Project, reason: str, state: str) -> None:
    """Where nothing arrives, or nobody may be known, nothing goes; what was said about marketing is no hindrance."""
    ask(project)
    with project.store.writing() as connection:
        rights.suppress(connection, address_hash=f"{'alice@example.org':x<32}"[:32], address=None, source="test",
                        reason=SuppressionReason(reason), at=clock.now())
    service.deliver(project)
    assert states(project) == [state]


def test_a_live_project_sends_what_was_approved(project: Project, live: None) -> None:
    """Until somebody stands for these very words nobody gets them; staff are told once; a change asks again."""
    ask(project)
    settings = project.settings.model_copy(update={
        "sender": project.settings.sender.model_copy(update={"email": "letters@renecassin.org"})})
    with project.store.writing() as connection:
        connection.execute(update(schema.service_letters).values(address="alice@gmail.com"))
    project = replace(project, settings=settings)
    start = clock.now()
    for minute in range(3):
        with clock.freeze(start + timedelta(minutes=2 * minute)):
            assert service.deliver(project) == 0
    assert states(project) == ["waiting"]
    assert len([words for words in told(project) if "waits for approval" in words]) == 1
    with pytest.raises(Refused):
        service.approve(project, "confirm", by="  ")
    assert [finding.code for finding in doctor.examine(project)] == ["service-approval"]
    service.approve(project, "confirm", by="Dana")
    assert list(doctor.examine(project)) == []
    assert service.deliver(project) == 1
    own = project.folder / "templates" / "service" / "confirm"
    own.mkdir(parents=True)
    for name in ("appeal.toml", "letter.md"):
        (own / name).write_text((Path("templates/service/confirm") / name).read_text("utf-8"), "utf-8")
    assert [one.approved_by for one in service.overview(project) if one.kind == "confirm"] == ["Dana"]
    (own / "letter.md").write_text("Hello, please click {{ deed.link }}", "utf-8")
    assert [one.approved_by for one in service.overview(project) if one.kind == "confirm"] == [""]
    # A newsletter's layout is no part of it.
    (own / "letter.md").write_text(Path("templates/service/confirm/letter.md").read_text("utf-8"), "utf-8")
    (project.folder / "templates" / "layouts").mkdir()
    (project.folder / "templates" / "layouts" / "newsletter.html").write_text("<p>new</p>", "utf-8")
    assert [one.approved_by for one in service.overview(project) if one.kind == "confirm"] == ["Dana"]


def test_a_live_project_writes_to_no_reserved_domain(project: Project, live: None) -> None:
    """example.org receives no mail: the letter fails instead of bouncing."""
    project = replace(project, settings=project.settings.model_copy(update={
        "sender": project.settings.sender.model_copy(update={"email": "letters@renecassin.org"})}))
    service.approve(project, "confirm", by="Dana")
    ask(project)
    assert service.deliver(project) == 0
    assert states(project) == ["failed"]


def test_a_letter_with_faults_waits(project: Project) -> None:
    """Staff are told once; mended, it goes."""
    own = project.folder / "templates" / "service" / "confirm"
    own.mkdir(parents=True)
    (own / "appeal.toml").write_text('title = "x"\nsubject = "x"\nkind = "service"\nlayout = "nothing"\n', "utf-8")
    (own / "letter.md").write_text("Hello", "utf-8")
    ask(project)
    service.deliver(project)
    assert states(project) == ["waiting"]
    assert "has faults" in told(project)[0]
    (own / "appeal.toml").write_text('title = "x"\nsubject = "x"\nkind = "service"\nlayout = "service"\n', "utf-8")
    with clock.freeze(clock.now() + timedelta(minutes=2)):
        assert service.deliver(project) == 1


def test_a_letter_that_lacks_something_fails(project: Project) -> None:
    """One deed that does not say what its letter reads keeps back no other."""
    with project.store.writing() as connection:
        table.ask(connection, kind="confirm", deed="d", address="alice@example.org", address_hash="x" * 32, values={})
    ask(project, "bob@example.org")
    assert service.deliver(project) == 1
    assert states(project) == ["failed", "accepted"]


def test_many_workers_send_one_letter_each(project: Project) -> None:
    """Four at once: every letter once."""
    for number in range(8):
        ask(project, f"p{number}@example.org")
    gate = threading.Barrier(4)
    with Standin(Behaviour(api_key="SG.k", latency_seconds=0.05)) as standin:
        there = by_sendgrid(project, standin)

        def one() -> None:
            gate.wait()
            service.deliver(there)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(mail.address for mail in standin.messages) == [f"p{number}@example.org" for number in range(8)]
    assert set(states(project)) == {"accepted"}


SENDER = """
import sys
from pathlib import Path
from pillarbox.mailings import service
from pillarbox.store.project import open_project
service.deliver(open_project(Path(sys.argv[1])))
"""


def test_kill_9_between_claim_and_answer(project: Project, tmp_path: Path) -> None:
    """The letter went, its sender died before the answer: in doubt, and nobody sends it a second time."""
    ask(project)
    with Standin(Behaviour(api_key="SG.k", latency_seconds=20)) as standin:
        there = by_sendgrid(project, standin)
        sender = subprocess.Popen([sys.executable, "-c", SENDER, str(project.folder)], env={
            **os.environ, "PILLARBOX_TRANSPORT": "sendgrid", "SENDGRID_API_KEY": "SG.k",
            "PILLARBOX_SENDGRID_URL": standin.url})
        until = time.monotonic() + 30
        while not standin.counts()["requests"] and time.monotonic() < until:
            time.sleep(0.02)
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        assert states(project) == ["submitting"]
        for _ in range(3):
            service.deliver(there)
        assert states(project) == ["in_doubt"]
        assert standin.counts()["requests"] == 1
    assert "in doubt" in told(project)[0]


def test_a_dead_writer_of_files_is_repeated(project: Project) -> None:
    """A file is replaced by the same: where that is the way out, nothing stays in doubt."""
    ask(project)
    with project.store.writing() as connection:
        connection.execute(update(schema.service_letters).values(
            state="submitting", transport="files", worker="elsewhere:-:1:-", tries=1, lease_until=clock.now()))
    assert service.deliver(project) == 1
    assert states(project) == ["accepted"]


def test_a_sender_that_wakes_late_changes_nothing(project: Project) -> None:
    """What a claim settles, it settles only while it is the newest."""
    ask(project)
    with project.store.writing() as connection:
        (row,) = table.due(connection, 5)
        first = table.claim(connection, row, worker="a", transport="files", lease=timedelta(seconds=-1))
        table.bury(connection)
        (row,) = table.due(connection, 5)
        second = table.claim(connection, row, worker="b", transport="files", lease=timedelta(minutes=1))
        assert (first, second) == (1, 2)
        assert not table.settle(connection, row.id, 1, state="accepted")
        assert table.settle(connection, row.id, 2, state="accepted")


def test_the_worker_delivers(project: Project) -> None:
    """A tick hands over what waits."""
    ask(project)
    tick(project, worker="test")
    assert states(project) == ["accepted"]


def test_without_a_worker_it_goes_at_once(project: Project) -> None:
    """In a thread of its own; where a worker lives it is the worker's; a timer does not count."""
    ask(project)
    with project.store.writing() as connection:
        workers.beat(connection, "timer", kind="once", host="h")
    thread = service.soon(project)
    assert thread is not None
    thread.join()
    assert states(project) == ["accepted"]
    with project.store.writing() as connection:
        workers.beat(connection, "w", kind="worker", host="h")
    assert service.soon(project) is None


def test_it_never_raises(project: Project) -> None:
    """Whatever stands in the way, the worker that calls has mailings to send."""
    project.folder.joinpath("var", "mail").mkdir(parents=True, exist_ok=True)
    project.folder.joinpath(*single.FOLDER).write_text("not a folder", "utf-8")
    ask(project)
    assert service.deliver(project) == 0
    assert states(project) == ["waiting"]
    schema.service_letters.drop(project.store.writer)
    assert service.deliver(project) == 0
