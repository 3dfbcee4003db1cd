"""Four small letters, one a layout, composed as a mailing would compose them, in type that our machines have."""

from __future__ import annotations

import datetime
import io
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw

from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.letter import build
from pillarbox.compose.message import Composer
from pillarbox.compose.trace import TraceEnvironment
from pillarbox.content.bundle import gather
from pillarbox.content.images import public_name
from pillarbox.ground.resources import shipped
from pillarbox.model.config import Settings
from pillarbox.model.records import Composed, Letter
from pillarbox.shape.bodies import body

SAMPLES = Path(__file__).parent / "samples"
LAYOUTS = ("letter", "newsletter", "message", "service")
IMAGES = "https://images.example.org/i/"
"""What the addresses of the letters' images begin with; whoever draws a letter answers them from ``served``."""
served: dict[str, bytes] = {}
"""Name in an image's address → the image as it leaves."""
SERIF, SANS = "Noto Serif", "Noto Sans"
"""The pinned type: the same fonts everywhere, or no picture would equal another machine's."""
_DAY = datetime.date(2026, 11, 2)
_SUPPORTER = {"title": "Ms", "first_name": "Ada", "last_name": "Sample", "name": "Ms Ada Sample",
              "salutation": "Dear Ms Sample"}
_LINKS = {name: f"https://example.org/{name}"
          for name in ("donate", "donate_monthly", "unsubscribe", "preferences", "view")}


@cache
def letter(name: str) -> str:
    """The finished HTML of a sample."""
    return _composed(name, _pinned())[0]


@cache
def text(name: str) -> str:
    """Its plain-text part."""
    return _composed(name, _pinned())[1]


def themed(name: str, theme: str) -> str:
    """The finished HTML of a sample with a ``theme.toml`` of one's own."""
    return _composed(name, theme)[0]


@cache
def is_flat(name: str) -> bool:
    """Whether a sample is traced the fast way, drawn together with its layout and components."""
    with TemporaryDirectory() as folder:
        return TraceEnvironment(_built(Path(folder), name, _pinned())).is_flat


def picture(name: str) -> bytes:
    """An image of the samples, plainly drawn: the same bytes of meaning on every machine."""
    wide = name.startswith("table")
    image = Image.new("RGB", (1040, 560) if wide else (720, 720), "#e8c9a0" if wide else "#c8d8d2")
    draw = ImageDraw.Draw(image)
    width, height = image.size
    draw.rectangle((0, height * 2 // 3, width, height), fill="#8a5a3c" if wide else "#7d8f86")
    if wide:
        for number in range(3):
            left = 180 + number * 260
            draw.ellipse((left, 170, left + 130, 300), fill=("#3f5d73", "#a8483f", "#5f7048")[number])
            draw.rectangle((left - 20, 290, left + 150, 400), fill=("#3f5d73", "#a8483f", "#5f7048")[number])
    else:
        draw.rectangle((230, 130, 490, 600), fill="#1f5f8b")
        draw.ellipse((440, 350, 465, 375), fill="#f0e0b0")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _composed(name: str, theme: str) -> tuple[str, str]:
    with TemporaryDirectory() as folder:
        composer = Composer(_built(Path(folder), name, theme), finisher(PremailerInliner()))
        [message] = composer.compose([{"supporter": _SUPPORTER, "links": _LINKS}])
        assert isinstance(message, Composed), message
        assert not message.slow, composer.reasons
        whole = body(message.shape, message.values)
    return whole.html, whole.text


def _built(project: Path, name: str, theme: str) -> Letter:
    _project(project, theme)
    bundle, findings = gather(Settings(folder=project), name)
    assert bundle is not None, findings
    served.update({public_name(data): data for data in bundle.appeal.images.values()})
    return build(bundle, date=_DAY, mailing={"name": "golden", "images": IMAGES})


def _project(folder: Path, theme: str) -> None:
    shutil.copytree(SAMPLES, folder / "appeals")
    images = folder / "appeals" / "newsletter" / "images"
    images.mkdir()
    for name in ("table.png", "door.png"):
        (images / name).write_bytes(picture(name))
    (folder / "templates").mkdir()
    (folder / "templates" / "theme.toml").write_text(theme, "utf-8")


def _pinned() -> str:
    """The shipped theme in the pinned type."""
    theme = (shipped("templates") / "theme.toml").read_text("utf-8")
    for key, font in (("display", SERIF), ("body", SERIF), ("small", SANS)):
        theme = re.sub(rf'^{key} = ".*"$', f"{key} = \"'{font}'\"", theme, flags=re.MULTILINE)
    return theme
