"""Pictures of letters, kept small, and how far a new one may differ from the one that was looked at and kept.

Kept are half the size and few colours: enough for the eye, a few KB each. Compared are the means of small squares, so
that the edges of letters, which every version of a font renderer draws a little differently, weigh nothing, and a line
that breaks elsewhere, a colour or a margin does.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageChops

PICTURES = Path(__file__).parent / "pictures"
COLOURS = (24, 48, 96, 192)
"""As few as show no difference to the screenshot itself: photographs and small words in one picture need more."""
SQUARE = 8
"""Pixels of a kept picture: the side of the squares that are compared."""
MARGIN = 14
"""Levels (of 255) by which a square's mean may differ, in any channel."""
SHARE = 0.004
"""How many of the squares may differ by more."""
HEIGHT = 0.01
"""By how much of its height a letter may be longer or shorter."""


def kept(name: str) -> Path:
    """Where the picture of this name lies."""
    return PICTURES / f"{name}.png"


def small(screenshot: bytes) -> Image.Image:
    """A screenshot as it is kept, before its colours are made few."""
    image = Image.open(io.BytesIO(screenshot)).convert("RGB")
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)


def keep(screenshot: bytes, path: Path) -> int:
    """Keep a screenshot; its size in bytes."""
    path.parent.mkdir(exist_ok=True)
    image = small(screenshot)
    for colours in COLOURS:
        image.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)
        if not difference(screenshot, path):
            break
    return path.stat().st_size


def difference(screenshot: bytes, path: Path) -> str:
    """What is other than in the kept picture, in a sentence; empty when it is the same within the tolerance."""
    if not path.exists():
        return f"{path.name} is not kept yet"
    one, other = small(screenshot), Image.open(path).convert("RGB")
    if one.width != other.width or abs(one.height - other.height) > HEIGHT * other.height:
        return f"{path.name} is {other.width}×{other.height}, and now it is {one.width}×{one.height}"
    height = min(one.height, other.height)
    differing = _squares(one, height), _squares(other, height)
    apart = ImageChops.difference(*differing)
    levels = apart.tobytes()
    far = [max(levels[at : at + 3]) > MARGIN for at in range(0, len(levels), 3)]
    share = sum(far) / len(far)
    if share <= SHARE:
        return ""
    first = far.index(True) // apart.width * SQUARE * 2
    return f"{path.name}: {share:.1%} of it looks different, from {first} pixels down"


def _squares(image: Image.Image, height: int) -> Image.Image:
    cut = image.crop((0, 0, image.width, height))
    return cut.resize((-(-image.width // SQUARE), -(-height // SQUARE)), Image.Resampling.BOX)
