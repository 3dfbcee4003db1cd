"""A service letter at once, in a thread of its own: somebody sits before a screen and waits for it."""

from __future__ import annotations

import threading

from pillarbox.ground import logs
from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings.service.delivery import deliver, sweep
from pillarbox.store import workers
from pillarbox.store.project import Project

log = logs.get("mailings")

_prompt_lock = threading.Lock()
_prompted: dict[tuple[str, str], bool] = {}
"""Project → whether somebody asked again since its thread last looked."""


def soon(project: Project) -> threading.Thread | None:
    """Deliver at once, in a thread of its own, when no worker is there to do it: somebody waits for this letter.

    Call it after the transaction of the deed. It returns at once.

    Returns:
        the thread, when this call began one.
    """
    with project.store.reading() as connection:
        # A timer's run comes every few minutes: too late for who sits before a screen.
        if any(one.kind != "once" for one in workers.present(connection)):
            return None
    key = (project.id, str(project.store.writer.url))
    with _prompt_lock:
        if key in _prompted:
            _prompted[key] = True
            return None
        _prompted[key] = False
    thread = threading.Thread(target=_until_quiet, args=(project, key), name="service-letters")
    thread.start()
    return thread


def _until_quiet(project: Project, key: tuple[str, str]) -> None:
    while True:
        deliver(project)
        try:
            sweep(project)
        except PillarboxError as fault:
            log.fault("service.not-swept", fault)
        with _prompt_lock:
            if not _prompted[key]:
                del _prompted[key]
                return
            _prompted[key] = False

