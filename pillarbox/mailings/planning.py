"""Planning: every message of a mailing is composed and kept before any can leave.

The mailing stands in state ``composing`` until all of it is written and found to be what was composed; then one
conditional update makes it ``planned``. Whatever dies before that leaves something that can never be sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pillarbox.content.appeal import Appeal
from pillarbox.ground import clock, logs
from pillarbox.ground.errors import PillarboxError, Refused
from pillarbox.ground.process import Worker
from pillarbox.keeping import journal
from pillarbox.mailings import approval, approving, editions, letters, live, pictures, terms
from pillarbox.mailings.composing import Outcome, compose_all
from pillarbox.model.records import Finding
from pillarbox.model.states import MailingState
from pillarbox.people import audience, frequency, wishes
from pillarbox.people.segments import Segments
from pillarbox.store import approvals, mailings, messages, shapes
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import mailings as mailings_table

log = logs.get("mailings")

# A composing mailing of a process on another machine is taken for dead after this long.
_COMPOSING_LIMIT = timedelta(hours=6)
_TOUCHED = "What was written is not what was composed; nothing can be sent."
_PLAN_AGAIN = "Another process may have touched the database. Plan again."


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What staff ask to be planned."""

    appeal: str
    rule: audience.Rule
    for_date: date | None = None
    """The day that the letter speaks of; today when not said."""
    again: str | None = None
    """Label of another edition."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    span_hours: float | None = None
    """Whoever got another mailing within as many hours is left out; 0: nobody is; None: as the settings say."""
    corrects_id: int | None = None
    """The mailing that this one apologises for; no span holds it back."""
    send_at: datetime | None = None
    """When a worker starts it; None: staff do."""
    send_by: str = ""
    due_at: Callable[[audience.Candidate], datetime] | None = None
    """A time of its own for each supporter's message, before which it is not sent."""
    keep_approved: bool = False
    """Refuse to replace an earlier plan of the edition that was approved."""
    actor: str = "staff"
    """Who plans: a person's name, who then is not the second pair of eyes; or who acts by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A mailing that can be sent, and what to know of it."""

    mailing: Mailing
    slow_reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    approved: approval.Standing
    """Who stands for it: those whose approval of the plan that it replaces is still true of it."""
    before: approval.Comparison | None
    """What has changed since somebody stood for this appeal; None: nobody ever did."""
    findings: tuple[Finding, ...] = ()
    """What the check says of the letter; no errors: with one there is no plan."""

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``plan --json``; ``variants`` (label → planned) where there are any."""
        mailing = self.mailing
        variants = {label: said["planned"] for label, said in mailing.variants.items()}
        return {"mailing": mailing.name, "appeal": mailing.appeal, "edition": mailing.edition,
                "practice": mailing.practice, "audience": mailing.audience_size, "planned": mailing.planned,
                "excluded": dict(mailing.excluded), "shapes": mailing.shapes, "slow_path": mailing.slow_path,
                "content_hash": mailing.content_hash, **({"variants": variants} if variants else {})}


def plan(project: Project, wish: Wish, *, on_progress: Callable[[int], None] = lambda _done: None) -> Planned:
    """Compose and keep every message of a mailing.

    Args:
        on_progress: called with the number of messages just kept.

    Raises:
        LetterError: faults in the letter, or in some supporter's copy; nothing can be sent.
        Refused: nobody to write to, an edition that was sent, or a live mailing that must not go.
    """
    warnings = live.refuse(project)
    source = letters.read(project, wish.appeal)
    segments = letters.read_segments(project)
    _sweep(project)
    mailing, reached, excluded = _open(project, wish, source, segments)
    try:
        if source.appeal.images:
            pictures.see_to(project, source.bundle, letters.of_mailing(source, mailing).values())
        outcome = compose_all(project, mailing, segments, reached, on_progress, wish.due_at)
        excluded |= {"already-reached": outcome.passed_over} if outcome.passed_over else {}
        _close(project, mailing, source.appeal, outcome, excluded, actor=wish.actor,
               roads=terms.roads(project.settings, source.bundle))
    except BaseException as fault:
        log.warning("plan.dropped", mailing=mailing.name, fault=type(fault).__name__)
        stands = _drop(project, mailing)
        if stands and isinstance(fault, PillarboxError):
            fault.todo = f"{fault.todo} {stands.name} stays planned as it was.".strip()
        raise
    with project.store.reading() as connection:
        planned = mailings.by_id(connection, mailing.id)
        approved = approval.standing(connection, project.settings, planned)
        before = approval.compared(connection, project.settings, planned)
    log.info("plan.done", mailing=planned.name, practice=planned.practice, planned=planned.planned,
             excluded=sum(planned.excluded.values()), shapes=planned.shapes, slow=planned.slow_path,
             seconds=(clock.now() - planned.created_at).total_seconds())
    return Planned(mailing=planned, slow_reasons=outcome.slow_reasons, warnings=tuple(warnings),
                   findings=outcome.findings, approved=approved, before=before)


def _open(project: Project, wish: Wish, source: letters.Source, segments: Segments,
          ) -> tuple[Mailing, set[int], dict[str, int]]:
    """Make the mailing in state ``composing``; returns it, who of its edition was reached, and who is left out."""
    day = wish.for_date or clock.today(project.settings.project.zone)
    practice = project.settings.practice
    with project.store.writing() as connection:
        mailings.plan_alone(connection)
        audience.check(connection, wish.rule, segments)
        if any(mailing.appeal == wish.appeal and mailing.practice == practice
               for mailing in mailings.composing(connection)):
            raise Refused(f"{wish.appeal} is being planned at this moment by another process.",
                          todo="Wait for it, then look with `pillarbox status`.", retry=True)
        edition_id, _ = editions.choose(connection, appeal=wish.appeal, again=wish.again, practice=practice,
                                        actor=wish.actor, keep_approved=wish.keep_approved)
        journal.refuse_unknown(project, connection, edition_id=edition_id)
        mailings.keep_bundle(connection, bundle_id=source.bundle.id, appeal=wish.appeal, content=source.bundle.pack())
        mailing_id = mailings.create(
            connection, name=mailings.new_name(connection, wish.appeal, day), appeal=wish.appeal,
            kind=source.appeal.kind, edition_id=edition_id, practice=practice,
            transport=project.settings.project.transport, bundle_id=source.bundle.id, title=source.appeal.title,
            audience=wish.rule.to_json() | {"definitions": letters.definitions(segments, wish.rule)}, excluded={},
            for_date=day, not_before=wish.not_before, not_after=wish.not_after, state_reason=str(Worker.this()),
            hours=project.settings.launch.hours, corrects_id=wish.corrects_id,
            span_hours=project.settings.limits.span_hours if wish.span_hours is None else wish.span_hours,
            send_at=wish.send_at, send_by=wish.send_by)
        return (mailings.by_id(connection, mailing_id), messages.reached(connection, edition_id),
                audience.left_out(connection, wish.rule, segments, recent=frequency.of_mailing(connection, mailing_id),
                                  asked=wishes.of_mailing(connection, mailing_id)))


def _close(project: Project, mailing: Mailing, appeal: Appeal, outcome: Outcome, excluded: dict[str, int], *,
           actor: str, roads: Mapping[str, Any]) -> None:
    """Check that the ledger holds exactly what was composed, and make the mailing sendable in one update.

    Whoever stood for the plan that it replaces goes on standing for it, as far as that is still true.
    """
    found = hashlib.sha256()
    count = 0
    with project.store.reading() as connection:
        for address_hash, values in messages.written(connection, mailing.id):
            found.update(address_hash.encode() + values.encode())
            count += 1
    if count != outcome.planned or found.digest() != outcome.digest.digest():
        raise Refused(_TOUCHED, todo=_PLAN_AGAIN)
    content = hashlib.sha256("\n".join([mailing.bundle_id, str(mailing.for_date), *sorted(outcome.shared)]).encode())
    with project.store.writing() as connection:
        shapes.make_lone_private(connection, mailing.id)
        closed = mailings.move(
            connection, mailing.id, before=(MailingState.COMPOSING,), after=MailingState.PLANNED,
            planned=outcome.planned, planned_at=clock.now(), excluded=excluded,
            audience_size=outcome.planned + sum(excluded.values()), shapes=len(outcome.shape_ids),
            slow_path=outcome.slow_path, content_hash=content.hexdigest(),
            variants=_variants(appeal, outcome.variants))
        if not closed:
            raise Refused(_TOUCHED, todo=_PLAN_AGAIN)
        approvals.note_planning(connection, mailing.id, planned_by=actor, roads=roads)
        approving.keep(connection, project.settings, mailings.by_id(connection, mailing.id))


def _variants(appeal: Appeal, counts: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """What a mailing keeps of its letter's variants."""
    return {label: {"subject": appeal.as_variant(label).subject, "differs": list(appeal.differences(label)),
                    "planned": counts.get(label, 0)} for label in appeal.labels}


def _sweep(project: Project) -> None:
    """Delete what a dead process left half composed; it never was sendable."""
    with project.store.reading() as connection:
        found = mailings.composing(connection)
    for mailing in found:
        worker = Worker.parse(mailing.state_reason)
        if worker is None or worker.surely_dead or clock.now() - mailing.created_at > _COMPOSING_LIMIT:
            _drop(project, mailing)


def _drop(project: Project, mailing: Mailing) -> Mailing | None:
    """Delete a mailing that is composed in part; returns the plan whose place it was to take, which stands again."""
    with project.store.writing() as connection:
        if mailings.state(connection, mailing.id) is not MailingState.COMPOSING:
            return None  # finished meanwhile, or dropped by another process that found it dead
        messages.delete_all(connection, mailing.id)
        approvals.delete_all(connection, mailing.id)
        connection.execute(mailings_table.delete().where(mailings_table.c.id == mailing.id))
        return editions.give_back(connection, edition_id=mailing.edition_id, before=mailing.id)
