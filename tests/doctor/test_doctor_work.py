"""What the database and the ledger tell: mailings, worker, events, backups, notices, clock."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, update

from pillarbox.cli.main import main
from pillarbox.doctor import database, work
from pillarbox.doctor.finding import Finding, Level
from pillarbox.ground import clock
from pillarbox.keeping import backup
from pillarbox.mailings import control
from pillarbox.model.sections import ApprovalSettings, BackupSettings, StaffSettings
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import events, notices, schema, workers
from pillarbox.store.project import Project, open_project
from tests import builders, projects

NOW = datetime(2026, 12, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A live project on each engine, at noon."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    made = projects.make(tmp_path / "project", transport="sendgrid")
    with clock.freeze(NOW):
        opened = open_project(made.folder)
        yield opened
        opened.close()


def found(project: Project) -> dict[str, Finding]:
    """What the ledger tells, by name."""
    return {finding.code: finding for finding in work.examine(project)}


def mailing(project: Project, state: MailingState, *messages: MessageState, **columns: object) -> int:
    """A live mailing with messages in these states."""
    with project.store.writing() as connection:
        new = builders.mailing(connection, "harbour", state=state, planned=len(messages), **columns)
        for number, each in enumerate(messages):
            person = builders.supporter(connection, f"supporter{number}@example.org")
            builders.message(connection, new, person, state=each)
    return new


def test_nothing_under_way_is_well(project: Project) -> None:
    """No mailing, no worker, nothing that waits for one."""
    told = found(project)
    assert told["mailings"].level is Level.WELL
    assert told["no-backup"].level is Level.LOOK


def test_what_is_in_doubt(project: Project) -> None:
    """How many, of which mailing, and the command."""
    mailing(project, MailingState.SENT, MessageState.ACCEPTED, MessageState.IN_DOUBT, MessageState.IN_DOUBT)
    told = found(project)["in-doubt"]
    assert (told.level, "2 messages of harbour" in told.words) == (Level.WRONG, True)
    assert "pillarbox reconcile harbour" in told.todo


def test_a_mailing_that_stopped_half_way(project: Project) -> None:
    """Nothing moved for a quarter of an hour; one that just began is left alone."""
    new = mailing(project, MailingState.SENDING, MessageState.PLANNED, started_at=NOW - timedelta(minutes=5))
    assert "stopped" not in found(project)
    with project.store.writing() as connection:
        connection.execute(update(schema.mailings).where(schema.mailings.c.id == new)
                           .values(started_at=NOW - timedelta(minutes=20)))
    assert found(project)["stopped"].level is Level.WRONG
    with project.store.writing() as connection:
        connection.execute(insert(schema.attempts).values(
            mailing_id=new, worker="w", size=1, started_at=NOW - timedelta(minutes=1),
            lease_until=NOW + timedelta(minutes=5)))
    assert "stopped" not in found(project)


def test_a_paused_mailing_says_why(project: Project) -> None:
    """With the reason that was written down."""
    mailing(project, MailingState.PAUSED, MessageState.PLANNED, state_reason="4% of the first letters bounced.")
    assert "1 messages to go" in found(project)["paused"].words
    assert "4% of the first letters bounced." in found(project)["paused"].words


def test_a_timed_mailing_needs_a_worker(project: Project) -> None:
    """Waiting for one that does not run is wrong; past its time it is said as well."""
    mailing(project, MailingState.PLANNED, MessageState.PLANNED, send_at=NOW - timedelta(hours=1), approved_by="Alice")
    told = found(project)
    assert told["worker-not-seen"].level is Level.WRONG
    assert "1 timed mailing" in told["worker-not-seen"].words
    assert told["not-started"].level is Level.WRONG


def test_a_schedule_needs_a_worker(project: Project) -> None:
    """And is content with one that was just seen."""
    with project.store.writing() as connection:
        connection.execute(insert(schema.schedules).values(
            appeal="newsletter", rule="FREQ=MONTHLY", at="08:00", zone="Europe/London", starts_on=date(2026, 1, 1),
            audience={}, late_hours=4.0, practice=False, created_at=NOW, created_by="Alice"))
    assert "1 schedule wait" in found(project)["worker-not-seen"].words.replace("waits", "wait")
    with project.store.writing() as connection:
        connection.execute(insert(schema.workers).values(
            id="w", kind="worker", started_at=NOW - timedelta(hours=2), seen_at=NOW - timedelta(seconds=20)))
    assert found(project)["worker"].level is Level.WELL


def test_silence_after_a_mailing(project: Project) -> None:
    """Handed over two hours ago, and not one event since: the webhook does not reach us."""
    mailing(project, MailingState.SENT, MessageState.ACCEPTED, started_at=builders.SENT_AT)
    assert found(project)["events-silent"].level is Level.WRONG
    with project.store.writing() as connection:
        for name in ("events-heard:sendgrid", "events-received:sendgrid"):
            events.mark(connection, name, builders.SENT_AT + timedelta(minutes=2))
    told = found(project)
    assert "events-silent" not in told
    assert "10 November 2026, 09:02" in told["events"].words


def test_backups(project: Project) -> None:
    """None with a live mailing is wrong; then there is one, it is empty, it grows old."""
    mailing(project, MailingState.SENT, MessageState.ACCEPTED)
    assert found(project)["no-backup"].level is Level.WRONG
    kept = backup.backup(project)
    assert found(project)["backup"].level is Level.WELL
    kept.rename(kept.with_name(kept.name.replace(project.id, "zzzzzzzz")))
    assert found(project)["no-backup"].level is Level.WRONG, "another project's does not count"
    kept = backup.backup(project)
    whole = kept.read_bytes()
    for broken in (b"", whole[:100], whole[:-1], whole + b"x"):
        kept.write_bytes(broken)
        assert found(project)["backup-unreadable"].level is Level.WRONG
    kept.write_bytes(whole[:-40] + b"y" + whole[-39:])
    assert found(project)["backup-unreadable"].level is Level.WRONG
    kept.write_bytes(whole)
    other = replace(project, settings=project.settings.model_copy(update={
        "backup": BackupSettings(key=SecretStr("another passphrase"))}))
    assert found(other)["backup"].level is Level.WELL, "made with the project's key, which is still there"
    real = NOW
    with clock.freeze(real + timedelta(hours=60)):
        assert found(project)["backup-old"].level is Level.WRONG
        relaxed = replace(project, settings=project.settings.model_copy(update={
            "backup": BackupSettings(nightly=False)}))
        assert "backup-old" not in found(relaxed)


def test_a_folder_that_takes_no_backups(project: Project) -> None:
    """It is said before the mailing that would not start for it."""
    assert "backup-folder" not in found(project)
    folder = project.folder / "var" / "backups"
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file")
    assert found(project)["backup-folder"].level is Level.WRONG
    assert "is a file" in found(project)["backup-folder"].words


def test_a_backup_that_nobody_could_open_any_more(project: Project) -> None:
    """Made with a passphrase that is not set: better heard today than on the day it is needed."""
    with_one = replace(project, settings=project.settings.model_copy(update={
        "backup": BackupSettings(key=SecretStr("a passphrase"))}))
    backup.backup(with_one)
    assert found(with_one)["backup"].level is Level.WELL
    assert "passphrase" in found(project)["backup-unreadable"].words


def test_thorough_reads_the_backup_from_end_to_end(project: Project) -> None:
    """A glance sees what was cut off; a bit that was changed in the middle of a large one, only a whole reading."""
    with project.store.writing() as connection:
        connection.execute(insert(schema.bundles).values(id="b", appeal="harbour", made_at=NOW,
                                                         content=secrets.token_bytes(3_000_000)))
    kept = backup.backup(project)
    data = bytearray(kept.read_bytes())
    data[100_000] ^= 1
    kept.write_bytes(data)
    assert found(project)["backup"].level is Level.WELL
    told = {finding.code: finding for finding in work.examine(project, thorough=True)}
    assert told["backup-unreadable"].level is Level.WRONG


def test_a_worker_that_was_killed_does_not_run(project: Project) -> None:
    """On its own machine it is seen at once, as `send --at` sees it."""
    gone = subprocess.run([sys.executable, "-c", "from pillarbox.ground.process import Worker; print(Worker.this())"],
                          capture_output=True, text=True, check=True, cwd=projects.ROOT).stdout.strip()
    with project.store.writing() as connection:
        workers.beat(connection, gone, kind="worker", host="here")
    assert found(project)["worker-not-seen"].level is Level.LOOK


def test_staff_who_cannot_be_told(project: Project) -> None:
    """Nobody to tell, a notice that waits, mail that fails."""
    with project.store.writing() as connection:
        notices.add(connection, kind="paused", words="It paused.")
    told = found(project)
    assert told["staff"].level is Level.LOOK
    assert "It paused." in told["notice"].words
    project = replace(project, settings=project.settings.model_copy(update={
        "staff": StaffSettings(email=("office@harbour.example",))}))
    assert found(project)["staff"].level is Level.WELL
    with clock.freeze(NOW + timedelta(hours=2)):
        assert found(project)["staff-mail"].level is Level.LOOK
    with project.store.writing() as connection:
        notices.failed(connection, least=timedelta(minutes=1), most=timedelta(hours=1))
    assert found(project)["staff-mail"].level is Level.WRONG


def test_a_clock_that_jumped_back(project: Project) -> None:
    """The database holds what has not happened yet."""
    with project.store.writing() as connection:
        builders.mailing(connection, "harbour", created_at=NOW + timedelta(days=2))
    assert "clock-back" in {finding.code for finding in database.examine(project)}


def test_a_damaged_database(tmp_path: Path) -> None:
    """The quick check finds it, or opening does; either way it is a sentence and not a trace."""
    made = projects.make(tmp_path / "project")
    open_project(made.folder).close()
    path = made.folder / "var" / "pillarbox.db"
    data = bytearray(path.read_bytes())
    data[4096 * 3: 4096 * 30] = b"\xff" * (4096 * 27)
    path.write_bytes(data)
    done = made.run("doctor", "--json", expect=1)
    told = json.loads(done.stdout)
    assert any("damaged" in sentence for sentence in told["faults"]), told
    assert "Traceback" not in done.stderr


def test_little_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As good as full, little, enough."""
    class Usage:
        free = 0

    monkeypatch.setattr(database.shutil, "disk_usage", lambda _folder: Usage)
    levels = []
    for Usage.free in (100_000_000, 900_000_000, 3_000_000_000):
        levels += [finding.level for finding in database.room(tmp_path, 100)]
    assert levels == [Level.WRONG, Level.LOOK, Level.WELL]
    Usage.free = 3_000_000_000
    assert [finding.level for finding in database.room(tmp_path, 2_000_000_000)] == [Level.LOOK]


