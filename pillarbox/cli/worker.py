"""worker: does what is due, for as long as it runs."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click

from pillarbox.cli import printing
from pillarbox.cli.opening import logging_from, opened
from pillarbox.ground import clock


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, to its end, and exit: for a timer.")
@click.option("--metrics-port", type=click.IntRange(1, 65_535), metavar="PORT",
              help="Answer Prometheus at this port of this machine.")
@printing.json_option
@click.pass_context
def worker(ctx: click.Context, once: bool, metrics_port: int | None, as_json: bool) -> None:
    """Send what is due: what waits for its time, what was left over.

    Ctrl-C ends it: what is on its way finishes, nothing new starts. Two workers by mistake do no harm.
    """
    from pillarbox.mailings import gauges
    from pillarbox.runner import choose

    say = _line if as_json else _say
    with opened(ctx) as project, ExitStack() as stack:
        if project.store.closed is not None:  # a copy sends nothing
            raise project.store.closed
        if not once:
            logging_from(project.settings)
        if metrics_port:
            stack.enter_context(gauges.serve_metrics(metrics_port, project.store, project.settings))
        loop = choose.loop(project, say=(lambda _words: None) if as_json and once else say, once=once)
        with _draining(loop.stopping):
            if once:
                ticked = loop.once()
                if as_json:
                    printing.as_json({**ticked.to_json(), "did": loop.did})
                elif not loop.did and not ticked.faults:
                    printing.say("Nothing is due.")
                return
            say(f"Working for {project.settings.sender.name or project.id}; Ctrl-C ends it.")
            loop()
            say("Ended; nothing is half done.")


def _say(words: str) -> None:
    click.echo(f"{clock.now():%Y-%m-%d %H:%M:%S} UTC  {words}")
    sys.stdout.flush()


def _line(words: str) -> None:
    printing.json_line({"at": clock.now(), "said": words})


@contextmanager
def _draining(stopping: threading.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C drain; a second Ctrl-C ends at once, as a crash would: the ledger holds."""
    def drain(number: int, _frame: object) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            os.write(2, b"Ended at once. What was on its way is looked into by the next worker.\n")
            os._exit(1)  # an exception would wait for the senders' threads
        stopping.set()

    before = {number: signal.signal(number, drain) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
