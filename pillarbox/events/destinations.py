"""Where a donate link leads at the moment when it is followed.

In this order: the page that ``[giving] pages`` names for the mailing or its appeal; the appeal's own page as it was
frozen, if it lies at a website that the settings name; the project's page as the settings say now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pillarbox.ground.errors import SettingsError
from pillarbox.model import donating
from pillarbox.model.config import FILE, Settings

ONCE, MONTHLY = "donate", "donate_monthly"


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """A donation page."""

    page: str
    """As the settings name it, without a code."""
    url: str
    """The same with the code as its platform carries it."""


class Destinations:
    """The donation pages of one project, checked when they are read."""

    def __init__(self, settings: Settings) -> None:
        """Read the settings.

        Raises:
            SettingsError: a donation page is no address that a letter may lead to.
        """
        self._giving = settings.giving
        self._parameter = settings.links.code_parameter
        self._amount_parameter = settings.links.amount_parameter
        self._pages = {ONCE: settings.links.donate, MONTHLY: settings.links.donate_monthly or settings.links.donate}
        for name, page in self._pages.items():
            try:
                donating.sound(page) if page else ""
            except ValueError as fault:
                raise SettingsError(f"The donation page [links] {name} {fault}.", where=str(settings.folder / FILE),
                                    todo="Copy the page's address from the browser; it begins with https://.") from None
        named = (*self._pages.values(), *self._giving.pages.values(), *self._giving.pages_monthly.values())
        self._hosts = {donating.host_of(page) for page in named if page} | set(self._giving.hosts)

    def plain(self, kind: str = ONCE) -> str:
        """The project's page without any code; empty when none is set."""
        return self._pages[kind]

    def of(self, kind: str, code: str, *, names: tuple[str, ...] = (), own: Mapping[str, str] | None = None,
           ) -> Destination:
        """Where a letter's link leads now.

        Args:
            kind: ``ONCE`` or ``MONTHLY``.
            code: letters and digits; empty: none is told.
            names: the mailing's and its appeal's, the first that has a page of its own counts.
            own: the appeal's own pages, as they were frozen.
        """
        page = self._page(kind, names, own or {})
        if not code or not page:
            return Destination(page=page, url=page)
        template = self._giving.template_monthly if kind == MONTHLY else self._giving.template
        parts = donating.parted(page, platform=self._platform(kind), code_parameter=self._parameter,
                                template=template if page == self._pages[kind] else "")
        return Destination(page=page, url=code.join(parts))

    def with_amount(self, kind: str, url: str, amount: str) -> str:
        """A page that ``of`` or ``plain`` gave, with a sum of pounds filled in where it takes one.

        Args:
            kind: ``ONCE`` or ``MONTHLY``.
            url: the page's address.
            amount: what a link says, unchecked; anything but a sum changes nothing.
        """
        return donating.with_amount(url, amount, platform=self._platform(kind), amount_parameter=self._amount_parameter)

    def _platform(self, kind: str) -> str:
        return (kind == MONTHLY and self._giving.platform_monthly) or self._giving.platform

    def _page(self, kind: str, names: tuple[str, ...], own: Mapping[str, str]) -> str:
        instead = self._giving.pages_monthly if kind == MONTHLY else self._giving.pages
        for name in names:
            if name in instead:
                return instead[name]
        # An appeal with one page of its own asks for monthly gifts there, too.
        frozen = own.get(kind) or (own.get(ONCE, "") if kind == MONTHLY else "")
        return frozen if self._may_lead_to(frozen) else self._pages[kind]

    def _may_lead_to(self, page: str) -> bool:
        try:
            return bool(page) and donating.host_of(donating.sound(page)) in self._hosts
        except ValueError:
            return False
