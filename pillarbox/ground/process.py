"""Which process on which machine does a piece of work, and whether it still lives."""

from __future__ import annotations

import hashlib
import os
import platform
import uuid
from dataclasses import dataclass
from pathlib import Path


def machine() -> str:
    """A stable name for this machine: 12 hex digits, nothing readable."""
    for place in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            known = place.read_text("ascii").strip()
        except OSError:
            continue
        if known:
            break
    else:
        known = f"{platform.node()}-{uuid.getnode()}"
    return hashlib.sha256(f"pillarbox machine:{known}:{platform.node()}".encode()).hexdigest()[:12]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()[:8]
    except OSError:
        return "-"


def _numbering() -> str:
    """Where this process's number counts: in a container the same number means another process.

    Outside of containers it is the machine's name; within, another one for each that is started.
    """
    try:
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return machine()
    if space == _FIRST_PID_SPACE:
        return machine()
    return hashlib.sha256(f"{machine()}:{space}".encode()).hexdigest()[:12]


def _started(pid: int) -> str:
    """A process's start time in the system's ticks; tells a process from a later one with the same number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return "-"
    state, *rest = stat.rpartition(")")[2].split()
    return "dead" if state in "ZX" else rest[18]


# The machine's own namespace of process numbers: PROC_PID_INIT_INO in Linux's include/linux/proc_ns.h, read 2026-11.
_FIRST_PID_SPACE = "pid:[4026531836]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """A process that does work, as written into the ledger: ``machine:boot:pid:start``."""

    machine: str
    boot: str
    pid: int
    start: str

    def __str__(self) -> str:
        return f"{self.machine}:{self.boot}:{self.pid}:{self.start}"

    @classmethod
    def this(cls) -> Worker:
        """The running process."""
        return cls(machine=_numbering(), boot=_boot(), pid=os.getpid(), start=_started(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Worker | None:
        """Read what ``str`` wrote; None when it is no worker."""
        parts = text.split(":")
        if len(parts) != 4 or not parts[2].isdigit():
            return None
        return cls(machine=parts[0], boot=parts[1], pid=int(parts[2]), start=parts[3])

    @property
    def surely_dead(self) -> bool:
        """Whether the process certainly no longer runs.

        False when it cannot be known (another machine or container, or a system without /proc): then only its lease
        tells.
        """
        here = Worker.this()
        if self.machine != here.machine or here.boot == "-":
            return False
        return self.boot != here.boot or _started(self.pid) != self.start
