"""A backup is whole or is not there; only its key opens it; a changed bit is seen."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused, SettingsError, StoreError
from pillarbox.keeping import backup, cipher, dump, journal, rows
from pillarbox.keeping.cipher import DamagedError
from pillarbox.model import config
from pillarbox.store import migrate
from pillarbox.store.project import Project
from pillarbox.store.schema import marks, messages, notices
from tests.keeping.conftest import in_another_process, plan, tallies


def folder(project: Project) -> Path:
    """Where its backups lie."""
    return journal.backups(project.settings)


def with_settings(project: Project, **environment: str) -> Project:
    """The same project under other settings."""
    settings = config.load(project.folder, {**os.environ, **environment})
    return Project(id=project.id, folder=project.folder, settings=settings, store=project.store)


def test_it_holds_every_row(project: Project) -> None:
    """Read back, a backup's tables are the database's, counted and digested."""
    mailing = plan(project)
    before = tallies(project.store)
    path = backup.backup(project)
    with dump.opened(path, project.settings) as opened:
        assert opened.verify().tables == before
        assert opened.about.project == project.id
    assert before["messages"][0] == mailing.planned == 40


def test_nothing_in_it_can_be_read(project: Project) -> None:
    """No address, no name, no letter: not even compressed."""
    plan(project)
    body = backup.backup(project).read_bytes()
    assert b"example.org" not in body
    assert b"harbour" not in body.lower()
    header = body.split(b"\n", 3)
    assert len(header) == 4
    assert os.urandom(1) is not None
    assert len(set(header[3][:4096])) > 200, "what is encrypted looks like noise"


def test_each_backup_has_a_key_of_its_own(project: Project) -> None:
    """The same rows are never encrypted the same way twice."""
    one, two = backup.backup(project), backup.backup(project)
    assert one != two
    assert one.read_bytes()[-200:] != two.read_bytes()[-200:]


def test_only_its_owner_may_read_the_file(project: Project) -> None:
    """The file's mode shuts others out."""
    assert backup.backup(project).stat().st_mode & 0o077 == 0


