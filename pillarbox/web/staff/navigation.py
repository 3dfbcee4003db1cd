"""What stands in the dashboard's menu, and on the strip above each mailing's pages.

A room adds its own where its routes are made: ``navigation.add_to_menu(Entry(label="Compare", path="/staff/compare",
order=20))``. Adding the same path again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from pillarbox.model.states import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One link."""

    label: str
    path: str
    """In the menu: ``/staff/audit``. On a mailing's strip: what follows ``/staff/mailings/<name>``, e.g. ``/sending``
    (empty: the mailing's first page)."""
    order: int = 50
    """Smaller ones come first."""
    role: Role = Role.VIEW
    """Shown to whoever has at least this one."""


_menu: dict[str, Entry] = {}
_strip: dict[str, Entry] = {}


def add_to_menu(entry: Entry) -> None:
    """Have a link in the header of every page."""
    _menu[entry.path] = entry


def add_to_mailing(entry: Entry) -> None:
    """Have a link on the strip of every mailing's pages."""
    _strip[entry.path] = entry


def menu(role: Role) -> list[Entry]:
    """The header's links for somebody with this role."""
    return _shown(_menu, role)


def strip(role: Role) -> list[Entry]:
    """A mailing's links for somebody with this role."""
    return _shown(_strip, role)


def first_page(name: str) -> str:
    """Where a mailing's name leads: to the first of its pages."""
    found = _shown(_strip, Role.SEND)
    return f"/staff/mailings/{name}{found[0].path if found else ''}"


def _shown(entries: dict[str, Entry], role: Role) -> list[Entry]:
    return sorted((entry for entry in entries.values() if role.includes(entry.role)),
                  key=lambda entry: (entry.order, entry.label))
