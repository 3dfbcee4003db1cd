"""The main job from the command line, end to end; the JSON is as the contract says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pillarbox.standin import donations, events
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.reactions import reactions
from pillarbox.standin.server import Standin
from tests import projects

PEOPLE = 120


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_from_list_to_report(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Import, check, plan, send, events, donations, report: each command's JSON has the contract's keys."""
    database = request.getfixturevalue("postgres_database") if engine == "postgresql" else ""
    with Standin(Behaviour(api_key="SG.test.key")) as standin:
        project = projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url=standin.url,
                                database=database)
        listed = projects.write_list(tmp_path / "list.csv", [*projects.crowd(PEOPLE), {
            "email": "not an address", "first_name": "Nobody", "last_name": "", "tracking": "no"}])
        imported = project.json("lists", "import", str(listed), "--list", "all", "--basis", "consent",
                                "--source", "test")
        assert imported["rows"] == PEOPLE + 1
        assert (imported["added"], imported["updated"], imported["unchanged"]) == (PEOPLE, 0, 0)
        assert [row["line"] for row in imported["rejected"]] == [PEOPLE + 2]
        assert imported["kept_out"] == {}
        checked = project.json("check", "harbour")
        assert checked["ok"] is True
        assert all(set(finding) == {"level", "code", "file", "line", "message"} for finding in checked["findings"])
        planned = project.json("plan", "harbour", "--list", "all")
        assert planned["practice"] is True
        assert (planned["audience"], planned["planned"], planned["excluded"]) == (PEOPLE, PEOPLE, {})
        sent = project.json("send", planned["mailing"], "--yes")
        assert sent == project.json("status", planned["mailing"])
        assert list(sent) == ["mailing", "practice", "state", "planned", "accepted", "failed", "in_doubt",
                              "cancelled", "withdrawn", "remaining", "outcomes", "left_out"]
        assert (sent["state"], sent["accepted"], sent["remaining"]) == ("sent", PEOPLE, 0)
        told = reactions(standin.messages, seed=7)
        (tmp_path / "events.json").write_text(json.dumps(events.events_of(told, seed=7)), "utf-8")
        donations.write(donations.rows(told, seed=7), tmp_path / "gifts.csv")
    heard = project.json("events", "import", str(tmp_path / "events.json"))
    assert heard["new"] > PEOPLE
    assert project.json("events", "import", str(tmp_path / "events.json"))["new"] == 0
    given = project.json("donations", "import", str(tmp_path / "gifts.csv"))
    assert given["attributed"]["link-code"] > 0
    assert given["attributed"]["address"] > 0
    report = project.json("report", planned["mailing"])
    assert list(report)[:2] == ["mailing", "practice"]
    assert {"heard_until", "planned", "accepted", "delivered", "bounced", "blocked", "dropped", "tracked", "opened",
            "clicked", "unsubscribed", "complained", "donations", "rates"} <= set(report)
    assert set(report["opened"]) == {"human", "machine"}
    assert set(report["clicked"]) == {"human", "scanner"}
    assert {"count", "amount_pence", "gift_aid_pence", "donors", "pledges", "other_currencies"} <= set(
        report["donations"])
    assert report["donations"]["amount_pence"] > 0
    assert report["delivered"] + report["bounced"] + report["blocked"] + report["dropped"] == PEOPLE
    project.run("report", planned["mailing"], "--html", str(tmp_path / "r.html"), "--xlsx", str(tmp_path / "r.xlsx"))
    assert "PRACTICE" in (tmp_path / "r.html").read_text("utf-8")
    assert (tmp_path / "r.xlsx").read_bytes()[:2] == b"PK"
    assert project.json("report")[0]["mailing"] == planned["mailing"]


def test_nobody_who_left_is_written_to_again(tmp_path: Path) -> None:
    """Unsubscribed between two mailings, and imported once more: still left out, and counted."""
    project = projects.make(tmp_path / "project")
    listed = projects.write_list(tmp_path / "list.csv", projects.crowd(10))
    arguments = ("lists", "import", str(listed), "--list", "all", "--basis", "consent", "--source", "test")
    project.run(*arguments)
    project.run("suppressions", "add", "Supporter3@example.org", "--reason", "unsubscribed")
    assert sum(project.json(*arguments)["kept_out"].values()) == 1
    planned = project.json("plan", "harbour", "--list", "all")
    assert (planned["planned"], planned["excluded"]) == (9, {"unsubscribed": 1})


def test_practice_is_said_on_the_screen(tmp_path: Path) -> None:
    """Nobody may believe that a letter went when it did not."""
    project = projects.make(tmp_path / "project")
    listed = projects.write_list(tmp_path / "list.csv", projects.crowd(10))
    project.run("lists", "import", str(listed), "--list", "all", "--basis", "consent", "--source", "test")
    assert "PRACTICE" in project.run("plan", "harbour", "--list", "all").stdout
    assert "PRACTICE" in project.run("send", "harbour", "--yes").stdout
    assert "PRACTICE" in project.run("report", "harbour").stdout


def test_pipeline_py_is_the_same_program() -> None:
    """``python pipeline.py …`` in a checkout, and ``pillarbox …`` once installed."""
    import subprocess
    import sys

    said = [subprocess.run([sys.executable, *door, "--version"], cwd=projects.ROOT, text=True, capture_output=True,
                           check=True).stdout for door in (["pipeline.py"], ["-m", "pillarbox"])]
    assert said[0] == said[1]
