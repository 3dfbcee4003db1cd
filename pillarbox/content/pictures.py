"""An image as a camera or a volunteer made it becomes one that a letter can carry: upright, sRGB, small, and silent.

Silent: what a camera writes beside the picture (where it was taken, when, with which phone) never leaves. The same
image gives the same bytes as long as Pillow stays the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pillarbox.content import images

if TYPE_CHECKING:
    from PIL import Image as PilImage

RECIPE = 1
"""Raised when the same image would come out otherwise: what was kept of it is then made anew."""
MOST_BYTES = 25 * 1024 * 1024
"""A file as a camera writes it (a 48-megapixel JPEG has some 20 MB). Whatever is larger was not meant for a letter."""
MOST_JPEG_PIXELS, MOST_PIXELS = 50_000_000, 30_000_000
"""Width times height: 48-megapixel phones have 48.8 million, and a JPEG is read at a fraction of its size; others are
read whole, at four bytes a pixel and with a copy."""
MOST_GIF_PIXELS = 100_000_000
"""Over all frames of an animation: it is not read whole, but phones must."""
WIDEST = images.SHARP * images.COLUMN
JPEG_QUALITIES = (82, 75, 68)
"""On Pillow's scale, the best that is not heavy: most photographs of 1,040 pixels have 80 to 200 KB at the first, and
no difference is seen at half their size."""
HEAVY = 200 * 1024
"""Bytes of one image that a slow phone (1 Mbit/s) fetches in 1.6 seconds."""
_LOSSLESS_ENOUGH = 2.0
"""Root mean square of a palette's error, of 255, in the worst channel: nobody sees it."""
_WORTH_JPEG = 60 * 1024
"""A PNG below this stays one: of drawings and words JPEG makes a smear."""
_SIDEWAYS = (5, 6, 7, 8)
_ORIENTATION = 0x0112


