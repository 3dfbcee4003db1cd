"""One round: a mailing from its first message to its last, and what befalls it on the way."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from lab.budget import Budget
from lab.disk import Disk
from lab.judge import Judge
from lab.projects import MAILING, Ledger
from lab.senders import Sender
from lab.server import CALM, TROUBLES, Mood, Server
from pillarbox.mailings import status as standing
from pillarbox.store.project import open_project

# Troubles of the network that leave nobody knowing whether the request was acted upon.
_DOUBTFUL = ("cut_before", "cut_after", "broken", "broken_after", "stall")
# What the two engines say of a disk without room.
_FULL = ("disk is full", "no space left")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A row of the table: how it is sent, and what befalls it."""

    name: str
    engine: str
    """sqlite or postgresql."""
    senders: int = 1
    connections: int = 1
    """Of each sender: as many units may be under way in it at once."""
    kills: int = 0
    """kill -9, over all rounds of the cell."""
    sleeps: int = 0
    """SIGSTOP until the lease is over, then SIGCONT."""
    restarts: int = 0
    """The database stopped as by a crash, and started again."""
    fills: int = 0
    """The disk filled to its last byte, and freed again."""
    mood: Mood = CALM
    rounds: int = 1
    """At least so many mailings."""
    seams: Mapping[str, float] = field(default_factory=dict)
    kind: str = "send"
    """Which command sends: send or worker."""

    @property
    def acts(self) -> Counter[str]:
        """What is to befall it, over all rounds."""
        return +Counter({"kill": self.kills, "sleep": self.sleeps, "restart": self.restarts, "fill": self.fills})


