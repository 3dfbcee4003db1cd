"""The store's commands, from the outside: what they print, what they refuse, and that nothing is sent twice."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.server import Standin
from tests import projects
from tests.projects import TestProject

KEY = "SG.test.key"


def with_people(project: TestProject, folder: Path, count: int = 12) -> TestProject:
    """The project with a list called ``all``."""
    path = projects.write_list(folder / "list.csv", projects.crowd(count))
    project.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    return project


def lose(project: TestProject) -> None:
    """The disk with the database is gone; what lay elsewhere is left."""
    for file in (project.folder / "var").glob("pillarbox.db*"):
        file.unlink()


def test_backup_says_where_it_lies_and_what_opens_it(tmp_path: Path) -> None:
    """In words, and as JSON."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path)
    said = project.json("store", "backup")
    assert set(said) == {"file", "bytes", "kept", "key"}
    assert (Path(said["file"]).stat().st_size, said["kept"], said["key"]) == (said["bytes"], 1, "secret-key")
    words = project.run("store", "backup").stdout
    assert "pillarbox.key" in words
    assert "copy it elsewhere" in words


def test_restore_tells_what_to_do_next(tmp_path: Path) -> None:
    """Every unfinished mailing by its name, and the commands."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path)
    project.run("plan", "harbour", "--list", "all", "--again", "one")
    file = project.json("store", "backup")["file"]
    project.run("send", "harbour", "--yes")
    project.run("plan", "harbour", "--list", "all", "--again", "two")
    later = project.json("send", "harbour", "--yes")["mailing"]
    refused = project.run("store", "restore", file, expect=1).stderr
    assert "newer than the backup" in refused
    assert "--yes" in refused
    said = project.json("store", "restore", file, "--yes")
    assert [(one["state"], one["in_doubt"]) for one in said["paused"]] == [("paused", 12)]
    assert [one["mailing"] for one in said["sent_since"]] == [later]
    assert Path(said["kept"]).exists()
    assert any("reconcile" in step for step in said["next"])
    again = project.run("store", "restore", file, "--yes").stdout
    for words in ("What to do now", said["paused"][0]["mailing"], later, "not sure to have gone"):
        assert words in again
    assert "has been sent already" in project.run("send", later, "--yes", expect=1).stderr
    assert "is paused" in project.run("send", said["paused"][0]["mailing"], "--yes", expect=1).stderr
    for label in ("one", "two"):
        project.run("plan", "harbour", "--list", "all", "--again", label, expect=1)


def test_whoever_asked_to_be_forgotten_is_forgotten_again(tmp_path: Path) -> None:
    """An older state brings their data back; the restore itself takes them out."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path)
    file = project.json("store", "backup")["file"]
    project.run("supporters", "forget", "supporter3@example.org", "--yes")
    said = project.json("store", "restore", file, "--yes")
    assert (said["erased"], said["forgotten_again"]) == (1, 1)
    assert project.json("plan", "harbour", "--list", "all")["planned"] == 11
    shown = project.run("supporters", "show", "supporter3@example.org").stdout
    assert json.loads(shown)["known"] is False


def test_a_crash_a_lost_disk_and_a_restore_send_nobody_anything_twice(tmp_path: Path) -> None:
    """Killed in mid-send, its disk lost, restored from before the send: whatever the commands are, no second letter."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.2)) as standin:
        project = projects.make(tmp_path / "p", transport="sendgrid", sendgrid_url=standin.url)
        with_people(project, tmp_path, 900)
        name = project.json("plan", "harbour", "--list", "all", "--again", "one")["mailing"]
        project.run("store", "backup")
        sender = project.start("send", name, "--yes")
        while len(standin.messages) < 200:
            time.sleep(0.02)
        sender.send_signal(signal.SIGKILL)
        sender.communicate()
        time.sleep(1)  # what was on its way when the sender died still arrives
        took = standin.counts()["personalizations"]
        assert 0 < took < 900
        file = sorted((project.folder / "var" / "backups").glob("*.backup"))[0]
        lose(project)
        said = project.json("store", "restore", str(file))
        assert said["paused"][0]["in_doubt"] == 900
        project.run("send", name, "--yes", expect=1)
        project.run("resume", name)
        project.run("send", name, "--yes")
        project.run("plan", "harbour", "--list", "all", "--again", "one", expect=1)
        assert standin.counts()["personalizations"] == took
        assert standin.counts()["duplicates"] == 0
        assert project.json("status", name)["in_doubt"] == 900


def test_a_project_moves_to_another_folder_of_the_same_machine(tmp_path: Path) -> None:
    """SQLite to SQLite: the command line speaks of it in words and as JSON."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path)
    project.run("plan", "harbour", "--list", "all")
    url = f"sqlite:///{tmp_path}/elsewhere/new.db"
    said = project.json("store", "copy", url)
    assert (said["source"], said["target"], said["resumed"]) == ("sqlite:///var/pillarbox.db", url, False)
    assert said["tables"]["messages"] == 12
    assert "sealed" in project.run("send", "harbour", "--yes", expect=1).stderr
    assert project.json("status")["remaining"] == 12
    moved = TestProject(folder=project.folder, environment={**project.environment, "PILLARBOX_DATABASE_URL": url})
    assert moved.json("send", "harbour", "--yes")["accepted"] == 12
    assert "sealed" in project.run("store", "copy", url, expect=1).stderr


