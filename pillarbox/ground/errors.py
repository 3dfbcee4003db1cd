"""What can go wrong, said so that staff know what happened, where, and what to do next.

Domain errors never inherit from Click's or the web framework's: only the doors translate them.
"""

from __future__ import annotations


class PillarboxError(Exception):
    """A fault with a sentence for staff.

    Args:
        what: what happened, to what; one sentence.
        where: file and line, command or setting, when there is one.
        todo: what to do next; one sentence.
        retry: whether the same thing may succeed later, unchanged.
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "", retry: bool = False) -> None:
        self.what = what
        self.where = where
        self.todo = todo
        self.retry = retry
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The whole fault in one paragraph: ``where: what todo``."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head} {self.todo}".strip()


class SettingsError(PillarboxError):
    """pillarbox.toml or the environment says something that cannot be."""


class Refused(PillarboxError):
    """The request is understood and will not be done; nothing was changed."""


class TableError(Refused):
    """A file cannot be read as rows under headings."""


class ListError(PillarboxError):
    """A list file cannot be read as a list of supporters."""


class LetterError(PillarboxError):
    """A letter cannot be composed; carries every fault found (see ``findings``)."""

    def __init__(self, what: str, *, findings: tuple[object, ...] = (), where: str = "", todo: str = "") -> None:
        super().__init__(what, where=where, todo=todo)
        self.findings = findings


class StoreError(PillarboxError):
    """The database cannot be used as it is."""


class TransportError(PillarboxError):
    """A transport cannot be used at all (wrong key, no host): stop, nothing was sent."""


class SignatureError(PillarboxError):
    """A webhook's signature is missing, stale or forged."""
