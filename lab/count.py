"""What the server accepted: every message id, and when. It knows nothing of Pillarbox but the name of one argument."""

from __future__ import annotations

import random
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from lab.moods import CALM, TROUBLES, Mood


@dataclass
class Count:
    """What was accepted, and what is under way."""

    mood: Mood = CALM
    chance: random.Random = field(default_factory=random.Random)
    taken: dict[str, list[float]] = field(default_factory=dict)
    """Message → when it was accepted, as often as it was."""
    addresses: Counter[str] = field(default_factory=Counter)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    """Requests begun."""
    busy: int = 0
    """Requests begun and not yet dealt with."""
    open: int = 0
    """Connections that were accepted and are not yet done with."""
    troubled: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> tuple[Mood, str, float]:
        """A request has come: the mood, the trouble that it meets (or none), and how long it takes."""
        with self.lock:
            self.posts += 1
            self.busy += 1
            drawn, trouble = self.chance.random(), ""
            for name in TROUBLES:
                drawn -= getattr(self.mood, name)
                if drawn < 0:
                    trouble = name
                    break
            if trouble:
                self.troubled[trouble] += 1
            return self.mood, trouble, self.mood.latency * self.chance.uniform(0.5, 1.5)

    def end(self) -> None:
        """A request has been dealt with, one way or another."""
        with self.lock:
            self.busy -= 1

    def connected(self, change: int) -> None:
        """A connection came (1) or is done with (-1)."""
        with self.lock:
            self.open += change

    def accept(self, body: dict[str, Any], request_id: str) -> None:
        """Take every personalization, all at once."""
        moment = time.time()
        with self.lock:
            for number, one in enumerate(body["personalizations"]):
                name = one["custom_args"]["pillarbox"]
                address = one["to"][0]["email"]
                self.taken.setdefault(name.split(".")[1], []).append(moment)
                self.addresses[address] += 1
                self.accepted.append({"email": address, "timestamp": int(moment), "pillarbox": name,
                                      "category": body.get("categories", []),
                                      "sg_message_id": f"{request_id}.recvd-lab-1-{number:X}.0"})

    def events(self) -> list[dict[str, Any]]:
        """An event of every accepted message, as SendGrid posts it."""
        with self.lock:
            return [{**one, "event": "delivered",
                     "sg_event_id": urlsafe_b64encode(sha256(one["sg_message_id"].encode()).digest()[:24]).decode()}
                    for one in self.accepted]

    def told(self) -> dict[str, Any]:
        """The counts."""
        with self.lock:
            return {"taken": {name: len(times) for name, times in self.taken.items()}, "posts": self.posts,
                    "troubled": dict(self.troubled),
                    "twice": sum(n > 1 for n in self.addresses.values()) + sum(len(t) > 1 for t in self.taken.values())}

    def traffic(self) -> dict[str, int]:
        """Requests begun, requests under way, and connections, that of whoever asks among them."""
        with self.lock:
            return {"posts": self.posts, "busy": self.busy, "open": self.open}
