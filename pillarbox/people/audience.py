"""The audience of a mailing: who it goes to, who is left out and why, and whether that still holds at the claim.

One SQL expression, ``_reason``, answers all three questions: what a plan promises and what a claim checks cannot
differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    true,
)

from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis, Channel, MessageState, Outcome, SuppressionReason
from pillarbox.people import frequency, names, wishes
from pillarbox.people.frequency import Recent
from pillarbox.people.segments import (
    Segments,
    has_consent,
    lists_named,
    on_lists,
    predicate,
    there_is,
    tracking_agreed,
)
from pillarbox.people.wishes import Asked
from pillarbox.store.schema import UNREACHED, list_members, lists, mailings, messages, supporters, suppressions

# Reasons beside those of SuppressionReason, in the words of reports and --json.
FORGOTTEN = "forgotten"
NO_CONSENT = "no-consent"
LEFT_LIST = "left-list"
OUTSIDE_SEGMENT = "outside-segment"
EXCLUDED = "excluded"
CHANGED_ADDRESS = "changed-address"
TRACKING_WITHDRAWN = "tracking-withdrawn"
RECENTLY_MAILED = "recently-mailed"
NOT_REACHED = "not-reached"

_ROWS_AT_ONCE = 2_000
_CAME_BACK = (Outcome.BOUNCED, Outcome.BLOCKED, Outcome.DROPPED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Whom a mailing is for: everyone on any of the lists who, where segments are named, fits at least one of them.

    A correction is for those whom another mailing reached; its lists are then only what they may have left since.
    """

    lists: tuple[str, ...]
    """May be empty when there are segments: then everyone who fits one of them."""
    segments: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Lists or segments whose people are left out."""
    corrects: int | None = None
    """Id of the mailing whose people are meant."""

    def to_json(self) -> dict[str, Any]:
        """What ``mailings.audience`` keeps."""
        kept = {"lists": [*self.lists], "segments": [*self.segments], "exclude": [*self.exclude]}
        return kept if self.corrects is None else kept | {"corrects": self.corrects}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rule:
        """The rule that ``to_json`` wrote."""
        return cls(lists=tuple(data["lists"]), segments=tuple(data.get("segments", ())),
                   exclude=tuple(data.get("exclude", ())), corrects=data.get("corrects"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A supporter who may be written to, with what a letter may say of them."""

    supporter_id: int
    address: str
    address_hash: str
    title: str
    first_name: str
    last_name: str
    salutation: str
    """The whole line: "Dear Ms Okafor"; never empty."""
    language: str
    country: str
    fields: dict[str, str]
    """What else the lists said, by field name."""
    tracked: bool
    """Whether this supporter agreed to open and click tracking."""
    to_name: str
    """For the To header; may be empty."""


def check(connection: Connection, rule: Rule, segments: Segments) -> None:
    """See that everything that the rule names exists.

    Raises:
        Refused: naming what is unknown and what is known.
    """
    if not rule.lists and not rule.segments and rule.corrects is None:
        raise Refused("No list and no segment is named.", todo="Name at least one with --list or --segment.")
    known = set(connection.execute(select(lists.c.name)).scalars())
    if odd := [name for name in rule.lists if name not in known]:
        raise Refused(f"There is no list called {_words(odd)}.", todo=_known("lists", known))
    if odd := [name for name in rule.segments if name not in segments]:
        raise Refused(f"There is no segment called {_words(odd)}.", todo=_known("segments", set(segments)))
    if odd := [name for name in rule.exclude if name not in segments and name not in known]:
        raise Refused(f"There is no list or segment called {_words(odd)} to exclude.",
                      todo=_known("lists and segments", known | set(segments)))
    for segment in (*rule.segments, *(name for name in rule.exclude if name in segments)):
        if odd := [name for name in lists_named(segments[segment]) if name not in known]:
            raise Refused(f"The segment {segment} names the list {_words(odd)}, which does not exist.",
                          where="lists/segments.toml", todo=_known("lists", known))


