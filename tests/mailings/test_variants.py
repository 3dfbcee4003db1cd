"""Variants of a letter: drawn by lot, the same again for the same supporter, kept with the message, never mixed up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from pillarbox.ground.errors import LetterError, Refused
from pillarbox.mailings import control, planning, proof
from pillarbox.mailings.check import check
from pillarbox.mailings.preview import preview
from pillarbox.mailings.sameness import print_of
from pillarbox.mailings.status import status
from pillarbox.mailings.summary import summary
from pillarbox.mailings.variants import drawn
from pillarbox.model.states import Basis, MessageState, Verdict
from pillarbox.people import rights
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.runner.local import Run
from pillarbox.shape.bodies import body
from pillarbox.store.letters import unpack_values
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import message_values, messages, shapes
from pillarbox.store.shapes import get
from tests.content.test_content_variants import SUBJECT, TITLE, sound
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying
from tests.projects import crowd, write_list

OTHER = "# Storm warning\n\n{{ supporter.salutation }},\n\nThe lamp is going out.\n\n::: donate\nGive now\n:::\n"


@pytest.fixture
def folder(project: Project) -> Path:
    """The appeal's folder, with a variant b that has a subject and a letter of its own."""
    found = project.folder / "appeals" / "harbour"
    with (found / "appeal.toml").open("a", encoding="utf-8") as file:
        file.write('series = "lamp"\nsubject.b = "Storm over the harbour"\n')
    (found / "letter.b.md").write_text(OTHER, "utf-8")
    return found


def given(project: Project, mailing: Mailing) -> dict[int, str]:
    """Supporter → variant, as the messages of a mailing keep it."""
    with project.store.reading() as connection:
        rows = connection.execute(select(messages.c.supporter_id, messages.c.variant).where(
            messages.c.mailing_id == mailing.id)).all()
    return {row.supporter_id: row.variant for row in rows}


# ------------------------------------------------------------------------------------------------ the lot


@pytest.mark.parametrize("labels", ["ab", "abc", "abcde"])
def test_a_list_is_split_evenly(tmp_path: Path, labels: str) -> None:
    """Of supporters who were imported together as many get each variant, but for one."""
    appeal = _appeal(tmp_path, labels)
    counts = Counter(map(drawn(b"secret", appeal), range(1, 1001)))
    assert set(counts) == set(labels)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_part_of_a_list_is_split_as_by_lot(tmp_path: Path) -> None:
    """Every second supporter, or every third, is as good as any other: ids do not tell who gets what."""
    draw = drawn(b"secret", _appeal(tmp_path, "ab"))
    for step in (2, 3, 7):
        counts = Counter(map(draw, range(0, 4000 * step, step)))
        assert abs(counts["a"] - counts["b"]) < 4 * 4000**0.5
    runs = sum(draw(number) == draw(number + 1) for number in range(4000))
    assert 800 < runs < 1200  # alternating, they would be 0


def test_the_lot_hangs_on_secret_series_and_supporter_alone(tmp_path: Path) -> None:
    """The same again for the reminder of a series; another for another series, and for another project."""
    launch = _appeal(tmp_path / "1", "ab", series="lamp")
    reminder = _appeal(tmp_path / "2", "ab", series="lamp", text="x")
    people = range(1, 500)
    first = [*map(drawn(b"secret", launch), people)]
    assert [*map(drawn(b"secret", reminder), people)] == first
    for other in (drawn(b"secret", _appeal(tmp_path / "3", "ab")), drawn(b"another", launch)):
        same = sum(one == two for one, two in zip(first, map(other, people), strict=True))
        assert 180 < same < 320


def _appeal(project: Path, labels: str, *, series: str = "", text: str = "Dear you") -> object:
    folder = project / "appeals" / "spring"
    folder.mkdir(parents=True)
    (folder / "letter.md").write_text(text, "utf-8")
    return sound(folder, TITLE + SUBJECT + f'series = "{series}"\n'
                 + "".join(f'subject.{label} = "Subject {label}"\n' for label in labels[1:]))


# ------------------------------------------------------------------------------------------------ planning