@dataclass(kw_only=True)
class Outcome:
    """What came of a round, or of several."""

    rounds: int = 0
    planned: int = 0
    accepted: int = 0
    """Messages that the server accepted."""
    befell: Counter[str] = field(default_factory=Counter)
    """kill, sleep, restart, fill, and the server's troubles → how often."""
    hearings: int = 0
    duplicates: int = 0
    lost: int = 0
    breaches: list[str] = field(default_factory=list)
    doubt: int = 0
    """Messages in doubt when all was quiet, before any event was heard."""
    allowed: int = 0
    """One batch for each kill or sleep and connection, and one for each request that the network left unclear."""
    healed: int = 0
    """Of them, those that events settled."""
    resent: int = 0
    """The rest: never left, and sent when staff said so."""

    def add(self, other: Outcome) -> None:
        """Sum up."""
        for name in ("rounds", "planned", "accepted", "hearings", "duplicates", "lost", "doubt", "allowed", "healed",
                     "resent"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.befell.update(other.befell)
        self.breaches += other.breaches

    @property
    def sound(self) -> bool:
        """Whether every promise held."""
        return not (self.duplicates or self.lost or self.breaches or self.doubt > self.allowed)


class Round:
    """Plays one round.

    Args:
        cell: what is to be tried.
        ledger: a fresh copy, whose mailing is planned.
        folder: for the senders' output.
        chance: chooses moments and victims.
        acts: what may befall this round at most.
        budget: when it is spent, nothing more befalls the round.
        disk: where the ledger lies, when that can be filled.
    """

    def __init__(self, cell: Cell, ledger: Ledger, folder: Path, chance: random.Random, *, acts: Counter[str],
                 budget: Budget, disk: Disk | None = None) -> None:
        self._cell, self._ledger, self._folder, self._chance = cell, ledger, folder, chance
        self._acts, self._budget, self._disk = acts, budget, disk
        self._senders: list[Sender] = []
        self._sleepers: list[Sender] = []
        self._server: Server
        self._judge: Judge
        self.outcome = Outcome(rounds=1)

    def play(self) -> Outcome:
        """Send until the acts are spent or the mailing has gone; then hear the witnesses, heal, finish."""
        with Server(self._chance.randrange(10**9)) as self._server:
            self._ledger.settings(url=self._server.url, connections=self._cell.connections)
            self._judge = Judge(ledger=self._ledger, server=self._server)
            try:
                with self._said():
                    self._trouble()
                    self._calm()
                    self._finish()
            finally:
                for sender in (*self._senders, *self._sleepers):
                    sender.clear()
                self._judge.close()
        outcome, judge = self.outcome, self._judge
        outcome.duplicates, outcome.lost, outcome.hearings = judge.duplicates, judge.lost, judge.hearings
        outcome.breaches += judge.breaches
        return outcome

    @contextmanager
    def _said(self) -> Any:
        """A command that fails, or an end that does not come, is a broken promise too."""
        try:
            yield
        except Exception as fault:  # noqa: BLE001 - whatever breaks is what the lab is for
            self.outcome.breaches.append(f"{type(fault).__name__}: {str(fault)[:600]}")

    # ---------------------------------------------------------------------------------------------- trouble

    def _trouble(self) -> None:
        self._server.mood(self._cell.mood)
        self.outcome.planned = sum(self._judge.counts().values())
        if self._cell.kind == "worker":
            self._begin_for_the_workers()
        self._revive()
        order = list(self._acts.elements())
        self._chance.shuffle(order)
        does: dict[str, Callable[[], int]] = {"kill": self._kill, "sleep": self._sleep, "restart": self._restart,
                                               "fill": self._fill}
        while (order or self._troubled) and not self._budget.spent and self._remaining():
            self._wait_for_a_moment()
            if order and (times := does[order[0]]()):
                self.outcome.befell[order[0]] += times
                order = self._without(order, order[0], times)
                self._hear()
            self._revive()

    def _begin_for_the_workers(self) -> None:
        """Somebody began to send in a terminal, and was killed: the workers go on with what is left over."""
        first = self._sender("send")
        self._senders.append(first)
        until = time.monotonic() + 60
        while not self._server.posts() and time.monotonic() < until:
            time.sleep(0.002)
        self.outcome.befell["kill"] += first.kill()

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
        posts, until = self._server.posts() + self._chance.randint(1, 3), time.monotonic() + 4.0
        while self._server.posts() < posts and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(self._chance.uniform(0.0, 1.5 * self._cell.mood.latency))

    def _remaining(self) -> int:
        counts = self._judge.counts()
        return counts["planned"] + counts["submitting"]

    def _hear(self) -> None:
        self._judge.hear()
        project = open_project(self._ledger.folder)
        try:
            status = standing.status(project, MAILING).to_json()
        finally:
            project.close()
        parts = ("accepted", "failed", "in_doubt", "cancelled", "withdrawn", "remaining")
        if sum(int(str(status[part])) for part in parts) != status["planned"]:
            self.outcome.breaches.append(f"status does not add up: {status}")

    def _kill(self) -> int:
        """One of them mostly; now and then all at once, as when a host loses its power."""
        victims = [sender for sender in self._senders if sender.alive]
        if len(victims) > 1 and self._chance.random() < 0.7:
            victims = [self._chance.choice(victims)]
        return sum(victim.kill() for victim in victims)

    def _sleep(self) -> int:
        victims = [sender for sender in self._senders if sender.alive]
        if not victims:
            return False
        victim = self._chance.choice(victims)
        if victim.stop():
            if self._holds_the_lock():
                victim.wake()
                return False
            self._senders.remove(victim)
            self._sleepers.append(victim)
        return victim.stopped

    def _holds_the_lock(self) -> bool:
        """Whether a sleeper has SQLite's one writer's lock: then all others wait for it, and nothing is to be tried."""
        if self._ledger.cluster is not None:
            return False
        connection = sqlite3.connect(self._ledger.folder / "var" / "pillarbox.db", timeout=5, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()
        return False

    def _restart(self) -> int:
        cluster = self._ledger.cluster
        if cluster is None:
            raise RuntimeError("only a database server can be restarted")
        cluster.stop()
        time.sleep(self._chance.uniform(0.0, 2.0))
        cluster.start()
        return True

    def _fill(self) -> int:
        if self._disk is None:
            raise RuntimeError("no disk to fill")
        self._disk.fill()
        time.sleep(self._chance.uniform(0.5, 3.0))
        self._disk.free()
        return True

    def _revive(self) -> None:
        """As many senders as the cell has, while there is something to send."""
        for sender in [one for one in self._senders if not one.alive]:
            self._senders.remove(sender)
            sender.clear()
        if not self._remaining():
            return
        if self._judge.mailing_state() == "paused":
            self._ledger.must("resume", MAILING)
        while len(self._senders) < self._cell.senders:
            self._senders.append(self._sender(self._cell.kind))

    def _sender(self, kind: str) -> Sender:
        return Sender(self._ledger, self._folder / "senders.log", kind, self._cell.seams)

    # ---------------------------------------------------------------------------------------------- the end

    def _calm(self) -> None:
        """No more trouble: the sleepers wake as zombies, everything that can go goes."""
        self._server.mood(CALM)
        for sender in self._senders:
            sender.end(120)
        self._senders.clear()
        said = (self._folder / "senders.log").read_text("utf-8", errors="replace").lower()
        self.outcome.befell["met the full disk"] += sum(said.count(words) for words in _FULL)
        self._wake()
        if self._cell.mood.stall:
            time.sleep(self._cell.mood.stall_seconds + 1)
        self._send()
        found = self._judge.at_the_end()
        self.outcome.doubt, self.outcome.accepted = found["in_doubt"], len(self._server.count()["taken"])
        self.outcome.befell.update(self._server.count()["troubled"])
        befell = self.outcome.befell
        acts = (befell["kill"] + befell["sleep"]) * self._cell.connections + sum(befell[name] for name in _DOUBTFUL)
        self.outcome.allowed = acts * self._largest_batch()

    def _wake(self) -> None:
        """When every lease is over and what was held is in doubt, those who slept wake, and go on where they were."""
        if not self._sleepers:
            return
        while any(lease > time.time() for lease in self._leases()):
            time.sleep(1.0)
        self._ledger.run("reconcile", MAILING)  # refuses when another sender has seen to the dead already
        self._judge.hear()
        self._chance.shuffle(self._sleepers)
        for sleeper in self._sleepers:
            sleeper.wake()
            time.sleep(self._chance.uniform(0.0, 0.5))
        for sleeper in self._sleepers:
            sleeper.end(60)
        self._judge.hear()
        self._sleepers.clear()

    def _leases(self) -> list[float]:
        """When the leases of the units that are held end, as Unix seconds."""
        engine = self._ledger.engine()
        try:
            with engine.connect() as connection:
                query = ("SELECT strftime('%s', lease_until) FROM attempts WHERE finished_at IS NULL"
                         if self._ledger.cluster is None else
                         "SELECT extract(epoch FROM lease_until) FROM attempts WHERE finished_at IS NULL")
                return [float(row[0]) + 1 for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def _largest_batch(self) -> int:
        engine = self._ledger.engine()
        try:
            with engine.connect() as connection:
                return int(connection.execute(text("SELECT coalesce(max(size), 0) FROM attempts")).scalar_one())
        finally:
            engine.dispose()

    def _send(self) -> None:
        """Run `send` until nothing remains."""
        for _ in range(6):
            if not self._remaining():
                return
            if self._judge.mailing_state() == "paused":
                self._ledger.must("resume", MAILING)
            self._ledger.run("send", MAILING, "--yes", "--json")
        if remaining := self._remaining():
            self.outcome.breaches.append(f"{remaining} messages remain, however often `send` is run")

    def _finish(self) -> None:
        """Events heal what did go; staff settle the rest; then everybody has exactly one letter."""
        told = self._folder / "events.json"
        told.write_text(json.dumps(self._server.events()), "utf-8")
        self._ledger.must("events", "import", str(told))
        found = self._judge.at_the_end(healed=True)
        self.outcome.healed, self.outcome.resent = self.outcome.doubt - found["in_doubt"], found["in_doubt"]
        if found["in_doubt"]:
            self._ledger.must("reconcile", MAILING, "--assume", "unsent")
            self._send()
        found = self._judge.at_the_end()
        self.outcome.accepted = len(self._server.count()["taken"])
        if not found["accepted"] == self.outcome.accepted == self.outcome.planned:
            self.outcome.breaches.append(f"at the very end {self.outcome.planned} were planned, the ledger calls "
                                         f"{found['accepted']} accepted, the server has {self.outcome.accepted}")
