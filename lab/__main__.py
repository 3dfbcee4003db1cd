"""``python -m lab``: the long crash lab. It ends by itself, in bounded time, and leaves nothing running."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from pathlib import Path

from lab import cells, lanes, table
from lab.budget import Budget
from lab.cells import Cell
from lab.outcome import Outcome
from lab.postgres import binaries

_NO_POSTGRES = "PostgreSQL is not installed here"


def main() -> None:
    """Run the lab, print its table, write it where asked.

    Exit code 1 when a promise broke, 2 when none did and something could not be judged.
    """
    parser = argparse.ArgumentParser(prog="python -m lab", description="Everything that can go wrong, at random.")
    parser.add_argument("--kills", type=int, default=200, help="kill -9 in the cells that only kill (default 200)")
    parser.add_argument("--seed", type=int, default=1887, help="chooses moments and victims")
    parser.add_argument("--minutes", type=float, default=90.0,
                        help="no new trouble after so many (default 90: four times what it takes on a quiet machine)")
    parser.add_argument("--supporters", type=int, default=lanes.SUPPORTERS, help="of each mailing")
    parser.add_argument("--only", default="", metavar="WORDS", help="cells of which 'engine, command, name' has these")
    parser.add_argument("--short", action="store_true", help="what CI runs")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the markers of this file")
    given = parser.parse_args()
    chosen = {lane: kept for lane, all_ in (cells.short() if given.short else cells.long(given.kills)).items()
              if (kept := [cell for cell in all_ if given.only in f"{cell.engine}, {cell.kind}, {cell.name}"])}
    left_out: list[tuple[Cell, Outcome]] = []
    if binaries() is None:
        print(f"{_NO_POSTGRES}: its half is left out", flush=True)
        left_out = [(cell, Outcome(unjudged=[_NO_POSTGRES])) for lane in chosen.values() for cell in lane
                    if cell.engine != "sqlite"]
        chosen = {lane: kept for lane, kept in chosen.items() if kept[0].engine == "sqlite"}
    for name in [name for name in os.environ if name.startswith(("PILLARBOX_", "SENDGRID_"))]:
        del os.environ[name]  # each project of the lab says all of its own
    budget = Budget(seconds=given.minutes * 60)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: budget.ended.set())
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    rows = lanes.run(chosen, seed=given.seed, supporters=given.supporters, budget=budget, say=say) + left_out
    made = table.markdown(rows, command=shlex.join(["python", "-m", "lab", *sys.argv[1:]]),
                          minutes=(time.monotonic() - began) / 60)
    print(f"\n{made}")
    if given.write:
        table.write(given.write, "crash-lab", made)
    table.end([outcome for _, outcome in rows])


if __name__ == "__main__":
    main()
