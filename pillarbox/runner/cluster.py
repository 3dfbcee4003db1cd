"""Workers on several hosts: the plain loop, woken and spread by a queue, answerable to the ledger.

A job says "carry mailing 7". Who takes it first queues the next one for the same mailing, which an idle worker takes
at once and does the same, until every worker carries it or nothing is left to claim: no list of hosts, no seats. Beside
the queue every worker looks by itself, as in the plain loop; what it finds sendable it offers to the queue again, so
that a queue that was emptied or dropped heals by itself. While the queue cannot be used at all, the worker is the plain
loop: claims keep workers apart, with or without a queue.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from psycopg import Error as DriverError

from pillarbox.ground import clock, logs
from pillarbox.ground.errors import PillarboxError, StoreError
from pillarbox.mailings import hours
from pillarbox.model.states import MailingState
from pillarbox.runner import queue
from pillarbox.runner.tick import Ticked
from pillarbox.runner.worker import LOOK_SECONDS, Loop, heartbeat
from pillarbox.store import mailings, waves
from pillarbox.store.mailings import Mailing

STINT_SECONDS = 20.0
"""A worker that has carried a mailing for so long lets go of it when another one waits."""
EVERY_MINUTE = "* * * * *"
_QUEUE_PAUSE_SECONDS = 5.0
_OPEN_SECONDS = 10.0
# Their faults come to us as exceptions and are said in a sentence; their own logs would tell them with whole traces.
_LOUD = ("procrastinate", "psycopg.pool")
log = logs.get("runner")


@dataclass(kw_only=True)
class Member(Loop):
    """One worker among others; called, it works until ``stopping`` is set."""

    look_seconds: float = LOOK_SECONDS
    stint_seconds: float = STINT_SECONDS
    _fault: BaseException | None = None
    _takes: bool = False
    """Whether it takes jobs from the queue at present."""
    _began: dict[int, float] = field(default_factory=dict)
    """Mailing → when this worker took it from the queue (monotonic seconds)."""
    _gate: threading.RLock = field(default_factory=threading.RLock)
    """Held by whoever begins to send, or tells senders to end: looks come from two threads, jobs from a third."""
    _looks: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> None:
        """Work until ``stopping`` is set.

        Raises:
            StoreError: the database is away at the very beginning, or a newer program has changed it.
        """
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with heartbeat(self.project, worker=self.worker, kind="worker"):
            looking = threading.Thread(target=self._looking, name="looking")
            looking.start()
            try:
                asyncio.run(self._listening())
            finally:
                self.stopping.set()
                looking.join()
                self._drain()
        if self._fault is not None:
            raise self._fault

    # -------------------------------------------------------------------------------------------- looking

    def _looking(self) -> None:
        """The plain loop's own eyes: nothing waits for the queue longer than from one look to the next."""
        try:
            while not self.stopping.is_set():
                self._wait(self._look_and_offer())
        except BaseException as fault:  # noqa: BLE001 - raised again by whoever started this thread
            self._fault = fault
        finally:
            self.stopping.set()

    def _look_and_offer(self) -> Ticked | None:
        with self._looks:
            ticked = self._look()
            if ticked is not None:
                self._send_all(ticked)
                self._let_go()
            return ticked

    def _wait(self, ticked: Ticked | None) -> None:
        due = (ticked.next_at - clock.now()).total_seconds() if ticked and ticked.next_at else self.look_seconds
        self.stopping.wait(min(self.look_seconds, max(0.05, due)))

    def _send_all(self, ticked: Ticked) -> None:
        """Offer what can be sent to every worker, in a queue made anew if need be; if none serves us, send it here."""
        ids, offered = [mailing.id for mailing in ticked.sendable], True
        try:
            try:
                queue.offer(self.project.store, ids)
            except StoreError:
                queue.make(self.project.store)
                queue.offer(self.project.store, ids)
        except StoreError:
            offered = False
        if not (offered and self._takes):
            with self._gate:
                super()._send_all(ticked)

    def _let_go(self) -> None:
        """End the stint of what was carried long enough, or only waits, when another mailing waits for a worker."""
        for mailing_id, began in list(self._began.items()):
            with self._gate:
                sending = self._sending.get(mailing_id)
            if sending is None or not (sending.waits or time.monotonic() - began >= self.stint_seconds):
                continue
            with suppress(StoreError):  # away: then nobody can say that another waits
                if queue.another_waits(self.project.store, mailing_id):
                    sending.drain()

    # -------------------------------------------------------------------------------------------- the queue

    async def _listening(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_noted)
        stopping = asyncio.create_task(asyncio.to_thread(self.stopping.wait))
        while not self.stopping.is_set():
            try:
                await asyncio.to_thread(queue.make, self.project.store)
                app = self._app()
                async with app.open_async():
                    await self._until(stopping, app)
            except (ProcrastinateException, DriverError, StoreError, OSError) as fault:
                words = fault.what if isinstance(fault, PillarboxError) else f"{type(fault).__name__}."
                self._say_once("queue", f"The queue is away: {words} Going on without it.")
            else:
                self._said.pop("queue", None)
            await asyncio.wait([stopping], timeout=_QUEUE_PAUSE_SECONDS)

    async def _until(self, stopping: asyncio.Task[Any], app: App) -> None:
        """Take jobs until told to stop, or until one of the two queues breaks."""
        # Where jobs are taken one at a time, a job that this worker queues is another worker's before it is its own.
        takers = [asyncio.create_task(app.run_worker_async(
            queues=[name], name=name, concurrency=1, delete_jobs="always", install_signal_handlers=False))
            for name in (queue.CARRY, queue.TICK)]
        self._takes = True
        await asyncio.wait([*takers, stopping], return_when=asyncio.FIRST_COMPLETED)
        self._takes = False
        if self.stopping.is_set():
            self._ask_to_end()
        for taker in takers:
            taker.cancel()  # it finishes what it has, and takes nothing new
        for ended in await asyncio.gather(*takers, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    def _ask_to_end(self) -> None:
        with self._gate:
            for sending in self._sending.values():
                sending.drain()

    def _app(self) -> App:
        app = App(connector=PsycopgConnector(
            conninfo=queue.conninfo(self.project.store), kwargs=queue.connection_options(self.project.store),
            min_size=1, max_size=4, timeout=_OPEN_SECONDS))

        @app.task(name=queue.CARRY, queue=queue.CARRY)
        def _carry(mailing_id: int) -> None:
            self._quietly(lambda: self._carry(mailing_id))

        @app.periodic(cron=EVERY_MINUTE)
        @app.task(name=queue.TICK, queue=queue.TICK, queueing_lock=queue.TICK)
        def _tick(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate hands it over
            self._quietly(self._look_and_offer)

        return app

    def _quietly(self, job: Any) -> None:
        """Run a job; a fault ends it here, since Procrastinate would log its trace, and that may hold personal data."""
        try:
            job()
        except StoreError:
            pass  # the next look says so
        except Exception as fault:  # noqa: BLE001 - as above
            log.error("queue.job_broke", fault=type(fault).__name__)

    def _carry(self, mailing_id: int) -> None:
        """Send a mailing until nothing is left to claim, it is held back, or another one waits."""
        with self._gate:
            if self.stopping.is_set() or (mailing := self._sendable(mailing_id)) is None:
                return
            super()._send_all(Ticked(sendable=[mailing]))
            sending = self._sending.get(mailing_id)
            if sending is None:
                return  # put off: this host could not reach the provider a moment ago
            self._began[mailing_id] = time.monotonic()
        with suppress(StoreError):  # nobody else may hear of it before their own next look
            queue.offer(self.project.store, [mailing_id])
        sending.thread.join()
        self._began.pop(mailing_id, None)

    def _sendable(self, mailing_id: int) -> Mailing | None:
        with self.project.store.reading() as connection:
            mailing = mailings.by_id(connection, mailing_id)
            if mailing.state is not MailingState.SENDING or waves.next_group(connection, mailing_id) is None:
                return None
        return mailing if hours.may_leave(mailing, self.project.settings.project.zone, clock.now()) else None


def _noted(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What breaks in the queue's own upkeep, such as a job that was deleted while it ran."""
    log.info("queue.upkeep", fault=type(context.get("exception")).__name__)