def test_every_flipped_byte_is_seen(project: Project, tmp_path: Path) -> None:
    """Wherever a byte changes, in the header or behind it, the backup is refused with a sentence."""
    plan(project)
    whole = backup.backup(project).read_bytes()
    copy = tmp_path / "copy.backup"
    places = [*range(0, 700, 7), *range(700, len(whole), max(1, len(whole) // 60)), len(whole) - 1]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 0x10
        copy.write_bytes(changed)
        with pytest.raises(PillarboxError) as caught, dump.opened(copy, project.settings) as opened:
            opened.verify()
        assert str(copy) in str(caught.value), place


@pytest.mark.parametrize("keep", [0, 5, 100, 400, 0.3, 0.9, -17, -1])
def test_a_file_that_was_cut_off_is_seen(project: Project, tmp_path: Path, keep: float) -> None:
    """Cut anywhere, at a chunk's end too, it is no backup any more."""
    whole = backup.backup(project).read_bytes()
    copy = tmp_path / "copy.backup"
    copy.write_bytes(whole[:int(len(whole) * keep)] if 0 < keep < 1 else whole[:int(keep)])
    with pytest.raises(Refused), dump.opened(copy, project.settings) as opened:
        opened.verify()


def test_chunks_cannot_be_left_out_or_change_places(project: Project, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut exactly between two chunks, or with two of them exchanged, it is damaged."""
    monkeypatch.setattr(cipher, "CHUNK", 1024)
    whole = backup.backup(project).read_bytes()
    start = sum(len(line) + 1 for line in whole.split(b"\n", 3)[:3])
    size = 1024 + 16
    chunks = [whole[place:place + size] for place in range(start, len(whole), size)]
    assert len(chunks) > 3
    copy = tmp_path / "copy.backup"
    for changed in (chunks[:-1], chunks[1:], [chunks[1], chunks[0], *chunks[2:]], [*chunks, chunks[-1]]):
        copy.write_bytes(whole[:start] + b"".join(changed))
        with pytest.raises(DamagedError), dump.opened(copy, project.settings) as opened:
            opened.verify()


def test_what_is_no_backup_is_refused(project: Project, tmp_path: Path) -> None:
    """Another file, an empty one, a folder, none at all: a sentence each."""
    (tmp_path / "list.csv").write_text("email\na@example.org\n")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("list.csv", "empty"):
        with pytest.raises(Refused, match="not a Pillarbox backup"), dump.opened(tmp_path / name, project.settings):
            pass
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StoreError, match="cannot be read"), dump.opened(path, project.settings):
            pass


def test_a_backup_of_a_newer_program_is_refused(project: Project, tmp_path: Path) -> None:
    """A form that this program does not know is named, not guessed at."""
    whole = backup.backup(project).read_bytes()
    copy = tmp_path / "copy.backup"
    copy.write_bytes(whole.replace(b"pillarbox backup 1\n", b"pillarbox backup 2\n", 1))
    with pytest.raises(Refused, match="newer Pillarbox"), dump.opened(copy, project.settings):
        pass


def test_another_key_does_not_open_it(project: Project) -> None:
    """The project's secret key, or a passphrase: the wrong one, and none, are each told."""
    plain = backup.backup(project)
    with pytest.raises(SettingsError, match="another secret key"), dump.opened(
            plain, with_settings(project, PILLARBOX_SECRET_KEY="quite another key of some length").settings):
        pass
    spoken = backup.backup(with_settings(project, PILLARBOX_BACKUP_KEY="the lamp has burned since 1862"))
    with pytest.raises(SettingsError, match="none is set"), dump.opened(spoken, project.settings):
        pass
    with pytest.raises(SettingsError, match="another passphrase"), dump.opened(
            spoken, with_settings(project, PILLARBOX_BACKUP_KEY="the lamp went out").settings):
        pass
    with dump.opened(spoken, with_settings(project, PILLARBOX_BACKUP_KEY="the lamp has burned since 1862").settings
                     ) as opened:
        assert opened.verify().rows > 0


def test_old_ones_go(project: Project) -> None:
    """So many stay as [backup] keep says; files of other names and other projects are left alone."""
    settings = project.folder / "pillarbox.toml"
    settings.write_text(settings.read_text("utf-8") + "[backup]\nkeep = 2\n", "utf-8")
    few = with_settings(project)
    folder(few).mkdir(parents=True)
    others = [folder(few) / name for name in ("notes.txt", "pillarbox-zzzzzzzz-20200101-000000-staff.backup")]
    for other in others:
        other.write_text("mine")
    made = [backup.backup(few) for _ in range(4)]
    assert [one.path for one in backup.known(folder(few), few.id)] == [made[3], made[2]]
    assert all(other.exists() for other in others)


def test_a_busy_day_does_not_take_the_nights_away(project: Project) -> None:
    """The nightly ones are counted by themselves."""
    settings = project.folder / "pillarbox.toml"
    settings.write_text(settings.read_text("utf-8") + "[backup]\nkeep = 2\n", "utf-8")
    few = with_settings(project)
    nights = [backup.backup(few, "nightly") for _ in range(3)]
    for _ in range(4):
        backup.backup(few, "send")
    assert [one.path for one in backup.known(folder(few), few.id) if one.why == "nightly"] == [nights[2], nights[1]]
    assert [one.why for one in backup.known(folder(few), few.id)].count("send") == 2


def test_the_newest_is_kept_when_the_clock_was_set_back(project: Project) -> None:
    """Names go on in the order of their making, so that deleting the oldest deletes the oldest."""
    settings = project.folder / "pillarbox.toml"
    settings.write_text(settings.read_text("utf-8") + "[backup]\nkeep = 1\n", "utf-8")
    few = with_settings(project)
    made = []
    for moment in (datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC),
                   datetime(2026, 1, 2, tzinfo=UTC)):
        with clock.freeze(moment):
            made.append(backup.backup(few))
    assert [one.path for one in backup.known(folder(few), few.id)] == [made[2]]


def test_a_full_disk_leaves_nothing(project: Project) -> None:
    """A sentence, no file, and the earlier backup still there."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    place = folder(project)
    place.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)], check=False,
                             capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        small = backup.backup(project)
        with project.store.writing() as connection:
            connection.execute(text("INSERT INTO bundles (id, appeal, made_at, content) VALUES ('b', 'a', "
                                    "'2026-11-23 10:00:00', :content)"), {"content": os.urandom(200_000)})
        with pytest.raises(StoreError, match="No space left") as caught:
            backup.backup(project)
        assert str(place) in str(caught.value)
        assert [path for path in place.iterdir() if path.suffix != ".jsonl"] == [small]
        assert backup.nightly(project) is None
        with project.store.reading() as connection:
            assert "No space left" in connection.execute(select(notices.c.words)).scalar_one()
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_folder_that_cannot_be_written_is_named(project: Project) -> None:
    """Where the folder should be lies a file."""
    folder(project).parent.mkdir(parents=True, exist_ok=True)
    folder(project).write_text("in the way")
    with pytest.raises(StoreError, match="could not be written") as caught:
        backup.backup(project)
    assert str(folder(project)) in str(caught.value)


def test_killed_in_mid_backup_leaves_no_half_file(project: Project) -> None:
    """kill -9 while it is written: no backup by that name, and the next one clears away what was left."""
    plan(project)
    done = in_another_process("""
        import os, signal, sys
        from pathlib import Path
        from pillarbox.keeping import backup, rows
        from pillarbox.store.project import open_project
        whole = rows.lines
        def until_messages(connection, frame):
            for number, line in enumerate(whole(connection, frame)):
                if frame.name == "messages" and number == 20:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield line
        rows.lines = until_messages
        backup.backup(open_project(Path(sys.argv[1])))
    """, str(project.folder))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert backup.known(folder(project), project.id) == []
    assert len(list(folder(project).glob(".*.part"))) == 1
    path = backup.backup(project)
    assert list(folder(project).glob(".*.part")) == []
    with dump.opened(path, project.settings) as opened:
        opened.verify()


def test_it_shows_one_moment_while_others_write(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are changed while it is written are in it as they were when it began."""
    mailing = plan(project)
    whole = rows.lines

    def interrupted(connection: object, frame: rows.Frame) -> object:
        if frame.name == "messages":
            thread = threading.Thread(target=change)
            thread.start()
            thread.join()
        return whole(connection, frame)  # type: ignore[arg-type]

    def change() -> None:
        with project.store.writing() as connection:
            connection.execute(text("UPDATE messages SET state = 'accepted'"))

    before = tallies(project.store)
    monkeypatch.setattr(rows, "lines", interrupted)
    path = backup.backup(project)
    with dump.opened(path, project.settings) as opened:
        assert opened.verify().tables["messages"] == before["messages"]
    with project.store.reading() as connection:
        assert connection.execute(select(messages.c.state).distinct()).scalars().all() == ["accepted"]
    assert mailing.planned == 40


def test_what_cannot_be_read_back_is_no_backup(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that gives back other bytes than it took: refused, and nothing is left."""
    honest = cipher.Sealer._put

    def lying(self: cipher.Sealer, chunk: bytes, *, last: bool) -> None:
        honest(self, chunk, last=last)
        self._file.seek(-1, os.SEEK_END)
        self._file.write(b"\x00")

    monkeypatch.setattr(cipher.Sealer, "_put", lying)
    with pytest.raises(DamagedError):
        backup.backup(project)
    assert list(folder(project).glob("*.backup")) == []
    assert list(folder(project).glob(".*.part")) == []


# ------------------------------------------------------------------------------------------------ by itself


def test_nightly_comes_once_a_day(project: Project) -> None:
    """At or after its hour in the charity's zone, once; also when a worker slept through the hour."""
    first = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
    expected = [(first, True), (first + timedelta(hours=2), False),
                (datetime(2026, 6, 11, 1, 30, tzinfo=UTC), False),  # 02:30 in London's summer
                (datetime(2026, 6, 11, 2, 1, tzinfo=UTC), True), (datetime(2026, 6, 11, 23, 0, tzinfo=UTC), False),
                (datetime(2026, 6, 13, 23, 30, tzinfo=UTC), True),  # 00:30 on the 14th, and two days late
                (datetime(2026, 6, 14, 12, 0, tzinfo=UTC), False)]
    for moment, due in expected:
        with clock.freeze(moment):
            assert (backup.nightly(project) is not None) is due, moment


def test_of_two_workers_one_makes_it(project: Project) -> None:
    """Both find it due at the same moment; the marks let one begin."""
    with clock.freeze(datetime(2026, 6, 10, 9, 0, tzinfo=UTC)):
        assert [backup._begin(project), backup._begin(project)] == [True, False]


def test_a_failed_nightly_is_told_once_and_tried_again(project: Project) -> None:
    """Staff read why, once; after an hour it is tried again."""
    folder(project).parent.mkdir(parents=True, exist_ok=True)
    folder(project).write_text("in the way")
    begun = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
    for minutes in (0, 5, 61):
        with clock.freeze(begun + timedelta(minutes=minutes)):
            assert backup.nightly(project) is None
    with project.store.reading() as connection:
        assert len(connection.execute(select(notices.c.words)).all()) == 1
    folder(project).unlink()
    with clock.freeze(begun + timedelta(minutes=122)):
        assert backup.nightly(project) is not None


def test_a_clock_that_jumps_back_does_not_stop_backups(project: Project) -> None:
    """A mark from the future does not count as made."""
    with project.store.writing() as connection:
        connection.execute(insert(marks).values(name=backup.NIGHTLY, at=datetime(2030, 1, 1, tzinfo=UTC)))
    with clock.freeze(datetime(2026, 6, 10, 9, 0, tzinfo=UTC)):
        assert backup.nightly(project) is not None
        assert backup.nightly(project) is None


def test_nightly_can_be_switched_off(project: Project) -> None:
    """[backup] nightly = false."""
    settings = project.folder / "pillarbox.toml"
    settings.write_text(settings.read_text("utf-8") + "[backup]\nnightly = false\n", "utf-8")
    assert backup.nightly(with_settings(project)) is None


def test_practice_needs_no_backup_before_a_send(project: Project) -> None:
    """Nobody is mailed; live, one is made."""
    assert backup.before_send(project) is None
    assert migrate.current(project.store) == migrate.head()
