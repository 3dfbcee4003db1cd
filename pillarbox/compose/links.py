"""The links in a supporter's letter: opaque keys, never an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# In the Laptop home SendGrid itself answers "unsubscribe": this stands where its link goes, and SendGrid puts the link
# there (tracking_settings.subscription_tracking.substitution_tag, Mail Send reference, read 2026-11).
SENDGRID_UNSUBSCRIBE = "pillarboxunsubscribelink"


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkMaker:
    """Makes each message's links.

    ``base_url`` has no trailing slash, and is empty in the Laptop home: then no page of ours can be reached.
    """

    base_url: str
    donate: str
    donate_monthly: str
    code_parameter: str
    source_code: str

    def links(self, key: str, code: str | None) -> Mapping[str, str]:
        """The links of the message with ``key``; ``code`` is its own donation code, None for the mailing's.

        Returns:
            ``donate``, ``donate_monthly``, ``unsubscribe``, ``view``.
        """
        attribution = code or self.source_code
        return {
            "donate": self._with_code(self.donate, attribution),
            "donate_monthly": self._with_code(self.donate_monthly or self.donate, attribution),
            "unsubscribe": f"{self.base_url}/u/{key}" if self.base_url else SENDGRID_UNSUBSCRIBE,
            "view": f"{self.base_url}/v/{key}" if self.base_url else self.donate,
        }

    def inert(self) -> Mapping[str, str]:
        """Links for a look at the letter: they lead to the donation page, uncounted, and to nobody's settings."""
        return {"donate": self.donate, "donate_monthly": self.donate_monthly or self.donate,
                "unsubscribe": f"{self.base_url}/u/preview", "view": f"{self.base_url}/v/preview"}

    def _with_code(self, url: str, code: str) -> str:
        if not url:
            return url
        parts = urlsplit(url)
        query = [*parse_qsl(parts.query, keep_blank_values=True), (self.code_parameter, code)]
        return urlunsplit(parts._replace(query=urlencode(query)))
