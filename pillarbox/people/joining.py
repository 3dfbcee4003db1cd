"""Joining by the sign-up form: asked for by whoever fills it in, confirmed by who owns the address.

Asking never looks whether the address is known, suppressed or unsubscribed: what is the same for all takes the same
time for all, and tells nobody anything. Nothing of a supporter changes before the confirmation.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from pillarbox.ground import address as addresses
from pillarbox.ground import clock
from pillarbox.ground.keys import new_key
from pillarbox.model.sections import JoinSettings
from pillarbox.model.states import Basis, Channel, SuppressionReason
from pillarbox.people import values
from pillarbox.people.names import is_no_name
from pillarbox.people.tidy import Name, tidy
from pillarbox.store import audit, consents, lists, notices, service, sign_ups, supporters, suppressions, wishes
from pillarbox.store.connect import Store
from pillarbox.store.sign_ups import Counted, Limit

SOURCE = "sign-up form"
CONFIRM, WELCOME = "confirm", "welcome"
"""The service letters."""
VALID_FOR = timedelta(days=7)
_RESTS = "join-rests"
"""Kind of the notice."""
_BETWEEN_LETTERS, _A_DAY = 600.0, 86_400.0
_LETTERS_A_DAY = 3
"""To one inbox: a form must not be a way to fill somebody's inbox."""
_NEVER_BY_A_FORM = (SuppressionReason.ERASED, SuppressionReason.FPS, SuppressionReason.MANUAL,
                    SuppressionReason.COMPLAINED, SuppressionReason.BOUNCED, SuppressionReason.INVALID)
"""What no sign-up lifts, the gravest first: staff decide."""
_PAGE_LIMIT = 200
_DOTLESS = ("gmail.com", "googlemail.com")
"""support.google.com/mail/answer/7436150, read 2026-11."""


class Asked(StrEnum):
    """What became of a form that was sent."""

    TAKEN = "taken"
    """A letter goes to the address, or went a moment ago: the answer is the same."""
    BAD_ADDRESS = "bad-address"
    BAD_NAME = "bad-name"
    """It holds a web address or signs of a program, not a name alone."""
    TOO_MANY = "too-many"
    """From this network, in this hour."""
    BUSY = "busy"
    """From everywhere together, in this hour."""


class Confirmed(StrEnum):
    """What became of a link that was used."""

    UNKNOWN = "unknown"
    """No such link, or it expired, or it was somebody's who has been forgotten."""
    WAITING = "waiting"
    """It can be confirmed."""
    JOINED = "joined"
    """Now, or by this link before."""
    LEFT = "left"
    """By this link before, and our emails were stopped since: an old link brings nobody back."""
    KEPT_OUT = "kept-out"
    """The address is one to which only staff may write again; they are told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a form says."""

    email: str
    first_name: str
    last_name: str
    tracking: bool
    page: str
    """Which form: a path of ours, or the website that it stands on."""
    visitor: str
    """The visitor's network address; only a keyed hash of it is kept, for an hour."""


def ask(store: Store, settings: JoinSettings, wish: Wish, *, secret: bytes, base_url: str,
        ascii_mailboxes: bool = False) -> Asked:
    """Take in a form, and have the letter with the link sent.

    Args:
        store: the database.
        settings: the form's.
        wish: what was typed.
        secret: the project's key.
        base_url: where supporters reach us.
        ascii_mailboxes: whether no letter can be sent to any other.

    Raises:
        StoreError: it could not be saved.
    """
    try:
        address = addresses.normalise(values.one_line(wish.email[:values.NAME_LIMIT * 2]))
    except ValueError:
        return Asked.BAD_ADDRESS
    if ascii_mailboxes and not addresses.has_ascii_mailbox(address):
        return Asked.BAD_ADDRESS
    typed = Name(first_name=_line(wish.first_name), last_name=_line(wish.last_name))
    if no_names(wish):
        return Asked.BAD_NAME
    name = tidy(typed)
    address_hash = addresses.keyed_hash(address, secret)
    token, deed, moment = new_key(), new_key(), clock.now()
    tracking = bool(wish.tracking and settings.tracking_wording)
    network = Limit(name=f"from:{_network(wish.visitor, secret)}", seconds=3_600.0 / settings.per_hour,
                    at_once=settings.per_hour)
    letters = [Limit(name=f"soon:{address_hash}", seconds=_BETWEEN_LETTERS),
               Limit(name=f"to:{addresses.keyed_hash(_inbox(address), secret)}",
                     seconds=_A_DAY / _LETTERS_A_DAY, at_once=_LETTERS_A_DAY)]
    with store.writing() as connection:
        match sign_ups.count(connection, network, _in_all(settings.per_hour_in_all), letters):
            case Counted.NETWORK:
                return Asked.TOO_MANY
            case Counted.ALL:
                _tell_staff(connection, settings.per_hour_in_all)
                return Asked.BUSY
            case Counted.ADDRESS:
                return Asked.TAKEN
        sign_ups.add(connection, {
            "token_hash": _hash(token), "deed": deed, "address": address, "address_hash": address_hash,
            "first_name": name.first_name, "last_name": name.last_name, "lists": list(settings.lists),
            "wording": settings.wording, "tracking_wording": settings.tracking_wording, "tracking": tracking,
            "page": values.one_line(wish.page)[:_PAGE_LIMIT], "asked_at": moment, "expires_at": moment + VALID_FOR})
        service.ask(connection, kind=CONFIRM, deed=deed, address=address, address_hash=address_hash,
                    values={"link": f"{base_url}/join/confirm/{token}", "days": str(VALID_FOR.days)},
                    not_after=moment + VALID_FOR)
    return Asked.TAKEN


