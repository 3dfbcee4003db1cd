"""What submitting a mailing needs: put together once, shared by the threads of one host."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pillarbox.deliver.transport import Transport
from pillarbox.ground.process import Worker
from pillarbox.mailings import envelopes
from pillarbox.mailings.brakes import Watchman
from pillarbox.mailings.gate import Gate
from pillarbox.model.records import Envelope, Shape
from pillarbox.people import audience, segments
from pillarbox.people.segments import Segments
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch:
    """Everything that submitting one mailing needs; shared by the threads of one host."""

    project: Project
    mailing: Mailing
    transport: Transport
    envelope: Envelope
    rule: audience.Rule
    segments: Segments
    batch: int
    """Most messages in a unit."""
    worker: str
    gate: Gate
    watchman: Watchman = field(default_factory=Watchman)
    returns: Counter[int] = field(default_factory=Counter)
    """How often each lone message came back in this run."""
    shapes: dict[int, Shape] = field(default_factory=dict)
    """Shapes read from the ledger, by row id."""

    @classmethod
    def of(cls, project: Project, mailing: Mailing, transport: Transport) -> Dispatch:
        """Prepare to send a mailing through a transport, by the rule that it was planned with."""
        return cls(project=project, mailing=mailing, transport=transport,
                   segments=segments.from_json(mailing.audience.get("definitions", {})),
                   gate=Gate(project=project, mailing_id=mailing.id),
                   envelope=envelopes.envelope(project, mailing), rule=audience.Rule.from_json(mailing.audience),
                   batch=batch_size(mailing.planned, transport.unit), worker=str(Worker.this()))


def batch_size(planned: int, unit: int) -> int:
    """Messages a unit: small enough that one crash never puts a large part of a small list in doubt."""
    return min(unit, max(100, planned // 50))
