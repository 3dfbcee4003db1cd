"""``python -m bench.queue``: does the queue of several hosts cost anything beside the plain loop?

The same mailing is sent from PostgreSQL by the same workers, with and without the extra, in turns, to the counting
server of the crash lab; what is measured is the time from "may leave" to the first message and to the last.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from lab import commands, ledger
from lab.ledger import Ledger
from lab.moods import Mood
from lab.postgres import Cluster
from lab.server import Server

CONNECTIONS = 2


def sent(copy: Ledger, server: Server, workers: int, *, plain: bool) -> tuple[float, float]:
    """Send the mailing with so many workers; seconds to the first request, and to the end."""
    running = [subprocess.Popen(copy.command("worker", plain=plain), cwd=commands.ROOT, env=commands.environment(),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(workers)]
    engine = copy.engine()
    try:
        with engine.connect() as connection:
            while connection.execute(text("SELECT count(*) FROM workers")).scalar_one() < workers:
                connection.rollback()
                time.sleep(0.1)
        time.sleep(4)  # they have looked around, and wait
        before = server.posts()
        with engine.begin() as connection:
            connection.execute(text("UPDATE mailings SET state = 'sending', started_at = now()"))
        began = time.monotonic()
        while server.posts() == before:
            time.sleep(0.02)
        first = time.monotonic() - began
        with engine.connect() as connection:
            while connection.execute(text("SELECT state FROM mailings")).scalar_one() != "sent":
                connection.rollback()
                time.sleep(0.02)
        return first, time.monotonic() - began
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)
        engine.dispose()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description="What the queue costs.")
    parser.add_argument("--supporters", type=int, default=40_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as folder, Cluster() as cluster:
        template = ledger.make(Path(folder) / "template", given.supporters, cluster)
        print("| workers | plain loop: first request, last | with the queue: first request, last |\n|---|---|---|")
        for workers in given.workers:
            found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
            for turn in range(given.times):
                for plain in (True, False) if turn % 2 else (False, True):
                    copy = template.copy(Path(folder) / "copy")
                    with Server(seed=1887) as server:
                        server.mood(Mood(latency=0.1))
                        copy.settings(url=server.url, connections=CONNECTIONS)
                        found[plain].append(sent(copy, server, workers, plain=plain))
                    copy.delete()
            print(f"| {workers} | " + " | ".join(
                f"{statistics.median(first for first, _ in found[plain]):.1f} s, "
                f"{statistics.median(last - first for first, last in found[plain]):.1f} s later "
                f"({min(last - first for first, last in found[plain]):.1f} at best)"
                for plain in (True, False)) + " |", flush=True)


if __name__ == "__main__":
    main()
