"""`send --at` and `--hold-at-sendgrid`: who sees to it, when, and what takes it back."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pillarbox.ground import clock
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.server import Standin
from tests import forked, projects
from tests.runner.test_worker import ENGINES, KEY, as_if, database, made, until, until_it_is


def local(**ahead: float) -> str:
    """A time so far ahead, as staff type it."""
    return f"{(clock.now() + timedelta(**ahead)).astimezone(ZoneInfo('Europe/London')):%d %b %Y %H:%M:%S}"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_sends_at_the_time_that_staff_named(engine: str, tmp_path: Path,
                                                     request: pytest.FixtureRequest) -> None:
    """Refused without a worker; with one it waits, is shown in words, and leaves when its time comes, once."""
    project = made(tmp_path, 12, database=database(engine, request))
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    said = project.run("send", name, "--yes", "--at", local(hours=2), expect=1).stderr
    assert "No worker has been seen" in said
    assert "pillarbox worker" in said
    assert project.json("status", name)["state"] == "planned"
    worker = project.start("worker")
    try:
        until(lambda: _is_taken(project, name, hours=2), every=0.4)
        assert "It waits to leave on" in project.run("status", name).stdout
        assert "would take its place" in project.run("plan", "harbour", "--list", "all", "--again", "practice-1",
                                                     expect=1).stderr
        found = project.json("send", name, "--yes", "--at", local(seconds=25))
        assert (found["state"], found["remaining"]) == ("planned", 12)
        until_it_is("sent", project, name, seconds=90)
        assert project.json("status", name)["accepted"] == 12
    finally:
        worker.send_signal(signal.SIGINT)
        worker.communicate(timeout=20)
    assert worker.returncode == 0


def _is_taken(project: projects.TestProject, name: str, **ahead: float) -> bool:
    """Whether the mailing may wait: a worker has said that it is there."""
    done = forked.run(("-C", str(project.folder), "send", name, "--yes", "--at", local(**ahead)), folder=projects.ROOT,
                      environment={**os.environ, **project.environment}, timeout_seconds=60)
    assert done.returncode == 0 or "No worker" in done.stderr, done.stderr
    return done.returncode == 0


def _waits(project: object, name: str, **ahead: float) -> bool:
    return project.json("send", name, "--yes", "--at", local(**ahead))["state"] == "planned"  # type: ignore[attr-defined]


def test_times_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the past, nonsense, too far for SendGrid, outside the hours: a sentence, exit 1, nothing changed."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = made(tmp_path, 3, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        for at, more, words in (("10 Dec 2020 08:00", (), "in the past"), ("soon", (), "cannot be read"),
                                ("10 Dec", (), "leaves something out"),
                                (local(hours=80), ("--hold-at-sendgrid",), "72 hours at most")):
            said = project.run("send", name, "--yes", "--at", at, *more, expect=1).stderr
            assert words in said, said
        assert "needs --at" in project.run("send", name, "--yes", "--hold-at-sendgrid", expect=2).stderr
        hour = (clock.now() + timedelta(hours=5)).astimezone(ZoneInfo("Europe/London")).hour % 22
        as_if(project, name, monkeypatch, hours=f"{hour:02}:00-{hour + 1:02}:59")
        outside = (clock.now().astimezone(ZoneInfo("Europe/London")) + timedelta(days=2)).replace(
            hour=23 if hour < 20 else 3, minute=0, second=0)
        said = project.run("send", name, "--yes", "--at", f"{outside:%d %b %Y %H:%M}", "--hold-at-sendgrid",
                           expect=1).stderr
        assert "outside the hours" in said
        assert project.json("status", name)["state"] == "planned"
        assert standin.counts()["requests"] == 0


def test_sendgrid_only_keeps_what_goes_through_it(tmp_path: Path) -> None:
    """The files transport has nobody who would keep letters."""
    project = made(tmp_path, 3)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    said = project.run("send", name, "--yes", "--at", local(hours=3), "--hold-at-sendgrid", expect=1).stderr
    assert "Only SendGrid keeps letters" in said


@pytest.mark.parametrize("engine", ENGINES)
def test_sendgrid_keeps_a_mailing_and_gives_it_back(
        engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Handed over now, held; cancelling takes back every letter at SendGrid and says so in the ledger."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = made(tmp_path, 300, transport="sendgrid", sendgrid_url=standin.url,
                       database=database(engine, request))
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        found = project.json("send", name, "--yes", "--at", local(hours=5), "--hold-at-sendgrid")
        assert (found["state"], found["accepted"], found["remaining"]) == ("held", 300, 0)
        assert (standin.counts()["held"], standin.counts()["personalizations"]) == (300, 0)
        assert "SendGrid keeps it until" in project.run("status", name).stdout
        assert "lies at SendGrid" in project.run("send", name, "--yes", expect=1).stderr
        assert "cannot be paused" in project.run("pause", name, expect=1).stderr
        project.run("worker", "--once")
        assert project.json("status", name)["state"] == "held"
        project.run("cancel", name, "--reason", "wrong picture")
        found = project.json("status", name)
        assert (found["state"], found["accepted"], found["cancelled"]) == ("cancelled", 0, 300)
        standin.scheduled.release(clock.now() + timedelta(hours=6))
        assert (standin.counts()["discarded"], standin.counts()["personalizations"]) == (300, 0)
        assert "cancelled" in project.run("cancel", name, expect=1).stderr
        assert project.json("plan", "harbour", "--list", "all")["planned"] == 300


def test_what_sendgrid_does_not_confirm_stays_as_it_is(tmp_path: Path) -> None:
    """Too near its time, or no answer at all: the mailing is held as before, in words."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = made(tmp_path, 5, transport="sendgrid", sendgrid_url=standin.url)
        near, far = (project.json("plan", "harbour", "--list", "all", "--again", label)["mailing"]
                     for label in ("near", "far"))
        project.run("send", near, "--yes", "--at", local(minutes=9), "--hold-at-sendgrid")
        project.run("send", far, "--yes", "--at", local(hours=9), "--hold-at-sendgrid")
        assert "last 10 minutes" in project.run("cancel", near, expect=1).stderr
    assert "not confirmed" in project.run("cancel", far, expect=1).stderr
    for name in (near, far):
        found = project.json("status", name)
        assert (found["state"], found["accepted"], found["cancelled"]) == ("held", 5, 0)


