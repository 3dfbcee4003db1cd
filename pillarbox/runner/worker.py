"""The worker: a loop that looks for what is due and sends it, until it is told to stop.

It keeps nothing of its own that matters: kill it at any moment, run two of it by mistake, take the database away; the
ledger holds what is known, and the next tick goes on from there.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, StoreError
from pillarbox.ground.process import Worker
from pillarbox.mailings import asking
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.model.states import Verdict
from pillarbox.runner.local import Run
from pillarbox.runner.tick import Ticked, broken, tick
from pillarbox.store import workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.migrate import NewerDatabaseError
from pillarbox.store.project import Project

BEAT_SECONDS = 10.0
"""Between two heartbeats."""
LOOK_SECONDS = 2.0
"""Between two ticks, unless something is due sooner."""
MOST_AT_ONCE, MOST_IN_HAND = 4, 16
"""Mailings that one worker sends side by side; and with those that only wait, for a limit or in a launch's watch."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5.0, 300.0
_DATABASE_PAUSE_SECONDS = 5.0


@contextmanager
def heartbeat(project: Project, *, worker: str, kind: str) -> Iterator[None]:
    """Be seen in the ledger for as long as the block lasts, whatever else this process is busy with.

    A worker's row goes with it; that of a run from a timer (``once``) stays: the next run is to come.

    Raises:
        StoreError: the database is away at the very beginning.
    """
    done = threading.Event()

    def beat() -> None:
        with project.store.writing() as connection:
            workers.beat(connection, worker, kind=kind, host=platform.node())
            workers.sweep(connection)

    def go_on() -> None:
        while not done.wait(BEAT_SECONDS):
            try:
                beat()
            except StoreError:
                continue  # the loop says that the database is away

    beat()
    thread = threading.Thread(target=go_on, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if kind != "once":
            try:
                with project.store.writing() as connection:
                    workers.leave(connection, worker)
            except StoreError:
                pass  # the row is swept when it is a day old


@dataclass(kw_only=True)
class _Sending:
    """One mailing in a worker's hands."""

    thread: threading.Thread = field(default_factory=threading.Thread)
    stopping: threading.Event = field(default_factory=threading.Event)
    hurry: Callable[[], None] = lambda: None
    waits: bool = False
    """Whether it was told to wait: for a limit, for a launch's watch."""

    def drain(self) -> None:
        self.stopping.set()
        self.hurry()

    def wait(self, _why: str) -> None:
        self.waits = True


@dataclass(kw_only=True)
class Loop:
    """One worker.

    Args:
        project: the open project.
        say: told a sentence about whatever happens; from any thread.
        stopping: set it to drain: the acts in flight finish, nothing new starts, the call returns.
    """

    project: Project
    say: Callable[[str], None] = lambda _words: None
    stopping: threading.Event = field(default_factory=threading.Event)
    worker: str = field(default_factory=lambda: str(Worker.this()))
    did: list[str] = field(default_factory=list)
    """What was said to have been done, kept in a run ``once``."""
    _sending: dict[int, _Sending] = field(default_factory=dict)
    _put_off: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Mailing → (not before this moment of the monotonic clock, the pause that led there)."""
    _said: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> None:
        """Work until ``stopping`` is set.

        Raises:
            StoreError: the database is away at the very beginning (later it is waited for), or a newer program has
                changed it.
        """
        with heartbeat(self.project, worker=self.worker, kind="worker"):
            try:
                while not self.stopping.is_set():
                    ticked = self._look()
                    if ticked is not None:
                        self._send_all(ticked)
                    self._wait(ticked)
            finally:
                self._drain()

    def once(self) -> Ticked:
        """Do what is due now, to its end; returns the last look, which found nothing more to do.

        Among its faults is also what keeps a mailing waiting that could leave: a provider that is away.

        Raises:
            StoreError: the database is away.
        """
        with heartbeat(self.project, worker=self.worker, kind="once"):
            while True:
                ticked = tick(self.project, worker=self.worker)
                self._tell(ticked)
                self._send_all(ticked)
                if not self._sending or self.stopping.is_set():
                    self._drain()
                    ticked.faults += [words for key, words in self._said.items() if key.startswith("later:")]
                    return ticked
                while self._sending and not self.stopping.wait(0.05):
                    self._clear()

    # -------------------------------------------------------------------------------------------- looking

    def _look(self) -> Ticked | None:
        """One tick; None when the database is away, which is said once."""
        try:
            ticked = tick(self.project, worker=self.worker)
        except NewerDatabaseError:
            raise
        except StoreError as fault:
            self._say_once("database", f"{fault.what} Waiting for it.")
            return None
        if self._said.pop("database", ""):
            self.say("The database is back.")
        self._tell(ticked)
        return ticked

    def _tell(self, ticked: Ticked) -> None:
        for words in ticked.did:
            self.did.append(words)
            self.say(words)
        for words in ticked.faults:
            self._say_once(f"fault:{words}", words)
        for gone in [key for key in self._said if key.startswith("fault:") and key[6:] not in ticked.faults]:
            del self._said[gone]

    def _wait(self, ticked: Ticked | None) -> None:
        """Until the next look: soon, or at the very moment at which something is due."""
        if ticked is None:
            self.stopping.wait(_DATABASE_PAUSE_SECONDS)
            return
        seconds = LOOK_SECONDS
        if ticked.next_at:
            seconds = min(seconds, max(0.05, (ticked.next_at - clock.now()).total_seconds()))
        self.stopping.wait(seconds)

    def _say_once(self, key: str, words: str) -> None:
        with self._lock:
            if self._said.get(key) == words:
                return
            self._said[key] = words
        self.say(words)

    # -------------------------------------------------------------------------------------------- sending

    def _send_all(self, ticked: Ticked) -> None:
        """Begin to send what can be sent and is not being sent by this worker already."""
        self._clear()
        for mailing in ticked.sendable:
            until, _ = self._put_off.get(mailing.id, (0.0, 0.0))
            busy = sum(not sending.waits for sending in self._sending.values())
            if self.stopping.is_set() or busy >= MOST_AT_ONCE or len(self._sending) >= MOST_IN_HAND:
                return
            if mailing.id in self._sending or time.monotonic() < until:
                continue
            sending = self._sending[mailing.id] = _Sending()
            sending.thread = threading.Thread(target=self._send, args=(mailing, sending), name=f"mailing-{mailing.id}")
            sending.thread.start()

    def _clear(self) -> None:
        for mailing_id in [key for key, sending in self._sending.items() if not sending.thread.is_alive()]:
            del self._sending[mailing_id]

    def _drain(self) -> None:
        for sending in self._sending.values():
            sending.drain()
        for sending in self._sending.values():
            sending.thread.join()
        self._sending.clear()

    def _send(self, mailing: Mailing, sending: _Sending) -> None:
        """Send one mailing until it is done, held back or told to stop; whatever stands in the way is said."""
        settings = self.project.settings
        try:
            transport = choose_transport(settings)
            try:
                transport.check()
                run = Run(dispatch=Dispatch.of(self.project, mailing, transport), stopping=sending.stopping,
                          on_wait=sending.wait,
                          on_trouble=lambda why: self._note(f"{mailing.name} waits: {why}."))
                sending.hurry = transport.hurry
                if not self.stopping.is_set():
                    run(settings.sendgrid.connections if transport.name == "sendgrid" else 1)
            finally:
                transport.close()
        except StoreError as fault:
            self._later(mailing, fault.what)
        except PillarboxError as fault:
            if fault.retry:
                self._later(mailing, fault.sentence())
            else:
                self._give_up(mailing, fault.sentence())
        except Exception as fault:  # noqa: BLE001 - a letter that breaks the program must not stop the others
            self._give_up(mailing, broken(fault))
        else:
            self._ended(mailing, run)

    def _ended(self, mailing: Mailing, run: Run) -> None:
        if handed := run.counts[Verdict.ACCEPTED]:
            self._note(f"{mailing.name}: {handed:,} messages were handed over.")
        if run.stopped_because and run.unreachable:
            self._later(mailing, run.stopped_because)
        elif run.stopped_because:
            self._give_up(mailing, run.stopped_because)
        else:
            self._put_off.pop(mailing.id, None)
            self._said.pop(f"later:{mailing.id}", None)

    def _later(self, mailing: Mailing, why: str) -> None:
        """Try a mailing again after a pause that grows."""
        _, before = self._put_off.get(mailing.id, (0.0, 0.0))
        pause = min(max(_FIRST_PAUSE_SECONDS, 2 * before), _LONGEST_PAUSE_SECONDS)
        self._put_off[mailing.id] = (time.monotonic() + pause, pause)
        self._say_once(f"later:{mailing.id}", f"{mailing.name} has to wait: {why}")

    def _give_up(self, mailing: Mailing, why: str) -> None:
        """Pause a mailing that cannot go on as things are."""
        try:
            if asking.ask(self.project, mailing, reason=why):
                self._note(f"{mailing.name} is paused: {why}")
        except StoreError as fault:
            self._later(mailing, fault.what)

    def _note(self, words: str) -> None:
        with self._lock:
            self.did.append(words)
        self.say(words)
