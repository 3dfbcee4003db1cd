"""Senders as real processes, and what can befall them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab import commands
from lab.commands import ROOT, environment
from lab.harbour import MAILING
from lab.ledger import Ledger
from lab.patience import LONG_SECONDS, UnjudgedError


class Sender:
    """A running `pillarbox send` or `pillarbox worker`.

    Args:
        ledger: which project.
        log: a file that gets what it prints.
        kind: ``send``, which ends when the mailing has gone, or ``worker``, which waits for more.
        seams: changes to Pillarbox in that process alone (``lab.seams``); none: the real command.
    """

    def __init__(self, ledger: Ledger, log: Path, kind: str = "send", seams: Mapping[str, float] | None = None) -> None:
        command = ledger.command(*(("worker",) if kind == "worker" else ("send", MAILING, "--yes", "--json")))
        if seams:
            command[1:3] = ["-m", "lab.seams", json.dumps(dict(seams))]
        self._log = log.open("ab")
        self._process = commands.begin(command, cwd=ROOT, env=environment(), stdout=self._log, stderr=self._log,
                                       stdin=subprocess.DEVNULL, start_new_session=True)
        self.kind, self.stopped = kind, False

    @property
    def alive(self) -> bool:
        """Whether it runs or sleeps."""
        return self._process.poll() is None

    def kill(self) -> bool:
        """kill -9; whether it was there to be killed."""
        if not self.alive:
            return False
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._log.close()
        return self._process.returncode == -signal.SIGKILL

    def stop(self) -> bool:
        """SIGSTOP: it sleeps in the middle of whatever it does; whether it does.

        Returns when every thread of it stands still: until then one may yet take a lock.
        """
        if not self.alive:
            return False
        self._process.send_signal(signal.SIGSTOP)
        if hasattr(os, "waitid"):  # macOS has none
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.stopped = self.alive
        return self.stopped

    def wake(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)
        self.stopped = False

    def end(self, seconds: float) -> int:
        """Wait until it has ended, and return its exit code; a worker is asked to drain at once, others in ``seconds``.

        Raises:
            UnjudgedError: it does not end even so; it is killed then.
        """
        try:
            code = self._process.wait(seconds if self.kind == "send" else 0.01)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                code = self._process.wait(LONG_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise UnjudgedError(f"a sender that was asked to end did not, in {LONG_SECONDS:,.0f} s") from None
        self._log.close()
        return code

    def clear(self) -> None:
        """Leave nothing running."""
        if self.alive:
            self._process.kill()
            self._process.wait()
        self._log.close()

