"""Images that were made ready, kept by what they were made from: the same photograph is not made small twice."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

from pillarbox.content import pictures

FOLDER = ("var", "cache", "images")
"""Below a project's folder; may be deleted at any time."""
MOST_FILES = 200
_IN_MEMORY = 32
_DIGEST_BYTES = 32

_made: dict[bytes, bytes] = {}
_lock = Lock()


def prepared(data: bytes, folder: Path | None) -> bytes:
    """``pictures.prepare``, done once.

    Args:
        data: the image as it lies in the appeal's folder.
        folder: where to keep what was made; None: in memory alone. One that cannot be written is no fault.

    Raises:
        BadImageError: it cannot be used.
    """
    key = hashlib.sha256(data).digest()
    with _lock:
        found = _made.get(key)
    if found is not None:
        return found
    file = None if folder is None else folder / f"{key.hex()[:40]}-{pictures.RECIPE}"
    found = _read(file) if file else None
    if found is None:
        found = pictures.prepare(data)
        if file:
            with suppress(OSError):
                _write(file, found)
    with _lock:
        while len(_made) >= _IN_MEMORY:
            del _made[next(iter(_made))]
        _made[key] = found
    return found


def _read(file: Path) -> bytes | None:
    """What was kept, when it is whole."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, made = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return made if hashlib.sha256(made).digest() == digest else None


def _write(file: Path, made: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_bytes(hashlib.sha256(made).digest() + made)
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    kept = sorted((each for each in file.parent.iterdir() if each.is_file()), key=lambda each: each.stat().st_mtime)
    for old in kept[:-MOST_FILES]:
        old.unlink(missing_ok=True)
