"""A whole mailing: planned and sent with the real commands to a local server that answers at once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import crowd, letter
from bench.composing import Plain
from lab import harbour


def run(supporters: int, plain: Plain | None) -> None:
    """Import, plan and send; print time, memory, requests and bytes."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        with crowd.instant_server() as server:
            bench = _project(Path(home), supporters, server.url)
            steps = {name: bench.step(*arguments) for name, arguments in {
                "import": ("lists", "import", str(Path(home) / "list.csv"), "--list", "all", "--basis", "consent",
                           "--source", "benchmark", "--tracking", "yes"),
                "plan": ("plan", "harbour", "--list", "all", "--json"),
                "send": ("send", "harbour", "--yes", "--json")}.items()}
            took = server.counts()
        _print(supporters, steps, took, plain)


def _project(home: Path, supporters: int, url: str) -> crowd.Bench:
    folder = home / "project"
    crowd.write(folder, harbour.settings(api_key=crowd.KEY, url=url))
    columns = list(letter.supporter(0))
    with (home / "list.csv").open("w", encoding="utf-8") as file:
        file.write(",".join(["email", *columns]) + "\n")
        for number in range(supporters):
            person = letter.supporter(number)
            person["interests"] = "|".join(person["interests"])
            file.write(",".join([f"s{number}@example.org", *(person[column] for column in columns)]) + "\n")
    return crowd.Bench(folder=folder)


def _print(supporters: int, steps: dict[str, crowd.Step], took: dict[str, int], plain: Plain | None) -> None:
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
