"""The layouts look as they did when somebody looked at them: in every width and scheme, bare, and inverted by force."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.golden import comparing, drawing, samples
from tests.golden.drawing import VIEWS, View

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("layout", samples.LAYOUTS)
def test_a_layout_looks_as_it_did(chrome: Any, layout: str) -> None:
    """Each picture equals the one kept, within the tolerance. Meant to be other? ``python -m tests.golden``, and look."""
    said = []
    for view in VIEWS:
        if view.layout == layout:
            with drawing.drawn(chrome, view) as page:
                said.append(comparing.difference(page.screenshot(full_page=True), comparing.kept(view.name)))
    assert [each for each in said if each] == []


def shot(chrome: Any, script: str = "") -> bytes:
    with drawing.drawn(chrome, View(layout="letter", width=375)) as page:
        if script:
            page.evaluate(script)
        return bytes(page.screenshot(full_page=True))


@pytest.mark.parametrize("script", [
    "document.querySelector('.button').style.background = '#a00'",
    "document.querySelector('h1').style.fontFamily = 'Noto Sans'",
    "document.querySelector('.paper').style.padding = '10px'",
    "document.querySelector('.pull-quote').remove()",
    "document.querySelector('.footer').style.color = '#eee'",
])
def test_a_change_to_the_look_is_seen(chrome: Any, script: str) -> None:
    """A colour, a font, a margin, a part that is missing: each is more than the tolerance."""
    assert comparing.difference(shot(chrome, script), comparing.kept("letter-375-light"))


def test_a_hair_of_difference_is_none(tmp_path: Path) -> None:
    """What font renderers differ in, the edges of letters by half a pixel, stays within the tolerance."""
    def drawn(shift: float) -> bytes:
        image = Image.new("RGB", (750, 800), "white")
        pen = ImageDraw.Draw(image)
        for row in range(40, 760, 28):
            for column in range(40, 700, 11):
                pen.line((column + shift, row, column + shift, row + 11), fill="black", width=2)
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    path = tmp_path / "one.png"
    comparing.keep(drawn(0), path)
    assert comparing.difference(drawn(1), path) == ""


def test_the_pictures_are_those_of_the_views_and_small() -> None:
    """One picture a view and none besides, together below 3 MB."""
    assert {path.stem for path in comparing.PICTURES.glob("*.png")} == {view.name for view in VIEWS}
    assert sum(path.stat().st_size for path in comparing.PICTURES.glob("*.png")) < 3_000_000
