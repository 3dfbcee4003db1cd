"""A rehearsal of a whole mailing: copied, composed, sent to the faithful stand-in, and killed in the middle."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

from bench import crowd
from lab import commands


def run(supporters: int) -> None:
    """Rehearse once; print time, requests, bytes, and what the crash did."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        bench = crowd.make(Path(home) / "project", supporters, url="http://127.0.0.1:9")
        begun = time.perf_counter()
        done = subprocess.run(commands.pillarbox(bench.folder, "rehearse", "harbour", "--list", "all", "--json"),
                              cwd=commands.ROOT, env=commands.environment(), stdout=subprocess.PIPE, check=True)
        seconds = time.perf_counter() - begun
    told = json.loads(done.stdout)
    took, crash = told["seconds"], told["crash"]
    print(f"\nA rehearsal for {supporters:,} supporters: {seconds:.1f} s (copying {took['copying']:.1f} s, composing "
          f"{took['composing']:.1f} s, sending {took['sending']:.1f} s)")
    print(f"  {told['accepted']:,} messages in {told['shapes']} shapes, {told['requests']:,} requests, "
          f"{told['bytes'] / 1e6:.1f} MB")
    print(f"  killed after {crash['after']:,}: {crash['in_doubt']:,} in doubt, {crash['arrived']:,} of them arrived, "
          f"{crash['recognised']:,} recognised, {crash['sent_again']:,} sent again; twice {told['twice']}, lost "
          f"{told['lost']}")
