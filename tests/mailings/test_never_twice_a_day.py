"""A supporter gets at most one mailing within the span, whichever way two mailings meet."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from pillarbox.ground import address, clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import control, live, planning
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.records import Unit
from pillarbox.model.states import Basis, Verdict
from pillarbox.people import frequency
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.runner.local import Run
from pillarbox.store import schema
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from tests import projects
from tests.mailings.conftest import CROWD, Scripted, saying

EVERYONE = sorted(f"supporter{number}@example.org" for number in range(CROWD))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A live project: what speaks against sending to people is switched off, and nothing here really sends."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    monkeypatch.setattr(live, "refuse", lambda _: [])
    monkeypatch.setattr(address, "is_reserved", lambda _: False)
    made = projects.make(tmp_path / "project", transport="sendgrid")
    for slug, kind in (("spring", "appeal"), ("summer", "newsletter"), ("thanks", "service")):
        folder = made.folder / "appeals" / slug
        folder.mkdir()
        (folder / "appeal.toml").write_text(projects.APPEAL.replace('"appeal"', f'"{kind}"'), "utf-8")
        (folder / "letter.md").write_text(projects.LETTER, "utf-8")
    opened = open_project(made.folder)
    assert not opened.settings.practice
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(CROWD))
    import_list(opened.store, secret=opened.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    yield opened
    opened.close()


def plan(project: Project, slug: str, **more: object) -> Mailing:
    """Plan one of the appeals to everyone, approved."""
    wish = planning.Wish(appeal=slug, rule=Rule(lists=("all",)), **more)  # type: ignore[arg-type]
    mailing = planning.plan(project, wish).mailing
    return control.approve(project, mailing.name, by="Ada")


def ready(project: Project, mailing: Mailing, transport: Scripted) -> Dispatch:
    """Start it."""
    return Dispatch.of(project, control.start(project, mailing.name, actor="test"), transport)


def send(project: Project, mailing: Mailing, verdict: Verdict = Verdict.ACCEPTED) -> list[str]:
    """Send it; who was in it."""
    transport = Scripted(answer=saying(verdict))
    Run(dispatch=ready(project, mailing, transport))(1)
    return sorted(transport.addresses)


def details(project: Project, mailing: Mailing) -> Counter[str]:
    """The reasons of those who were withdrawn."""
    with project.store.reading() as connection:
        return Counter(connection.execute(select(schema.messages.c.detail).where(
            schema.messages.c.mailing_id == mailing.id, schema.messages.c.state == "withdrawn")).scalars())


def test_who_was_just_mailed_is_left_out_and_counted(project: Project) -> None:
    """Of two who are new since, only these are planned; after the span, everyone."""
    send(project, plan(project, "spring"))
    with project.store.writing() as connection:
        first = connection.execute(select(schema.messages.c.id).order_by(schema.messages.c.id).limit(2)).scalars().all()
        connection.execute(schema.messages.update().where(schema.messages.c.id.in_(first)).values(state="failed"))
    summer = plan(project, "summer")
    assert (summer.planned, dict(summer.excluded)) == (2, {"recently-mailed": CROWD - 2})
    assert summer.audience_size == CROWD
    assert summer.span_hours == 20
    with clock.freeze(clock.now() + timedelta(hours=20, minutes=5)):
        assert plan(project, "summer").planned == CROWD


def test_nobody_left_is_said_with_the_reason(project: Project) -> None:
    """A plan for people who all had a letter an hour ago."""
    send(project, plan(project, "spring"))
    with pytest.raises(Refused, match="100 recently-mailed"):
        plan(project, "summer")


@pytest.mark.parametrize(("span", "kept_out"), [(0.0, 0), (2.0, 0), (4.0, CROWD)])
def test_staff_may_say_otherwise_when_they_plan(project: Project, span: float, kept_out: int) -> None:
    """``--span HOURS``; 0 is off. It is kept with the mailing and holds at the claim as well."""
    send(project, plan(project, "spring"))
    with clock.freeze(clock.now() + timedelta(hours=3)):
        if kept_out:
            with pytest.raises(Refused, match="recently-mailed"):
                plan(project, "summer", span_hours=span)
            return
        summer = plan(project, "summer", span_hours=span)
        assert summer.span_hours == span
        assert send(project, summer) == EVERYONE


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.UNKNOWN])
def test_another_mailing_between_plan_and_claim_is_seen(project: Project, verdict: Verdict) -> None:
    """Sent, or maybe sent: those people are withdrawn with the reason."""
    spring, summer = plan(project, "spring"), plan(project, "summer")
    send(project, spring, verdict)
    assert send(project, summer) == []
    assert details(project, summer) == {"recently-mailed": CROWD}
    assert status(project, summer.name).withdrawn == CROWD


def test_status_counts_who_was_left_out_at_the_claim(project: Project) -> None:
    """With the reason, as the plan does: staff see where the numbers went."""
    spring, summer = plan(project, "spring"), plan(project, "summer")
    send(project, spring)
    send(project, summer)
    found = status(project, summer.name)
    assert found.withdrawn == CROWD
    assert found.to_json()["left_out"] == {"recently-mailed": CROWD}


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.RETURNED])
def test_who_did_not_get_it_is_not_held_back(project: Project, verdict: Verdict) -> None:
    """Failed, or planned again: nothing has reached them."""
    spring, summer = plan(project, "spring"), plan(project, "summer")
    submit(ready(project, spring, Scripted(answer=saying(verdict), unit=1_000)))
    assert send(project, summer) == EVERYONE


def test_service_letters_neither_count_nor_are_held(project: Project) -> None:
    """A thank-you goes on the day of an appeal, and an appeal on the day of a thank-you."""
    assert send(project, plan(project, "thanks")) == EVERYONE
    assert send(project, plan(project, "spring")) == EVERYONE
    assert send(project, plan(project, "thanks", again="second")) == EVERYONE


def test_practice_neither_counts_nor_is_held(project: Project) -> None:
    """What reached nobody holds nobody back, and may be tried as often as one likes."""
    spring, summer = plan(project, "spring"), plan(project, "summer")
    with project.store.writing() as connection:
        connection.execute(schema.mailings.update().where(schema.mailings.c.id == spring.id).values(practice=True))
    assert send(project, spring) == EVERYONE
    assert send(project, summer) == EVERYONE
    with project.store.writing() as connection:
        assert frequency.of_mailing(connection, spring.id) is None


def test_another_edition_of_the_same_appeal_is_another_mailing(project: Project) -> None:
    """``--again`` on the same day is held back too."""
    send(project, plan(project, "spring"))
    with pytest.raises(Refused, match="recently-mailed"):
        plan(project, "spring", again="second")


def test_a_mailing_that_ended_long_ago_costs_nothing(project: Project) -> None:
    """Sent or cancelled before the span: it is not even looked at."""
    send(project, plan(project, "spring"))
    summer = plan(project, "summer", span_hours=0)
    submit(ready(project, summer, Scripted(answer=saying(Verdict.ACCEPTED))))
    control.cancel(project, summer.name, reason="wrong picture")
    with clock.freeze(clock.now() + timedelta(hours=30)):
        again = plan(project, "spring", again="second")
        with project.store.reading() as connection:
            assert frequency.of_mailing(connection, again.id) is None
        assert again.planned == CROWD


def test_two_mailings_at_the_same_moment(project: Project) -> None:
    """Two senders with two threads each, in small batches: everyone gets exactly one of the two letters."""
    chosen = [plan(project, slug) for slug in ("spring", "summer")]
    transports = [Scripted(answer=saying(Verdict.ACCEPTED), unit=4) for _ in chosen]
    runs = [Run(dispatch=ready(project, mailing, transport))
            for mailing, transport in zip(chosen, transports, strict=True)]
    together = threading.Barrier(len(runs))

    def go(run: Run) -> None:
        together.wait()
        run(2)

    threads = [threading.Thread(target=go, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(transports[0].addresses + transports[1].addresses) == EVERYONE
    for mailing, transport in zip(chosen, transports, strict=True):
        found = status(project, mailing.name)
        assert (found.accepted, found.remaining) == (len(transport.addresses), 0)
        assert details(project, mailing) == Counter({"recently-mailed": CROWD - found.accepted})


def test_a_mailing_that_starts_while_another_claims(project: Project) -> None:
    """PostgreSQL: it waits for the claims that could not know of it yet."""
    spring, summer = plan(project, "spring"), plan(project, "summer")
    one = ready(project, spring, Scripted(answer=saying(Verdict.ACCEPTED)))
    began, started = threading.Event(), threading.Event()

    def start() -> None:
        began.set()
        control.start(project, summer.name, actor="test")
        started.set()

    other = threading.Thread(target=start)
    with project.store.writing() as connection:
        assert frequency.of_mailing(connection, one.mailing.id, claiming=True) is None
        other.start()
        began.wait()
        assert not started.wait(0.3)
    other.join()
    assert started.is_set()


def test_a_claim_in_flight_counts(project: Project) -> None:
    """On its way is as good as sent: the other mailing does not wait for its answer."""
    spring, summer = plan(project, "spring"), plan(project, "summer")
    second = ready(project, summer, Scripted(answer=saying(Verdict.ACCEPTED)))

    def answer(unit: Unit) -> object:
        submit(second)
        return saying(Verdict.ACCEPTED)(unit)

    first = Scripted(answer=answer, unit=1_000)  # type: ignore[arg-type]
    Run(dispatch=ready(project, spring, first))(1)
    Run(dispatch=second)(1)
    assert sorted(first.addresses + second.transport.addresses) == EVERYONE  # type: ignore[attr-defined]
