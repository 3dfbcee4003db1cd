"""What the account says of itself: what its key may do, its credits, and how its event webhooks are set.

Shapes by twilio/sendgrid-oai (tsg_webhooks_v3.json) and the API key permissions page, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Names of the event webhook's switches.
KINDS = ("processed", "delivered", "deferred", "bounce", "dropped", "open", "click", "spam_report", "unsubscribe",
         "group_unsubscribe", "group_resubscribe")
SCOPES = ("mail.send", "mail.batch.create", "mail.batch.read", "user.scheduled_sends.create",
          "user.scheduled_sends.read", "user.scheduled_sends.update", "user.scheduled_sends.delete", "messages.read",
          "suppression.read", "asm.groups.suppressions.read", "stats.read", "categories.stats.read",
          "user.credits.read", "user.webhooks.event.settings.read")
"""What the key may do unless told otherwise: all that Pillarbox asks of it."""
SETTINGS = "/v3/user/webhooks/event/settings"
_NEEDED = {SETTINGS: "user.webhooks.event.settings.read", "/v3/user/credits": "user.credits.read"}


def webhook(url: str = "", *, public_key: str = "", **switches: bool) -> dict[str, Any]:
    """An event webhook as its settings describe it: on, and telling everything, unless ``switches`` say otherwise.

    Args:
        url: where it posts.
        public_key: what it signs with (base64 of the key's DER); empty: it does not sign.
        switches: ``enabled``, or one of ``KINDS``.
    """
    return {"enabled": True, "url": url, "id": "stand-in", "friendly_name": "stand-in", "public_key": public_key,
            **dict.fromkeys(KINDS, True), **switches}


def resource(path: str, *, scopes: tuple[str, ...], webhooks: tuple[Mapping[str, Any], ...], remaining: int,
             total: int) -> tuple[int, Any] | None:
    """The answer to a GET of one of the account's own pages: status and JSON; None for every other page.

    Args:
        path: without its query.
        scopes: what the key may do; a page that it may not read is answered 403.
        webhooks: as ``webhook`` makes them.
        remaining: credits that are left, of ``total``.
    """
    if path == "/v3/scopes":
        return 200, {"scopes": list(scopes)}
    needed = next((scope for stem, scope in _NEEDED.items() if path == stem or path.startswith(f"{stem}/")), None)
    if needed is None:
        return None
    if needed not in scopes:
        return 403, {"errors": [{"message": "access forbidden", "field": None, "help": None}]}
    if path == "/v3/user/credits":
        return 200, {"remain": remaining, "total": total, "overage": 0, "used": total - remaining,
                     "last_reset": "2026-01-01", "next_reset": "2027-01-01", "reset_frequency": "monthly"}
    if path == f"{SETTINGS}/all":
        return 200, {"max_allowed": max(1, len(webhooks)), "webhooks": [dict(each) for each in webhooks]}
    if path == SETTINGS and webhooks:
        return 200, dict(webhooks[0])
    for each in webhooks:
        if path == f"{SETTINGS}/{each['id']}":
            return 200, dict(each)
        if path == f"{SETTINGS}/signed/{each['id']}":
            return 200, {"id": each["id"], "public_key": each["public_key"]}
    return None
