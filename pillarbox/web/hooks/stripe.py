"""The door for Stripe's hook."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pillarbox.ground import clock
from pillarbox.money.stripe import reading, webhook
from pillarbox.money.told import Told
from pillarbox.web.hooks.payments import PaymentHook


class StripeHook(PaymentHook):
    """``/hooks/stripe``."""

    provider = reading.PROVIDER

    @property
    def _secrets(self) -> tuple[str, ...]:
        return self._settings.stripe.secrets

    @property
    def _header(self) -> str:
        return webhook.HEADER

    def _told(self, raw: bytes, signature: str) -> list[Told]:
        options = self._settings.stripe
        webhook.verify(raw, signature=signature, secrets=options.secrets, now=clock.now(),
                       tolerance_seconds=options.tolerance_seconds)
        found = reading.read(raw, reading.Terms(
            live=options.mode == "live" or (options.mode == "auto" and not self._settings.practice),
            account=options.account, any_payment=options.payments == "all",
            parameter=self._settings.links.code_parameter))
        now = clock.now()
        if found and found.at > now + timedelta(seconds=options.tolerance_seconds):
            found = replace(found, at=now)  # a simulated one (test clocks); no gift stands in the days to come
        return [found] if found else []
