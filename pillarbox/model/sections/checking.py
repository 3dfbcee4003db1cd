"""How letters are checked: [check]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from pillarbox.model.sections.base import Section

Share = Annotated[float, Field(ge=0, le=1)]

CLIENTS: Mapping[str, float] = {
    "apple-mail": 0.45, "gmail": 0.26, "gmail.mobile-webmail": 0.005, "outlook.windows": 0.05, "outlook": 0.08,
    "outlook.windows-mail": 0, "yahoo": 0.03, "samsung-email": 0.02, "aol": 0.01, "thunderbird": 0.005,
}
"""Rounded from what is published of opens worldwide (Apple 47%, Gmail 25%, Outlook 4%, Yahoo 2%, Android 2%:
aurorasendcloud.com/blog/email-client-market-share, April 2026). Outlook stands higher here: it loads no images unasked,
so that opens count it too low, and offices in Britain use it."""


class CheckSettings(Section):
    """[check]: what a letter's check goes by."""

    clients: Mapping[str, Share] = CLIENTS
    """Mail program, or family of them → share of the supporters who read with it."""
