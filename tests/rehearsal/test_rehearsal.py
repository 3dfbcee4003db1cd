"""A rehearsal sends everything, to nobody, survives its own crash, and leaves no trace."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pillarbox.ground import clock
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.mailings import planning
from pillarbox.model.states import Basis, SuppressionReason
from pillarbox.people import rights
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.rehearsal import scratch
from pillarbox.rehearsal.letters import write
from pillarbox.rehearsal.rehearse import Rehearsal, Wish, rehearse
from pillarbox.store import schema
from pillarbox.store.project import Project, open_project
from tests import photographs, projects

CROWD = 260


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that is this test's alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(scratch, "root", lambda: folder)
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request: pytest.FixtureRequest, tmp_path: Path, temporary: Path,
            monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with a list, of which one has left."""
    assert temporary
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    opened = open_project(projects.make(tmp_path / "project").folder)
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(CROWD))
    import_list(opened.store, secret=opened.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    rights.suppress_address(opened.store, secret=opened.secret, email="supporter7@example.org",
                            reason=SuppressionReason.UNSUBSCRIBED, source="test")
    yield opened
    opened.close()


def made_in(folder: Path, temporary: Path) -> projects.TestProject:
    """A project whose commands have this folder for temporary files."""
    made = projects.make(folder / "project")
    return replace(made, environment={**made.environment, "TMPDIR": str(temporary)})


def quietly(_name: str, _total: int | None) -> AbstractContextManager[Any]:
    """Progress that nobody watches."""
    return contextlib.nullcontext(lambda _done: None)


def rehearsed(project: Project, **more: Any) -> Rehearsal:
    """A rehearsal of the appeal to the whole list."""
    return rehearse(project, Wish(appeal="harbour", rule=Rule(lists=("all",)), **more), quietly)


def rows(project: Project) -> dict[str, int]:
    """Table → rows, of the whole database."""
    with project.store.reading() as connection:
        return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in schema.metadata.sorted_tables}


def test_everybody_gets_it_once_though_its_sender_is_killed(project: Project, temporary: Path) -> None:
    """All arrive, none twice, what was in doubt is recognised; and the ledger knows nothing of it."""
    before = rows(project)
    done = rehearsed(project, named=True)
    assert done.sound
    assert (done.mailing.planned, done.accepted, done.lost, done.twice) == (CROWD - 1, CROWD - 1, 0, 0)
    assert done.crash
    assert done.crash.in_doubt >= done.crash.arrived > 0
    assert done.crash.recognised == done.crash.arrived
    assert done.crash.recognised + done.crash.sent_again == done.crash.in_doubt
    assert dict(done.mailing.excluded) == {"unsubscribed": 1}
    assert done.left_out == (("supporter7@example.org", "unsubscribed"),)
    assert done.requests >= 3
    assert done.bytes > 1_000
    assert rows(project) == before
    assert list(temporary.glob(f"{scratch.PREFIX}*")) == []
    assert not (project.folder / "var" / "launched.jsonl").exists()


def test_without_a_crash_nothing_is_in_doubt(project: Project) -> None:
    """And the letters are a sample of what arrived, substituted as their readers see it."""
    done = rehearsed(project, crash=False, letters=5)
    assert done.crash is None
    assert done.accepted == CROWD - 1
    assert len({one.address for one in done.letters}) == 5
    assert all("The harbour needs you" in one.subject and "lamp" in one.text for one in done.letters)
    assert all("@example.org" in one.address for one in done.letters)


def test_a_letter_with_a_fault_is_not_rehearsed(project: Project, temporary: Path) -> None:
    """What would stop the plan stops the rehearsal, and nothing is left behind."""
    (project.folder / "appeals" / "harbour" / "letter.md").write_text("{{ supporter.shoe_size }}", "utf-8")
    with pytest.raises(LetterError):
        rehearsed(project)
    assert list(temporary.glob(f"{scratch.PREFIX}*")) == []


def test_nobody_to_write_to_is_refused_as_by_a_plan(project: Project) -> None:
    """An unknown list, or an empty audience."""
    with pytest.raises(Refused, match="no list called"):
        rehearse(project, Wish(appeal="harbour", rule=Rule(lists=("friends",))), quietly)


