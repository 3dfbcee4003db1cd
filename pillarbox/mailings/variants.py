"""Who gets which variant of a letter: drawn by lot, and always the same for the same supporter.

The lot is a keyed hash, so that nothing need be kept for it to be drawn alike again: planned once more, for another
edition, or for the reminder of the same series, a supporter gets the variant that they had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

from pillarbox.content.appeal import Appeal

_BLOCKS_KEPT = 4096
_SCORE = 8
"""Bytes of the lot for each label."""


def scope(appeal: Appeal) -> str:
    """What one drawing of lots is for: the appeal's series, or the appeal alone when it has none."""
    return f"series {appeal.series}" if appeal.series else f"appeal {appeal.slug}"


def drawn(secret: bytes, appeal: Appeal) -> Callable[[int], str]:
    """Supporter's id → the label of their variant; always empty for a letter without any.

    Supporters whose ids follow each other (a list, as it was imported) are taken in blocks of as many as there are
    variants, and in each block everybody gets another one, in an order drawn for that block: permuted blocks, after
    which no list is split more unevenly than its gaps make it.

    Args:
        secret: the project's secret key.
        appeal: says which variants there are, and of which series it is.
    """
    labels = appeal.labels
    if not labels:
        return lambda _supporter: ""
    key = hashlib.sha256(b"pillarbox variants:" + secret + b":" + scope(appeal).encode()).digest()

    @lru_cache(maxsize=_BLOCKS_KEPT)
    def order(block: int) -> Sequence[str]:
        lots = hashlib.blake2b(str(block).encode(), key=key, digest_size=_SCORE * len(labels)).digest()
        scores = [lots[n * _SCORE : (n + 1) * _SCORE] for n in range(len(labels))]
        return [label for _, label in sorted(zip(scores, labels, strict=True))]

    def draw(supporter_id: int) -> str:
        block, place = divmod(supporter_id - 1, len(labels))  # ids begin with 1
        return order(block)[place]

    return draw

