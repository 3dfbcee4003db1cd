"""From Vega-Lite specifications to SVG: in this process, or in one beside it that a server keeps for the purpose.

The renderer (vl-convert: V8, with Vega in it) holds Python's lock while it draws, 20 to 100 milliseconds a picture and
400 for the first: in a server, supporters' pages and SendGrid's posts would stand still meanwhile.
"""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
import threading
from typing import IO, Any

VERSION = "6.4"
"""Of Vega-Lite; where the renderer does not have it, its newest."""
PATIENCE_SECONDS, IDLE_SECONDS = 60.0, 300.0
"""A drawing that takes longer than the first is given up; after the second without work the process beside ends."""
_GRACE_SECONDS = 5.0


def render(spec: dict[str, Any]) -> str:
    """The specification as SVG, drawn in this process.

    Raises:
        ValueError: the renderer cannot draw it.
    """
    import vl_convert

    known = vl_convert.get_vegalite_versions()
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=VERSION if VERSION in known else known[-1])
    return drawn


class Closed(OSError):
    """The server ends, and nothing is drawn any more: no fault of anybody's."""


class Beside:
    """Draws in a process of its own, which begins with the first drawing and ends when nobody asks any more.

    It ends by itself with this one, however this one ends: nobody writes to it then. Safe for threads.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def render(self, spec: dict[str, Any]) -> str:
        """The specification as SVG.

        Raises:
            ValueError: the renderer cannot draw it.
            Closed: the server ends.
            OSError: the process cannot be started, took too long, or ended twice over.
        """
        asked = json.dumps(spec).encode() + b"\n"
        with self._lock:
            answer = self._ask(asked) or self._ask(asked)  # it may have ended since the last drawing
        if not answer:
            raise Closed if self._closed.is_set() else OSError("the process that draws ended without an answer")
        told = json.loads(answer)
        if "svg" not in told:
            raise ValueError(told["fault"])
        return str(told["svg"])

    def _ask(self, asked: bytes) -> bytes:
        """A line of its answer; empty: it ended, and another begins with the next question."""
        if self._closed.is_set():
            raise Closed
        process = self._process = self._process or _begin()
        if self._closed.is_set():  # meanwhile, and whoever closed may not have seen the process
            self._end()
            return b""
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(PATIENCE_SECONDS, give_up)
        watch.daemon = True
        answer = b""
        try:
            watch.start()
            process.stdin.write(asked)
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            pass
        finally:
            watch.cancel()
            if not answer.endswith(b"\n"):  # nothing, or half: what it says later would be taken for the next answer
                answer = b""
                self._end()
        if late.is_set() and not answer:
            raise OSError("the process that draws was ended: it stood without an answer for too long")
        return answer

    def close(self) -> None:
        """End it for good, and whatever it draws at this moment: whoever ends the server does not wait for pictures."""
        self._closed.set()
        if (process := self._process) is not None:
            process.kill()  # who waits for its answer hears at once, and lets go of the lock
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                _close(pipe)
            process.wait()


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:  # what was still to be written has nobody to read it
        pass


def _begin() -> subprocess.Popen[bytes]:
    # Of its own session: a Ctrl-C in the terminal is for the server, which ends it.
    return subprocess.Popen([sys.executable, "-m", "pillarbox.reports.rendering"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """A specification a line, answered by a line; until there are no more, or none for long.

    A drawing that hangs ends this process even when nobody is left who would: the renderer holds Python's lock, so that
    no thread of Python's could.
    """
    while True:
        idle = threading.Timer(IDLE_SECONDS, os._exit, (0,))
        idle.daemon = True
        idle.start()
        line = questions.readline()
        idle.cancel()
        if not line:
            return
        faulthandler.dump_traceback_later(PATIENCE_SECONDS + _GRACE_SECONDS, exit=True)
        try:
            told = {"svg": render(json.loads(line))}
        except Exception as fault:  # noqa: BLE001 - whatever the renderer raises is the asker's to hear
            told = {"fault": f"{type(fault).__name__}: {fault}"[:500]}
        finally:
            faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps(told).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the renderer may print is no answer
    _serve(sys.stdin.buffer, own)
