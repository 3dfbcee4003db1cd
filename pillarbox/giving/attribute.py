"""Which letter raised a donation: by the donate link's code, else a source code, else the address, else none.

The rules and their reasons: docs/decisions/0007-events-and-attribution.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from pillarbox.model.records import Gift
from pillarbox.model.states import Attribution
from pillarbox.store import donations as table

# What parts the words of a reference, as people and platforms write it: "ref=abc", "UF26, thank you".
_BETWEEN = re.compile(r"[\s,;|/?&=#:]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tied:
    """What a donation belongs to, and by what evidence."""

    attribution: Attribution
    mailing_id: int | None = None
    message_id: int | None = None
    supporter_id: int | None = None


def attribute(connection: Connection, gifts: Sequence[Gift], hashes: Sequence[str | None], *,
              window_days: int) -> list[Tied]:
    """Tie gifts to mailings, messages and supporters; the same order as ``gifts``.

    Args:
        connection: an open transaction.
        gifts: the donations.
        hashes: each gift's address hash; None when it has no address.
        window_days: how long after a letter a gift from its address still counts as raised by it.
    """
    words = [codes_in(gift.code) for gift in gifts]
    spoken = {word for each in words for word in each}
    by_code = table.messages_by_code(connection, spoken)
    by_source = table.mailings_by_source_code(connection, spoken)
    known = {value for value in hashes if value}
    donors = table.supporters_by_address(connection, known)
    letters = _letters(connection, gifts, known, window_days)
    return [
        _tie(gift, each, donors.get(value or ""), by_code, by_source, letters.get(value or "", []), window_days)
        for gift, each, value in zip(gifts, words, hashes, strict=True)
    ]


def codes_in(text: str) -> list[str]:
    """The words of a reference that may be a code, in small letters, the whole of it first."""
    whole = text.strip().lower()
    return list(dict.fromkeys(filter(None, [whole, *_BETWEEN.split(whole)])))


def _letters(connection: Connection, gifts: Sequence[Gift], known: set[str],
             window_days: int) -> Mapping[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    if gifts:
        first, last = min(gift.received for gift in gifts), max(gift.received for gift in gifts)
        for row in table.letters_that_reached(connection, known, earliest=first - timedelta(days=window_days),
                                              latest=last):
            found[row.address_hash].append(row)
    return found


def _tie(gift: Gift, words: Sequence[str], donor: int | None, by_code: Mapping[str, Row[Any]],
         by_source: Mapping[str, int], letters: Sequence[Row[Any]], window_days: int) -> Tied:
    for word in words:
        if (message := by_code.get(word)) is not None:
            # A letter is passed on: who gives is the address's owner when we know them, else who got the letter.
            return Tied(attribution=Attribution.LINK_CODE, mailing_id=message.mailing_id, message_id=message.id,
                        supporter_id=donor or message.supporter_id)
    for word in words:
        if (mailing := by_source.get(word)) is not None:
            return Tied(attribution=Attribution.SOURCE_CODE, mailing_id=mailing, supporter_id=donor)
    since = gift.received - timedelta(days=window_days)
    for letter in letters:  # newest first
        if since <= letter.accepted_at <= gift.received:
            return Tied(attribution=Attribution.ADDRESS, mailing_id=letter.mailing_id, message_id=letter.id,
                        supporter_id=donor)
    return Tied(attribution=Attribution.NONE, supporter_id=donor)
