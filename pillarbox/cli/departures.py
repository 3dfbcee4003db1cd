"""What `send --at` and `status` say of mailings that leave later, and of those who see to it."""

from __future__ import annotations

import time
from collections.abc import Callable

import click
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from pillarbox.cli import printing
from pillarbox.mailings.status import Status
from pillarbox.model.states import MailingState
from pillarbox.reports import words
from pillarbox.store import workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

WATCH_SECONDS = 1.0
at_option = click.option("--at", "at", metavar="WHEN",
                         help='A worker sends it then, in the charity\'s zone: "10 Dec 2026 08:00".')
hold_option = click.option("--hold-at-sendgrid", "hold", is_flag=True,
                           help="With --at: hand it over now; SendGrid keeps it until then (72 hours at most).")


def state_words(mailing: Mailing) -> str:
    """A mailing's state, as `status` says it."""
    return words.state_of(mailing.state, begun=mailing.started_at is not None)


def attended(project: Project) -> bool:
    """Whether a worker is there to go on with what is left."""
    with project.store.reading() as connection:
        return bool(workers.present(connection))


def watch(look: Callable[[], Status], draw: Callable[[Status], None], *, as_json: bool) -> None:
    """Show where a mailing stands until it has ended, redrawn on a terminal; Ctrl-C ends the watching alone."""
    ends = (MailingState.SENT, MailingState.CANCELLED)
    try:
        if as_json or not printing.console.is_terminal:
            _lines(look, ends, as_json=as_json)
            return
        # A console of its own: Live adds its picture to whatever its console prints, captured or not.
        with Live(console=Console(highlight=False), auto_refresh=False, transient=True) as live:
            while (found := look()).mailing.state not in ends:
                with printing.console.capture() as drawn:
                    draw(found)
                live.update(Text.from_ansi(drawn.get(), no_wrap=True, overflow="crop"), refresh=True)
                time.sleep(WATCH_SECONDS)
        draw(found)
    except KeyboardInterrupt:
        return


def _lines(look: Callable[[], Status], ends: tuple[MailingState, ...], *, as_json: bool) -> None:
    """A line for each change."""
    before: dict[str, object] = {}
    while True:
        found = look()
        told = found.to_json()
        if told != before:
            before = told
            if as_json:
                printing.json_line(told)
            else:
                printing.say(f"{escape(found.mailing.name)}: {found.mailing.state.value}, {found.accepted:,} of "
                             f"{found.mailing.planned:,} handed over, {found.remaining:,} to go, {found.in_doubt:,} in "
                             "doubt")
        if found.mailing.state in ends:
            return
        time.sleep(WATCH_SECONDS)
