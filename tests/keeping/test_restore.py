"""A restored store can never send again what was sent, and staff are told what to do next."""

from __future__ import annotations

import shutil
import signal
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.ground.process import Worker
from pillarbox.keeping import backup, dump, journal, rows
from pillarbox.keeping.aftercare import IDS_LEFT_FREE
from pillarbox.keeping.restore import Restored, restore
from pillarbox.mailings import control
from pillarbox.mailings.reconcile import reconcile
from pillarbox.model.states import MailingState, Role, SuppressionReason
from pillarbox.people import rights
from pillarbox.staff import sessions, users
from pillarbox.store import lists, mailings, migrate, notices, schema, wishes
from pillarbox.store.project import Project, is_project
from pillarbox.store.wishes import Wish
from tests.keeping.conftest import (
    CROWD,
    filled,
    in_another_process,
    plan,
    reopened,
    standing,
    start,
    states,
    tallies,
)


def lose(project: Project) -> None:
    """The database is gone: its machine burned. The journal beside it is gone as well."""
    journal.place(project.settings).unlink(missing_ok=True)
    if not project.store.is_sqlite:
        with migrate.alone(project.store) as connection:
            rows.drop_all(connection)
        project.close()
        return
    project.close()
    for tail in ("", "-wal", "-shm"):
        (project.folder / "var" / f"pillarbox.db{tail}").unlink(missing_ok=True)


def restored(project: Project, path: Path, **more: Any) -> Restored:
    """Put a backup back."""
    return restore(project.folder, path, **more)


def accept_all(project: Project) -> None:
    """Everything that was planned has left."""
    with project.store.writing() as connection:
        connection.execute(text("UPDATE messages SET state = 'accepted'"))
        connection.execute(text("UPDATE mailings SET state = 'sent'"))


def test_everything_comes_back(project: Project) -> None:
    """On an empty place, every row is what it was, apart from what makes it safe."""
    plan(project)
    before = tallies(project.store)
    path = backup.backup(project)
    lose(project)
    done = restored(project, path)
    back = reopened(project)
    safe = ("audit", "notices", "mailings", "messages", "marks", "workers")
    assert tallies(back.store, *safe) == {name: tally for name, tally in before.items() if name not in safe}
    assert back.id == project.id
    assert (done.rows, done.kept) == (sum(tally[0] for tally in before.values()), "")
    assert sum(states(back, standing(back, "harbour")).values()) == CROWD
    back.close()


def test_nobody_is_logged_in_to_a_restored_dashboard(project: Project) -> None:
    """Who logged out, or was let in no more, since the backup does not come back with it; the users do."""
    user = users.add(project.store, name="Ann Lee", role=Role.SEND, password="heron lantern quarry")
    with project.store.writing() as connection:
        token = sessions.begin(connection, project.settings, user, agent="")
    assert sessions.visitor(project.store, project.settings, token) is not None
    path = backup.backup(project)
    lose(project)
    restored(project, path)
    back = reopened(project)
    assert sessions.visitor(back.store, back.settings, token) is None
    assert [each.name for each in users.everybody(back.store)] == ["Ann Lee"]
    back.close()


def test_what_was_planned_at_the_backup_and_sent_since_goes_in_doubt(project: Project) -> None:
    """Nobody knows what left: paused, with a sentence, and nothing of it may be sent."""
    mailing = plan(project)
    path = backup.backup(project)
    start(project, mailing)
    accept_all(project)
    lose(project)
    done = restored(project, path)
    back = reopened(project)
    found = standing(back, mailing.name)
    assert found.state is MailingState.PAUSED
    assert "restored from the backup of" in found.state_reason
    assert states(back, mailing) == {"in_doubt": CROWD}
    assert [(one.mailing, one.in_doubt, one.remaining) for one in done.aftermath.paused] == [(mailing.name, CROWD, 0)]
    with pytest.raises(Refused, match="is paused: the database was restored"):
        start(back, mailing)
    with pytest.raises(Refused):
        plan(back, again=mailing.edition)
    control.resume(back, mailing.name, actor="test")
    assert states(back, mailing) == {"in_doubt": CROWD}, "resuming sends nothing of it"
    assert any("reconcile" in step and mailing.name in step for step in done.to_json()["next"])  # type: ignore[attr-defined]
    reconcile(back, mailing.name, assume="unsent")
    assert states(back, mailing) == {"planned": CROWD}, "only staff's own decision makes it go"
    back.close()


