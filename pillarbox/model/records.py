"""Frozen records that travel between rooms. Keyword-only but for ``Event``; each field says what it is and its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from pillarbox.ground.money import Money
from pillarbox.model.states import Agent, EventKind, Verdict

# ---------------------------------------------------------------------------------------------- findings


class Level(StrEnum):
    """How bad a finding is: an error stops a plan."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One fault in a letter, layout, list or setting, with its place and what to do."""

    level: Level
    code: str
    """Stable name, e.g. ``undefined-name``."""
    file: str
    """Path relative to the project folder, with forward slashes."""
    line: int | None
    message: str
    """What is wrong and what to do, in one or two sentences."""


# ---------------------------------------------------------------------------------------------- letters


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """All that composing needs to know of a letter: Jinja sources and the values that are the same for everyone."""

    subject: str
    """Jinja source of the subject line (autoescape off)."""
    html: str
    """Name in ``templates`` of the HTML part's template; names ending ``.html`` are autoescaped."""
    text: str
    """Name in ``templates`` of the plain-text part's template; names ending ``.txt`` are not autoescaped."""
    templates: Mapping[str, str]
    """Every template's source by name: the letter's two, its layouts, components and includes."""
    constants: Mapping[str, Any]
    """Values that are the same for every supporter: charity, theme, appeal, mailing. JSON-like, plus dates."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Template name → file path that staff know (``appeals/uyghur-freedom/letter.md``), for faults."""
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Template name → for each line of the template (from 0), the line in the staff's file; absent: the same line."""


class Place(StrEnum):
    """Where a token stands in a finished letter: its value takes that place's escaping."""

    TEXT = "text"
    """Between tags."""
    ATTRIBUTE = "attribute"
    """In a double-quoted attribute that is no URL."""
    URL = "url"
    """In a URL attribute, after its beginning."""
    URL_START = "url-start"
    """In a URL attribute, at its very beginning."""
    COMMENT = "comment"
    """In a comment, as blocks for Outlook are: the value as Jinja escaped it."""
    PLAIN = "plain"
    """In the plain-text part."""
    SUBJECT = "subject"


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A mark in a shape where a supporter's words go."""

    mark: str
    """``x7f00012x``: what stands in the shape's html, text or subject."""
    value: int
    """Index into the message's values."""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A finished letter with tokens where a supporter's words go; few shapes serve a whole list."""

    id: str
    """Content hash, 32 hex digits."""
    subject: str
    html: str
    text: str
    tokens: tuple[Token, ...]
    private: bool = False
    """Holds one supporter's words (slow path): kept with that message, gone when the supporter is forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """One supporter's message: which shape, and the values that go into it (unescaped, in token-value order)."""

    shape: Shape
    values: tuple[str, ...]
    slow: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One supporter's copy could not be composed."""

    position: int
    """Index of the supporter in the composed batch."""
    finding: Finding


# ---------------------------------------------------------------------------------------------- delivery


UNSUBSCRIBE_TAG = "xpillarboxunsubscribex"
"""In the Laptop home SendGrid answers "unsubscribe": this stands in the letter where SendGrid puts its own link
(tracking_settings.subscription_tracking.substitution_tag, Mail Send reference, read 2026-11)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InlineImage:
    """An image that travels within each message."""

    content_id: str
    """Without angle brackets; the letter shows it as ``cid:…``."""
    name: str
    """A file's name, for who saves it."""
    media_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What is the same for every message of a mailing on its way out. No personal data of supporters."""

    project: str
    """The project's public id, 8 characters: marks our messages among others of the same account."""
    mailing: str
    """The mailing's name, e.g. ``uyghur-freedom-20261122``; serves as the provider's category."""
    from_name: str
    from_email: str
    reply_to: str
    practice: bool
    base_url: str
    """Where supporters reach us, without a trailing slash; empty in the Laptop home."""
    unsubscribe_mailto: str
    """Address for List-Unsubscribe's mailto form; may be empty."""
    reply_to_name: str = ""
    hold_until: datetime | None = None
    """When the provider shall let it go; None: at once."""
    hold_batch: str = ""
    """The provider's name for all that it keeps of this mailing until then."""
    images: tuple[InlineImage, ...] = ()
    """What the mailing's letters carry within; a letter takes those that it shows."""
    proof: bool = False
    """To staff, for looking at: what is filled in is filled in by the provider, even where all copies are the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One claimed message, ready to leave."""

    message_id: int
    address: str
    to_name: str
    """May be empty."""
    key: str
    """The message's opaque key (view and unsubscribe links)."""
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """What one outside act carries: messages of one mailing, one shape, one tracking choice."""

    attempt_id: int
    envelope: Envelope
    shape: Shape
    tracked: bool
    """Whether these supporters agreed to open and click tracking."""
    messages: tuple[Outgoing, ...]

    @property
    def images(self) -> tuple[InlineImage, ...]:
        """The images that these letters carry within."""
        return tuple(image for image in self.envelope.images if f"cid:{image.content_id}" in self.shape.html)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What is known of one message after the act."""

    message_id: int
    verdict: Verdict
    provider_id: str = ""
    """The provider's id of the request or message (SendGrid's X-Message-Id), no personal data."""
    detail: str = ""
    """The provider's words, freed of personal data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """Receipts of one unit, and whether to go on."""

    receipts: tuple[Receipt, ...]
    stop: str = ""
    """A sentence, when nothing more should be tried (wrong key, account closed); empty otherwise."""
    wait_seconds: float = 0.0
    """How long the provider asks us to wait before the next act (429)."""
    unreachable: bool = False
    """The provider could not be spoken to at all: no message of the unit is to blame."""


# ---------------------------------------------------------------------------------------------- events


class Event(NamedTuple):
    """One normalised event of a provider.

    A tuple: a post brings a thousand at once, and a frozen dataclass takes five times as long to make.
    """

    kind: EventKind
    at: datetime
    """When it happened, by the provider's clock (aware)."""
    provider: str
    """``sendgrid``."""
    provider_event_id: str
    """The provider's id of the event (sg_event_id); may repeat."""
    fingerprint: str
    """Hash of (event, provider message id, address, timestamp, url): repeats of one event share it."""
    message_id: int | None
    """Ours, from custom_args; None when the provider lost it (late bounces)."""
    attempt_id: int | None
    provider_id: str
    """The provider's message id, for matching when custom_args are lost."""
    address: str
    """Normalised; empty when the provider gave none."""
    agent: Agent = Agent.HUMAN
    url: str = ""
    reason: str = ""
    """The provider's words on a bounce, drop or deferral."""
    suppresses: bool = False
    """Whether a drop's or bounce's reason says that nothing may go to the address again."""
    user_agent: str = ""
    raw: str = ""
    """The event as it came (JSON)."""


# ---------------------------------------------------------------------------------------------- giving


@dataclass(frozen=True, kw_only=True, slots=True)
class Gift:
    """A donation as a source reports it, before it is tied to a supporter or a mailing."""

    amount: Money
    received: datetime
    source: str
    """``csv``, ``cheque``, ``stripe`` …"""
    external_id: str
    """The source's own id: the same gift imported twice counts once."""
    address: str = ""
    name: str = ""
    code: str = ""
    """The code that the donate link carried, or a mailing's source code, as it came."""
    method: str = ""
    """``card``, ``cheque``, ``caf-voucher``, ``direct-debit`` …"""
    gift_aid: bool = False
    regular: bool = False
    """Part of, or the start of, regular giving."""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """A span of days, both included."""

    first: date
    last: date
