"""The links in a supporter's letter: opaque keys, never an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pillarbox.model import donating
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
    platforms: tuple[str, str] = ("own", "own")
    """How the donation page and the monthly one carry a code (``model.donating``)."""
    templates: tuple[str, str] = ("", "")
    """Pages of one's own making, with a place for the code."""
    amount_parameter: str = ""
    """What the charity's own page calls a sum; empty: it takes none."""
    through_us: bool = False
    """Whether donate links lead through our own pages, which look up where to go when somebody follows them."""

    @cached_property
    def _give(self) -> tuple[str, ...]:
        return self._parted(self.donate, 0)

    @cached_property
    def _give_monthly(self) -> tuple[str, ...]:
        return self._parted(self.donate_monthly or self.donate, 1)

    @cached_property
    def _asks(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._asking(self._give, 0), self._asking(self._give_monthly, 1)

    def links(self, key: str, code: str | None) -> Mapping[str, str]:
        """The links of the message with ``key``; ``code`` is its own donation code, None for the mailing's.

        Keys and codes are letters and digits (ground/keys), so that they stand in a URL as they are.

        Returns:
            ``donate``, ``donate_monthly``, the same with ``_amount`` (up to the ``=`` behind which a sum of pounds
            goes; empty where a page takes none), ``unsubscribe``, ``preferences`` (empty where no page of ours can be
            reached), ``view``.
        """
        attribution = code or self.source_code
        asks, asks_monthly = self._asks
        give = f"{self.base_url}/d/{key if code else self.source_code}" if self.through_us else ""
        return {
            "donate": (give or attribution.join(self._give)) if self.donate else "",
            "donate_monthly": ((f"{give}/monthly" if give else attribution.join(self._give_monthly))
                               if self.donate_monthly or self.donate else ""),
            "donate_amount": (f"{give}?amount" if give else attribution.join(asks)) if self.donate else "",
            "donate_monthly_amount": ((f"{give}/monthly?amount" if give else attribution.join(asks_monthly))
                                      if self.donate_monthly or self.donate else ""),
            "unsubscribe": f"{self.base_url}/u/{key}" if self.base_url else UNSUBSCRIBE_TAG,
            "preferences": f"{self.base_url}/p/{key}" if self.base_url else "",
            "view": f"{self.base_url}/v/{key}" if self.base_url else self.donate,
        }

    def inert(self) -> Mapping[str, str]:
        """Links for a look at the letter: they lead to the donation page, uncounted, and to nobody's settings."""
        return {"donate": self.donate, "donate_monthly": self.donate_monthly or self.donate,
                "donate_amount": "".join(self._asking((self.donate,), 0)),
                "donate_monthly_amount": "".join(self._asking((self.donate_monthly or self.donate,), 1)),
                "unsubscribe": f"{self.base_url}/u/preview",
                "preferences": f"{self.base_url}/p/preview" if self.base_url else "",
                "view": f"{self.base_url}/v/preview"}

    def _asking(self, parts: tuple[str, ...], which: int) -> tuple[str, ...]:
        return donating.asking(parts, platform=self.platforms[which],
                               amount_parameter=self.amount_parameter) if any(parts) else ()

    def _parted(self, page: str, which: int) -> tuple[str, ...]:
        return donating.parted(page, platform=self.platforms[which], template=self.templates[which],
                               code_parameter=self.code_parameter)