def test_what_was_half_sent_goes_in_doubt_and_what_is_known_stays_known(project: Project) -> None:
    """Accepted stays accepted; on its way and still planned are in doubt; open attempts are over."""
    mailing = start(project, plan(project))
    with project.store.writing() as connection:
        attempt = connection.execute(insert(schema.attempts).values(
            mailing_id=mailing.id, worker=str(Worker.this()), size=10, started_at=clock.now(),
            lease_until=clock.now() + timedelta(minutes=5)).returning(schema.attempts.c.id)).scalar_one()
        ids = connection.execute(select(schema.messages.c.id).order_by(schema.messages.c.id)).scalars().all()
        connection.execute(update(schema.messages).where(schema.messages.c.id.in_(ids[:15])).values(state="accepted"))
        connection.execute(update(schema.messages).where(schema.messages.c.id.in_(ids[15:25])).values(
            state="submitting", attempt_id=attempt))
        connection.execute(update(schema.messages).where(schema.messages.c.id == ids[25]).values(state="failed"))
    path = backup.backup(project)
    lose(project)
    restored(project, path)
    back = reopened(project)
    assert states(back, mailing) == {"accepted": 15, "failed": 1, "in_doubt": CROWD - 16}
    with back.store.reading() as connection:
        assert connection.execute(select(func.count()).where(
            schema.attempts.c.finished_at.is_(None))).scalar_one() == 0
    back.close()


@pytest.mark.parametrize("where", ["beside the database", "beside the backups", "with the backup alone"])
def test_what_was_planned_and_sent_after_the_backup_cannot_be_planned_again(
        project: Project, tmp_path: Path, where: str) -> None:
    """The backup never heard of it; the journal did, wherever a copy of it is left."""
    path = backup.backup(project)
    mailing = start(project, plan(project, again="spring"))
    accept_all(project)
    beside = journal.place(project.settings).read_bytes()
    if where == "with the backup alone":
        elsewhere = tmp_path / "usb"
        shutil.copytree(path.parent, elsewhere)
        shutil.rmtree(path.parent)
        path = elsewhere / path.name
    lose(project)
    if where == "beside the database":
        shutil.copy(path, tmp_path)
        shutil.rmtree(path.parent)
        path = tmp_path / path.name
        journal.place(project.settings).write_bytes(beside)
    done = restored(project, path)
    assert [launch.mailing for launch in done.aftermath.sent_since] == [mailing.name]
    back = reopened(project)
    found = standing(back, mailing.name)
    assert (found.state, found.planned, found.source_code) == (MailingState.SENT, 0, mailing.source_code)
    assert "after the backup" in found.state_reason
    with pytest.raises(Refused, match="has been sent already"):
        plan(back, again="spring")
    with pytest.raises(Refused, match="has been sent already"):
        start(back, found)
    again = plan(back)
    assert again.edition != mailing.edition
    assert again.name != mailing.name
    back.close()


def test_the_database_that_is_replaced_is_asked_as_well(project: Project) -> None:
    """Where no journal is left, the database that the backup replaces still knows what was sent from it."""
    path = backup.backup(project)
    mailing = start(project, plan(project, again="spring"))
    accept_all(project)
    journal.place(project.settings).unlink()
    journal.copy_in(path.parent, project.id).unlink()
    project.close()
    done = restored(project, path, sure=True)
    assert [launch.mailing for launch in done.aftermath.sent_since] == [mailing.name]
    assert [launch.source_code for launch in journal.read([journal.place(project.settings)])] == [mailing.source_code]


def test_another_hosts_journal_can_be_named(project: Project, tmp_path: Path) -> None:
    """Where several hosts send, each has a journal of its own."""
    path = backup.backup(project)
    mailing = start(project, plan(project, again="spring"))
    other = tmp_path / "box2.jsonl"
    shutil.copy(journal.place(project.settings), other)
    journal.copy_in(path.parent, project.id).unlink()
    lose(project)
    with pytest.raises(Refused, match="no such journal"):
        restored(project, path, journals=(tmp_path / "box3.jsonl",))
    done = restored(project, path, journals=(other,))
    assert [launch.mailing for launch in done.aftermath.sent_since] == [mailing.name]


