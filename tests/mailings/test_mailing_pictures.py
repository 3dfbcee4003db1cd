"""A letter with images can be planned: they are kept with it, travel as the settings say, and can be fetched."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import select, update

from pillarbox.content import images
from pillarbox.deliver import single
from pillarbox.deliver.choose import transport
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.ground.resources import shipped
from pillarbox.mailings import check, control, envelopes, letters, pictures, preview, proof, samples, service
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.submit import submit
from pillarbox.model.config import Settings
from pillarbox.runner.proofing import prove
from pillarbox.store import schema
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.web.serve import background
from tests import photographs
from tests.mailings.conftest import planned
from tests.mailings.test_service import ask
from tests.projects import APPEAL, LETTER

SHOWN = LETTER + "\n![The lamp at night](images/lamp.jpg)\n"


@pytest.fixture
def harbour(project: Project) -> Project:
    """The project, its letter with a photograph; another image lies in the folder only."""
    folder = project.folder / "appeals" / "harbour"
    (folder / "images").mkdir()
    (folder / "images" / "lamp.jpg").write_bytes(photographs.photograph(1600, 1000, orientation=6))
    (folder / "images" / "draft.png").write_bytes(photographs.drawing())
    (folder / "letter.md").write_text(SHOWN, "utf-8")
    return project


def setting(project: Project, **more: Any) -> Project:
    """The project with other settings of [project]."""
    return replace(project, settings=project.settings.model_copy(update={
        "project": project.settings.project.model_copy(update=more)}))


def kept(project: Project) -> dict[str, bytes]:
    with project.store.reading() as connection:
        return {row.name: row.content for row in connection.execute(select(schema.images))}


def html_of(project: Project, mailing: Mailing) -> str:
    with project.store.reading() as connection:
        return str(connection.execute(select(schema.shapes.c.html).where(
            schema.shapes.c.mailing_id == mailing.id).limit(1)).scalar_one())


def test_a_hosted_image_is_kept_under_its_name(harbour: Project) -> None:
    """Planned in one go; only what the letter shows can be fetched, small and upright."""
    mailing = planned(harbour)
    [(name, content)] = kept(harbour).items()
    assert images.size(content) == (1000, 1600)
    assert f'src="{envelopes.PRACTICE_BASE_URL}/i/{name}"' in html_of(harbour, mailing)
    assert 'width="520" height="832"' in html_of(harbour, mailing)
    assert envelopes.envelope(harbour, mailing).images == ()


def test_with_a_base_url_they_lie_there(harbour: Project) -> None:
    """Practice works on any."""
    mailing = planned(setting(harbour, base_url="https://letters.harbour.example"))
    assert f'src="https://letters.harbour.example/i/{next(iter(kept(harbour)))}"' in html_of(harbour, mailing)


def test_planning_again_keeps_one(harbour: Project) -> None:
    """The same image of two mailings is one."""
    planned(harbour)
    planned(harbour, again="once more", span_hours=0)
    assert len(kept(harbour)) == 1


@pytest.mark.parametrize("where", ["laptop", "project", "appeal"])
def test_embedded_images_travel_within(harbour: Project, where: str) -> None:
    """By themselves on a laptop; elsewhere when pillarbox.toml or appeal.toml says so."""
    if where == "appeal":
        (harbour.folder / "appeals" / "harbour" / "appeal.toml").write_text(APPEAL + 'images = "embedded"\n', "utf-8")
    project = setting(harbour, **{"laptop": {"home": "laptop"}, "project": {"images": "embedded"}}.get(where, {}))
    mailing = planned(project)
    control.start(project, mailing.name, actor="test")
    dispatch = Dispatch.of(project, mailing, transport(project.settings))
    assert submit(dispatch) is not None
    sent = sorted((project.folder / "var" / "mail" / "new").iterdir())
    message = message_from_bytes(sent[0].read_bytes(), policy=default)
    shown = message.get_body(("html",)).get_content()  # type: ignore[attr-defined]
    [image] = [part for part in message.walk() if part.get_content_type() == "image/jpeg"]
    assert f'src="cid:{image["Content-ID"][1:-1]}"' in shown
    assert images.size(image.get_content()) == (1000, 1600)  # type: ignore[attr-defined]
    assert image.get_content() in kept(project).values(), "and for the browser it can be fetched"  # type: ignore[attr-defined]


def test_the_appeal_may_say_otherwise(harbour: Project) -> None:
    """images = "hosted" in appeal.toml wins over the project's."""
    (harbour.folder / "appeals" / "harbour" / "appeal.toml").write_text(APPEAL + 'images = "hosted"\n', "utf-8")
    mailing = planned(setting(harbour, images="embedded"))
    assert "cid:" not in html_of(harbour, mailing)


def test_hosted_on_a_laptop_is_told(harbour: Project) -> None:
    """Live, without a server, nobody could fetch them: the sentence says what to do."""
    project = setting(harbour, home="laptop", images="hosted")
    source = letters.read(project, "harbour")
    with pytest.raises(LetterError, match='images = "embedded"'):
        letters.letter(source, day=source.appeal.date or check.clock.today("UTC"), name="x", practice=False)


