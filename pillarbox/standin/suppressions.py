"""The account's suppression lists: filled by events, read page by page as ``sync`` does."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

# List pages of the Suppressions API (twilio/sendgrid-oai, tsg_suppressions_v3.json, read 2026-11).
LISTS = ("bounces", "blocks", "spam_reports", "invalid_emails", "unsubscribes")
MOST_A_PAGE = 500


class Suppressions:
    """Who is suppressed, by list; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in LISTS}
        self._groups: dict[tuple[str, int], int] = {}

    def add(self, name: str, address: str, created: int, **more: str) -> None:
        """Put an address on one of ``LISTS``; ``more`` is its reason, status or ip. The first entry stays."""
        with self._lock:
            self._lists[name].setdefault(address.lower(), {"created": created, "email": address, **more})

    def learn(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Do to the lists what SendGrid does when these events (its JSON) happen."""
        for event in events:
            address, at, kind = event["email"], event["timestamp"], event["event"]
            if kind == "bounce":
                name = "blocks" if event.get("type") == "blocked" else "bounces"
                self.add(name, address, at, reason=event["reason"], status=event.get("status", ""))
            elif kind == "spamreport":
                self.add("spam_reports", address, at, ip="192.0.2.10")
            elif kind == "unsubscribe":
                self.add("unsubscribes", address, at)
            elif kind == "group_unsubscribe":
                with self._lock:
                    self._groups.setdefault((address, event["asm_group_id"]), at)

    def why(self, address: str) -> str | None:
        """The reason in SendGrid's words for dropping a message to the address, or None."""
        with self._lock:
            for name, reason in (("bounces", "Bounced Address"), ("spam_reports", "Spam Reporting Address"),
                                 ("unsubscribes", "Unsubscribed Address"), ("invalid_emails", "Invalid")):
                if address.lower() in self._lists[name]:
                    return reason
        return None

    def page(self, name: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """One page of a list, newest first: ``limit`` (1 to 500), ``offset``; both times inclusive.

        Raises:
            ValueError: naming the parameter that is no such number.
        """
        limit = _number(query, "limit", MOST_A_PAGE, least=1, most=MOST_A_PAGE)
        offset = _number(query, "offset", 0)
        first, last = _number(query, "start_time", 0), _number(query, "end_time", 2**63)
        with self._lock:
            entries = sorted(self._lists[name].values(), key=lambda entry: (-entry["created"], entry["email"]))
        return [entry for entry in entries if first <= entry["created"] <= last][offset:offset + limit]

    def groups(self) -> list[dict[str, Any]]:
        """The unsubscribe groups' members, unpaged as at /v3/asm/suppressions."""
        with self._lock:
            return [{"email": address, "group_id": group, "group_name": f"Group {group}", "created_at": at}
                    for (address, group), at in self._groups.items()]


def _number(query: Mapping[str, str], name: str, default: int, *, least: int = 0, most: int = 2**63) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(name)
    return int(text)
