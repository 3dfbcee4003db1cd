"""Whoever waits for a provider is told so, in its own words."""

from __future__ import annotations

import pytest

from pillarbox.mailings import control
from pillarbox.model.records import Result, Unit
from pillarbox.model.states import Verdict
from pillarbox.runner.local import Run
from pillarbox.store.project import Project
from tests.mailings.conftest import Scripted, dispatch, planned, project, saying

__all__ = ["project"]


@pytest.mark.parametrize(("words", "seconds", "told"), [
    ("SendGrid answered 429: too many requests.", 3_600.0,
     "SendGrid answered 429: too many requests. It is asked again in 60 min"),
    ("SendGrid could not be reached: no such host.", 10.0,
     "SendGrid could not be reached: no such host. It is asked again"),
])
def test_a_wait_for_the_provider_is_told_once(project: Project, words: str, seconds: float, told: str) -> None:
    """Not a progress bar that stands still for an hour: why, and when it goes on."""
    mailing = planned(project)
    heard: list[str] = []

    def busy(unit: Unit) -> Result:
        return saying(Verdict.RETURNED, words, wait_seconds=seconds)(unit)

    def hear(why: str) -> None:
        heard.append(why)
        control.pause(project, mailing.name, reason="seen")

    Run(dispatch=dispatch(project, mailing, Scripted(answer=busy)), on_trouble=hear)(1)
    assert heard == [told]
