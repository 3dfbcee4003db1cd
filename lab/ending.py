"""How a round ends: all goes that can go, the witnesses are heard, doubts are settled, everybody has one letter."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

from lab import readings
from lab.cells import Cell
from lab.commands import LOCKED
from lab.crew import Crew
from lab.harbour import MAILING
from lab.judge import Judge
from lab.ledger import TIMEOUT_SECONDS, Ledger
from lab.moods import CALM, DOUBTFUL
from lab.outcome import Outcome
from lab.patience import BrokenError, UnjudgedError
from lab.server import Server

# What the two engines say of a disk without room.
_FULL = ("disk is full", "no space left")
# What a `send` says that came to nothing because of the machine: the server's answers or the lock came too late.
_EXCUSES = (LOCKED, "could not be reached", "cannot be reached", "tries in a row failed", "timed out", "time ran out")
_TRIES = 6


def units_in_doubt(cell: Cell, befell: Counter[str]) -> int:
    """How many units may be in doubt after what befell a cell.

    Whatever a sender's end or sleep interrupted on its connections, and each request whose answer was lost. A database
    that is stopped interrupts all senders: a claim that was just being committed may stand, though its sender never
    heard so and never acted on it.
    """
    connections = befell["kill"] + befell["sleep"] + (befell["restart"] + befell["long away"]) * cell.senders
    return connections * cell.connections + sum(befell[name] for name in (*DOUBTFUL, "late", "gave up on the lock"))


class Ending:
    """The second half of a round.

    Args:
        cell: what was tried.
        ledger: whose mailing it was.
        server: which counts.
        judge: hears the witnesses.
        crew: who sent.
        folder: where the senders' log is.
        outcome: gets what was found.
    """

    def __init__(self, cell: Cell, ledger: Ledger, server: Server, judge: Judge, crew: Crew, *, folder: Path,
                 outcome: Outcome) -> None:
        self._cell, self._ledger, self._server, self._judge, self._crew = cell, ledger, server, judge, crew
        self._folder, self._outcome = folder, outcome

    def play(self) -> None:
        """No more trouble: hear the witnesses when all is quiet, heal, settle, and hear them once more."""
        self._server.mood(CALM)
        self._crew.end()
        self._wake()
        self._send()
        self._hear_of_doubt()
        self._outcome.healed = self._outcome.doubt - self._heal()
        self._settle()
        self._at_the_very_end()

    def _wake(self) -> None:
        """When every lease is over and what was held is in doubt, those who slept wake, and go on where they were."""
        if not self._crew.asleep:
            return
        while any(lease > time.time() for lease in readings.leases(self._judge.engine)):
            time.sleep(1.0)
        self._ledger.run("reconcile", MAILING)  # refuses when another sender has seen to the dead already
        self._judge.hear()
        self._crew.wake()
        self._judge.hear()

    def _send(self) -> None:
        """Run `send` until nothing remains, as long as it gets on.

        Raises:
            BrokenError: something remains, however often it is run.
            UnjudgedError: the same, but the machine is to blame.
        """
        tries, excused = 0, False
        while remaining := self._judge.remaining():
            if tries >= _TRIES:
                words = f"{remaining} messages remain, however often `send` is run"
                raise UnjudgedError(words) if excused else BrokenError(words)
            if self._judge.mailing_state() == "paused":
                self._ledger.must("resume", MAILING)
            done = self._ledger.run("send", MAILING, "--yes", "--json")
            said = (done.stdout + done.stderr).lower()
            moved = self._judge.remaining() < remaining
            tries, excused = 0 if moved else tries + 1, excused or any(words in said for words in _EXCUSES)

    def _hear_of_doubt(self) -> None:
        """What is in doubt now, and how much may be."""
        self._server.until_alone()
        found, count = self._judge.at_the_end(), self._server.count()
        said = (self._folder / "senders.log").read_text("utf-8", errors="replace").lower()
        befell = self._outcome.befell
        befell.update(count["troubled"])
        befell["met the full disk"] += sum(said.count(words) for words in _FULL)
        befell["gave up on the lock"] += said.count(LOCKED)
        befell["late"] += max(0, readings.late(self._judge.engine, TIMEOUT_SECONDS) - befell["stall"])
        self._outcome.allowed = units_in_doubt(self._cell, befell) * readings.largest_batch(self._judge.engine)
        self._outcome.doubt = found["in_doubt"]

    def _heal(self) -> int:
        """Events tell of what did go; how many stay in doubt."""
        told = self._folder / "events.json"
        told.write_text(json.dumps(self._server.events()), "utf-8")
        self._ledger.must("events", "import", str(told))
        return self._judge.at_the_end(healed=True)["in_doubt"]

    def _settle(self) -> None:
        """Staff decide on the rest, and it is sent; a slow machine may put some of that in doubt again."""
        for _ in range(_TRIES):
            if not self._judge.counts()["in_doubt"]:
                return
            self._ledger.must("reconcile", MAILING, "--assume", "unsent")
            self._send()
            self._server.until_alone()
            if self._judge.counts()["in_doubt"]:
                self._heal()
        if self._judge.counts()["in_doubt"]:
            raise UnjudgedError("letters that were sent again in calm were in doubt again, each time")

    def _at_the_very_end(self) -> None:
        found = self._judge.at_the_end()
        self._outcome.accepted = len(self._server.count()["taken"])
        if not found["accepted"] == self._outcome.accepted == self._outcome.planned:
            raise BrokenError(f"at the very end {self._outcome.planned} were planned, the ledger calls "
                              f"{found['accepted']} accepted, the server has {self._outcome.accepted}")
