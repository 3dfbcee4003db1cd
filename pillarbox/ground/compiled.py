"""Jinja templates compiled once in a process, however many environments read them."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache


class Compiled(BytecodeCache):
    """Code by a template's name, file and text; for environments that are all set up in one way.

    Args:
        most: templates that are kept; the oldest goes first.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], CodeType] = OrderedDict()
        self._lock = Lock()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if it has been compiled before."""
        with self._lock:
            bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        assert bucket.code is not None, "what is kept has been compiled"
        with self._lock:
            self._kept[bucket.key, bucket.checksum] = bucket.code
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
