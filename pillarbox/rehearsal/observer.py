"""What the stand-in's side of a rehearsal sees: who got a letter how often, a few letters, and the crash that it makes.

The crash is the worst there is: the process that sends is killed at the moment when a batch has been accepted and
nobody has told it so yet, with other batches under way.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

from pillarbox.standin.mailbox import Kept

_REQUESTS_AROUND = 100
"""More than a sender can have under way at once, and a few whose answers it had no time to write down."""


@dataclass(kw_only=True, slots=True)
class Observer:
    """Hears every accepted request; safe to use from many threads."""

    letters: int
    """So many random letters are kept."""
    on_progress: Callable[[int], None] = lambda _done: None
    crash_after: int | None = None
    """The sender is killed when so many messages have been accepted; None: it is left alone."""
    sender: BaseProcess | None = None
    killed_at: int | None = None
    """Messages accepted when it was killed; None: it was not."""
    sample: list[Kept] = field(default_factory=list)
    around_the_crash: deque[list[Kept]] = field(default_factory=lambda: deque(maxlen=_REQUESTS_AROUND))
    """What was accepted last, a request each, until another process sends."""
    times: Counter[str] = field(default_factory=Counter)
    """Address in lower case → letters."""
    _heard: int = 0
    _recovering: bool = False
    _dice: random.Random = field(default_factory=random.Random)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, taken: list[Kept]) -> None:
        """A request was accepted; its sender has no answer yet."""
        with self._lock:
            for one in taken:
                self._keep(one)
            self.times.update(one.address.lower() for one in taken)
            due = self.crash_after is not None and self.killed_at is None and self._heard >= self.crash_after
            if due and self.sender is not None:
                self.killed_at = self._heard
                self.sender.kill()
            if not self._recovering:
                self.around_the_crash.append(taken)
        self.on_progress(len(taken))

    def _keep(self, one: Kept) -> None:
        """Keep it with the chance that every letter has (reservoir sampling)."""
        self._heard += 1
        if len(self.sample) < self.letters:
            self.sample.append(one)
        elif (place := self._dice.randrange(self._heard)) < self.letters:
            self.sample[place] = one

    def recover(self) -> None:
        """From now on another process sends."""
        with self._lock:
            self._recovering = True

    @property
    def twice(self) -> int:
        """Letters beyond the first to the same address."""
        return sum(count - 1 for count in self.times.values())