def test_a_cancel_whose_answer_was_lost_is_found_out(tmp_path: Path) -> None:
    """SendGrid had cancelled already: asked again it says so, and the ledger follows."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = made(tmp_path, 5, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        project.run("send", name, "--yes", "--at", local(hours=5), "--hold-at-sendgrid")
        (batch,) = standin.scheduled._batches
        standin.scheduled.post("/v3/user/scheduled_sends", {"batch_id": batch, "status": "cancel"}, clock.now())
        project.run("cancel", name)
        assert project.json("status", name)["cancelled"] == 5


def test_a_cancel_that_died_half_way_is_found_out_at_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SendGrid had agreed, the ledger did not learn of it: it is not called sent."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = made(tmp_path, 5, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        project.run("send", name, "--yes", "--at", local(hours=5), "--hold-at-sendgrid")
        (batch,) = standin.scheduled._batches
        standin.scheduled.post("/v3/user/scheduled_sends", {"batch_id": batch, "status": "cancel"}, clock.now())
        as_if(project, name, monkeypatch, send_at=clock.now(), state_reason="SendGrid was asked to take it back")
        found = project.json("status", name)
        assert (found["state"], found["accepted"], found["cancelled"]) == ("cancelled", 0, 5)


def test_after_its_time_a_held_mailing_is_sent(tmp_path: Path) -> None:
    """Without any worker: whoever asks sees that it has left."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = made(tmp_path, 5, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        found = project.json("send", name, "--yes", "--at", local(seconds=30), "--hold-at-sendgrid")
        assert found["state"] == "held"
        until_it_is("sent", project, name, seconds=60)
        assert (standin.counts()["held"], standin.counts()["personalizations"]) == (0, 5)


def test_resume_of_a_mailing_that_was_cancelled(tmp_path: Path) -> None:
    """A sentence, exit 1, nothing changed."""
    project = made(tmp_path, 3)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    project.run("cancel", name)
    assert "cancelled" in project.run("resume", name, expect=1).stderr
    assert project.json("status", name)["state"] == "cancelled"
