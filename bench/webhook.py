"""The event webhook at load: posts of 1,000 events over HTTP into SQLite, beside a handler that does the least."""

from __future__ import annotations

import http.client
import os
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from bench import crowd, posts
from lab import commands
from pillarbox.store import tallies
from pillarbox.store.project import open_project
from pillarbox.store.schema import events

_MESSAGES, _SENDERS, _CORES = 60_000, 4, 2
_AIM, _AIM_MS = 10_000, 300.0


@dataclass(frozen=True, kw_only=True)
class Took:
    """What a run took."""

    per_second: float
    p50: float
    """Seconds of a post, from its time to leave to its answer."""
    p99: float
    cpu_seconds: float
    """Of the server, for each 1,000 events."""


def run(messages: int = _MESSAGES) -> None:
    """As fast as it goes, then 10,000 events a second for as long as there are posts; counts looked at after."""
    signer = posts.Signer()
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        bench = crowd.make(Path(home) / "project", 0, url="http://127.0.0.1:9")
        project = open_project(bench.folder)
        mailing_id = posts.mailing(project.store, messages, project.secret)
        told = list(posts.told(range(1, messages + 1), project.id))
        raw = posts.shuffled(told)
        repeats = 1 - len(told) / len(raw) / 1_000
        print(f"\n{len(told):,} events of {messages:,} messages in {len(raw)} posts of 1,000 "
              f"({sum(map(len, raw)) / len(raw) / 1024:.0f} KiB), shuffled, of which {repeats:.0%} are repeats; "
              f"{_SENDERS} senders; the server on {_CORES} cores", flush=True)
        half = len(raw) // 2
        print("  | | events/s | p50 | p99 | processor time for 1,000 |\n  |---|---|---|---|---|")
        with _bare(Path(home), signer) as (port, process):
            bare = _sent(port, process, signer, raw[:half], None)
        _tell("the bare handler, as fast as it goes", bare)
        with serving_ours(bench, signer) as (port, process):
            ours = _sent(port, process, signer, raw[:half], None)
            _tell("ours, as fast as it goes", ours)
            paced = _sent(port, process, signer, raw[half:], _AIM)
            _tell(f"ours, at {_AIM:,} a second", paced)
        print(f"  ours to the bare handler: {bare.per_second / ours.per_second:.1f} times the time, "
              f"{ours.cpu_seconds / bare.cpu_seconds:.1f} times the processor time; the aims are {_AIM:,} events/s and "
              f"a p99 under {_AIM_MS:.0f} ms")
        with project.store.reading() as connection:
            kept = connection.execute(select(func.count()).select_from(events)).scalar_one()
        found = tallies.check(project.store, mailing_id)
        project.close()
        print(f"  {kept:,} events kept of {len(told):,} told; {found.tallies} figures and {found.messages:,} messages "
              f"{'are what a recount gives' if found.equal else 'DIFFER FROM A RECOUNT'}")
        if kept != len(told) or not found.equal:
            raise SystemExit("the counts are not exact")


def _tell(name: str, took: Took) -> None:
    print(f"  | {name} | {took.per_second:,.0f} | {took.p50 * 1e3:.0f} ms | {took.p99 * 1e3:.0f} ms | "
          f"{took.cpu_seconds * 1e3:.0f} ms |", flush=True)


@contextmanager
def serving_ours(bench: crowd.Bench, signer: posts.Signer) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with _serving([sys.executable, "-m", "pillarbox", "-C", str(bench.folder), "serve", "--port"],
                  PILLARBOX_SENDGRID_WEBHOOK_KEY=signer.public) as found:
        yield found


@contextmanager
def _bare(home: Path, signer: posts.Signer) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with _serving([sys.executable, "-m", "bench.bare_hook", str(home / "bare.db")], signer.public) as found:
        yield found


@contextmanager
def _serving(command: Sequence[str], *more: str, **environment: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*command, str(port), *more], cwd=commands.ROOT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:_CORES])
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, process
    finally:
        process.terminate()
        process.wait(60)


def _sent(port: int, process: subprocess.Popen[bytes], signer: posts.Signer, raw: Sequence[bytes],
          per_second: int | None) -> Took:
    """Post all of it by several connections: each when it is due, or as soon as the one before is answered."""
    ready = [(body, signer.headers(body)) for body in raw]
    waiting: queue.SimpleQueue[tuple[float, bytes, dict[str, str]] | None] = queue.SimpleQueue()
    seconds: list[float] = []
    faults: list[int] = []
    worked = _cpu(process.pid)
    begun = time.perf_counter()
    for number, (body, headers) in enumerate(ready):
        waiting.put((begun + number * 1_000 / per_second if per_second else 0.0, body, headers))

    def send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while (item := waiting.get()) is not None:
            due, body, headers = item
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            since = due or time.perf_counter()  # a post that leaves late has waited already
            line.request("POST", "/hooks/sendgrid", body, headers)
            answer = line.getresponse()
            answer.read()
            seconds.append(time.perf_counter() - since)
            if answer.status != 204:
                faults.append(answer.status)

    threads = [threading.Thread(target=send) for _ in range(_SENDERS)]
    for thread in threads:
        waiting.put(None)
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begun
    if faults:
        raise SystemExit(f"{len(faults)} posts were not taken: {sorted(set(faults))}")
    cuts = statistics.quantiles(seconds, n=100)
    return Took(per_second=len(raw) * 1_000 / wall, p50=cuts[49], p99=cuts[98],
                cpu_seconds=(_cpu(process.pid) - worked) / len(raw))


def _cpu(pid: int) -> float:
    """Processor time of a process so far, in seconds (Linux; elsewhere 0)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
