"""What the ledger knows, for Prometheus: asked of it when somebody scrapes, at most once in a few seconds.

Every process gives the same numbers: over several take the maximum, never the sum (docs/logs.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, select

from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.keeping import backup, journal
from pillarbox.model.config import Settings
from pillarbox.store import numbers, schema, suppressions
from pillarbox.store.connect import Store

log = logs.get("metrics")

WORKER_SEEN = timedelta(minutes=5)
"""A worker that was seen within as long is taken to run (the span after which `send --at` is refused)."""
_FRESH_SECONDS = 5.0


class Ledger(Collector):
    """Asks the ledger when it is scraped.

    Args:
        store: the open database.
        settings: for the folder of the backups.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._lock = Lock()
        self._kept: list[Metric] = []
        self._until = 0.0

    def describe(self) -> list[Metric]:
        """Nothing: to be registered asks nothing of the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The numbers; when the database is away, that alone."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept = self._asked()
                self._until = time.monotonic() + _FRESH_SECONDS
            yield from self._kept

    def _asked(self) -> list[Metric]:
        up = GaugeMetricFamily("pillarbox_ledger_up", "Whether the database answers.")
        try:
            with self._store.reading() as connection:
                found = [*_mailings(connection), *_people(connection), *_ages(connection, self._settings)]
        except StoreError as fault:
            log.fault("metrics.no-ledger", fault)
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        return [up, *found]


def _mailings(connection: Connection) -> Iterator[Metric]:
    standing = GaugeMetricFamily("pillarbox_mailing_messages", "Messages of mailings that are open, by state.",
                                 labels=["mailing", "practice", "state"])
    states = GaugeMetricFamily("pillarbox_mailing_open", "1 for each mailing that is open, by its state.",
                               labels=["mailing", "practice", "state"])
    for row in numbers.open_mailings(connection):
        practice = _yes(row.practice)
        states.add_metric([row.name, practice, row.state], 1)
        for state, count in numbers.states(connection, row.id).items():
            standing.add_metric([row.name, practice, state], count)
    doubt = GaugeMetricFamily("pillarbox_in_doubt", "Messages of which nobody knows whether they went.",
                              labels=["mailing", "practice"])
    for row in numbers.in_doubt(connection):
        doubt.add_metric([row.name, _yes(row.practice)], row.messages)
    overdue = GaugeMetricFamily("pillarbox_attempts_overdue", "Batches on their way whose lease ran out.")
    overdue.add_metric([], numbers.overdue_attempts(connection, clock.now()))
    yield from (standing, states, doubt, overdue)


def _people(connection: Connection) -> Iterator[Metric]:
    out = GaugeMetricFamily("pillarbox_suppressions", "Addresses to which nothing may go, by reason.",
                            labels=["reason"])
    for reason, count in suppressions.counts(connection).items():
        out.add_metric([reason], count)
    workers = GaugeMetricFamily("pillarbox_workers", "Workers seen in the last five minutes, by kind.",
                                labels=["kind"])
    for kind, count in numbers.workers_seen(connection, clock.now() - WORKER_SEEN).items():
        workers.add_metric([kind], count)
    yield from (out, workers)


def _ages(connection: Connection, settings: Settings) -> Iterator[Metric]:
    waiting, oldest = numbers.oldest_untold(connection)
    untold = GaugeMetricFamily("pillarbox_notices_untold", "Notices that staff have not been mailed.")
    untold.add_metric([], waiting)
    yield untold
    heard = {name.removeprefix("events-heard:"): at for name, at in numbers.all_marks(connection).items()
             if name.startswith("events-heard:")}
    yield _age("pillarbox_oldest_untold_notice_seconds", "Age of the oldest notice that nobody was mailed.",
               {"": oldest} if oldest else {})
    yield _age("pillarbox_worker_seen_seconds", "Since a worker was last seen.",
               {"": seen} if (seen := numbers.last_worker(connection)) else {})
    yield _age("pillarbox_events_heard_seconds", "Since the newest event that a provider reported.", heard,
               label="provider")
    project = connection.execute(select(schema.project.c.id)).scalar_one_or_none()
    made = last_backup(settings, project) if project else None
    yield _age("pillarbox_backup_seconds", "Since the newest backup.", {"": made} if made else {})


def _age(name: str, words: str, since: Mapping[str, datetime], *, label: str = "") -> Metric:
    """A gauge of seconds since; no sample where there is no such moment."""
    family = GaugeMetricFamily(name, words, labels=[label] if label else [])
    for value, moment in since.items():
        family.add_metric([value] if label else [], max(0.0, (clock.now() - moment).total_seconds()))
    return family


def _yes(practice: bool) -> str:
    return "yes" if practice else "no"


def last_backup(settings: Settings, project: str) -> datetime | None:
    """When the newest of a project's backups was made; None when there is none. Other projects' do not count."""
    try:
        return max((one.made_at for one in backup.known(journal.backups(settings), project)), default=None)
    except OSError:
        return None


class _Both(Collector):
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield from metrics.REGISTRY.collect()
        yield from self._ledger.collect()


def registry(store: Store, settings: Settings) -> CollectorRegistry:
    """This process's own numbers and the ledger's, together."""
    both = CollectorRegistry()
    both.register(_Both(Ledger(store, settings)))
    return both


@contextmanager
def serve_metrics(port: int, store: Store, settings: Settings) -> Iterator[int]:
    """Answer /metrics on 127.0.0.1 for as long as the block lasts: `worker --metrics-port`.

    Args:
        port: 0 takes a free one.

    Yields:
        the port.

    Raises:
        Refused: the port cannot be had.
    """
    try:
        server, thread = start_http_server(port, addr="127.0.0.1", registry=registry(store, settings))
    except OSError as fault:
        raise Refused(f"Nobody can listen on port {port} for /metrics: {fault.strerror or 'it cannot be had'}.",
                      todo="Another worker may have it: name another --metrics-port.") from None
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
