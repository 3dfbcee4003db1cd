"""The options that say who a letter goes to, and of which day it speaks: the same words in every command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
_WHO = (
    click.option("--list", "lists", multiple=True, metavar="NAME", help="A list to write to (again for more)."),
    click.option("--segment", "segments", multiple=True, metavar="NAME", help="A saved rule to write to."),
    click.option("--exclude", multiple=True, metavar="NAME", help="A list or segment to leave out."),
)

date_option = click.option("--for", "for_date", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
                           help="The day that the letter speaks of (2026-12-10); today when not said.")
"""The command then has a ``for_date``, which may be None."""


def audience_options(command: _Command) -> _Command:
    """Have a command ask for lists, segments and who to leave out: its ``lists``, ``segments`` and ``exclude``."""
    for option in reversed(_WHO):  # the first of a command's decorators is the last that is called
        command = option(command)
    return command
