"""Pictures for the pairs, drawn with Pillow."""

from __future__ import annotations

import io
import random
from functools import cache

from PIL import Image


@cache
def png(width: int, height: int) -> bytes:
    """A black picture of this size."""
    out = io.BytesIO()
    Image.new("1", (width, height)).save(out, "PNG")
    return out.getvalue()


@cache
def noise(width: int, height: int) -> bytes:
    """A photograph of nothing but noise, which cannot be made small."""
    out = io.BytesIO()
    pixels = random.Random(7).randbytes(width * height)
    Image.frombytes("L", (width, height), pixels).save(out, "JPEG", quality=95)
    return out.getvalue()


LAMP = png(40, 30)
