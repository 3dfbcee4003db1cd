"""The door for GoCardless's hook."""

from __future__ import annotations

from pillarbox.giving import asking
from pillarbox.ground import clock
from pillarbox.money.gocardless import reading, webhook
from pillarbox.money.told import Told
from pillarbox.web.hooks.payments import PaymentHook


class GocardlessHook(PaymentHook):
    """``/hooks/gocardless``."""

    provider = reading.PROVIDER

    @property
    def _secrets(self) -> tuple[str, ...]:
        return self._settings.gocardless.secrets

    @property
    def _header(self) -> str:
        return webhook.HEADER

    def _told(self, raw: bytes, signature: str) -> list[Told]:
        events = webhook.events(raw, signature=signature, secrets=self._secrets)
        return list(reading.read(events, organisation=self._settings.gocardless.organisation, now=clock.now()).told)

    def _ask(self) -> None:
        asking.ask(self._store, self._settings)
