"""What an image is, read from its first bytes: its kind, its size, how large a letter shows it, its public name."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import PurePosixPath

COLUMN = 520
"""Pixels: the layouts' measure. No image is shown wider."""
SHARP = 2
"""Pixels of the file for each that is shown: what the screens of phones have (at least)."""
KINDS = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"}
"""Ending of a public name → media type: what every mail program shows (caniemail.com, read 2026-11)."""
CID = "cid:"
"""Begins the address of an image that travels in the message itself (RFC 2392)."""
_CID_DOMAIN = "@pillarbox"
NAME = r"[0-9a-f]{32}\.(?:png|jpg|gif)"
"""An image's public name: a hash of its bytes, so that nobody can guess one and no cache ever holds an old one."""
_ADDRESS = re.compile(rf"(?:{CID}|https?://[^\s\"'<>()]+?/i/)({NAME})(?:{_CID_DOMAIN})?")


def kind(data: bytes) -> str | None:
    """``png``, ``jpg``, ``gif`` or ``webp``, whatever the file is called; None when it is none of these."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, JPEG or WebP, as its header has them; None when it is none of these.

    Headers as in the PNG specification (2003) 11.2.2, GIF89a section 18, ITU T.81 B.2.2 and RFC 9649 2.5 to 2.7.
    """
    try:
        match kind(data):
            case "png":
                width, height = struct.unpack(">II", data[16:24])
                return width, height
            case "gif":
                width, height = struct.unpack("<HH", data[6:10])
                return width, height
            case "jpg":
                return _jpeg(data)
            case "webp":
                return _webp(data)
    except struct.error:
        pass
    return None


def shown(name: str, data: bytes, measure: int = COLUMN) -> tuple[int, int] | None:
    """Width and height, in CSS pixels, at which a letter shows an image; None when it is no image.

    Never larger than it is. A name like ``logo@2x.png`` says that the file has twice the pixels that are meant.

    Args:
        name: the file's.
        data: its content.
        measure: pixels that it may fill.
    """
    found = size(data)
    if found is None or 0 in found:
        return None
    width, height = found
    wide = min(round(width / SHARP) if PurePosixPath(name).stem.endswith("@2x") else width, measure)
    wide = max(wide, 1)
    return wide, max(round(height * wide / width), 1)


def public_name(data: bytes) -> str:
    """``<hash>.<ending>``: the name that a PNG, JPEG or GIF has outside."""
    return f"{hashlib.sha256(data).hexdigest()[:32]}.{kind(data)}"


def address(prefix: str, data: bytes) -> str:
    """What stands in ``src``.

    Args:
        prefix: ``https://…/i/``, or ``cid:``.
        data: the image.
    """
    return f"{prefix}{public_name(data)}{_CID_DOMAIN if prefix == CID else ''}"


def content_id(data: bytes) -> str:
    """The Content-ID of an image that travels in the message, without its angle brackets."""
    return address(CID, data).removeprefix(CID)


def is_own(address: str) -> bool:
    """Whether an address is one that ``address`` makes: of an image that travels within, or that we host."""
    return _ADDRESS.fullmatch(address) is not None


def at_home(html: str, prefix: str) -> str:
    """A letter for one of our own pages: its images come from where the page came from, however they travel by mail.

    A browser knows no ``cid:``, and a page may be reached by another name than supporters know.
    """
    return _ADDRESS.sub(lambda found: prefix + found[1], html)


def media_type(data: bytes) -> str:
    """The media type of a PNG, JPEG or GIF."""
    return KINDS[kind(data) or "png"]


def _jpeg(data: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # a filling byte
            position += 1
            continue
        (length,) = struct.unpack(">H", data[position + 2 : position + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame header, not a table
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + length
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack("<I", data[21:25])
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
