"""The questions that the API answers: the address of each, what may be asked, the model of its answer, who may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from sqlalchemy import Connection

from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis, Kind, MailingState, TokenScope
from pillarbox.reports import details, figures, gifts, growth, published, timeline
from pillarbox.reports.timeline import Series
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.web import cursors
from pillarbox.web.api import models
from pillarbox.web.api.problems import Unanswered

_LONGEST_NAME, _LARGEST_ID = 200, 2**53


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request, read."""

    project: Project
    path: Mapping[str, Any]
    """What stands in the address."""
    question: Any
    """A ``Question`` of the operation's kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One question."""

    id: str
    path: str
    """Below ``/api``; a part in braces is a parameter."""
    summary: str
    answer: type[BaseModel]
    find: Callable[[Connection, Asked], BaseModel]
    question: type[BaseModel] = models.Question
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name of a part in braces → its JSON schema, with a description."""
    scope: TokenScope = TokenScope.ALL


def _mailings(connection: Connection, asked: Asked) -> models.Mailings:
    question: models.PagedMailings = asked.question
    of = f"api mailings {question.practice}"
    before = _number(asked, of)
    found: list[Mailing] = []
    while len(found) <= question.limit:
        part = mailings.newest_first(connection, question.limit + 1, before=before)
        found += [one for one in part if one.kind is not Kind.PROOF
                  and (question.practice == "with" or one.practice == (question.practice == "only"))]
        if len(part) <= question.limit:
            break
        before = part[-1].id
    shown = found[:question.limit]
    money = gifts.raised(connection, [one.id for one in shown])
    return models.Mailings(
        items=[_mailing(one, *money.get(one.id, (0, 0))) for one in shown],
        next=_next(asked, of, shown[-1].id) if len(found) > len(shown) else None)


def _mailing(one: Mailing, count: int, pence: int) -> models.Mailing:
    return models.Mailing(
        mailing=one.name, title=one.title, appeal=one.appeal, kind=one.kind, practice=one.practice, state=one.state,
        for_date=one.for_date, started_at=one.started_at, finished_at=one.finished_at, planned=one.planned,
        donations=models.Raised(count=count, amount_pence=pence))


def _figures(connection: Connection, asked: Asked) -> models.Figures:
    return models.Figures.model_validate(figures.figures(connection, _named(connection, asked).id).to_json())


def _timeline(connection: Connection, asked: Asked) -> models.Timeline:
    mailing = _named(connection, asked)
    found = timeline.timeline(connection, mailing.id, asked.project.settings.project.zone)
    return models.Timeline(mailing=mailing.name, step=found.step, zone=found.zone, buckets=[models.Bucket(
        start=bucket.start, delivered=bucket.counts[Series.DELIVERED], opened_human=bucket.counts[Series.OPENED_HUMAN],
        opened_machine=bucket.counts[Series.OPENED_MACHINE], clicked=bucket.counts[Series.CLICKED],
        donations=bucket.counts[Series.DONATIONS], amount_pence=bucket.amount_pence) for bucket in found.buckets])


def _links(connection: Connection, asked: Asked) -> models.Links:
    mailing = _named(connection, asked)
    return models.Links(mailing=mailing.name, items=[models.Link(
        link=link.link, human=link.human, scanner=link.scanner, clicks_human=link.clicks_human,
        clicks_scanner=link.clicks_scanner) for link in details.links(connection, mailing.id)])


def _donations(connection: Connection, asked: Asked) -> models.Donations:
    mailing = _named(connection, asked)
    of, zone = f"api donations {mailing.id}", ZoneInfo(asked.project.settings.project.zone)
    place = _place(asked, of)
    before = (datetime.fromisoformat(place[0]), int(place[1])) if place else None
    found = gifts.page(connection, mailing.id, before=before, most=asked.question.limit + 1)
    shown = found[:asked.question.limit]
    return models.Donations(mailing=mailing.name, items=[models.Donation(
        id=gift.id, received_on=gift.received_at.astimezone(zone).date(), amount_minor=gift.amount_minor,
        refunded_minor=gift.refunded_minor,
        currency=gift.currency, method=gift.method, source=gift.source, gift_aid=gift.gift_aid, regular=gift.regular,
        attribution=gift.attribution) for gift in shown],
        next=_next(asked, of, shown[-1].received_at.isoformat(), shown[-1].id) if len(found) > len(shown) else None)


def _lists(connection: Connection, asked: Asked) -> models.Lists:  # noqa: ARG001 - all are called alike
    return models.Lists(items=[models.List(
        id=one.id, name=one.name, on_it=one.on_it, left=one.left, bounced=one.bounced, tracking=one.tracking,
        watched=one.watched, silent=one.silent, consents=models.Consents(
            consent=one.consents[Basis.CONSENT], soft_opt_in=one.consents[Basis.SOFT_OPT_IN],
            none=one.consents[Basis.NONE])) for one in growth.health(connection)])


def _growth(connection: Connection, asked: Asked) -> models.ListGrowth:
    number = int(asked.path["number"])
    found = growth.growth(connection, number, asked.project.settings.project.zone) if number <= _LARGEST_ID else None
    if found is None:
        raise Unanswered(404, "No list has this id. /v1/lists names them all.")
    return models.ListGrowth(id=found.health.id, name=found.health.name, zone=found.zone, months=[models.Month(
        month=f"{month.start:%Y-%m}", joined=month.joined, left=month.left, bounced=month.bounced, on_it=month.on_it)
        for month in found.months])


def _letters(connection: Connection, asked: Asked) -> models.PublicLetters:
    found = published.page(connection, before=_number(asked, "api letters"), most=asked.question.limit + 1)
    shown = found[:asked.question.limit]
    return models.PublicLetters(
        items=[models.PublicLetter(**_told(asked, one)) for one in shown],
        next=_next(asked, "api letters", shown[-1].id) if len(found) > len(shown) else None)


def _letter(connection: Connection, asked: Asked) -> models.PublicLetterWhole:
    slug = str(asked.path["slug"])
    one = published.one(connection, slug) if _plain(slug) else None
    if one is None:
        raise Unanswered(404, "No published letter has this name. /v1/letters lists them.")
    return models.PublicLetterWhole(html=one.html, **_told(asked, one))


def _told(asked: Asked, one: published.Published) -> dict[str, Any]:
    return {"slug": one.slug, "title": one.title, "summary": one.summary, "language": one.language, "dated": one.dated,
            "url": f"{asked.project.settings.project.base_url}/letters/{one.slug}",
            "published_at": one.published_at, "updated_at": one.updated_at}


_NAME = {"name": {"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME,
                  "description": "A mailing's name, as `/v1/mailings` lists it."}}
OPERATIONS: Sequence[Operation] = (
    Operation(id="mailings", path="/v1/mailings", summary="Mailings, newest first", answer=models.Mailings,
              find=_mailings, question=models.PagedMailings),
    Operation(id="figures", path="/v1/mailings/{name}", summary="What a mailing did, in figures",
              answer=models.Figures, find=_figures, parameters=_NAME),
    Operation(id="timeline", path="/v1/mailings/{name}/timeline", summary="What happened when",
              answer=models.Timeline, find=_timeline, parameters=_NAME),
    Operation(id="links", path="/v1/mailings/{name}/links", summary="Which links were followed",
              answer=models.Links, find=_links, parameters=_NAME),
    Operation(id="donations", path="/v1/mailings/{name}/donations", summary="What it raised, gift by gift",
              answer=models.Donations, find=_donations, question=models.Paged, parameters=_NAME),
    Operation(id="lists", path="/v1/lists", summary="How the lists stand", answer=models.Lists, find=_lists),
    Operation(id="growth", path="/v1/lists/{number}/growth", summary="A list, month by month",
              answer=models.ListGrowth, find=_growth, parameters={"number": {
                  "type": "integer", "minimum": 0, "description": "A list's `id`, as `/v1/lists` gives it."}}),
    Operation(id="letters", path="/v1/letters", summary="Published letters, newest first",
              answer=models.PublicLetters, find=_letters, question=models.Paged, scope=TokenScope.LETTERS),
    Operation(id="letter", path="/v1/letters/{slug}", summary="One published letter",
              answer=models.PublicLetterWhole, find=_letter, scope=TokenScope.LETTERS, parameters={"slug": {
                  "type": "string", "minLength": 1, "maxLength": 120,
                  "description": "A letter's `slug`, as `/v1/letters` gives it."}}),
)
"""All of them; only GET is known."""


def _named(connection: Connection, asked: Asked) -> Mailing:
    name = str(asked.path["name"])
    found = mailings.named(connection, name) if _plain(name) else None
    if found is None or found.kind is Kind.PROOF or found.state is MailingState.COMPOSING:
        raise Unanswered(404, "No mailing has this name. /v1/mailings lists them.")
    return found


def _plain(name: str) -> bool:
    """Whether a name can be looked up at all: PostgreSQL keeps no NUL, and no text holds half a character."""
    return len(name) <= _LONGEST_NAME and name.isprintable()


def _place(asked: Asked, of: str) -> list[str] | None:
    try:
        return cursors.place(asked.project.settings, of, asked.question.cursor)
    except Refused:
        raise Unanswered(400, "cursor: no page of this list begins there. Leave it out for the first page.") from None


def _number(asked: Asked, of: str) -> int | None:
    place = _place(asked, of)
    return int(place[0]) if place else None


def _next(asked: Asked, of: str, *place: int | str) -> str:
    return cursors.seal(asked.project.settings, of, *place)
