"""Approval: bound to the letter and to whom it is for; kept while that is true, asked for anew when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.process import Worker
from pillarbox.mailings import approval, control, departure, drift, outlook, planning
from pillarbox.model.sections import ApprovalSettings
from pillarbox.model.states import Basis, Role
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.staff import users
from pillarbox.store import mailings, schema, workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from tests import projects

CROWD = 40


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with a list of forty."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_for_project"))
    opened = open_project(projects.make(tmp_path / "project").folder)
    join(opened, tmp_path, CROWD)
    yield opened
    opened.close()


def join(project: Project, folder: Path, count: int) -> None:
    """Let the list have so many people."""
    path = projects.write_list(folder / "list.csv", projects.crowd(count))
    import_list(project.store, secret=project.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)


def plan(project: Project, **more: object) -> planning.Planned:
    """Plan the appeal to its list."""
    wish = planning.Wish(appeal="harbour", rule=Rule(lists=("all",)), **more)  # type: ignore[arg-type]
    return planning.plan(project, wish)


def as_live(project: Project, mailing: Mailing) -> Mailing:
    """The mailing, and all of its appeal, as if they were live."""
    with project.store.writing() as connection:
        connection.execute(update(schema.mailings).values(practice=False))
        return mailings.by_id(connection, mailing.id)


def asking(project: Project, **rules: object) -> Project:
    """The same project with other rules of approval."""
    settings = project.settings.model_copy(update={"approval": ApprovalSettings.model_validate(rules)})
    return replace(project, settings=settings)


def standing(project: Project, mailing: Mailing) -> approval.Standing:
    """Who stands for it."""
    with project.store.reading() as connection:
        return approval.standing(connection, project.settings, mailing)


def write(project: Project, words: str, file: str = "letter.md") -> None:
    """Change the appeal's folder."""
    (project.folder / "appeals" / "harbour" / file).write_text(words, "utf-8")


def what(before: approval.Comparison | None) -> list[str]:
    """The names of what has changed."""
    assert before is not None
    return [change.what for change in before.changes]


# ------------------------------------------------------------------------------------------------ the gate


def test_a_live_mailing_starts_only_when_somebody_stands_for_it(project: Project) -> None:
    """Unapproved it is refused, by every road; approved it starts."""
    mailing = as_live(project, plan(project).mailing)
    for start in (lambda: control.start(project, mailing.name, actor="test"),
                  lambda: departure.wait(project, mailing.name, at=clock.now() + timedelta(days=1), count=CROWD,
                                         actor="test")):
        with project.store.writing() as connection:
            workers.beat(connection, str(Worker.this()), kind="worker", host="box")
        with pytest.raises(Refused, match="nobody has approved"):
            start()
    assert control.approve(project, mailing.name, by="Ann").approved_by == "Ann"
    assert control.start(project, mailing.name, actor="test").started_at


def test_an_approval_needs_a_persons_name(project: Project) -> None:
    """Neither nothing nor a word for nobody."""
    mailing = plan(project).mailing
    for nobody in ("", "  ", "staff", "Schedule", "\x00"):
        with pytest.raises(Refused):
            control.approve(project, mailing.name, by=nobody)


def test_what_was_approved_is_not_what_was_tampered_with(project: Project) -> None:
    """A mailing that is given another bundle afterwards is no longer approved, whatever its row says."""
    first = as_live(project, plan(project).mailing)
    control.approve(project, first.name, by="Ann")
    write(project, projects.LETTER.replace("lamp", "lights"))
    second = as_live(project, plan(project, again="second").mailing)
    with project.store.writing() as connection:
        mailings.change(connection, first.id, bundle_id=second.bundle_id)
    with pytest.raises(Refused, match="nobody has approved"):
        control.start(project, first.name, actor="test")


# ------------------------------------------------------------------------------------------------ planned again


def test_an_unchanged_plan_stays_approved(project: Project, tmp_path: Path) -> None:
    """Planned again for the same rule, also when some have left and a few have joined."""
    first = plan(project).mailing
    control.approve(project, first.name, by="Ann")
    again = plan(project)
    assert again.mailing.approved_by == "Ann"
    join(project, tmp_path, CROWD + 2)
    assert plan(project).approved.complete, "5% may join"
    with project.store.writing() as connection:
        connection.execute(update(schema.supporters).where(schema.supporters.c.id < 9).values(address=None))
    fewer = plan(project)
    assert fewer.mailing.planned < CROWD
    assert fewer.approved.complete, "any number may leave"


