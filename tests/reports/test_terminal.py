"""The report on a terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pillarbox.reports import terminal, words
from pillarbox.reports.across import all_mailings
from pillarbox.reports.report import gather
from pillarbox.store.connect import Store
from tests.reports.builders import Builder
from tests.reports.samples import sample_mailing


def shown(store: Store, out: Console, **more: object) -> None:
    """Print the report of a sample mailing."""
    with store.writing() as connection:
        terminal.show(gather(connection, sample_mailing(connection, 300, **more)), out)  # type: ignore[arg-type]


def test_plain_when_it_is_no_terminal(store: Store) -> None:
    """Into a file or a pipe go words and numbers, no colour codes."""
    target = StringIO()
    shown(store, terminal.console(target))
    assert "\x1b" not in target.getvalue()
    assert "who agreed" in target.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_it_fits(store: Store, width: int) -> None:
    """No line is longer than the terminal is wide, and nothing is cut off."""
    target = StringIO()
    shown(store, Console(file=target, width=width, markup=False, highlight=False))
    assert max(map(len, target.getvalue().splitlines())) <= width
    assert "…" not in target.getvalue()


def test_money_first_and_practice_before_all(store: Store) -> None:
    """The first line says that nobody was mailed; money stands before the rates."""
    target = StringIO()
    shown(store, terminal.console(target), practice=True)
    text = target.getvalue()
    assert text.splitlines()[0].strip() == words.PRACTICE
    assert text.index("raised") < text.index("Delivered")


def test_brackets_in_a_title_are_text(store: Store) -> None:
    """A title is never read as Rich's markup."""
    target = StringIO()
    shown(store, terminal.console(target), title="Article 25 [bold]matters[/bold]")
    assert "Article 25 [bold]matters[/bold]" in target.getvalue()


def test_a_line_for_each_mailing(store: Store) -> None:
    """Without a name every mailing is listed, practice ones marked."""
    target = StringIO()
    with store.writing() as connection:
        sample_mailing(connection, 100)
        sample_mailing(connection, 100, name="rehearsal-20261123", practice=True)
        terminal.show_all(all_mailings(connection), terminal.console(target))
    assert target.getvalue().count("PRACTICE") == 1
    assert "uyghur-freedom-20261123" in target.getvalue()


def test_no_mailings_is_a_sentence(store: Store) -> None:
    """An empty database says that nothing was planned."""
    target = StringIO()
    with store.reading() as connection:
        terminal.show_all(all_mailings(connection), terminal.console(target))
    assert target.getvalue().strip() == "No mailing has been planned yet."


def test_an_empty_mailing_is_shown(store: Store) -> None:
    """A mailing without messages prints."""
    target = StringIO()
    with store.writing() as connection:
        terminal.show(gather(connection, Builder(connection).mailing_id), terminal.console(target))
    assert "£0 raised" in target.getvalue()
