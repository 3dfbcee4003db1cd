"""A service letter that somebody waits for, sent on its way."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from pillarbox.ground import logs
from pillarbox.ground.address import has_ascii_mailbox
from pillarbox.mailings import service
from pillarbox.web.site import Site

log = logs.get("web")

OTHER_LETTERS = ("We cannot write to an address that has letters such as é or ß before the @. "
                 "If you have another one, please give us that.")
"""For who typed one, where our way out carries none."""


def ascii_mailboxes(site: Site) -> bool:
    """Whether letters go to plain ASCII mailboxes alone. Who is told to look into an inbox must find a letter there."""
    return site.settings.project.transport == "sendgrid"


def has_other_letters(site: Site, typed: str) -> bool:
    """Whether that is what is wrong with an address."""
    return ascii_mailboxes(site) and not has_ascii_mailbox(typed)


async def sent_soon(site: Site) -> None:
    """Have what was asked for delivered. It is kept already: what fails here, a worker makes good."""
    try:
        await run_in_threadpool(service.soon, site.project)
    except Exception as fault:  # noqa: BLE001 - what was saved must not be called unsaved
        log.fault("service.letter-waits", fault)
