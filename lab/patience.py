"""Waiting: a loaded machine makes the lab wait longer; what never comes is told as not judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

LONG_SECONDS = 900.0
"""Far longer than anything takes, on however busy a machine."""
_LOOK_SECONDS = 0.2
_T = TypeVar("_T")


class UnjudgedError(Exception):
    """The lab could not find out: by that alone no promise was kept, and none was broken."""


class BrokenError(Exception):
    """Pillarbox did what it must not do, in words."""


def until(what: Callable[[], bool], words: str, seconds: float = LONG_SECONDS) -> None:
    """Wait until something is so.

    Raises:
        UnjudgedError: it never is; ``words`` say what was waited for.
    """
    ends = time.monotonic() + seconds
    while not what():
        if time.monotonic() > ends:
            raise UnjudgedError(f"{words}, in {seconds:,.0f} s")
        time.sleep(_LOOK_SECONDS)


def again(call: Callable[[], _T], *faults: type[Exception], seconds: float = LONG_SECONDS) -> _T:
    """Ask until an answer comes: a witness may be away for a while, or slow.

    Args:
        call: the question.
        faults: what it raises when it should be asked again.
        seconds: how long it is tried.

    Raises:
        UnjudgedError: no answer ever comes.
    """
    ends = time.monotonic() + seconds
    while True:
        try:
            return call()
        except faults as fault:
            if time.monotonic() > ends:
                raise UnjudgedError(f"no answer in {seconds:,.0f} s: {str(fault)[:300]}") from fault
            time.sleep(_LOOK_SECONDS)
