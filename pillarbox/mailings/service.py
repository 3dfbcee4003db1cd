"""Service letters on their way: the answer to what one person did (a sign-up, a fresh link), one letter at a time.

Outside marketing consent and frequency both ways: who left still gets the letter that they ask for, and it counts for
nothing. Only an address that cannot or must not be reached holds it back. The guarantee is the ledger's: intent is
committed before the outside act, what became of it after; what nobody knows is in doubt, and is never sent again on a
guess (the person can ask again).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from pillarbox.compose import letter as letters
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.compose.standing import fingerprint
from pillarbox.content import appeal as appeals
from pillarbox.content import bundle as bundles
from pillarbox.content.bundle import Bundle
from pillarbox.deliver import single
from pillarbox.deliver.single import LEASE_SECONDS, SingleMail
from pillarbox.ground import address as addresses
from pillarbox.ground import clock, logs
from pillarbox.ground.errors import LetterError, PillarboxError, Refused, TransportError
from pillarbox.ground.process import Worker
from pillarbox.mailings.check import SAMPLES
from pillarbox.mailings.envelopes import PRACTICE_SENDER
from pillarbox.mailings.preview import Page
from pillarbox.model.records import Fault, Receipt, Result
from pillarbox.model.states import SuppressionReason, Verdict
from pillarbox.people import joining, names
from pillarbox.shape.bodies import Body, body
from pillarbox.store import audit, migrate, notices, service, suppressions, workers
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
_LETTERS_KEPT = 16
_ADDRESSES_KEPT = timedelta(days=30)
"""So long a settled letter's address is kept, for questions; then that one was sent is all that remains."""


# ------------------------------------------------------------------------------------------------ the letters


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLetter:
    """A service letter as it lies in its folder now."""

    kind: str
    bundle: Bundle
    content_hash: str
    """The same until anything that somebody would read is changed."""
    composer: Composer
    lock: threading.Lock

    def compose(self, supporter: Mapping[str, Any], deed: Mapping[str, str]) -> Body:
        """The letter for one person and one deed.

        Raises:
            LetterError: this copy cannot be composed; says why.
        """
        with self.lock:
            [made] = self.composer.compose([{"supporter": supporter, "deed": dict(deed), "links": {}}])
        if isinstance(made, Fault):
            raise LetterError(f"The service letter {self.kind} cannot be composed.", findings=(made.finding,))
        return body(made.shape, made.values)


_kept: dict[tuple[str, str, object], ServiceLetter] = {}


def kinds(project: Project) -> list[str]:
    """The service letters that there are: the project's own, and those that are shipped."""
    return sorted(appeals.service_letters(project.folder))


def is_meant(project: Project, name: str) -> bool:
    """Whether staff mean a service letter by this name; an appeal's folder of the same name comes first."""
    return name in kinds(project) and not (project.folder / "appeals" / name).is_dir()


def read(project: Project, kind: str) -> ServiceLetter:
    """A service letter as it lies in its folder now.

    Raises:
        LetterError: with every fault found.
    """
    bundle, findings = bundles.gather_service(project.settings, kind, project.folder)
    if bundle is None:
        raise LetterError(f"The service letter {kind} has faults; nothing was done.", findings=findings)
    day = clock.today(project.settings.project.zone)
    key = (kind, bundle.id, day)
    if key not in _kept:
        letter = letters.build(bundle, date=day, mailing={"name": kind})
        if len(_kept) >= _LETTERS_KEPT:
            _kept.clear()
        _kept[key] = ServiceLetter(kind=kind, bundle=bundle, content_hash=fingerprint(letter), lock=threading.Lock(),
                                   composer=Composer(letter, finisher(PremailerInliner())))
    return _kept[key]


