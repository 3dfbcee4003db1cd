"""Never twice a day: from when on it counts."""

from __future__ import annotations

from datetime import timedelta

from pillarbox.ground import clock
from pillarbox.model.states import Verdict
from pillarbox.people import frequency
from pillarbox.store import mailings
from pillarbox.store.project import Project
from tests.mailings.conftest import Scripted, planned, saying
from tests.mailings.launching import live, sending, until_it_waits


def test_the_span_counts_from_when_a_mailing_leaves(project: Project) -> None:
    """Planned today to leave the day after tomorrow, it keeps nobody out for what they got today."""
    first = live(project, planned(project))
    until_it_waits(sending(project, first, Scripted(answer=saying(Verdict.ACCEPTED)), now=True))
    second = live(project, planned(project, again="second"))
    for hours, kept_out in ((None, True), (1, True), (48, False), (-1, True)):
        with project.store.writing() as connection:
            mailings.change(connection, second.id,
                            send_at=None if hours is None else clock.now() + timedelta(hours=hours))
        with project.store.reading() as connection:
            recent = frequency.of_mailing(connection, second.id)
        assert (recent is not None and recent.since <= clock.now()) is kept_out
