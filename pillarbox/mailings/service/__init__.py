"""Service letters on their way: the answer to what one person did (a sign-up, a fresh link), one letter at a time.

Outside marketing consent and frequency both ways: who left still gets the letter that they ask for, and it counts for
nothing. Only an address that cannot or must not be reached holds it back. The guarantee is the ledger's: intent is
committed before the outside act, what became of it after; what nobody knows is in doubt, and is never sent again on a
guess (the person can ask again).
"""

from __future__ import annotations

from pillarbox.mailings.service.delivery import HARD, MOST_TRIES, deliver, sweep
from pillarbox.mailings.service.letters import (
    ServiceLetter,
    Standing,
    approve,
    is_meant,
    kinds,
    overview,
    pages,
    read,
)
from pillarbox.mailings.service.prompt import soon

__all__ = ["HARD", "MOST_TRIES", "ServiceLetter", "Standing", "approve", "deliver", "is_meant", "kinds", "overview",
           "pages", "read", "soon", "sweep"]
