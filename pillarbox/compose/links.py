"""The links in a supporter's letter: opaque keys, never an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pillarbox.model.records import UNSUBSCRIBE_TAG


@dataclass(frozen=True, kw_only=True)
class LinkMaker:
    """Makes each message's links.

    ``base_url`` has no trailing slash, and is empty in the Laptop home: then no page of ours can be reached.
    """

    base_url: str
    donate: str
    donate_monthly: str
    code_parameter: str
    source_code: str

    @cached_property
    def _give(self) -> tuple[str, str]:
        return self._coded(self.donate)

    @cached_property
    def _give_monthly(self) -> tuple[str, str]:
        return self._coded(self.donate_monthly or self.donate)

    def links(self, key: str, code: str | None) -> Mapping[str, str]:
        """The links of the message with ``key``; ``code`` is its own donation code, None for the mailing's.

        Keys and codes are letters and digits (ground/keys), so that they stand in a URL as they are.

        Returns:
            ``donate``, ``donate_monthly``, ``unsubscribe``, ``preferences`` (empty where no page of ours can be
            reached), ``view``.
        """
        attribution = code or self.source_code
        return {
            "donate": attribution.join(self._give) if self.donate else "",
            "donate_monthly": attribution.join(self._give_monthly) if self.donate_monthly or self.donate else "",
            "unsubscribe": f"{self.base_url}/u/{key}" if self.base_url else UNSUBSCRIBE_TAG,
            "preferences": f"{self.base_url}/p/{key}" if self.base_url else "",
            "view": f"{self.base_url}/v/{key}" if self.base_url else self.donate,
        }

    def inert(self) -> Mapping[str, str]:
        """Links for a look at the letter: they lead to the donation page, uncounted, and to nobody's settings."""
        return {"donate": self.donate, "donate_monthly": self.donate_monthly or self.donate,
                "unsubscribe": f"{self.base_url}/u/preview",
                "preferences": f"{self.base_url}/p/preview" if self.base_url else "",
                "view": f"{self.base_url}/v/preview"}

    def _coded(self, url: str) -> tuple[str, str]:
        """The URL parted where a code goes: before and after it."""
        mark = "\x00"
        parts = urlsplit(url)
        query = [*parse_qsl(parts.query, keep_blank_values=True), (self.code_parameter, mark)]
        before, _, after = urlunsplit(parts._replace(query=urlencode(query))).partition("%00")
        return before, after
