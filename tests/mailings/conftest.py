"""A project with a hundred supporters on each engine, and a transport that says what the test wants said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pillarbox.mailings import control, planning
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import Basis, Verdict
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from tests import projects

CROWD = 100


@dataclass(kw_only=True)
class Scripted:
    """A transport whose answers a test writes; it keeps what it was given."""

    answer: Callable[[Unit], Result]
    name: str = "sendgrid"
    unit: int = 40
    repeatable: bool = False
    lease_seconds: float = 60.0
    units: list[Unit] = field(default_factory=list)

    def check(self) -> None:
        """Always usable."""

    def send(self, unit: Unit) -> Result:
        """Keep the unit, answer as told."""
        self.units.append(unit)
        return self.answer(unit)

    def hurry(self) -> None:
        """Nothing to hurry."""

    def close(self) -> None:
        """Nothing to let go of."""

    @property
    def addresses(self) -> list[str]:
        """Everybody who was in a unit, in order."""
        return [message.address for unit in self.units for message in unit.messages]


def saying(verdict: Verdict, detail: str = "", **more: object) -> Callable[[Unit], Result]:
    """An answer that gives every message the same verdict."""
    return lambda unit: Result(receipts=tuple(
        Receipt(message_id=message.message_id, verdict=verdict, detail=detail) for message in unit.messages), **more)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A practice project with one appeal and a list of a hundred."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    made = projects.make(tmp_path / "project")
    opened = open_project(made.folder)
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(CROWD))
    import_list(opened.store, secret=opened.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    yield opened
    opened.close()


def planned(project: Project, **more: object) -> Mailing:
    """Plan the project's appeal to its list."""
    wish = planning.Wish(appeal="harbour", rule=Rule(lists=("all",)), **more)  # type: ignore[arg-type]
    return planning.plan(project, wish).mailing


def dispatch(project: Project, mailing: Mailing, transport: Scripted) -> Dispatch:
    """Start a mailing, ready for submit."""
    return Dispatch.of(project, control.start(project, mailing.name, actor="test"), transport)


def pretty(data: object) -> str:
    """For assertion messages."""
    return json.dumps(data, indent=1, default=str)
