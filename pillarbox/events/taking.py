"""Posts of events that wait at the same moment are taken in together: one transaction, one wait for the disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pillarbox.events.apply import apply
from pillarbox.ground.errors import StoreError
from pillarbox.model.records import Event
from pillarbox.store.connect import ClashError, Store

AT_ONCE = 4_000
"""Events of one transaction: more would let the first of the posts wait long for the last.

Fewer cost more each: events lie scattered over the indexes, and a page that many of them touch is written once.
"""


@dataclass(eq=False, slots=True)
class _Post:
    events: Sequence[Event]
    done: bool = False
    fault: Exception | None = field(default=None)


class Intake:
    """Takes posts in, from any number of threads. No thread of its own: whoever comes to turn does all that waits."""

    def __init__(self, store: Store, secret: bytes) -> None:
        self._store = store
        self._secret = secret
        self._waiting: deque[_Post] = deque()
        self._turn = threading.Lock()

    def take_in(self, events: Sequence[Event]) -> None:
        """Take in a post, whole, with others or alone; when this returns it is committed.

        Raises:
            StoreError: the database is busy or away; nothing of this post was taken in.
        """
        post = _Post(events)
        self._waiting.append(post)
        while not post.done:
            with self._turn:
                if not post.done:
                    self._take(self._next())
        if post.fault is not None:
            raise post.fault

    def _next(self) -> list[_Post]:
        """The oldest posts, as many as are taken in together; at least one."""
        found: list[_Post] = []
        size = 0
        while self._waiting and (not found or size + len(self._waiting[0].events) <= AT_ONCE):
            found.append(self._waiting.popleft())
            size += len(found[-1].events)
        return found

    def _take(self, posts: Sequence[_Post]) -> None:
        try:
            apply(self._store, [event for post in posts for event in post.events], secret=self._secret)
        except Exception as fault:  # noqa: BLE001 - it is raised where the post came from
            away = isinstance(fault, StoreError) and fault.retry and not isinstance(fault, ClashError)
            if len(posts) > 1 and not away:
                # One of them is at fault; the others shall not suffer for it.
                for post in posts:
                    self._take([post])
            else:
                for post in posts:
                    post.fault = fault
        finally:
            for post in posts:
                post.done = True
