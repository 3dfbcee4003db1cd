"""A project with forty supporters on each engine, and a second empty database to move it to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pillarbox.keeping import rows
from pillarbox.mailings import control, planning
from pillarbox.model.states import Basis
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.store import mailings
from pillarbox.store.connect import Store
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from tests import projects
from tests.conftest import new_database

CROWD = 40
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=ENGINES)
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A practice project with one appeal and a list of forty."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    projects.make(tmp_path / "project")
    opened = filled(tmp_path / "project", tmp_path)
    yield opened
    opened.close()


def filled(folder: Path, scratch: Path) -> Project:
    """Open the project in ``folder``, with its list imported."""
    opened = open_project(folder)
    path = projects.write_list(scratch / "list.csv", projects.crowd(CROWD))
    import_list(opened.store, secret=opened.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    return opened


def plan(project: Project, **more: Any) -> Mailing:
    """Plan the appeal to the list."""
    return planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",)), **more)).mailing


def start(project: Project, mailing: Mailing) -> Mailing:
    """Open a mailing's gate, as ``send`` does."""
    return control.start(project, mailing.name, actor="test")


def standing(project: Project, name: str) -> Mailing:
    """A mailing as it stands now."""
    with project.store.reading() as connection:
        return mailings.find(connection, name)


def states(project: Project, mailing: Mailing) -> dict[str, int]:
    """State → messages."""
    with project.store.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(
            text("SELECT state, count(*) FROM messages WHERE mailing_id = :id GROUP BY state"), {"id": mailing.id})}


def tallies(store: Store, *leave_out: str) -> dict[str, list[Any]]:
    """Table → rows and digest."""
    with store.snapshot() as connection:
        return {frame.name: rows.tally(connection, frame).to_json() for frame in rows.frames()
                if frame.name not in leave_out}


def reopened(project: Project) -> Project:
    """The same project, opened anew."""
    return open_project(project.folder)


def in_another_process(script: str, *arguments: str, environment: dict[str, str] | None = None,
                       ) -> subprocess.CompletedProcess[str]:
    """Run Python that may kill itself."""
    return subprocess.run([sys.executable, "-c", textwrap.dedent(script), *arguments], cwd=projects.ROOT, text=True,
                          env={**os.environ, **(environment or {})}, capture_output=True, check=False, timeout=120)


@pytest.fixture
def second_postgres(postgres_url: str) -> Iterator[str]:
    """The URL of one more empty database."""
    with new_database(postgres_url) as url:
        yield url


def lines(path: Path) -> list[Any]:
    """A file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
