"""The sender stopped between every two statements: not at random moments, but at each one there is.

A mailing is sent once, and every statement, commit and request on the way is counted. Then it is sent again as often,
from the same beginning, and the n-th time something happens at the n-th of them: the process ends at once, or the
database refuses, before a commit or after it (so that nobody knows whether it was kept). Others then find what was left
and finish it, events are read, and everybody must have exactly one letter.

Processes are forked, so that a round takes well under a second. ``tests/lab`` does some of the rounds at every run.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, text

from lab.count import Count
from lab.harbour import MAILING
from lab.ledger import Ledger, make
from lab.listener import counting
from lab.moods import Mood
from lab.postgres import Cluster
from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.deliver.sendgrid.events import parse
from pillarbox.deliver.transport import Transport
from pillarbox.events.apply import apply
from pillarbox.ground.errors import PillarboxError, Refused
from pillarbox.mailings import control, reconcile
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.model.records import Result, Unit
from pillarbox.runner.local import Run
from pillarbox.store import mailings
from pillarbox.store.project import Project, open_project

Act = Literal["killed", "refused"]
_KILLED = 99
_STATEMENTS = ("do_execute", "do_executemany", "do_execute_no_params")


@dataclass
class Stop:
    """Counts the points that a process passes, and acts at one of them.

    Args:
        at: the number of the point; none: only count.
        act: ``killed``: the process ends; ``refused``: the database says no.
    """

    at: int = -1
    act: Act = "killed"
    passed: list[str] = field(default_factory=list)
    """What stood at each point."""

    def watch(self, project: Project) -> None:
        """Every statement and commit of the project's database from now on is a point."""
        for engine in {id(engine): engine for engine in (project.store.writer, project.store.reader)}.values():
            self._watch(engine)

    def over(self, transport: Transport) -> Transport:
        """The moments before and after a request are points, too."""
        send = transport.send

        def watched(unit: Unit) -> Result:
            self._point("before the request", None)
            result = send(unit)
            self._point("after the request", None)
            return result

        vars(transport)["send"] = watched
        return transport

    def _watch(self, engine: Engine) -> None:
        dialect: Any = engine.dialect
        fault = dialect.loaded_dbapi.OperationalError
        commit = dialect.do_commit

        def committing(connection: Any) -> None:
            self._point("before a commit", fault)
            commit(connection)
            self._point("after a commit", fault)

        dialect.do_commit = committing
        for name in _STATEMENTS:
            setattr(dialect, name, self._executing(getattr(dialect, name), fault))

    def _executing(self, execute: Callable[..., None], fault: type[Exception]) -> Callable[..., None]:
        def executing(cursor: Any, statement: str, *given: Any, **more: Any) -> None:
            self._point(" ".join(statement.split())[:60], fault)
            execute(cursor, statement, *given, **more)

        return executing

    def _point(self, words: str, fault: type[Exception] | None) -> None:
        number = len(self.passed)
        self.passed.append(words)
        if number != self.at:
            return
        if self.act == "killed":
            os._exit(_KILLED)
        if fault is not None:
            raise fault("database or disk is full")