def test_a_database_that_was_copied_here(tmp_path: Path) -> None:
    """What keeps every command from working is the doctor's first sentence."""
    made = projects.make(tmp_path / "one")
    open_project(made.folder).close()
    made.folder.rename(tmp_path / "two")
    moved = replace(made, folder=tmp_path / "two")
    told = json.loads(moved.run("doctor", "--json", expect=1).stdout)
    assert "store adopt" in told["faults"][0]


def test_the_command(tmp_path: Path) -> None:
    """Exit 0 and plain words when nothing is wrong, 1 when something is; JSON has the same."""
    made = projects.make(tmp_path / "project")
    (made.folder / "pillarbox.key").chmod(0o600)
    said = made.run("doctor").stdout
    assert "PRACTICE" in said
    assert "Nothing is wrong." in said
    told = made.json("doctor")
    assert list(told) == ["ok", "practice", "faults", "findings"]
    assert set(told["findings"][0]) == {"code", "level", "words", "todo"}
    (made.folder / "pillarbox.key").chmod(0o644)
    done = made.run("doctor", expect=1)
    assert done.stdout.index("chmod 600") < done.stdout.index("Well")
    assert main.get_command(None, "doctor") is not None  # type: ignore[arg-type]


def test_a_database_server_that_is_away(tmp_path: Path) -> None:
    """A sentence without the password, and what the settings tell besides."""
    made = projects.make(tmp_path / "project", database="postgresql://pillarbox:hush-hush@127.0.0.1:9/pillarbox")
    done = made.run("doctor", "--json", expect=1)
    told = json.loads(done.stdout)
    assert told["findings"][0]["code"] == "database"
    assert {"key", "settings"} <= {finding["code"] for finding in told["findings"]}
    assert "hush-hush" not in done.stdout + done.stderr


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    """Nothing is changed in it, and the sentence says what to install."""
    made = projects.make(tmp_path / "project")
    opened = open_project(made.folder)
    with opened.store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    opened.close()
    assert "newer" in json.loads(made.run("doctor", "--json", expect=1).stdout)["faults"][0]


def test_a_live_mailing_that_nobody_approved(project: Project) -> None:
    """It cannot be sent, and the command is named; and rules that anybody could satisfy are looked at."""
    mailing(project, MailingState.PLANNED, MessageState.PLANNED)
    told = found(project)["not-approved"]
    assert (told.level, told.words) == (Level.LOOK, "harbour cannot be sent: nobody has approved it.")
    assert "pillarbox approve harbour --by NAME" in told.todo
    rules = ApprovalSettings(needed=2)
    two = replace(project, settings=project.settings.model_copy(update={"approval": rules}))
    assert "whoever types two names" in found(two)["approval-anybody"].words
    control.approve(project, "harbour", by="Ann")
    assert "not-approved" not in found(project)
