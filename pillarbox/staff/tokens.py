"""Tokens of the API: made by staff, shown once, kept as a hash, revoked by name."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.model.config import Settings
from pillarbox.model.states import TokenScope
from pillarbox.staff import sessions
from pillarbox.store import audit, tokens
from pillarbox.store.connect import ClashError, Store
from pillarbox.store.tokens import Token

PREFIX = "pbx_"
"""Tells a token from other secrets, to people and to programs that look for secrets left in files."""
_BYTES = 32
_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_NAME = re.compile(r"[\w][\w .()-]{0,59}")
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A new token, and what it is: the only time that it is ever seen."""

    token: Token
    secret: str


def add(store: Store, settings: Settings, *, name: str, scope: TokenScope, actor: str = "staff") -> Made:
    """Let some program or web site read the API.

    Raises:
        Refused: an impossible name, or one that is taken.
    """
    plain = " ".join(name.split())
    if not _NAME.fullmatch(plain):
        raise Refused("A token's name has 1 to 60 letters, digits, spaces, dots, dashes and brackets, and begins with "
                      "a letter or a digit.", todo='Name what will use it, such as "website".')
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    try:
        with store.writing() as connection:
            if tokens.named(connection, plain):
                raise _taken(plain)
            made = tokens.add(connection, name=plain, token_hash=_hashed(settings, secret), scope=scope)
            audit.record(connection, actor=actor, action="token-add", subject=plain, detail={"scope": scope.value})
    except ClashError:
        raise _taken(plain) from None
    return Made(token=made, secret=secret)


def revoke(store: Store, name: str, *, actor: str = "staff") -> Token:
    """Make a token worthless.

    Raises:
        Refused: none has this name.
    """
    plain = " ".join(name.split())
    with store.writing() as connection:
        found = tokens.named(connection, plain)
        if found is None:
            raise Refused(f"No token is called {plain!r}.", todo="`pillarbox tokens list` shows them.")
        tokens.revoke(connection, found.id)
        audit.record(connection, actor=actor, action="token-revoke", subject=found.name)
    return found


def everyone(store: Store) -> list[Token]:
    """The tokens that are not revoked, by name."""
    with store.reading() as connection:
        return tokens.standing(connection)


def holder(store: Store, settings: Settings, secret: str) -> Token | None:
    """Whose token this is; None when it is nobody's. That it was shown is noted, once a minute at most."""
    if not _SHAPE.fullmatch(secret):
        return None
    with store.reading() as connection:
        found = tokens.by_hash(connection, _hashed(settings, secret))
    if found and (found.used_at is None or clock.now() - found.used_at >= _NOTED_EVERY):
        try:
            with store.writing() as connection:
                tokens.use(connection, found.id)
        except StoreError:
            pass  # who may read need not wait for who writes
    return found


def _hashed(settings: Settings, secret: str) -> str:
    return sessions.keyed(settings, "api token", secret)


def _taken(name: str) -> Refused:
    return Refused(f"A token is called {name!r} already.", todo=f'`pillarbox tokens revoke "{name}"` frees the name.')
