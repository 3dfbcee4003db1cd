"""Projects with made-up supporters, written straight into the tables: importing a million takes minutes.

The rows are those that ``lists import`` writes for such a list file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from sqlalchemy import insert

from bench import letter
from lab import commands, harbour
from pillarbox.ground.address import keyed_hash
from pillarbox.model.states import Basis, Channel
from pillarbox.store.project import open_project
from pillarbox.store.schema import consents, list_members, lists, supporters

_AT_ONCE = 50_000
KEY = "SG.stand-in"
# A list file's columns are text: what the letter loops over is split there.
_LOOP = "supporter.interests.split('|')"
_APPEAL = f"""
title = "{letter.CONSTANTS["appeal"]["title"]}"
subject = "{letter.SUBJECT}"
kind = "appeal"
"""
_KNOWN = ("title", "first_name", "last_name", "salutation")


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one command took."""

    seconds: float
    """By the clock on the wall."""
    cpu_seconds: float
    """Of the command's own processor time; little disturbed by neighbours."""
    peak_mib: float


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A project folder to run commands in."""

    folder: Path

    def step(self, *arguments: str) -> Step:
        """Run a command to its end.

        Raises:
            SystemExit: it failed.
        """
        begun = time.perf_counter()
        process = self.start(*arguments)
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        if process.returncode:
            raise SystemExit(f"{arguments} failed with exit code {process.returncode}")
        return Step(seconds=time.perf_counter() - begun, cpu_seconds=usage.ru_utime + usage.ru_stime,
                    peak_mib=usage.ru_maxrss / 1024)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(commands.pillarbox(self.folder, *arguments), cwd=commands.ROOT,
                                env=commands.environment(), stdout=subprocess.DEVNULL)


def write(folder: Path, settings: str) -> None:
    """A project with the letter of ``bench/letter.py``, without its database."""
    harbour.write(folder, appeal=_APPEAL, letter=None)
    appeal = folder / "appeals" / harbour.MAILING
    (appeal / "letter.html").write_text(letter.html(_LOOP), "utf-8")
    (appeal / "letter.txt").write_text(letter.text(_LOOP), "utf-8")
    (folder / "pillarbox.toml").write_text(settings, "utf-8")


def make(folder: Path, count: int, *, url: str, database: str = "sqlite:///var/pillarbox.db",
         connections: int = 4) -> Bench:
    """A project with the letter of ``bench/letter.py`` and so many supporters on the list ``all``."""
    write(folder, harbour.settings(database=database, api_key=KEY, url=url, connections=connections))
    project = open_project(folder)
    moment = datetime.now(UTC)
    with project.store.writing() as connection:
        list_id = connection.execute(insert(lists).values(name="all", created_at=moment).returning(lists.c.id)
                                     ).scalar_one()
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count))
        with project.store.writing() as connection:
            connection.execute(insert(supporters), [_supporter(number, project.secret, moment) for number in numbers])
            connection.execute(insert(list_members), [
                {"list_id": list_id, "supporter_id": number + 1, "joined_at": moment} for number in numbers])
            connection.execute(insert(consents), [
                {"supporter_id": number + 1, "channel": channel, "basis": Basis.CONSENT, "source": "benchmark",
                 "recorded_at": moment} for number in numbers for channel in (Channel.EMAIL, Channel.TRACKING)])
    project.close()
    return Bench(folder=folder)


def _supporter(number: int, secret: bytes, moment: datetime) -> dict[str, Any]:
    person = letter.supporter(number)
    person["interests"] = "|".join(person["interests"])
    address = f"s{number}@example.org"
    return {"id": number + 1, "address": address, "address_hash": keyed_hash(address, secret), "created_at": moment,
            "updated_at": moment, **{name: person[name] for name in _KNOWN},
            "fields": {name: value for name, value in person.items() if name not in _KNOWN}}


class InstantServer:
    """The stand-in in its instant mode, as a process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def counts(self) -> dict[str, Any]:
        """Requests, bytes and messages so far."""
        with urlopen(f"{self.url}/_standin/counts", timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found


@contextmanager
def instant_server() -> Iterator[InstantServer]:
    """A server of this machine that answers at once."""
    process = subprocess.Popen([sys.executable, "-m", "pillarbox.standin", "--mode", "instant"], cwd=commands.ROOT,
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield InstantServer(process.stdout.readline().split()[-1])
    finally:
        process.terminate()
        process.wait(10)
