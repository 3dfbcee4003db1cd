"""Service letters on their way: each claimed, handed over and settled on its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from pillarbox.deliver import single
from pillarbox.deliver.single import LEASE_SECONDS, SingleMail
from pillarbox.ground import address as addresses
from pillarbox.ground import clock, logs
from pillarbox.ground.errors import LetterError, PillarboxError, TransportError
from pillarbox.ground.process import Worker
from pillarbox.mailings import envelopes
from pillarbox.mailings.check import SAMPLES
from pillarbox.mailings.envelopes import PRACTICE_SENDER
from pillarbox.mailings.service.letters import ServiceLetter, mark_of, read
from pillarbox.model.records import Receipt, Result
from pillarbox.model.states import SuppressionReason, Verdict
from pillarbox.people import joining, names
from pillarbox.shape.bodies import Body
from pillarbox.store import migrate, notices, service, suppressions
from pillarbox.store.project import Project
from pillarbox.store.schema import supporters

log = logs.get("mailings")

HARD = (SuppressionReason.BOUNCED, SuppressionReason.INVALID, SuppressionReason.ERASED)
"""Reasons that hold a service letter back; the others are about marketing."""
MOST_TRIES = 12
"""A letter that surely did not go as often (five hours) fails."""
_MOST_AT_ONCE = 50
_LONGEST_RUN_SECONDS = 30.0
"""The worker that delivers has mailings to send."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)
_HELD_UP = timedelta(minutes=1)
_SWEPT, _SWEEP_EVERY = "joining-swept", timedelta(hours=1)
_STALE = timedelta(seconds=30)
_ADDRESSES_KEPT = timedelta(days=30)
"""So long a settled letter's address is kept, for questions; then that one was sent is all that remains."""


def deliver(project: Project) -> int:
    """Hand over the service letters that can go now, one at a time.

    Never raises, and takes no longer than a minute or so. Any number of processes may call it at once.

    Returns:
        how many were handed over.
    """
    try:
        return _deliver(project)
    except PillarboxError as fault:
        log.fault("service.failed", fault)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the worker that calls this has letters to send
        log.fault("service.broke", fault)
    return 0


def _deliver(project: Project) -> int:
    with project.store.reading() as connection:
        if not service.open_letters(connection):
            return 0
    _tidy(project)
    until, handed, held_up = time.monotonic() + _LONGEST_RUN_SECONDS, 0, set[str]()
    with project.store.reading() as connection:
        waiting = service.due(connection, _MOST_AT_ONCE)
    for row in waiting:
        if time.monotonic() > until:
            break
        if row.kind in held_up:
            continue
        letter = _fit(project, row.kind)
        if letter is None:
            held_up.add(row.kind)
            continue
        result = _send(project, letter, row)
        if result is None:
            continue
        handed += result.receipts[0].verdict is Verdict.ACCEPTED
        if result.stop or result.unreachable or result.wait_seconds:
            break  # whatever stood in this one's way stands in the way of the rest
    return handed


def _tidy(project: Project) -> None:
    """What dead senders left, and what came too late."""
    with project.store.writing() as connection:
        migrate.still_fits(connection)
        service.lapse(connection)
        doubtful = Counter(service.bury(connection))
        for kind, count in doubtful.items():
            log.warning("service.buried", kind=kind, letters=count)
            _tell_doubt(connection, kind, count)


def sweep(project: Project) -> None:
    """Once an hour: let the addresses go of letters that were settled a month ago, and sign-ups nobody confirmed."""
    if not _sweep_is_due(project):
        return
    joining.sweep(project.store)
    with project.store.writing() as connection:
        service.forget_addresses(connection, clock.now() - _ADDRESSES_KEPT)


def _sweep_is_due(project: Project) -> bool:
    with project.store.reading() as connection:
        if not service.hour_is_over(connection, _SWEPT, _SWEEP_EVERY):
            return False
    with project.store.writing() as connection:
        return service.take_hour(connection, _SWEPT, _SWEEP_EVERY)


def _tell_doubt(connection: Connection, kind: str, count: int) -> None:
    many = f"{count} service letters ({kind}) are" if count > 1 else f"A service letter ({kind}) is"
    notices.add(connection, kind="service", words=f"{many} in doubt: nobody knows whether it went. It is not sent "
                "again on a guess; whoever misses it can ask for it again.")


def _fit(project: Project, kind: str) -> ServiceLetter | None:
    """The letter, when it may go as it is; otherwise those who wait for it wait on, and staff are told once."""
    try:
        letter = read(project, kind)
    except LetterError as fault:
        log.fault("service.faulty", fault, kind=kind)
        _hold_up(project, kind, f"service-faulty:{kind}", f"The service letter {kind} has faults, so nobody gets it: "
                 f"`pillarbox preview {kind}` shows them.")
        return None
    settings = project.settings
    if settings.practice:
        return letter
    if not settings.sender.email or addresses.is_reserved(settings.sender.email):
        _hold_up(project, kind, f"service-sender:{kind}", f"The service letter {kind} cannot go: put the charity's own "
                 "address into [sender] email of pillarbox.toml.")
        return None
    with project.store.reading() as connection:
        approved = service.approval(connection, kind, letter.content_hash)
    if approved is None:
        _hold_up(project, kind, mark_of(letter), f"The service letter {kind} waits for approval, and people wait for "
                 f"it. Read it with `pillarbox preview {kind}`, then `pillarbox approve {kind} --by NAME`.")
        return None
    return letter


def _hold_up(project: Project, kind: str, mark: str, words: str) -> None:
    with project.store.writing() as connection:
        service.postpone(connection, kind, clock.now() + _HELD_UP)
        if service.first_time(connection, mark[:40]):
            notices.add(connection, kind="service", words=words)


