"""Whatever volunteers hand in leaves small, upright, in plain colours and silent; what is no image says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from pillarbox.content import images, pictures, shelf
from pillarbox.content.pictures import BadImageError, prepare
from tests import photographs
from tests.photographs import opened


def colour(data: bytes, x: float, y: float) -> tuple[int, int, int]:
    """The colour at a place given in parts of width and height."""
    image = opened(data).convert("RGBA")
    found = image.getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(found, tuple)
    return found[0], found[1], found[2]


def test_a_photograph_is_made_small() -> None:
    """Twice the column's width is enough, and as much is not heavy."""
    made = prepare(photographs.photograph(4000, 3000))
    assert images.size(made) == (1040, 780)
    assert images.kind(made) == "jpg"
    assert len(made) <= pictures.HEAVY


def test_a_small_one_is_never_made_larger() -> None:
    """What is smaller than it may be stays as it is."""
    given = photographs.photograph(400, 300, quality=60)
    made = prepare(given)
    assert images.size(made) == (400, 300)
    assert len(made) <= len(given)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("width", [600, 1600])
def test_what_a_camera_writes_beside_it_is_gone(form: str, width: int) -> None:
    """No place, no phone, no comment leaves, whether the image was made smaller or not."""
    given = photographs.photograph(width, width // 2, form=form)
    made = prepare(given)
    assert b"A phone of somebody" in given
    assert b"A phone of somebody" not in made
    image = opened(made)
    assert not image.getexif()
    assert not {"exif", "xmp", "comment", "icc_profile", "XML:com.adobe.xmp"} & image.info.keys()
    assert b"Exif" not in made
    assert b"http://ns.adobe.com" not in made


@pytest.mark.parametrize(("orientation", "red"), [
    (1, (0.2, 0.5)), (2, (0.8, 0.5)), (3, (0.8, 0.5)), (4, (0.2, 0.5)),
    (5, (0.5, 0.2)), (6, (0.5, 0.2)), (7, (0.5, 0.8)), (8, (0.5, 0.8))])
@pytest.mark.parametrize("width", [600, 3000])
def test_it_stands_as_the_camera_was_held(orientation: int, red: tuple[float, float], width: int) -> None:
    """Mail programs do not all turn an image by its EXIF: it is turned before."""
    made = prepare(photographs.photograph(width, width // 2, orientation=orientation))
    size = images.size(made)
    assert size is not None
    assert (size[0] > size[1]) == (orientation < 5)
    there, elsewhere = colour(made, *red), colour(made, 1 - red[0], 1 - red[1])
    assert there[0] > there[2], "red where the photograph's left is"
    assert elsewhere[2] > elsewhere[0]


def test_a_drawing_stays_sharp_and_see_through() -> None:
    """Flat colours become a palette: a PNG of few bytes, transparent where it was."""
    given = photographs.drawing(2000, 600)
    made = prepare(given)
    image = opened(made)
    assert (images.kind(made), image.mode, image.width) == ("png", "P", 1040)
    assert len(made) < len(given)
    assert image.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]
    assert colour(made, 0.15, 0.5) in ((15, 92, 122), (14, 92, 122))


def test_a_photograph_saved_as_png_becomes_a_jpeg() -> None:
    """A PNG holds a photograph in ten times the bytes."""
    made = prepare(photographs.photograph(1040, 700, form="PNG"))
    assert images.kind(made) == "jpg"
    assert len(made) <= pictures.HEAVY


def test_a_see_through_photograph_stays_see_through() -> None:
    """JPEG has no transparency: such a one stays a PNG, however heavy."""
    image = opened(photographs.photograph(800, 500)).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    made = opened(prepare(photographs.encoded(image, "PNG")))
    assert made.convert("RGBA").getchannel("A").getextrema() == (0, 255)


def test_colours_are_those_of_every_screen() -> None:
    """A profile with other primaries is worked in: without it the colours would be others."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A screen whose red and blue are exchanged, under another name.
    other = srgb.replace(b"rXYZ", b"tmp ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmp ", b"bXYZ", 1)
    other = other.replace("sRGB".encode("utf-16-be"), "Odd!".encode("utf-16-be"))
    image = Image.new("RGB", (50, 50), (200, 60, 20))
    see_through = image.convert("RGBA")
    see_through.putpixel((0, 0), (0, 0, 0, 0))
    for given, form in ((image, "PNG"), (image, "JPEG"), (image.resize((2000, 100)), "PNG"), (see_through, "PNG")):
        for profile, wanted in ((other, (20, 60, 200)), (srgb, (200, 60, 20)), (b"a broken profile", (200, 60, 20))):
            made = prepare(photographs.encoded(given, form, icc_profile=profile))
            found = colour(made, 0.5, 0.5)
            assert all(abs(one - two) <= 8 for one, two in zip(found, wanted, strict=True)), (form, found, wanted)
            assert not opened(made).info.get("icc_profile")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixels_is_read(mode: str) -> None:
    """Black and white, grey, palettes, print colours, 16 bits: all come out as what a mail program shows."""
    grey = Image.new("L", (40, 30), 128)
    image = (Image.new("I;16", (40, 30), 128 * 257) if mode == "I;16" else
             grey.convert("RGB").quantize(4) if mode == "P" else grey.convert("RGB").convert(mode))
    made = opened(prepare(photographs.encoded(image, "JPEG" if mode == "CMYK" else "PNG")))
    found = made.convert("L").getpixel((20, 15))
    assert isinstance(found, int)
    assert made.mode in ("L", "P", "RGB", "RGBA", "1")
    assert mode == "1" or abs(found - 128) <= 3


def test_a_gif_keeps_its_frames_and_loses_its_words() -> None:
    """An animation moves on, and what was written beside it stays at home."""
    given = photographs.animation(frames=4)
    made = prepare(given)
    assert b"taken at home" in given
    assert b"taken at home" not in made
    before, after = opened(given), opened(made)
    assert (after.n_frames, after.info["loop"]) == (4, 0)  # type: ignore[attr-defined]
    for number in range(4):
        before.seek(number)
        after.seek(number)
        assert list(before.convert("RGB").tobytes()) == list(after.convert("RGB").tobytes())


def test_a_still_gif_is_made_small_like_others() -> None:
    """One frame needs no GIF: as a PNG it is lighter, and no wider than others."""
    made = prepare(photographs.encoded(opened(photographs.drawing(2000, 600)).convert("RGB"), "GIF"))
    assert (images.kind(made), images.size(made)) == ("png", (1040, 312))


def test_the_same_image_gives_the_same_bytes() -> None:
    """A letter that is planned again shows images of the same name, whichever process made them."""
    given = photographs.photograph(1500, 900)
    told = subprocess.run([sys.executable, "-c", "import sys; from pillarbox.content import images, pictures; "
                           "print(images.public_name(pictures.prepare(sys.stdin.buffer.read())))"],
                          input=given, capture_output=True, check=True).stdout.decode().strip()
    assert told == images.public_name(prepare(given))


@pytest.mark.parametrize("data", [
    b"", b"not at all", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a\x01\x00\x01\x00", b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10rest", b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    photographs.photograph(800, 600)[:20_000], photographs.drawing()[:600], photographs.animation()[:200],
    photographs.bomb(1000, 1000)[:500]])
def test_what_is_no_image_says_so(data: bytes) -> None:
    """A page renamed to .png, half a download, a header without a picture: told, never a trace."""
    with pytest.raises(BadImageError, match="save it again") as caught:
        prepare(data)
    assert caught.value.code == "bad-image"


@pytest.mark.parametrize("data", [photographs.bomb(60_000, 60_000), photographs.bomb(8_000, 8_000)])
def test_a_bomb_is_not_opened(data: bytes) -> None:
    """A few kilobytes that would be billions of pixels are refused by their header, with what to do."""
    assert len(data) < 10_000
    with pytest.raises(BadImageError, match="pixels wide") as caught:
        prepare(data)
    assert caught.value.code == "image-pixels"


def test_an_animation_that_unfolds_is_refused() -> None:
    """Frames beyond the picture's own edge, or without end, would fill a phone's memory."""
    made = bytearray(photographs.animation(60, 40, 1))
    frame = made.index(b"\x2c\x00\x00\x00\x00")
    made[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(BadImageError) as caught:
        prepare(bytes(made))
    assert caught.value.code == "image-pixels"


def test_an_animated_webp_is_refused() -> None:
    """No mail program but a few shows it, and a still of it would surprise."""
    frames = [Image.new("RGB", (20, 20), (number, 0, 0)) for number in (0, 100, 200)]
    data = photographs.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(BadImageError, match="GIF"):
        prepare(data)


_MEASURE = """
import resource, sys
from pathlib import Path
from PIL import Image
from pillarbox.content import pictures
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    pictures.prepare(Path(sys.argv[1]).read_bytes())
except pictures.BadImageError as fault:
    print(fault.code, end=" ")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(("mode", "size", "most"), [
    ("RGB", (6000, 5000), 300), ("RGBA", (6000, 5000), 400), ("P", (6000, 5000), 300), ("I;16", (6000, 5000), 300),
    ("JPEG", (8000, 6000), 250), ("bomb", (30_000, 30_000), 40)])
def test_memory_stays_bounded(tmp_path: Path, mode: str, size: tuple[int, int], most: int) -> None:
    """The largest that is taken costs less than 400 MB for a moment, a bomb nothing."""
    file = tmp_path / "a.png"
    file.write_bytes(
        photographs.bomb(*size) if mode == "bomb" else
        photographs.encoded(Image.new("RGB", size, (10, 90, 120)), "JPEG", progressive=True) if mode == "JPEG" else
        photographs.encoded(Image.new(mode, size, 77 if mode == "I;16" else 0), "PNG", compress_level=1))
    told = subprocess.run([sys.executable, "-c", _MEASURE, str(file)], capture_output=True, check=True,
                          text=True).stdout
    assert ("image-pixels" in told) == (mode == "bomb")
    assert int(told.split()[-1]) <= most, f"{told} MB"


# ------------------------------------------------------------------------------------------ once


def test_an_image_is_made_small_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process finds what was made before; one that was cut short is made again."""
    given = photographs.photograph(1300, 700)
    calls: list[int] = []
    really = pictures.prepare

    def counted(data: bytes) -> bytes:
        calls.append(len(data))
        return really(data)

    monkeypatch.setattr(pictures, "prepare", counted)
    monkeypatch.setattr(shelf, "_made", {})
    folder = tmp_path / "var" / "cache"
    made = shelf.prepared(given, folder)
    monkeypatch.setattr(shelf, "_made", {})
    assert shelf.prepared(given, folder) == made
    assert shelf.prepared(given, None) == made
    assert len(calls) == 1
    [file] = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    monkeypatch.setattr(shelf, "_made", {})
    assert shelf.prepared(given, folder) == made
    assert len(calls) == 2


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image is made all the same."""
    monkeypatch.setattr(shelf, "_made", {})
    (tmp_path / "var").write_text("a file, not a folder")
    assert images.kind(shelf.prepared(photographs.drawing(), tmp_path / "var" / "cache")) == "png"


def test_the_shelf_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first."""
    monkeypatch.setattr(shelf, "_made", {})
    monkeypatch.setattr(shelf, "MOST_FILES", 2)
    for number in range(4):
        shelf.prepared(photographs.drawing(100 + number, 50), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
