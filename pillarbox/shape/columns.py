"""Whole columns at once: a column joined on a character that none of its values holds is escaped by one call."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from pillarbox.model.records import Place
from pillarbox.shape import escape

# DEL: never in a value since intake, and left alone by JSON and by every escaper but those told of it below.
SEPARATOR = "\x7f"
_URL_SAFE = (escape.URL_SAFE + SEPARATOR).encode() + b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def escaped(column: Sequence[str], place: Place) -> Sequence[str]:
    """Every value of a column as it is written at ``place``. The very column, when nothing had to change."""
    if not column or place is Place.PLAIN:
        return column
    if place is Place.SUBJECT and "".join(column).isprintable():
        return column
    joined = SEPARATOR.join(column)
    if joined.count(SEPARATOR) != len(column) - 1 or _needs_each(joined, place):
        one = escape.ESCAPE[place]
        return [one(value) for value in column]
    # Where no byte of a URL needs %XX, it is an attribute like any other.
    rule = Place.ATTRIBUTE if place in (Place.URL, Place.URL_START) else place
    done = escape.ESCAPE[rule](joined)
    return column if done == joined else done.split(SEPARATOR)


def _needs_each(joined: str, place: Place) -> bool:
    """Whether a place's rule has more to do here than to replace single characters, or would touch the separator."""
    if place is Place.SUBJECT:
        return True
    if place in (Place.URL, Place.URL_START):
        return not joined.isascii() or bool(joined.encode().translate(None, _URL_SAFE))
    return False


def encoded(column: Sequence[str]) -> Sequence[bytes]:
    """Every value of a column as UTF-8."""
    joined = SEPARATOR.join(column)
    if not column or joined.count(SEPARATOR) != len(column) - 1:
        return [value.encode() for value in column]
    return joined.encode().split(SEPARATOR.encode())


def json_column(column: Sequence[str]) -> list[bytes]:
    """Every value of a column as a JSON string, its quotes included, in UTF-8.

    Raises:
        TypeError: a value holds a lone surrogate, which JSON in UTF-8 cannot carry.
    """
    if not column:
        return []
    # `","` stands nowhere within a JSON string (its quotes are escaped), and JSON text holds no raw NUL.
    return orjson.dumps(list(column))[1:-1].replace(b'","', b'"\0"').split(b"\0")


def constant(column: Sequence[str]) -> bool:
    """Whether all values of a column (at least one) are equal."""
    first = column[0]
    return first == column[-1] and column.count(first) == len(column)
