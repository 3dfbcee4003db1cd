"""Events from a file: the JSON that SendGrid posts, kept by somebody else or downloaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson

from pillarbox.deliver.sendgrid import events as sendgrid
from pillarbox.events.apply import Applied, apply
from pillarbox.ground.errors import Refused
from pillarbox.store.connect import Store

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes: some half a million events; they are taken in as one transaction."""
_SHOWN = 3


def import_file(store: Store, path: Path, *, project: str, secret: bytes) -> Applied:
    """Take in a file of SendGrid's events: a JSON array, several arrays, or one event a line.

    Args:
        store: the database.
        path: the file.
        project: our public id; events that carry another's are counted as foreign.
        secret: the project's key, for the hash of addresses.

    Raises:
        Refused: the file cannot be read as events; says at which lines. Nothing was taken in.
        StoreError: the database is busy or away; nothing was taken in.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise Refused(f"The file is larger than {SIZE_LIMIT // 1024 // 1024} MB.", where=path.name,
                          todo="Split it at line ends and import the parts.")
        raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as fault:
        raise Refused(f"The file cannot be read: {fault.strerror or 'no answer'}.", where=path.name,
                      todo="See that the name is right and that you may open it.") from None
    parsed = _whole(raw, project) or _by_line(raw, project, path.name)
    if parsed.faults:
        more = f" And {len(parsed.faults) - _SHOWN} more." if len(parsed.faults) > _SHOWN else ""
        raise Refused(" ".join(parsed.faults[:_SHOWN]) + more, where=path.name, todo="Nothing was taken in.")
    applied = apply(store, parsed.events, secret=secret)
    return replace(applied, foreign=applied.foreign + parsed.foreign)


def _whole(raw: bytes, project: str) -> sendgrid.Parsed | None:
    """The file as one array; None when it is not that."""
    try:
        whole = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return sendgrid.read(raw, project=project) if isinstance(whole, list) else None


def _by_line(raw: bytes, project: str, name: str) -> sendgrid.Parsed:
    found: list[sendgrid.Parsed] = []
    faults: list[str] = []
    for number, line in enumerate(raw.splitlines(), start=1):
        text = line.strip().rstrip(b",")
        if not text:
            continue
        try:
            one = sendgrid.read(text if text.startswith(b"[") else b"[" + text + b"]", project=project)
        except Refused:
            faults.append(f"Line {number} is no JSON of an event.")
            continue
        found.append(one)
        faults += [f"Line {number}: {fault}" for fault in one.faults]
    if not found and not faults:
        raise Refused("The file holds no events.", where=name, todo="Export the events again.")
    return sendgrid.Parsed(events=tuple(event for one in found for event in one.events), ignored={},
                           foreign=sum(one.foreign for one in found), faults=tuple(faults))
