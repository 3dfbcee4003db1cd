"""What GoCardless's API says of a payment, refund or subscription, and whose it is. It only ever reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import gocardless_pro
import requests
from gocardless_pro.errors import ApiError, GoCardlessProError

from pillarbox.ground.errors import PillarboxError, SettingsError
from pillarbox.model.config import is_loopback
from pillarbox.money import told
from pillarbox.money.gocardless.reading import Donor

TIMEOUT_SECONDS = (3, 10)
"""To connect, and to wait for an answer."""


class AwayError(PillarboxError):
    """The API cannot be asked at all now: away, or the token is refused."""


class OddAnswerError(PillarboxError):
    """It answered of one thing with nothing that can be used; other things may still be asked for."""


class Api:
    """One run's questions: each thing is asked for once."""

    def __init__(self, token: str, *, live: bool, url: str = "") -> None:
        """Open the API.

        Args:
            token: a read-only access token.
            live: GoCardless's live environment, or its sandbox.
            url: another host, for tests.

        Raises:
            SettingsError: ``url`` is neither https nor on this machine: the token would travel in clear.
        """
        parts = urlsplit(url)
        if url and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise SettingsError("GoCardless's address does not begin with https://.", where="[gocardless] url")
        self._client = gocardless_pro.Client(access_token=token, environment="live" if live else "sandbox",
                                             base_url=url or None, timeout=TIMEOUT_SECONDS)
        self.get = cache(self._get)
        self.donor = cache(self._donor)

    def _get(self, kind: str, resource: str) -> Mapping[str, Any]:
        """The thing of a kind (``payments``, ``refunds``, ``subscriptions`` …) with this id.

        Raises:
            AwayError: nobody answers, or the token is not accepted.
            OddAnswerError: there is no such thing, or the answer is none.
        """
        try:
            found = getattr(self._client, kind).get(resource).attributes
        except ApiError as fault:
            if str(fault.code) in ("401", "403", "429") or str(fault.code).startswith("5"):
                raise AwayError(f"GoCardless refused the question ({fault.code}).", retry=True,
                                todo="See that PILLARBOX_GOCARDLESS_TOKEN is a token of this environment.") from None
            raise OddAnswerError(f"GoCardless knows no such one among its {kind} ({fault.code}).",
                                 retry=True) from None
        except (requests.RequestException, GoCardlessProError):
            # Their words hold the address, and with it the id.
            raise AwayError("GoCardless does not answer.", retry=True) from None
        if not isinstance(found, dict) or found.get("id") != resource:
            raise OddAnswerError(f"GoCardless answered with another one of its {kind}.", retry=True)
        return found

    def _donor(self, mandate: str) -> Donor:
        """Who a mandate belongs to; nobody in particular when that cannot be read.

        Raises:
            AwayError: as ``get``.
        """
        try:
            held = self.get("mandates", mandate)
            customer = self.get("customers", told.text(told.part(held, "links"), "customer"))
            name = " ".join(filter(None, (told.text(customer, "given_name"), told.text(customer, "family_name"))))
            return Donor(name=told.a_name(name or told.text(customer, "company_name")),
                         address=told.an_address(told.text(customer, "email")),
                         code=" ".join(filter(None, (told.code_in(told.part(each, "metadata"), parameter="ref")
                                                     for each in (held, customer)))))
        except (ValueError, OddAnswerError):
            return Donor()
