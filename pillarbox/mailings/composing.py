"""Composing a whole audience: everybody's message, kept in chunks while the next one is composed; faults are
gathered."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from pillarbox.compose.links import LinkMaker
from pillarbox.compose.message import Composer
from pillarbox.ground import address
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.ground.keys import new_keys
from pillarbox.mailings import envelopes, letters, variants
from pillarbox.mailings.seen import Seen, refuse
from pillarbox.model.records import Composed, Fault, Finding
from pillarbox.model.states import MessageState
from pillarbox.people import audience, frequency, wishes
from pillarbox.people.segments import Segments
from pillarbox.store import messages, shapes
from pillarbox.store.letters import pack_values
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

ROWS_AT_ONCE = 5_000
_FAULTS_SHOWN = 20


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What composing a whole audience gave."""

    planned: int = 0
    passed_over: int = 0
    """Who had the edition already."""
    reserved: int = 0
    slow_path: int = 0
    slow_reasons: tuple[str, ...] = ()
    digest: Any = field(default_factory=hashlib.sha256)
    variants: Counter[str] = field(default_factory=Counter)
    """Label → messages; of a letter without variants all stand under no label."""
    shape_ids: dict[str, int] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    fault_count: int = 0
    findings: tuple[Finding, ...] = ()


def compose_all(project: Project, mailing: Mailing, segments: Segments, reached: set[int],
                on_progress: Callable[[int], None],
                due_at: Callable[[audience.Candidate], datetime] | None = None) -> Outcome:
    """Compose and keep everybody's message of a mailing in state ``composing``.

    Args:
        reached: who has this edition already, and is passed over.
        on_progress: called with the number of messages just kept.
        due_at: when each message is due; None: all with the mailing.

    Raises:
        LetterError: faults in some supporter's copy, all that were found.
        Refused: nobody to write to, an error of the check, or a sample list in earnest.
    """
    source = letters.frozen(project, mailing)
    composers = letters.composers(source, mailing)
    seen = {label: Seen(letter) for label, letter in letters.of_mailing(source, mailing).items()}
    draw = variants.drawn(project.secret, source.appeal)
    links = envelopes.link_maker(project.settings, source.bundle, mailing.source_code)
    outcome = Outcome()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="keep") as keeper:
        kept: Future[None] | None = None  # written while the next chunk is composed
        for chunk in _chunks(project, mailing, segments, reached, outcome):
            rows = _compose(mailing, composers, draw, links, chunk, outcome, seen)
            if kept is not None:
                kept.result()
                kept = None
            if outcome.fault_count:
                continue  # go on through the list, to show every fault at once
            if due_at:
                for person, (_, row) in zip(chunk, rows, strict=True):
                    row["due_at"] = due_at(person)
            kept = keeper.submit(_keep, project, mailing, rows, outcome, on_progress)
        if kept is not None:
            kept.result()
    outcome.slow_path = sum(composer.slow_path for composer in composers.values())
    outcome.slow_reasons = tuple(dict.fromkeys(why for composer in composers.values() for why in composer.reasons))
    if outcome.fault_count:
        raise LetterError(
            f"{outcome.fault_count:,} {'copy' if outcome.fault_count == 1 else 'copies'} of {mailing.appeal} cannot be "
            "composed; nothing was planned and nothing was sent.", findings=tuple(outcome.faults))
    if not outcome.planned:
        raise Refused(f"Nobody is left to write to: {_why_nobody(project, mailing, segments, outcome)}.",
                      todo="See `pillarbox lists show` and the consent that was recorded at import.")
    outcome.findings = refuse(source, seen, project.settings, mailing)
    if outcome.reserved and not mailing.practice:
        raise Refused(f"{outcome.reserved:,} addresses lie in domains made for examples (RFC 2606); a list with them "
                      "is a sample list.", todo="Take them off the list, or practise with the files transport.")
    return outcome


