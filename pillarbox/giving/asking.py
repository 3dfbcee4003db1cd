"""Ask GoCardless for what its events only name: how much, and who. Outside any transaction, and again until it answers.

An event is kept before anything is asked, and stays until it is answered: none is lost while the API is away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from pillarbox.giving.hooks import person
from pillarbox.giving.settling import Ties, settle
from pillarbox.ground import clock, logs
from pillarbox.ground.errors import PillarboxError
from pillarbox.model.config import Settings
from pillarbox.money import told
from pillarbox.money.gocardless import reading
from pillarbox.money.gocardless.reading import Donor
from pillarbox.money.told import About
from pillarbox.store import hook_events, notices
from pillarbox.store.connect import Store
from pillarbox.store.project import Project

log = logs.get("giving")

AT_ONCE = 100
"""Events asked about in one run; GoCardless lets 1,000 requests a minute through (API reference, read 2026-11)."""
_LEASE = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=6)
_TOLD_AFTER = 5
"""Questions in vain about one event before staff are told: after half an hour."""
_TOLD_AGAIN = timedelta(days=1)
_NOTICE = "hooks"
_GIVE_UP = 20
"""Questions about one event after which it is left: the API answers, some three days long, that there is no such thing,
as of the made-up ones of a test webhook. The event stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a run of questions came to."""

    answered: int = 0
    waiting: int = 0
    """Events that still wait for an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    facts: dict[str, Any]
    keys: tuple[str, ...]
    pledge: str
    donor: Donor


def due(project: Project) -> None:
    """Ask for what is due now; the worker's."""
    if project.settings.gocardless.secrets:
        ask(project.store, project.settings)


def ask(store: Store, settings: Settings) -> Asked:
    """Ask for what is due now, and write down what is answered.

    Raises:
        StoreError: the database is away.
        SettingsError: the API's address is none.
    """
    now, options = clock.now(), settings.gocardless
    with store.reading() as connection:
        rows = hook_events.to_ask(connection, reading.PROVIDER, now, AT_ONCE)
    if not rows:
        return Asked()
    # The client is heavy, and the worker of a charity without GoCardless never needs it.
    from pillarbox.money.gocardless.api import Api, AwayError

    token = options.token.get_secret_value()
    api = Api(token, live=options.mode == "live" or (options.mode == "auto" and not settings.practice),
              url=options.url) if token else None
    answered = 0
    for row in rows:
        if not _claimed(store, row):
            continue
        try:
            _answered(store, row, _look_up(store, api, row, settings), settings)
            answered += 1
        except PillarboxError as fault:
            if not fault.retry and not isinstance(fault, AwayError):
                raise
            _later(store, row, fault, all_due=isinstance(fault, AwayError))
            if isinstance(fault, AwayError):
                break
    with store.reading() as connection:
        waiting = hook_events.unanswered(connection, reading.PROVIDER)
    log.info("hooks.asked", answered=answered, waiting=waiting)
    return Asked(answered=answered, waiting=waiting)


def _claimed(store: Store, row: Row[Any]) -> bool:
    with store.writing() as connection:
        return hook_events.claim(connection, row, clock.now() + _LEASE)


def _look_up(store: Store, api: Any, row: Row[Any], settings: Settings) -> _Answer:
    """What the API says of the thing that an event is about."""
    from pillarbox.money.gocardless.api import AwayError, OddAnswerError

    parameter = settings.links.code_parameter
    with store.reading() as connection:
        keys = hook_events.keys_of(connection, [row.id]).get(row.id, ())
        known = _known(connection, row, keys)
    if known is not None:
        return known
    if api is None:
        raise AwayError("GoCardless's access token is not set.", todo="Set PILLARBOX_GOCARDLESS_TOKEN.")
    try:
        match About(row.about):
            case About.REFUND:
                refund = api.get("refunds", row.resource)
                payment = told.text(told.part(refund, "links"), "payment")
                return _Answer(facts=reading.refund_facts(refund), keys=(*keys, payment), pledge="", donor=Donor())
            case About.PLEDGE:
                pledge = api.get("subscriptions", row.resource)
                donor = api.donor(told.text(told.part(pledge, "links"), "mandate"))
                return _Answer(facts=reading.pledge_facts(pledge, donor, parameter=parameter, seen=clock.now()),
                               keys=(), pledge=row.pledge, donor=donor)
            case _:
                payment = api.get("payments", keys[0])
                links = told.part(payment, "links")
                donor = api.donor(told.text(links, "mandate"))
                facts = reading.payment_facts(payment, donor, parameter=parameter)
                return _Answer(facts=facts | {"asked_at": clock.now().isoformat()}, keys=keys, donor=donor,
                               pledge=told.text(links, "subscription"))
    except ValueError as fault:
        raise OddAnswerError(f"GoCardless's answer cannot be: {fault}.", retry=True) from None


def _known(connection: Connection, row: Row[Any], keys: tuple[str, ...]) -> _Answer | None:
    """Nothing need be asked of a payment that is known from another of its events."""
    if row.about not in (About.PAYMENT, About.DISPUTE):
        return None
    others, _ = hook_events.of_payment(connection, row.provider, keys)
    for other in others:
        if other.about == About.PAYMENT and other.ask_at is None and other.facts.get("amount") is not None:
            return _Answer(facts={}, keys=keys, pledge=other.pledge, donor=Donor())
    return None


def _answered(store: Store, row: Row[Any], answer: _Answer, settings: Settings) -> None:
    ties = Ties(secret=settings.secret, window_days=settings.attribution.window_days)
    with store.writing() as connection:
        hook_events.one_at_a_time(connection)
        if not hook_events.still_to_ask(connection, row.id):
            return
        hook_events.answered(connection, row.id, {
            "facts": {**row.facts, **answer.facts}, "pledge": answer.pledge or row.pledge,
            **person(connection, answer.donor.name, answer.donor.address, settings.secret)},
            [key for key in answer.keys if key])
        settle(connection, row.provider, keys={frozenset(filter(None, answer.keys))},
               named=set(filter(None, (answer.pledge or row.pledge,))), ties=ties)


def _later(store: Store, row: Row[Any], fault: PillarboxError, *, all_due: bool) -> None:
    """Ask again after a while, each time twice as long, and tell staff when that does not help.

    ``all_due``: nobody answers, so that the other questions need not be tried either until then.
    """
    asked = row.asked + 1
    wait = min(timedelta(minutes=2 ** min(asked - 1, 10)), _LONGEST_WAIT)
    with store.writing() as connection:
        again = clock.now() + wait if all_due or asked < _GIVE_UP else None
        hook_events.ask_later(connection, row.id, asked, again)
        if all_due:
            hook_events.put_off(connection, row.provider, clock.now() + wait)
        if asked >= _TOLD_AFTER and not _told_lately(connection, clock.now() - _TOLD_AGAIN):
            notices.add(connection, kind=_NOTICE, words=(
                f"GoCardless does not tell how much was given: {fault.sentence()} Its events are kept, and it is asked "
                "again."))


def _told_lately(connection: Connection, since: datetime) -> bool:
    return any(row.kind == _NOTICE and row.at > since for row in notices.newest(connection, 100))