def candidates(connection: Connection, rule: Rule, segments: Segments, *, recent: Recent | None = None,
               asked: Asked | None = None) -> Iterator[Candidate]:
    """Everyone who may be written to, each once, ordered by supporter; read in a stream.

    Args:
        connection: a reader.
        rule: whom the mailing is for.
        segments: every saved rule.
        recent: what else was sent in the mailing's span (``frequency.of_mailing``).
        asked: what of supporters' wishes it must obey (``wishes.of_mailing``).
    """
    s = supporters.c
    query = (
        select(s.id, s.address, s.address_hash, s.title, s.first_name, s.last_name, s.salutation, s.language, s.country,
               s.fields, tracking_agreed().label("tracked"))
        .where(_population(rule, segments), _reason(rule, segments, recent, asked).is_(None))
        .order_by(s.id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    with connection.execute(query) as rows:  # closed even when the caller stops half way
        for row in rows:
            id_, address, address_hash, title, first, last, said, language, country, fields, tracked = row
            yield Candidate(
                supporter_id=id_, address=address, address_hash=address_hash, title=title, first_name=first,
                last_name=last, salutation=names.salutation(title=title, first_name=first, last_name=last, said=said),
                language=language, country=country, fields=fields, tracked=bool(tracked),
                to_name=names.to_name(title=title, first_name=first, last_name=last),
            )


def left_out(connection: Connection, rule: Rule, segments: Segments, *, recent: Recent | None = None,
             asked: Asked | None = None) -> dict[str, int]:
    """Reason → how many of those on the lists are not written to; with the candidates it adds up to all of them."""
    reason = _reason(rule, segments, recent, asked).label("reason")
    each = select(reason).where(_population(rule, segments)).subquery()
    query = (select(each.c.reason, func.count()).where(each.c.reason.is_not(None))
             .group_by(each.c.reason).order_by(each.c.reason))
    return {row[0]: row[1] for row in connection.execute(query)}


def left_out_each(connection: Connection, rule: Rule, segments: Segments, *, recent: Recent | None = None,
                  asked: Asked | None = None) -> Iterator[tuple[str, str]]:
    """Address and reason of everyone whom ``left_out`` counts, read in a stream; no address of who was forgotten."""
    reason = _reason(rule, segments, recent, asked).label("reason")
    query = (select(supporters.c.address, reason).where(_population(rule, segments), reason.is_not(None))
             .order_by(supporters.c.id).execution_options(yield_per=_ROWS_AT_ONCE))
    with connection.execute(query) as rows:
        for address, why in rows:
            yield address or "", why


def no_longer_eligible(connection: Connection, rule: Rule, segments: Segments, *, mailing_id: int, attempt_id: int,
                       tracked: bool) -> dict[int, str]:
    """Of the messages that an attempt holds, those that must not leave: message id → reason.

    Call it inside the claim's transaction. The comparison is the database's, so that only the few who are left out are
    read.

    Args:
        connection: in the transaction that claimed them.
        rule: whom the mailing is for.
        segments: as they were when it was planned.
        mailing_id: the mailing; with the state it leads the index by which the messages are found.
        attempt_id: the attempt.
        tracked: whether the attempt's messages were planned with tracking.
    """
    m, s = messages.c, supporters.c
    recent = frequency.of_mailing(connection, mailing_id, claiming=True)
    reason = _reason(rule, segments, recent, wishes.of_mailing(connection, mailing_id, claiming=True))
    changed = s.address_hash != m.address_hash
    refused = or_(reason.is_not(None), changed)
    why = func.coalesce(reason, case((changed, CHANGED_ADDRESS), else_=TRACKING_WITHDRAWN))
    if tracked:
        refused = or_(refused, ~tracking_agreed())
    query = (select(m.id, why).join_from(messages, supporters, s.id == m.supporter_id)
             .where(m.mailing_id == mailing_id, m.state == MessageState.SUBMITTING, m.attempt_id == attempt_id,
                    refused))
    return {row[0]: row[1] for row in connection.execute(query)}


def _population(rule: Rule, segments: Segments) -> ColumnElement[bool]:
    """Everyone whom the rule speaks of, before anybody is left out: also those who have left."""
    if rule.corrects is not None:
        return supporters.c.id.in_(select(messages.c.supporter_id).where(messages.c.mailing_id == rule.corrects))
    if rule.lists:
        members = select(list_members.c.supporter_id).join(lists).where(lists.c.name.in_(rule.lists))
        return supporters.c.id.in_(members)
    return _fits(rule.segments, segments)


def _reason(rule: Rule, segments: Segments, recent: Recent | None = None,
            asked: Asked | None = None) -> ColumnElement[Any]:
    """Why the supporter at hand is left out, the weightiest reason only; NULL for nobody's reason: they are written to.

    Where no list is named, someone who has left every list they were ever on has left.
    """
    s = supporters.c
    has_left = ~on_lists(rule.lists)
    if not rule.lists:
        has_left = and_(has_left, on_lists((), current=False))
    whens: list[tuple[ColumnElement[bool], Any]] = [
        (or_(s.forgotten_at.is_not(None), s.address.is_(None)), FORGOTTEN),
        (there_is(_suppressed()), _weightiest()),
        (~has_consent(Channel.EMAIL, (Basis.CONSENT, Basis.SOFT_OPT_IN)), NO_CONSENT),
        (has_left, LEFT_LIST),
    ]
    if asked is not None:
        wish = wishes.against(asked)
        whens.append((wish.is_not(None), wish))
    if rule.segments:
        whens.append((~_fits(rule.segments, segments), OUTSIDE_SEGMENT))
    if rule.exclude:
        whens.append((on_lists(rule.exclude), EXCLUDED))
    whens += [(predicate(segments[name]), EXCLUDED) for name in rule.exclude if name in segments]
    if rule.corrects is not None:
        whens.append((~_reached(rule.corrects), NOT_REACHED))
    if recent is not None:
        whens.append((frequency.mailed(recent), RECENTLY_MAILED))
    return case(*((when, literal(then, String) if isinstance(then, str) else then) for when, then in whens),
                else_=null())


def _fits(chosen: tuple[str, ...], segments: Segments) -> ColumnElement[bool]:
    return or_(*(predicate(segments[name]) for name in chosen)) if chosen else true()


def _reached(mailing_id: int) -> ColumnElement[bool]:
    """Whether the mailing's letter came, or may have come, to the supporter at hand."""
    theirs = messages.alias("theirs")
    return there_is(
        select(theirs.c.id).where(
            theirs.c.edition_id == select(mailings.c.edition_id).where(mailings.c.id == mailing_id).scalar_subquery(),
            theirs.c.supporter_id == supporters.c.id, theirs.c.mailing_id == mailing_id,
            theirs.c.state.not_in(bindparam("unreached", UNREACHED, expanding=True, literal_execute=True)),
            theirs.c.state.in_(frequency.MAYBE_REACHED), theirs.c.outcome.not_in(_CAME_BACK))
        .correlate(supporters))


def _suppressed() -> Select[tuple[str]]:
    return (select(suppressions.c.reason).where(suppressions.c.address_hash == supporters.c.address_hash)
            .correlate(supporters))


def _weightiest() -> ColumnElement[Any]:
    rank = case({reason.value: number for number, reason in enumerate(SuppressionReason)}, value=suppressions.c.reason)
    return _suppressed().order_by(rank).limit(1).scalar_subquery()


def _words(odd: list[str]) -> str:
    return " or ".join(repr(name) for name in odd)


def _known(what: str, known: set[str]) -> str:
    return f"Known {what}: {', '.join(sorted(known))}." if known else f"There are no {what} yet."