def _chunks(project: Project, mailing: Mailing, segments: Segments, reached: set[int], outcome: Outcome,
            ) -> Iterator[tuple[audience.Candidate, ...]]:
    rule = audience.Rule.from_json(mailing.audience)
    with project.store.reading() as connection:
        stream = audience.candidates(connection, rule, segments, recent=frequency.of_mailing(connection, mailing.id),
                                     asked=wishes.of_mailing(connection, mailing.id))
        while chunk := tuple(islice(stream, ROWS_AT_ONCE)):
            fresh = tuple(person for person in chunk if person.supporter_id not in reached)
            outcome.passed_over += len(chunk) - len(fresh)
            outcome.reserved += sum(address.is_reserved(person.address) for person in fresh)
            if fresh:
                yield fresh


def _compose(mailing: Mailing, composers: Mapping[str, Composer], draw: Callable[[int], str], links: LinkMaker,
             people: tuple[audience.Candidate, ...], outcome: Outcome,
             seen: Mapping[str, Seen]) -> list[tuple[Composed, dict[str, Any]]]:
    """Compose one chunk; faults are noted in the outcome, with the supporter's address."""
    keys = new_keys(len(people))
    codes = [code if person.tracked else None for person, code in zip(people, new_keys(len(people)), strict=True)]
    contexts = [{"supporter": letters.supporter(person), "links": links.links(key, code)}
                for person, key, code in zip(people, keys, codes, strict=True)]
    labels = [draw(person.supporter_id) for person in people]
    for label, here in seen.items():
        here.people(context["supporter"] for context, own in zip(contexts, labels, strict=True) if own == label)
    state = MessageState.PLANNED.value
    rows = []
    for person, key, code, label, context, made in zip(people, keys, codes, labels, contexts,
                                                       _each(composers, labels, contexts), strict=True):
        if isinstance(made, Fault):
            outcome.fault_count += 1
            if len(outcome.faults) < _FAULTS_SHOWN:
                outcome.faults.append(letters.for_supporter(made.finding, person.address))
            continue
        seen[label].copy(made, context["links"])
        rows.append((made, {
            "mailing_id": mailing.id, "edition_id": mailing.edition_id, "supporter_id": person.supporter_id,
            "address": person.address, "address_hash": person.address_hash, "to_name": person.to_name, "key": key,
            "code": code, "tracked": person.tracked, "domain": address.domain(person.address), "state": state}
            | ({"variant": label} if label else {})))
    return rows


def _each(composers: Mapping[str, Composer], labels: Sequence[str],
          contexts: Sequence[Mapping[str, Any]]) -> list[Composed | Fault]:
    """Everybody's message, in their variant of the letter; in the same order."""
    if len(composers) == 1:
        return next(iter(composers.values())).compose(contexts)
    made = {label: iter(composer.compose([context for context, own in zip(contexts, labels, strict=True)
                                          if own == label])) for label, composer in composers.items()}
    return [next(made[label]) for label in labels]


def _keep(project: Project, mailing: Mailing, rows: list[tuple[Composed, dict[str, Any]]], outcome: Outcome,
          on_progress: Callable[[int], None]) -> None:
    """Write one chunk, and fold it into the digest. Called by one thread at a time."""
    values = [pack_values(made.values) for made, _ in rows]
    for (_, row), said in zip(rows, values, strict=True):
        outcome.digest.update(row["address_hash"].encode() + said.encode())
    with project.store.writing() as connection:
        for made, row in rows:
            shape_id = outcome.shape_ids.get(made.shape.id)
            if shape_id is None:
                shape_id = shapes.add(connection, mailing.id, made.shape)
                outcome.shape_ids[made.shape.id] = shape_id
                if not made.shape.private:
                    outcome.shared.append(made.shape.id)
            row["shape_id"] = shape_id
        messages.add(connection, [row for _, row in rows], values)
    outcome.planned += len(rows)
    outcome.variants.update(row.get("variant", "") for _, row in rows)
    on_progress(len(rows))


def _why_nobody(project: Project, mailing: Mailing, segments: Segments, outcome: Outcome) -> str:
    with project.store.reading() as connection:
        reasons = audience.left_out(connection, audience.Rule.from_json(mailing.audience), segments,
                                    recent=frequency.of_mailing(connection, mailing.id),
                                    asked=wishes.of_mailing(connection, mailing.id))
    if outcome.passed_over:
        reasons["already-reached"] = outcome.passed_over
    if not reasons:
        return "the lists are empty"
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1]))
