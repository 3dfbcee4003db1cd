"""What every transport promises; one contract suite holds all of them to it."""

from __future__ import annotations

from typing import Protocol

from pillarbox.model.records import Result, Unit


class Transport(Protocol):
    """A way out. ``send`` never raises for what the provider or network does: it returns receipts.

    It raises only for faults of ours, before any outside act.
    """

    @property
    def name(self) -> str:
        """``files``, ``smtp`` or ``sendgrid``."""

    @property
    def unit(self) -> int:
        """The most messages that one outside act carries."""

    @property
    def repeatable(self) -> bool:
        """Whether sending the same message again does no harm (files: the name is the message's id)."""

    @property
    def lease_seconds(self) -> float:
        """Longer than all its timeouts together: after this a silent unit is in doubt."""

    def check(self) -> None:
        """See that the transport can be used at all, before anything is claimed.

        Raises:
            TransportError: wrong or missing key, no such host; nothing was sent.
        """

    def send(self, unit: Unit) -> Result:
        """Do the outside act for one unit and tell what is known of each message."""

    def hurry(self) -> None:
        """Begin no further act for the units in hand: what has not been tried of them goes back. From any thread."""

    def close(self) -> None:
        """Let go of connections."""
