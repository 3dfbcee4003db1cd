"""The time zone that a supporter lives in, as far as it is known: a pure function of what the list says."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

FIELD = "zone"
"""The field of a list that names a supporter's zone (an IANA name: Europe/Paris)."""


def of_supporter(fields: Mapping[str, str], country: str) -> tuple[ZoneInfo, ...]:
    """The zones that a supporter may live in: the one that the list names, else those of the country; none: not known.

    Args:
        fields: what else the list says of the supporter.
        country: ISO 3166 code of two letters; may be empty.
    """
    return _zones(fields.get(FIELD, "").strip(), country.upper())


@functools.lru_cache(maxsize=4_096)
def _zones(named: str, country: str) -> tuple[ZoneInfo, ...]:
    if named in _known():
        return (ZoneInfo(named),)
    return tuple(ZoneInfo(name) for name in _by_country().get(country, ()) if name in _known())


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


@functools.cache
def _by_country() -> Mapping[str, tuple[str, ...]]:
    """Country → its zones: zone.tab of the IANA database, as the tzdata package carries it."""
    found: dict[str, list[str]] = {}
    for line in (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            found.setdefault(country, []).append(name)
    return {country: tuple(names) for country, names in found.items()}
