"""``python -m pillarbox.standin``: the stand-in as a process of its own. Its first line of output is its URL."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from pillarbox.standin.behaviour import API_KEY, Behaviour, Fault, Mode, parse_fault
from pillarbox.standin.server import Standin


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m pillarbox.standin",
                                     description="A local SendGrid: nobody is mailed.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--api-key", default=API_KEY, help="the key that clients must show")
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.FAITHFUL)
    parser.add_argument("--data", type=Path, help="folder: accepted letters go to its letters/ as .eml files")
    parser.add_argument("--journal", type=Path, help="file that gets one line for each accepted personalization")
    parser.add_argument("--keep", type=int, default=20_000, help="the most messages kept in memory")
    parser.add_argument("--activity", action="store_true", help="the account has the message search (Email Activity)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--hang", type=float, default=30.0, help="seconds that a hanging request hangs")
    parser.add_argument("--seed", type=int, help="makes request ids repeatable")
    parser.add_argument("--fault", action="append", type=_numbered, default=[], metavar="NUMBER=FAULT",
                        help="e.g. 3=429, 5=500-after-accepting, 7=close-before-reading, 9=hang")
    given = parser.parse_args(arguments)
    behaviour = Behaviour(
        api_key=given.api_key, mode=given.mode, latency_seconds=given.latency, hang_seconds=given.hang,
        activity=given.activity, faults=dict(given.fault), keep=given.keep,
        letters=given.data / "letters" if given.data else None, journal=given.journal, seed=given.seed)
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    with Standin(behaviour, port=given.port) as standin:
        print(standin.url, flush=True)
        done.wait()


def _numbered(text: str) -> tuple[int, Fault]:
    number, _, fault = text.partition("=")
    return int(number), parse_fault(fault)


if __name__ == "__main__":
    main()
