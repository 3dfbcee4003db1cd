"""The labs are honest: kept, broken and not judged are three things, and a slow machine is none of the first two."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine

from lab import commands, ending, lanes, ledger, patience, readings, table
from lab.budget import Budget
from lab.cells import Cell
from lab.judge import Judge
from lab.lanes import Lane
from lab.moods import Mood
from lab.outcome import Outcome
from lab.patience import BrokenError, UnjudgedError
from lab.senders import Sender
from lab.server import Server
from pillarbox.model.states import MessageState
from pillarbox.store.connect import Store
from pillarbox.store.schema import attempts
from tests import builders

CELL = Cell(name="kill -9", engine="sqlite", kills=2)
CELLS_OF_A_ROW = 13


def outcome_of(fault: Exception) -> Outcome:
    """What is found of a round that ends with a fault."""
    outcome = Outcome(rounds=1)
    with outcome.told():
        raise fault
    return outcome


# ------------------------------------------------------------------------------------------------ three things


def test_what_pillarbox_did_wrong_is_broken() -> None:
    """A command that failed, a sum that does not add up: a broken promise, in words."""
    outcome = outcome_of(BrokenError("send gave 3"))
    assert (outcome.broken, outcome.sound, outcome.breaches, outcome.unjudged) == (True, False, ["send gave 3"], [])


@pytest.mark.parametrize("fault", [UnjudgedError("it never ended"), TimeoutError("slow"), KeyError("of the lab's own")])
def test_what_the_lab_could_not_see_is_neither_kept_nor_broken(fault: Exception) -> None:
    """The lab's own faults and what never came prove nothing about a promise."""
    outcome = outcome_of(fault)
    assert (outcome.broken, outcome.sound) == (False, False)
    assert len(outcome.unjudged) == 1


def test_more_in_doubt_than_may_be_is_broken() -> None:
    """One batch for each act and connection, and not one message more."""
    assert Outcome(doubt=100, allowed=100).sound
    assert Outcome(doubt=101, allowed=100).broken


def test_how_much_may_be_in_doubt() -> None:
    """A unit a connection of whoever was killed or slept, of all when the database stopped, and one a lost answer."""
    cell = Cell(name="all", engine="postgresql", senders=3, connections=2)
    for what, units in {"kill": 2, "sleep": 2, "restart": 6, "fill": 0, "cut_after": 1, "limited": 0,
                        "late": 1}.items():
        assert ending.units_in_doubt(cell, Counter({what: 1})) == units, what


def test_a_command_that_fails_is_told_with_its_words() -> None:
    """Exit code and output; one that waited in vain for the database's lock is tried again, then not judged."""
    with pytest.raises(BrokenError, match="gave 3: so it is"):
        commands.must([sys.executable, "-c", "print('so it is', end=''); raise SystemExit(3)"])
    with pytest.raises(UnjudgedError, match="lock"):
        commands.must([sys.executable, "-c", f"raise SystemExit('{commands.LOCKED}')"])


def test_what_never_comes_is_not_judged() -> None:
    """Waiting ends with the words of what was waited for."""
    with pytest.raises(UnjudgedError, match="it never came"):
        patience.until(lambda: False, "it never came", 0)
    with pytest.raises(UnjudgedError, match="no answer"):
        patience.again(lambda: int("x"), ValueError, seconds=0)


# ------------------------------------------------------------------------------------------------ the table


def test_a_cell_that_was_not_judged_has_no_zeros_in_its_row() -> None:
    """Its row says "not judged" and why, where the promises stand."""
    made = table.markdown([(CELL, Outcome(unjudged=["the time was up"]))], command="lab", minutes=1)
    [row] = [line for line in made.splitlines() if line.startswith("| sqlite")]
    assert row.count(" | ") == CELLS_OF_A_ROW - 1
    assert "| not judged | not judged | not judged: the time was up |" in row


def test_acts_that_did_not_come_are_told() -> None:
    """Fewer kills than there should have been: the row says of how many."""
    outcome = Outcome(rounds=1, planned=100)
    outcome.befell["kill"] = 1
    assert "| 1 of 2 |" in table.markdown([(CELL, outcome)], command="lab", minutes=1)


def test_a_table_needs_its_place(tmp_path: Path) -> None:
    """Between the markers of its name everything is replaced; a document without them is left alone, and said."""
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- lab: begin -->\nold\n<!-- lab: end -->\nafter\n", "utf-8")
    table.write(path, "lab", "new")
    assert path.read_text("utf-8") == "before\n<!-- lab: begin -->\nnew\n<!-- lab: end -->\nafter\n"
    with pytest.raises(ValueError, match="no place"):
        table.write(path, "other", "new")


@pytest.mark.parametrize(("outcome", "code"), [
    (Outcome(), None), (Outcome(unjudged=["slow"]), 2),
    (Outcome(lost=1, unjudged=["slow"]), "\nA promise was broken: see above.")])
def test_how_the_lab_ends(outcome: Outcome, code: object) -> None:
    """In peace, or with 1 for a broken promise, or with 2 for what could not be judged."""
    if code is None:
        table.end([outcome])
        return
    with pytest.raises(SystemExit) as ended:
        table.end([Outcome(), outcome])
    assert ended.value.code == code


