"""Where people clicked, drawn over the letter itself: a badge beside each link, with nothing of a supporter in it.

The letter is the form that most messages of the mailing have, as it was sent, with ``…`` where supporters' own words
went. A form that one supporter alone has is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, select

from pillarbox.model.records import Place, Shape
from pillarbox.reports import words
from pillarbox.reports.details import Link
from pillarbox.shape.bodies import body
from pillarbox.store import letters, shapes, tallies
from pillarbox.store.contributions import Facet, Mark, folded
from pillarbox.store.schema import message_values, messages
from pillarbox.store.schema import shapes as shapes_table

BLANK = "…"
# Folds to the same link as every supporter's own key does (store.contributions.folded).
_NOBODYS_KEY = "a" * 30
_BADGE = ("display:inline-block;margin:0 0 0 5px;padding:2px 7px;border-radius:10px;vertical-align:middle;"
          "white-space:nowrap;text-decoration:none;text-indent:0;letter-spacing:0;text-transform:none;"
          "font:bold 12px/16px Arial,sans-serif;border:1px solid #ffffff;")
_FOLLOWED, _NOT_FOLLOWED = "background:#8a1c1c;color:#ffffff;", "background:#ece8e1;color:#3d4750;"
_NUMBER = ("display:inline-block;min-width:14px;margin:0 6px 0 -3px;padding:0 2px;border-radius:8px;text-align:center;"
           "background:#ffffff;color:#3d1010;font:bold 11px/14px Arial,sans-serif;")
_LONGEST_LABEL = 80
# What may not stand in a letter that staff look at in the dashboard, whatever an appeal's folder says.
_DEAD = ("script", "iframe", "object", "embed", "form", "base", "link", "frame", "frameset", "portal")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A link of the letter, and what became of it."""

    number: int
    """As on its badge; 0 when it does not stand in this form of the letter."""
    label: str
    """The words, or the picture's description, that lead there; may be empty."""
    link: Link
    share: float | None
    """Of the letters in which a person followed any link, those in which this one was; None while there are none."""
    places: int
    """How often the link stands in the letter: which of the places was clicked cannot be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    """The letter with its badges, and the same as a list."""

    html: str
    """The whole document; its links lead nowhere."""
    spots: tuple[Spot, ...]
    """Every link that stands in the letter or was followed, most people first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nameless:
    """A letter without anybody's words."""

    html: str
    others: int
    """Other forms of the letter, for other supporters; they are not shown."""


def nameless(connection: Connection, mailing_id: int) -> Nameless | None:
    """The form of a letter that most messages have, with nobody's words in it; None when no two share a form."""
    counted = select(messages.c.shape_id, func.count().label("n")).where(
        messages.c.mailing_id == mailing_id).group_by(messages.c.shape_id).subquery()
    found = connection.execute(
        select(counted.c.shape_id).join(shapes_table, shapes_table.c.id == counted.c.shape_id)
        .where(~shapes_table.c.private).order_by(counted.c.n.desc(), counted.c.shape_id).limit(1)).scalar_one_or_none()
    if found is None:
        return None
    others = connection.execute(select(func.count()).select_from(shapes_table).where(
        shapes_table.c.mailing_id == mailing_id, shapes_table.c.id != found)).scalar_one()
    shape = shapes.get(connection, found)
    return Nameless(html=blanked(shape, _somebodys(connection, mailing_id, found)), others=int(others))


def blanked(shape: Shape, values: Sequence[str]) -> str:
    """A form of a letter with ``…`` for words, and links as they count: without what is one supporter's own.

    Args:
        values: any supporter's; of these only where links lead is used, without key, code, query and address.
    """
    links: list[str] = [BLANK, _NOBODYS_KEY]
    tokens = []
    for token in shape.tokens:
        if token.place is Place.URL_START:
            said = values[token.value] if token.value < len(values) else ""
            links.append(_bare(said))
            tokens.append(replace(token, value=len(links) - 1))
        else:
            tokens.append(replace(token, value=1 if token.place is Place.URL else 0))
    return body(replace(shape, id=f"{shape.id}-nameless", tokens=tuple(tokens)), links).html


def followers(connection: Connection, mailing_id: int) -> int:
    """In how many letters a person followed any link, of supporters who agreed to tracking."""
    wanted = Mark.CLICKED_HUMAN | Mark.TRACKED
    found = tallies.of(connection, mailing_id, Facet.RESPONSES)[Facet.RESPONSES]
    return sum(n for key, n in found.items() if int(key) & wanted == wanted)


