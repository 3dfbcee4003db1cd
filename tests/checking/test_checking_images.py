"""What images weigh is told with file, line and what to do; what is light is not."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from PIL import Image

from pillarbox.checking import images as checking
from pillarbox.checking.matter import Matter
from pillarbox.compose.letter import build
from pillarbox.content.bundle import gather
from pillarbox.content.pictures import HEAVY
from pillarbox.model.config import Settings
from pillarbox.model.records import Finding, Level
from tests import photographs

DAY = datetime.date(2026, 3, 1)


def noisy(width: int, height: int, frames: int = 2) -> bytes:
    """An image that cannot be made small: an animation of noise."""
    made = [Image.effect_noise((width, height), 200 + number).convert("P") for number in range(frames)]
    return photographs.encoded(made[0], "GIF", save_all=True, append_images=made[1:])


def found(project: Path, letter: str, files: dict[str, bytes], toml: str = "") -> list[Finding]:
    folder = project / "appeals" / "spring"
    (folder / "images").mkdir(parents=True)
    (folder / "appeal.toml").write_text(f'title = "Spring"\nsubject = "Hello"\n{toml}', "utf-8")
    (folder / "letter.md").write_text(letter, "utf-8")
    for name, data in files.items():
        (folder / "images" / name).write_bytes(data)
    settings = Settings(folder=project)
    bundle, findings = gather(settings, "spring")
    assert bundle is not None, findings
    made = build(bundle, date=DAY, mailing={"images": "https://example.org/i/"})
    told = checking.look(Matter(bundle=bundle, letter=made, day=DAY, settings=settings, shapes=()))
    return [*told, *checking.unused(bundle, made)]


def test_light_images_are_fine(tmp_path: Path) -> None:
    """A photograph from a phone and a logo: nothing to say."""
    assert found(tmp_path, "![A](images/a.jpg)\n\n![B](images/b%20c.png)\n", {
        "a.jpg": photographs.photograph(4000, 3000), "b c.png": photographs.drawing()}) == []


def test_a_heavy_image_is_told(tmp_path: Path) -> None:
    """At the line that shows it, with its weight."""
    [told] = found(tmp_path, "Hi\n\n![A](images/a.gif)\n", {"a.gif": noisy(600, 500)})
    assert (told.code, told.level) == ("image-heavy", Level.WARNING)
    assert (told.file, told.line) == ("appeals/spring/letter.md", 3)
    assert "KB" in told.message
    assert "animation" in told.message


def test_a_heavy_still_is_told_otherwise(tmp_path: Path) -> None:
    """See-through noise stays a PNG, whatever it weighs."""
    image = Image.effect_noise((500, 350), 200).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    [told] = found(tmp_path, "![A](images/a.png)\n", {"a.png": photographs.encoded(image, "PNG")})
    assert (told.code, told.line) == ("image-heavy", 1)
    assert "even after it was made small" in told.message


@pytest.mark.parametrize(("toml", "words"), [("", "phone fetches"), ('images = "embedded"\n', "each message carries")])
def test_many_are_heavy_together(tmp_path: Path, toml: str, words: str) -> None:
    """Each below the limit, all above a megabyte."""
    files = {f"{number}.gif": noisy(330, 305 + number) for number in range(7)}
    assert all(len(data) < HEAVY for data in files.values())
    [told] = found(tmp_path, "\n\n".join(f"![A](images/{name})" for name in files), files, toml)
    heaviest = max(files, key=lambda name: len(files[name]))
    assert (told.code, told.line) == ("images-heavy", 1 + 2 * list(files).index(heaviest))
    assert words in told.message


def test_a_tower_is_told(tmp_path: Path) -> None:
    """Outlook tears it; one that is as tall as a screen or two is fine."""
    tall = photographs.encoded(Image.new("RGB", (520, 1800), (9, 90, 120)), "PNG")
    fine = photographs.encoded(Image.new("RGB", (1040, 3000), (9, 90, 120)), "PNG")
    [told] = found(tmp_path, "![A](images/tall.png)\n\n![B](images/fine.png)\n", {"tall.png": tall, "fine.png": fine})
    assert (told.code, told.line) == ("image-tall", 1)


def test_an_image_that_is_not_shown_is_advice(tmp_path: Path) -> None:
    """It travels nowhere, and weighs nothing; perhaps it was forgotten."""
    [told] = found(tmp_path, "Hi\n", {"a.gif": noisy(600, 500)})
    assert (told.code, told.level, told.file) == ("image-unused", Level.ADVICE, "appeals/spring/images/a.gif")


def test_an_image_without_words_is_told(tmp_path: Path) -> None:
    """``![](…)`` is a warning at its line; with words there is none."""
    [told] = found(tmp_path, "Hello.\n\n![](images/a.png)\n", {"a.png": photographs.encoded(
        Image.new("RGB", (60, 40), "teal"), "PNG")})
    assert (told.code, told.level, told.line) == ("image-alt", Level.WARNING, 3)
    assert found(tmp_path / "other", "![A lamp](images/a.png)\n", {"a.png": photographs.encoded(
        Image.new("RGB", (60, 40), "teal"), "PNG")}) == []
