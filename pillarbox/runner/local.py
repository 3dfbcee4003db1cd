"""Sending on one host: a few threads call submit until nothing is left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pillarbox.ground import clock, logs
from pillarbox.mailings import control, hours
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.submit import Submitted, submit
from pillarbox.model.states import MailingState, Verdict
from pillarbox.store import due, mailings, waves

log = logs.get("runner")

# As many units in a row may come back from a provider that cannot be reached before the run ends and says so.
_UNREACHABLE_LIMIT = 5
_FIRST_PAUSE_SECONDS = 0.5
# What others have in hand is waited for, as long as it grows less now and then.
_OTHERS_SECONDS = 90.0
# Of our own limits and caps: staff may change them meanwhile. What the provider asks for is waited for in full.
_LONGEST_WAIT_SECONDS = 600.0
# A pause of the provider's that is longer is told with its length: a rate limit's, as against the few seconds after a
# failure.
_LONG_SECONDS = 60.0
# How soon one who waits sees that the mailing was paused or cancelled elsewhere.
_LOOK_SECONDS = 1.0


@dataclass(kw_only=True, slots=True)
class Run:
    """One run of one mailing: its progress, and why it ended."""

    dispatch: Dispatch
    on_progress: Callable[[int], None] = lambda _done: None
    """Called with the number of messages just settled, from any thread."""
    on_wait: Callable[[str], None] = lambda _why: None
    """Called, from any thread, with what is waited for: once for each new reason, when it takes a while."""
    on_trouble: Callable[[str], None] = lambda _why: None
    """The same with what the provider said, when it cannot be reached or takes no more for a while."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set it, or call ``drain``: the acts in flight finish, nothing new starts."""
    counts: Counter[Verdict] = field(default_factory=Counter)
    withdrawn: int = 0
    stopped_because: str = ""
    unreachable: bool = False
    """Whether that was a provider that could not be reached: a later run may fare better."""
    _returned_in_a_row: int = 0
    _told: set[str] = field(default_factory=set)
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
            except BaseException:
                self.stopping.set()
                raise
            finally:
                log.info("run.ended", mailing=mailing.name, withdrawn=self.withdrawn,
                         seconds=time.monotonic() - since, stopped=bool(self.stopped_because),
                         **{verdict.value: number for verdict, number in self.counts.items()})
        control.finish_if_done(self.dispatch.project, self.dispatch.mailing)

    def to_the_end(self, connections: int) -> None:
        """The same, and wait for what other processes have in hand of the mailing: workers may share it.

        Raises:
            PillarboxError: a fault of ours; what was in flight has been settled.
        """
        project, mailing = self.dispatch.project, self.dispatch.mailing
        self(connections)
        moved, left = time.monotonic(), -1
        while not self.stopping.is_set():
            with project.store.reading() as connection:
                now = mailings.by_id(connection, mailing.id)
                more = waves.next_group(connection, mailing.id) is not None
                in_hand = due.on_its_way(connection, mailing.id)
            if now.state is not MailingState.SENDING:
                return
            if not (more or in_hand):  # another settled the last of it, and may not have closed it yet
                control.finish_if_done(project, mailing)
                return
            if more and not hours.may_leave(now, project.settings.project.zone, clock.now()):
                return
            if in_hand != left:
                moved, left = time.monotonic(), in_hand
            if time.monotonic() - moved > _OTHERS_SECONDS:
                return
            if more:
                self(connections)
                moved = time.monotonic()
            self.stopping.wait(_FIRST_PAUSE_SECONDS)
            bury_the_dead(project, mailing, repeatable=self.dispatch.transport.repeatable)
            control.finish_if_done(project, mailing)

    def drain(self) -> None:
        """The acts in flight finish, nothing new starts. From any thread, and from a signal."""
        self.stopping.set()
        self.dispatch.transport.hurry()

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
                self.unreachable = not self.stopped_because
                self._stop(f"{self._returned_in_a_row} tries in a row failed: {words}. Nothing of them was sent; "
                           "`send` again continues.")
        if settled:
            self.on_progress(settled)
        if pause > _LOOK_SECONDS and not self.stopping.is_set():
            self._tell(done.waiting, self.on_wait)
            self._tell(_troubled(done, pause), self.on_trouble)
        self._wait(pause if done.counts else min(pause, _LONGEST_WAIT_SECONDS))

    def _tell(self, why: str, tell: Callable[[str], None]) -> None:
        with self._lock:
            news = bool(why) and why not in self._told
            self._told.add(why)
        if news:
            tell(why)

    def _wait(self, seconds: float) -> None:
        """Let time pass, holding nothing; less of it when the run stops, or the mailing is held back elsewhere."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.stopping.wait(min(left, _LOOK_SECONDS)):
            if left > _LOOK_SECONDS and not self._is_open():
                return

    def _is_open(self) -> bool:
        with self.dispatch.project.store.reading() as connection:
            return mailings.state(connection, self.dispatch.mailing.id) is MailingState.SENDING

    def _stop(self, reason: str) -> None:
        self.stopped_because = self.stopped_because or reason
        self.stopping.set()


def _troubled(done: Submitted, seconds: float) -> str:
    """What a provider that could not be reached, or would not take more, has people wait for, in its own words."""
    words = next((receipt.detail for receipt in done.result.receipts
                  if receipt.verdict in (Verdict.RETURNED, Verdict.UNKNOWN) and receipt.detail), "")
    if not words:
        return ""
    length = f" It is asked again in {round(seconds / 60):,} min" if seconds > _LONG_SECONDS else " It is asked again"
    return f"{words.rstrip('.')}.{length}"
