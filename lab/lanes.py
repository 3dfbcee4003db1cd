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

from lab import projects
from lab.budget import Budget
from lab.disk import Disk
from lab.postgres import Cluster
from lab.rounds import Cell, Outcome, Round

# A mailing of this size goes in about fifty batches: enough moments for some ten kills.
SUPPORTERS = 4_900
_DISK_MIB = 40
# A round whose trouble never comes (each sender ends before its kill) is not repeated for ever.
_MOST_ROUNDS = 40
_MOST_ACTS_A_ROUND = {"kill": 10, "sleep": 8, "restart": 4, "fill": 4}


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
        """Run them all; what came of each."""
        with ExitStack() as stack:
            home = Path(tempfile.mkdtemp(prefix="pillarbox-lab-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            home.chmod(0o755)  # PostgreSQL, another user, may get a tablespace in it
            cluster = stack.enter_context(Cluster()) if self._cells[0].engine == "postgresql" else None
            template = projects.make(home / "template", self._supporters, cluster)
            return [(cell, self._cell(cell, template, home)) for cell in self._cells]

    def _cell(self, cell: Cell, template: projects.Ledger, home: Path) -> Outcome:
        total, left = Outcome(), cell.acts
        while total.rounds < cell.rounds or left:
            if self._budget.spent or total.rounds >= _MOST_ROUNDS:
                break
            acts = Counter({act: min(number, _MOST_ACTS_A_ROUND[act]) for act, number in left.items()})
            try:
                done = self._round(cell, template, home / f"round-{self._chance.randrange(10**9)}", acts)
            except PermissionError as fault:
                self._say(f"{cell.engine}, {cell.name}: left out ({fault})")
                break
            left = +(left - done.befell)
            total.add(done)
            self._say(f"{cell.engine}, {cell.senders} × {cell.connections} {cell.kind}, {cell.name}: "
                      f"{', '.join(f'{n} {what}' for what, n in done.befell.items()) or 'nothing befell it'}; "
                      f"{done.duplicates} twice, {done.lost} lost, {done.doubt} in doubt (at most {done.allowed}), "
                      f"{done.healed} healed{'; BROKEN: ' + ' | '.join(done.breaches) if done.breaches else ''}")
        return total

    def _round(self, cell: Cell, template: projects.Ledger, folder: Path, acts: Counter[str]) -> Outcome:
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
            ledger = template.copy(place, tablespace=space)
            stack.callback(ledger.delete)
            return Round(cell, ledger, folder, self._chance, acts=acts, budget=self._budget, disk=disk).play()


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
