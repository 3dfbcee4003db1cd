"""Sessions: a token in a cookie, its hash in the database, an end when nothing is done and an end in any case."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pillarbox.ground import clock, logs
from pillarbox.ground.errors import StoreError
from pillarbox.model.config import Settings
from pillarbox.store import audit, staff
from pillarbox.store.connect import Store
from pillarbox.store.staff import Session, User

log = logs.get("staff")

_TOUCHED_EVERY = timedelta(minutes=1)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
             ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "an iPhone"), ("iPad", "an iPad"), ("Windows", "Windows"),
            ("Mac OS", "a Mac"), ("CrOS", "a Chromebook"), ("Linux", "Linux"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Who is logged in, by which session."""

    user: User
    session: Session
    token: str
    """What their cookie says: in no log, no page, no database."""


def new_token() -> str:
    """256 random bits, URL-safe text of 43 letters."""
    return secrets.token_urlsafe(32)


def begin(connection: Connection, settings: Settings, user: User, *, agent: str, ended: str = "") -> str:
    """Log a user in, in the caller's transaction; returns the token for the cookie.

    Args:
        agent: the browser's User-Agent, of which only its kind is kept.
        ended: the token that the browser showed before, whose session ends: nobody goes on with a token that they
            brought along.
    """
    staff.sweep(connection, seen_after=_seen_after(settings))
    if ended:
        staff.end(connection, token_hash(settings, ended))
    token = new_token()
    staff.begin(connection, user_id=user.id, token_hash=token_hash(settings, token), device=device(agent),
                ends_at=clock.now() + timedelta(hours=settings.staff.session_hours))
    return token


def visitor(store: Store, settings: Settings, token: str, *, touch: bool = True) -> Visitor | None:
    """Who shows this token; None when nobody is logged in by it.

    Args:
        touch: whether this counts as something done: then the session goes on, and what the next page has to say is
            taken from it. A page that asks by itself does not.
    """
    if not _TOKEN.fullmatch(token):
        return None
    with store.reading() as connection:
        found = staff.standing(connection, token_hash(settings, token), seen_after=_seen_after(settings))
    if found is None:
        return None
    session, user = found
    if touch and (session.flash or clock.now() - session.seen_at >= _TOUCHED_EVERY):
        try:
            with store.writing() as connection:
                staff.change(connection, session.id, seen_at=clock.now(), flash="", flash_kind="")
        except StoreError:
            pass  # who may look need not wait for who writes
    return Visitor(user=user, session=session, token=token)


def tell(store: Store, visitor: Visitor, words: str, *, kind: str = "done") -> None:
    """Have the next page that this session shows say something.

    What is told has been done by now: that the database is too busy to keep these words must not be taken for a
    failure of the deed, which would be tried again. Where it stands is on the next page in any case.
    """
    try:
        with store.writing() as connection:
            staff.change(connection, visitor.session.id, flash=words, flash_kind=kind)
    except StoreError as fault:
        log.fault("session.untold", fault)


def logout(store: Store, settings: Settings, visitor: Visitor) -> None:
    """End one session."""
    with store.writing() as connection:
        staff.end(connection, token_hash(settings, visitor.token))
        audit.record(connection, actor=visitor.user.name, action="logout", subject=visitor.user.name)


def logout_everywhere(store: Store, visitor: Visitor) -> int:
    """End all sessions of a user, this one too; returns how many."""
    with store.writing() as connection:
        ended = staff.end_all(connection, visitor.user.id)
        audit.record(connection, actor=visitor.user.name, action="logout-everywhere", subject=visitor.user.name,
                     detail={"sessions": ended})
        return ended


def rotate(connection: Connection, settings: Settings, session_id: int) -> str:
    """Another token for the same session, in the caller's transaction; the old one is worth nothing from then on."""
    token = new_token()
    staff.change(connection, session_id, token_hash=token_hash(settings, token))
    return token


def of_user(store: Store, settings: Settings, user: User) -> list[Session]:
    """Where a user is logged in."""
    with store.reading() as connection:
        return staff.of_user(connection, user.id, seen_after=_seen_after(settings))


def token_hash(settings: Settings, token: str) -> str:
    """What the database keeps of a token: keyed, so that neither reading nor writing the database makes a login."""
    return keyed(settings, "session", token)


def keyed(settings: Settings, purpose: str, text: str) -> str:
    """HMAC-SHA-256 under the project's key, for one purpose; 64 hex digits."""
    return hmac.new(settings.secret, f"staff {purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def form_token(settings: Settings, token: str) -> str:
    """What a form must carry to be this session's: nobody else can know it, and it cannot be turned back."""
    return keyed(settings, "form", token)


def device(agent: str) -> str:
    """``Firefox on Windows``: enough for a user to know their own; empty when it says nothing known."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " on ".join(part for part in (browser, system) if part)


def _seen_after(settings: Settings) -> datetime:
    return clock.now() - timedelta(minutes=settings.staff.idle_minutes)
