"""Approving by hand: what has changed is shown before, and a live mailing goes only as it was approved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import pillarbox.deliver.sendgrid.transport  # noqa: F401 - it must keep the true idea of what this machine is
from pillarbox.cli.main import main
from pillarbox.mailings import live
from pillarbox.model import config
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.server import Standin
from tests import projects

Told = Callable[..., tuple[int, str]]
KEY = "SG.test.key"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[projects.TestProject]:
    """A live project with seven supporters. The stand-in plays a host that is not this machine."""
    monkeypatch.setattr(config, "is_loopback", lambda _host: False)
    monkeypatch.setattr(live, "_base_url", lambda _project: [])
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = projects.make(tmp_path / "p", transport="sendgrid", sendgrid_url=standin.url)
        settings = project.folder / "pillarbox.toml"
        settings.write_text(settings.read_text("utf-8").replace("harbour.example", "harbour-trust.org.uk").replace(
            "[project]", '[project]\nbase_url = "https://letters.harbour-trust.org.uk"'), "utf-8")
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)
        path = projects.write_list(tmp_path / "real.csv", [{"email": f"s{n}@harbour-friends.org.uk"} for n in range(7)])
        project.run("lists", "import", str(path), "--list", "real", "--basis", "consent", "--source", "test")
        yield project


@pytest.fixture
def told(made: projects.TestProject) -> Told:
    """Runs a command in this process: exit code, and all that it said on one line."""
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["-C", str(made.folder), *arguments])
        return done.exit_code, " ".join(done.output.split())
    return run


def rewrite(made: projects.TestProject, old: str, new: str) -> None:
    """Mend a word of the letter."""
    path = made.folder / "appeals" / "harbour" / "letter.md"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_a_changed_letter_is_refused_with_what_changed(made: projects.TestProject, told: Told) -> None:
    """--yes does not skip it, nor the right count; approved anew it goes."""
    assert told("plan", "harbour", "--list", "real")[0] == 0
    code, words = told("approve", "harbour", "--by", "Ann")
    assert code == 0
    assert "Nobody has approved this appeal before" in words
    assert "7 messages" in words
    assert "is approved by Ann" in words
    rewrite(made, "1862", "1863")
    code, words = told("plan", "harbour", "--list", "real")
    assert code == 0
    assert "What has changed since what Ann approved" in words
    for how in (("--yes",), ("--count", "7"), ("--yes", "--count", "7", "--now")):
        code, words = told("send", "harbour", *how)
        assert code == 1
        assert "nobody has approved. Since Ann approved" in words
        assert "since 1862." in words
        assert "since 1863." in words
    code, words = told("approve", "harbour", "--by", "Ann")
    assert (code, "1863" in words.partition("is approved by")[0]) == (0, True), "shown before"
    assert told("send", "harbour", "--count", "7", "--now")[0] == 0


def test_an_unchanged_plan_stays_approved(told: Told) -> None:
    """It says so, and goes."""
    told("plan", "harbour", "--list", "real")
    told("approve", "harbour", "--by", "Ann")
    code, words = told("plan", "harbour", "--list", "real")
    assert (code, "Still approved by Ann" in words) == (0, True), words
    assert told("send", "harbour", "--count", "7", "--now")[0] == 0


def test_a_word_mended_after_the_plan_does_not_go_unnoticed(made: projects.TestProject, told: Told) -> None:
    """What would leave is the older letter: refused, unless that is meant."""
    told("plan", "harbour", "--list", "real")
    told("approve", "harbour", "--by", "Ann")
    rewrite(made, "1862", "1863")
    code, words = told("send", "harbour", "--count", "7", "--now")
    assert code == 1
    assert "has changed since" in words
    assert "since 1863." in words
    code, words = told("send", "harbour", "--count", "7", "--now", "--as-approved")
    assert (code, "what was planned leaves" in words) == (0, True), words


def test_an_approval_is_taken_back(told: Told) -> None:
    """--withdraw, by name; then nothing goes, and --show and --json say so."""
    told("plan", "harbour", "--list", "real")
    told("approve", "harbour", "--by", "Ann")
    assert told("approve", "harbour", "--withdraw")[0] == 2
    assert told("approve", "harbour", "--show", "--withdraw")[0] == 2
    assert told("approve", "harbour", "--by", "Ann", "--reason", "x")[0] == 2
    code, words = told("approve", "harbour", "--withdraw", "--by", "Ann", "--reason", "the figure")
    assert (code, "Ann no longer stands for" in words) == (0, True), words
    code, words = told("send", "harbour", "--count", "7", "--now")
    assert (code, "Ann took back the approval, and nobody else" in words) == (1, True), words
    assert "Ann took back the approval" in told("approve", "harbour", "--show")[1]
    data = json.loads(told("approve", "harbour", "--show", "--json")[1])
    assert (data["approvals"], [row["by"] for row in data["withdrawn"]]) == ([], ["Ann"])
    assert told("approve", "harbour", "--withdraw", "--by", "Ann")[0] == 1
    code, words = told("approve", "confirm", "--withdraw", "--by", "Ann")
    assert (code, "cannot be taken back" in words) == (1, True), words


def test_looking_approves_nothing(told: Told) -> None:
    """--show; and without it a name is needed."""
    told("plan", "harbour", "--list", "real")
    assert told("approve", "harbour")[0] == 2
    code, words = told("approve", "harbour", "--show")
    assert (code, "may not go yet: nobody has approved it" in words) == (0, True), words
    assert told("send", "harbour", "--count", "7")[0] == 1


def test_status_and_doctor_say_who_is_missing(made: projects.TestProject, told: Told) -> None:
    """By the rules of [approval]."""
    toml = made.folder / "pillarbox.toml"
    toml.write_text(toml.read_text("utf-8") + '[approval]\nwho = ["Ann", "Ben", "Cat"]\nneeded = 2\n', "utf-8")
    told("plan", "harbour", "--list", "real", "--by", "Cat")
    assert "Cat planned" in told("approve", "harbour", "--by", "Cat")[1]
    assert "Zoe may not approve" in told("approve", "harbour", "--by", "Zoe")[1]
    code, words = told("approve", "harbour", "--by", "Ann")
    assert (code, "Ann approved it, and one more person must" in words) == (0, True), words
    for command in (("status",), ("doctor",)):
        words = told(*command)[1]
        assert "approved it, and one more person must" in words, command
        assert "(one of: Ben)" in words, command
    assert "approved by Ann and Ben" in told("approve", "harbour", "--by", "Ben")[1]


def test_json_tells_approvals_and_changes(made: projects.TestProject, told: Told) -> None:
    """For scripts."""
    told("plan", "harbour", "--list", "real")
    told("approve", "harbour", "--by", "Ann")
    rewrite(made, "1862", "1863")
    told("plan", "harbour", "--list", "real")
    data = json.loads(told("approve", "harbour", "--by", "Ben", "--json")[1])
    assert (data["approved_by"], data["approved"], data["needed"]) == ("Ben", True, 1)
    assert [row["by"] for row in data["approvals"]] == ["Ben"]
    assert [change["what"] for change in data["changes"]] == ["Words of appeals/harbour/letter.md"]
    assert [(line["sign"], line["line"]) for line in data["changes"][0]["lines"]] == [("-", 5), ("+", 5)]
