"""What Pillarbox says of itself while it works: events, names of mailings, ids, counts, seconds. Nothing of a person.

``log.info("batch.settled", mailing=name, attempt=7, accepted=1_000, seconds=0.4)``. Lines are closed by default: a
field must be one of ``FIELDS``, and words in it must look like a name of ours. Of what other libraries write, only
their constant words and numbers remain; of an exception, its kind and where it came from. See docs/logs.md.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, TextIO

LEVELS = ("debug", "info", "warning", "error")
WITHHELD = "(withheld)"

FIELDS = frozenset({
    # names and ids of ours
    "mailing", "appeal", "message", "attempt", "import_id", "schedule", "worker", "host", "port", "version",
    "letter",
    # which kind of thing
    "transport", "provider", "engine", "kind", "state", "before", "after", "verdict", "reason", "why", "fault", "place",
    "status",
    "practice", "live", "mode", "command", "unreachable", "stopped", "level",
    # how many
    "size", "planned", "accepted", "refused", "returned", "unknown", "withdrawn", "remaining", "failed", "in_doubt",
    "cancelled", "settled", "new", "repeated", "foreign", "unmatched", "alarms", "faults", "events", "bytes", "rows",
    "notices", "staff", "shapes", "slow", "excluded", "connections", "workers", "gifts", "attributed", "pence", "tries",
    "misses", "donations", "answered", "waiting", "to_ask", "letters",
    # how long, in seconds
    "seconds", "claim_seconds", "post_seconds", "settle_seconds", "wait_seconds", "age_seconds", "late_seconds",
})
"""The fields that a line may have. A new one is a decision: can what stands in it ever be a person's?"""

_ROOT = "pillarbox"
_ATTRIBUTE = "pillarbox_fields"
_EVENT = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
_WORD = re.compile(r"[A-Za-z0-9(][A-Za-z0-9._:()+-]{0,95}")
# What must not stand in any line, wherever it came from: addresses, keys of letters (26 letters and digits of base32,
# in any case), SendGrid's keys, passwords in URLs, hashes, and long random text such as a secret key (a long name of
# ours has no capitals).
_SECRETS = (
    re.compile(r"[^\s\"'<>=,;:()\[\]{}/\\]+(?:@|%40)[^\s\"'<>=,;:()\[\]{}/\\]+"),
    re.compile(r"(?<![A-Za-z0-9])[A-Za-z2-7]{30}(?![A-Za-z0-9])"),
    re.compile(r"\bSG\.[\w.-]+"),
    re.compile(r"(?<=://)[^/\s\"]+@"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]+"),
    re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{32,}(?![A-Za-z0-9])"),
    re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[A-Za-z0-9_-]{36,}(?![\w-])"),
)
_SHORTEST_SECRET = 6
# These write keys and whole bodies at DEBUG (python-http-client 3.3, read 2026-11): nothing of them is ever shown.
_MUTE = ("python_http_client", "sendgrid", "smtplib")
_concealed: set[str] = set()

Value = str | int | float | bool | None


class Log:
    """One room's log. Silent until ``start``."""

    def __init__(self, room: str) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.{room}")

    def debug(self, event: str, **fields: Value) -> None:
        """For those who look for a fault in the program."""
        self._say(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Value) -> None:
        """Something happened as it should."""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Value) -> None:
        """Somebody should look at it, today."""
        self._say(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Value) -> None:
        """Something did not work; somebody should look at it now."""
        self._say(logging.ERROR, event, fields)

    def fault(self, event: str, fault: BaseException, **fields: Value) -> None:
        """The same, of an exception: its kind and place are shown, never its words."""
        if self._logger.isEnabledFor(logging.ERROR):
            self._logger.error(event, exc_info=fault, extra={_ATTRIBUTE: fields})

    def _say(self, level: int, event: str, fields: Mapping[str, Value]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={_ATTRIBUTE: fields})


def get(room: str) -> Log:
    """The log of a room, e.g. ``mailings``."""
    return Log(room)


# ------------------------------------------------------------------------------------------ switching it on


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream; never says what could not be written."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.name.partition(".")[0] not in _MUTE and bool(super().filter(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging names it
        """Say nothing: logging's own complaint prints the arguments."""


