"""Pairs of what reading an appeal's folder finds."""

from __future__ import annotations

from pillarbox.content.appeal import MOST_IMAGES
from pillarbox.content.source import TEXT_BYTES
from tests.checking.pairs.case import HOME, LETTER, Pair, beside, pair, said
from tests.checking.pairs.drawn import LAMP, png

OTHER = b"Dear friend,\n\nThe lamp is lit: come and see it.\n"


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
    beside("image-name", {f"{HOME}/images/lamp\u200b.png": LAMP}, {f"{HOME}/images/lamp.png": LAMP}),
    beside("image-kind", {f"{HOME}/images/lamp.bmp": LAMP}, {f"{HOME}/images/lamp.png": LAMP}),
    beside("missing-image", {f"{HOME}/images/lamps.png": LAMP}, {f"{HOME}/images/lamp.png": LAMP},
           letter="![The lamp](images/lamp.png)\n"),
    beside("bad-image", {f"{HOME}/images/lamp.png": LAMP[:20]}, {f"{HOME}/images/lamp.png": LAMP}),
    beside("image-pixels", {f"{HOME}/images/lamp.png": png(6_000, 5_001)},
           {f"{HOME}/images/lamp.png": png(6_000, 5_000)}),
    beside("image-too-big", {f"{HOME}/images/lamp.png": LAMP.ljust(25 * 1024 ** 2 + 1, b"\0")},
           {f"{HOME}/images/lamp.png": LAMP.ljust(25 * 1024 ** 2, b"\0")}),
    beside("many-images", {f"{HOME}/images/lamp{number}.png": LAMP for number in range(MOST_IMAGES + 1)},
           {f"{HOME}/images/lamp{number}.png": LAMP for number in range(MOST_IMAGES)}),
)
