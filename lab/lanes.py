"""Lanes run side by side; in each, its cells one after another, on one engine of its own."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from lab import ledger, rounds
from lab.budget import Budget
from lab.cells import Cell
from lab.disk import Disk, NoDiskError
from lab.ledger import Ledger
from lab.outcome import Outcome
from lab.postgres import Cluster

# A mailing of this size goes in about fifty batches: enough moments for some ten kills.
SUPPORTERS = 4_900
_DISK_MIB = 40
# A round whose trouble never comes (each sender ends before its kill) is not repeated for ever.
_MOST_ROUNDS = 40
# A round that could not be judged is played again, not for ever.
_MOST_UNJUDGED = 3
_MOST_ACTS_A_ROUND = {"kill": 14, "sleep": 8, "restart": 4, "fill": 4}


class Lane:
    """The cells of one engine, one after another.

    Args:
        cells: all of the same engine.
        seed: chooses every moment and victim.
        supporters: of each mailing.
        budget: shared by all lanes.
        say: gets a line for each round.
    """

    def __init__(self, cells: Sequence[Cell], *, seed: int, supporters: int, budget: Budget,
                 say: Callable[[str], None]) -> None:
        self._cells, self._supporters, self._budget, self._say = cells, supporters, budget, say
        self._chance = random.Random(seed)

    def run(self) -> list[tuple[Cell, Outcome]]:
        """Run them all; what came of each. Where the lab itself fails, the rest is told as not judged."""
        done: list[tuple[Cell, Outcome]] = []
        verdict = Outcome()
        with verdict.told(), ExitStack() as stack:
            home = Path(tempfile.mkdtemp(prefix="pillarbox-lab-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            home.chmod(0o755)  # PostgreSQL, another user, may get a tablespace in it
            cluster = stack.enter_context(Cluster()) if self._cells[0].engine == "postgresql" else None
            template = ledger.make(home / "template", self._supporters, cluster)
            for cell in self._cells:
                done.append((cell, self._cell(cell, template, home)))
        return done + [(cell, Outcome(unjudged=verdict.unjudged + verdict.breaches))
                       for cell in self._cells[len(done):]]

    def _cell(self, cell: Cell, template: Ledger, home: Path) -> Outcome:
        total, left, failed = Outcome(), cell.acts, 0
        while (not total.rounds or left) and total.rounds < _MOST_ROUNDS:
            if self._budget.spent:
                total.unjudged += ["the time was up"] * (not total.rounds)
                break
            acts = Counter({act: min(number, _MOST_ACTS_A_ROUND[act]) for act, number in left.items()})
            try:
                done = self._round(cell, template, home / f"round-{self._chance.randrange(10**9)}", acts)
            except NoDiskError as fault:
                total.unjudged.append(str(fault))
                break
            self._say(f"{cell.engine}, {cell.senders} × {cell.connections} {cell.kind}, {cell.name}: {done.words}")
            if done.unjudged and not done.broken:
                failed += 1
                if failed == _MOST_UNJUDGED:
                    total.unjudged += done.unjudged
                    break
                total.played_again += 1
                continue
            left = +(left - done.befell)
            total.add(done)
        return total

    def _round(self, cell: Cell, template: Ledger, folder: Path, acts: Counter[str]) -> Outcome:
        with ExitStack() as stack:
            folder.mkdir()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            disk, place, space = None, folder / "project", "pg_default"
            if cell.fills:
                disk = Disk(folder / "disk", _DISK_MIB)
                stack.callback(disk.close)
                if template.cluster is None:
                    place = disk.folder / "project"
                else:
                    (disk.folder / "space").mkdir()
                    space = template.cluster.tablespace(disk.folder / "space")
                    stack.callback(template.cluster.drop_tablespace, space)
            copy = template.copy(place, tablespace=space)
            stack.callback(copy.delete)
            return rounds.play(cell, copy, folder, self._chance, acts=acts, budget=self._budget, disk=disk)


def run(lanes: Mapping[str, Sequence[Cell]], *, seed: int, supporters: int, budget: Budget,
        say: Callable[[str], None]) -> list[tuple[Cell, Outcome]]:
    """Run all lanes side by side; the cells and what came of them, lane by lane."""
    with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
        try:
            futures = [pool.submit(Lane(cells, seed=seed + number, supporters=supporters, budget=budget, say=say).run)
                       for number, cells in enumerate(lanes.values())]
            return [row for future in futures for row in future.result()]
        finally:
            budget.ended.set()
