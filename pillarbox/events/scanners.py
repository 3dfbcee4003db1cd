"""Which clicks a link scanner made: a rule over one message's clicks and deliveries.

Mail gateways follow every link of a letter before, or right after, they let it through. Such clicks look like a
person's to the provider. Two signs, stated in docs/events-and-donations.md:

* a **burst**: at least ``BURST_LINKS`` different links of one message within ``BURST_SECONDS``;
* **too soon**: a click from ``BEFORE_SECONDS`` before the delivery was reported to ``AFTER_SECONDS`` after it.

The rule only ever adds the tag as more events come in, so the order in which they come cannot matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

# Nobody opens three different links of a letter within two seconds; providers report whole seconds.
BURST_LINKS = 3
BURST_SECONDS = 2
# A gateway checks the links while the message waits at its door, so its clicks may precede the delivery.
BEFORE_SECONDS = 10
AFTER_SECONDS = 3


# What programs that follow links by themselves call themselves; browsers hold none of these words.
_MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|fetch|monitor|headless|curl|wget|python|java/|okhttp|go-http|libwww|"
    r"httpclient|axios|node|ruby|perl|php|facebookexternalhit|whatsapp|proofpoint|barracuda|mimecast", re.IGNORECASE)


def calls_itself_a_machine(user_agent: str) -> bool:
    """Whether a visitor's program says that it is none that a person reads with; one without a name is none either."""
    return not user_agent.strip() or _MACHINES.search(user_agent) is not None


class Click(NamedTuple):
    """One click on one message's link."""

    id: int
    at: datetime
    url: str


def by_machine(clicks: Sequence[Click], delivered: Collection[datetime]) -> set[int]:
    """The ids of those clicks of one message that a machine made."""
    return _in_a_burst(clicks) | _too_soon(clicks, delivered)


def _in_a_burst(clicks: Sequence[Click]) -> set[int]:
    if len(clicks) < BURST_LINKS:
        return set()
    ordered = sorted(clicks, key=lambda click: click.at)
    window = timedelta(seconds=BURST_SECONDS)
    found: set[int] = set()
    end = 0
    for start, first in enumerate(ordered):
        while end < len(ordered) and ordered[end].at - first.at <= window:
            end += 1
        together = ordered[start:end]
        if len({click.url for click in together}) >= BURST_LINKS:
            found |= {click.id for click in together}
    return found


def _too_soon(clicks: Sequence[Click], delivered: Collection[datetime]) -> set[int]:
    before, after = timedelta(seconds=BEFORE_SECONDS), timedelta(seconds=AFTER_SECONDS)
    return {click.id for click in clicks if any(moment - before <= click.at <= moment + after for moment in delivered)}
