"""What stands outside, on this machine: a website, and a program of SpamAssassin's name."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGES = {"/there": 200, "/gone": 404, "/head-is-refused": 200, "/broken": 500, "/members": 403, "/old": 301,
         "/lent": 302, "/round": 301, "/slash": 301, "/slash/": 200}
WHERE = {"/old": "/there", "/lent": "/there", "/round": "/round", "/slash": "/slash/"}
ANSWER = """Received: from localhost
X-Spam-Checker-Version: SpamAssassin 4.0.1
X-Spam-Level: *****
X-Spam-Status: {status}
Subject: Please help
\t
body
"""


class Website(BaseHTTPRequestHandler):
    """Answers as ``PAGES`` says, and keeps what it was asked."""

    asked: list[tuple[str, str]]

    def _answer(self) -> None:
        self.asked.append((self.command, self.path))
        if self.path.startswith("/slow"):
            time.sleep(0.5)
        status = PAGES.get(self.path, 200)
        if self.path == "/head-is-refused" and self.command == "HEAD":
            status = 405
        self.send_response(status)
        if self.path in WHERE:
            self.send_header("Location", WHERE[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = _answer

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@contextmanager
def website() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A website on this machine for as long as the block lasts: its address, and what it was asked."""
    asked: list[tuple[str, str]] = []
    handler = type("Handler", (Website,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def anywhere(number: str) -> bool:
    """Whether an IP address is this machine's own, the only one that tests may ask."""
    return number in ("127.0.0.1", "::1")


def stand_in(folder: Path, status: str, name: str = "spamassassin", before: str = "") -> Path:
    """A program of SpamAssassin's name that keeps what it is given, and answers as SpamAssassin 4 prints it."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\nimport pathlib, sys, time\n{before}\n"
                       f"pathlib.Path({str(folder / 'given.eml')!r}).write_bytes(sys.stdin.buffer.read())\n"
                       f"sys.stdout.write({ANSWER.format(status=status)!r})\n", "utf-8")
    program.chmod(0o755)
    return folder
