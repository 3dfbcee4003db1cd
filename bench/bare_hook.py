"""The least that a webhook can do, to compare with: see that SendGrid signed it, parse, insert, commit, answer."""

from __future__ import annotations

import sqlite3
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pillarbox.deliver.sendgrid.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify

_TABLE = """CREATE TABLE events (id INTEGER PRIMARY KEY, provider_event_id TEXT NOT NULL UNIQUE, kind TEXT, at INTEGER,
            email TEXT, provider_id TEXT, url TEXT, raw TEXT)"""


def application(path: Path, public_key: str) -> Starlette:
    """One table with one unique column, one connection, a transaction a post; SQLite as carefully as ours."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=8000"):
        database.execute(f"PRAGMA {pragma}")
    database.execute(_TABLE)
    turn = threading.Lock()

    def take_in(raw: bytes, signature: str, timestamp: str) -> None:
        verify(raw, signature=signature, timestamp=timestamp, public_key=public_key, now=datetime.now(UTC),
               max_age_seconds=90_000)
        rows = [(one["sg_event_id"], one["event"], one["timestamp"], one["email"], one["sg_message_id"],
                 one.get("url", ""), orjson.dumps(one).decode()) for one in orjson.loads(raw)]
        with turn:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR IGNORE INTO events (provider_event_id, kind, at, email, provider_id, url, "
                                 "raw) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")

    async def post(request: Request) -> Response:
        await run_in_threadpool(take_in, await request.body(), request.headers[SIGNATURE_HEADER],
                                request.headers[TIMESTAMP_HEADER])
        return Response(status_code=204)

    return Starlette(routes=[Route("/hooks/sendgrid", post, methods=["POST"])])


if __name__ == "__main__":
    uvicorn.run(application(Path(sys.argv[1]), sys.argv[3]), port=int(sys.argv[2]), access_log=False,
                log_level="warning")
