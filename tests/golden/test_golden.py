"""The layouts look as they did when somebody looked at them: in every width and scheme, bare, and inverted by force."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from tests.golden import comparing, drawing, samples
from tests.golden.drawing import VIEWS, View

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("layout", samples.LAYOUTS)
def test_a_layout_looks_as_it_did(chrome: Any, layout: str) -> None:
    """Each picture equals the one kept, within the tolerance. Is it meant to differ? ``python -m tests.golden``."""
    said = [comparing.difference(drawing.look(chrome, view).screenshot, comparing.kept(view.name))
            for view in VIEWS if view.layout == layout]
    assert [each for each in said if each] == []


def shot(chrome: Any, script: str = "") -> bytes:
    with drawing.drawn(chrome, View(layout="letter", width=375)) as page:
        if script:
            page.evaluate(script)
        return bytes(page.screenshot(full_page=True))


@pytest.mark.parametrize("script", [
    "document.querySelector('.button').style.background = '#a00'",
    "document.querySelector('.body').style.fontFamily = 'Noto Sans'",
    "document.querySelector('.paper').style.setProperty('padding', '10px', 'important')",
    "document.querySelector('.pull-quote').remove()",
    "document.querySelector('.footer').style.color = '#eee'",
])
def test_a_change_to_the_look_is_seen(chrome: Any, script: str) -> None:
    """A colour, a font, a margin, a part that is missing: each is more than the tolerance."""
    assert comparing.difference(shot(chrome, script), comparing.kept("letter-375-light"))


def test_a_hair_of_difference_is_none(chrome: Any, tmp_path: Path) -> None:
    """What font renderers differ in, how soft the edges of letters are, stays within the tolerance."""
    sharp = shot(chrome)
    soft = io.BytesIO()
    Image.open(io.BytesIO(sharp)).convert("RGB").filter(ImageFilter.GaussianBlur(0.7)).save(soft, "PNG")
    comparing.keep(sharp, tmp_path / "one.png")
    assert comparing.difference(soft.getvalue(), tmp_path / "one.png") == ""


def test_the_pictures_are_those_of_the_views_and_small() -> None:
    """One picture a view and none besides, together below 3 MB."""
    assert {path.stem for path in comparing.PICTURES.glob("*.png")} == {view.name for view in VIEWS}
    assert sum(path.stat().st_size for path in comparing.PICTURES.glob("*.png")) < 3_000_000
