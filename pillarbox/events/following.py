"""A donate link is followed: where it leads now, and that it was, for those who agreed to tracking."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection

from pillarbox.content import bundle as bundles
from pillarbox.events.apply import apply
from pillarbox.events.destinations import MONTHLY, ONCE, Destination, Destinations
from pillarbox.events.scanners import calls_itself_a_machine
from pillarbox.ground import clock
from pillarbox.ground.errors import StoreError
from pillarbox.model.records import Event
from pillarbox.model.states import Agent, Basis, Channel, EventKind, Kind
from pillarbox.store import consents, letters, mailings
from pillarbox.store.connect import Store
from pillarbox.store.schema import OURSELVES

# As ground.keys makes them; a mailing's source code is the beginning of one, in capitals.
_KEY = re.compile(r"[a-z2-7]{30}")
_SOURCE_CODE = re.compile(r"[a-z2-7]{8}")
_BUNDLES_KEPT = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """What a donate link came to."""

    to: Destination | None
    """None: no letter has such a link."""
    click: Event | None = None
    """What to write down; None where nobody agreed to that."""


class Links:
    """The donate links of one project's letters."""

    def __init__(self, store: Store, destinations: Destinations, *, secret: bytes) -> None:
        self._store = store
        self._destinations = destinations
        self._secret = secret
        self._own = lru_cache(_BUNDLES_KEPT)(self._own_pages)

    def plain(self, *, monthly: bool) -> str:
        """The charity's page without any code; empty when none is set."""
        return self._destinations.plain(MONTHLY if monthly else ONCE)

    def look_up(self, key: str, *, monthly: bool, user_agent: str = "") -> Followed:
        """Where a link leads; changes nothing.

        Args:
            key: what stands in the link: a letter's key, or a mailing's source code.
            monthly: for the page of regular gifts.
            user_agent: what the visitor's program calls itself.

        Raises:
            StoreError: the database is away.
        """
        key, kind = key.lower(), MONTHLY if monthly else ONCE
        if not (_KEY.fullmatch(key) or _SOURCE_CODE.fullmatch(key)):
            return Followed(to=None)
        with self._store.reading() as connection:
            if len(key) == 8:
                mailing = letters.mailing_by_source_code(connection, key)
                return Followed(to=self._of(mailing, kind, mailing.source_code) if mailing else None)
            message = letters.donor_by_key(connection, key)
            if message is None:
                return Followed(to=None)
            agreed = bool(message.tracked and message.code and message.address and message.kind != Kind.PROOF
                          and _agrees(connection, message.supporter_id))
            code = "" if message.kind == Kind.PROOF else message.code if agreed else message.source_code
            to = self._of(message, kind, code)
        return Followed(to=to, click=_click(message.id, to.page, user_agent) if agreed and to.page else None)

    def write_down(self, clicks: Sequence[Event]) -> None:
        """Keep that links were followed.

        Raises:
            StoreError: the database is busy or away.
        """
        apply(self._store, clicks, secret=self._secret)

    def _of(self, mailing: letters.Addressed, kind: str, code: str) -> Destination:
        try:
            own = self._own(mailing.bundle_id)
        except StoreError:  # the letter went out; its donors shall find the page all the same
            own = {}
        return self._destinations.of(kind, code, names=(mailing.name, mailing.appeal), own=own)

    def _own_pages(self, bundle_id: str) -> Mapping[str, str]:
        """The pages that the appeal itself names. A bundle never changes, so that it is unpacked once.

        Raises:
            StoreError: it cannot be had now; the next visitor's may.
        """
        with self._store.reading() as connection:
            return bundles.unpack(mailings.bundle(connection, bundle_id)).appeal.links


def _agrees(connection: Connection, supporter_id: int) -> bool:
    """Whether they still do: the letter was made when they did."""
    return consents.of(connection, [supporter_id]).get((supporter_id, Channel.TRACKING)) is Basis.CONSENT


def _click(message_id: int, page: str, user_agent: str) -> Event:
    at = clock.now()
    # One a second is enough to know of: who presses twice, or a program that asks without end, is told apart no more.
    name = f"{OURSELVES}:clicked:{message_id}:{page}:{int(at.timestamp())}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    return Event(
        kind=EventKind.CLICKED, at=at, provider=OURSELVES, provider_event_id=digest, fingerprint=digest,
        message_id=message_id, attempt_id=None, provider_id="", address="", url=page, user_agent=user_agent[:500],
        agent=Agent.MACHINE if calls_itself_a_machine(user_agent) else Agent.HUMAN, raw="")
