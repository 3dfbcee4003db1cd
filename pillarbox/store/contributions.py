"""What one message adds to its mailing's counts: a pure function of its own events, its tracking and its outcome.

Messages are counted, not events: someone who opens a letter five times is one open, in the hour of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntFlag, StrEnum
from functools import lru_cache
from typing import NamedTuple

from pillarbox.model.causes import cause_of, weight
from pillarbox.model.states import RETURNED, Agent, EventKind

DEVICES = ("phone", "tablet", "desktop", "unknown")
"""The words of ``events.devices``; what has none counts as unknown."""


class Mark(IntFlag):
    """What was heard of a message at least once. The first six are kept in a message's own row, with devices above."""

    OPENED = 1
    OPENED_HUMAN = 2
    CLICKED = 4
    CLICKED_HUMAN = 8
    UNSUBSCRIBED = 16
    COMPLAINED = 32
    TRACKED = 64
    """Only in the key of a tally: the supporter agreed to tracking."""
    DELIVERED = 128
    """Only in the key of a tally: the message's outcome."""


class Facet(StrEnum):
    """What a mailing's tallies are kept by: of all messages the first two and the last three, else of tracked ones."""

    RESPONSES = "responses"
    """By ``Mark``s, as a number: messages of which any of the first six was heard."""
    DELIVERED = "delivered"
    """By hour: delivered messages, in the hour of their first delivery."""
    OPENED_HUMAN = "opened-human"
    """By hour: messages that a person opened, in the hour of the first such open."""
    OPENED_MACHINE = "opened-machine"
    """By hour: messages that only machines opened."""
    CLICKED_HUMAN = "clicked-human"
    """By hour: messages in which a person followed a link."""
    LINK_HUMAN = "link-human"
    """By link: messages in which a person followed it."""
    LINK_SCANNER = "link-scanner"
    """By link: messages in which only scanners followed it."""
    CLICKS_HUMAN = "clicks-human"
    """By link: clicks by people."""
    CLICKS_SCANNER = "clicks-scanner"
    """By link: clicks by scanners."""
    OPENED_ON = "opened-on"
    """By device: messages that a person opened on it."""
    CLICKED_ON = "clicked-on"
    """By device: messages in which a person followed a link on it."""
    VARIANT = "variant"
    """By variant of the letter and ``Mark``s (``b 67``): as RESPONSES, where there are variants."""
    RETURNED = "returned"
    """By outcome and cause (``bounced no-mailbox``): messages that did not arrive."""
    RETURNED_FROM = "returned-from"
    """By domain, which may be unknown and empty: the same messages."""


Contribution = dict[tuple[str, str], int]
"""(facet, key) → how many."""

# Plain texts: an enumeration's members are hashed by Python, which would take most of the time of counting.
(_RESPONSES, _DELIVERED, _OPENED_HUMAN, _OPENED_MACHINE, _CLICKED_HUMAN, _LINK_HUMAN, _LINK_SCANNER, _CLICKS_HUMAN,
 _CLICKS_SCANNER, _OPENED_BY, _CLICKED_BY, _VARIANT, _RETURNED, _RETURNED_FROM) = map(str, Facet)

_HEARD = 63
_OPENED_ON = dict(zip(DEVICES, (256, 512, 1024, 2048), strict=True))
_CLICKED_ON = dict(zip(DEVICES, (4096, 8192, 16384, 32768), strict=True))
_CLICKS = Mark.CLICKED | Mark.CLICKED_HUMAN | sum(_CLICKED_ON.values())
_CLICKED_BIT, _CLICKED_HUMAN_BIT = int(Mark.CLICKED), int(Mark.CLICKED_HUMAN)
_UNSUBSCRIBED_BIT, _COMPLAINED_BIT = int(Mark.UNSUBSCRIBED), int(Mark.COMPLAINED)
_NO_CLICKS = ~int(_CLICKS)


class Response(NamedTuple):
    """A row of ``responses``."""

    flags: int = 0
    delivered_hour: int | None = None
    opened_hour: int | None = None
    """By a person."""
    machine_hour: int | None = None
    """Opened by a machine."""
    clicked_hour: int | None = None
    """By a person."""


class Click(NamedTuple):
    """A click as it counts."""

    hour: int
    link: str
    device: str
    human: bool


class Return(NamedTuple):
    """How a message came back."""

    outcome: str
    """One of ``RETURNED``."""
    cause: str
    domain: str
    """Where it was refused; empty when nobody said."""


NOTHING = Response()


