"""One round: a mailing from its first message to its last, and what befalls it on the way."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from lab.budget import Budget
from lab.cells import Cell
from lab.crew import Crew
from lab.disk import Disk
from lab.ending import Ending
from lab.judge import Judge
from lab.ledger import Ledger
from lab.outcome import Outcome
from lab.server import Server
from lab.trouble import Trouble


def play(cell: Cell, ledger: Ledger, folder: Path, chance: random.Random, *, acts: Counter[str], budget: Budget,
         disk: Disk | None = None) -> Outcome:
    """Play one round.

    Args:
        cell: what is to be tried.
        ledger: a fresh copy, whose mailing is planned.
        folder: for the senders' output.
        chance: chooses moments and victims.
        acts: what may befall this round at most.
        budget: when it is spent, nothing more befalls the round.
        disk: where the ledger lies, when that can be filled.
    """
    outcome = Outcome(rounds=1)
    with outcome.told(), Server(chance.randrange(10**9)) as server:
        ledger.settings(url=server.url, connections=cell.connections)
        judge, crew = Judge(engine=ledger.engine(), server=server), Crew(cell, ledger, folder / "senders.log", chance)
        try:
            outcome.planned = sum(judge.counts().values())
            Trouble(cell, ledger, server, judge, crew, acts=acts, chance=chance, budget=budget, disk=disk,
                    outcome=outcome).play()
            Ending(cell, ledger, server, judge, crew, folder=folder, outcome=outcome).play()
        finally:
            crew.clear()
            judge.close()
            outcome.hearings = judge.hearings
            outcome.take(judge)
    return outcome
