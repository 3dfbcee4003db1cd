"""Migrations make what the schema says, once, and never on a guess."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from pillarbox.ground.errors import StoreError
from pillarbox.store import migrate
from pillarbox.store.connect import Store
from pillarbox.store.migrations import regenerate
from pillarbox.store.schema import metadata


@pytest.fixture
def empty(store: Store) -> Store:
    """A database without tables."""
    metadata.drop_all(store.writer)
    return store


def definitions(store: Store) -> list[tuple[str, ...]]:
    """What the engine itself says of every table, constraint and index (check and partial conditions included)."""
    query = ("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' ORDER BY name"
             if store.is_sqlite else
             "SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c "
             "WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE '%alembic%' UNION ALL "
             "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
             "AND tablename <> 'alembic_version' UNION ALL "
             "SELECT table_name, column_name, concat_ws(' ', data_type, character_maximum_length, is_nullable, "
             "column_default) FROM information_schema.columns WHERE table_schema = 'public' "
             "AND table_name <> 'alembic_version' ORDER BY 1, 2, 3")
    with store.reading() as connection:
        rows = connection.execute(text(query)).all()
    return sorted((row[0], row[1], " ".join(_sorted_body(row[2] or ""))) for row in rows)


def _sorted_body(sql: str) -> list[str]:
    # The order of a table's constraints carries no meaning.
    return sorted(line.strip().rstrip(",") for line in sql.splitlines())


def test_migrated_is_what_the_schema_says(store: Store) -> None:
    """A migrated database and one made from the schema are the same, to the engine's own words."""
    wanted = definitions(store)
    metadata.drop_all(store.writer)
    migrate.upgrade(store)
    assert definitions(store) == wanted
    assert len(wanted) > len(metadata.tables)
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_first_migration_is_the_schema_written_out(tmp_path: Path) -> None:
    """Until the first release, 0001 is regenerated whenever the schema changes."""
    assert regenerate.FILE.read_text("utf-8") == regenerate.render()


def test_upgrading_twice_is_harmless(empty: Store) -> None:
    """The second upgrade finds nothing to do and leaves every row."""
    migrate.upgrade(empty)
    with empty.writing() as connection:
        connection.execute(text("INSERT INTO lists (name, created_at) VALUES ('friends', '2026-11-23 10:00:00')"))
    migrate.upgrade(empty)
    migrate.check(empty)
    assert migrate.current(empty) == migrate.head()
    with empty.reading() as connection:
        assert connection.execute(text("SELECT name FROM lists")).scalar_one() == "friends"


def test_two_at_once_are_harmless(empty: Store) -> None:
    """Workers that start together upgrade once; none fails."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            migrate.upgrade(empty)
        except BaseException as fault:  # noqa: BLE001 - whatever it is, the test must show it
            faults.append(fault)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    migrate.check(empty)


def test_an_empty_database_is_told(empty: Store) -> None:
    """``check`` says what to run, and makes nothing."""
    with pytest.raises(StoreError, match=r"no tables yet.*store upgrade"):
        migrate.check(empty)
    assert inspect(empty.reader).get_table_names() == []


def test_an_older_database_is_told(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that stands at an earlier migration says so, and how to go on."""
    migrate.upgrade(empty)
    monkeypatch.setattr(migrate, "HISTORY", (*migrate.HISTORY, "9999"))
    with pytest.raises(StoreError, match=r"older than this program.*copy of the database"):
        migrate.check(empty)


def test_a_newer_database_is_refused(empty: Store) -> None:
    """Neither ``check`` nor ``upgrade`` touches a database that a newer program made."""
    migrate.upgrade(empty)
    with empty.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    for attempt in (migrate.check, migrate.upgrade):
        with pytest.raises(StoreError, match="newer Pillarbox"):
            attempt(empty)
    assert migrate.current(empty) == "from-the-future"


def test_tables_of_unknown_origin_are_refused(store: Store) -> None:
    """Tables without a version are left alone."""
    with pytest.raises(StoreError, match="which version"):
        migrate.upgrade(store)


def test_a_failed_upgrade_leaves_nothing(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that breaks off is undone whole."""
    whole = migrate._migrate

    def broken(connection: object) -> None:
        whole(connection)  # type: ignore[arg-type]
        raise RuntimeError

    monkeypatch.setattr(migrate, "_migrate", broken)
    with pytest.raises(RuntimeError):
        migrate.upgrade(empty)
    assert inspect(empty.reader).get_table_names() == []


def test_foreign_keys_hold_after_an_upgrade(empty: Store) -> None:
    """The connection that upgraded enforces foreign keys again."""
    migrate.upgrade(empty)
    with pytest.raises(Exception, match=r"(?i)foreign key"), empty.writing() as connection:
        connection.execute(text("INSERT INTO consent_changes (supporter_id, channel, before, after, source, at) "
                                "VALUES (77, 'email', 'none', 'consent', '', '2026-11-23 10:00:00')"))


def test_the_history_is_the_files() -> None:
    """The names that ``check`` knows are the migrations that exist, in order."""
    config = Config()
    config.set_main_option("script_location", str(migrate._FOLDER))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == migrate.HISTORY
    assert scripts.get_current_head() == migrate.head()


def test_looking_does_not_load_alembic() -> None:
    """The command line starts quickly: importing ``migrate`` leaves Alembic alone."""
    code = "import sys, pillarbox.store.migrate; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
