"""A whole mailing: planned and sent with the real commands to a local server that answers at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench import letter
from bench.composing import Plain

_ROOT = Path(__file__).resolve().parent.parent
# A list file's columns are text: what the letter loops over is split there.
_LOOP = "supporter.interests.split('|')"
_SETTINGS = """
[project]
transport = "sendgrid"
[sender]
name = "The Harbour Trust"
email = "letters@harbour.example"
[links]
donate = "https://give.harbour.example/now"
"""
_APPEAL = f"""
title = "{letter.CONSTANTS["appeal"]["title"]}"
subject = "{letter.SUBJECT}"
kind = "appeal"
"""


@dataclass(frozen=True, kw_only=True)
class _Step:
    seconds: float
    peak_mib: float


def run(supporters: int, plain: Plain | None) -> None:
    """Import, plan and send; print time, memory, requests and bytes."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        folder = _project(Path(home), supporters)
        server = subprocess.Popen([sys.executable, "-m", "pillarbox.standin", "--mode", "instant"], cwd=_ROOT,
                                  stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            steps = {name: _step(folder, url, *arguments) for name, arguments in {
                "import": ("lists", "import", str(Path(home) / "list.csv"), "--list", "all", "--basis", "consent",
                           "--source", "benchmark", "--tracking", "yes"),
                "plan": ("plan", "harbour", "--list", "all", "--json"),
                "send": ("send", "harbour", "--yes", "--json")}.items()}
            with urllib.request.urlopen(f"{url}/_standin/counts", timeout=60) as answer:
                took = json.loads(answer.read())
        finally:
            server.terminate()
            server.wait(10)
        _print(supporters, steps, took, plain)


def _project(home: Path, supporters: int) -> Path:
    folder = home / "project"
    appeal = folder / "appeals" / "harbour"
    appeal.mkdir(parents=True)
    (appeal / "appeal.toml").write_text(_APPEAL, "utf-8")
    (appeal / "letter.html").write_text(letter.html(_LOOP), "utf-8")
    (appeal / "letter.txt").write_text(letter.text(_LOOP), "utf-8")
    (folder / "pillarbox.toml").write_text(_SETTINGS, "utf-8")
    (folder / "pillarbox.key").write_text("a key for the benchmark only, thirty-two bytes\n", "utf-8")
    columns = list(letter.supporter(0))
    with (home / "list.csv").open("w", encoding="utf-8") as file:
        file.write(",".join(["email", *columns]) + "\n")
        for number in range(supporters):
            person = letter.supporter(number)
            person["interests"] = "|".join(person["interests"])
            file.write(",".join([f"s{number}@example.org", *(person[column] for column in columns)]) + "\n")
    return folder


def _step(folder: Path, url: str, *arguments: str) -> _Step:
    command = [sys.executable, "-m", "pillarbox", "-C", str(folder), *arguments]
    environment = {**os.environ, "SENDGRID_API_KEY": "SG.stand-in", "PILLARBOX_SENDGRID_URL": url}
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise SystemExit(f"{arguments} failed with exit code {process.returncode}")
    return _Step(seconds=time.perf_counter() - begun, peak_mib=usage.ru_maxrss / 1024)


def _print(supporters: int, steps: dict[str, _Step], took: dict[str, int], plain: Plain | None) -> None:
    print(f"\n{supporters:,} supporters, the ledger on disk, a server that answers at once")
    for name, step in steps.items():
        print(f"  {name:<8} {step.seconds:7.1f} s   peak {step.peak_mib:4.0f} MiB")
    both = steps["plan"].seconds + steps["send"].seconds
    megabytes = took["bytes"] / 1e6
    print(f"  plan and send {both:.1f} s, {supporters / both:,.0f} supporters/s; {took['requests']:,} requests, "
          f"{megabytes:.1f} MB on the wire, {took['personalizations']:,} messages")
    if plain is not None:
        print(f"  the plain way, from {plain.sample} supporters in this run: "
              f"{supporters / plain.sent_per_second:,.0f} s, {supporters:,} requests, "
              f"{supporters * plain.bytes_each / 1e6:,.0f} MB: ratio in time "
              f"{supporters / plain.sent_per_second / both:,.0f}, in bytes "
              f"{supporters * plain.bytes_each / took['bytes']:,.0f}")
