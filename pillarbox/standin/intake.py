"""From an accepted Mail Send body to one kept message a personalization."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pillarbox.standin.mailbox import Body, Kept


def messages(request: dict[str, Any], request_id: str, at: datetime) -> list[Kept]:
    """The messages that a body, found free of faults by ``limits.refusals``, asks for.

    As at SendGrid, a personalization's subject and sender win over the message's, its headers and custom arguments
    are laid over the message's; one message is kept for the first ``to``, the other recipients stand in ``others``.
    """
    parts = {part["type"]: part["value"] for part in request["content"]}
    reply_to = (request.get("reply_to") or {}).get("email", "")
    bodies: dict[str, Body] = {}
    tracking = request.get("tracking_settings") or {}
    headers, arguments = request.get("headers") or {}, request.get("custom_args") or {}
    categories = tuple(request.get("categories") or ())
    group = (request.get("asm") or {}).get("group_id")
    # An account's own settings hold where the request says nothing; a new account tracks opens and clicks.
    opens = _enabled(tracking, "open_tracking", default=True)
    clicks = _enabled(tracking, "click_tracking", default=True)
    subscriptions = _enabled(tracking, "subscription_tracking", default=False)
    kept = []
    for number, one in enumerate(request["personalizations"]):
        subject = one.get("subject") or request.get("subject", "")
        if subject not in bodies:
            bodies[subject] = Body(subject=subject, text=parts.get("text/plain", ""), html=parts.get("text/html", ""),
                                   reply_to=reply_to, attachments=tuple(request.get("attachments") or ()))
        sender = one.get("from") or request["from"]
        people = [person for kind in ("to", "cc", "bcc") for person in one.get(kind) or ()]
        kept.append(Kept(
            request_id=request_id, number=number, address=people[0]["email"], to_name=people[0].get("name") or "",
            others=tuple(person["email"] for person in people[1:]), from_email=sender["email"],
            from_name=sender.get("name") or "", headers={**headers, **(one.get("headers") or {})},
            custom_args={**arguments, **(one.get("custom_args") or {})}, categories=categories,
            substitutions=one.get("substitutions") or {}, open_tracking=opens, click_tracking=clicks,
            subscription_tracking=subscriptions, asm_group_id=group, accepted_at=at, body=bodies[subject]))
    return kept


def sandboxed(request: dict[str, Any]) -> bool:
    """Whether the request only asks to be checked (``mail_settings.sandbox_mode``)."""
    return _enabled(request.get("mail_settings") or {}, "sandbox_mode", default=False)


def _enabled(settings: dict[str, Any], name: str, *, default: bool) -> bool:
    return bool((settings.get(name) or {}).get("enable", default))