def draw(html: str, links: Sequence[Link], clicked: int, donation_pages: Collection[str] = ()) -> Map:
    """Lay a badge beside each link.

    Args:
        html: a letter without anybody's words.
        links: what was followed (``details.links``).
        clicked: letters in which a person followed any link.
        donation_pages: where the letter's own donate link led (``details.donation_pages``): what is noted under these
            names was clicked there.
    """
    document = quiet(html)
    anchors: dict[str, list[Any]] = {}
    for anchor in document.iter("a"):
        href = (anchor.get("href") or "").strip()
        if re.match(r"https?://", href, re.IGNORECASE):
            anchors.setdefault(words.link(href), []).append(anchor)
        _still(anchor)
    links = _at_the_door(links, anchors, donation_pages, clicked)
    known = {link.link: link for link in links}
    every = [known.get(name) or Link(link=name, human=0, scanner=0) for name in anchors]
    every += [link for link in links if link.link not in anchors]
    ordered = sorted(every, key=lambda link: (-link.human, -link.scanner))  # else as they stand in the letter
    spots, number = [], 0
    for link in ordered:
        places = anchors.get(link.link, [])
        number += bool(places)
        share = link.human / clicked if clicked else None
        spots.append(Spot(number=number if places else 0, label=_label(places), link=link, share=share,
                          places=len(places)))
        for anchor in places:
            _mark(anchor, spots[-1])
    return Map(html=_written(document), spots=tuple(spots))


def _at_the_door(links: Sequence[Link], anchors: Collection[str], pages: Collection[str], clicked: int) -> list[Link]:
    """The links, with those to which our donate link led as that one."""
    door = words.DONATE_DOOR
    led = [link for link in links if link.link in pages and link.link not in anchors] if door in anchors else []
    if not led:
        return list(links)
    # Who followed it before and after its page was changed is told under both.
    whole = Link(link=door, human=min(sum(link.human for link in led), clicked),
                 scanner=sum(link.scanner for link in led), clicks_human=sum(link.clicks_human for link in led),
                 clicks_scanner=sum(link.clicks_scanner for link in led))
    return [whole, *(link for link in links if link not in led)]


def inert(html: str) -> str:
    """A letter whose links lead nowhere: looking at a supporter's copy does nothing in their name."""
    document = quiet(html)
    for anchor in document.iter("a", "area"):
        _still(anchor)
    return _written(document)


def quiet(html: str) -> Any:
    """A letter as a tree, without what acts by itself."""
    import lxml.html

    document: Any = lxml.html.document_fromstring(html or "<p></p>")
    for element in list(document.iter(*_DEAD)):
        element.drop_tree()
    for element in document.iter():
        own: Any = element.attrib  # its names may be bytes, say lxml's types; of a parsed document they never are
        if element.tag == "meta" and own.get("http-equiv", "").strip().lower() != "content-type":
            own.pop("http-equiv", None)
        for name in [name for name in own if name.lower().startswith("on")]:
            del own[name]
    return document


def _written(document: Any) -> str:
    import lxml.html

    return str(lxml.html.tostring(document, encoding="unicode", doctype="<!DOCTYPE html>"))


def _still(anchor: Any) -> None:
    for name in ("href", "target", "ping", "download"):
        anchor.attrib.pop(name, None)


def _mark(anchor: Any, spot: Spot) -> None:
    from lxml.html.builder import SPAN

    followed = bool(spot.link.human)
    text = f"{spot.link.human:,}"
    if followed and spot.share is not None:
        text += f" · {words.percent(spot.share)}"
    number = SPAN(str(spot.number), style=_NUMBER)
    number.tail = text
    badge = SPAN(number, style=_BADGE + (_FOLLOWED if followed else _NOT_FOLLOWED), title=_title(spot))
    anchor.append(badge)


def _title(spot: Spot) -> str:
    people = f"{spot.link.human:,} {'person' if spot.link.human == 1 else 'people'} followed this link"
    if spot.places > 1:
        people += f", which stands here {spot.places} times"
    return f"{people}. {spot.link.link}"


def _label(places: Sequence[Any]) -> str:
    for anchor in places:
        says = " ".join(anchor.text_content().split())
        if not says:
            says = " ".join(" ".join(image.get("alt") or "" for image in anchor.iter("img")).split())
        if says:
            return says if len(says) <= _LONGEST_LABEL else says[:_LONGEST_LABEL - 1].rstrip() + "…"
    return ""


def _bare(url: str) -> str:
    """Where a link leads, with a key that is nobody's where there was one."""
    scheme = re.match(r"https?://", url)
    if not scheme:
        return ""
    return scheme.group() + folded(url).replace("…", _NOBODYS_KEY)


def _somebodys(connection: Connection, mailing_id: int, shape_id: int) -> Sequence[str]:
    packed = connection.execute(
        select(message_values.c["values"]).join(messages, messages.c.id == message_values.c.message_id)
        .where(messages.c.mailing_id == mailing_id, messages.c.shape_id == shape_id, messages.c.address != "")
        .limit(1)).scalar_one_or_none()
    return letters.unpack_values(packed) if packed else ()
