"""Two witnesses: what the server accepted, and what the ledger says. Here they are heard against each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from lab.patience import BrokenError, again
from lab.server import Witness

_STATES = text("SELECT id, state FROM messages")
_PLANNED = text("SELECT planned, state FROM mailings")
# Of a file that is broken: no waiting mends it.
_DAMAGED = ("malformed", "not a database")
_MAY_HAVE_LEFT = {"submitting", "accepted", "in_doubt"}
_SAYS_WHY_NOT = {"in_doubt", "failed", "withdrawn", "cancelled"}


@dataclass(kw_only=True)
class Judge:
    """Hears both witnesses, and keeps what contradicts the promise."""

    engine: Engine
    """The ledger's database; disposed of by ``close``."""
    server: Witness
    duplicates: int = 0
    """Messages that the server accepted more than once."""
    lost: int = 0
    """Messages that neither left nor are told of as in doubt, failed, withdrawn or cancelled."""
    breaches: list[str] = field(default_factory=list)
    """Every other broken promise, in words."""
    hearings: int = 0

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def states(self) -> dict[str, str]:
        """Message → state, in one consistent view; checks the balance."""
        planned, _, found = self._read()
        if len(found) != planned:
            self._breach(f"the balance is broken: {planned} planned, {len(found)} rows")
        return found

    def counts(self) -> Counter[str]:
        """State → how many."""
        return Counter(self.states().values())

    def remaining(self) -> int:
        """Messages that are still to leave, or on their way."""
        counts = self.counts()
        return counts["planned"] + counts["submitting"]

    def mailing_state(self) -> str:
        """The mailing's state."""
        return self._read()[1]

    def hear(self) -> Counter[str]:
        """In mid-send: nothing twice; what left is never called unsent; what is called accepted has left.

        The server is asked before and after the ledger: of what moves meanwhile, neither can be accused.
        """
        self.hearings += 1
        before = self.server.count()
        states = self.states()
        after = self.server.count()
        self.duplicates = max(self.duplicates, after["twice"])
        for message in before["taken"]:
            if states.get(message) not in _MAY_HAVE_LEFT:
                self._breach(f"the server has message {message}, which the ledger calls {states.get(message)}")
        for message, state in states.items():
            if state == "accepted" and message not in after["taken"]:
                self._breach(f"the ledger calls message {message} accepted, which the server never had")
        return Counter(states.values())

    def at_the_end(self, *, healed: bool = False) -> Counter[str]:
        """When nothing is under way any more, also at the server: nobody is lost in silence.

        Args:
            healed: the events have been read, so that what the server accepted must be called accepted.
        """
        standing = self.hear()
        states, taken = self.states(), self.server.count()["taken"]
        self.lost = max(self.lost, sum(message not in taken and state not in _SAYS_WHY_NOT
                                       for message, state in states.items()))
        if healed:
            for message in taken:
                if states.get(message) != "accepted":
                    self._breach(f"events told of message {message}, which the ledger still calls "
                                 f"{states.get(message)}")
        return standing

    def _breach(self, words: str) -> None:
        if len(self.breaches) < 20:
            self.breaches.append(words)

    def _read(self) -> tuple[int, str, dict[str, str]]:
        def read() -> tuple[int, str, dict[str, str]]:
            try:
                with self.engine.connect() as connection:
                    planned, state = connection.execute(_PLANNED).one()
                    return int(planned), str(state), {str(row[0]): row[1] for row in connection.execute(_STATES)}
            except DBAPIError as fault:
                if any(words in str(fault) for words in _DAMAGED):
                    raise BrokenError(f"the ledger is damaged: {fault.orig}") from fault
                raise

        return again(read, DBAPIError)  # while the database restarts
