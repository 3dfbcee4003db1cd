"""The doors for Stripe's and GoCardless's hooks. 2xx only after the commit: whatever else, they post again."""

from __future__ import annotations

from abc import ABC, abstractmethod

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.giving.hooks import Taken, take_in
from pillarbox.giving.settling import Ties
from pillarbox.ground import logs
from pillarbox.ground.errors import PillarboxError, Refused, SettingsError, SignatureError, StoreError
from pillarbox.model.config import Settings
from pillarbox.money.told import Told
from pillarbox.store.connect import Store
from pillarbox.web.hooks.lane import Lane
from pillarbox.web.hooks.post import UNREAD, Shelf, UnreadError, answer, not_taken

log = logs.get("web")


class PaymentHook(ABC):
    """Takes in what one provider posts."""

    provider: str

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._lane, self._shelf = Lane(), Shelf()

    async def post(self, request: Request) -> Response:
        """Verify the bytes, read them, take them in, answer."""
        if not self._secrets:
            not_taken(self.provider, "no-secret")
            return answer(503, "Not set up.", later=True)
        try:
            async with self._shelf.post(request) as raw:
                signature = request.headers.get(self._header, "")
                taken = await self._lane.run(self._take_in, raw, signature)
        except UnreadError as fault:
            not_taken(self.provider, fault.reason)
            return answer(fault.status, UNREAD[fault.status], later=fault.status == 503)
        except SignatureError as fault:
            not_taken(self.provider, "unsigned", fault)
            return answer(403, "Not signed, or not now.")
        except Refused as fault:
            not_taken(self.provider, "unreadable", fault)
            return answer(400, fault.what)
        except (StoreError, SettingsError) as fault:
            not_taken(self.provider, "store", fault)
            return answer(503, "Try again later.", later=True)
        response = answer(204)
        if taken.to_ask:
            response.background = BackgroundTask(self._ask_now)
        return response

    def _take_in(self, raw: bytes, signature: str) -> Taken:
        return take_in(self._store, self._told(raw, signature), ties=self._ties)

    @property
    def _ties(self) -> Ties:
        return Ties(secret=self._settings.secret, window_days=self._settings.attribution.window_days)

    async def _ask_now(self) -> None:
        """Once it is answered; what cannot be had now, a worker asks for again."""
        try:
            await self._lane.run(self._ask)
        except PillarboxError as fault:
            log.fault("hook.not-asked", fault, provider=self.provider)

    def _ask(self) -> None:
        """Ask the provider for what its events only name; one whose events say it all is never asked."""
        raise AssertionError(f"{self.provider} says it all in its events")

    @property
    @abstractmethod
    def _secrets(self) -> tuple[str, ...]:
        """What its posts are signed with."""

    @property
    @abstractmethod
    def _header(self) -> str:
        """The header of its signature."""

    @abstractmethod
    def _told(self, raw: bytes, signature: str) -> list[Told]:
        """The post's events that are about something of ours.

        Raises:
            SignatureError: not signed by the provider, or not now.
            Refused: signed, but nothing that can be taken.
        """
