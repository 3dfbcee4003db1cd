"""What a supporter may ask for: no more mail, to see what is held, to be forgotten; and adding one by hand."""

from __future__ import annotations

from pillarbox.people.rights.adding import add
from pillarbox.people.rights.forgetting import Forgotten, forget
from pillarbox.people.rights.showing import export
from pillarbox.people.rights.suppressing import suppress, suppress_address, unsubscribe

__all__ = ["Forgotten", "add", "export", "forget", "suppress", "suppress_address", "unsubscribe"]
