"""One, two and four senders side by side on PostgreSQL: how a mailing scales with them."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from bench import crowd
from lab.postgres import Cluster, binaries

_SENDERS = (1, 2, 4)
_RUNS = 3
_SUPPORTERS = 50_000


def run() -> None:
    """Print messages a second, from the first that the server accepted to the last."""
    if binaries() is None:
        print("\nPostgreSQL is not installed here: its workers are not measured")
        return
    print(f"\n{_SUPPORTERS:,} messages on PostgreSQL (fsync on), senders of one connection each, an instant server; "
          f"median of {_RUNS}")
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home, Cluster() as cluster, \
            crowd.instant_server() as server:
        template = cluster.create()
        bench = crowd.make(Path(home) / "project", _SUPPORTERS, url=server.url,
                           database=f"{cluster.url}/{template}", connections=1)
        bench.step("plan", "harbour", "--list", "all", "--json")
        rates: dict[int, list[float]] = {number: [] for number in _SENDERS}
        for _ in range(_RUNS):
            for number in _SENDERS:  # in turn, so that a busy moment of the machine does not hit one of them alone
                rates[number].append(_rate(bench, cluster, template, server, number))
    print("  | senders | messages/s | to one sender |\n  |---|---|---|")
    alone = statistics.median(rates[1])
    for number, found in rates.items():
        rate = statistics.median(found)
        print(f"  | {number} | {rate:,.0f} | {rate / alone:.2f} |")


def _rate(bench: crowd.Bench, cluster: Cluster, template: str, server: crowd.InstantServer, senders: int) -> float:
    """Messages a second of one mailing, sent by so many processes."""
    name = cluster.create(template)
    settings = bench.folder / "pillarbox.toml"
    before = settings.read_text("utf-8")
    settings.write_text(before.replace(template, name), "utf-8")
    try:
        bench.step("store", "adopt")
        sent = server.counts()["personalizations"]
        running = [bench.start("send", "harbour", "--yes", "--json") for _ in range(senders)]
        first = last = 0.0
        moved = sent
        while any(process.poll() is None for process in running):
            now = server.counts()["personalizations"]
            if now > moved:
                first, last, moved = first or time.perf_counter(), time.perf_counter(), now
            time.sleep(0.01)
        if moved - sent != _SUPPORTERS:
            raise SystemExit(f"the server has {moved - sent:,} of {_SUPPORTERS:,} messages")
        return _SUPPORTERS / (last - first)
    finally:
        settings.write_text(before, "utf-8")
        cluster.drop(name)