def test_everybody_gets_one_variant_whole(project: Project, folder: Path) -> None:
    """Half of the list gets b: its subject and its letter together, in both parts, never a mixture."""
    plan = planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",))))
    assert plan.to_json()["variants"] == {"a": CROWD // 2, "b": CROWD // 2}
    with project.store.reading() as connection:
        rows = connection.execute(select(messages.c.variant, messages.c.shape_id, message_values.c["values"]).join(
            message_values).where(messages.c.mailing_id == plan.mailing.id)).all()
        for row in rows:
            made = body(get(connection, row.shape_id), unpack_values(row[2]))
            storm = [made.subject.startswith("Storm"), "Storm warning" in made.html, "1862" not in made.html,
                     "lamp is going out" in made.text, "1862" not in made.text]
            assert storm == [row.variant == "b"] * 5
    assert Counter(row.variant for row in rows) == {"a": CROWD // 2, "b": CROWD // 2}


def test_planned_again_a_supporter_keeps_the_variant(project: Project, folder: Path) -> None:
    """A second plan, another edition, a longer list and the reminder of the series draw the same lot."""
    first = given(project, planned(project))
    path = write_list(folder / "more.csv", [*crowd(CROWD), {"email": "late@example.org", "first_name": "Lee",
                                                          "last_name": "Sample", "tracking": "no"}])
    import_list(project.store, secret=project.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
    again = given(project, planned(project, again="second"))
    reminder = folder.parent / "harbour-reminder"
    reminder.mkdir()
    (reminder / "appeal.toml").write_text(TITLE + SUBJECT + 'series = "lamp"\nsubject.b = "Still dark"\n', "utf-8")
    (reminder / "letter.md").write_text("Dear you\n", "utf-8")
    wish = planning.Wish(appeal="harbour-reminder", rule=Rule(lists=("all",)))
    reminded = given(project, planning.plan(project, wish).mailing)
    assert first.items() <= again.items()
    assert again == reminded
    assert len(again) == CROWD + 1


def test_a_letter_without_variants_keeps_none(project: Project) -> None:
    """Nothing of variants is in its messages, its JSON or its status."""
    plan = planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",))))
    assert set(given(project, plan.mailing).values()) == {""}
    assert "variants" not in plan.to_json()
    assert "variants" not in status(project).to_json()


def test_a_fault_in_one_variant_stops_the_plan_and_names_its_file(project: Project, folder: Path) -> None:
    """Nobody gets a letter while any variant cannot be composed; the finding points into letter.b.md."""
    (folder / "letter.b.md").write_text("# Storm\n\nDear {{ supporter.nobody_has_this }}\n", "utf-8")
    with pytest.raises(LetterError) as caught:
        planned(project)
    [first, *_] = caught.value.findings
    assert (first.file, first.line) == ("appeals/harbour/letter.b.md", 3)  # type: ignore[attr-defined]
    (folder / "letter.b.md").write_text("# Storm\n\n{% if %}\n", "utf-8")
    (folder / "letter.md").write_text("# Lamp\n\n::: unheard-of\n:::\n", "utf-8")
    with pytest.raises(LetterError) as caught:
        planned(project)
    assert {finding.file.rpartition("/")[2] for finding in caught.value.findings} == {  # type: ignore[attr-defined]
        "letter.md", "letter.b.md"}


# ------------------------------------------------------------------------------------------------ sending


def test_no_unit_mixes_letters(project: Project, folder: Path) -> None:
    """What is handed over at once has one shape, and so one variant; everybody is in exactly one unit."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    mailing = planned(project)
    Run(dispatch=dispatch(project, mailing, transport))(1)
    kept = given(project, mailing)
    with project.store.reading() as connection:
        owners = {row.id: row.supporter_id for row in connection.execute(
            select(messages.c.id, messages.c.supporter_id))}
    for unit in transport.units:
        assert len({kept[owners[message.message_id]] for message in unit.messages}) == 1
    assert sorted(transport.addresses) == sorted(f"supporter{number}@example.org" for number in range(CROWD))


def test_status_tells_each_variant_and_adds_up(project: Project, folder: Path) -> None:
    """Of each variant: planned = the sum of its states; together they are the mailing's."""
    mailing = planned(project)
    told = status(project).to_json()
    assert told["variants"]["a"] == {"planned": 50, "accepted": 0, "failed": 0, "in_doubt": 0,  # type: ignore[index]
                                     "cancelled": 0, "withdrawn": 0, "remaining": 50}
    control.cancel(project, mailing.name, reason="test")
    told = status(project).to_json()
    assert {label: counts["cancelled"] for label, counts in told["variants"].items()} == {  # type: ignore[attr-defined]
        "a": 50, "b": 50}


def test_variants_that_come_out_alike_share_a_shape(project: Project, folder: Path) -> None:
    """Two labels with the same finished letter are planned, and each message still says which it was."""
    letter = (folder / "letter.md").read_text("utf-8")
    (folder / "letter.b.md").write_text(letter + "{# a note for ourselves #}\n", "utf-8")
    (folder / "appeal.toml").write_text(TITLE + SUBJECT, "utf-8")
    mailing = planned(project)
    assert Counter(given(project, mailing).values()) == {"a": 50, "b": 50}
    with project.store.reading() as connection:
        assert len(connection.execute(select(shapes.c.id)).all()) == mailing.shapes


# ------------------------------------------------------------------------------------------------ before a plan


def test_check_looks_at_every_variant(project: Project, folder: Path) -> None:
    """Everybody's copy of each variant is composed; a finding names the variant's own file and line."""
    assert check(project, "harbour", Rule(lists=("all",))).copies == 2 * CROWD
    (folder / "letter.b.md").write_text("# Storm\n\n[here](ftp://example.org/)\n", "utf-8")
    found = check(project, "harbour")
    assert not found.ok
    assert {(each.file, each.code) for each in found.findings if each.level == "error"} == {
        ("appeals/harbour/letter.b.md", "bad-link")}


def test_check_shows_what_variants_share_once(project: Project, folder: Path) -> None:
    """A fault that all variants have is told once."""
    with (folder / "appeal.toml").open("a", encoding="utf-8") as file:
        file.write('"preheader.b" = "x"\n')
    found = check(project, "harbour").findings
    assert len(found) == len(set(found))


def test_preview_shows_every_variant(project: Project, folder: Path) -> None:
    """Each made-up supporter's copy of each variant, in a file of its own."""
    pages = preview(project, "harbour")
    many = len(pages) // 2
    assert [(page.name, page.variant) for page in pages] == [
        (f"{label}-{number}", label) for label in "ab" for number in range(1, many + 1)]
    assert {page.subject for page in pages if page.variant == "b"} == {"Storm over the harbour"}


def test_another_word_in_a_variant_is_another_letter(project: Project, folder: Path) -> None:
    """A schedule that asks whether the letter is last month's looks at every variant."""
    from pillarbox.mailings.letters import read

    before = print_of(read(project, "harbour").bundle)
    (folder / "letter.b.md").write_text(OTHER + "\nMore.\n", "utf-8")
    assert print_of(read(project, "harbour").bundle) != before


def test_what_is_held_of_a_person_names_their_variant(project: Project, folder: Path) -> None:
    """A supporter who asks what is held of them is told which letter they got."""
    mailing = planned(project)
    held = rights.export(project.store, secret=project.secret, email="supporter1@example.org")
    assert held["messages"][0]["variant"] in ("a", "b")
    assert status(project).remaining == mailing.planned
    with project.store.reading() as connection:
        assert connection.execute(select(messages.c.state).distinct()).scalars().all() == [MessageState.PLANNED]


def test_who_lets_it_go_sees_every_subject(project: Project, folder: Path) -> None:
    """The question before a mailing leaves shows the subject of each variant, and how many get it."""
    told = summary(project, planned(project))
    assert set(told.subjects) == {"The harbour needs you, …", "Storm over the harbour"}
    assert told.variants == ("a 50", "b 50")


def test_a_proof_is_of_the_variant_that_is_named(project: Project, folder: Path) -> None:
    """Staff may have each variant in their own inbox; one that there is not is refused."""
    def subject(variant: str) -> str:
        return proof.plan(project, proof.Wish(appeal="harbour", to=("dana@example.org",), variant=variant)).subject

    assert subject("b") == "[Proof] Storm over the harbour"
    assert subject("").startswith("[Proof] The harbour needs you")
    with pytest.raises(Refused, match="no variant 'c'"):
        subject("c")
