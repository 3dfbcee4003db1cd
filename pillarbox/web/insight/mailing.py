"""A mailing's page: what it raised and did, with ranges; from sent to gave; over time; devices; tables to take away."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.model.states import Kind, MailingState, MessageState, Role
from pillarbox.reports import details, exports, page, variants, words
from pillarbox.reports.report import Report, gather
from pillarbox.store.mailings import Mailing
from pillarbox.web.insight import look
from pillarbox.web.insight.drawing import Gallery, Kept
from pillarbox.web.site import Site
from pillarbox.web.staff.frame import site_of
from pillarbox.web.staff.guard import visitor
from pillarbox.web.staff.mailings import mailing_of

_RELOAD_SECONDS = 2
"""A page that misses pictures comes again by itself, where no script fetches them."""


class MailingDoor:
    """``/staff/mailings/{name}``."""

    def __init__(self) -> None:
        self._gallery = Gallery()
        self._parts: Kept[Any] = Kept()

    async def show(self, request: Request) -> Response:
        """The page."""
        mailing = await mailing_of(request)
        values = await run_in_threadpool(self._gather, site_of(request), mailing)
        values["reload_seconds"] = _RELOAD_SECONDS if values["shown"].awaited else 0
        offers = {table: offer for table, offer in exports.OFFERS.items()
                  if table is not exports.Table.VARIANTS or mailing.variants}
        return look.page(request, "mailing", mailing=mailing, crumbs=(("Mailings", "/staff/"),), offers=offers,
                         may_name=visitor(request).user.role.includes(Role.PREPARE),
                         pictures_script=look.script().path, **values)

    def _gather(self, site: Site, mailing: Mailing) -> dict[str, Any]:
        zone = site.settings.project.zone
        with site.store.snapshot() as connection:
            report = gather(connection, mailing.id, zone, keep=self._parts.get)
            devices = details.devices(connection, mailing.id)
        measures = self._gallery.of_variants(report)
        rate = report.figures.rates["pounds_per_letter"]
        return {
            "report": report, "figures": report.figures, "money": report.figures.donations, "cards": page.cards(report),
            "facts": page.facts(report)[1:], "heard": page.heard(report), "attention": page.attention(report),
            "each": words.each(rate) if rate and rate.part else None, "others": page.others(report),
            "shown": self._gallery.of_report(report, devices, (place for _, place in measures)),
            "notes": {**page.notes(report), "devices": _DEVICES},
            "evidence": page.evidence(report), "returned": _returned(report), "left_out": _left_out(report),
            "variants": report.variants, "variant_lines": _variant_lines(report), "measures": measures,
            "definitions": words.DEFINITIONS, "proof": mailing.kind is Kind.PROOF,
            "unsent": mailing.state is MailingState.PLANNED and not mailing.started_at,
        }


def _variant_lines(report: Report) -> list[tuple[variants.Variant, tuple[str, ...]]]:
    return [(one, variants.cells(one)) for one in report.variants.each] if report.variants else []


_DEVICES = ("Letters that a person opened, by what they were opened on, of supporters who agreed to tracking. Who uses "
            "two is counted at each.")


def _returned(report: Report) -> list[tuple[str, str, int]]:
    return [(words.OUTCOME[outcome], reason, count) for outcome, reason, count in report.returned.by_reason]


def _left_out(report: Report) -> list[tuple[str, str, int]]:
    planning = [("When planning", reason, count) for reason, count in report.left_out]
    since = [("Since planning", row.detail or "No reason kept", row.count) for row in report.standing
             if row.state is MessageState.WITHDRAWN]
    return planning + since
