"""One self-contained HTML page: no network, no script, nobody's name or address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from pillarbox.ground.money import Money
from pillarbox.model.states import Attribution, MailingState, MessageState
from pillarbox.reports import comparing, plots, variants, words
from pillarbox.reports.compare import Measure
from pillarbox.reports.plots import Plot
from pillarbox.reports.report import Report

_NOTES = {
    "over-time": "Letters, when each was first delivered, opened or clicked, and gifts as they came in. Every row has "
                 "a scale of its own; the number beside its highest bar is that bar’s.",
    "funnel": "The strong part of a bar did it, the pale part did not.",
    "raised": "Each dot is a gift, larger for more. Below, what ties the gifts to this mailing.",
}
_UNKNOWN = " The dashed part is unknown: these supporters did not agree to tracking, so their letters carry none."
_SUMMED = "Pounds as they came in, summed by the hour. Below, what ties the gifts to this mailing."


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One key figure."""

    name: str
    value: str
    range: str
    """Empty when there is no rate."""
    of: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """Something that needs staff."""

    what: str
    todo: str


def html(report: Report) -> str:
    """The page of a report, whole."""
    environment = Environment(loader=PackageLoader("pillarbox.reports", "pages"), undefined=StrictUndefined,
                              autoescape=select_autoescape(["html"]), trim_blocks=True, lstrip_blocks=True)
    environment.filters["commands"] = _commands
    return environment.get_template("report.html").render(**_view(report))


def cards(report: Report) -> tuple[Card, ...]:
    """The key figures after the money, each with its denominator in words."""
    found, handed = report.figures, words.handed(report.mailing.transport)
    unheard = bool(found.accepted) and found.heard_until is None
    nothing_yet = "unknown: no events heard yet" if unheard else "nothing delivered yet"
    agreed = "nobody agreed to tracking" if found.delivered else nothing_yet
    shown = (
        ("Delivered", "delivered", f"{handed[0].lower()}{handed[1:]}", "nothing handed over yet"),
        ("Opened by people", "opened", "who agreed", agreed),
        ("Clicked", "clicked", "who agreed", agreed),
        ("Gave", "gave", "delivered", nothing_yet),
        ("Unsubscribed", "unsubscribed", "delivered", nothing_yet),
        ("Complained of spam", "complained", "delivered", nothing_yet),
    )
    made = []
    for name, key, of, nothing in shown:
        if key == "delivered" and unheard:
            made.append(Card(name=name, value="–", range="", of=nothing_yet))
        elif rate := found.rates[key]:
            made.append(Card(name=name, value=words.percent(rate.value), range=words.spread(rate),
                             of=f"{rate.part:,} of {rate.of:,} {of}"))
        else:
            made.append(Card(name=name, value="–", range="", of=nothing))
    return tuple(made)


def attention(report: Report) -> tuple[Attention, ...]:
    """What staff should do something about, most urgent first."""
    found, name, made = report.figures, report.mailing.name, []

    def add(count: int, one: str, many: str, todo: str) -> None:
        if count:
            made.append(Attention(what=f"{count:,} {one if count == 1 else many}.", todo=todo))

    if report.mailing.state is MailingState.PAUSED:
        made.append(Attention(what="The mailing is paused.", todo=(
            f"{report.mailing.state_reason} `pillarbox resume {name}` goes on with it.").strip()))
    add(found.in_doubt, "letter: not sure it went", "letters: not sure they went",
        f"They are never sent again on a guess. Late events settle them by themselves; `pillarbox reconcile {name}` "
        "takes a decision on the rest.")
    refusals = "; ".join(f"{row.detail} ({row.count:,})" for row in report.standing
                         if row.state is MessageState.FAILED and row.detail)[:300]
    add(found.failed, "letter was refused", "letters were refused",
        (f"They surely did not go: {refusals}. " if refusals else "They surely did not go. ")
        + "Mend the address or the setting, then plan again: only these supporters are still without the letter.")
    add(found.untracked_opened, "letter without tracking consent was tracked",
        "letters without tracking consent were tracked",
        "Turn open and click tracking off in the SendGrid account: it must be Pillarbox that decides.")
    add(found.remaining, "letter has not gone yet", "letters have not gone yet",
        f"`pillarbox send {name}` continues this mailing; nobody gets it twice.")
    if found.accepted and found.heard_until is None and report.mailing.transport != "files":
        made.append(Attention(what="No event has been heard.", todo=(
            "Delivered, opened and bounced are unknown, not zero: see that the event webhook reaches Pillarbox, or run "
            "`pillarbox events import`.")))
    return tuple(made)


