"""Enumerations: one vocabulary inside; outside words are mapped to these by tables at the edges."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an appeal folder holds."""

    APPEAL = "appeal"
    NEWSLETTER = "newsletter"
    MESSAGE = "message"
    SERVICE = "service"
    PROOF = "proof"


class MailingState(StrEnum):
    """The life of a mailing. ``composing`` is never sendable; a dead one is deleted."""

    COMPOSING = "composing"
    PLANNED = "planned"
    SENDING = "sending"
    HELD = "held"
    """Handed over whole; the provider keeps it until its time (SendGrid's ``send_at``)."""
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether messages of the mailing may still leave."""
        return self in (MailingState.PLANNED, MailingState.SENDING, MailingState.PAUSED)


class MessageState(StrEnum):
    """Where one message stands. planned = accepted + failed + in_doubt + cancelled + withdrawn + remaining, always,
    where *remaining* is planned or submitting."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What the provider reported of a message, in rising precedence: a later member is never undone by an earlier."""

    NONE = "none"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BLOCKED = "blocked"
    BOUNCED = "bounced"
    DROPPED = "dropped"

    @property
    def rank(self) -> int:
        """Precedence: events may come in any order, a bounce may follow a delivery (RFC 3464)."""
        return list(Outcome).index(self)


RETURNED = (Outcome.BOUNCED, Outcome.BLOCKED, Outcome.DROPPED)
"""Outcomes of messages that did not arrive; an event of the same word tells why."""


class EventKind(StrEnum):
    """What an event says; SendGrid's words are mapped to these in deliver/sendgrid."""

    PROCESSED = "processed"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    DROPPED = "dropped"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that the event gives its message, when it gives one."""
        return _OUTCOME_OF.get(self)


_OUTCOME_OF = {
    EventKind.DEFERRED: Outcome.DEFERRED,
    EventKind.DELIVERED: Outcome.DELIVERED,
    EventKind.BLOCKED: Outcome.BLOCKED,
    EventKind.BOUNCED: Outcome.BOUNCED,
    EventKind.DROPPED: Outcome.DROPPED,
}


class SuppressionReason(StrEnum):
    """Why nothing may go to an address."""

    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    INVALID = "invalid"
    ERASED = "erased"
    MANUAL = "manual"
    FPS = "fps"


class Frequency(StrEnum):
    """How much a supporter wishes to get."""

    EVERYTHING = "everything"
    NEWSLETTERS = "newsletters"
    """Mailings of kind ``newsletter``, no others."""
    MONTHLY = "monthly"
    """At most one mailing a month."""


class Channel(StrEnum):
    """What a consent is for."""

    EMAIL = "email"
    TRACKING = "tracking"


class Basis(StrEnum):
    """The lawful basis on which a channel may be used (UK PECR reg. 22), weakest first."""

    NONE = "none"
    SOFT_OPT_IN = "soft-opt-in"
    CONSENT = "consent"

    @property
    def rank(self) -> int:
        """Strength: an import never replaces a basis by a weaker one."""
        return list(Basis).index(self)


class Verdict(StrEnum):
    """What a transport knows of one message after its outside act."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Surely unsent, and would be again: the message fails, with the provider's words."""
    RETURNED = "returned"
    """Surely unsent, and may succeed later: back to planned."""
    UNKNOWN = "unknown"
    """Nobody knows: the message is in doubt, and is never sent again on a guess."""


class Agent(StrEnum):
    """Who opened or clicked: a person as far as can be told, or a machine (mail-privacy proxy, link scanner)."""

    HUMAN = "human"
    MACHINE = "machine"


class Attribution(StrEnum):
    """How a donation was tied to a mailing, strongest evidence first."""

    LINK_CODE = "link-code"
    SOURCE_CODE = "source-code"
    ADDRESS = "address"
    NONE = "none"


class Role(StrEnum):
    """What somebody may do in the dashboard, least first; each includes those before it."""

    VIEW = "view"
    """Read what is there."""
    PREPARE = "prepare"
    """Beside that: hold a mailing back, and take supporters' own data out."""
    SEND = "send"
    """Beside that: approve, send, resume, cancel."""

    def includes(self, other: Role) -> bool:
        """Whether who has this role may do what the other may."""
        return list(Role).index(self) >= list(Role).index(other)


class TokenScope(StrEnum):
    """What a token of the API may read."""

    ALL = "all"
    """Figures, lists' growth, published letters."""
    LETTERS = "letters"
    """Published letters alone: for a token that a web site's own pages show to everybody."""

    def includes(self, other: TokenScope) -> bool:
        """Whether who may read this may read the other."""
        return self is TokenScope.ALL or self is other


class OccurrenceState(StrEnum):
    """Where one occurrence of a schedule stands. It leaves a state by a conditional update only."""

    WAITING = "waiting"
    """Not planned yet: its folder is missing, has faults, or is the same as the last edition."""
    FAULTY = "faulty"
    """Some copy of its letter cannot be composed; tried again from time to time."""
    PLANNING = "planning"
    """A worker composes it."""
    PLANNED = "planned"
    STARTED = "started"
    """Its mailing is on its way, or done."""
    LATE = "late"
    """No worker ran at its time: staff are asked."""
    NOT_SENT = "not-sent"
