"""A project with a schedule whose clock a test moves: what a worker and staff do at a moment, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from pillarbox.ground import clock
from pillarbox.mailings import control, schedules
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.schedules import Wanted
from pillarbox.model.states import Basis, MailingState, OccurrenceState
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.runner.local import Run
from pillarbox.store import mailings
from pillarbox.store import schedules as table
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from pillarbox.store.schedules import Occurrence
from pillarbox.store.schema import notices as notices_table
from tests import projects
from tests.mailings.conftest import Scripted

LONDON = "Europe/London"
NOVEMBER = datetime(2026, 11, 20, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 3, 8, tzinfo=UTC)
"""The first Thursday of December, 8 o'clock in London."""


@pytest.fixture(name="project", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def small_project(request: pytest.FixtureRequest, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A practice project with a list of three: the test walks through many mailings."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    made = projects.make(tmp_path / "project")
    with clock.freeze(NOVEMBER):
        opened = open_project(made.folder)
        people(opened, projects.crowd(3))
    yield opened
    opened.close()


def people(project: Project, rows: list[dict[str, str]]) -> None:
    """Put people on the list."""
    path = projects.write_list(project.folder / "list.csv", rows)
    import_list(project.store, secret=project.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)


def folder(project: Project, slug: str, words: str = "") -> None:
    """An appeal's folder; what it says is its own unless the test says otherwise."""
    home = project.folder / "appeals" / slug
    home.mkdir(parents=True, exist_ok=True)
    (home / "appeal.toml").write_text(projects.APPEAL, "utf-8")
    (home / "letter.md").write_text(projects.LETTER + (words or f"\nThis is {slug}.\n"), "utf-8")


def added(project: Project, **more: Any) -> table.Schedule:
    """A schedule: the newsletter of each first Thursday."""
    asked: dict[str, Any] = {"appeal": "newsletter-{yyyy}-{mm}", "rule": "FREQ=MONTHLY;BYDAY=1TH", "at": "08:00",
                             "zone": LONDON, "audience": Rule(lists=("all",)), **more}
    with clock.freeze(more.pop("now", NOVEMBER)):
        return schedules.add(project, Wanted(**{k: v for k, v in asked.items() if k != "now"}))


def tick(project: Project, moment: datetime) -> None:
    """What a worker does at a moment: the schedules first, then what has its time."""
    with clock.freeze(moment):
        schedules.tick(project)
        with project.store.reading() as connection:
            found = [each for each in mailings.all_of(connection) if each.state is MailingState.PLANNED
                     and each.send_at and each.send_at <= moment]
        for mailing in found:
            if not schedules.holds_back(project, mailing):
                control.start(project, mailing.name, actor="worker")
        schedules.tick(project)


def send_all(project: Project, transport: Scripted, moment: datetime) -> None:
    """Hand over whatever was started and has its time."""
    with clock.freeze(moment):
        with project.store.reading() as connection:
            found = [each for each in mailings.all_of(connection) if each.state is MailingState.SENDING]
        for mailing in found:
            Run(dispatch=Dispatch.of(project, mailing, transport))(1)


def occasions(project: Project) -> list[Occurrence]:
    """Every occurrence, by its time."""
    with project.store.reading() as connection:
        return table.of_states(connection, *OccurrenceState)


def only(project: Project) -> Occurrence:
    """The one occurrence that there is."""
    [found] = occasions(project)
    return found


def mailing_of(project: Project) -> Mailing:
    """The mailing of the one occurrence that there is."""
    with project.store.reading() as connection:
        return mailings.by_id(connection, only(project).mailing_id or 0)


def approve(project: Project, moment: datetime) -> None:
    """Somebody approves every planned mailing of the schedule."""
    with clock.freeze(moment):
        with project.store.reading() as connection:
            found = [each for each in mailings.all_of(connection) if each.state is MailingState.PLANNED]
        for mailing in found:
            control.approve(project, mailing.name, by="Ada")


def told(project: Project) -> list[tuple[str, str]]:
    """(Kind, words) of everything that staff were told."""
    with project.store.reading() as connection:
        return [(row.kind, row.words) for row in
                connection.execute(select(notices_table).order_by(notices_table.c.id))]


def kinds(project: Project) -> list[str]:
    """The kinds of everything that staff were told."""
    return [kind for kind, _ in told(project)]
