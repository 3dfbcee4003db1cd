"""Images as volunteers hand them in: photographs with all that a camera writes beside them, drawings, fakes, bombs."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw

PLACE = (51.6, 0.19)
"""Where the photograph was taken: nobody's business."""


def photograph(width: int = 1600, height: int = 1200, *, orientation: int = 1, form: str = "JPEG",
               **more: Any) -> bytes:
    """A photograph: soft shapes, the left half red, the right half blue; EXIF with place, phone and orientation."""
    noise = Image.effect_noise((max(width // 8, 1), max(height // 8, 1)), 40).resize((width, height))
    light = Image.linear_gradient("L").resize((width, height))
    left = Image.new("L", (width, height), 0)
    left.paste(200, (0, 0, width // 2, height))
    image = Image.merge("RGB", (Image.blend(left, noise, 0.3), Image.blend(noise, light, 0.5),
                                Image.blend(left.point(lambda value: 200 - value), noise, 0.3)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A phone of somebody"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (51.0, 36.0, 0.0), "W", (0.0, 11.0, 24.0)
    return encoded(image, form, exif=exif, **({"quality": 92} if form != "PNG" else {}) | more)


def drawing(width: int = 1200, height: int = 400, *, see_through: bool = True) -> bytes:
    """A logo: flat colours, hardly more than a few."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0) if see_through else (255, 255, 255, 255))
    pen = ImageDraw.Draw(image)
    pen.ellipse((height // 8, height // 8, height - height // 8, height - height // 8), fill=(15, 92, 122, 255))
    pen.rectangle((width // 3, height // 3, width - width // 8, height // 2), fill=(200, 60, 20, 255))
    return encoded(image, "PNG")


def animation(width: int = 60, height: int = 40, frames: int = 3, *, comment: bytes = b"taken at home") -> bytes:
    """A GIF of several frames, with a comment."""
    made = [Image.new("P", (width, height), number) for number in range(frames)]
    for number, frame in enumerate(made):
        frame.putpalette([number * 40, 90, 120] * 256)
        ImageDraw.Draw(frame).rectangle((number * 10, 5, number * 10 + 8, 30), fill=number + 5)
    return encoded(made[0], "GIF", save_all=True, append_images=made[1:], loop=0, duration=80, comment=comment)


def bomb(width: int, height: int) -> bytes:
    """A PNG of so many pixels in a few kilobytes: its header, and a beginning of nothing."""
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1_000_000))) + chunk(b"IEND", b""))


def encoded(image: Image.Image, form: str, **more: Any) -> bytes:
    """An image as a file."""
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """An image from a file, read whole."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
