"""A coarse word for the device behind a user agent; nothing finer is kept beside the raw event."""

from __future__ import annotations

from functools import lru_cache

PHONE, TABLET, DESKTOP, UNKNOWN = "phone", "tablet", "desktop", "unknown"

# The first mark that a user agent carries decides. Proxies stand first: they wear the clothes of a desktop browser.
# Android says "Mobile" on phones alone (developer.chrome.com, "User-Agent Strings", read 2026-11).
_MARKS = (
    ("googleimageproxy", UNKNOWN), ("yahoomailproxy", UNKNOWN), ("ipad", TABLET), ("tablet", TABLET),
    ("kindle", TABLET), ("iphone", PHONE), ("windows phone", PHONE), ("ipod", PHONE), ("mobile", PHONE),
    ("android", TABLET), ("windows", DESKTOP), ("macintosh", DESKTOP), ("cros ", DESKTOP), ("linux", DESKTOP),
    ("x11", DESKTOP),
)


@lru_cache(maxsize=1024)
def device(user_agent: str) -> str:
    """``phone``, ``tablet``, ``desktop`` or ``unknown``; empty when there was no user agent."""
    if not user_agent:
        return ""
    words = user_agent.lower()
    return next((kind for mark, kind in _MARKS if mark in words), UNKNOWN)