def test_growth_asks_again(project: Project, tmp_path: Path) -> None:
    """More than 5% over what was approved, also in small steps; the comparison says so."""
    control.approve(project, plan(project).mailing.name, by="Ann")
    join(project, tmp_path, CROWD + 2)
    assert plan(project).approved.complete
    join(project, tmp_path, CROWD + 3)
    grown = plan(project)
    assert not grown.approved.complete
    assert grown.mailing.approved_by is None
    assert grown.before
    assert grown.before.grown
    assert what(grown.before) == ["Messages"]
    assert [line.text for line in grown.before.changes[0].lines] == ["40", "43"]
    assert plan(asking(project, growth=0.5)).approved.complete, "as config has it"


@pytest.mark.parametrize(("change", "said"), [
    (lambda project: write(project, projects.LETTER.replace("lamp", "lights")), "Words of appeals/harbour/letter.md"),
    (lambda project: write(project, projects.APPEAL.replace("needs you", "calls"), "appeal.toml"), "Subject"),
    (lambda project: write(project, "The words as text.\n", "letter.txt"), "Words of appeals/harbour/letter.txt"),
], ids=["words", "subject", "text"])
def test_a_changed_letter_asks_again_and_says_what_changed(project: Project, change: object, said: str) -> None:
    """The refusal names it."""
    control.approve(project, plan(project).mailing.name, by="Ann")
    change(project)  # type: ignore[operator]
    changed = plan(project)
    assert not changed.approved.complete
    assert what(changed.before) == [said]
    with pytest.raises(approval.NotApprovedError, match="Since Ann approved") as refused:
        control.start(project, as_live(project, changed.mailing).name, actor="test")
    assert [change.what for change in refused.value.changes] == [said]


def test_another_rule_asks_again(project: Project) -> None:
    """For other people, or without some of these."""
    control.approve(project, plan(project).mailing.name, by="Ann")
    other = planning.plan(segmented(project), planning.Wish(
        appeal="harbour", rule=Rule(lists=("all",), segments=("named",))))
    assert not other.approved.complete
    assert what(other.before)[0] == "To"
    assert "Rule of the segment named" in what(other.before)


def segmented(project: Project) -> Project:
    """The project with a saved rule."""
    folder = project.folder / "lists"
    folder.mkdir(exist_ok=True)
    (folder / "segments.toml").write_text('[named]\nlists = ["all"]\n', "utf-8")
    return project


def test_another_road_of_the_links_asks_again(project: Project) -> None:
    """How the donation page learns of the letter is no part of the folder, and is approved with it."""
    control.approve(project, plan(project).mailing.name, by="Ann")
    links = project.settings.links.model_copy(update={"code_parameter": "campaign"})
    changed = plan(replace(project, settings=project.settings.model_copy(update={"links": links})))
    assert not changed.approved.complete
    assert what(changed.before) == ["Code in the link"]


def test_moved_settings_are_no_change(project: Project) -> None:
    """A comment in appeal.toml moves its lines; nobody reads a letter otherwise for that."""
    control.approve(project, plan(project).mailing.name, by="Ann")
    write(project, "# A comment\n" + projects.APPEAL, "appeal.toml")
    assert plan(project).approved.complete


def test_another_edition_is_approved_anew(project: Project) -> None:
    """Who stood for the first sending does not stand for the second, though nothing has changed."""
    first = as_live(project, plan(project, again="first").mailing)
    control.approve(project, first.name, by="Ann")
    control.start(project, first.name, actor="test")
    with project.store.writing() as connection:
        connection.execute(update(schema.mailings).values(practice=True))
    second = plan(project, again="second")
    assert not second.approved.complete
    assert second.before
    assert second.before.changes == ()


def test_what_staff_cancelled_is_not_approved_any_more(project: Project) -> None:
    """They may have had their reasons."""
    first = plan(project).mailing
    control.approve(project, first.name, by="Ann")
    control.cancel(project, first.name, reason="a wrong figure")
    assert not plan(project).approved.complete


# ------------------------------------------------------------------------------------------------ who


def test_only_who_is_named_may_approve(project: Project) -> None:
    """By name or address, however written; others are told who may."""
    strict = asking(project, who=["Ann Lee <ann@example.org>", "Ben"])
    mailing = plan(strict).mailing
    with pytest.raises(Refused, match=r"Zoe may not approve mailings.*Ben"):
        control.approve(strict, mailing.name, by="Zoe")
    assert control.approve(strict, mailing.name, by="ANN@example.org").approved_by == "ANN@example.org"
    assert not standing(asking(project, who=["Ben"]), mailing).complete, "she is not named any more"


