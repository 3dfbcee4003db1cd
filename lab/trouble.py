"""What befalls a mailing on its way: its cell's acts, in a random order, at random moments."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from lab.budget import Budget
from lab.cells import Cell
from lab.crew import Crew
from lab.disk import Disk
from lab.harbour import MAILING
from lab.judge import Judge
from lab.ledger import Ledger
from lab.moods import TROUBLES
from lab.outcome import Outcome
from lab.patience import LONG_SECONDS, BrokenError, UnjudgedError, again, until
from lab.server import Server
from pillarbox.ground.errors import StoreError
from pillarbox.mailings import status as standing
from pillarbox.store.project import open_project

# A sender that has its answer waits a minute for a database that is away, and not much longer: then its unit is in
# doubt. A database that takes this long to come back is the machine's doing, and told.
_LONG_AWAY_SECONDS = 45.0


class Trouble:
    """The first half of a round.

    Args:
        cell: what is to be tried.
        ledger: whose mailing is planned.
        server: which counts.
        judge: hears the witnesses after every act.
        crew: who sends.
        acts: what may befall this round at most.
        chance: chooses moments.
        budget: when it is spent, nothing more befalls the round.
        disk: where the ledger lies, when that can be filled.
        outcome: gets what befell.
    """

    def __init__(self, cell: Cell, ledger: Ledger, server: Server, judge: Judge, crew: Crew, *, acts: Counter[str],
                 chance: random.Random, budget: Budget, disk: Disk | None, outcome: Outcome) -> None:
        self._cell, self._ledger, self._server, self._judge, self._crew = cell, ledger, server, judge, crew
        self._acts, self._chance, self._budget, self._disk, self._outcome = acts, chance, budget, disk, outcome

    def play(self) -> None:
        """Send until the acts are spent or the mailing has gone."""
        self._server.mood(self._cell.mood)
        if self._cell.kind == "worker":
            self._begin_for_the_workers()
        self.revive()
        order = list(self._acts.elements())
        self._chance.shuffle(order)
        does: dict[str, Callable[[], int]] = {"kill": self._crew.kill, "sleep": self._crew.put_to_sleep,
                                              "restart": self._restart, "fill": self._fill}
        moved, left = time.monotonic(), -1
        while (order or self._troubled) and not self._budget.spent and (remaining := self._judge.remaining()):
            if remaining != left:
                moved, left = time.monotonic(), remaining
            elif time.monotonic() - moved > LONG_SECONDS:
                raise UnjudgedError(f"{remaining} messages remain, and nothing moved for {LONG_SECONDS:,.0f} s")
            self._wait_for_a_moment()
            if order and (times := does[order[0]]()):
                self._outcome.befell[order[0]] += times
                order = self._without(order, order[0], times)
                self._hear()
            self.revive()

    def revive(self) -> None:
        """As many senders as the cell has, while there is something to send."""
        self._crew.bury()
        if not self._judge.remaining():
            return
        if self._judge.mailing_state() == "paused":
            self._ledger.must("resume", MAILING)
        self._crew.fill_up()

    def _begin_for_the_workers(self) -> None:
        """Somebody began to send in a terminal, and was killed: the workers go on with what is left over."""
        first = self._crew.add("send")
        until(lambda: bool(self._server.posts()) or not first.alive, "the first sender never began")
        self._outcome.befell["kill"] += first.kill()

    @property
    def _troubled(self) -> bool:
        """Whether the server itself makes trouble, to the last message."""
        return any(getattr(self._cell.mood, name) for name in TROUBLES)

    @staticmethod
    def _without(order: list[str], act: str, times: int) -> list[str]:
        for _ in range(min(times, order.count(act))):
            order.remove(act)
        return order

    def _wait_for_a_moment(self) -> None:
        """Now and then at any time; mostly when a request is just under way."""
        if self._chance.random() < 0.3:
            time.sleep(self._chance.uniform(0.0, 2.0))
            return
        posts, ends = self._server.posts() + self._chance.randint(1, 3), time.monotonic() + 4.0
        while self._server.posts() < posts and time.monotonic() < ends:
            time.sleep(0.002)
        time.sleep(self._chance.uniform(0.0, 1.5 * self._cell.mood.latency))

    def _hear(self) -> None:
        self._judge.hear()
        status = again(self._status, StoreError)
        parts = ("accepted", "failed", "in_doubt", "cancelled", "withdrawn", "remaining")
        if sum(int(str(status[part])) for part in parts) != status["planned"]:
            raise BrokenError(f"status does not add up: {status}")

    def _status(self) -> dict[str, object]:
        """What ``status`` would tell."""
        try:
            project = open_project(self._ledger.folder)
            try:
                return standing.status(project, MAILING).to_json()
            finally:
                project.close()
        except StoreError as fault:
            if not fault.retry:
                raise BrokenError(f"status cannot be told: {fault.sentence()}") from fault
            raise

    def _restart(self) -> int:
        cluster = self._ledger.cluster
        if cluster is None:
            raise RuntimeError("only a database server can be restarted")
        self._away(cluster.stop, self._chance.uniform(0.0, 2.0), cluster.start)
        return True

    def _fill(self) -> int:
        if self._disk is None:
            raise RuntimeError("no disk to fill")
        self._away(self._disk.fill, self._chance.uniform(0.5, 3.0), self._disk.free)
        return True

    def _away(self, leave: Callable[[], None], seconds: float, come_back: Callable[[], None]) -> None:
        began = time.monotonic()
        leave()
        time.sleep(seconds)
        come_back()
        if time.monotonic() - began > _LONG_AWAY_SECONDS:
            self._outcome.befell["long away"] += 1
