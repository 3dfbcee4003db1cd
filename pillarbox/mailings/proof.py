"""A proof: a letter to addresses that staff name, down the very road that its mailing will take.

It is a mailing of kind ``proof``: composed, kept, claimed, handed over and settled as every other, so that what it
shows is what will happen. It reaches nobody else, counts for nothing (no cooldown, no total, no "was it sent
already?"), and needs no approval. Its links carry keys of its own, whose pages say that this is a proof and change
nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.links import LinkMaker
from pillarbox.compose.message import Composer
from pillarbox.ground import address, clock, logs
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.ground.keys import new_keys
from pillarbox.mailings import check, control, envelopes, letters, live, pictures, samples
from pillarbox.mailings.samples import MADE_UP, Sample
from pillarbox.mailings.service import HARD
from pillarbox.model.records import Composed, Fault, Finding, Letter
from pillarbox.model.states import Kind, MailingState, MessageState
from pillarbox.people.audience import Rule
from pillarbox.shape.bodies import body
from pillarbox.store import audit, mailings, messages, shapes, supporters, suppressions
from pillarbox.store.letters import pack_values
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

log = logs.get("mailings")

MARK = "[Proof]"
"""Before the subject."""
MOST_ADDRESSES = 20
"""A proof is for colleagues: whoever wants to reach more plans a mailing."""
_READER = "proof-reader-"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_GONE = "the proof ended before this one left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What staff ask to be proofed."""

    appeal: str
    to: tuple[str, ...]
    email: str | None = None
    """The supporter with whose words it is filled in; None: a made-up one."""
    for_date: date | None = None
    """The day that the letter speaks of; today when not said."""
    variant: str = ""
    """Which variant of the letter; the letter itself when not said."""
    actor: str = "staff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A proof, ready to leave."""

    mailing: Mailing
    subject: str
    """As the first who gets it reads it."""
    read_as: str
    warnings: tuple[str, ...]
    """What would stand against a live mailing; empty when it is live."""
    findings: tuple[Finding, ...]
    """What a check of the letter says."""

    variant: str = ""
    """Of the letter; empty where it has none."""
    others: tuple[str, ...] = ()
    """The variants that it does not show."""

    def levels(self) -> dict[str, int]:
        """How many findings of each level."""
        return dict(Counter(finding.level.value for finding in self.findings))


def plan(project: Project, wish: Wish) -> Planned:
    """Compose a proof for each address and keep them; nothing leaves yet.

    Raises:
        LetterError: faults in the letter.
        Refused: no fit address, nobody to read it as, or live settings with which nothing must go.
    """
    warnings = live.refuse(project)
    people = _addresses(project, wish.to)
    sample = samples.of_address(project, wish.email) if wish.email else MADE_UP[0]
    source = letters.read(project, wish.appeal)
    day = wish.for_date or clock.today(project.settings.project.zone)
    with project.store.reading() as connection:
        name = mailings.new_name(connection, f"{wish.appeal}-proof", day)
    keys, codes = new_keys(len(people)), new_keys(len(people))
    letter = letters.letter(source, day=day, name=name, variant=_variant(source, wish.variant),
                            practice=project.settings.practice)
    made = _compose(letter, source, sample, _links(project, source), list(zip(keys, codes, strict=True)))
    pictures.see_to(project, source.bundle, [letter])
    with project.store.writing() as connection:
        mailings.plan_alone(connection)
        if mailings.new_name(connection, f"{wish.appeal}-proof", day) != name:
            raise Refused("Another proof of this appeal was made at this very moment.", todo="Try again.", retry=True)
        mailings.keep_bundle(connection, bundle_id=source.bundle.id, appeal=wish.appeal, content=source.bundle.pack())
        mailing_id = _create(project, connection, source, name, day, wish, sample)
        _keep(connection, mailing_id, people, keys, codes, made)
        audit.record(connection, actor=wish.actor, action="proof", subject=name, detail={"proofs": len(people)})
        mailing = mailings.by_id(connection, mailing_id)
    log.info("proof.planned", mailing=name, practice=mailing.practice, planned=len(people))
    labels = source.appeal.labels
    variant = wish.variant or (labels[0] if labels else "")
    return Planned(mailing=mailing, subject=_subject(made[0]), read_as=sample.who, warnings=tuple(warnings),
                   variant=variant, others=tuple(label for label in labels if label != variant),
                   findings=check.check(project, wish.appeal).findings)


def begin(project: Project, mailing: Mailing) -> Mailing:
    """Open a proof's gate: without approval, without launch, at any hour."""
    with project.store.writing() as connection:
        mailings.move(connection, mailing.id, before=(MailingState.PLANNED,), after=MailingState.SENDING,
                      started_at=clock.now())
        return mailings.by_id(connection, mailing.id)


def end(project: Project, mailing: Mailing) -> None:
    """What of a proof has not left by now never will: nobody wants yesterday's."""
    with project.store.writing() as connection:
        now = mailings.by_id(connection, mailing.id)
        if now.state in control.OPEN and messages.remaining(connection, mailing.id):
            control.cancel_within(connection, now, reason=_NOT_GONE, actor="staff")


# ------------------------------------------------------------------------------------------------ to whom


