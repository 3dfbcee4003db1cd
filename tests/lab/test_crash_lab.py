"""The short crash lab: killed at random moments, nothing goes twice and nobody is lost; and the lab is not blind."""

from __future__ import annotations

import os

import pytest

from lab import cells, commands, lanes
from lab.budget import Budget
from lab.cells import Cell
from lab.moods import Mood
from lab.outcome import Outcome
from lab.postgres import binaries
from tests import forked
from tests.conftest import missing

SUPPORTERS = 1_800


@pytest.fixture(autouse=True)
def _no_settings_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PILLARBOX_", "SENDGRID_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(commands, "begin", forked.begin)


def played(cell: Cell, seed: int = 1887) -> Outcome:
    """What comes of one cell."""
    if cell.engine == "postgresql" and binaries() is None:
        missing("postgres", "PostgreSQL is not installed here: its tests run in CI")
    said: list[str] = []
    [(_, outcome)] = lanes.run({"": [cell]}, seed=seed, supporters=SUPPORTERS, budget=Budget(seconds=3_600),
                               say=said.append)
    print("\n".join(said))
    return outcome


@pytest.mark.parametrize("cell", [
    pytest.param(cell, id=f"{cell.engine}-{cell.senders}", marks=[pytest.mark.postgres] * (cell.engine != "sqlite"))
    for lane in cells.short().values() for cell in lane])
def test_killed_at_random_moments(cell: Cell) -> None:
    """Three times kill -9 in mid-send: 0 twice, 0 lost in silence, no more in doubt than what was under way."""
    outcome = played(cell)
    assert outcome.sound, outcome
    assert outcome.befell["kill"] >= cell.kills
    assert outcome.accepted == outcome.planned


@pytest.mark.parametrize("seam", ["forget_intent", "assume_unsent"])
def test_the_lab_sees_duplicates(seam: str) -> None:
    """A sender without a record of intent, and one that guesses, send twice, and the lab says so."""
    outcome = played(Cell(name="blind?", engine="sqlite", kills=4, mood=Mood(latency=0.2), seams={seam: 1}))
    assert outcome.befell["kill"]
    assert outcome.duplicates > 0
    assert not outcome.sound


def test_a_connection_cut_after_acceptance_is_doubt_that_events_heal() -> None:
    """What the server took before the connection broke is in doubt, never sent again, and healed by its events."""
    calm = Cell(name="cut", engine="sqlite", connections=4, mood=Mood(latency=0.02, cut_after=0.3))
    outcome = played(calm)
    assert outcome.sound, outcome
    assert outcome.doubt == outcome.healed > 0
