"""The bridge between tracing a letter and finishing it: what the one hands over, and what the other may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pillarbox.model.records import Shape


class SlowPath(Exception):
    """This shape cannot be shared: each of its messages must be rendered and finished on its own.

    Args:
        reason: why, in one sentence for staff, naming no supporter and no value.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Finish(Protocol):
    """Turns a rendered letter into a finished one: inlines its CSS and finds where each mark stands."""

    def __call__(self, *, subject: str, html: str, text: str, marks: Mapping[str, int], private: bool) -> Shape:
        """The finished shape.

        Args:
            subject: the rendered subject line, with marks in place of what was printed for the supporter.
            html: the rendered HTML part, CSS not yet inlined, with marks.
            text: the rendered plain-text part, with marks.
            marks: mark (``x7f00012x``) → index into the message's values. A mark may stand in several places and
                parts; the shape's tokens are one for each (value, place). Empty for a plainly rendered letter.
            private: the letter holds one supporter's words; the shape says so too.

        Raises:
            SlowPath: a mark stands where a token cannot (class, id, style, ``<style>``, a selector that reads it …).
                Never raised when ``marks`` is empty.
        """