@dataclass
class Explorer:
    """One engine's mailing, and the server that counts."""

    folder: Path
    base: Ledger
    url: str
    listener: Any
    breaches: list[str] = field(default_factory=list)
    _rounds: int = 0

    def points(self) -> list[str]:
        """What a sender passes from the beginning of a mailing to its end."""
        ledger = self._fresh()
        _, passed = _forked(lambda: self._stopped(ledger, Stop()))
        ledger.delete()
        return list(passed)

    def explore(self, at: int, act: Act) -> None:
        """Stop a sender at one point, let others finish, and note every broken promise."""
        ledger = self._fresh()
        _, passed = _forked(lambda: self._stopped(ledger, Stop(at=at, act=act)))
        where = f"{act} at {at} ({passed[at]})" if isinstance(passed, list) and len(passed) > at else f"{act} at {at}"
        self._judge(ledger, where)
        for step in (_finish, self._heal, _decide, _finish):
            code, said = _forked(partial(_within, ledger, step))
            if code:
                self.breaches.append(f"{where}: {step.__name__} failed: {said}")
            self._judge(ledger, f"{where}, {step.__name__}")
        states = self._states(ledger)
        if set(states.values()) != {"accepted"}:
            self.breaches.append(f"{where}: in the end some had no letter: {states}")
        ledger.delete()

    def _stopped(self, ledger: Ledger, stop: Stop) -> list[str]:
        project = open_project(ledger.folder)
        stop.watch(project)
        with suppress(PillarboxError):  # the refusal in words; what comes of it is judged by what is found afterwards
            _send(project, stop)
        return stop.passed

    def _heal(self, project: Project) -> None:
        raw = json.dumps(self.listener.count.events()).encode()
        apply(project.store, parse(raw, project=project.id), secret=project.secret)

    def _judge(self, ledger: Ledger, where: str) -> None:
        states, taken = self._states(ledger), self.listener.count.taken
        for message, times in taken.items():
            if len(times) > 1:
                self.breaches.append(f"{where}: message {message} left {len(times)} times")
            if states[message] not in ("submitting", "accepted", "in_doubt"):
                self.breaches.append(f"{where}: message {message} left, and the ledger calls it {states[message]}")
        for message, state in states.items():
            if state == "accepted" and message not in taken:
                self.breaches.append(f"{where}: message {message} is called accepted, and never left")

    def _states(self, ledger: Ledger) -> dict[str, str]:
        engine = ledger.engine()
        with engine.connect() as connection:
            found = {str(row[0]): str(row[1]) for row in connection.execute(text("SELECT id, state FROM messages"))}
        engine.dispose()
        return found

    def _fresh(self) -> Ledger:
        self._rounds += 1
        self.listener.count = Count(mood=Mood(latency=0.0))
        folder, database = self.folder / f"round{self._rounds}", self.base.database
        shutil.copytree(self.base.folder, folder)
        if self.base.cluster is not None:
            database = f"{self.base.cluster.url}/{self.base.cluster.create(database.rpartition('/')[2])}"
        ledger = Ledger(folder=folder, database=database, cluster=self.base.cluster)
        ledger.settings(url=self.url, connections=1)
        _forked(lambda: open_project(folder, adopt=True).close())
        return ledger


@contextmanager
def exploring(folder: Path, *, supporters: int, cluster: Cluster | None = None) -> Iterator[Explorer]:
    """A planned mailing on SQLite, or on a PostgreSQL server, and a counting server for it."""
    base = make(folder / "base", supporters, cluster)
    with counting() as (url, listener):
        yield Explorer(folder=folder, base=base, url=url, listener=listener)


def _send(project: Project, stop: Stop | None = None) -> None:
    """As the command does it: the dead are found, the mailing is started or taken up, and sent to its end."""
    with project.store.reading() as connection:
        mailing = mailings.find(connection, MAILING)
    transport = choose_transport(project.settings)
    bury_the_dead(project, mailing, repeatable=False)
    mailing = control.start(project, MAILING, actor="lab")
    Run(dispatch=Dispatch.of(project, mailing, stop.over(transport) if stop else transport)).to_the_end(1)


def _finish(project: Project) -> None:
    """Somebody sends what is left, if anything is."""
    with suppress(Refused):  # it was sent whole before
        _send(project)


def _decide(project: Project) -> None:
    """After the events, what is still in doubt did not go: the server never had it."""
    with suppress(Refused):  # nothing is in doubt
        reconcile.reconcile(project, MAILING, assume="unsent", actor="lab")


def _within(ledger: Ledger, step: Callable[[Project], None]) -> None:
    step(open_project(ledger.folder))


def _forked(call: Callable[[], Any]) -> tuple[int, Any]:
    """Make a call in a process of its own; its exit code, and what it returned or how it failed."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        code, found = 0, None
        try:
            found = call()
        except BaseException as fault:  # noqa: BLE001 - whatever it was, the parent is told
            code, found = 1, repr(fault)
        os.write(writing, json.dumps(found).encode())
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        content = told.read()
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return code, json.loads(content) if content else None