def test_two_different_people_must_approve_when_two_are_needed(project: Project) -> None:
    """The same one twice is one, by whatever name; the second makes it whole."""
    strict = asking(project, who=["Ann Lee <ann@example.org>", "Ben"], needed=2)
    mailing = as_live(project, plan(strict).mailing)
    for name in ("Ann Lee", "ann lee", "ann@example.org"):
        assert control.approve(strict, mailing.name, by=name).approved_by is None
    assert standing(strict, mailing).why_not == "Ann Lee approved it, and one more person must"
    assert standing(strict, mailing).whose_turn(mailing.name).endswith("(one of: Ben).")
    with pytest.raises(Refused, match="one more person must"):
        control.start(strict, mailing.name, actor="test")
    assert control.approve(strict, mailing.name, by="ben").approved_by == "Ann Lee and ben"
    assert control.start(strict, mailing.name, actor="test").started_at


def test_whoever_planned_it_is_not_the_second_pair_of_eyes(project: Project) -> None:
    """With two needed, or with four_eyes; with one needed they may."""
    mailing = plan(project, actor="Ann").mailing
    for rules in ({"needed": 2}, {"four_eyes": True}):
        with pytest.raises(Refused, match="ann planned"):
            control.approve(asking(project, **rules), mailing.name, by="ann")
    assert control.approve(project, mailing.name, by="Ann").approved_by == "Ann"
    assert not standing(asking(project, four_eyes=True), mailing).complete, "a rule made since then holds too"


def test_four_eyes_are_two_people_also_where_nobody_said_who_planned_it(project: Project) -> None:
    """Whoever planned it without a name could else be the only one who ever looked; a schedule is nobody."""
    strict = asking(project, four_eyes=True)
    mailing = as_live(project, plan(strict).mailing)
    assert control.approve(strict, mailing.name, by="Ann").approved_by is None
    with pytest.raises(Refused, match=r"one more person must.*plan --by NAME"):
        control.start(strict, mailing.name, actor="test")
    assert control.approve(strict, mailing.name, by="Ben").approved_by == "Ann and Ben"
    named = plan(strict, again="named", actor="Cat").mailing
    assert control.approve(strict, named.name, by="Ann").approved_by == "Ann"
    scheduled = plan(strict, again="scheduled", actor="schedule").mailing
    assert control.approve(strict, scheduled.name, by="Ann").approved_by == "Ann"


def test_a_user_of_the_dashboard_needs_the_role_for_it(project: Project) -> None:
    """Whoever may only read there cannot approve by their name in a terminal; nor who has been disabled."""
    users.add(project.store, name="Vic", role=Role.VIEW, password="a harbour lamp at night")
    users.add(project.store, name="Sam", role=Role.SEND, password="a harbour lamp at night")
    mailing = plan(project).mailing
    with pytest.raises(Refused, match="role “view”"):
        control.approve(project, mailing.name, by="vic")
    control.approve(project, mailing.name, by="Sam")
    users.disable(project.store, "Sam")
    with pytest.raises(Refused, match="may not log in"):
        control.approve(project, mailing.name, by="Sam")


def test_approvals_stand_in_the_audit_log(project: Project) -> None:
    """Who, by which door, for what; and what a new plan kept."""
    control.approve(project, plan(project).mailing.name, by="Ann", via="dashboard")
    plan(project)
    with project.store.reading() as connection:
        rows = [(row.actor, row.action, row.detail.get("via", row.detail.get("by"))) for row in connection.execute(
            select(schema.audit).where(schema.audit.c.action.in_(["approve", "approval-kept"]))
                .order_by(schema.audit.c.id))]
    assert rows == [("Ann", "approve", "dashboard"), ("pillarbox", "approval-kept", "Ann")]


# ------------------------------------------------------------------------------------------------ taken back


