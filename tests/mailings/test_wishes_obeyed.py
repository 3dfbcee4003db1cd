"""What supporters ask on their own pages holds at the plan, and for a letter that was planned before they asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from pillarbox.events import leaving
from pillarbox.ground import clock
from pillarbox.mailings import control, planning
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import Dispatch
from pillarbox.model.sections import PreferenceSettings
from pillarbox.model.states import Basis, Frequency, MessageState, Verdict
from pillarbox.people import preferences
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.people.preferences import Chosen, Fewer
from pillarbox.runner.local import Run
from pillarbox.store import schema, wishes
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from pillarbox.store.wishes import Wish
from tests import projects
from tests.mailings.conftest import CROWD, Scripted, saying

OPEN = PreferenceSettings(lists={"all": "All our letters"})
EVERYTHING = Chosen(frequency=Frequency.EVERYTHING, paused_until=None, offered=frozenset(), lists=frozenset(),
                    tracking=None)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A practice project with an appeal and a newsletter."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    made = projects.make(tmp_path / "project")
    for slug, kind in (("spring", "appeal"), ("news", "newsletter")):
        folder = made.folder / "appeals" / slug
        folder.mkdir()
        (folder / "appeal.toml").write_text(projects.APPEAL.replace('"appeal"', f'"{kind}"'), "utf-8")
        (folder / "letter.md").write_text(projects.LETTER, "utf-8")
    opened = open_project(made.folder)
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(CROWD))
    import_list(opened.store, secret=opened.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    yield opened
    opened.close()


def plan(project: Project, slug: str) -> Mailing:
    """Plan one of them to everyone."""
    return planning.plan(project, planning.Wish(appeal=slug, rule=Rule(lists=("all",)))).mailing


def send(project: Project, mailing: Mailing) -> int:
    """Send it; to how many."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    Run(dispatch=Dispatch.of(project, control.start(project, mailing.name, actor="test"), transport))(1)
    return len(transport.addresses)


def keys(project: Project, mailing: Mailing) -> list[str]:
    """Of its letters."""
    with project.store.reading() as connection:
        return list(connection.execute(select(schema.messages.c.key).where(
            schema.messages.c.mailing_id == mailing.id).order_by(schema.messages.c.id)).scalars())


def wish(connection: Connection, number: int, asked: Wish) -> None:
    """What one of the crowd asks for."""
    wishes.keep(connection, number, asked, clock.now())


def test_a_plan_leaves_them_out_and_counts_them(project: Project) -> None:
    """Each with the reason; the newsletter goes to those who want newsletters only."""
    with project.store.writing() as connection:
        for number in (1, 2, 3):
            wish(connection, number, Wish(frequency=Frequency.NEWSLETTERS))
        for number in (4, 5):
            wish(connection, number, Wish(paused_until=clock.now() + timedelta(days=1)))
    spring, news = plan(project, "spring"), plan(project, "news")
    assert (spring.planned, dict(spring.excluded)) == (CROWD - 5, {"newsletters-only": 3, "paused": 2})
    assert (news.planned, dict(news.excluded)) == (CROWD - 2, {"paused": 2})
    assert spring.audience_size == news.audience_size == CROWD


def test_what_they_ask_after_the_plan_withdraws_their_letter(project: Project) -> None:
    """On an earlier letter’s pages: a pause, newsletters only, a list left, all left, and thinking better of it."""
    before = plan(project, "news")
    assert send(project, before) == CROWD
    key, settings = keys(project, before), OPEN
    mailing = plan(project, "spring")
    later = clock.today("Europe/London") + timedelta(days=30)
    preferences.save(project.store, key[0], Chosen(
        frequency=Frequency.EVERYTHING, paused_until=later, offered=frozenset(), lists=frozenset(), tracking=None),
        settings)
    preferences.save(project.store, key[1], Chosen(
        frequency=Frequency.NEWSLETTERS, paused_until=None, offered=frozenset(), lists=frozenset(), tracking=None),
        settings)
    preferences.save(project.store, key[2], Chosen(
        frequency=Frequency.EVERYTHING, paused_until=None, offered=frozenset({"all"}), lists=frozenset(),
        tracking=None), settings)
    leaving.leave(project.store, key[3], secret=project.secret)
    undo = leaving.leave(project.store, key[4], secret=project.secret).undo
    preferences.fewer(project.store, key[4], undo, Fewer.PAUSE, frozenset(), settings)
    undo = leaving.leave(project.store, key[5], secret=project.secret).undo
    preferences.undo(project.store, key[5], undo, settings)
    assert send(project, mailing) == CROWD - 5
    with project.store.reading() as connection:
        reasons = Counter(connection.execute(select(schema.messages.c.detail).where(
            schema.messages.c.mailing_id == mailing.id,
            schema.messages.c.state == MessageState.WITHDRAWN)).scalars())
    assert reasons == {"paused": 2, "newsletters-only": 1, "left-list": 1, "unsubscribed": 1}
    shown = status(project, mailing.name)
    assert shown.withdrawn == 5
    assert shown.accepted == CROWD - 5


def test_who_asks_for_everything_again_gets_it(project: Project) -> None:
    """A wish that was taken back holds nobody out."""
    mailing = plan(project, "spring")
    key = keys(project, mailing)[0]
    preferences.save(project.store, key, Chosen(
        frequency=Frequency.NEWSLETTERS, paused_until=None, offered=frozenset(), lists=frozenset(), tracking=None),
        OPEN)
    preferences.save(project.store, key, EVERYTHING, OPEN)
    assert send(project, mailing) == CROWD
