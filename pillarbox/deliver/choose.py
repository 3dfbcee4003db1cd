"""The transport that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pillarbox.deliver.search import MessageSearch
from pillarbox.deliver.transport import Transport
from pillarbox.model.config import Settings

OUTBOX = ("var", "mail")
"""Where the files transport writes, below the project's folder."""


def _files(settings: Settings) -> Transport:
    from pillarbox.deliver.files.transport import FilesTransport

    return FilesTransport(settings.folder.joinpath(*OUTBOX))


def _smtp(settings: Settings) -> Transport:
    from pillarbox.deliver.smtp.transport import SmtpTransport

    return SmtpTransport(settings.smtp)


def _sendgrid(settings: Settings) -> Transport:
    from pillarbox.deliver.sendgrid.transport import SendgridTransport

    return SendgridTransport(settings.sendgrid)


# Imported only when chosen: each brings libraries that the others do not need.
TRANSPORTS: Mapping[str, Callable[[Settings], Transport]] = {
    "files": _files,
    "smtp": _smtp,
    "sendgrid": _sendgrid,
}


def transport(settings: Settings) -> Transport:
    """The way out that ``[project] transport`` names."""
    return TRANSPORTS[settings.project.transport](settings)


def search(settings: Settings) -> MessageSearch | None:
    """The provider's record of what it took; None where there is none to ask (files, an SMTP server).

    Raises:
        TransportError: there is no key, or no safe address.
    """
    if settings.project.transport != "sendgrid":
        return None
    from pillarbox.deliver.sendgrid.search import SendgridSearch
    from pillarbox.deliver.sendgrid.transport import connected

    return SendgridSearch(connected(settings.sendgrid))
