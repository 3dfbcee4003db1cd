"""Pairs of what reading an appeal's folder finds."""

from __future__ import annotations

from pillarbox.content.appeal import MOST_IMAGES
from pillarbox.content.pictures import MOST_BYTES
from pillarbox.content.source import TEXT_BYTES
from tests.checking.pairs.case import HOME, LETTER, Pair, beside, pair, said
from tests.checking.pairs.drawn import LAMP, png

OTHER = b"Dear friend,\n\nThe lamp is lit: come and see it.\n"

SHOWN = "![The lamp](images/lamp.png)\n"


def lamps(count: int) -> dict[str, bytes | None]:
    """So many images."""
    return {f"{HOME}/images/lamp{number}.png": LAMP for number in range(count)}


def padded(size: int) -> str:
    """A small letter whose hint makes its file this big."""
    words = LETTER + "\n{#  #}\n"
    return words.replace("{#  #}", "{# " + "x" * (size - len(words)) + " #}")


PAIRS: tuple[Pair, ...] = (
    pair("bad-name", "slug", "Spring", "spring"),
    pair("no-appeal", "slug", "sprng", "spring"),
    pair("missing-file", "letter", None, LETTER),
    beside("two-letters", {f"{HOME}/letter.html": b"<p>Come.</p>\n"}, {f"{HOME}/letter.txt": b"Come.\n"}),
    pair("empty-letter", "letter", "{# Who are you? #}\n", "{# Who are you? #}\nA friend.\n"),
    pair("bad-toml", "appeal", 'series = "lamps\n', 'series = "lamps"\n'),
    pair("bad-setting", "appeal", 'sereis = "lamps"\n', 'series = "lamps"\n'),
    beside("not-utf-8", {f"{HOME}/letter.md": "Dear René,\n".encode("latin-1")},
           {f"{HOME}/letter.md": "Dear René,\n".encode()}),
    said("nul-character", "Come\0 and see.", "Come and see."),
    said("path-outside", "{% include '../pillarbox.key' %}", "{% include 'wordmark.html' %}"),
    pair("too-big", "letter", padded(TEXT_BYTES + 1), padded(TEXT_BYTES)),
    beside("unreadable", {f"{HOME}/letter.txt/page": b"Come.\n"}, {f"{HOME}/letter.txt": b"Come.\n"}),
    beside("bad-variant", {f"{HOME}/letter.f.md": OTHER}, {f"{HOME}/letter.b.md": OTHER}),
    pair("same-variant", "appeal", '[variants.b]\nsubject = "The lamp burns again"\n',
         '[variants.b]\nsubject = "The lamp is lit"\n'),
    beside("stray-letter", {f"{HOME}/letter.old.md": OTHER}, {f"{HOME}/letter.b.md": OTHER}),
    pair("no-layout", "appeal", 'layout = "leter"\n', 'layout = "letter"\n'),
    beside("no-theme", {"templates/theme.toml": None}, {}),
    # ------------------------------------------------------------------------------------------ images
    beside("image-name", {f"{HOME}/images/lamp\u200b.png": LAMP}, {f"{HOME}/images/lamp.png": LAMP}, letter=SHOWN),
    beside("image-kind", {f"{HOME}/images/lamp.bmp": LAMP}, {f"{HOME}/images/lamp.png": LAMP}, letter=SHOWN),
    beside("missing-image", {f"{HOME}/images/lamps.png": LAMP}, {f"{HOME}/images/lamp.png": LAMP}, letter=SHOWN),
    beside("bad-image", {f"{HOME}/images/lamp.png": LAMP[:20]}, {f"{HOME}/images/lamp.png": LAMP}, letter=SHOWN),
    beside("image-pixels", {f"{HOME}/images/lamp.png": png(6_000, 5_001)},
           {f"{HOME}/images/lamp.png": png(6_000, 5_000)}, letter=SHOWN),
    beside("image-too-big", {f"{HOME}/images/lamp.png": LAMP.ljust(MOST_BYTES + 1, b"\0")},
           {f"{HOME}/images/lamp.png": LAMP.ljust(MOST_BYTES, b"\0")}, letter=SHOWN),
    beside("many-images", lamps(MOST_IMAGES + 1), lamps(MOST_IMAGES), letter=SHOWN.replace("lamp.png", "lamp1.png")),
)