def start(level: str = "info", form: str = "auto", *, stream: TextIO | None = None) -> None:
    """Write lines from now on, for the whole process; a second call replaces the first.

    Args:
        level: one of ``LEVELS``: the least that is shown of ours. Of other libraries warnings are, or all at ``debug``.
        form: ``json`` (a line an event), ``plain`` (for eyes), ``auto`` (plain on a terminal, else JSON).
        stream: where to; stderr when not said.
    """
    stop()
    out = stream or sys.stderr
    plain = form == "plain" or (form == "auto" and out.isatty())
    handler = _Handler(out)
    handler.setFormatter(PlainFormatter() if plain else JsonFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.getLogger(_ROOT).setLevel(getattr(logging, level.upper()))
    logging.captureWarnings(True)
    sys.excepthook, threading.excepthook, sys.unraisablehook = _uncaught, _uncaught_in_thread, _unraisable


def stop() -> None:
    """Write nothing any more."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(handler)
        handler.flush()
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(logging.NOTSET)
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = (
        sys.__excepthook__, threading.__excepthook__, sys.__unraisablehook__)


def conceal(*secrets: str) -> None:
    """Name secrets that must never stand in a line, whatever they look like."""
    _concealed.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)


# Nobody asked for lines: then logging's last resort must not print the words of warnings to stderr either.
logging.getLogger(_ROOT).addHandler(logging.NullHandler())


def _uncaught(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, fault, trace)
        return
    get("process").fault("process.broke", fault)


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
        get("process").fault("thread.broke", given.exc_value)


def _unraisable(given: Any) -> None:
    if given.exc_value is not None:
        get("process").fault("object.broke", given.exc_value)


# ------------------------------------------------------------------------------------------ the guard


def scrubbed(text: str) -> str:
    """``text`` without anything that looks like an address or a key, and without every secret named to ``conceal``."""
    for secret in _concealed:
        text = text.replace(secret, WITHHELD)
    for pattern in _SECRETS:
        text = pattern.sub(WITHHELD, text)
    return text


def guarded(fields: Mapping[str, Any]) -> dict[str, Value]:
    """The fields that may be shown: those of ``FIELDS``, their words withheld where they are no name of ours."""
    return {name: _value(value) for name, value in fields.items() if name in FIELDS and value is not None} | (
        {"withheld": len(unknown)} if (unknown := set(fields) - FIELDS) else {})


def _value(value: Any) -> Value:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, str) and _WORD.fullmatch(value):
        return scrubbed(str(value))
    return WITHHELD


class _Hidden:
    """Stands for an argument of another library's line."""

    def __str__(self) -> str:
        return "…"

    __repr__ = __str__


def _others_words(record: logging.LogRecord) -> str:
    """Another library's line: its constant words and its numbers. One that came ready-made could hold anything."""
    if not isinstance(record.msg, str) or not record.args:
        return WITHHELD
    if isinstance(record.args, Mapping):
        return scrubbed(record.msg)
    shown = tuple(each if isinstance(each, int | float) else _Hidden() for each in record.args)
    try:
        return scrubbed(record.msg % shown)
    except (TypeError, ValueError):
        return scrubbed(record.msg)


def content(record: logging.LogRecord) -> dict[str, Any]:
    """What may be shown of a record, whoever made it."""
    found: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
        "level": record.levelname.lower()}
    fields = getattr(record, _ATTRIBUTE, None)
    ours = isinstance(fields, Mapping) and record.name.partition(".")[0] == _ROOT
    if ours and isinstance(record.msg, str) and _EVENT.fullmatch(record.msg):
        found |= {"event": record.msg, **guarded(fields or {})}
    else:
        found |= {"event": "library.said", "from": scrubbed(record.name), "words": _others_words(record),
                  "place": f"{record.filename}:{record.lineno}"}
    if record.exc_info and record.exc_info[1] is not None:
        found |= _trace(record.exc_info[1])
    return found


def _trace(fault: BaseException) -> dict[str, Any]:
    """The kinds of an exception and of what caused it, and where; never their words, nor lines of source."""
    kinds, told = [], set()
    cause: BaseException | None = fault
    while cause is not None and id(cause) not in told:
        told.add(id(cause))
        kinds.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(fault.__traceback__)
    return {"fault": kinds[0], **({"causes": kinds[1:]} if kinds[1:] else {}),
            "trace": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return scrubbed(json.dumps(content(record), ensure_ascii=False, separators=(",", ":")))


class PlainFormatter(logging.Formatter):
    """One line for eyes: local time, event, fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        found = content(record)
        found.pop("at")
        level, event = found.pop("level"), found.pop("event")
        trace: Iterable[str] = found.pop("trace", ())
        head = time.strftime("%H:%M:%S", time.localtime(record.created))
        shown = " ".join(f"{name}={self._shown(value)}" for name, value in found.items())
        mark = f"{level.upper()} " if record.levelno >= logging.WARNING else ""
        return scrubbed("\n    ".join([f"{head} {mark}{event} {shown}".rstrip(), *trace]))

    @staticmethod
    def _shown(value: Any) -> str:
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
