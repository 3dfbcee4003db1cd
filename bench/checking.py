"""``check`` of a letter of 50 KB against 100,000 supporters, with the real command: the aim is 15 s."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import crowd, letter

AIM_SECONDS = 15


def run(supporters: int) -> None:
    """Make the list, and check the letter for it three times."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        bench = crowd.make(Path(home), supporters, url="http://127.0.0.1:9")
        source = Path(home) / "appeals" / "harbour" / "letter.html"
        size = len(source.read_bytes())
        source.write_text(source.read_text("utf-8").replace("</h1>", "</h1>" + _more(50_000 - size)), "utf-8")
        print(f"\ncheck of a letter of {source.stat().st_size:,} bytes against {supporters:,} supporters")
        for _ in range(3):
            step = bench.step("check", "harbour", "--list", "all", "--json")
            print(f"  {step.seconds:6.1f} s by the clock, {step.cpu_seconds:6.1f} s of the processor, peak "
                  f"{step.peak_mib:.0f} MiB (the aim: {AIM_SECONDS} s)")


def _more(size: int) -> str:
    """Further paragraphs of at least so many bytes."""
    found = ""
    while len(found) < size:
        found += f"<p>{' '.join(letter.WORDS)}.</p>"
    return found
