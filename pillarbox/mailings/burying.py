"""Units whose sender is dead: found by their lease, or at once when it died on this machine."""

from __future__ import annotations

from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.process import Worker
from pillarbox.mailings import control
from pillarbox.model.states import MessageState
from pillarbox.store import claims, mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

log = logs.get("mailings")


def bury_the_dead(project: Project, mailing: Mailing, *, repeatable: bool) -> int:
    """Settle units whose worker surely died or whose lease ran out: in doubt, or planned again where that is harmless.

    Returns:
        how many messages were settled.
    """
    found = 0
    with project.store.writing() as connection:
        if repeatable:  # what comes back to a cancelled mailing is cancelled below
            mailings.hold(connection, mailing.id, alone=True)
        for attempt in claims.open_attempts(connection, mailing.id):
            worker = Worker.parse(attempt.worker)
            if attempt.lease_until > clock.now() and not (worker and worker.surely_dead):
                continue
            after = MessageState.PLANNED if repeatable else MessageState.IN_DOUBT
            buried = claims.bury(
                connection, mailing.id, attempt.id, state=after,
                detail="" if repeatable else "the sender died while this was on its way")
            found += buried
            metrics.count(metrics.BURIED, {after.value: buried})
            log.warning("attempt.buried", mailing=mailing.name, attempt=attempt.id, worker=attempt.worker, after=after,
                        settled=buried)
        if found and repeatable:
            control.cancel_rest(connection, mailing.id)
    return found
