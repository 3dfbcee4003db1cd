"""How long ``pillarbox --help`` takes, as a whole process, beside a bare Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

_RUNS = 11


def run() -> None:
    """Print medians of alternating runs."""
    ours, bare = [], []
    for _ in range(_RUNS):
        ours.append(_seconds([sys.executable, "-m", "pillarbox", "--help"]))
        bare.append(_seconds([sys.executable, "-c", "import click"]))
    print(f"\npillarbox --help: {statistics.median(ours):.3f} s (median of {_RUNS}; importing Click alone "
          f"{statistics.median(bare):.3f} s, ratio {statistics.median(ours) / statistics.median(bare):.2f})")


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun
