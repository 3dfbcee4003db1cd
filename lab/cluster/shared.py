"""One mailing in one database, and a copy of its project's folder on each host."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from lab import commands, harbour
from lab.cluster import provider
from lab.cluster.hosts import Host
from lab.ledger import Ledger
from lab.patience import again
from lab.postgres import Cluster

CONNECTIONS = 2
"""Of each worker."""
# A request that was under way when the cable was pulled must be able to live through it: TCP tries again ever more
# seldom, for as long again as the cut was. (Pillarbox's own default is 60.) The lease grows with it, to 280 s.
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A planned mailing that several hosts share."""

    ledgers: Mapping[str, Ledger]
    """Host → its own view of it."""
    engine: Engine
    """The database, looked at without any code of Pillarbox."""

    def on(self, host: Host, *arguments: str) -> str:
        """Run a Pillarbox command that must succeed on a host; what it printed."""
        return commands.must(host.command(*self.ledgers[host.name].command(*arguments)))

    def start_worker(self, host: Host, *, plain: bool) -> None:
        """Start a worker on a host.

        Args:
            host: which.
            plain: as if the extra for several hosts were not installed.
        """
        host.start(*self.ledgers[host.name].command("worker", plain=plain), cwd=commands.ROOT,
                   env=commands.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def workers(self) -> int:
        """How many workers are there, by their heartbeats."""
        return int(self._asked("SELECT count(*) FROM workers"))

    def machine(self, host: Host) -> str:
        """The machine's name that a host's workers write into the ledger."""
        return str(self._asked("SELECT min(split_part(id, ':', 1)) FROM workers WHERE host = :host",
                               host=f"{host.name}.lab"))

    def begin(self) -> None:
        """Open the mailing's gate, as a worker does at the time that `send --at` named."""
        self._do("UPDATE mailings SET state = 'sending', started_at = now() WHERE state <> 'sending'")

    def drop_the_queue(self) -> None:
        """Throw the queue away, with every job in it."""
        self._do("DROP SCHEMA pillarbox_queue CASCADE")

    def senders(self, since: datetime = datetime(2000, 1, 1, tzinfo=UTC)) -> set[str]:
        """The machines that have handed something over since a moment."""
        found = self._asked("SELECT array_agg(DISTINCT split_part(worker, ':', 1)) FROM attempts WHERE size > 0 "
                            "AND provider_id <> '' AND finished_at >= :since", since=since)
        return set(found or ())

    def in_flight(self, machine: str, moment: datetime) -> tuple[int, int]:
        """Messages and units that a machine had on their way at a moment.

        Asked when all is over: what the machine had committed by then, the database has long known.
        """
        which = "worker LIKE :who AND started_at <= :moment AND (finished_at IS NULL OR finished_at > :moment)"
        values = {"who": f"{machine}:%", "moment": moment}
        return (int(self._asked(f"SELECT coalesce(sum(size), 0) FROM attempts WHERE {which}", **values)),
                int(self._asked(f"SELECT count(*) FROM attempts WHERE {which}", **values)))

    def in_doubt(self, machine: str, *, late: bool) -> int:
        """Messages in doubt of other machines than this one.

        Args:
            machine: which not; empty: of all.
            late: those whose sender waited for the answer as long as it may, or the others.
        """
        return int(self._asked(
            "SELECT count(*) FROM messages JOIN attempts ON attempts.id = attempt_id WHERE state = 'in_doubt' "
            "AND worker NOT LIKE :who AND (messages.detail NOT LIKE 'the sender died%' "
            "AND extract(epoch FROM finished_at - attempts.started_at) >= :limit) = :late",
            who=f"{machine or 'nobody'}:%", limit=TIMEOUT_SECONDS, late=late))

    def _asked(self, query: str, **values: Any) -> Any:
        def ask() -> Any:
            with self.engine.connect() as connection:
                return connection.execute(text(query), values).scalar()

        return again(ask, DBAPIError)

    def _do(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))


def plan(hosts: list[Host], database: Cluster, folder: Path, supporters: int) -> Shared:
    """Plan a mailing from the first host, and give every host its folder."""
    url = f"{database.url}/{database.create()}"
    ledgers = {host.name: Ledger(folder=folder / host.name, database=url, cluster=database) for host in hosts}
    first = hosts[0]
    home = ledgers[first.name]
    harbour.write(home.folder)
    home.settings(url=f"http://{provider.NAME}:{provider.PORT}",
                  connections=CONNECTIONS, timeout_seconds=TIMEOUT_SECONDS)
    people = harbour.write_list(home.folder / "people.csv", harbour.crowd(supporters))
    made = Shared(ledgers=ledgers, engine=home.engine())
    made.on(first, "lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "lab")
    made.on(first, "plan", harbour.MAILING, "--list", "all")
    for host in hosts[1:]:
        shutil.copytree(home.folder, ledgers[host.name].folder)
    return made