def _send(project: Project, letter: ServiceLetter, row: Row[Any]) -> Result | None:
    """Compose, claim, hand over, settle. None when this letter was not tried: it failed, or another was first."""
    try:
        made = letter.compose(_supporter(project, row), row._mapping["values"])
    except LetterError as fault:
        log.fault("service.not-composed", fault, kind=letter.kind)
        with project.store.writing() as connection:
            if service.give_up(connection, row, "it could not be composed"):
                notices.add(connection, kind="service", words=(
                    f"A service letter ({letter.kind}) could not be composed: it reads something that its deed does "
                    f"not say. See templates/service/{letter.kind}."))
        return None
    began = clock.now()
    tries = _claim(project, row)
    if tries is None:
        return None
    if clock.now() - began > _STALE:  # a closed laptop: meanwhile others may have taken this letter for dead
        result = Result(receipts=(Receipt(message_id=0, verdict=Verdict.RETURNED, detail="the sender slept"),))
    else:
        result = _act(project, _mail(project, letter, row, made))
    _settle(project, letter.kind, row, tries, result)
    return result


def _supporter(project: Project, row: Row[Any]) -> Mapping[str, Any]:
    """What the letter may say of the supporter; of somebody who is none yet, or not known by this, nothing."""
    if row.supporter_id is None:
        return SAMPLES["a supporter without a name"]
    with project.store.reading() as connection:
        known = connection.execute(select(supporters).where(supporters.c.id == row.supporter_id)).one()
    return {**known.fields, "title": known.title, "first_name": known.first_name, "last_name": known.last_name,
            "name": names.to_name(title=known.title, first_name=known.first_name, last_name=known.last_name),
            "salutation": names.salutation(title=known.title, first_name=known.first_name, last_name=known.last_name,
                                           said=known.salutation),
            "language": known.language, "country": known.country}


def _claim(project: Project, row: Row[Any]) -> int | None:
    """Take the letter, when it may still go to its address; otherwise it fails, and is not claimed."""
    settings = project.settings
    with project.store.writing() as connection:
        migrate.still_fits(connection)
        why = [reason for reason in suppressions.reasons(connection, row.address_hash) if reason in HARD]
        if why or (not settings.practice and addresses.is_reserved(row.address or "")):
            service.give_up(connection, row, f"the address is kept out ({why[0]})" if why else
                            "the address lies in a domain that receives no mail")
            return None
        if row.not_after and row.not_after < clock.now():
            return None  # the next look lets it lapse
        return service.claim(connection, row, worker=str(Worker.this()), transport=settings.project.transport,
                             lease=timedelta(seconds=LEASE_SECONDS))


def _mail(project: Project, letter: ServiceLetter, row: Row[Any], made: Body) -> SingleMail:
    sender = project.settings.sender
    return SingleMail(
        name=f"{project.id}-service-{row.id}", to=row.address, to_name="", from_name=sender.name,
        from_email=sender.email or PRACTICE_SENDER, reply_to=sender.reply_to, subject=made.subject, text=made.text,
        html=made.html, practice=project.settings.practice,
        images=tuple(image for image in envelopes.inline(letter.bundle) if f"cid:{image.content_id}" in made.html))


def _act(project: Project, mail: SingleMail) -> Result:
    """The outside act. Whatever breaks in it, nobody knows how far it came: doubt is the only honest answer."""
    try:
        return single.hand_over(project.settings, mail)
    except TransportError as fault:
        return Result(receipts=(Receipt(message_id=0, verdict=Verdict.RETURNED, detail=fault.what),), stop=fault.what)
    except Exception as fault:  # noqa: BLE001 - see above
        log.fault("service.act-broke", fault)
        return Result(receipts=(Receipt(message_id=0, verdict=Verdict.UNKNOWN, detail="sending broke in mid-act"),))


def _settle(project: Project, kind: str, row: Row[Any], tries: int, result: Result) -> None:
    receipt = result.receipts[0]
    with project.store.writing() as connection:
        match receipt.verdict:
            case Verdict.ACCEPTED:
                service.settle(connection, row.id, tries, state="accepted", provider_id=receipt.provider_id)
            case Verdict.REFUSED:
                service.settle(connection, row.id, tries, state="failed", detail=receipt.detail)
            case Verdict.UNKNOWN:
                if service.settle(connection, row.id, tries, state="in_doubt", detail=receipt.detail):
                    _tell_doubt(connection, kind, 1)
            case Verdict.RETURNED:
                _try_later(connection, kind, row, tries, result)
    log.info("service.settled", kind=kind, letter=row.id, verdict=receipt.verdict.value)


def _try_later(connection: Connection, kind: str, row: Row[Any], tries: int, result: Result) -> None:
    """It surely did not go: it waits, longer each time, until it has been tried often enough."""
    detail = result.receipts[0].detail
    if tries >= MOST_TRIES:
        service.settle(connection, row.id, tries, state="failed", detail=detail)
        notices.add(connection, kind="service", words=f"A service letter ({kind}) could not be sent in {tries} tries, "
                    f"and is given up: {detail}")
        return
    pause = max(min(_FIRST_PAUSE * 2 ** (tries - 1), _LONGEST_PAUSE), timedelta(seconds=result.wait_seconds))
    service.settle(connection, row.id, tries, state="waiting", detail=detail, due_at=clock.now() + pause)
    if result.stop and service.first_time(connection, f"service-stopped:{clock.now():%Y-%m-%d}"):
        notices.add(connection, kind="service", words=f"Service letters cannot be sent: {result.stop}")
