"""How ``send`` and ``status`` answer: never a run that stopped short and says nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import pillarbox.deliver.sendgrid.transport  # noqa: F401 - it must keep the true idea of what this machine is
from pillarbox.cli.main import main
from pillarbox.mailings import live
from pillarbox.model import config
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.server import Standin
from pillarbox.store import mailings, notices
from pillarbox.store.project import open_project
from tests import projects
from tests.projects import TestProject

KEY = "SG.test.key"


def with_people(project: TestProject, folder: Path, count: int) -> TestProject:
    """The project with a list called ``all``."""
    path = projects.write_list(folder / "list.csv", projects.crowd(count))
    project.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    return project


@pytest.mark.parametrize("rein", ["pause", "cancel"])
def test_a_mailing_held_back_from_elsewhere_ends_its_sender_with_words(rein: str, tmp_path: Path) -> None:
    """Paused or cancelled in mid-send: the sender says so and exits with 1; the states add up."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.5)) as standin:
        project = with_people(projects.make(tmp_path / "p", transport="sendgrid", sendgrid_url=standin.url), tmp_path,
                              1_500)
        settings = project.folder / "pillarbox.toml"
        settings.write_text(settings.read_text("utf-8") + "[sendgrid]\nconnections = 1\n", "utf-8")
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        sender = project.start("send", name, "--yes")
        while not standin.messages:
            time.sleep(0.05)
        project.run(rein, name, "--reason", "wrong picture")
        _, said = sender.communicate(timeout=60)
        assert sender.returncode == 1, said
        assert "wrong picture" in said
        found = project.json("status", name)
        assert found["accepted"] == len(standin.messages) < 1_500
        assert found["accepted"] + found["cancelled"] + found["remaining"] == found["planned"]


def test_a_wrong_count_is_refused_in_practice_too(tmp_path: Path) -> None:
    """Whoever types a number means it."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path, 12)
    project.run("plan", "harbour", "--list", "all")
    said = project.run("send", "harbour", "--yes", "--count", "11", expect=1).stderr
    assert "12 messages to send, not 11" in said
    assert project.json("send", "harbour", "--count", "12")["accepted"] == 12


def test_status_of_no_mailing_in_particular(tmp_path: Path) -> None:
    """``status`` alone shows the newest mailing; when there is none it says so."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path, 3)
    assert "No mailing has been planned" in project.run("status", expect=1).stderr
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    assert project.json("status")["mailing"] == name


def test_a_live_mailing_wants_its_count_and_settings_that_are_still_fit(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unapproved, with --yes alone, with a wrong count, with the sender taken out since: nothing leaves.

    The stand-in plays a host that is not this machine; the base URL's own checks are tested elsewhere.
    """
    monkeypatch.setattr(config, "is_loopback", lambda _host: False)
    monkeypatch.setattr(live, "_base_url", lambda _project: [])
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = projects.make(tmp_path / "p", transport="sendgrid", sendgrid_url=standin.url)
        settings = project.folder / "pillarbox.toml"
        fit = settings.read_text("utf-8").replace("letters@harbour.example", "letters@harbour-trust.org.uk").replace(
            "[project]", '[project]\nbase_url = "https://letters.harbour-trust.org.uk"')
        settings.write_text(fit, "utf-8")
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)

        def told(*arguments: str) -> tuple[int, str]:
            done = CliRunner().invoke(main, ["-C", str(project.folder), *arguments])
            return done.exit_code, done.output

        with_people(project, tmp_path, 12)
        code, words = told("plan", "harbour", "--list", "all")
        assert (code, "made for examples" in words) == (1, True), words
        path = projects.write_list(tmp_path / "real.csv", [{"email": f"s{n}@harbour-friends.org.uk"} for n in range(7)])
        project.run("lists", "import", str(path), "--list", "real", "--basis", "consent", "--source", "test")
        code, words = told("plan", "harbour", "--list", "real")
        assert code == 0, words
        assert "PRACTICE" not in words
        for arguments, sentence in ((("send", "harbour", "--count", "7"), "nobody has approved"),
                                    (("approve", "harbour", "--by", "René"), "is approved by"),
                                    (("send", "harbour", "--yes"), "--yes does not answer"),
                                    (("send", "harbour", "--count", "6"), "7 messages to send, not 6"),
                                    (("send", "harbour", "--yes", "--count", "6"), "7 messages to send, not 6")):
            code, words = told(*arguments)
            assert sentence in words.replace("\n", " "), (arguments, words)
            assert code == (0 if arguments[0] == "approve" else 1)
        settings.write_text(fit.replace("letters@harbour-trust.org.uk", ""), "utf-8")
        code, words = told("send", "harbour", "--count", "7")
        assert (code, "No From address" in words) == (1, True), words
        assert standin.counts()["personalizations"] == 0
        settings.write_text(fit, "utf-8")
        code, words = told("send", "harbour", "--count", "7", "--now")
        assert code == 0, words
        assert standin.counts()["personalizations"] == 7
        made = list((project.folder / "var" / "backups").glob("*-send.backup"))
        assert made, "before a live mailing is let go, everything is backed up"
        code, words = told("plan", "harbour", "--list", "real")
        assert (code, "has been sent already" in words) == (1, True), words


def test_status_tells_what_happened_by_itself(tmp_path: Path) -> None:
    """The newest notices of the mailing, in the charity's time, without being asked."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path, 3)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    opened = open_project(project.folder)
    with opened.store.writing() as connection:
        notices.add(connection, kind="paused", words="It paused itself: 4% bounced.",
                    mailing_id=mailings.find(connection, name).id)
    opened.close()
    assert "It paused itself: 4% bounced." in project.run("status", name).stdout