def hour_of(at: datetime) -> int:
    """Whole hours since 1970, in UTC."""
    return int(at.timestamp() // 3600)


@lru_cache(maxsize=4096)
def hour_key(hour: int) -> str:
    """An hour as a tally's key: ``2026-11-23 10``, in UTC."""
    return datetime.fromtimestamp(hour * 3600, UTC).isoformat(" ")[:13]


def heard(response: Response, kind: EventKind | str, agent: Agent | str, hour: int, device: str) -> Response:
    """The response after one more event of the message; clicks are told to ``clicked`` all together."""
    flags, delivered, opened, machine, clicks = response
    if kind == EventKind.DELIVERED:
        delivered = hour if delivered is None else min(delivered, hour)
    elif kind == EventKind.OPENED:
        if agent == Agent.HUMAN:
            opened = hour if opened is None else min(opened, hour)
            flags |= 3 | _OPENED_ON.get(device, 2048)  # OPENED and OPENED_HUMAN
        else:
            machine = hour if machine is None else min(machine, hour)
            flags |= 1
    elif kind == EventKind.UNSUBSCRIBED:
        flags |= _UNSUBSCRIBED_BIT
    elif kind == EventKind.COMPLAINED:
        flags |= _COMPLAINED_BIT
    return Response(flags, delivered, opened, machine, clicks)


def clicked(response: Response, clicks: Iterable[Click]) -> Response:
    """The response with these as all of the message's clicks: who clicked may be seen otherwise later."""
    flags, first = response.flags & _NO_CLICKS, None
    for click in clicks:
        flags |= _CLICKED_BIT
        if click.human:
            flags |= _CLICKED_HUMAN_BIT | _CLICKED_ON.get(click.device, 32768)
            first = click.hour if first is None else min(first, click.hour)
    return response._replace(flags=flags, clicked_hour=first)


def came_back(outcome: str, told: Iterable[tuple[str, str, str]]) -> Return | None:
    """How a message came back, by the events that tell of its outcome; None when none does.

    Args:
        outcome: of the message.
        told: kind, reason and domain of its events.
    """
    if outcome not in RETURNED:
        return None
    own = [(cause_of(reason), domain) for kind, reason, domain in told if kind == outcome]
    if not own:
        return None
    # Any order of events gives the same.
    return Return(str(outcome), min((cause for cause, _ in own), key=weight),
                  min((domain for _, domain in own if domain), default=""))


def contribution(response: Response, clicks: Sequence[Click], *, tracked: bool, delivered: bool,
                 variant: str = "", returned: Return | None = None) -> Contribution:
    """What a message adds to its mailing's tallies.

    Args:
        response: what was heard of it.
        clicks: all of its clicks; none when only what else changed is of interest.
        tracked: whether its supporter agreed to tracking.
        delivered: whether its outcome is ``delivered``.
        variant: of the letter; empty where there is only one.
        returned: how it came back, if it did; None also when only what else changed is of interest.
    """
    found: Contribution = {}
    flags = response.flags
    if flags & _HEARD:
        marks = str(flags & _HEARD | tracked << 6 | delivered << 7)
        found[_RESPONSES, marks] = 1
        if variant:
            found[_VARIANT, f"{variant} {marks}"] = 1
    if delivered and response.delivered_hour is not None:
        found[_DELIVERED, hour_key(response.delivered_hour)] = 1
    if returned is not None:
        found[_RETURNED, f"{returned.outcome} {returned.cause}"] = 1
        found[_RETURNED_FROM, returned.domain] = 1
    if not tracked:
        return found
    if response.opened_hour is not None:
        found[_OPENED_HUMAN, hour_key(response.opened_hour)] = 1
    elif response.machine_hour is not None:
        found[_OPENED_MACHINE, hour_key(response.machine_hour)] = 1
    if response.clicked_hour is not None:
        found[_CLICKED_HUMAN, hour_key(response.clicked_hour)] = 1
    if flags > 255:
        for device in DEVICES:
            if flags & _OPENED_ON[device]:
                found[_OPENED_BY, device] = 1
            if flags & _CLICKED_ON[device]:
                found[_CLICKED_BY, device] = 1
    if clicks:
        _add_links(found, clicks)
    return found


def _add_links(found: Contribution, clicks: Sequence[Click]) -> None:
    by_link: dict[str, list[int]] = {}
    for click in clicks:
        by_link.setdefault(click.link, [0, 0])[click.human] += 1
    for link, (scanner, human) in by_link.items():
        found[_LINK_HUMAN if human else _LINK_SCANNER, link] = 1
        if human:
            found[_CLICKS_HUMAN, link] = human
        if scanner:
            found[_CLICKS_SCANNER, link] = scanner


def difference(before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]) -> dict[tuple[str, str],
                                                                                                    int]:
    """What must be added to have ``after`` where ``before`` was; without zeros."""
    return {key: change for key in before.keys() | after.keys()
            if (change := after.get(key, 0) - before.get(key, 0))}


_ADDRESS = re.compile(r"[^\s<>@,;:\"'/]+@[^\s<>@,;:\"'/]+")
_KEY = re.compile(r"(?<=/)[a-z2-7]{30}(?=/|$)")
_TAIL = re.compile(r"[?#]")
_LONGEST_LINK = 500
"""Characters of a link that is counted by: PostgreSQL's indexes take no more than 2,704 bytes."""


@lru_cache(maxsize=4096)
def folded(url: str) -> str:
    """A link without what is one supporter's own (no query, no key, no address) and without what makes no difference.

    The same for every supporter, so that there are as many links as the letter has.
    """
    plain = _TAIL.split(url, maxsplit=1)[0]
    named = _ADDRESS.sub("(address)", _KEY.sub("…", plain)).removeprefix("https://").removeprefix("http://")
    return named[:_LONGEST_LINK].rstrip("/")
