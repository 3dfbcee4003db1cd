"""A million supporters beside a hundred thousand, in one run: does a supporter cost the same, and the memory hold?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench import crowd

_ALONE, _RATIO, _MIB = 100_000, 1.3, 500


def run(supporters: int) -> None:
    """Plan and send both on SQLite to an instant server; print the ratios."""
    print(f"\n{_ALONE:,} and {supporters:,} supporters on SQLite, a server that answers at once")
    few, many = _mailing(_ALONE), _mailing(supporters)
    for name in ("plan", "send"):
        _tell(name, [few[name]], [many[name]], supporters)
    _tell("both", [*few.values()], [*many.values()], supporters)
    peak = max(step.peak_mib for step in many.values())
    print(f"  peak memory {peak:.0f} MiB: {'within' if peak < _MIB else 'ABOVE'} {_MIB}")


def _tell(name: str, few: list[crowd.Step], many: list[crowd.Step], supporters: int) -> None:
    wall = [sum(step.seconds for step in steps) for steps in (few, many)]
    work = [sum(step.cpu_seconds for step in steps) for steps in (few, many)]
    peak = max(step.peak_mib for step in many)
    each = [wall[0] / _ALONE, wall[1] / supporters]
    work_each = [work[0] / _ALONE, work[1] / supporters]
    print(f"  {name:<5} {wall[0]:7.1f} s and {wall[1]:7.1f} s; a supporter {each[0] * 1e6:4.0f} µs and "
          f"{each[1] * 1e6:4.0f} µs, ratio {each[1] / each[0]:.2f} (processor time {work[0]:.1f} s and "
          f"{work[1]:.1f} s, ratio {work_each[1] / work_each[0]:.2f}); peak {peak:.0f} MiB",
          flush=True)


def _mailing(supporters: int) -> dict[str, crowd.Step]:
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home, crowd.instant_server() as server:
        begun = time.perf_counter()
        bench = crowd.make(Path(home) / "project", supporters, url=server.url)
        print(f"  ({supporters:,} supporters written straight into the tables in {time.perf_counter() - begun:.0f} s)",
              flush=True)
        steps = {"plan": bench.step("plan", "harbour", "--list", "all", "--json"),
                 "send": bench.step("send", "harbour", "--yes", "--json")}
        taken = server.counts()["personalizations"]
    if taken != supporters:
        raise SystemExit(f"the server has {taken:,} of {supporters:,} messages")
    return steps
