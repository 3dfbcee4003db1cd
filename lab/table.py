"""The tables of docs/reliability.md, and how they get there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from lab.cells import Cell
from lab.moods import TROUBLES
from lab.outcome import Outcome
from lab.verdict import Verdict

_HEAD = ("engine", "senders × connections", "what befell them", "kills", "other acts", "requests troubled", "mailings",
         "messages", "twice", "lost in silence", "broken promises", "in doubt (at most)", "healed by events")
_ACTS = {"sleep": "zombies", "restart": "restarts", "fill": "full disks"}
_MACHINE = {"met the full disk": "writes refused", "late": "answers too late", "gave up on the lock": "locks too late",
            "long away": "long absences of the database"}


def markdown(rows: Sequence[tuple[Cell, Outcome]], *, command: str, minutes: float) -> str:
    """The crash lab's table, with what made it."""
    total, lines = Outcome(), []
    for cell, outcome in rows:
        total.add(outcome)
        lines.append(_row(cell, outcome))
    befell = [total.befell["kill"] or "", _others(total), _requests(total)]
    lines.append(["**all**", "", "", *befell, total.rounds, f"{total.planned:,}", total.duplicates, total.lost,
                  len(total.breaches), f"{total.doubt:,} ({total.allowed:,})", f"{total.healed:,}"])
    return (f"{made_by(command, minutes)} The two witnesses were heard against each other {total.hearings:,} times.\n\n"
            f"{as_table(_HEAD, lines)}")


def made_by(command: str, minutes: float) -> str:
    """Which command made a table, when, and how long it took."""
    when = f"{datetime.now(UTC):%d %B %Y}".lstrip("0")
    return f"Made by `{command}` on {when}, in {minutes:.0f} minutes."


def as_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])


def findings(verdict: Verdict) -> list[object]:
    """Twice, lost, broken; where nobody could judge, that and why, and no number that looks like a promise kept."""
    if verdict.unjudged and not verdict.broken:
        why = "; ".join(dict.fromkeys(verdict.unjudged)).replace("|", "/")
        return ["not judged", "not judged", f"not judged: {why}"]
    return [verdict.duplicates, verdict.lost, len(verdict.breaches)]


def write(path: Path, name: str, table: str) -> None:
    """Put a table between the markers that bear its name in a document.

    Raises:
        ValueError: there are none.
    """
    begin, end = (f"<!-- {name}: {which} -->" for which in ("begin", "end"))
    before, found, rest = path.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path} has no place for the table {name}")
    path.write_text(f"{before}{begin}\n{table}\n{end}{after}", "utf-8")


def _row(cell: Cell, outcome: Outcome) -> list[object]:
    return [cell.engine, f"{cell.senders} × {cell.connections} `{cell.kind}`", cell.name,
            _of(outcome.befell["kill"], cell.acts["kill"]), _others(outcome, cell), _requests(outcome), outcome.rounds,
            f"{outcome.planned:,}", *findings(outcome), f"{outcome.doubt:,} ({outcome.allowed:,})",
            f"{outcome.healed:,}"]


def _others(outcome: Outcome, cell: Cell | None = None) -> str:
    """Acts, and what the machine itself did; where an act did not come as often as it should, that is said."""
    befell = outcome.befell
    acts = {words: _of(befell[act], cell.acts[act] if cell else 0) for act, words in _ACTS.items()}
    acts |= {words: _of(befell[what], 0) for what, words in _MACHINE.items()}
    acts["rounds not judged and played again"] = _of(outcome.played_again, 0)
    return ", ".join(f"{times} {words}" for words, times in acts.items() if times)


def _of(befell: int, wanted: int) -> str:
    return f"{befell} of {wanted}" if befell < wanted else str(befell or "")


def _requests(outcome: Outcome) -> object:
    return sum(outcome.befell[trouble] for trouble in TROUBLES) or ""


def end(verdicts: Sequence[Verdict]) -> None:
    """Leave with what was found: exit code 1 when a promise broke, 2 when none did and something was not judged."""
    for verdict in verdicts:
        for words in (*verdict.breaches, *verdict.unjudged):
            print(words)
    if any(verdict.broken for verdict in verdicts):
        sys.exit("\nA promise was broken: see above.")
    if any(verdict.unjudged for verdict in verdicts):
        print("\nNo promise was broken, but not everything could be judged: see above.")
        sys.exit(2)
