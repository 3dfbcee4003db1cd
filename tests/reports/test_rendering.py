"""A server's pictures are drawn in a process beside it, which survives what befalls it and outlives nobody."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pillarbox.reports import rendering
from pillarbox.reports.marks import along, at, layer, mark, scale
from pillarbox.reports.rendering import Beside, Closed, render

ROOT = Path(__file__).resolve().parents[2]


def chart(most: int) -> dict[str, object]:
    """One bar."""
    bar = mark("rect", [{"x": most}], {"color": "#030303"}, x=along("x", scale(0, 9)), y=at(3))
    return layer(bar, width=90, height=9)


@pytest.fixture
def beside() -> Iterator[Beside]:
    """A process of our own, when something is drawn."""
    made = Beside()
    yield made
    made.close()


def test_it_draws_what_this_process_draws(beside: Beside) -> None:
    """The same bytes, whoever asks at once."""
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(beside.render, map(chart, range(1, 7)))) == [render(chart(n)) for n in range(1, 7)]


def test_what_cannot_be_drawn_is_said_and_the_next_is_drawn(beside: Beside) -> None:
    """As in this process: a fault of the asker's, and no more."""
    with pytest.raises(ValueError, match="Error"):
        beside.render({"mark": {"type": "no such mark"}, "data": {"url": "file:///etc/passwd"}})
    assert "<svg" in beside.render(chart(1))


def test_killed_it_begins_anew(beside: Beside) -> None:
    """Whoever asks next waits a little longer, and has their picture."""
    beside.render(chart(1))
    process = beside._process
    assert process is not None
    process.kill()
    process.wait()
    assert beside.render(chart(2)) == render(chart(2))


def test_it_is_not_waited_for_for_ever(beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renderer that hangs is ended; who asked is told, and nobody else waits behind them."""
    monkeypatch.setattr(rendering, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(rendering, "_begin", lambda: subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    begun = time.monotonic()
    with pytest.raises(OSError, match="without an answer"):
        beside.render(chart(1))
    assert time.monotonic() - begun < 30


def test_it_ends_with_its_server_however_that_ends() -> None:
    """Killed with -9, it leaves nobody behind."""
    code = ("from pillarbox.reports.rendering import Beside; import sys, time; b = Beside(); "
            "b.render({'mark': 'bar', 'data': {'values': []}}); print(b._process.pid, flush=True); time.sleep(60)")
    server = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    child = int(server.stdout.readline())
    server.kill()
    server.communicate()
    until = time.monotonic() + 30
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(child)


def test_whoever_ends_a_server_does_not_wait_for_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawing under way is given up, and those that wait their turn begin no other process."""
    begun: list[subprocess.Popen[bytes]] = []

    def hangs() -> subprocess.Popen[bytes]:
        begun.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE))
        return begun[-1]

    monkeypatch.setattr(rendering, "_begin", hangs)
    beside, since = Beside(), time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(beside.render, chart(n)) for n in range(1, 5)]
        while not begun:
            time.sleep(0.01)
        beside.close()
        for one in asked:
            with pytest.raises(Closed):
                one.result()
    assert time.monotonic() - since < 30
    assert [process.poll() is None for process in begun] == [False]


def test_half_an_answer_is_no_answer(beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a process that was killed while it told: the next one draws it whole."""
    begin, codes = rendering._begin, ["import sys; sys.stdin.readline(); sys.stdout.write('{\"svg\": \"<sv')"]
    monkeypatch.setattr(rendering, "_begin", lambda: subprocess.Popen(
        [sys.executable, "-c", codes.pop()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) if codes else begin())
    assert beside.render(chart(3)) == render(chart(3))


def test_a_drawing_that_hangs_ends_its_process_when_nobody_is_left_to_do_it() -> None:
    """Its server was killed meanwhile; the renderer holds Python's lock, and no thread of Python's could."""
    code = ("import ctypes, sys; from pillarbox.reports import rendering; rendering.PATIENCE_SECONDS = 0.2; "
            "rendering._GRACE_SECONDS = 0.1; hang = ctypes.PyDLL(None).sleep; "
            "rendering.render = lambda spec: hang(100); rendering._serve(sys.stdin.buffer, sys.stdout.buffer)")
    hung = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert hung.stdin is not None
    hung.stdin.write(b"{}\n")
    hung.stdin.flush()
    assert hung.wait(30) != 0
    hung.stdin.close()


def _runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells of processes in /proc")
    return status.exists() and "State:\tZ" not in status.read_text("utf-8")
