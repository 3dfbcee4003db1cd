"""One round on three hosts: a mailing, and what befalls a host, the network or the queue in the middle of it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab.cluster import hosts, provider
from lab.cluster.hosts import Host, Network
from lab.cluster.shared import CONNECTIONS, Shared, plan
from lab.harbour import MAILING
from lab.judge import Judge
from lab.patience import UnjudgedError, until
from lab.postgres import Cluster
from lab.server import Witness
from lab.verdict import Verdict

WORKERS = ("a", "b", "c")
WORKERS_A_HOST = 2
CUT_SECONDS = 10.0
_DATABASE_PORT = 5432

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A row of the table: what befalls the hosts."""

    name: str
    lost: str = ""
    """The host that is lost."""
    cut: str = ""
    """The host that is cut off for a while."""
    drop: bool = False
    """Whether the queue is dropped."""
    plain: bool = False
    """Whether the workers go without the extra for several hosts."""


CELLS = (
    Cell(name="c is lost, then b is cut off for 10 s", lost="c", cut="b"),
    Cell(name="the database's host is cut off for 10 s", cut="db"),
    Cell(name="the provider's host is cut off for 10 s", cut="provider"),
    Cell(name="the queue is dropped, then b is cut off for 10 s", drop=True, cut="b"),
    Cell(name="without the extra: c is lost, then b is cut off for 10 s", lost="c", cut="b", plain=True),
)


@dataclass(kw_only=True)
class Outcome(Verdict):
    """What one round came to."""

    late: int = 0
    """Messages in doubt because an answer took longer than a sender waits: so slow was the machine."""
    hosts_after: int = 0
    """Hosts that handed something over after the trouble."""
    found_after: float = 0.0
    """Seconds from the loss until the ledger knew of it."""


def play(cell: Cell, supporters: int, say: Say) -> Outcome:
    """One round, on a network of its own."""
    outcome = Outcome(planned=supporters)
    with (outcome.told(), tempfile.TemporaryDirectory(prefix="pillarbox-cluster-") as folder,
          Network(("db", "provider", *WORKERS), known_as={"provider": provider.NAME}) as network,
          Cluster(network["db"].address, _DATABASE_PORT, within=network["db"].inside,
                  admitted=f"{hosts.NET}.0/24") as database):
        server = provider.start(network["provider"])
        shared = plan([network[name] for name in WORKERS], database, Path(folder), supporters)
        judge = Judge(engine=shared.engine, server=server)
        try:
            _Round(cell, network, shared, server, judge, outcome, Path(folder), say).play()
        finally:
            for name in WORKERS:
                network[name].kill()
            outcome.take(judge)
            judge.close()
    say(f"{cell.name}: {'BROKEN' if outcome.broken else 'not judged' if outcome.unjudged else 'sound'}")
    for words in (*outcome.breaches, *outcome.unjudged):
        say(words)
    return outcome


class _Round:
    """A mailing from three hosts."""

    def __init__(self, cell: Cell, network: Network, shared: Shared, server: Witness, judge: Judge, outcome: Outcome,
                 folder: Path, say: Say) -> None:
        self._cell, self._network, self._shared, self._server = cell, network, shared, server
        self._judge, self._outcome, self._folder, self._say = judge, outcome, folder, say
        self._hosts: list[Host] = [network[name] for name in WORKERS]
        self._machine = ""
        """The lost host's name in the ledger."""
        self._lost_at = datetime.now(UTC)

    def play(self) -> None:
        """Send the mailing, make trouble in the middle, hear the witnesses, settle."""
        self._begin()
        self._trouble()
        after = datetime.now(UTC)
        self._judge.hear()
        until(lambda: not self._judge.counts()["planned"], "not everything was sent")
        self._say(f"nothing is left to send after {time.monotonic() - self._began:.0f} s")
        until(lambda: not self._judge.counts()["submitting"], "something stays on its way")
        if self._cell.lost:
            self._outcome.found_after = (datetime.now(UTC) - self._lost_at).total_seconds()
        self._outcome.hosts_after = len(self._shared.senders(after))
        self._hear_of_doubt()
        self._settle()

    def _begin(self) -> None:
        for host in self._hosts:
            for _ in range(WORKERS_A_HOST):
                self._shared.start_worker(host, plain=self._cell.plain)
        until(lambda: self._shared.workers() == len(WORKERS) * WORKERS_A_HOST, "not every worker came up")
        if self._cell.lost:
            self._machine = self._shared.machine(self._network[self._cell.lost])
        self._began = time.monotonic()
        self._shared.begin()
        until(lambda: len(self._shared.senders()) == len(WORKERS), "not every host began to send")
        self._say(f"{self._cell.name}: {len(WORKERS)} hosts send")

    def _trouble(self) -> None:
        if not self._judge.counts()["planned"]:
            raise UnjudgedError("all had been taken in hand before the trouble began")
        if self._cell.lost:
            self._network[self._cell.lost].lose()
            self._lost_at = datetime.now(UTC)
            self._say(f"host {self._cell.lost} is lost")
        if self._cell.drop:
            self._shared.drop_the_queue()
            self._say("the queue was dropped")
        if self._cell.cut:
            self._network[self._cell.cut].cut_off()
            time.sleep(CUT_SECONDS)
            self._network[self._cell.cut].put_back()
            self._say(f"host {self._cell.cut} was cut off for {CUT_SECONDS:.0f} s")

    def _hear_of_doubt(self) -> None:
        """What is in doubt now, and how much may be: what the lost host had in flight, and what was answered late."""
        self._server.until_idle()
        doubt = self._judge.at_the_end()["in_doubt"]
        if self._cell.lost:
            self._outcome.allowed, units = self._shared.in_flight(self._machine, self._lost_at)
            self._say(f"host {self._cell.lost} had {self._outcome.allowed:,} messages in flight")
            if units > WORKERS_A_HOST * CONNECTIONS:
                self._outcome.breaches.append(f"a host with {WORKERS_A_HOST * CONNECTIONS} connections had {units} "
                                              "units in flight")
        self._outcome.doubt, self._outcome.late = doubt, self._shared.in_doubt(self._machine, late=True)
        if others := self._shared.in_doubt(self._machine, late=False):
            self._outcome.breaches.append(f"{others} messages of hosts that were not lost are in doubt")
        self._outcome.allowed += self._outcome.late

    def _settle(self) -> None:
        """Events are read, staff decide on the rest, the workers that are left send it: one letter each."""
        self._outcome.healed = self._outcome.doubt - self._heal()
        self._decide()
        until(self._everybody_has_one, "not everybody has a letter at the very end")
        until(lambda: self._judge.mailing_state() == "sent", "the mailing is not closed at the very end")
        self._judge.at_the_end(healed=True)

    def _everybody_has_one(self) -> bool:
        """Whether it is over; a slow machine may put in doubt once more what was sent again."""
        counts = self._judge.counts()
        if counts["in_doubt"] and not counts["planned"] + counts["submitting"]:
            self._server.until_idle()
            self._heal()
            self._decide()
        return counts["accepted"] == self._outcome.planned

    def _heal(self) -> int:
        told = self._folder / "events.json"
        told.write_text(json.dumps(self._server.events()), "utf-8")
        self._shared.on(self._hosts[0], "events", "import", str(told))
        return self._judge.at_the_end(healed=True)["in_doubt"]

    def _decide(self) -> None:
        if self._judge.counts()["in_doubt"]:
            self._shared.on(self._hosts[0], "reconcile", MAILING, "--assume", "unsent")
            self._shared.begin()