def pages(project: Project, kind: str) -> list[Page]:
    """The letter as it will be read, by made-up people; ``[facts.sample]`` of its settings says what a deed says.

    Raises:
        LetterError: it has faults.
    """
    letter = read(project, kind)
    sample = {str(name): str(value) for name, value in letter.bundle.appeal.facts.get("sample", {}).items()}
    made = [(who, letter.compose(says, sample)) for who, says in SAMPLES.items()]
    # Most of these letters greet nobody by name: one page tells it all.
    shown = made[:1] if len({page.html for _, page in made}) == 1 else made
    return [Page(name=str(number), who=who, subject=page.subject, html=page.html, text=page.text)
            for number, (who, page) in enumerate(shown, 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A service letter at a glance."""

    kind: str
    content_hash: str
    approved_by: str
    """Empty: nobody stands for it as it is now."""
    approved_at: datetime | None
    letters: Mapping[str, int]
    """State → how many."""


def overview(project: Project) -> list[Standing]:
    """Every service letter: whether it is approved as it is now, and what became of those asked for.

    Raises:
        LetterError: one of them has faults.
    """
    known = [read(project, kind) for kind in kinds(project)]
    with project.store.reading() as connection:
        counted = service.counts(connection)
        found = []
        for letter in known:
            row = service.approval(connection, letter.kind, letter.content_hash)
            found.append(Standing(
                kind=letter.kind, content_hash=letter.content_hash, approved_by=row.approved_by if row else "",
                approved_at=row.approved_at if row else None,
                letters={state: number for (kind, state), number in counted.items() if kind == letter.kind}))
    return found


def approve(project: Project, kind: str, *, by: str) -> ServiceLetter:
    """Record that somebody read a service letter and stands for it, as it is now. Whatever waits for that goes.

    Raises:
        Refused: no name given.
        LetterError: it has faults.
    """
    if not by.strip():
        raise Refused("An approval needs a name.", todo="Say who approves with --by NAME.")
    letter = read(project, kind)
    with project.store.writing() as connection:
        service.approve(connection, kind=kind, content_hash=letter.content_hash, by=by.strip())
        service.unmark(connection, [_mark(letter)])
        audit.record(connection, actor=by.strip(), action="approve", subject=f"service letter {kind}",
                     detail={"content_hash": letter.content_hash})
    log.info("service.approved", kind=kind)
    return letter


# ------------------------------------------------------------------------------------------------ delivering


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
        _hold_up(project, kind, _mark(letter), f"The service letter {kind} waits for approval, and people wait for it. "
                 f"Read it with `pillarbox preview {kind}`, then `pillarbox approve {kind} --by NAME`.")
        return None
    return letter


def _mark(letter: ServiceLetter) -> str:
    return f"service:{letter.kind[:20]}:{letter.content_hash[:10]}"


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
        result = _act(project, _mail(project, row, made))
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


def _mail(project: Project, row: Row[Any], made: Body) -> SingleMail:
    sender = project.settings.sender
    return SingleMail(
        name=f"{project.id}-service-{row.id}", to=row.address, to_name="", from_name=sender.name,
        from_email=sender.email or PRACTICE_SENDER, reply_to=sender.reply_to, subject=made.subject, text=made.text,
        html=made.html, practice=project.settings.practice)


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


# ------------------------------------------------------------------------------------------------ at once

_prompt_lock = threading.Lock()
_prompted: dict[tuple[str, str], bool] = {}
"""Project → whether somebody asked again since its thread last looked."""


def soon(project: Project) -> threading.Thread | None:
    """Deliver at once, in a thread of its own, when no worker is there to do it: somebody waits for this letter.

    Call it after the transaction of the deed. It returns at once.

    Returns:
        the thread, when this call began one.
    """
    with project.store.reading() as connection:
        # A timer's run comes every few minutes: too late for who sits before a screen.
        if any(one.kind != "once" for one in workers.present(connection)):
            return None
    key = (project.id, str(project.store.writer.url))
    with _prompt_lock:
        if key in _prompted:
            _prompted[key] = True
            return None
        _prompted[key] = False
    thread = threading.Thread(target=_until_quiet, args=(project, key), name="service-letters")
    thread.start()
    return thread


def _until_quiet(project: Project, key: tuple[str, str]) -> None:
    while True:
        deliver(project)
        try:
            sweep(project)
        except PillarboxError as fault:
            log.fault("service.not-swept", fault)
        with _prompt_lock:
            if not _prompted[key]:
                del _prompted[key]
                return
            _prompted[key] = False

