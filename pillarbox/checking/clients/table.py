"""The table of what mail programs lack, as it ships (``table.json``; ``distil`` makes it)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "table.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Feature:
    """One thing of HTML or CSS."""

    slug: str
    """Its name at caniemail.com."""
    title: str
    tried: str
    """Day of the last trial (ISO)."""
    lack: tuple[str, ...]
    """Clients (``outlook.windows``) whose newest version that was tried does not know it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """All that is known."""

    as_of: str
    """Day of the data (ISO)."""
    clients: Mapping[str, str]
    """Client → its name for people: ``outlook.windows`` → "Outlook for Windows"."""
    features: Mapping[str, Feature]
    credit: str


@cache
def table() -> Table:
    """The table that ships with Pillarbox."""
    data = json.loads(FILE.read_text("utf-8"))
    features = {slug: Feature(slug=slug, title=each["title"], tried=each["tried"], lack=tuple(each["lack"]))
                for slug, each in data["features"].items()}
    return Table(as_of=data["as_of"], clients=data["clients"], features=features, credit=data["credit"])


def shares(said: Mapping[str, float]) -> dict[str, float]:
    """The share of readers by client, from what the settings say of clients and families of them.

    A family's share (``gmail``) is spread over those of its clients that have none of their own.

    Raises:
        ValueError: a name that is no client's; the names of the families that are known.
    """
    known = table().clients
    families = sorted({client.partition(".")[0] for client in known})
    found: dict[str, float] = {}
    for name, share in said.items():
        if name in known:
            found[name] = share
        elif name not in families:
            raise ValueError(f"{name!r} is no mail program that is known: use one of {', '.join(families)}, or like "
                             "outlook.windows")
    for name, share in said.items():
        if name in families:
            others = [client for client in known if client.startswith(f"{name}.") and client not in said]
            for client in others:
                found[client] = share / len(others)
    return found
