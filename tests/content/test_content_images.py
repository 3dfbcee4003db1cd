"""What an image is, and how large it is shown, is read from its first bytes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from pillarbox.content import images, pictures, shelf
from pillarbox.content.appeal import MOST_IMAGES, read
from tests import photographs

TOML = 'title = "Spring"\nsubject = "Hello"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "appeals" / "spring"
    (found / "images").mkdir(parents=True)
    (found / "appeal.toml").write_text(TOML, "utf-8")
    (found / "letter.md").write_text("Dear you\n", "utf-8")
    return found


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (300, 200), (1025, 513)])
def test_kind_and_size_are_read(form: str, size: tuple[int, int]) -> None:
    """Width and height of each kind, as Pillow writes it."""
    data = photographs.encoded(Image.new("RGB", size, (1, 2, 3)), form)
    assert images.size(data) == size
    assert images.kind(data) == {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}[form]


def test_lossless_and_animated_webp_have_sizes() -> None:
    """WebP has three headers."""
    image = Image.new("RGBA", (301, 77), (1, 2, 3, 4))
    assert images.size(photographs.encoded(image, "WEBP", lossless=True)) == (301, 77)
    assert images.size(photographs.encoded(image, "WEBP", save_all=True, append_images=[
        Image.new("RGBA", (301, 77), (9, 2, 3, 4))])) == (301, 77)


def test_what_is_no_image_has_no_size() -> None:
    """Neither words nor half a header."""
    assert images.size(b"") is images.size(b"hello") is images.size(b"\x89PNG\r\n\x1a\n") is None
    assert images.size(b"\xff\xd8\xff\xe0\x00\x02") is None


@pytest.mark.parametrize(("name", "size", "measure", "shown"), [
    ("a.png", (1040, 500), 520, (520, 250)), ("a.png", (300, 200), 520, (300, 200)),
    ("a.png", (800, 400), 250, (250, 125)),
    ("logo@2x.png", (300, 200), 520, (150, 100)), ("wide.png", (1040, 1), 520, (520, 1))])
def test_it_is_shown_no_larger_than_it_is(name: str, size: tuple[int, int], measure: int,
                                          shown: tuple[int, int]) -> None:
    """As wide as there is room, never wider than the file; @2x says that half is meant."""
    assert images.shown(name, photographs.encoded(Image.new("L", size), "PNG"), measure) == shown


def test_addresses() -> None:
    """Outside, an image is called by a hash of its content; within a message, by a Content-ID of the same."""
    data = photographs.drawing()
    name = images.public_name(data)
    assert images.address("https://example.org/i/", data) == f"https://example.org/i/{name}"
    assert images.address(images.CID, data) == f"cid:{images.content_id(data)}" == f"cid:{name}@pillarbox"
    for prefix in ("https://example.org/i/", "http://127.0.0.1:8025/i/", images.CID):
        assert images.at_home(f'<img src="{images.address(prefix, data)}">', "../i/") == f'<img src="../i/{name}">'
        assert images.is_own(images.address(prefix, data))
    assert not images.is_own("https://example.org/i/harbour.png")
    other = '<img src="https://example.org/i/harbour.png"><a href="https://example.org/i/">'
    assert images.at_home(other, "../i/") == other


# ------------------------------------------------------------------------------------------ the folder


def codes(project: Path) -> list[tuple[str, str]]:
    return [(each.code, each.file) for each in read(project, "spring")[1]]


def test_the_folder_is_read_ready(tmp_path: Path, folder: Path) -> None:
    """What the appeal holds is what leaves; what systems put into folders is overlooked, and so are subfolders."""
    (folder / "images" / "a.jpg").write_bytes(photographs.photograph(2000, 1000))
    (folder / "images" / "b.webp").write_bytes(photographs.photograph(500, 300, form="WEBP"))
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
        (folder / "images" / name).write_bytes(b"x")
    (folder / "images" / "originals").mkdir()
    appeal, findings = read(tmp_path, "spring")
    assert appeal is not None, findings
    assert {name: images.size(data) for name, data in appeal.images.items()} == {
        "a.jpg": (1040, 520), "b.webp": (500, 300)}
    assert images.kind(appeal.images["b.webp"]) in images.KINDS


def test_what_cannot_be_used_is_told_all_at_once(tmp_path: Path, folder: Path) -> None:
    """A fake, a bomb, an image of 40 MB and a drawing for the web: each with its file and what to do."""
    for name, data in {"bomb.png": photographs.bomb(60_000, 60_000), "fake.jpg": b"<html>",
                       "web.svg": b"<svg/>"}.items():
        (folder / "images" / name).write_bytes(data)
    with (folder / "images" / "huge.jpg").open("wb") as file:
        file.write(photographs.photograph(100, 100))
        file.truncate(40 * 1024 * 1024)
    appeal, findings = read(tmp_path, "spring")
    assert appeal is None
    assert sorted((each.code, each.file.rpartition("/")[2]) for each in findings) == [
        ("bad-image", "fake.jpg"), ("image-kind", "web.svg"), ("image-pixels", "bomb.png"),
        ("image-too-big", "huge.jpg")]
    assert all("save" in each.message for each in findings)
    assert "40 MB" in next(each.message for each in findings if each.code == "image-too-big")


def test_a_pipe_is_not_waited_for(tmp_path: Path, folder: Path) -> None:
    """What is no file is told, at once."""
    os.mkfifo(folder / "images" / "a.png")
    assert codes(tmp_path) == [("unreadable", "appeals/spring/images/a.png")]


def test_a_link_cannot_lead_out(tmp_path: Path, folder: Path) -> None:
    """Neither an image nor the whole folder may be a link to somewhere else."""
    (tmp_path / "private.png").write_bytes(photographs.drawing())
    (folder / "images" / "a.png").symlink_to(tmp_path / "private.png")
    assert codes(tmp_path) == [("path-outside", "appeals/spring/images/a.png")]
    shutil.rmtree(folder / "images")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.png").write_bytes(photographs.drawing())
    (folder / "images").symlink_to(tmp_path / "elsewhere")
    assert codes(tmp_path) == [("path-outside", "appeals/spring/images/b.png")]


def test_too_many_are_not_read(tmp_path: Path, folder: Path) -> None:
    """A camera's whole card is no letter."""
    for number in range(MOST_IMAGES + 1):
        (folder / "images" / f"{number}.png").write_bytes(b"x")
    assert codes(tmp_path) == [("many-images", "appeals/spring/images")]


def test_a_project_keeps_what_was_made(tmp_path: Path, folder: Path) -> None:
    """Below var/, which is not under git; what is no project is left as it is."""
    (folder / "images" / "a.jpg").write_bytes(photographs.photograph(1111, 700))
    read(tmp_path, "spring")
    assert not (tmp_path / "var").exists()
    (tmp_path / "pillarbox.toml").write_text("", "utf-8")
    shelf._made.clear()
    read(tmp_path, "spring")
    assert len(list(tmp_path.joinpath(*shelf.FOLDER).iterdir())) == 1
    assert pictures.RECIPE == 1
