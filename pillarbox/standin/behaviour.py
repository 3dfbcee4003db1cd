"""How the stand-in is to behave: faithful or instant, and which requests meet which trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pillarbox.standin import account
from pillarbox.standin.mailbox import Kept

API_KEY = "SG.stand-in"


class Mode(StrEnum):
    """How much the stand-in does with what it is sent."""

    FAITHFUL = "faithful"
    """Checks every documented limit, substitutes, keeps each message."""
    INSTANT = "instant"
    """Reads the body, counts cheaply, answers 202 at once: for benchmarks."""


class Act(StrEnum):
    """What goes wrong."""

    ANSWER = "answer"
    """Answers with the fault's status."""
    CLOSE = "close"
    """Closes the connection without an answer."""
    HANG = "hang"
    """Says nothing for ``hang_seconds``, then closes the connection."""


class Stage(StrEnum):
    """When it goes wrong."""

    BEFORE_READING = "before-reading"
    """The request's headers were read, its body was not."""
    AFTER_READING = "after-reading"
    """The request was read whole; nothing was accepted."""
    AFTER_ACCEPTING = "after-accepting"
    """The messages were accepted, and will be delivered; only the answer is lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One planned trouble."""

    act: Act
    stage: Stage = Stage.AFTER_READING
    status: int = 500
    """For ``Act.ANSWER``: 302, 400, 401, 403, 413, 429, 500, 502 or 503."""
    reset_seconds: int = 1
    """For status 429: how far ahead X-RateLimit-Reset lies, whole seconds."""


Script = Mapping[int, Fault] | Callable[[int], Fault | None]
"""The number of a POST to /v3/mail/send (from 1) → its fault, if any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """Everything that can be set about a stand-in."""

    api_key: str = API_KEY
    mode: Mode = Mode.FAITHFUL
    latency_seconds: float = 0.0
    """Waited before each answer to /v3/mail/send."""
    faults: Script = field(default_factory=dict)
    hang_seconds: float = 30.0
    senders: tuple[str, ...] = ()
    """Addresses or domains that may stand in ``from``; empty: any. Others are answered 403."""
    scopes: tuple[str, ...] = account.SCOPES
    webhooks: tuple[Mapping[str, Any], ...] = (account.webhook(),)
    """How the account's event webhooks are set, as ``account.webhook`` makes them."""
    activity: bool = False
    """Whether the account has the add-on by which its messages can be searched (Email Activity)."""
    activity_limit: int = 6
    """So many questions of that search are taken in ``activity_seconds``; then 429."""
    activity_seconds: float = 60.0
    credits: int = 1_000_000
    """What /v3/user/credits says remains."""
    keep: int = 20_000
    """The most messages kept in memory; the oldest go first. 0: none are kept (counts still grow)."""
    letters: Path | None = None
    """A folder for every accepted message as an .eml file."""
    journal: Path | None = None
    """A file that gets a line for each accepted personalization: its custom argument ``pillarbox``, or ``-``."""
    heard: Callable[[list[Kept]], None] | None = None
    """Called with the messages of each request that was accepted, before the answer leaves."""
    seed: int | None = None
    """Makes the ids of requests repeatable; None: fresh ids, as SendGrid gives."""

    def fault(self, number: int) -> Fault | None:
        """The fault planned for the POST of this number."""
        return self.faults(number) if callable(self.faults) else self.faults.get(number)


def parse_fault(text: str) -> Fault:
    """Read ``429``, ``500-after-accepting``, ``close-before-reading``, ``hang`` …: an act or status, and a stage.

    Raises:
        ValueError: when it is none of these.
    """
    head, _, tail = text.partition("-")
    stage = Stage(tail) if tail else Stage.AFTER_READING
    if head.isdigit():
        return Fault(act=Act.ANSWER, status=int(head), stage=stage)
    return Fault(act=Act(head), stage=stage)
