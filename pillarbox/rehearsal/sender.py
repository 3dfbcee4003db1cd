"""The process that sends a rehearsed mailing: a process of its own, so that it can be killed in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from pathlib import Path

from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings import control
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.model.config import Settings
from pillarbox.runner.local import Run
from pillarbox.store import mailings
from pillarbox.store.connect import connect
from pillarbox.store.project import Project

BY = "rehearsal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What the process is to send. It is handed over through a pipe: no key of the project is written to a disk."""

    settings: Settings
    project_id: str
    folder: Path
    mailing: str


def start(order: Order) -> tuple[multiprocessing.process.BaseProcess, Pipe]:
    """Start it; what it has to say at its end comes out of the pipe: empty when all went well."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(order, theirs), name="rehearsal", daemon=True)
    process.start()
    theirs.close()
    return process, ours


def run(order: Order, pipe: Pipe) -> None:
    """Send, by the functions that ``send`` calls."""
    _end_with_its_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    try:
        pipe.send(_send(order))
    except PillarboxError as fault:
        pipe.send(fault.sentence())


def _send(order: Order) -> str:
    project = Project(id=order.project_id, folder=order.folder, settings=order.settings,
                      store=connect(order.settings.project.database, order.folder))
    try:
        with closing(choose_transport(project.settings)) as transport:
            transport.check()
            with project.store.reading() as connection:
                mailing = mailings.find(connection, order.mailing)
            bury_the_dead(project, mailing, repeatable=transport.repeatable)
            mailing = control.start(project, mailing.name, actor=BY, now=True)
            sending = Run(dispatch=Dispatch.of(project, mailing, transport))
            sending.to_the_end(project.settings.sendgrid.connections)
            return sending.stopped_because
    finally:
        project.close()


def _end_with_its_parent() -> None:
    """When whoever rehearses is killed, nobody would take what is sent, or end this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        def watch() -> None:
            wait([parent.sentinel])
            os._exit(1)

        threading.Thread(target=watch, name="parent", daemon=True).start()
