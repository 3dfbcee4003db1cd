"""Sending on one host: a few threads call submit until nothing is left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pillarbox.ground import logs
from pillarbox.mailings import control
from pillarbox.mailings.submit import Dispatch, Submitted, submit
from pillarbox.model.states import Verdict

log = logs.get("runner")

# As many units in a row may come back from a provider that cannot be reached before the run ends and says so.
_UNREACHABLE_LIMIT = 5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 600.0


@dataclass(kw_only=True, slots=True)
class Run:
    """One run of one mailing: its progress, and why it ended."""

    dispatch: Dispatch
    on_progress: Callable[[int], None] = lambda _done: None
    """Called with the number of messages just settled, from any thread."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set it to drain: the acts in flight finish, nothing new starts."""
    counts: Counter[Verdict] = field(default_factory=Counter)
    withdrawn: int = 0
    stopped_because: str = ""
    _returned_in_a_row: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, connections: int) -> None:
        """Send until nothing is left, the mailing is paused or cancelled, or something says stop.

        Raises:
            PillarboxError: a fault of ours; what was in flight has been settled.
        """
        mailing, since = self.dispatch.mailing, time.monotonic()
        log.info("run.began", mailing=mailing.name, practice=mailing.practice, connections=connections)
        with ThreadPoolExecutor(max_workers=connections, thread_name_prefix="send") as pool:
            futures = [pool.submit(self._work) for _ in range(connections)]
            try:
                for future in futures:
                    future.result()
            finally:
                self.stopping.set()
                log.info("run.ended", mailing=mailing.name, withdrawn=self.withdrawn,
                         seconds=time.monotonic() - since, stopped=bool(self.stopped_because),
                         **{verdict.value: number for verdict, number in self.counts.items()})
        control.finish_if_done(self.dispatch.project, self.dispatch.mailing)

    def _work(self) -> None:
        try:
            while not self.stopping.is_set():
                done = submit(self.dispatch)
                if done is None:
                    return
                self._note(done)
        except BaseException:
            self.stopping.set()
            raise

    def _note(self, done: Submitted) -> None:
        settled = done.withdrawn + sum(n for verdict, n in done.counts.items() if verdict is not Verdict.RETURNED)
        with self._lock:
            self.counts.update(done.counts)
            self.withdrawn += done.withdrawn
            fruitless = set(done.counts) == {Verdict.RETURNED} and not done.result.wait_seconds
            self._returned_in_a_row = self._returned_in_a_row + 1 if fruitless and done.result.unreachable else 0
            pause = done.result.wait_seconds or (
                _FIRST_PAUSE_SECONDS * 2 ** self._returned_in_a_row if self._returned_in_a_row else 0.0)
            if done.result.stop:
                self._stop(done.result.stop)
            elif self._returned_in_a_row >= _UNREACHABLE_LIMIT:
                words = done.result.receipts[0].detail
                self._stop(f"{self._returned_in_a_row} tries in a row failed: {words}. Nothing of them was sent; "
                           "`send` again continues.")
        if settled:
            self.on_progress(settled)
        if pause and not self.stopping.is_set():
            self.stopping.wait(min(pause, _LONGEST_WAIT_SECONDS))

    def _stop(self, reason: str) -> None:
        self.stopped_because = self.stopped_because or reason
        self.stopping.set()