def test_what_waits_to_be_sent_is_left_alone(project: Project) -> None:
    """A planned mailing of the same appeal stays planned, and does not stand in the rehearsal's way."""
    mailing = planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",)))).mailing
    assert rehearsed(project, crash=False).accepted == CROWD - 1
    with project.store.reading() as connection:
        state = connection.execute(select(schema.mailings.c.state).where(schema.mailings.c.id == mailing.id))
        assert state.scalar_one() == "planned"


def test_a_live_project_is_rehearsed_as_live(project: Project) -> None:
    """It is told what stands against it; no limit of its own slows the rehearsal, and no key of its own is used."""
    with scratch.scratch(project, "harbour", sendgrid_url="http://127.0.0.1:1") as made:
        assert made.settings.practice
    settings = project.settings.model_copy(update={
        "project": project.settings.project.model_copy(update={"transport": "sendgrid"}),
        "limits": project.settings.limits.model_copy(update={"per_second": 0.01})})
    changed = scratch.settings_of(settings, Path("/nowhere"), "http://127.0.0.1:1")
    assert not changed.practice
    assert changed.limits.per_second is None
    assert changed.sendgrid.url == "http://127.0.0.1:1"
    assert changed.sendgrid.api_key.get_secret_value() == "SG.stand-in"
    assert changed.project.database == "sqlite:////nowhere/scratch.db"


def test_what_is_rehearsed_live_is_what_live_would_send(project: Project, tmp_path: Path) -> None:
    """Unapproved, and with settings that are not fit yet: both are told, and it is rehearsed all the same."""
    people = [{"email": f"s{number}@harbour-friends.org.uk"} for number in range(30)]
    import_list(project.store, secret=project.secret, path=projects.write_list(tmp_path / "real.csv", people),
                list_name="real", format="auto", mapping={}, basis=Basis.CONSENT, source="test", obtained=None,
                tracking=None, dry_run=False)
    settings = project.settings.model_copy(update={
        "project": project.settings.project.model_copy(update={"transport": "sendgrid", "home": "laptop"})})
    live = replace(project, settings=settings)
    assert not live.settings.practice
    done = rehearse(live, Wish(appeal="harbour", rule=Rule(lists=("real",))), quietly)
    assert (done.mailing.practice, done.accepted, done.sound) == (False, 30, True)
    assert any("From address" in words for words in done.warnings)
    assert all(one.subscription_tracking for one in done.letters), "as SendGrid unsubscribes from a laptop's letters"
    with pytest.raises(Refused, match="made for examples"):
        rehearse(live, Wish(appeal="harbour", rule=Rule(lists=("all",))), quietly)


def test_the_scratch_copy_is_for_this_user_alone_and_goes(project: Project) -> None:
    """Nobody else may look into it; nothing of staff or of what people did lies in it."""
    with scratch.scratch(project, "harbour", sendgrid_url="http://127.0.0.1:1") as made:
        folder = made.folder
        assert folder.stat().st_mode & 0o077 == 0
        there = {name for name, count in rows(made).items() if count}
        assert there == {"project", "supporters", "consents", "lists", "list_members", "suppressions"}
        assert project.secret.decode() not in "".join(
            path.read_text("utf-8", errors="ignore") for path in folder.rglob("*") if path.is_file())
    assert not folder.exists()


def test_what_a_killed_rehearsal_left_goes_at_the_next_start(temporary: Path) -> None:
    """One whose process is dead, and no other."""
    dead, mine = temporary / f"{scratch.PREFIX}dead", temporary / f"{scratch.PREFIX}mine"
    for folder in (dead, mine):
        folder.mkdir()
        (folder / "scratch.db").write_text("supporters")
    process = subprocess.Popen(["sleep", "0"])
    process.wait()
    from pillarbox.ground.process import Worker

    this = Worker.this()
    (mine / scratch.OWNER).write_text(str(this))
    (dead / scratch.OWNER).write_text(str(this).replace(f":{this.pid}:", f":{process.pid}:"))
    assert scratch.sweep() == 1
    assert mine.is_dir()
    assert not dead.exists()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=["term", "ctrl-c", "kill"])
def test_however_it_ends_nothing_stays(tmp_path: Path, temporary: Path, ending: signal.Signals) -> None:
    """Ended, stopped or killed in the middle of its sending: the copy goes at once, or with the next command."""
    made = made_in(tmp_path, temporary)
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(4_000))
    made.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    process = made.start("rehearse", "harbour", "--list", "all", "--no-crash")
    until = time.monotonic() + 60
    while not list(temporary.glob(f"{scratch.PREFIX}*/scratch.db.reached")) and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.kill(process.pid, ending)
    process.communicate(timeout=60)
    assert process.returncode != 0
    if ending is signal.SIGKILL:
        time.sleep(1)  # its sender sees that nobody is there
        made.start("segments", "show").communicate(timeout=60)
    assert list(temporary.glob(f"{scratch.PREFIX}*")) == []


