"""The table of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from lab.rounds import Cell, Outcome

BEGIN, END = "<!-- crash-lab: begin -->", "<!-- crash-lab: end -->"
_TROUBLES = ("cut_before", "cut_after", "limited", "broken", "broken_after", "stall")
_HEAD = ("| engine | senders × connections | what befell them | kills | other acts | requests troubled | mailings | "
         "messages | twice | lost in silence | broken promises | in doubt (at most) | healed by events |")


def markdown(rows: Sequence[tuple[Cell, Outcome]], *, command: str, minutes: float) -> str:
    """The table, with what made it."""
    total = Outcome()
    lines = [_HEAD, "|" + "---|" * (_HEAD.count("|") - 1)]
    for cell, outcome in rows:
        if outcome.rounds:
            total.add(outcome)
            lines.append(_row(cell.engine, f"{cell.senders} × {cell.connections} `{cell.kind}`", cell.name, outcome))
    lines.append(_row("**all**", "", "", total))
    when = f"{datetime.now(UTC):%d %B %Y}".lstrip("0")
    return (f"Made by `{command}` on {when}, in {minutes:.0f} minutes. The two witnesses were heard against each other "
            f"{total.hearings:,} times.\n\n" + "\n".join(lines))


def _row(engine: str, senders: str, name: str, outcome: Outcome) -> str:
    befell = outcome.befell
    words = {"sleep": "zombies", "restart": "restarts", "fill": "full disks"}
    acts = ", ".join(f"{befell[act]} {word}" for act, word in words.items() if befell[act])
    return (f"| {engine} | {senders} | {name} | {befell['kill'] or ''} | {acts} | "
            f"{sum(befell[trouble] for trouble in _TROUBLES) or ''} | {outcome.rounds} | {outcome.planned:,} | "
            f"{outcome.duplicates} | {outcome.lost} | {len(outcome.breaches)} | "
            f"{outcome.doubt:,} ({outcome.allowed:,}) | {outcome.healed:,} |")


def write(path: Path, table: str) -> None:
    """Put the table between the markers of a document."""
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")
