"""The way out: whether SendGrid or the mail server lets us in, may do what we ask of it, and tells us what happened."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from pillarbox.deliver.choose import transport as choose
from pillarbox.deliver.sendgrid.client import Answer, NoAnswerError, SendgridClient
from pillarbox.deliver.sendgrid.transport import connected
from pillarbox.doctor.finding import Finding, look, unless_practice, well, wrong
from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings import live
from pillarbox.model.config import Settings
from pillarbox.store.project import Project

HOOK = "/hooks/sendgrid"
# Scopes of SendGrid's keys, and what would not work without (API key permissions page, read 2026-11). One of each
# group is enough.
SCOPES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "mailings that SendGrid keeps until their time (`send --hold-at-sendgrid`)": (
        ("mail.batch.create",), ("user.scheduled_sends.create",), ("user.scheduled_sends.read",)),
    "looking up what is in doubt (`reconcile`; SendGrid sells it as an add-on)": (
        ("messages.read", "email_activity.read"),),
    "reading SendGrid's own lists of who bounced or left": (
        ("suppression.read",), ("stats.read", "categories.stats.read")),
    "seeing here how the event webhook is set": (("user.webhooks.event.settings.read",),),
}
_MUST_HEAR = ("delivered", "bounce", "dropped", "spam_report", "unsubscribe")
_SHOULD_HEAR = ("processed", "deferred", "open", "click", "group_unsubscribe")
_KEY_TODO = "Make a key with that permission at SendGrid (Settings, API Keys), and set SENDGRID_API_KEY."
# A signed post is refused when it is older than a day; far below that, this machine's clock is simply wrong.
_DRIFT = timedelta(seconds=90)


def examine(project: Project) -> Iterator[Finding]:
    """Everything about the way out, and about the way in for supporters."""
    settings = project.settings
    match settings.project.transport:
        case "sendgrid":
            yield from _sendgrid(settings)
        case _:
            yield from _usable(settings)
    found = live.faults(project)
    for sentence in found:
        words, _, todo = sentence.partition(": ")
        yield unless_practice(settings.practice, "not-live", f"{words}." if todo else words, todo.capitalize())
    if not found:
        yield well("live", "Letters may go to people: sender, links and the pages behind them are as they must be.")


def _usable(settings: Settings) -> Iterator[Finding]:
    transport = choose(settings)
    try:
        transport.check()
        yield well("transport", "Mail is written to files: nobody is mailed." if transport.name == "files"
                   else "The mail server lets us in.")
    except PillarboxError as fault:
        yield wrong("transport", fault.what, fault.todo)
    finally:
        transport.close()


def _sendgrid(settings: Settings) -> Iterator[Finding]:
    try:
        client = connected(settings.sendgrid)
    except PillarboxError as fault:
        yield wrong("api-key", fault.what, fault.todo)
        return
    try:
        answer = client.get("scopes")
        scopes = _scopes(answer)
        yield from _key(answer, scopes)
        yield from _clock(answer)
        if settings.project.home == "box" and (not scopes or "user.webhooks.event.settings.read" in scopes):
            yield from _webhook(client, settings)
    except NoAnswerError as fault:
        yield wrong("sendgrid-away", f"SendGrid cannot be reached ({fault.why}).",
                    "See that this machine is online and may connect to https://api.sendgrid.com.")
    finally:
        client.close()
    if settings.project.home == "box":
        yield from _verification_key(settings)


def _scopes(answer: Answer) -> frozenset[str]:
    listed = _json(answer).get("scopes", [])
    return frozenset(map(str, listed)) if isinstance(listed, list) else frozenset()


def _key(answer: Answer, scopes: frozenset[str]) -> Iterator[Finding]:
    if answer.status in (401, 403):
        yield wrong("api-key", f"SendGrid does not accept the API key ({answer.status}): it was deleted, or was copied "
                               "wrongly, or this machine's address is not on the account's list.", _KEY_TODO)
        return
    if answer.status != 200:
        yield wrong("api-key", f"SendGrid answered {answer.status} when asked about the API key.",
                    "Try again; if it stays so, see [sendgrid] url.")
        return
    if "mail.send" not in scopes:
        yield wrong("scope-mail-send", "The API key may not send mail (mail.send).", _KEY_TODO)
        return
    lacking = {what: missing for what, groups in SCOPES.items()
               if (missing := [group[0] for group in groups if not scopes & set(group)])}
    for what, missing in lacking.items():
        yield look("scope", f"The API key lacks {_and(missing)}: without, there is no {what}.", _KEY_TODO)
    if not lacking:
        yield well("api-key", "SendGrid accepts the API key, and it may do all that is asked of it.")
    else:
        yield well("api-key", "SendGrid accepts the API key, and it may send.")


def _clock(answer: Answer) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return
    drift = theirs.astimezone(UTC) - datetime.now(UTC)
    if abs(drift) > _DRIFT:
        apart = abs(drift).total_seconds()
        yield wrong("clock", f"This machine's clock and SendGrid's differ by {apart:,.0f} seconds.",
                    "Let it be set by the network (NTP): schedules and signatures go by it.")


# ------------------------------------------------------------------------------------------ events


def _webhook(client: SendgridClient, settings: Settings) -> Iterator[Finding]:
    answer = client.get("user", "webhooks", "event", "settings", "all")
    if answer.status != 200:
        yield look("webhook", f"SendGrid does not say how the event webhook is set ({answer.status}).",
                   "Look at Settings, Mail Settings, Event Webhooks there.")
        return
    wanted = f"{settings.project.base_url}{HOOK}"
    listed = _json(answer).get("webhooks", [])
    hooks = [hook for hook in listed if isinstance(hook, dict) and hook] if isinstance(listed, list) else []
    ours = [hook for hook in hooks if settings.project.base_url and str(hook.get("url", "")).rstrip("/") == wanted]
    if not ours:
        others = f" (it posts to {len(hooks)} other address{'es' if len(hooks) > 1 else ''})" if hooks else ""
        yield unless_practice(settings.practice, "webhook-url", f"SendGrid does not post its events to us{others}.",
                              f"Add an event webhook there, to {wanted if settings.project.base_url else HOOK}.")
        return
    yield from _set_right(ours[0], settings)


def _set_right(hook: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    def stands(code: str, words: str, todo: str) -> Finding:
        return unless_practice(settings.practice, code, words, todo)

    found = []
    if not hook.get("enabled"):
        found.append(stands("webhook-off", "The event webhook is switched off at SendGrid.", "Switch it on there."))
    if deaf := [name for name in _MUST_HEAR if not hook.get(name)]:
        found.append(stands("webhook-deaf", f"The event webhook does not tell of {_and(deaf)}.",
                            "Tick them there: without, those who left or cannot be reached are written to again."))
    if less := [name for name in _SHOULD_HEAR if not hook.get(name)]:
        found.append(look("webhook-less", f"The event webhook does not tell of {_and(less)}: reports will lack them.",
                          "Tick them there."))
    theirs = _der(str(hook.get("public_key") or ""))
    if not theirs:
        found.append(stands("webhook-unsigned", "SendGrid does not sign its events, so they are not believed.",
                            "Switch on Signature Verification there, and set PILLARBOX_SENDGRID_WEBHOOK_KEY to its "
                            "key."))
    elif (kept := _der(settings.sendgrid.webhook_key.get_secret_value())) and kept != theirs:
        found.append(stands("webhook-key", "SendGrid signs its events with another key than the one set here, so none "
                                           "is believed.",
                            "Copy the verification key there into PILLARBOX_SENDGRID_WEBHOOK_KEY."))
    yield from found or [well("webhook", "SendGrid posts its events to us, signed, of every kind.")]


def _verification_key(settings: Settings) -> Iterator[Finding]:
    text = settings.sendgrid.webhook_key.get_secret_value()
    if not text:
        yield unless_practice(settings.practice, "webhook-no-key", "No webhook key is set, so SendGrid's events are "
                                                                   "refused.",
                              "Set PILLARBOX_SENDGRID_WEBHOOK_KEY to the verification key that SendGrid shows.")
    elif not _is_p256(_der(text)):
        yield wrong("webhook-key-unsound", "The webhook key is no key of SendGrid's.",
                    "Copy the verification key again, whole: it begins with MFkw.")


def _der(text: str) -> bytes:
    """A public key as SendGrid shows it, or as a PEM file has it; empty when it is neither."""
    body = "".join(line for line in text.split() if not line.startswith("-----") and line not in ("PUBLIC", "KEY-----"))
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_p256(der: bytes) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _and(names: Iterable[str]) -> str:
    *first, last = [name.replace("_", " ") if "." not in name else name for name in names]
    return f"{', '.join(first)} and {last}" if first else last
