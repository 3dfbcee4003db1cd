"""What an approval is given for: the bundle, the audience's rule and size, the letter's day, the way out, the roads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pillarbox.content import bundle as bundles
from pillarbox.content.bundle import Bundle
from pillarbox.ground.errors import StoreError
from pillarbox.mailings import changes, envelopes, summary
from pillarbox.mailings.changes import Change, File, Version
from pillarbox.model.config import Settings
from pillarbox.people.audience import Rule
from pillarbox.store import approvals, mailings
from pillarbox.store.mailings import Mailing


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What somebody stands for, or would."""

    bundle_id: str
    count: int
    """Messages planned."""
    facts: Mapping[str, Any]
    """``audience`` (the rule, with its segments as they were), ``for_date``, ``transport`` and ``roads``; JSON."""


def of(connection: Connection, mailing: Mailing) -> Terms:
    """What an approval of this mailing is given for."""
    planned = approvals.planning(connection, mailing.id)
    return Terms(bundle_id=mailing.bundle_id, count=mailing.planned, facts={
        "audience": dict(mailing.audience), "for_date": mailing.for_date.isoformat(), "transport": mailing.transport,
        "roads": dict(planned.roads)})


def given(approval: approvals.Approval) -> Terms:
    """What an approval was given for."""
    return Terms(bundle_id=approval.bundle_id, count=approval.count, facts=approval.terms)


def roads(settings: Settings, bundle: Bundle) -> dict[str, Any]:
    """What the links of a bundle's letters are made from, as the settings are now; the mailing's own code is left out.

    The bundle does not hold it: how a donation page learns where a gift came from is a setting of the project.
    """
    maker = envelopes.link_maker(settings, bundle, "")
    return {"donate": maker.donate, "donate_monthly": maker.donate_monthly, "code_parameter": maker.code_parameter,
            "platforms": ", ".join(maker.platforms), "templates": ", ".join(filter(None, maker.templates)),
            "base_url": maker.base_url}


def same(connection: Connection, before: Terms, after: Terms) -> bool:
    """Whether people get the same letter, by the same rule, as before; the audience's size is another question."""
    if _comparable(before.facts) != _comparable(after.facts):
        return False
    if before.bundle_id == after.bundle_id:
        return before.facts["for_date"] == after.facts["for_date"] or not _dated(_bundle(connection, after))
    try:
        was, now = _bundle(connection, before), _bundle(connection, after)
    except StoreError:
        return False
    return changes.print_of(was) == changes.print_of(now) and (
        before.facts["for_date"] == after.facts["for_date"] or not _dated(now))


def _comparable(facts: Mapping[str, Any]) -> dict[str, Any]:
    audience = {name: sorted(value) if isinstance(value, list) else value for name, value in facts["audience"].items()}
    return {**facts, "audience": audience, "for_date": ""}


def has_grown(before: Terms, after: Terms, growth: float) -> bool:
    """Whether an audience has grown by more than the share that is let pass."""
    return after.count > before.count * (1 + growth)


def differences(connection: Connection, before: Terms, after: Terms) -> tuple[Change, ...]:
    """Everything in which two versions differ, for people to read.

    Raises:
        StoreError: a stored bundle cannot be read.
    """
    was, now = _bundle(connection, before), _bundle(connection, after)
    return changes.between(Version(bundle=was, facts=_words(before, _dated(was))),
                           Version(bundle=now, facts=_words(after, _dated(now))))


def _bundle(connection: Connection, terms: Terms) -> Bundle:
    return bundles.unpack(mailings.bundle(connection, terms.bundle_id))


def _dated(bundle: Bundle) -> bool:
    """Whether the day for which a mailing is planned can be read in its letter."""
    sources = [leaf.content if isinstance(leaf, File) else leaf for leaf in changes.flat(bundle).values()
               if not isinstance(leaf, bytes)]
    return bundle.appeal.date is None or any("mailing.date" in source for source in sources)


def _words(terms: Terms, dated: bool) -> dict[str, str]:
    facts = terms.facts
    rule = facts["audience"]
    said = {"To": summary.words_of(Rule.from_json(rule)) if rule else ""}
    said |= segments_in_words(rule.get("definitions", {}))
    said["Messages"] = f"{terms.count:,}"
    if dated:
        said["Dated"] = facts["for_date"]
    said["Through"] = facts["transport"]
    said |= {_ROADS.get(name, name): str(value) for name, value in facts["roads"].items()}
    return said


def segments_in_words(definitions: Mapping[str, Any]) -> dict[str, str]:
    """What segments mean, for people to read, each under a heading of its own."""
    return {f"Rule of the segment {name}": "; ".join(_words_of(name, said) for name, said in meant.items())
            for name, meant in definitions.items()}


def _words_of(name: str, said: Any) -> str:
    """One line of a rule: ``country: IE, GB``, ``town: Leeds``, ``gave: yes``."""
    match said:
        case bool():
            return f"{name.replace('_', ' ')}: {'yes' if said else 'no'}"
        case Mapping():
            return "; ".join(_words_of(field, value) for field, value in said.items())
        case list() | tuple():
            return f"{name.replace('_', ' ')}: {', '.join(map(str, said))}"
    return f"{name.replace('_', ' ')}: {said}"


_ROADS = {"donate": "Donation page", "donate_monthly": "Monthly donation page", "code_parameter": "Code in the link",
          "platforms": "Donation platform", "templates": "Donation link's template", "base_url": "Base URL"}
