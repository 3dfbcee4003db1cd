"""What a provider can be asked about messages whose answer was lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pillarbox.ground.errors import PillarboxError


class NoSearchError(PillarboxError):
    """The provider's record cannot be searched, now or at all; says why. Nothing was changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A message that the provider has."""

    message_id: int
    provider_id: str
    """As a receipt would have named it."""


class MessageSearch(Protocol):
    """A provider's own record of what it took. That something is not found there proves nothing."""

    def find(self, *, project: str, attempt_id: int, sought: Mapping[str, int]) -> list[Found]:
        """Those of an attempt's messages that the provider certainly has.

        Args:
            project: our public id.
            attempt_id: the attempt whose answer was lost.
            sought: normalised address → message id, of those in doubt.

        Raises:
            NoSearchError: it cannot be asked.
        """

    def close(self) -> None:
        """Let go of connections."""
