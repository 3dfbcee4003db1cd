"""The picture that social networks show beside a link to a letter: one of the appeal's own, or one that is drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Container
from html import escape

from pillarbox.compose.direction import RTL, direction_of
from pillarbox.content import images
from pillarbox.content.bundle import Bundle

SIZE = (1200, 630)
"""Pixels: the 1.91 to 1 that Facebook, X and LinkedIn show large (Open Graph image guides, read 2026-11)."""
_SMALLEST = (600, 315)
_KINDS = ("png", "jpg")
_EDGE = 90
_MOST_LINES = 4
# The width of an average letter of a serif, in parts of its size.
_LETTER = 0.51


def card(bundle: Bundle, shown: Container[str] = ()) -> tuple[bytes, str, tuple[int, int]]:
    """The picture's bytes, its media type, and its width and height.

    Args:
        bundle: the letter's.
        shown: public names of the images that the letter shows; they come before others in its folder.
    """
    for _, data in sorted(bundle.appeal.images.items(),
                          key=lambda each: (images.public_name(each[1]) not in shown, each[0])):
        size = images.size(data)
        if images.kind(data) in _KINDS and size and size[0] >= _SMALLEST[0] and size[1] >= _SMALLEST[1]:
            return data, images.media_type(data), size
    import vl_convert

    return bytes(vl_convert.svg_to_png(drawing(bundle))), "image/png", SIZE


def drawing(bundle: Bundle) -> str:
    """The headline on the charity's colour, as SVG."""
    colours, type_, charity = bundle.theme.colours, bundle.theme.type, bundle.theme.charity
    size, lines = _fitted(bundle.appeal.title)
    backwards = direction_of(bundle.appeal.language) == RTL
    x, anchor = (SIZE[0] - _EDGE, "end") if backwards else (_EDGE, "start")
    step = round(size * 1.2)
    first = round((SIZE[1] - 40 - step * len(lines)) / 2) + round(size * 0.92)
    words = "".join(f'<text x="{x}" y="{first + step * number}" font-size="{size}">{escape(line)}</text>'
                    for number, line in enumerate(lines))
    fonts = f"{type_.display}, 'DejaVu Serif', 'Noto Serif', 'Noto Serif Hebrew', serif".replace('"', "'")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE[0]}" height="{SIZE[1]}" '
            f'viewBox="0 0 {SIZE[0]} {SIZE[1]}">'
            f'<rect width="{SIZE[0]}" height="{SIZE[1]}" fill="{colours.accent}"/>'
            f'<g fill="{colours.on_accent}" text-anchor="{anchor}" font-family="{escape(fonts)}">{words}'
            f'<rect x="{x if not backwards else x - 96}" y="{SIZE[1] - 128}" width="96" height="3"/>'
            f'<text x="{x}" y="{SIZE[1] - 70}" font-size="32">{escape(charity.name)}</text></g></svg>')


def _fitted(title: str) -> tuple[int, list[str]]:
    """The largest size at which the title stands in a few lines, and these."""
    for size in (88, 76, 66, 56, 48):
        lines = textwrap.wrap(title, int((SIZE[0] - 2 * _EDGE) / (size * _LETTER)))
        if len(lines) <= _MOST_LINES:
            return size, lines
    short = textwrap.wrap(title, int((SIZE[0] - 2 * _EDGE) / (48 * _LETTER)), max_lines=_MOST_LINES, placeholder=" …")
    return 48, short
