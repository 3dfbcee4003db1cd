"""What the ledger costs a submit: claim and finish of a batch of 1,000 on SQLite, in milliseconds, and its parts."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import crowd
from pillarbox.mailings import control, submit
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import Verdict
from pillarbox.people import audience
from pillarbox.store import claims, waves
from pillarbox.store.project import open_project

_BATCHES, _BATCH = 60, 1_000
_AIM_MS = 60.0


class _Instant:
    """Accepts everything at once."""

    name, unit, repeatable, lease_seconds = "sendgrid", _BATCH, False, 600.0

    def check(self) -> None:
        """Always usable."""

    def send(self, unit: Unit) -> Result:
        """Every message accepted."""
        return Result(receipts=tuple(Receipt(message_id=message.message_id, verdict=Verdict.ACCEPTED,
                                             provider_id="instant") for message in unit.messages))

    def hurry(self) -> None:
        """Nothing to hurry."""

    def close(self) -> None:
        """Nothing to let go of."""


def run() -> None:
    """Send 60 batches in this process; print the median and what it consists of."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        bench = crowd.make(Path(home) / "project", _BATCHES * _BATCH, url="http://127.0.0.1:9")
        bench.step("plan", "harbour", "--list", "all", "--json")
        project = open_project(bench.folder)
        dispatch = Dispatch.of(project, control.start(project, "harbour", actor="bench"), _Instant())
        with _watched() as parts:
            while submit.submit(dispatch) is not None:
                pass
        project.close()
    pairs = list(zip(parts["claim"], parts["finish"], strict=False))  # the last claim finds nothing
    both = [claim.wall + finish.wall for claim, finish in pairs]
    work = [claim.work + finish.work for claim, finish in pairs]
    print(f"\nA batch of {_BATCH:,} in the ledger on SQLite, claim and finish ({len(pairs)} batches): median "
          f"{_ms(statistics.median(both))}, the quickest tenth {_ms(statistics.quantiles(both, n=10)[0])}, of it "
          f"processor time {_ms(statistics.median(work))}; the aim is {_AIM_MS:.0f} ms")
    print("  | part | median | processor |\n  |---|---|---|")
    for name, found in parts.items():
        found = found[: len(pairs)]
        print(f"  | {name} | {_ms(statistics.median(one.wall for one in found))} | "
              f"{_ms(statistics.median(one.work for one in found))} |")


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


@dataclass(frozen=True, slots=True)
class _Took:
    wall: float
    work: float
    """Processor time of the thread: not that of its neighbours, nor the waiting for the disk."""


@contextmanager
def _watched() -> Iterator[dict[str, list[_Took]]]:
    """Take the time of the steps of a submit; the functions are put back afterwards."""
    parts: dict[str, list[_Took]] = defaultdict(list)
    watched: list[tuple[Any, str, str]] = [
        (submit, "claim", "claim"), (waves, "next_group", "claim: the next group"),
        (claims, "claim", "claim: take the rows"),
        (audience, "no_longer_eligible", "claim: may they still be mailed"),
        (submit, "_settle", "finish"), (claims, "settle", "finish: write what is known")]
    before = [getattr(module, name) for module, name, _ in watched]
    for module, name, part in watched:
        setattr(module, name, _timed(getattr(module, name), parts[part]))
    try:
        yield parts
    finally:
        for (module, name, _), function in zip(watched, before, strict=True):
            setattr(module, name, function)


def _timed(function: Callable[..., Any], times: list[_Took]) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        wall, work = time.perf_counter(), time.thread_time()
        try:
            return function(*given, **named)
        finally:
            times.append(_Took(time.perf_counter() - wall, time.thread_time() - work))

    return timed
