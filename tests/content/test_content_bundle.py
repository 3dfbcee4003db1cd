"""A bundle holds all that a letter is made from, and its id says what is in it."""

from __future__ import annotations

import datetime
import zlib
from pathlib import Path

import pytest

from pillarbox.content import pictures
from pillarbox.content.bundle import gather, unpack
from pillarbox.ground.errors import StoreError
from pillarbox.ground.resources import shipped
from pillarbox.model.config import Settings
from pillarbox.model.sections import LinkSettings
from tests import photographs

THEME = shipped("templates") / "theme.toml"
DOT = pictures.prepare(photographs.animation(4, 4, comment=b""))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "appeals" / "spring"
    (folder / "images").mkdir(parents=True)
    (folder / "appeal.toml").write_text(
        'title = "Spring"\nsubject = "Hello"\n[links]\nshare = "https://example.org/s"\n'
        "[facts]\nday = 2021-02-03\nat = 2021-02-03T10:00:00Z\n", "utf-8")
    (folder / "letter.md").write_text("Dear you\n", "utf-8")
    (folder / "images" / "dot.gif").write_bytes(DOT)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "theme.toml").write_bytes(THEME.read_bytes())
    return tmp_path


def settings(project: Path) -> Settings:
    return Settings(folder=project, links=LinkSettings(donate="https://example.org/d", donate_monthly=""))


def test_packing_and_unpacking_give_the_same_bundle(project: Path) -> None:
    """What the database gives back equals what it was given: dates, images, links and id."""
    bundle, findings = gather(settings(project), "spring")
    assert bundle is not None
    assert not findings
    again = unpack(bundle.pack())
    assert again == bundle
    assert again.appeal.facts["day"] == datetime.date(2021, 2, 3)
    assert again.appeal.images == {"dot.gif": DOT}
    assert (again.links["donate"], again.links["share"]) == ("https://example.org/d", "https://example.org/s")


def test_the_same_folder_has_the_same_id(project: Path) -> None:
    """Reading twice gives one id and the same bytes."""
    first, _ = gather(settings(project), "spring")
    second, _ = gather(settings(project), "spring")
    assert first is not None
    assert second is not None
    assert (first.id, first.pack()) == (second.id, second.pack())


@pytest.mark.parametrize("file", ["appeals/spring/letter.md", "appeals/spring/appeal.toml",
                                  "appeals/spring/images/dot.gif", "templates/theme.toml"])
def test_any_change_changes_the_id(project: Path, file: str) -> None:
    """A changed letter, setting, image or colour makes another bundle."""
    first, _ = gather(settings(project), "spring")
    path = project / file
    changed = path.read_bytes().replace(b"Spring", b"Autumn").replace(b"#f4f1ec", b"#ffffff")
    another = photographs.animation(frames=2, comment=b"") if file.endswith(".gif") else changed + b"!"
    path.write_bytes(changed if file.endswith(".toml") else another)
    second, _ = gather(settings(project), "spring")
    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_a_projects_own_layout_is_found_first(project: Path) -> None:
    """A layout in the project's templates stands in for the shipped one; the others remain."""
    (project / "templates" / "layouts").mkdir()
    (project / "templates" / "layouts" / "letter.html").write_text("mine", "utf-8")
    bundle, _ = gather(settings(project), "spring")
    assert bundle is not None
    assert bundle.templates["layouts/letter.html"].content == "mine"
    assert "components.html" in bundle.templates


def test_a_project_without_a_theme_is_warned(project: Path) -> None:
    """Letters that would carry the sample charity's name are told of."""
    (project / "templates" / "theme.toml").unlink()
    bundle, findings = gather(settings(project), "spring")
    assert bundle is not None
    assert [each.code for each in findings] == ["no-theme"]


def test_an_unknown_layout_and_a_bad_theme_are_told(project: Path) -> None:
    """The appeal's layout must exist, and a colour must be one; both are said."""
    appeal = project / "appeals" / "spring" / "appeal.toml"
    appeal.write_text('layout = "leter"\n' + appeal.read_text("utf-8"), "utf-8")
    theme = project / "templates" / "theme.toml"
    theme.write_text(theme.read_text("utf-8").replace('page = "#f4f1ec"', 'page = "beige"'), "utf-8")
    bundle, findings = gather(settings(project), "spring")
    assert bundle is None
    assert {each.code for each in findings} == {"bad-setting", "no-layout"}
    assert all("beige" not in each.message for each in findings)
    line = theme.read_text("utf-8").split("\n").index('page = "beige"') + 1
    assert [each.line for each in findings if each.code == "bad-setting"] == [line]


@pytest.mark.parametrize("packed", [b"", b"junk", zlib.compress(b"[]"), zlib.compress(b'{"form": 99}')])
def test_what_is_no_bundle_is_refused(packed: bytes) -> None:
    """Damaged or foreign bytes raise a sentence, never half a bundle."""
    with pytest.raises(StoreError, match="bundle"):
        unpack(packed)
