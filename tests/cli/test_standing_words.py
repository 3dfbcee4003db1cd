"""What the screen says of mailings that wait, and while one waits."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from pillarbox.cli import departures, printing
from pillarbox.ground import clock
from pillarbox.mailings import outlook
from pillarbox.model.states import MailingState
from pillarbox.store.project import Project
from tests.mailings.walking import DECEMBER, added, approve, folder, mailing_of, tick
from tests.mailings.walking import small_project as small_project


def test_what_a_schedule_planned_says_that_it_needs_an_approval(project: Project) -> None:
    """Before its time and at it, in practice too; once approved it just waits."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    for hours in (30, 0):
        with clock.freeze(DECEMBER - timedelta(hours=hours)):
            words = outlook.said(project, mailing_of(project))
        assert "nobody has approved it" in words
        assert "A worker takes it up" not in words
    approve(project, DECEMBER - timedelta(hours=20))
    with clock.freeze(DECEMBER - timedelta(hours=19)):
        words = outlook.said(project, mailing_of(project))
    assert "as its schedule says." in words
    assert "nobody has approved" not in words


def test_a_held_mailing_is_not_offered_back_when_it_is_too_late(project: Project) -> None:
    """In the last ten minutes SendGrid takes nothing back, and the screen does not say that it does."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    held = replace(mailing_of(project), state=MailingState.HELD, send_at=DECEMBER, provider_batch="one")
    for minutes, offered in ((11, True), (9, False)):
        with clock.freeze(DECEMBER - timedelta(minutes=minutes)):
            assert ("pillarbox cancel" in outlook.said(project, held)) is offered
    begun = replace(held, state=MailingState.PLANNED, started_at=DECEMBER)
    assert departures.state_words(begun) == "begun, and waits to go on"


def test_a_countdown_draws_lines_that_do_not_wrap(monkeypatch: pytest.MonkeyPatch,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence once, as long as it may be; then only the seconds, in place."""
    screen = io.StringIO()
    monkeypatch.setattr(printing, "_errors", Console(file=screen, force_terminal=True, width=80, highlight=False))
    printing.count_down(1.2, f"{'a-long-name-' * 9} leaves in {{seconds}} s.", threading.Event())
    assert " ".join(screen.getvalue().split()).count("leaves in 2 s.") == 1
    drawn = capsys.readouterr().err.split("\r")  # Click leaves codes out where there is no terminal
    assert [line.strip() for line in drawn if line.strip()] == ["2 s", "1 s"]