def test_a_live_plan_fetches_them_first(harbour: Project) -> None:
    """Through the very address that supporters' mail programs will use; anything else there refuses the plan."""
    mailing = planned(harbour)
    source = letters.frozen(harbour, mailing)
    with background(harbour.store, harbour.settings, harbour.id) as base:
        there = letters.Source(bundle=replace(source.bundle, sender={**source.bundle.sender, "base_url": base}),
                               findings=())
        letter = letters.letter(there, day=mailing.for_date, name=mailing.name)
        pictures.refuse_unreachable(there.bundle, letter)
        with harbour.store.writing() as connection:
            connection.execute(update(schema.images).values(content=b"another"))
        with background(harbour.store, harbour.settings, harbour.id) as other:
            changed = replace(there.bundle, sender={**there.bundle.sender, "base_url": other})
            with pytest.raises(Refused, match=r"would not see images/lamp.jpg") as caught:
                pictures.refuse_unreachable(changed, letter)
            assert "embedded" in caught.value.todo
    with pytest.raises(Refused, match="lamp"):
        pictures.refuse_unreachable(there.bundle, letter)


def test_a_live_plan_stops_where_they_cannot_be_fetched(harbour: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is composed; in practice and in a rehearsal nobody is asked."""
    project = setting(harbour, base_url="http://127.0.0.1:9")
    mailing = planned(project)
    source = letters.frozen(project, mailing)
    versions = letters.of_mailing(source, mailing).values()
    pictures.see_to(project, source.bundle, versions)
    monkeypatch.setattr(Settings, "practice", property(lambda _settings: False))
    with pytest.raises(Refused, match=r"images/lamp.jpg: it cannot be fetched from http://127.0.0.1:9/i/"):
        pictures.see_to(project, source.bundle, versions)
    rehearsing = replace(project, settings=project.settings.model_copy(update={"rehearsal": "live"}))
    pictures.see_to(rehearsing, source.bundle, versions)


def test_a_preview_shows_them_by_itself(harbour: Project) -> None:
    """A file on a disk, before anything is planned or served."""
    for project in (harbour, setting(harbour, images="embedded"), setting(harbour, base_url="https://l.harbour.example")):
        letter = preview.take(project, "harbour")
        [page] = [letter.page(1, samples.MADE_UP[0])]
        shown = re.findall(r'<img src="([^"]*)"', page.html)
        assert [letter.images[address][:23] for address in shown] == ["data:image/jpeg;base64,"]
    assert not kept(harbour)


def test_what_is_no_image_stops_everything_with_its_name(harbour: Project) -> None:
    """Check, preview and plan tell the file and what to do; none of them breaks, and nothing is planned."""
    (harbour.folder / "appeals" / "harbour" / "images" / "fake.png").write_bytes(b"<html>")
    checked = check.check(harbour, "harbour")
    assert not checked.ok
    assert ("bad-image", "appeals/harbour/images/fake.png") in [(each.code, each.file) for each in checked.findings]
    for deed in (lambda: preview.preview(harbour, "harbour"), lambda: planned(harbour)):
        with pytest.raises(LetterError) as caught:
            deed()
        assert caught.value.findings == checked.findings


def test_a_check_has_nothing_against_them(harbour: Project) -> None:
    """In either way; the image that is not shown is advice."""
    for project in (harbour, setting(harbour, images="embedded")):
        found = check.check(project, "harbour")
        assert found.ok
        assert [each.code for each in found.findings if "image" in each.code] == ["image-unused"]


def test_a_service_letter_carries_its_images(project: Project) -> None:
    """Within, always; its preview shows them, and only those that it shows travel."""
    folder = project.folder / "templates" / "service" / "confirm"
    shutil.copytree(shipped("templates") / "service" / "confirm", folder)
    (folder / "images").mkdir()
    (folder / "images" / "logo@2x.png").write_bytes(photographs.drawing(600, 200))
    (folder / "images" / "other.png").write_bytes(photographs.drawing(500, 200))
    letter = folder / "letter.md"
    letter.write_text(f"{letter.read_text('utf-8')}\n\n![Our logo](images/logo@2x.png)\n", "utf-8")
    assert 'src="data:image/png;base64,' in service.pages(project, "confirm")[0].html
    ask(project)
    service.deliver(project)
    [file] = project.folder.joinpath(*single.FOLDER).glob("*.eml")
    message = message_from_bytes(file.read_bytes(), policy=default)
    [image] = [part for part in message.walk() if part.get_content_maintype() == "image"]
    html = message.get_body(("html",)).get_content()  # type: ignore[attr-defined]
    assert f'src="cid:{image["Content-ID"][1:-1]}" alt="Our logo" width="300" height="100"' in html


def test_every_variant_has_its_images(harbour: Project) -> None:
    """What only the second variant shows is kept too, and is not told to be unused."""
    folder = harbour.folder / "appeals" / "harbour"
    (folder / "letter.b.md").write_text(LETTER + "\n![A drawing](images/draft.png)\n", "utf-8")
    assert not [each for each in check.check(harbour, "harbour").findings if each.code == "image-unused"]
    planned(harbour)
    assert sorted(map(images.kind, kept(harbour).values()), key=str) == ["jpg", "png"]


@pytest.mark.parametrize("how", ["hosted", "embedded"])
def test_a_proof_shows_them(harbour: Project, how: str) -> None:
    """Down the same road as the mailing: kept, or carried within."""
    project = setting(harbour, images=how)
    prove(project, proof.Wish(appeal="harbour", to=("dana@harbour.example",)))
    [content] = kept(project).values()
    [file] = (project.folder / "var" / "mail" / "new").iterdir()
    message = message_from_bytes(file.read_bytes(), policy=default)
    within = [part.get_content() for part in message.walk() if part.get_content_maintype() == "image"]
    assert within == ([content] if how == "embedded" else [])


def test_a_changed_image_is_another_letter(harbour: Project) -> None:
    """The bundle's id says what supporters see, images included."""
    first = planned(harbour)
    (harbour.folder / "appeals" / "harbour" / "images" / "lamp.jpg").write_bytes(photographs.photograph(1500, 900))
    assert planned(harbour, again="new", span_hours=0).bundle_id != first.bundle_id