def test_the_command_reports_in_words_and_json(tmp_path: Path, temporary: Path) -> None:
    """Counts, reasons, bytes; letters in a folder for this user alone; who is left out in a file when asked."""
    made = made_in(tmp_path, temporary)
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(120))
    made.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    made.run("suppressions", "add", "supporter3@example.org", "--reason", "unsubscribed")
    told = made.json("rehearse", "harbour", "--list", "all", "--letters", "3")
    assert told["ok"]
    assert (told["planned"], told["accepted"], told["lost"], told["twice"]) == (119, 119, 0, 0)
    assert told["excluded"] == {"unsubscribed": 1}
    assert set(told["seconds"]) == {"copying", "composing", "sending"}
    assert told["crash"]["in_doubt"] > 0
    assert "left_out" not in told
    page = Path(told["letters"])
    assert page.parent.stat().st_mode & 0o077 == 0
    assert page.read_text("utf-8").count('sandbox=""') == 3
    said = made.run("rehearse", "harbour", "--list", "all", "--left-out", str(tmp_path / "out.csv"), "--no-crash"
                    ).stdout
    assert "nobody was mailed, and nothing of it is in the ledger" in said
    assert (tmp_path / "out.csv").read_text("utf-8") == "address,reason\nsupporter3@example.org,unsubscribed\n"
    named = made.json("rehearse", "harbour", "--list", "all", "--left-out", "-", "--no-crash")
    assert named["left_out"] == [{"address": "supporter3@example.org", "reason": "unsubscribed"}]
    assert "No mailing has been planned yet" in made.run("status", expect=1).stderr
    made.run("supporters", "forget", "supporter9@example.org", "--yes")
    assert not page.exists(), "a person who is forgotten is in none of them"


@pytest.mark.parametrize("name", ["..", ".", "../lists", "/etc", ""])
def test_what_is_no_appeals_name_copies_nothing(project: Project, temporary: Path, name: str) -> None:
    """It is refused as by a plan, before a folder is made."""
    temporary.rmdir()
    with pytest.raises(LetterError):
        rehearse(project, Wish(appeal=name, rule=Rule(lists=("all",))), quietly)


def test_what_cannot_be_written_is_said_before_anything_is_sent(tmp_path: Path, temporary: Path) -> None:
    """A rehearsal takes minutes, and its report would be lost."""
    made = made_in(tmp_path, temporary)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    for more in (("--left-out", str(tmp_path / "no" / "out.csv")), ("--out", str(tmp_path / "mine"))):
        said = made.run("rehearse", "harbour", "--list", "nobody-has-it", *more, expect=1).stderr
        assert "no list called" not in said, "that would come later"


@pytest.mark.parametrize("how", ["hosted", "embedded"])
def test_letters_show_their_images(project: Project, tmp_path: Path, how: str) -> None:
    """A live letter's, too, whose images nobody can fetch yet: they lie beside the page, and nowhere else."""
    folder = project.folder / "appeals" / "harbour"
    (folder / "images").mkdir()
    (folder / "images" / "lamp.jpg").write_bytes(photographs.photograph(900, 600))
    (folder / "letter.md").write_text(projects.LETTER + "\n![The lamp](images/lamp.jpg)\n", "utf-8")
    text = (project.folder / "pillarbox.toml").read_text("utf-8").replace("[project]\n", "[project]\n"
                                                                          f'images = "{how}"\n', 1)
    (project.folder / "pillarbox.toml").write_text(text, "utf-8")
    given = open_project(project.folder)
    done = rehearsed(given, crash=False, letters=2)
    given.close()
    write(tmp_path / "page", done.letters, title="A letter", words="", images=done.images)
    [name] = done.images
    assert f'src="images/{name}"' in (tmp_path / "page" / "01.html").read_text("utf-8")
    assert (tmp_path / "page" / "images" / name).read_bytes() == done.images[name]
    assert rows(project)["images"] == 0


def test_letters_are_not_written_over_something_else(tmp_path: Path) -> None:
    """A folder that no rehearsal made is left alone."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(Refused, match="not empty"):
        write(tmp_path, (), title="A letter", words=str(clock.now()))
