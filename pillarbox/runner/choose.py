"""Which worker fits a project: the plain loop, or one among others on several hosts."""

from __future__ import annotations

from collections.abc import Callable

from pillarbox.runner import queue
from pillarbox.runner.worker import Loop
from pillarbox.store.project import Project

_WITHOUT = ("Workers on several hosts share the work as it is, each looking for it by itself; with the extra "
            "`pillarbox[cluster]` they wake each other and take turns.")


def loop(project: Project, *, say: Callable[[str], None], once: bool = False) -> Loop:
    """The worker of this installation; what it lacks is said.

    Args:
        project: the open project.
        say: told a sentence about whatever happens; from any thread.
        once: for a run that does what is due and ends: it waits for nobody, and needs no queue.
    """
    if once:
        return Loop(project=project, say=say)
    if queue.usable(project.store):
        from pillarbox.runner.cluster import Member

        return Member(project=project, say=say)
    if not project.store.is_sqlite:
        say(_WITHOUT)
    return Loop(project=project, say=say)
