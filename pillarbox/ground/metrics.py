"""What this process counts and times, for Prometheus. Each process has its own; Prometheus adds them up.

What the ledger knows (what is left, what is in doubt) is not counted here but asked of it: ``mailings/gauges.py``.
Labels hold words of ours alone, never anything of a person, and few of them: every combination is a series.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each of ours, of which nobody makes use
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

# From the ledger's own few milliseconds to SendGrid's slowest answers.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

MESSAGES = Counter("pillarbox_messages", "Messages settled by this process, by what became of them.",
                   ["verdict", "practice"], registry=REGISTRY)
BATCHES = Counter("pillarbox_batches", "Batches handed to the transport by this process.", ["transport", "practice"],
                  registry=REGISTRY)
SUBMIT_SECONDS = Histogram("pillarbox_submit_seconds", "A batch's claim, outside act and settling.", ["step"],
                           buckets=_SECONDS, registry=REGISTRY)
BURIED = Counter("pillarbox_messages_buried", "Messages whose sender died, found by this process.", ["after"],
                 registry=REGISTRY)
EVENTS = Counter("pillarbox_events", "Events taken in by this process.", ["result"], registry=REGISTRY)
ALARMS = Counter("pillarbox_event_alarms", "Messages that left though the ledger had them as unsent.",
                 registry=REGISTRY)
WEBHOOK_SECONDS = Histogram("pillarbox_webhook_seconds", "From a post of events to its answer.", buckets=_SECONDS,
                            registry=REGISTRY)
WEBHOOK_FAILURES = Counter("pillarbox_webhook_failures", "Posts of events that were not taken in.", ["reason"],
                           registry=REGISTRY)
SIGN_UPS_LIMITED = Counter("pillarbox_sign_ups_limited", "Sign-ups turned away since there were too many.", ["limit"],
                           registry=REGISTRY)
NOTICES = Counter("pillarbox_notice_mails", "Mails to staff with notices.", ["result"], registry=REGISTRY)
GIFTS = Counter("pillarbox_donations", "Donations written down by this process.", ["result"], registry=REGISTRY)


@dataclass(slots=True)
class Watch:
    """How long something took."""

    seconds: float = 0.0


@contextmanager
def timed(histogram: Histogram) -> Iterator[Watch]:
    """Time the block, into the histogram (of one set of labels) and into the watch."""
    watch, since = Watch(), time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - since
        histogram.observe(watch.seconds)


def count(counter: Counter, numbers: Mapping[str, int], **labels: str) -> None:
    """Add what is not 0: the counter's first label is the mapping's key, the others are given by name."""
    first, *others = counter._labelnames
    for name, number in numbers.items():
        if number:
            counter.labels(**{first: name}, **{each: labels[each] for each in others}).inc(number)