def test_an_approval_is_taken_back_by_who_gave_it(project: Project) -> None:
    """Then it does not go, its refusal says so, and it may be approved again; nobody takes back another's."""
    mailing = as_live(project, plan(project).mailing)
    control.approve(project, mailing.name, by="Ann")
    with pytest.raises(Refused, match="Ben has not approved"):
        control.withdraw(project, mailing.name, by="Ben")
    assert control.withdraw(project, mailing.name, by=" ann ", reason="a wrong figure").approved_by is None
    with pytest.raises(Refused, match="Ann took back the approval, and nobody else has approved it"):
        control.start(project, mailing.name, actor="test")
    with pytest.raises(Refused, match="has not approved"):
        control.withdraw(project, mailing.name, by="Ann")
    assert control.approve(project, mailing.name, by="Ann").approved_by == "Ann"
    assert control.start(project, mailing.name, actor="test").started_at
    with pytest.raises(Refused, match=r"sending.*pillarbox pause"):
        control.withdraw(project, mailing.name, by="Ann")
    with project.store.reading() as connection:
        [row] = connection.execute(select(schema.audit).where(schema.audit.c.action == "approval-withdrawn")).all()
    assert (row.actor, row.detail) == ("ann", {"reason": "a wrong figure", "via": "terminal"})


def test_what_was_taken_back_is_not_kept_by_a_new_plan(project: Project) -> None:
    """Nor does an older plan's approval by the same person come to life again."""
    control.approve(project, plan(project, again="spring").mailing.name, by="Ann")
    second = plan(project, again="spring")
    assert second.approved.complete
    control.withdraw(project, second.mailing.name, by="Ann")
    assert not plan(project, again="spring").approved.complete


def test_one_of_two_takes_theirs_back(project: Project) -> None:
    """The other's stands, and one more person must."""
    strict = asking(project, needed=2, who=["Ann <ann@example.org>", "Ben"])
    mailing = plan(strict).mailing
    control.approve(strict, mailing.name, by="Ann")
    assert control.approve(strict, mailing.name, by="Ben").approved_by == "Ann and Ben"
    assert control.withdraw(strict, mailing.name, by="ann@example.org").approved_by is None
    assert standing(strict, mailing).why_not == ("Ann took back the approval, and Ben approved it, and one more person "
                                                 "must")


def test_what_waits_does_not_go_once_its_approval_is_taken_back(project: Project) -> None:
    """A worker finds it unapproved at its time; paused and resumed, it still does not go."""
    mailing = as_live(project, plan(project).mailing)
    control.approve(project, mailing.name, by="Ann")
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, send_at=clock.now() + timedelta(hours=2), provider_batch="batch")
    control.pause(project, mailing.name, reason="to look")
    control.withdraw(project, mailing.name, by="Ann")
    with pytest.raises(approval.NotApprovedError):
        control.resume(project, mailing.name)


# ------------------------------------------------------------------------------------------------ the folder since


def test_a_folder_that_changed_since_the_plan_is_noticed(project: Project) -> None:
    """What leaves is what was planned; whoever mended a word since must know."""
    mailing = plan(project).mailing
    assert drift.of(project, mailing) is None
    write(project, projects.LETTER.replace("1862", "1863"))
    drifted = drift.of(project, mailing)
    assert drifted
    assert [change.what for change in drifted.changes] == ["Words of appeals/harbour/letter.md"]
    write(project, "{{ broken", "letter.md")
    assert drift.of(project, mailing)


def test_a_segment_that_means_others_now_is_noticed(project: Project) -> None:
    """Whoever narrowed a rule after the plan must know that the plan is for everybody still."""
    folder = segmented(project).folder / "lists"
    mailing = planning.plan(project, planning.Wish(
        appeal="harbour", rule=Rule(lists=("all",), segments=("named",)))).mailing
    assert drift.of(project, mailing) is None
    (folder / "segments.toml").write_text('[named]\nlists = ["all"]\nfields = { town = "Ely" }\n', "utf-8")
    found = drift.of(project, mailing)
    assert found
    [change] = found.changes
    assert (change.what, [line.text for line in change.lines]) == (
        "Rule of the segment named", ["lists: all", "lists: all; town: Ely"])
    with pytest.raises(approval.NotApprovedError, match="has changed since"):
        drift.refuse(project, as_live(project, mailing), as_planned=False, how="or so")
    (folder / "segments.toml").write_text("[named\n", "utf-8")
    assert drift.of(project, mailing) == drift.Drift(changes=())


def test_what_waits_says_who_is_missing(project: Project) -> None:
    """``status`` of a mailing that waits for its time."""
    strict = asking(project, needed=2)
    mailing = as_live(project, plan(strict).mailing)
    control.approve(strict, mailing.name, by="Ann")
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, send_at=mailing.created_at.replace(year=2099), send_by="Ann")
        mailing = mailings.by_id(connection, mailing.id)
    assert "Ann approved it, and one more person must, and unapproved it is not sent" in outlook.said(strict, mailing)
