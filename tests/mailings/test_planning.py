"""Nothing can leave until every message of a mailing has been composed and kept."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from pillarbox.ground.errors import LetterError, Refused
from pillarbox.mailings import composing, control, planning
from pillarbox.model.states import MailingState, SuppressionReason, Verdict
from pillarbox.people.audience import Rule
from pillarbox.runner.local import Run
from pillarbox.store import mailings, suppressions
from pillarbox.store.project import Project
from pillarbox.store.schema import mailings as mailings_table
from pillarbox.store.schema import message_values, messages, supporters
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying


def count(project: Project, table: object) -> int:
    """Rows in a table."""
    with project.store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_plan_composes_everyone_once(project: Project) -> None:
    """Each eligible supporter has one message, with a key of its own; the contract's keys are there."""
    plan = planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",))))
    told = plan.to_json()
    assert list(told) == ["mailing", "appeal", "edition", "practice", "audience", "planned", "excluded", "shapes",
                          "slow_path", "content_hash"]
    assert (told["planned"], told["audience"], told["practice"], told["slow_path"]) == (CROWD, CROWD, True, 0)
    with project.store.reading() as connection:
        keys = connection.execute(select(messages.c.key)).scalars().all()
    assert len(set(keys)) == CROWD


def test_those_who_left_are_counted_with_the_reason(project: Project) -> None:
    """planned + excluded = the audience, whatever happened to whom."""
    with project.store.writing() as connection:
        row = connection.execute(select(supporters.c.address_hash).limit(1)).scalar_one()
        suppressions.add(connection, address_hash=row, address=None, reason=SuppressionReason.UNSUBSCRIBED,
                         source="test", since=planning.clock.now())
    mailing = planned(project)
    assert (mailing.planned, mailing.excluded, mailing.audience_size) == (CROWD - 1, {"unsubscribed": 1}, CROWD)


def test_one_fault_in_one_copy_and_nothing_is_planned(project: Project) -> None:
    """The fault names supporter, field, file and line; no message and no mailing stays behind."""
    with project.store.writing() as connection:
        first = connection.execute(select(supporters.c.id).order_by(supporters.c.id).limit(1)).scalar_one()
        connection.execute(supporters.update().where(supporters.c.id != first).values(fields={"town": "Ely"}))
    letter = project.folder / "appeals" / "harbour" / "letter.md"
    letter.write_text("# Hello\n\nDear friend,\n\nCome to {{ supporter.town }} soon.\n", "utf-8")
    with pytest.raises(LetterError) as caught:
        planned(project)
    [finding] = caught.value.findings
    assert finding.file == "appeals/harbour/letter.md"  # type: ignore[attr-defined]
    assert finding.line == 5  # type: ignore[attr-defined]
    assert "town" in finding.message  # type: ignore[attr-defined]
    assert "supporter0@example.org" in finding.message  # type: ignore[attr-defined]
    assert (count(project, messages), count(project, mailings_table)) == (0, 0)


def test_nobody_to_write_to_is_refused(project: Project) -> None:
    """An empty audience is a sentence with its reasons, not a mailing of zero."""
    with project.store.writing() as connection:
        for row in connection.execute(select(supporters.c.address_hash)).scalars().all():
            suppressions.add(connection, address_hash=row, address=None, reason=SuppressionReason.BOUNCED,
                             source="test", since=planning.clock.now())
    with pytest.raises(Refused, match="100 bounced"):
        planned(project)
    assert count(project, mailings_table) == 0


def test_an_unknown_list_is_refused(project: Project) -> None:
    """The sentence names the lists that there are."""
    with pytest.raises(Refused, match="Known lists: all"):
        planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("friends",))))


def test_practice_plans_never_stand_in_each_others_way(project: Project) -> None:
    """Each practice plan is an edition of its own."""
    first, second = planned(project), planned(project)
    assert (first.edition, second.edition) == ("practice-1", "practice-2")
    assert first.name != second.name


def test_the_letter_speaks_of_the_day_that_was_asked_for(project: Project) -> None:
    """``plan --for`` fixes the date, in the name too."""
    mailing = planned(project, for_date=planning.date(2026, 12, 10))
    assert mailing.name == "harbour-20261210"
    assert mailing.for_date.isoformat() == "2026-12-10"


def test_an_edition_reaches_nobody_twice(project: Project) -> None:
    """Cancelled in the middle and planned again: those who were reached keep their letter, the rest get theirs."""
    first = planned(project, again="spring")
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    ready = dispatch(project, first, transport)
    planning_submit(ready)
    control.cancel(project, first.name, reason="wrong picture")
    second = planned(project, again="spring")
    assert second.excluded == {"already-reached": len(transport.addresses)}
    Run(dispatch=dispatch(project, second, transport))(1)
    assert sorted(transport.addresses) == sorted({f"supporter{n}@example.org" for n in range(CROWD)})


def test_an_edition_that_was_sent_is_not_planned_again(project: Project) -> None:
    """Without a new label it is refused, and the sentence says how to go on."""
    first = planned(project, again="spring")
    Run(dispatch=dispatch(project, first, Scripted(answer=saying(Verdict.ACCEPTED))))(1)
    with pytest.raises(Refused, match="--again"):
        planned(project, again="spring")


def test_a_plan_that_never_left_is_replaced(project: Project) -> None:
    """Staff mend a letter and plan again: the older plan can no longer be sent."""
    first = planned(project, again="spring")
    second = planned(project, again="spring")
    with project.store.reading() as connection:
        assert mailings.by_id(connection, first.id).state is MailingState.CANCELLED
    with pytest.raises(Refused, match="replaced by a newer plan"):
        control.start(project, first.name, actor="test")
    assert second.planned == CROWD