# ------------------------------------------------------------------------------------------------ lanes


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Play a cell whose rounds come out as given."""
    def play(*rounds: Outcome, seconds: float = 3_600) -> Outcome:
        coming = iter(rounds)
        monkeypatch.setattr(ledger, "make", lambda *_: None)
        monkeypatch.setattr(Lane, "_round", lambda *_: next(coming))
        [(_, found)] = lanes.run({"": [CELL]}, seed=1, supporters=1, budget=Budget(seconds=seconds), say=lambda _: None)
        assert next(coming, None) is None
        return found
    return play


def killed() -> Outcome:
    """A sound round with both kills."""
    outcome = Outcome(rounds=1, planned=10)
    outcome.befell["kill"] = 2
    return outcome


def test_a_round_that_was_not_judged_is_played_again(played: Callable[..., Outcome]) -> None:
    """What it did is not counted, the cell is whole by the next round, and the table tells of both."""
    found = played(outcome_of(UnjudgedError("slow")), killed())
    assert (found.sound, found.rounds, found.befell["kill"]) == (True, 1, 2)
    assert "| 1 rounds not judged and played again |" in table.markdown([(CELL, found)], command="lab", minutes=1)


def test_a_cell_that_is_never_judged_says_so(played: Callable[..., Outcome]) -> None:
    """Not for ever: after three times it is told as not judged."""
    found = played(*(outcome_of(UnjudgedError("slow")) for _ in range(3)))
    assert (found.broken, found.rounds) == (False, 0)
    assert found.unjudged


def test_a_broken_promise_is_not_played_away(played: Callable[..., Outcome]) -> None:
    """A round that broke one and then could not be judged further is kept as broken."""
    hurt = outcome_of(UnjudgedError("slow"))
    hurt.duplicates, hurt.befell["kill"] = 1, 2
    assert played(hurt).broken


def test_a_cell_without_time_says_so(played: Callable[..., Outcome]) -> None:
    """The budget was spent before its turn: told, and never as kept."""
    assert played(seconds=-1).unjudged == ["the time was up"]


def test_a_lane_that_fails_tells_of_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's own fault at the beginning of a lane leaves no cell without a word."""
    def fail(*_: object) -> None:
        raise RuntimeError("planned 3 of 4")

    monkeypatch.setattr(ledger, "make", fail)
    rows = lanes.run({"": [CELL, CELL]}, seed=1, supporters=1, budget=Budget(seconds=60), say=lambda _: None)
    assert [outcome.unjudged for _, outcome in rows] == [["RuntimeError: planned 3 of 4"]] * 2


# ------------------------------------------------------------------------------------------------ reading in time


def test_the_server_is_heard_when_all_that_came_has_been_dealt_with() -> None:
    """What a sender that is gone left in its connection is waited for, and counted."""
    body = b'{"personalizations": [{"to": [{"email": "alice@example.org"}], "custom_args": {"pillarbox": "p.7.1"}}]}'
    request = b"POST /v3/mail/send HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with Server(seed=1) as server:
        server.mood(Mood(latency=1.0))
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port)) as sender:
            sender.sendall(request)
        assert server.count()["taken"] == {}
        server.until_alone()
        assert server.count()["taken"] == {"7": 1}
        server.until_idle()


_FOUR_THREADS = """
import threading, time
for _ in range(4):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()
print("on", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux shows the threads of a process")
def test_a_sender_that_was_put_to_sleep_stands_still(tmp_path: Path) -> None:
    """Not one of its threads goes on, however busy the machine: what it holds then, it holds until it wakes."""
    busy: Any = SimpleNamespace(command=lambda *_: [sys.executable, "-c", _FOUR_THREADS])
    sender = Sender(busy, tmp_path / "log")
    try:
        patience.until(lambda: (tmp_path / "log").read_text() == "on\n", "it never began")
        for _ in range(20):
            assert sender.stop()
            assert [(task / "stat").read_text().rpartition(")")[2].split()[0]
                    for task in Path(f"/proc/{sender._process.pid}/task").iterdir()] == ["T"] * 5
            sender.wake()
        assert sender.kill()
        assert not sender.stop()
    finally:
        sender.clear()


def test_a_unit_whose_answer_came_too_late_is_told_from_others(store: Store) -> None:
    """In doubt because the sender waited as long as it may: not one whose sender died, nor one that was cut at once."""
    began = builders.SENT_AT
    with store.writing() as connection:
        mailing = builders.mailing(connection)
        for number, (seconds, detail) in enumerate([(4.5, "then: nothing came"), (1.0, "then: it was cut"),
                                                    (90.0, "the sender died while this was on its way")]):
            attempt = connection.execute(attempts.insert().values(
                mailing_id=mailing, worker="w", size=10, started_at=began, lease_until=began,
                finished_at=began + timedelta(seconds=seconds)).returning(attempts.c.id)).scalar_one()
            builders.message(connection, mailing, builders.supporter(connection, f"s{number}@example.org"),
                             state=MessageState.IN_DOUBT, attempt_id=attempt, detail=detail)
    assert readings.late(store.reader, 4.0) == 1
    assert readings.largest_batch(store.reader) == 10
    assert readings.leases(store.reader) == []


def test_a_machine_that_is_too_slow_breaks_no_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer comes later than a sender waits: all in doubt, healed by events, and told as what it is."""
    monkeypatch.setattr(ending, "CALM", Mood(latency=12.0))
    slow = Cell(name="slow", engine="sqlite", connections=4, mood=Mood(latency=12.0))
    [(_, outcome)] = lanes.run({"": [slow]}, seed=1, supporters=300,
                               budget=Budget(seconds=3_600), say=print)
    assert outcome.sound, outcome
    assert outcome.befell["late"] >= 3
    assert outcome.doubt == outcome.healed == 300


def test_a_damaged_ledger_is_a_broken_promise(tmp_path: Path) -> None:
    """No waiting mends it."""
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database at all, however long one looks at it" * 100)
    with Server(seed=1) as server:
        judge = Judge(engine=create_engine(f"sqlite:///{path}"), server=server)
        with pytest.raises(BrokenError, match="damaged"):
            judge.counts()
        judge.close()
