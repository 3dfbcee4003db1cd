"""Numbers that are typed on the command line."""

from __future__ import annotations

import math
from typing import Any

import click


class Within(click.FloatRange):
    """A number between two others, and nothing else: "nan" lies within every range that Click checks."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it.

        Raises:
            click.BadParameter: it is no number, or lies outside.
        """
        found = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return found