def test_a_plan_that_comes_to_nothing_leaves_the_earlier_one_as_it_was(project: Project) -> None:
    """A fault in the mended letter: what was planned and approved before can still be sent, and the refusal says so."""
    first = planned(project, again="spring")
    control.approve(project, first.name, by="Ann")
    with project.store.writing() as connection:
        gone = connection.execute(select(func.min(messages.c.id))).scalar_one()
        connection.execute(messages.update().where(messages.c.id == gone).values(state="withdrawn"))
    letter = project.folder / "appeals" / "harbour" / "letter.md"
    sound = letter.read_text("utf-8")
    letter.write_text("{{ supporter.shoe_size }}", "utf-8")
    for _ in range(2):
        with pytest.raises(LetterError) as caught:
            planned(project, again="spring")
        assert f"{first.name} stays planned as it was." in caught.value.sentence()
    with project.store.reading() as connection:
        stands = mailings.by_id(connection, first.id)
        states = connection.execute(select(messages.c.state, func.count()).group_by(messages.c.state)).all()
        assert (stands.state, stands.approved_by, stands.finished_at) == (MailingState.PLANNED, "Ann", None)
        assert dict(tuple(row) for row in states) == {"planned": CROWD - 1, "withdrawn": 1}
    letter.write_text(sound, "utf-8")
    assert planned(project, again="spring").planned == CROWD, "and it makes way for one that succeeds"
    with project.store.reading() as connection:
        assert mailings.by_id(connection, first.id).state is MailingState.CANCELLED


def test_what_staff_cancelled_does_not_stand_again(project: Project) -> None:
    """A failed plan after a cancelled one changes nothing of that."""
    first = planned(project, again="spring")
    control.cancel(project, first.name, reason="a wrong figure")
    (project.folder / "appeals" / "harbour" / "letter.md").write_text("{{ supporter.shoe_size }}", "utf-8")
    with pytest.raises(LetterError) as caught:
        planned(project, again="spring")
    assert "stays planned" not in caught.value.sentence()
    with project.store.reading() as connection:
        assert mailings.by_id(connection, first.id).state is MailingState.CANCELLED


def test_a_label_is_not_blank(project: Project) -> None:
    """``--again ""`` names no edition: it is refused."""
    for label in ("", "  "):
        with pytest.raises(Refused, match="label"):
            planned(project, again=label)


def test_someone_who_left_since_does_not_make_a_plan_count_as_sent(project: Project) -> None:
    """Nothing of the older plan left, though one of its messages is withdrawn: it can be replaced."""
    first = planned(project, again="spring")
    with project.store.writing() as connection:
        one = connection.execute(select(messages.c.id).limit(1)).scalar_one()
        connection.execute(messages.update().where(messages.c.id == one).values(state="withdrawn", detail="forgotten"))
    planned(project, again="spring")
    with project.store.reading() as connection:
        assert mailings.by_id(connection, first.id).state is MailingState.CANCELLED


def test_a_paused_plan_is_not_said_to_have_left(project: Project) -> None:
    """It stands in the way of its edition, but the sentence tells no more than is so."""
    first = planned(project, again="spring")
    control.pause(project, first.name, reason="the picture")
    with pytest.raises(Refused) as caught:
        planned(project, again="spring")
    assert "is paused. " in str(caught.value)
    assert "has left" not in str(caught.value)


def test_plans_at_the_same_moment_each_have_a_sentence(project: Project) -> None:
    """Four at once: at least one is made, the others are refused in words, and none shares a name or an edition."""
    made, said = [], []

    def one() -> None:
        try:
            made.append(planned(project))
        except Refused as fault:
            said.append(str(fault))

    for _ in range(4):
        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) + len(said) == 16
    assert len(made) >= 4
    assert len({mailing.edition for mailing in made}) == len({mailing.name for mailing in made}) == len(made)
    assert all("is being planned at this moment" in words for words in said)


def test_a_plan_that_was_swept_away_meanwhile_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process took the composing one for dead and deleted it: no plan is claimed to exist."""
    compose_all = composing.compose_all

    def swept(*given: Any) -> Any:
        outcome = compose_all(*given)
        planning._drop(project, given[1])
        return outcome

    monkeypatch.setattr(planning, "compose_all", swept)
    with pytest.raises(Refused, match="not what was composed"):
        planned(project)
    assert (count(project, messages), count(project, mailings_table)) == (0, 0)


def test_an_appeals_own_donation_page_is_the_one_in_its_letters(project: Project) -> None:
    """``[links]`` in appeal.toml comes before the project's."""
    settings = project.folder / "appeals" / "harbour" / "appeal.toml"
    settings.write_text(settings.read_text("utf-8") + '[links]\ndonate = "https://lamp.example/give"\n', "utf-8")
    mailing = planned(project)
    with project.store.reading() as connection:
        kept = connection.execute(select(message_values.c["values"])
                                  .join(messages).where(messages.c.mailing_id == mailing.id)).scalars()
        assert all("https://lamp.example/give?ref=" in values and "give.harbour.example" not in values
                   for values in kept)


def planning_submit(ready: object) -> None:
    """One unit of a mailing."""
    from pillarbox.mailings.dispatch import Dispatch
    from pillarbox.mailings.submit import submit

    assert isinstance(ready, Dispatch)
    submit(ready)
