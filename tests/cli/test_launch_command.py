"""Launch, limits and reins from the outside: real processes against a local SendGrid."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pillarbox.standin.behaviour import Act, Behaviour, Fault, Mode
from pillarbox.standin.events import events
from pillarbox.standin.reactions import Rates
from pillarbox.standin.server import Standin
from tests import projects
from tests.cli.test_sending import KEY, with_people
from tests.projects import TestProject

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def made(folder: Path, standin: Standin, settings: str, *, people: int = 300, database: str = "") -> tuple[
        TestProject, str]:
    """A project with a planned mailing; returns it, and the mailing's name."""
    project = projects.make(folder / "p", transport="sendgrid", sendgrid_url=standin.url, database=database)
    file = project.folder / "pillarbox.toml"
    file.write_text(file.read_text("utf-8") + settings, "utf-8")
    with_people(project, folder, people)
    return project, project.json("plan", "harbour", "--list", "all")["mailing"]


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def said(sender: subprocess.Popen[str], *, within: float = 60) -> str:
    """What a sender wrote, once it has ended."""
    out, words = sender.communicate(timeout=within)
    return out + words


LAUNCH = "[launch]\ncountdown_seconds = 0\nfirst = 50\nwatch_minutes = {watch}\n"


@pytest.mark.parametrize("engine", ENGINES)
def test_four_senders_share_one_rate(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Four processes on one mailing at 100 a second: in any second no more than that and one batch; all arrive once."""
    database = "" if engine == "sqlite" else request.getfixturevalue("postgres_for_project")
    with Standin(Behaviour(api_key=KEY)) as standin:
        project, name = made(tmp_path, standin, "", people=800, database=database)
        senders = [project.start("send", name, "--yes", "--rate", "100") for _ in range(4)]
        for sender in senders:
            said(sender, within=120)
        times = sorted(kept.accepted_at.timestamp() for kept in standin.messages)
        assert (len(times), standin.counts()["duplicates"]) == (800, 0)
        sizes: dict[str, int] = {}
        for kept in standin.messages:
            sizes[kept.request_id] = sizes.get(kept.request_id, 0) + 1
        batch = max(sizes.values())
        most = max(sum(begin <= at < begin + 1 for at in times) for begin in set(times))
        assert batch <= 100
        assert most <= 100 + batch
        assert times[-1] - times[0] > (800 - batch) / 100 * 0.8


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_countdown_can_be_stopped(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C while it counts down: nothing was sent, nothing was begun, exit 1."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project, name = made(tmp_path, standin, "[launch]\ncountdown_seconds = 30\n", people=20)
        sender = project.start("send", name, "--yes", "--launch")
        assert sender.stderr is not None
        assert "leaves in 30 s. Ctrl-C stops it" in sender.stderr.readline()
        sender.send_signal(number)
        words = said(sender, within=20)
        assert sender.returncode == 1
        assert "stopped in its countdown; nothing was sent" in words
        found = project.json("status", name)
        assert (found["state"], found["remaining"], standin.counts()["personalizations"]) == ("planned", 20, 0)


def test_a_sender_waits_through_the_watch_and_says_so(tmp_path: Path) -> None:
    """The first fifty, a watch of a few seconds with words on the screen, then the rest, in one command."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project, name = made(tmp_path, standin, LAUNCH.format(watch=0.05))
        words = project.run("send", name, "--yes", "--launch").stderr
        assert "Waiting: the first letters are out; nothing more leaves until" in words
        assert standin.counts()["personalizations"] == 300
        times = [kept.accepted_at for kept in standin.messages]
        assert (times[50] - times[49]).total_seconds() >= 3
        project.run("plan", "harbour", "--list", "all")
        assert "Waiting" not in project.run("send", "harbour", "--yes", "--now").stderr


@pytest.mark.parametrize("rein", ["pause", "cancel"])
def test_reins_act_at_once_in_the_watch(rein: str, tmp_path: Path) -> None:
    """Held back from another terminal while everybody waits: both senders end within seconds, with words."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project, name = made(tmp_path, standin, LAUNCH.format(watch=10))
        senders = [project.start("send", name, "--yes", "--launch") for _ in range(2)]
        until(lambda: standin.counts()["personalizations"] == 50)
        time.sleep(1.0)
        assert "nothing more leaves until" in project.run("status", name).stdout
        project.run(rein, name, "--reason", "wrong picture")
        began = time.monotonic()
        for sender in senders:
            assert "wrong picture" in said(sender, within=20)
            assert sender.returncode == 1
        assert time.monotonic() - began < 10
        assert standin.counts()["personalizations"] == 50


def test_bounces_heard_in_the_watch_stop_the_rest(tmp_path: Path) -> None:
    """Events come in from elsewhere while the sender waits: it ends with the numbers; resume and send finish it."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project, name = made(tmp_path, standin, LAUNCH.format(watch=10))
        sender = project.start("send", name, "--yes", "--launch")
        until(lambda: standin.counts()["personalizations"] == 50)
        told = tmp_path / "events.json"
        told.write_text(json.dumps(events(standin.messages, seed=1, rates=Rates(hard_bounce=0.5))), "utf-8")
        project.run("events", "import", str(told))
        words = said(sender, within=30)
        assert sender.returncode == 1
        assert re.search(r"it was paused: \d+ of 50 letters bounced for good \(\d+\.\d%; the limit is 3.0%\)", words)
        assert "It is paused: " in project.run("status", name).stdout
        project.run("resume", name)
        project.run("send", name, "--yes", "--now")
        assert standin.counts()["personalizations"] == 300


@pytest.mark.parametrize("rein", ["pause", "cancel"])
def test_reins_act_at_once_in_mid_send(rein: str, tmp_path: Path) -> None:
    """Two senders, slowed by a rate: after the command has answered, only what was in flight arrives."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.2)) as standin:
        project, name = made(tmp_path, standin, "", people=600)
        senders = [project.start("send", name, "--yes", "--rate", "20") for _ in range(2)]
        until(lambda: standin.counts()["personalizations"] >= 40)
        project.run(rein, name)
        reached = standin.counts()["personalizations"]
        for sender in senders:
            said(sender, within=20)
            assert sender.returncode == 1
        assert standin.counts()["personalizations"] <= reached + 2 * 20
        found = project.json("status", name)
        assert found["accepted"] == standin.counts()["personalizations"] < 600
        assert found["remaining" if rein == "pause" else "cancelled"] == 600 - found["accepted"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_launch_survives_kill_9(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Killed at several stages of a launch: it goes on where it was, nobody is passed over, nobody is met twice."""
    database = "" if engine == "sqlite" else request.getfixturevalue("postgres_for_project")
    with Standin(Behaviour(api_key=KEY)) as standin:
        project, name = made(tmp_path, standin, LAUNCH.format(watch=0.1) + "spread_hours = 0.003\n", database=database)
        for reached in (0, 50, 50, 150):
            sender = project.start("send", name, "--yes", "--launch")
            until(lambda wanted=reached: standin.counts()["personalizations"] >= wanted)  # type: ignore[misc]
            time.sleep(1.0)
            sender.kill()
            sender.communicate()
            assert standin.counts()["duplicates"] == 0
        found = project.json("status", name)
        if found["remaining"]:
            project.run("send", name, "--yes")
            found = project.json("status", name)
        assert found["accepted"] + found["in_doubt"] == 300
        assert standin.counts()["duplicates"] == 0
        assert standin.counts()["personalizations"] >= found["accepted"]


def test_rate_is_a_number_and_now_excludes_launch(tmp_path: Path) -> None:
    """Bad options are refused before anything happens."""
    project = projects.make(tmp_path / "p")
    with_people(project, tmp_path, 3)
    project.run("plan", "harbour", "--list", "all")
    for arguments in (("--rate", "-1"), ("--rate", "many"), ("--rate", "inf"), ("--rate", "nan"),
                      ("--now", "--launch")):
        project.run("send", "harbour", "--yes", *arguments, expect=2)
    assert project.json("status")["state"] == "planned"
    project.run("plan", "harbour", "--list", "all", "--span", "nan", expect=2)  # "nan" would switch the rule off


def test_a_refused_key_pauses_the_mailing_for_all(tmp_path: Path) -> None:
    """403 in mid-send: the mailing pauses itself, says why, and goes on after resume."""
    with Standin(Behaviour(api_key=KEY, mode=Mode.INSTANT,
                           faults={2: Fault(act=Act.ANSWER, status=403)})) as standin:
        project, name = made(tmp_path, standin, "", people=600)
        words = project.run("send", name, "--yes", expect=1).stderr
        assert "it was paused:" in words
        assert "403" in words
        assert "403" in project.run("send", name, "--yes", expect=1).stderr
        project.run("resume", name)
        assert project.json("send", name, "--yes")["accepted"] == 600


def test_one_that_was_resumed_in_mid_send_is_not_called_unsent(tmp_path: Path) -> None:
    """Part of it has left; staff read that, and how it goes on."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.1)) as standin:
        project, name = made(tmp_path, standin, "", people=300)
        sender = project.start("send", name, "--yes", "--rate", "20")
        until(lambda: standin.counts()["personalizations"] >= 20)
        project.run("pause", name)
        said(sender)
        words = project.run("resume", name).stdout
        assert "not sent" not in words + project.run("status", name).stdout
        assert "begun, and waits to go on" in words
        assert f"`pillarbox send {name}`" in words
        assert project.json("send", name, "--yes", "--rate", "0")["accepted"] == 300


def test_a_provider_that_is_ill_does_not_put_the_whole_list_in_doubt(tmp_path: Path) -> None:
    """It answers 500 to everything: the mailing pauses itself, and says why; the rest is untouched."""
    with Standin(Behaviour(api_key=KEY, mode=Mode.INSTANT,
                           faults=lambda _number: Fault(act=Act.ANSWER, status=500))) as standin:
        project, name = made(tmp_path, standin, "\n[brakes]\nunsure_batches = 2\n", people=600)
        words = project.run("send", name, "--yes", expect=1).stderr
        assert "of the last 2 batches nobody is sure whether SendGrid took them" in words
        found = project.json("status", name)
        assert found["remaining"] > 0
        assert found["in_doubt"] + found["remaining"] == 600
