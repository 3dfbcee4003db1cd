"""SQL compiled once for the whole run.

SQLAlchemy keeps what it compiles with each engine, and nearly every test opens a database, with engines of its own:
compiling the same statements anew took a fifth of the run. Statements are told apart as SQLAlchemy tells them, and by
the engine's kind; which engine it is does not enter into the text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.util import LRUCache

from pillarbox.store import connect


class _Shared(LRUCache[Any, Any]):
    """By the dialect's class where SQLAlchemy's key has the engine's own dialect."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), value)


_COMPILED = _Shared(4_000)
_create_engine = connect.create_engine


def _create(*given: Any, **named: Any) -> Engine:
    engine = _create_engine(*given, **named)
    engine.update_execution_options(compiled_cache=_COMPILED)
    return engine


def share() -> None:
    """From now on every database that is opened in this process."""
    connect.create_engine = _create
