"""Threads of the hooks' own: a flood of posts must not make anybody who wants to leave wait for a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

T = TypeVar("T")

THREADS = 8
"""Of each hook. Pages have forty of their own (anyio's default). Two cores do not verify more at a time, and whatever
waits for its turn to write is written together."""


class Lane:
    """Runs work in a few threads; what is more waits for its turn without one."""

    def __init__(self, threads: int = THREADS) -> None:
        self._limiter = CapacityLimiter(threads)

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """What the work gives."""
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self._limiter)