class BadImageError(Exception):
    """An image cannot be used.

    Args:
        code: the finding's.
        message: what is wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


_FAKE = ("This is no image that can be read, whatever its name says (half copied, or another file renamed?): save it "
         "again as JPEG or PNG.")


def prepare(data: bytes) -> bytes:
    """The image as it leaves: PNG, JPEG or GIF.

    A photograph becomes a JPEG, a drawing a PNG, at most ``WIDEST`` pixels wide. An animation stays as it is, without
    what is written beside its frames.

    Raises:
        BadImageError: it is none, or too large to be read safely.
    """
    kind, size = images.kind(data), images.size(data)
    if kind is None or size is None or 0 in size:
        raise BadImageError("bad-image", _FAKE)
    if size[0] * size[1] > (MOST_JPEG_PIXELS if kind == "jpg" else MOST_PIXELS):
        raise BadImageError("image-pixels", f"The image has {size[0]:,} × {size[1]:,} pixels, and a letter shows "
                            f"{images.COLUMN} beside each other: save it about {2 * WIDEST:,} pixels wide.")
    try:
        return _gif(data) if kind == "gif" else _still(data, kind)
    except BadImageError:
        raise
    except Exception:  # noqa: BLE001 - decoders raise whatever they like on a broken file
        raise BadImageError("bad-image", _FAKE) from None


# ------------------------------------------------------------------------------------------ photographs and drawings


def _still(data: bytes, kind: str) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=[_DECODERS[kind]]) as image:
        if kind == "webp" and getattr(image, "is_animated", False):
            raise BadImageError("image-kind", "Mail programs show no animated WebP: save it as a GIF, or as one still.")
        orientation = image.getexif().get(_ORIENTATION, 1)
        width = image.height if orientation in _SIDEWAYS else image.width
        fits = width <= WIDEST
        if not fits:  # a JPEG can be read at a half, a quarter or an eighth: then its memory is small, too
            image.draft(None, (image.width * WIDEST // width + 1, image.height * WIDEST // width + 1))
        image.load()
        profile = _profile(image)
        own = _same_again(image) if kind == "jpg" and fits and orientation == 1 and not profile else b""
        small = _narrowed(_of_few_modes(image), sideways=orientation in _SIDEWAYS)
    picture = _upright(_in_srgb(small, profile), orientation)
    made = _jpeg(picture) if kind == "jpg" else _best(picture)
    return own if own and len(own) <= len(made) else made


_DECODERS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "gif": "GIF"}


def _same_again(image: PilImage.Image) -> bytes:
    """A small JPEG with its own tables: nothing is lost twice. Empty when that cannot be."""
    if image.format != "JPEG" or image.mode not in ("L", "RGB"):
        return b""
    out = io.BytesIO()
    info = dict(image.info)
    try:
        image.info = {}
        image.save(out, "JPEG", quality="keep", optimize=True, progressive=True)
    except ValueError:  # tables that cannot be kept
        return b""
    finally:
        image.info = info
    return out.getvalue()


def _upright(image: PilImage.Image, orientation: int) -> PilImage.Image:
    """The image as the camera was held (EXIF 2.32, 4.6.4, tag 0x0112)."""
    from PIL import Image

    turn = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90}.get(orientation)
    return image if turn is None else image.transpose(turn)


def _of_few_modes(image: PilImage.Image) -> PilImage.Image:
    """The image as L, RGB, RGBA or CMYK, in which it can be made smaller."""
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def _narrowed(image: PilImage.Image, *, sideways: bool) -> PilImage.Image:
    """At most ``WIDEST`` pixels wide; high, when it lies on its side."""
    from PIL import Image

    scale = WIDEST / (image.height if sideways else image.width)
    if scale >= 1:
        return image.copy()  # the file's own goes when the file is closed
    size = tuple(max(round(side * scale), 1) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(image: PilImage.Image, profile: bytes) -> PilImage.Image:
    """Grey, RGB or RGBA, in the colours that every mail program takes for granted; without anything beside."""
    made = image
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        made = _converted(image.convert("RGB"), profile)
        if alpha.getextrema() != (255, 255):
            made.putalpha(alpha)
    elif image.mode != "L":  # the tone of grey hardly differs between profiles
        made = _converted(image, profile)
    made.info = {}  # Pillow writes some of it again
    return made


def _profile(image: PilImage.Image) -> bytes:
    """The colour profile of an image; empty when it has none that can be read, or has sRGB."""
    from PIL import ImageCms

    found: bytes = image.info.get("icc_profile") or b""
    try:
        known = not found or ImageCms.getProfileDescription(
            ImageCms.ImageCmsProfile(io.BytesIO(found))).startswith("sRGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return b""  # seen as if there were none, as browsers do
    return b"" if known else found


def _converted(image: PilImage.Image, profile: bytes) -> PilImage.Image:
    from PIL import ImageCms

    if profile:
        try:
            made = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                                             ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            made = None  # of another kind of pixels than these
        if made is not None:
            return made
    return image.convert("RGB")


def _jpeg(image: PilImage.Image) -> bytes:
    made = b""
    for quality in JPEG_QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        made = out.getvalue()
        if len(made) <= HEAVY:
            break
    return made


def _best(image: PilImage.Image) -> bytes:
    """The smallest of what looks the same: a palette, all colours, or (of what is no drawing) a JPEG."""
    quick = _png(image, quick=True)
    if image.mode != "RGBA" and len(quick) > _WORTH_JPEG and len(made := _jpeg(image)) < len(quick) / 4:
        return made  # a photograph: a palette would show bands
    few = _few_colours(image)
    smallest = _png(few or image)
    if image.mode != "RGBA" and len(smallest) > _WORTH_JPEG and len(made := _jpeg(image)) < len(smallest) / 2:
        return made
    return smallest


def _few_colours(image: PilImage.Image) -> PilImage.Image | None:
    """The image with a palette of 256 colours, when nobody would see a difference."""
    from PIL import Image, ImageChops, ImageStat

    if image.mode == "L":
        return None
    method = Image.Quantize.FASTOCTREE if image.mode == "RGBA" else Image.Quantize.MEDIANCUT
    few = image.quantize(256, method=method, dither=Image.Dither.NONE)
    error = ImageStat.Stat(ImageChops.difference(image, few.convert(image.mode))).rms
    return few if max(error) <= _LOSSLESS_ENOUGH else None


def _png(image: PilImage.Image, *, quick: bool = False) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3) if quick else image.save(out, "PNG", optimize=True)
    return out.getvalue()


# ------------------------------------------------------------------------------------------ GIF

_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
# What makes an animation repeat; all other application blocks (XMP) and comments are words beside the frames.
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def _gif(data: bytes) -> bytes:
    """An animation without comments and the like (GIF89a, sections 18 to 26), its first frame read to see that it is
    one; of a single frame a PNG or JPEG."""
    from PIL import Image

    made = b"".join(_gif_blocks(data))
    with Image.open(io.BytesIO(made), formats=["GIF"]) as image:
        if not image.is_animated:  # type: ignore[attr-defined]  # a GIF says so
            return _still(made, "gif")
        image.load()
    return made


def _gif_blocks(data: bytes) -> Iterator[bytes]:
    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    def blocks_end(position: int) -> int:
        while data[position]:
            position += 1 + data[position]
        return position + 1

    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    at = 13 + table(data[10])
    yield data[:at]
    pixels = 0
    while data[at] != _END:
        start = at
        if data[at] == _EXTENSION:
            at = blocks_end(at + 2)
            label = data[start + 1]
            if label == _CONTROL or (label == _APPLICATION and data[start + 3 : start + 14] in _LOOPS):
                yield data[start:at]
            continue
        if data[at] != _FRAME:
            raise ValueError("no block of a GIF")
        left, top, wide, high = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (1, 3, 5, 7))
        pixels += wide * high
        if left + wide > width or top + high > height or pixels > MOST_GIF_PIXELS:
            raise BadImageError("image-pixels", "The animation is too large for phones, or its frames are larger than "
                                "itself: save a shorter or smaller one.")
        at = blocks_end(at + 10 + table(data[at + 9]) + 1)
        yield data[start:at]
    if not pixels:
        raise ValueError("a GIF without a frame")
    yield b";"
