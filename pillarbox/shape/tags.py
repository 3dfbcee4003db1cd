"""Names for what a provider fills in.

SendGrid seeks its tags without regard to letter case, in no stated order, and may seek again in what it has filled in
(so it was in 2026-11). A tag here begins with a character that stands nowhere else in the batch, not in the letter and
not in a value: so no tag is part of another, and none can arise where a value meets a literal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

# Left alone by JSON, HTML, MIME headers and the usual template languages, and rare in letters; the best first.
_RARE = "~^`|_*@!"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def name_tags(count: int, texts: Sequence[str]) -> list[str]:
    """``count`` tags of equal length, as short as can be (2 characters up to 36 tags), differing by more than case.

    Args:
        count: how many are needed.
        texts: every literal and every value of the batch: the tags' first character stands in none of them.
    """
    if not count:
        return []
    first = next(mark for mark in _candidates() if not any(mark in text for text in texts))
    width = 1
    while len(_DIGITS) ** width < count:
        width += 1
    return [first + _number(index, width) for index in range(count)]


def _candidates() -> Iterator[str]:
    yield from _RARE
    # Box drawing and beyond: a batch that holds every one of them would be some 40,000 characters of nothing else.
    yield from map(chr, range(0x2500, 0xD7FF))


def _number(index: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        index, digit = divmod(index, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
