"""The senders of a round: as many as its cell has, killed, put to sleep, woken, and begun anew."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

from lab.cells import Cell
from lab.ledger import Ledger
from lab.senders import Sender

# A `send` is given so long to end by itself, then it is asked to: what it leaves is sent afterwards.
_ASKED_AFTER_SECONDS = 120.0


class Crew:
    """The senders of a round.

    Args:
        cell: how many, of which kind.
        ledger: what they send.
        log: a file that gets what they print.
        chance: chooses victims.
    """

    def __init__(self, cell: Cell, ledger: Ledger, log: Path, chance: random.Random) -> None:
        self._cell, self._ledger, self._log, self._chance = cell, ledger, log, chance
        self._senders: list[Sender] = []
        self._sleepers: list[Sender] = []

    def add(self, kind: str) -> Sender:
        """One more, of this kind."""
        self._senders.append(Sender(self._ledger, self._log, kind, self._cell.seams))
        return self._senders[-1]

    def bury(self) -> None:
        """Forget those who have ended."""
        for sender in [one for one in self._senders if not one.alive]:
            self._senders.remove(sender)
            sender.clear()

    def fill_up(self) -> None:
        """As many as the cell has."""
        while len(self._senders) < self._cell.senders:
            self.add(self._cell.kind)

    def kill(self) -> int:
        """One of them mostly; now and then all at once, as when a host loses its power. How many died of it."""
        victims = [sender for sender in self._senders if sender.alive]
        if len(victims) > 1 and self._chance.random() < 0.7:
            victims = [self._chance.choice(victims)]
        return sum(victim.kill() for victim in victims)

    def put_to_sleep(self) -> int:
        """One of them, unless the others could do nothing then; whether it sleeps."""
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
        """Whether a sleeper has SQLite's one writer's lock: then all others wait for it, and nothing is to be tried.

        (PostgreSQL cuts off who sleeps in the middle of a transaction, after a minute.)
        """
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

    def end(self) -> None:
        """Those who are awake go on to the end of the mailing, as far as they come by themselves."""
        while self._senders:
            self._senders.pop().end(_ASKED_AFTER_SECONDS)

    @property
    def asleep(self) -> bool:
        """Whether anybody sleeps."""
        return bool(self._sleepers)

    def wake(self) -> None:
        """All sleepers, one after another; they go on where they were, and end."""
        self._chance.shuffle(self._sleepers)
        for sleeper in self._sleepers:
            sleeper.wake()
            time.sleep(self._chance.uniform(0.0, 0.5))
        while self._sleepers:
            self._sleepers.pop().end(_ASKED_AFTER_SECONDS)

    def clear(self) -> None:
        """Leave nothing running."""
        for sender in (*self._senders, *self._sleepers):
            sender.clear()