def no_names(wish: Wish) -> tuple[str, ...]:
    """Which fields of a form hold what is no name: ``first_name``, ``last_name``, both or none."""
    return tuple(field for field, typed in (("first_name", wish.first_name), ("last_name", wish.last_name))
                 if is_no_name(_line(typed)))


def _in_all(per_hour: int) -> Limit:
    """Half of it at once, the other half over the hour: never more than all of it in any hour."""
    at_once = per_hour // 2
    return Limit(name="all", seconds=3_600.0 / (per_hour - at_once), at_once=at_once)


def _tell_staff(connection: Connection, per_hour: int) -> None:
    """That people are being turned away, once a day."""
    since = clock.now() - timedelta(days=1)
    if any(row.kind == _RESTS and row.at > since for row in notices.newest(connection, 100)):
        return
    notices.add(connection, kind=_RESTS, words=(
        f"The sign-up form was used so often that it turns people away for a while: {per_hour} letters an hour are the "
        "most, for everybody together. If these are your visitors, raise `per_hour_in_all` under [join] in "
        "pillarbox.toml; else a program may be at work, and nothing need be done."))


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How it stands with a link."""

    state: Confirmed
    wording: str = ""
    """What is agreed to by confirming."""
    tracking_wording: str = ""
    """The same of tracking; empty when it was not ticked."""


def standing(store: Store, token: str) -> Standing:
    """How it stands with a link; changes nothing."""
    with store.reading() as connection:
        return _standing(connection, sign_ups.by_token(connection, _hash(token)))


def _standing(connection: Connection, row: Row[Any] | None) -> Standing:
    if row is None:
        return Standing(state=Confirmed.UNKNOWN)
    if row.confirmed_at is not None:
        if row.kept_out:
            return Standing(state=Confirmed.KEPT_OUT)
        stopped = suppressions.reasons(connection, row.address_hash)
        return Standing(state=Confirmed.LEFT if stopped else Confirmed.JOINED)
    if row.expires_at <= clock.now() or row.address is None:
        return Standing(state=Confirmed.UNKNOWN)
    return Standing(state=Confirmed.WAITING, wording=row.wording,
                    tracking_wording=row.tracking_wording if row.tracking else "")


def confirm(store: Store, token: str, *, settings: JoinSettings, zone: str) -> Confirmed:
    """The owner of the address confirms: once, whatever comes after.

    They are on the lists then, with consent, though they may have left before: it is their own word. What only staff
    may lift stays, and staff are told.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        row = sign_ups.by_token(connection, _hash(token))
        if row is None or not sign_ups.confirm(connection, row.id, clock.now()):
            # Read again: two presses at once, and the other one was first.
            return _standing(connection, sign_ups.by_token(connection, _hash(token))).state
        service.prove(connection, kind=CONFIRM, deed=row.deed)
        found = suppressions.reasons(connection, row.address_hash)
        kept_out = next((reason for reason in _NEVER_BY_A_FORM if reason in found), None)
        if kept_out is not None:
            sign_ups.settle(connection, row.id, supporter_id=None, kept_out=kept_out)
            notices.add(connection, kind="joining", words=(
                f"Somebody confirmed a sign-up for an address to which nothing may go ({kept_out}), so nothing was "
                "changed. `pillarbox supporters joining` shows whose it is: please decide, and write to them."))
            return Confirmed.KEPT_OUT
        supporter_id = _join(connection, row, zone)
        sign_ups.settle(connection, row.id, supporter_id=supporter_id, kept_out="")
        if settings.welcome:
            service.ask(connection, kind=WELCOME, deed=row.deed, address=row.address, address_hash=row.address_hash,
                        values={}, supporter_id=supporter_id)
    return Confirmed.JOINED


