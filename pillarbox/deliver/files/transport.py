"""Messages as .eml files in a maildir that any mail program opens. Nobody is mailed: always practice."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pillarbox.deliver.mime import mails
from pillarbox.ground import clock
from pillarbox.ground.errors import TransportError
from pillarbox.model.records import Outgoing, Receipt, Result, Unit
from pillarbox.model.states import Verdict

_OWN_FOLDER, _OWN_FILE = 0o700, 0o600
"""The letters hold personal data: only the project's own account may look."""


class FilesTransport:
    """Writes each message to ``folder/new/<message id>.eml``: first to ``tmp``, then moved in one step.

    Sending a message again replaces its file, wherever a mail program has moved it within the maildir.
    """

    name = "files"
    unit = 100
    repeatable = True
    lease_seconds = 300.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self) -> None:
        """See that the folder can be written.

        Raises:
            TransportError: when it cannot; says why.
        """
        try:
            self._lay_out()
            probe = self._folder / "tmp" / f"probe.{secrets.token_hex(8)}"  # a worker looks for two mailings at once
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as fault:
            raise TransportError(self._sentence(fault), todo="Nothing was written.") from None

    def send(self, unit: Unit) -> Result:
        """Write the unit's messages in order; the first that cannot be written ends it, and whole files stay."""
        receipts: list[Receipt] = []
        stop = ""
        waiting = mails(unit, clock.now())
        try:
            self._lay_out()
            moved = self._moved()
            for message, content in waiting:
                self._write(message, content, moved)
                receipts.append(Receipt(message_id=message.message_id, verdict=Verdict.ACCEPTED,
                                        provider_id=f"{message.message_id}.eml"))
        except OSError as fault:
            stop = self._sentence(fault)
            receipts += [Receipt(message_id=message.message_id, verdict=Verdict.RETURNED, detail=stop)
                         for message in unit.messages[len(receipts):]]
        return Result(receipts=tuple(receipts), stop=stop)

    def hurry(self) -> None:
        """Nothing to do: a unit is written in a moment."""

    def close(self) -> None:
        """Nothing is held open."""

    def _lay_out(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self._folder / part).mkdir(mode=_OWN_FOLDER, parents=True, exist_ok=True)

    def _moved(self) -> dict[str, Path]:
        """Messages that a mail program has seen: it moves them to ``cur`` and adds its flags after a colon."""
        return {Path(entry.path).name.partition(":")[0]: Path(entry.path)
                for entry in os.scandir(self._folder / "cur")}

    def _write(self, message: Outgoing, content: bytes, moved: dict[str, Path]) -> None:
        name = f"{message.message_id}.eml"
        draft = self._folder / "tmp" / f"{name}.{os.getpid()}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWN_FILE), "wb") as file:
                file.write(content)
            draft.replace(moved.get(name, self._folder / "new" / name))
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _sentence(self, fault: OSError) -> str:
        return f"Mail cannot be written to {self._folder}: {fault.strerror or fault}."