def _addresses(project: Project, given: tuple[str, ...]) -> list[tuple[str, str]]:
    """(address, hash) of those that staff name, each once.

    Raises:
        Refused: telling every address that will not do.
    """
    found: dict[str, str] = {}
    faults = []
    for each in given:
        try:
            normal = address.normalise(each)
        except ValueError as fault:
            faults.append(f"{each!r} is not an address: {fault}".rstrip(".") + ".")
            continue
        if not project.settings.practice and address.is_reserved(normal):
            faults.append(f"{normal} lies in a domain made for examples: nobody reads it.")
        found[address.keyed_hash(normal, project.secret)] = normal
    with project.store.reading() as connection:
        for hashed, normal in found.items():
            if reasons := [why for why in suppressions.reasons(connection, hashed) if why in HARD]:
                faults.append(f"Nothing may go to {normal} ({', '.join(reasons)}).")
    if faults:
        raise Refused(" ".join(faults), where="--to", todo="Nothing was sent.")
    if not found:
        raise Refused("A proof needs an address.", todo="Name whom it goes to with --to ADDRESS.")
    if len(found) > MOST_ADDRESSES:
        raise Refused(f"A proof goes to {MOST_ADDRESSES} addresses at most, and {len(found)} are named.",
                      where="--to", todo="To write to more people, plan a mailing.")
    return [(normal, hashed) for hashed, normal in found.items()]


def _readers(connection: Connection, count: int) -> list[int]:
    """Ids of so many rows that stand in the ledger where a message's supporter does. They are nobody: without an
    address, and never written to."""
    hashes = [f"{_READER}{number}" for number in range(1, count + 1)]
    known = {hashed: row.id for hashed, row in supporters.by_hash(connection, hashes).items()}
    fresh: list[dict[str, Any]] = [
        {"address": None, "address_hash": hashed, "fields": {}, "forgotten_at": _LONG_AGO}
        for hashed in hashes if hashed not in known]
    known |= supporters.add_many(connection, fresh, clock.now())
    return [known[hashed] for hashed in hashes]


# ------------------------------------------------------------------------------------------------ what


def _links(project: Project, source: letters.Source) -> LinkMaker:
    return envelopes.link_maker(project.settings, source.bundle, "PROOF")


def _variant(source: letters.Source, label: str) -> str:
    """The variant that is meant.

    Raises:
        Refused: there is none of this name.
    """
    known = source.appeal.labels
    if label and label not in known:
        raise Refused(f"{source.appeal.slug} has no variant {label!r}.", where="--variant",
                      todo=f"Choose one of {', '.join(known)}." if known else "It has none: leave this out.")
    return label


def _compose(letter: Letter, source: letters.Source, sample: Sample, links: LinkMaker,
             keys: list[tuple[str, str]]) -> list[Composed]:
    """A copy for each key and code.

    Raises:
        LetterError: it cannot be composed.
    """
    composer = Composer(replace(letter, subject=f"{MARK} {letter.subject}"), finisher(PremailerInliner()))
    made = composer.compose([{"supporter": sample.says, "links": _safe(links, source, key, code)}
                             for key, code in keys])
    found = [each for each in made if isinstance(each, Composed)]
    if len(found) < len(made):
        raise LetterError("The proof cannot be composed; nothing was sent.", findings=tuple(dict.fromkeys(
            each.finding for each in made if isinstance(each, Fault))))
    return found


def _safe(links: LinkMaker, source: letters.Source, key: str, code: str) -> dict[str, str]:
    """A message's links as they will be; where SendGrid would answer "unsubscribe" itself, that leads to the charity's
    site, or whoever tried it would get no letter and no proof any more."""
    made = dict(links.links(key, code))
    if not links.base_url:
        made["unsubscribe"] = source.bundle.links["website"] or links.donate
    return made


def _create(project: Project, connection: Connection, source: letters.Source, name: str, day: date, wish: Wish,
            sample: Sample) -> int:
    practice = project.settings.practice
    return mailings.create(
        connection, name=name, appeal=wish.appeal, kind=Kind.PROOF, practice=practice,
        edition_id=mailings.edition(connection, appeal=wish.appeal, label=name, practice=practice),
        transport=project.settings.project.transport, bundle_id=source.bundle.id,
        title=f"{MARK} {source.appeal.title}", excluded={}, for_date=day, state_reason="",
        # Whose words it holds: when they are forgotten, so are these.
        audience=Rule(lists=()).to_json() | {"as": sample.supporter_id})


def _keep(connection: Connection, mailing_id: int, people: list[tuple[str, str]], keys: list[str], codes: list[str],
          made: list[Composed]) -> None:
    """Write the messages and make the mailing sendable, all in one transaction: there is no half of it."""
    kept: dict[str, int] = {}
    mailing = mailings.by_id(connection, mailing_id)
    rows = []
    readers = _readers(connection, len(people))
    for (normal, hashed), key, code, one, reader in zip(people, keys, codes, made, readers, strict=True):
        if one.shape.id not in kept:
            kept[one.shape.id] = shapes.add(connection, mailing_id, one.shape)
        rows.append({"mailing_id": mailing_id, "edition_id": mailing.edition_id, "supporter_id": reader,
                     "address": normal, "address_hash": hashed, "to_name": "", "key": key, "code": code,
                     "tracked": False, "domain": address.domain(normal), "state": MessageState.PLANNED.value,
                     "shape_id": kept[one.shape.id]})
    messages.add(connection, rows, [pack_values(one.values) for one in made])
    shapes.make_lone_private(connection, mailing_id)
    content = hashlib.sha256("\n".join([mailing.bundle_id, str(mailing.for_date), *sorted(kept)]).encode())
    mailings.move(connection, mailing_id, before=(MailingState.COMPOSING,), after=MailingState.PLANNED,
                  planned=len(rows), planned_at=clock.now(), audience_size=len(rows), shapes=len(kept),
                  slow_path=sum(one.slow for one in made), content_hash=content.hexdigest())


def _subject(made: Composed) -> str:
    return body(made.shape, made.values).subject