def heard(report: Report) -> str:
    """Until when the figures are complete."""
    until = report.figures.heard_until
    return (f"Events heard until {words.moment(until, report.zone)}." if until
            else "No events have been heard of this mailing.")


def facts(report: Report) -> tuple[str, ...]:
    """The mailing's own data, under the title."""
    mailing = report.mailing
    made = [mailing.name, f"{report.figures.planned:,} letter{'' if report.figures.planned == 1 else 's'} planned"]
    if mailing.started_at:
        took = (f", in {words.lasted(mailing.finished_at - mailing.started_at)}"
                if mailing.finished_at and mailing.state is MailingState.SENT else "")
        made.append(f"sent {words.moment(mailing.started_at, report.zone)}{took}")
    if mailing.state is not MailingState.SENT:
        made.append(f"now {words.MAILING_STATE[mailing.state]}")
    if mailing.approved_by:
        made.append(f"approved by {mailing.approved_by}")
    return tuple(made)


def others(report: Report) -> tuple[str, ...]:
    """Amounts in other currencies."""
    return tuple(str(Money(minor=minor, currency=currency))
                 for currency, minor in report.figures.donations.other_currencies.items())


def evidence(report: Report) -> tuple[tuple[str, str, int, str], ...]:
    """Kind of evidence, what it means, gifts, pounds; unused kinds are left out."""
    parts = report.figures.donations.attribution
    return tuple((*words.EVIDENCE[kind], parts[kind].count, words.pounds(parts[kind].amount_pence))
                 for kind in Attribution if parts[kind].count)


def breakable(link: str) -> Markup:
    """A link that breaks after its slashes where the line is too short."""
    return Markup("/<wbr>").join(link.split("/"))


def notes(report: Report) -> dict[str, str]:
    """What to know before reading each plot."""
    notes = dict(_NOTES)
    if report.figures.delivered > report.figures.tracked_delivered:
        notes["funnel"] += _UNKNOWN
    if any(gift.attribution is None for gift in report.timeline.gifts):
        notes["raised"] = _SUMMED
    return notes


def compared(report: Report) -> list[tuple[Measure, Plot | None]]:
    """What may be said of the variants' rates, each with its picture; none where all got the same letter."""
    if not report.variants:
        return []
    labels = [one.label for one in report.variants.each]
    return [(measure, comparing.beside("Variant", labels, measure)) for measure in variants.shown(report.variants)]


def _commands(text: str) -> Markup:
    """What stands between backticks, as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def _view(report: Report) -> dict[str, Any]:
    rate = report.figures.rates["pounds_per_letter"]
    came_back = report.returned
    domains = [(domain, f"{n:,}") for domain, n in came_back.by_domain]
    if came_back.lone_domains and domains:
        domains.append(("others", f"{came_back.lone_domains:,}"))
    return {
        "r": report, "d": report.figures.donations, "practice": words.PRACTICE, "pounds": words.pounds,
        "kind": report.mailing.kind.capitalize(), "facts": facts(report), "others": others(report),
        "pledged": report.pledged.sentences(),
        "each": words.each(rate) if rate and rate.part else None, "cards": cards(report), "heard": heard(report),
        "attention": attention(report), "plots": plots.draw_all(report),
        "notes": notes(report),
        "evidence": [dict(zip(("name", "why", "count", "amount"), row, strict=True)) for row in evidence(report)],
        "variants": report.variants, "variant_head": variants.HEAD,
        "variant_rows": [variants.cells(one) for one in report.variants.each] if report.variants else [],
        "variant_measures": compared(report),
        "links": [(breakable(link.link), f"{link.human:,}", f"{link.scanner:,}") for link in report.links],
        "returned": [(words.OUTCOME[outcome].replace(" ", "\u00a0"), reason, f"{n:,}")
                     for outcome, reason, n in came_back.by_reason],
        "domains": domains,
        "left_out": [(reason, f"{n:,}") for reason, n in report.left_out],
        "withdrawn": [(row.detail or "No reason kept", f"{row.count:,}") for row in report.standing
                      if row.state is MessageState.WITHDRAWN],
        "definitions": words.DEFINITIONS, "made": words.moment(report.made_at, report.zone),
    }