def _join(connection: Connection, row: Row[Any], zone: str) -> int:
    """Supporter, lists and consent, by the word of who owns the address."""
    at = clock.now()
    back = suppressions.lift(connection, row.address_hash, SuppressionReason.UNSUBSCRIBED)
    known = supporters.by_hash(connection, [row.address_hash]).get(row.address_hash)
    if known is None:
        fresh = {"address": row.address, "address_hash": row.address_hash, "title": "", "first_name": row.first_name,
                 "last_name": row.last_name, "salutation": "", "language": "", "country": "", "fields": {}}
        supporter_id = supporters.add_many(connection, [fresh], at)[row.address_hash]
    else:
        supporter_id = known.id
        if not (known.first_name or known.last_name) and (row.first_name or row.last_name):
            kept = {name: getattr(known, name) for name in supporters.KNOWN}
            supporters.update_many(connection, [{"id": known.id, **kept, "first_name": row.first_name,
                                                 "last_name": row.last_name}], at)
        _end_pause(connection, supporter_id, at)
    for name in row.lists:
        list_id = lists.find(connection, name)
        list_id = lists.create(connection, name, at) if list_id is None else list_id
        if not lists.members(connection, list_id, [supporter_id]):
            lists.join_many(connection, list_id, [supporter_id], at, None)
        else:
            lists.come_back(connection, list_id, supporter_id, at)
    _consent(connection, row, supporter_id, row.asked_at.astimezone(ZoneInfo(zone)).date())
    audit.record(connection, actor="supporter", action="join", subject=f"supporter {supporter_id}",
                 detail={"sign_up": row.id, "lists": list(row.lists), "came_back": back})
    return supporter_id


def _end_pause(connection: Connection, supporter_id: int, at: datetime) -> None:
    """Who asks anew to be written to does not mean a pause any more; how much they wish to get stays."""
    wish = wishes.of(connection, supporter_id)
    if wish.paused_until is not None and wish.paused_until > at:
        wishes.keep(connection, supporter_id, replace(wish, paused_until=None), at)
        wishes.note(connection, supporter_id, source=SOURCE,
                    changes={"paused_until": [wish.paused_until.isoformat(), None]}, at=at)


def _consent(connection: Connection, row: Row[Any], supporter_id: int, on: date) -> None:
    wanted = [(Channel.EMAIL, row.wording)]
    if row.tracking:  # a box left empty takes nothing back that was given elsewhere
        wanted.append((Channel.TRACKING, row.tracking_wording))
    known = consents.of(connection, [supporter_id])
    consents.apply(connection, [
        consents.Change(supporter_id=supporter_id, channel=channel, before=known.get((supporter_id, channel)),
                        after=Basis.CONSENT, source=SOURCE, obtained_on=on, wording=wording)
        for channel, wording in wanted], clock.now())


def for_staff(store: Store) -> list[tuple[str, str, datetime]]:
    """Confirmed sign-ups that only staff can decide: address, the reason that keeps it out, and when."""
    with store.reading() as connection:
        return [(row.address or "(forgotten)", row.kept_out, row.confirmed_at)
                for row in sign_ups.kept_out(connection)]


def sweep(store: Store) -> int:
    """Forget what nobody confirmed in time; how many sign-ups."""
    with store.writing() as connection:
        return sign_ups.sweep(connection)


def _line(text: str) -> str:
    return values.one_line(text)[:values.NAME_LIMIT]


def _inbox(address: str) -> str:
    """What stands for the inbox: ``ann+anything@`` reaches ann nearly everywhere, and Gmail reads no dots.

    For the daily limit alone, so that nobody's inbox is filled through its other spellings.
    """
    name, _, domain = address.rpartition("@")
    name = name.partition("+")[0] or name
    if domain in _DOTLESS:
        name, domain = name.replace(".", ""), _DOTLESS[0]
    return f"{name}@{domain}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _network(visitor: str, secret: bytes) -> str:
    """What stands for a visitor's network: a keyed hash, another one each day. Of IPv6, a /64 is one household."""
    try:
        found = ipaddress.ip_address(visitor)
    except ValueError:
        plain = "unknown"
    else:
        if isinstance(found, ipaddress.IPv6Address):
            found = found.ipv4_mapped or found
        plain = (str(found) if found.version == 4 else
                 str(ipaddress.ip_network(f"{found}/64", strict=False).network_address))
    day = clock.now().date().isoformat()
    return hmac.new(secret, f"visitor:{day}:{plain}".encode(), hashlib.sha256).hexdigest()[:32]