@pytest.mark.postgres
def test_a_project_moves_to_postgresql_and_sends_there(tmp_path: Path, postgres_database: str) -> None:
    """Planned here, sent there; no password is shown."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path)
    project.run("plan", "harbour", "--list", "all")
    done = project.run("store", "copy", postgres_database)
    assert "are the same" in done.stdout
    assert "pillarbox@" not in done.stdout
    moved = TestProject(folder=project.folder,
                        environment={**project.environment, "PILLARBOX_DATABASE_URL": postgres_database})
    assert moved.json("send", "harbour", "--yes")["accepted"] == 12
    assert moved.json("store", "backup")["kept"] == 1


@pytest.mark.parametrize("arguments", [("backup",), ("adopt",), ("upgrade",)])
def test_every_command_speaks_json(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """For scripts."""
    said: Any = with_people(projects.make(tmp_path / "p"), tmp_path).json("store", *arguments)
    assert isinstance(said, dict)


def test_bad_input_is_a_sentence(tmp_path: Path) -> None:
    """No file, no backup, no project, no database there: exit 1, no trace, nothing changed."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path)
    whole = Path(project.json("store", "backup")["file"])
    cut = tmp_path / "cut.backup"
    cut.write_bytes(whole.read_bytes()[:-50])
    shutil.copy(whole, tmp_path / "good.backup")
    for arguments, words in ((("restore", str(tmp_path / "none")), "cannot be read"),
                             (("restore", str(tmp_path / "list.csv")), "not a Pillarbox backup"),
                             (("restore", str(cut), "--yes"), "damaged"),
                             (("copy", "postgresql://a:secret@127.0.0.1:1/x"), "cannot be reached"),
                             (("copy", "sqlite:///var/pillarbox.db"), "lives there already"),
                             (("copy", "gopher://x"), "not served")):
        said = project.run("store", *arguments, expect=1).stderr
        assert words in said, arguments
        assert "Traceback" not in said
        assert "secret" not in said.replace("secret key", "")
    assert project.json("lists", "show")[0]["people"] == 12
    (project.folder / "pillarbox.key").write_text("another key altogether, also long enough\n", "utf-8")
    assert "another secret key" in project.run("store", "restore", str(whole), "--yes", expect=1).stderr
    empty = TestProject(folder=tmp_path, environment={})
    assert "pillarbox init" in empty.run("store", "restore", str(whole), expect=1).stderr


def test_rebuild_says_whether_anything_differed(tmp_path: Path) -> None:
    """Right figures are said to be so; wrong ones are refused by a check, named and mended by a rebuild."""
    project = with_people(projects.make(tmp_path / "p"), tmp_path)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    project.run("send", name, "--yes")
    assert "1 of 1 mailings are as a recount gives them" in project.run("store", "rebuild", "--check").stdout
    with sqlite3.connect(project.folder / "var" / "pillarbox.db") as database:
        database.execute("INSERT INTO tallies (mailing_id, facet, key, n) VALUES (1, 'link-human', 'x', 3)")
    database.close()
    refused = project.run("store", "rebuild", name, "--check", expect=1)
    assert f"{name}: 1 of " in refused.stdout
    assert "differ from the recount" in refused.stderr
    assert project.json("store", "rebuild")["mailings"][0]["wrong_figures"] == 1
    assert project.json("store", "rebuild") == {"equal": True, "mended": True, "mailings": [
        {"mailing": name, "messages": 12, "figures": 0, "wrong_figures": 0, "wrong_messages": 0}]}