def test_one_engines_backup_is_restored_on_the_other(project: Project, request: pytest.FixtureRequest,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """One format serves both."""
    mailing = plan(project)
    before = tallies(project.store)
    path = backup.backup(project)
    project.close()
    url = (request.getfixturevalue("postgres_database") if project.store.is_sqlite
           else f"sqlite:///{project.folder}/var/new.db")
    monkeypatch.setenv("PILLARBOX_DATABASE_URL", url)
    restored(project, path)
    back = reopened(project)
    assert back.store.is_sqlite is not project.store.is_sqlite
    assert states(back, mailing) == {"in_doubt": CROWD}
    for name in ("supporters", "consents", "list_members", "message_values", "shapes", "bundles"):
        assert tallies(back.store)[name] == before[name]
    back.close()


def test_a_database_that_is_damaged_deep_inside_is_put_aside(tmp_path: Path) -> None:
    """Its first pages are whole; the fault shows when all of it is read."""
    from tests import projects

    projects.make(tmp_path / "project")
    project = filled(tmp_path / "project", tmp_path)
    path = backup.backup(project)
    plan(project)
    with project.store.reading() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'supporters'")).scalar_one()
    project.close()
    file = project.folder / "var" / "pillarbox.db"
    whole = bytearray(file.read_bytes())
    whole[(page - 1) * 4096:page * 4096] = b"\xff" * 4096
    file.write_bytes(whole)
    done = restored(project, path, sure=True)
    assert ".damaged-" in done.kept
    assert not list(path.parent.glob(".*.part"))
    back = reopened(project)
    assert plan(back).planned == CROWD
    back.close()


def test_an_older_backup_is_brought_up(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tables are made as they were, filled, and then migrated, in the one transaction."""
    mailing = plan(project)
    path = backup.backup(project)
    lose(project)
    real = migrate._migrate

    def with_a_second(connection: Connection, target: str = "head") -> None:
        if target in ("0001", "head"):
            real(connection, "0001")
        if target in ("0002", "head"):
            connection.execute(text("ALTER TABLE lists ADD COLUMN note TEXT"))
            connection.execute(text("UPDATE lists SET note = 'brought up'"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))

    monkeypatch.setattr(migrate, "HISTORY", ("0001", "0002"))
    monkeypatch.setattr(migrate, "_migrate", with_a_second)
    restored(project, path)
    back = reopened(project)
    with back.store.reading() as connection:
        assert connection.execute(text("SELECT note FROM lists")).scalars().all() == ["brought up"]
    assert states(back, mailing) == {"in_doubt": CROWD}
    back.close()


def test_ids_given_out_since_are_not_given_out_again(project: Project) -> None:
    """What the provider calls by a message's number must not come to mean another message."""
    path = backup.backup(project)
    mailing = start(project, plan(project))
    with project.store.reading() as connection:
        highest = connection.execute(select(func.max(schema.messages.c.id))).scalar_one()
    lose(project)
    journal.place(project.settings).parent.mkdir(exist_ok=True)
    restored(project, path)
    back = reopened(project)
    new = plan(back)
    with back.store.reading() as connection:
        lowest = connection.execute(select(func.min(schema.messages.c.id)).where(
            schema.messages.c.mailing_id == new.id)).scalar_one()
    assert lowest > highest + IDS_LEFT_FREE - 1
    assert new.id > mailing.id + IDS_LEFT_FREE - 1
    back.close()


def test_what_surely_never_left_stays_planned(project: Project) -> None:
    """The replaced database says that nothing of it was ever sent: it is paused, and not in doubt."""
    mailing = plan(project)
    path = backup.backup(project)
    project.close()
    done = restored(project, path)
    back = reopened(project)
    assert states(back, mailing) == {"planned": CROWD}
    assert standing(back, mailing.name).state is MailingState.PAUSED
    assert [(one.in_doubt, one.remaining) for one in done.aftermath.paused] == [(0, CROWD)]
    assert any("resume" in step and mailing.name in step for step in done.to_json()["next"])  # type: ignore[attr-defined]
    back.close()


def test_a_mailing_with_its_hour_does_not_start_by_itself(project: Project) -> None:
    """The hour of `send --at` is taken away; what the provider holds stays held, so that it can be called back."""
    waits, held = plan(project, again="one"), plan(project, again="two")
    with project.store.writing() as connection:
        mailings.change(connection, waits.id, send_at=datetime(2026, 12, 10, 8, tzinfo=UTC), send_by="staff")
        mailings.change(connection, held.id, state=MailingState.HELD, provider_batch="B1")
    path = backup.backup(project)
    lose(project)
    done = restored(project, path)
    back = reopened(project)
    found = standing(back, waits.name)
    assert (found.state, found.send_at, found.send_by) == (MailingState.PAUSED, None, "")
    found = standing(back, held.name)
    assert (found.state, found.provider_batch) == (MailingState.HELD, "B1")
    assert states(back, held) == {"in_doubt": CROWD}
    assert any("cancel" in step and held.name in step for step in done.to_json()["next"])  # type: ignore[attr-defined]
    back.close()


def test_schedules_stop_until_staff_put_them_back(project: Project) -> None:
    """What a schedule planned and sent since is not known; the command that puts it back is told."""
    with project.store.writing() as connection:
        connection.execute(insert(schema.schedules).values(
            appeal="newsletter-{yyyy}-{mm}", rule="FREQ=MONTHLY;BYDAY=1TH", at="08:00", zone="Europe/London",
            starts_on=date(2026, 1, 1), audience={"lists": ["all"], "segments": [], "exclude": []}, late_hours=12,
            practice=True, created_at=clock.now(), created_by="staff"))
    path = backup.backup(project)
    lose(project)
    done = restored(project, path)
    assert len(done.aftermath.schedules) == 1
    for part in ('schedule add \'newsletter-{yyyy}-{mm}\'', "FREQ=MONTHLY;BYDAY=1TH", "--at 08:00", "--list all"):
        assert part in done.aftermath.schedules[0]
    back = reopened(project)
    with back.store.reading() as connection:
        assert connection.execute(select(schema.schedules.c.removed_at)).scalar_one() is not None
    back.close()


def test_a_plan_that_was_being_composed_is_swept_away(project: Project) -> None:
    """It never was sendable; the next plan takes its place."""
    mailing = plan(project)
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, state=MailingState.COMPOSING, state_reason=str(Worker.this()))
    path = backup.backup(project)
    lose(project)
    restored(project, path)
    back = reopened(project)
    assert plan(back).planned == CROWD
    with back.store.reading() as connection:
        assert mailings.composing(connection) == []
    back.close()


def test_whoever_left_since_stays_out(project: Project) -> None:
    """Unsubscribed, forgotten, or no longer to be tracked since the backup: taken over from what is replaced."""
    path = backup.backup(project)
    rights.suppress_address(project.store, secret=project.secret, email="supporter3@example.org",
                            reason=SuppressionReason.UNSUBSCRIBED, source="one-click")
    rights.forget(project.store, secret=project.secret, email="supporter6@example.org")
    project.close()
    done = restored(project, path, sure=True)
    assert done.aftermath.suppressions == 2
    assert done.aftermath.erased == ("supporter6@example.org",)
    back = reopened(project)
    planned = plan(back)
    assert (planned.planned, sum(planned.excluded.values())) == (CROWD - 2, 2)
    with back.store.reading() as connection:
        left = connection.execute(select(schema.consents.c.basis).join(schema.supporters).where(
            schema.supporters.c.address == "supporter3@example.org")).scalars().all()
        told = notices.newest(connection)
    assert set(left) == {"none"}
    assert not any("supporter6" in notice.words for notice in told), "notices are mailed: no personal data"
    back.close()


def test_what_was_asked_for_since_need_not_be_asked_again(project: Project) -> None:
    """A pause, a list left and a new address since the backup: taken over from what is replaced."""
    path = backup.backup(project)
    moment = clock.now()
    with project.store.writing() as connection:
        found = connection.execute(select(schema.supporters.c.id, schema.supporters.c.address_hash).order_by(
            schema.supporters.c.id).limit(3)).all()
        wishes.keep(connection, found[0].id, Wish(paused_until=moment + timedelta(days=9)), moment)
        lists.leave(connection, 1, found[1].id, moment)
        connection.execute(update(schema.supporters).where(schema.supporters.c.id == found[2].id).values(
            address="new@example.org", address_hash="new"))
        wishes.give_up(connection, found[2].address_hash, found[2].id, moment)
        for row in found:
            wishes.note(connection, row.id, source="page", changes={}, at=moment)
    project.close()
    restored(project, path, sure=True)
    back = reopened(project)
    assert dict(plan(back).excluded) == {"paused": 1, "left-list": 1}
    with back.store.reading() as connection:
        assert connection.execute(select(schema.supporters.c.address).where(
            schema.supporters.c.address_hash == "new")).scalar_one() == "new@example.org"
        assert list(wishes.given_up(connection, [found[2].address_hash])) == [found[2].address_hash]
    back.close()


def test_audit_notices_and_guard_are_right(project: Project) -> None:
    """It is written down; staff are told once, old notices are not told again; the machine is the database's home."""
    with project.store.writing() as connection:
        notices.add(connection, kind="paused", words="old news")
    mailing = plan(project)
    path = backup.backup(project)
    with project.store.writing() as connection:
        connection.execute(update(schema.project).values(machine="another"))
    other = backup.backup(project)
    lose(project)
    restored(project, other)
    back = reopened(project)
    assert back.store.closed is None
    with back.store.reading() as connection:
        waiting = notices.untold(connection)
        assert {notice.kind for notice in waiting} == {"restored", "paused"}
        assert not any("old news" in notice.words for notice in waiting)
        assert any(notice.mailing_id == mailing.id for notice in waiting)
        last = connection.execute(select(schema.audit).where(schema.audit.c.action == "restore")).one()
    assert last.subject == other.name
    assert last.detail["in_doubt"] == CROWD
    assert path.exists()
    back.close()


# ------------------------------------------------------------------------------------------------ refusals


def test_a_newer_database_is_replaced_only_when_told(project: Project) -> None:
    """The sentence counts what would be lost; with --yes it goes, and a backup of it is kept."""
    path = backup.backup(project)
    plan(project)
    before = tallies(project.store)
    with pytest.raises(Refused, match=r"newer than the backup \(1 mailings planned\).*--yes"):
        restored(project, path)
    assert tallies(project.store) == before
    done = restored(project, path, sure=True)
    with dump.opened(Path(done.kept), project.settings) as opened:
        assert opened.about.why == "before-restore"
        assert opened.verify().tables["messages"] == before["messages"]


def test_a_database_in_use_is_replaced_only_when_told(project: Project) -> None:
    """A sender in mid-batch or a worker on another machine."""
    mailing = plan(project)
    moment = clock.now()
    with project.store.writing() as connection:
        connection.execute(insert(schema.attempts).values(
            mailing_id=mailing.id, worker="elsewhere:b:1:2", size=1, started_at=moment - timedelta(days=1),
            lease_until=moment + timedelta(minutes=1)))
        connection.execute(insert(schema.workers).values(id="elsewhere:b:7:2", kind="worker", host="box2",
                                                         started_at=moment, seen_at=moment))
    path = backup.backup(project)
    with pytest.raises(Refused, match=r"in use \(a worker runs on box2, harbour-\d+ is being sent\)"):
        restored(project, path)


def test_another_projects_database_is_never_replaced(project: Project, tmp_path: Path) -> None:
    """With the same key even: its own id tells."""
    path = backup.backup(project)
    with project.store.writing() as connection:
        connection.execute(update(schema.project).values(id="otherone"))
    with pytest.raises(Refused, match="another project's"):
        restored(project, path, sure=True)


def test_a_sealed_database_is_never_replaced(project: Project) -> None:
    """Its project lives elsewhere: two could send."""
    path = backup.backup(project)
    with project.store.writing() as connection:
        connection.execute(update(schema.project).values(sealed=True))
    with pytest.raises(Refused, match="sealed"):
        restored(project, path, sure=True)


def test_a_backup_under_another_secret_key_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the right passphrase even: nobody who left would be recognised."""
    monkeypatch.setenv("PILLARBOX_BACKUP_KEY", "the lamp has burned since 1862")
    again = reopened(project)
    path = backup.backup(again)
    again.close()
    lose(project)
    (project.folder / "pillarbox.key").write_text("another key altogether, also long enough\n", "utf-8")
    with pytest.raises(Refused, match="another project"):
        restored(project, path)


def test_a_backup_of_newer_tables_is_refused(
        project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that this program does not know stops it before anything is touched."""
    monkeypatch.setattr(migrate, "head", lambda: "9999")
    path = backup.backup(project)
    monkeypatch.undo()
    with pytest.raises(StoreError, match="newer Pillarbox"):
        restored(project, path, sure=True)


def test_a_damaged_backup_changes_nothing(project: Project, tmp_path: Path) -> None:
    """It is read to its end before the database is touched."""
    plan(project)
    whole = bytearray(backup.backup(project).read_bytes())
    whole[-40] ^= 1
    (tmp_path / "damaged.backup").write_bytes(whole)
    before = tallies(project.store)
    with pytest.raises(Refused, match="damaged"):
        restored(project, tmp_path / "damaged.backup", sure=True)
    assert tallies(project.store) == before


def test_a_damaged_database_is_put_aside(tmp_path: Path) -> None:
    """Only when told; the damaged file is kept under another name."""
    from tests import projects

    projects.make(tmp_path / "project")
    project = filled(tmp_path / "project", tmp_path)
    path = backup.backup(project)
    project.close()
    file = project.folder / "var" / "pillarbox.db"
    file.write_bytes(b"no database" * 10_000)
    for tail in ("-wal", "-shm"):
        file.with_name(file.name + tail).unlink(missing_ok=True)
    with pytest.raises(Refused, match=r"damaged.*--yes"):
        restored(project, path)
    done = restored(project, path, sure=True)
    assert Path(done.kept).read_bytes().startswith(b"no database")
    back = reopened(project)
    assert plan(back).planned == CROWD
    back.close()


@pytest.mark.parametrize("moment", ["rows.drop_all", "rows.give_out_after", "aftercare.tell"])
def test_killed_in_mid_restore_leaves_the_database_as_it_was(project: Project, moment: str) -> None:
    """kill -9 before the one commit: nothing has changed, and the same command works again."""
    path = backup.backup(project)
    mailing = start(project, plan(project))
    project.close()
    done = in_another_process("""
        import importlib, os, signal, sys
        from pathlib import Path
        from pillarbox.keeping.restore import restore
        room, name = sys.argv[3].split(".")
        module = importlib.import_module(f"pillarbox.keeping.{room}")
        real = getattr(module, name)
        def deadly(*args, **kwargs):
            real(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)
        setattr(module, name, deadly)
        restore(Path(sys.argv[1]), Path(sys.argv[2]), sure=True)
    """, str(project.folder), str(path), moment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    back = reopened(project)
    assert standing(back, mailing.name).state is MailingState.SENDING
    assert states(back, mailing) == {"planned": CROWD}
    back.close()
    after = restored(project, path, sure=True)
    assert [launch.mailing for launch in after.aftermath.sent_since] == [mailing.name]


def test_the_backup_that_is_put_back_is_not_deleted_as_an_old_one(project: Project) -> None:
    """What is there is backed up first, which takes old backups away; never the one in hand: a crash would lose it."""
    settings = project.folder / "pillarbox.toml"
    settings.write_text(settings.read_text("utf-8") + "[backup]\nkeep = 1\n", "utf-8")
    few = reopened(project)
    path = backup.backup(few)
    plan(few)
    few.close()
    restored(project, path, sure=True)
    assert path.exists()


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    """The sentence says how to make one."""
    assert not is_project(tmp_path)
    with pytest.raises(Exception, match="pillarbox init"):
        restore(tmp_path, tmp_path / "x.backup")
    assert list(tmp_path.iterdir()) == []
