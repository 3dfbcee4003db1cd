"""``python -m lab.cluster``: run the rounds, print and write the table."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lab import table
from lab.cluster import hosts
from lab.cluster.rounds import CELLS, Cell, Outcome, play

SUPPORTERS = 12_000
# A round that could not be judged is played again, not for ever.
_MOST_TRIES = 3
_HEAD = ("what befell them", "messages", "twice", "lost in silence", "broken promises",
         "in doubt (in flight on the lost host)", "of them healed by events", "hosts that sent afterwards",
         "the loss was known after")


def markdown(rows: Sequence[tuple[Cell, Outcome]], *, command: str, minutes: float) -> str:
    """The table, with what made it."""
    return f"{table.made_by(command, minutes)}\n\n" + table.as_table(_HEAD, [
        [_name(cell, one), f"{one.planned:,}", *table.findings(one), _doubt(one), f"{one.healed:,}", one.hosts_after,
         f"{one.found_after:.0f} s" if one.found_after else ""] for cell, one in rows])


def _name(cell: Cell, one: Outcome) -> str:
    return f"{cell.name} (not judged and played again: {one.played_again})" if one.played_again else cell.name


def _doubt(one: Outcome) -> str:
    late = f", {one.late:,} answered too late" if one.late else ""
    return f"{one.doubt:,} ({one.allowed - one.late:,}{late})"


def main() -> None:
    """Run the rounds, print the table, write it where asked.

    Exit code 1 when a promise broke, 2 when none did and something could not be judged.
    """
    parser = argparse.ArgumentParser(prog="python -m lab.cluster", description="Three hosts, one mailing, and trouble.")
    parser.add_argument("--supporters", type=int, default=SUPPORTERS, help="of each mailing")
    parser.add_argument("--only", default="", metavar="WORDS", help="rounds that have these words")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the markers of this file")
    given = parser.parse_args()
    if why := hosts.able():
        sys.exit(f"The cluster lab cannot run here: {why}.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    rows: list[tuple[Cell, Outcome]] = []
    for cell in CELLS:
        if given.only not in cell.name:
            continue
        for tries in range(_MOST_TRIES):
            found = play(cell, given.supporters, say)
            found.played_again = tries
            if found.broken or not found.unjudged:
                break
        rows.append((cell, found))
    made = markdown(rows, command=shlex.join(["python", "-m", "lab.cluster", *sys.argv[1:]]),
                    minutes=(time.monotonic() - began) / 60)
    print(f"\n{made}")
    if given.write:
        table.write(given.write, "cluster-lab", made)
    table.end([outcome for _, outcome in rows])


if __name__ == "__main__":
    main()
