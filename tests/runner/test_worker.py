"""The worker, as processes: it sends what is due, drains when told, and survives what befalls it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text

from pillarbox.ground import clock
from pillarbox.mailings import control
from pillarbox.runner.tick import Ticked
from pillarbox.runner.worker import MOST_AT_ONCE, Loop, _Sending
from pillarbox.standin.behaviour import Act, Behaviour, Fault
from pillarbox.standin.server import Standin
from pillarbox.store import mailings
from pillarbox.store.project import Project, open_project
from tests import projects
from tests.projects import TestProject

KEY = "SG.test.key"
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def made(folder: Path, count: int, **more: str) -> TestProject:
    """A project with a list called ``all``."""
    project = projects.make(folder / "p", **more)
    path = projects.write_list(folder / "list.csv", projects.crowd(count))
    project.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    return project


def until(what: Callable[[], object], seconds: float = 30.0, every: float = 0.05) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came true"
        time.sleep(every)


def until_it_is(state: str, project: TestProject, name: str, seconds: float = 30.0) -> None:
    """Wait until `status` gives a mailing this state; asked oftener, it takes more of the machine than a worker."""
    until(lambda: project.json("status", name)["state"] == state, seconds, every=0.4)


def database(engine: str, request: pytest.FixtureRequest) -> str:
    """The database of a test on one engine."""
    return "" if engine == "sqlite" else str(request.getfixturevalue("postgres_for_project"))


def as_if(project: TestProject, name: str, monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Write some columns of a mailing, as another part of the program would have."""
    for key, value in project.environment.items():
        monkeypatch.setenv(key, value)
    inside: Project = open_project(project.folder)
    with inside.store.writing() as connection:
        mailings.change(connection, mailings.find(connection, name).id, **values)
    inside.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_two_workers_share_what_is_due(engine: str, tmp_path: Path, request: pytest.FixtureRequest,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailing whose time comes is started once and sent once, however many workers there are; SIGTERM ends each."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.1)) as standin:
        project = made(tmp_path, 1_500, transport="sendgrid", sendgrid_url=standin.url,
                       database=database(engine, request))
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        workers = [project.start("worker") for _ in range(2)]
        try:
            time.sleep(2)
            assert standin.counts()["requests"] == 0, "nobody asked for it to be sent"
            as_if(project, name, monkeypatch, send_at=clock.now() + timedelta(seconds=1), send_by="Alice")
            until_it_is("sent", project, name)
        finally:
            for one in workers:
                one.send_signal(signal.SIGTERM)
            said = [one.communicate(timeout=20)[0] for one in workers]
        assert [one.returncode for one in workers] == [0, 0], said
        assert sum(f"{name} is started, as Alice asked" in words for words in said) >= 1, said
        found = standin.counts()
        assert (found["personalizations"], found["duplicates"]) == (1_500, 0)


def test_sigterm_lets_the_request_in_flight_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left in doubt, nothing new starts, exit 0; the next worker goes on from there."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=1.0)) as standin:
        project = made(tmp_path, 1_500, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        as_if(project, name, monkeypatch, send_at=clock.now())
        worker = project.start("worker")
        until(lambda: standin.counts()["requests"])
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=20)
        assert worker.returncode == 0, err
        found = project.json("status", name)
        assert found["state"] == "sending"
        assert found["in_doubt"] == 0
        assert 0 < found["accepted"] == standin.counts()["personalizations"] < 1_500, out
        done = project.json("worker", "--once")
        assert f"{name} is done." in done["did"] or project.json("status", name)["state"] == "sent", done
        assert standin.counts()["duplicates"] == 0
        assert project.json("status", name)["accepted"] == 1_500


def test_once_with_nothing_due(tmp_path: Path) -> None:
    """It says so and exits with 0."""
    project = made(tmp_path, 3)
    assert "Nothing is due" in project.run("worker", "--once").stdout


def test_once_with_a_provider_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to wait is said, in words and in JSON; nobody is told that nothing is due."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = made(tmp_path, 12, transport="sendgrid", sendgrid_url=standin.url)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    as_if(project, name, monkeypatch, send_at=clock.now())
    said = project.run("worker", "--once").stdout
    assert f"{name} has to wait: SendGrid cannot be reached" in said
    said = project.run("worker", "--once").stdout
    assert f"{name} has to wait" in said
    assert "Nothing is due" not in said
    [fault] = project.json("worker", "--once")["faults"]
    assert f"{name} has to wait" in fault


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for no answer; the next worker sees to what was on its way, and nothing is sent twice."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=12.0)) as standin:
        project = made(tmp_path, 12, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        as_if(project, name, monkeypatch, send_at=clock.now())
        worker = project.start("worker")
        until(lambda: standin.counts()["requests"])
        began = time.monotonic()
        worker.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert worker.poll() is None, "the first lets it finish"
        worker.send_signal(signal.SIGINT)
        _, err = worker.communicate(timeout=20)
        assert time.monotonic() - began < 6
        assert worker.returncode == 1
        assert "Ended at once" in err
        project.run("worker", "--once")
        found = project.json("status", name)
        assert found["in_doubt"] > 0
        assert found["in_doubt"] + found["accepted"] == 12
        assert standin.counts()["duplicates"] == 0


def test_who_only_waits_takes_nobodys_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four mailings that wait for a limit or a watch do not keep a fifth from being sent."""
    project = made(tmp_path, 3)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    for key, value in project.environment.items():
        monkeypatch.setenv(key, value)
    inside = open_project(project.folder)
    control.start(inside, name, actor="Alice")
    with inside.store.reading() as connection:
        mailing = mailings.find(connection, name)
    over = threading.Event()
    for waits, sent in ((False, False), (True, True)):
        loop = Loop(project=inside)
        for number in range(MOST_AT_ONCE):
            loop._sending[-1 - number] = _Sending(thread=threading.Thread(target=over.wait), waits=waits)
            loop._sending[-1 - number].thread.start()
        loop._send_all(Ticked(sendable=[mailing]))
        assert (mailing.id in loop._sending) is sent
    loop._sending[mailing.id].thread.join()
    over.set()
    inside.close()


def test_a_wrong_key_pauses_and_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker does not spin: the mailing is paused with the reason, nothing is handed over, staff are told."""
    with Standin(Behaviour(api_key="SG.another")) as standin:
        project = made(tmp_path, 12, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        as_if(project, name, monkeypatch, send_at=clock.now())
        worker = project.start("worker")
        try:
            until_it_is("paused", project, name)
            time.sleep(3)
        finally:
            worker.send_signal(signal.SIGTERM)
            said, _ = worker.communicate(timeout=20)
        assert worker.returncode == 0
        assert said.count("does not accept the API key") == 1, said
        assert standin.counts()["requests"] == 0
        assert "does not accept the API key" in project.run("status", name).stdout


@pytest.mark.parametrize("damage", [{"audience": {"lists": 5}}, {"audience": []}])
def test_a_mailing_that_is_broken_does_not_stop_the_others(damage: dict[str, object], tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """It is paused with a sentence that holds no data; the next one goes."""
    project = made(tmp_path, 12)
    broken, whole = (project.json("plan", "harbour", "--list", "all", "--again", label)["mailing"] for label in "ab")
    as_if(project, broken, monkeypatch, send_at=clock.now(), **damage)
    as_if(project, whole, monkeypatch, send_at=clock.now())
    done = project.json("worker", "--once")
    assert any(f"{broken} is paused: Something broke inside Pillarbox" in words for words in done["did"]), done
    assert project.json("status", whole)["state"] == "sent", done
    assert project.json("status", broken)["state"] == "paused"


def test_a_provider_that_is_away_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers: said once, tried again after a while, and sent when it is back; never paused."""
    standin = Standin(Behaviour(api_key=KEY)).start()
    url = standin.url
    project = made(tmp_path, 12, transport="sendgrid", sendgrid_url=url)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    standin.stop()
    as_if(project, name, monkeypatch, send_at=clock.now())
    worker = project.start("worker")
    try:
        until_it_is("sending", project, name)
        time.sleep(3)
        with Standin(Behaviour(api_key=KEY), port=int(url.rpartition(":")[2])) as again:
            until_it_is("sent", project, name, seconds=60)
            assert again.counts()["personalizations"] == 12
    finally:
        worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=20)
    assert said.count("has to wait") == 1, said


@pytest.mark.postgres
def test_the_database_goes_away_and_comes_back(tmp_path: Path, postgres_url: str, postgres_database: str,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    """In mid-send, for longer than a tick: said once, nothing lost, nothing twice, and it goes on by itself."""
    name = postgres_database.rpartition("/")[2]
    admin = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.2)) as standin, admin.connect() as connection:
        project = made(tmp_path, 1_500, transport="sendgrid", sendgrid_url=standin.url, database=postgres_database)
        mailing = project.json("plan", "harbour", "--list", "all")["mailing"]
        as_if(project, mailing, monkeypatch, send_at=clock.now())
        worker = project.start("worker")
        try:
            until(lambda: standin.counts()["requests"] > 1)
            connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"))
            connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
                               {"name": name})
            time.sleep(6)
            assert worker.poll() is None
            connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"))
            until_it_is("sent", project, mailing, seconds=90)
        finally:
            worker.send_signal(signal.SIGTERM)
            said, _ = worker.communicate(timeout=20)
        assert worker.returncode == 0, said
        assert said.count("Waiting for it") == 1, said
        assert "The database is back" in said
        found = project.json("status", mailing)
        assert (found["accepted"], found["in_doubt"]) == (1_500, 0), found
        assert (standin.counts()["personalizations"], standin.counts()["duplicates"]) == (1_500, 0)
    admin.dispose()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_and_send_share_a_mailing(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """`send` in the foreground ends when the mailing has, whoever sent which part; told to end, it says who goes on."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.5)) as standin:
        project = made(tmp_path, 2_500, transport="sendgrid", sendgrid_url=standin.url,
                       database=database(engine, request))
        first = project.json("plan", "harbour", "--list", "all")["mailing"]
        worker = project.start("worker")
        try:
            until(lambda: "Working for" in (worker.stdout.readline() if worker.stdout else ""))
            assert project.json("send", first, "--yes")["state"] == "sent"
            second = project.json("plan", "harbour", "--list", "all", "--again", "second")["mailing"]
            sender = project.start("send", second, "--yes")
            until(lambda: standin.counts()["personalizations"] > 2_500)
            sender.send_signal(signal.SIGINT)
            _, said = sender.communicate(timeout=30)
            if sender.returncode:
                assert "A worker goes on with it" in said, said
            until_it_is("sent", project, second, seconds=60)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=20)
        assert (standin.counts()["personalizations"], standin.counts()["duplicates"]) == (5_000, 0)


def test_told_to_end_while_the_provider_asks_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long 429 does not hold the worker: it ends at once, and what was not sent waits."""
    behaviour = Behaviour(api_key=KEY, faults=lambda _: Fault(act=Act.ANSWER, status=429, reset_seconds=300))
    with Standin(behaviour) as standin:
        project = made(tmp_path, 12, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        as_if(project, name, monkeypatch, send_at=clock.now())
        worker = project.start("worker")
        until(lambda: standin.counts()["requests"])
        time.sleep(0.5)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=20)
        assert worker.returncode == 0
        assert time.monotonic() - began < 15
        assert project.json("status", name)["remaining"] == 12


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_interrupted_is_found_outside_its_hours(engine: str, tmp_path: Path, request: pytest.FixtureRequest,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker pauses it and sends nothing; `status` says what went and what waits; `send` says when it may."""
    project = made(tmp_path, 12, database=database(engine, request))
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    here = clock.now().astimezone(ZoneInfo("Europe/London"))
    begin = (here.hour + 3) % 22
    hours = f"{begin:02}:00-{begin + 1:02}:00"
    as_if(project, name, monkeypatch, state="sending", started_at=clock.now() - timedelta(days=1), hours=hours)
    assert f"within {hours} only" in project.run("send", name, "--yes", expect=1).stderr
    done = project.json("worker", "--once")
    assert done["sendable"] == []
    assert project.json("status", name)["state"] == "paused"
    said = project.run("status", name).stdout
    assert "interrupted" in said
    assert "0 of 12 were handed over, 12 wait" in said
    project.run("resume", name)
    assert project.json("worker", "--once")["sendable"] == []
    assert "goes on" in project.run("status", name).stdout
