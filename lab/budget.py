"""How long the lab may still make trouble."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Budget:
    """Time, and a way to end it early."""

    seconds: float
    ended: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> bool:
        """Whether no new trouble is to begin."""
        return self.ended.is_set() or time.monotonic() - self.began > self.seconds
