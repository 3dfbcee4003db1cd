"""``python -m lab.cluster``: three hosts send one mailing; one is lost, one is cut off for a while. Needs root.

Five network namespaces on a bridge: a database, a provider that counts, and the hosts a, b and c with two workers each.
The real commands run on them, with host names and addresses of their own. What the provider counted and what the ledger
says are heard against each other by ``lab.judge``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text

from lab import hosts, postgres, projects
from lab.hosts import Host, Network
from lab.judge import Judge
from lab.server import KEY, ROOT, Count, Mood, _Handler, _Listener

BEGIN, END = "<!-- cluster-lab: begin -->", "<!-- cluster-lab: end -->"
WORKERS = ("a", "b", "c")
WORKERS_A_HOST = 2
SUPPORTERS = 12_000
LATENCY_SECONDS = 3.0
CUT_SECONDS = 10.0
# A request that was under way when the cable was pulled must be able to live through it: TCP tries again ever more
# seldom, for as long again as the cut was. (Pillarbox's own default is 60.) The lease grows with it, to 280 s.
TIMEOUT_SECONDS = 30.0
CONNECTIONS = 2
PROVIDER, PROVIDER_PORT, DATABASE_PORT = "sendgrid.localhost", 8025, 5432
_PATIENCE_SECONDS = 420.0
# The worker without the extra `pillarbox[cluster]`, on a machine that has it.
_PLAIN = ("import sys; from pillarbox.runner import queue; queue.usable = lambda store: False; "
          "from pillarbox.cli.main import main; main(sys.argv[1:])")


# ------------------------------------------------------------------------------------------------ the provider


class _Provider(_Listener):
    """The counting server of the crash lab, at an address of the lab's network."""

    def __init__(self, address: str) -> None:
        self.count = Count(chance=random.Random(1887), mood=Mood(latency=LATENCY_SECONDS))
        ThreadingHTTPServer.__init__(self, (address, PROVIDER_PORT), _Handler)


class Provider:
    """The same, as its own host runs it and this process asks it."""

    def __init__(self, host: Host) -> None:
        self._url = f"http://{host.address}:{PROVIDER_PORT}"
        host.start(sys.executable, "-m", "lab.cluster", "--provider-at", host.address, cwd=ROOT)
        _until(lambda: self.posts() == 0, "the provider never answered", 30)

    def posts(self) -> int | None:
        """How many requests have begun; None while it does not answer."""
        try:
            return int(self._get("posts"))
        except OSError:
            return None

    def count(self) -> dict[str, Any]:
        """What was accepted."""
        found: dict[str, Any] = self._get("count")
        return found

    def events(self) -> list[dict[str, Any]]:
        """What a provider would tell of it."""
        found: list[dict[str, Any]] = self._get("events")
        return found

    def _get(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self._url}/lab/{what}", timeout=30) as answer:
            return json.loads(answer.read())


# ------------------------------------------------------------------------------------------------ the database


class Database:
    """PostgreSQL on a host of the lab; a context manager."""

    def __init__(self, host: Host) -> None:
        found, self._user = postgres.binaries(), postgres.user()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed here")
        self._host, self._binaries = host, found
        self._home = Path(tempfile.mkdtemp(prefix="pillarbox-lab-pg-"))
        if self._user:
            shutil.chown(self._home, self._user)

    def __enter__(self) -> Database:
        try:
            self._run("initdb", "-U", "pillarbox", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            with (self._home / "data" / "pg_hba.conf").open("a") as file:
                file.write(f"host all all {hosts.NET}.0/24 trust\n")
            self._run("pg_ctl", "-w", "-l", f"{self._home}/log", "-o",
                      f"-p {DATABASE_PORT} -k {self._home} -c listen_addresses={self._host.address} "
                      "-c max_connections=200", "start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_fault: object) -> None:
        self._run("pg_ctl", "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(self._home, ignore_errors=True)

    def create(self) -> str:
        """Make an empty database; returns its URL."""
        name = f"lab{secrets.token_hex(5)}"
        server = f"postgresql://pillarbox@{self._host.address}:{DATABASE_PORT}"
        admin = create_engine(f"{server.replace('postgresql', 'postgresql+psycopg')}/postgres",
                              isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        return f"{server}/{name}"

    def _run(self, tool: str, *arguments: str, check: bool = True) -> None:
        done = subprocess.run(
            ["ip", "netns", "exec", self._host.namespace, "setpriv", f"--reuid={self._user}", f"--regid={self._user}",
             "--clear-groups", str(self._binaries / tool), "-D", f"{self._home}/data", *arguments],
            cwd=self._home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]},
            timeout=120, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{tool} gave {done.returncode}")


# ------------------------------------------------------------------------------------------------ a mailing


@dataclass(kw_only=True)
class Shared:
    """One mailing in one database, with a copy of the project's folder on each host."""

    folder: Path
    database: str

    def engine(self) -> Engine:
        """The database, looked at without any code of Pillarbox."""
        return create_engine(self.database.replace("postgresql://", "postgresql+psycopg://"), pool_pre_ping=True)

    def on(self, host: Host, *arguments: str) -> str:
        """Run a Pillarbox command that must succeed on a host; what it printed."""
        done = host.run(*self.command(host, *arguments), cwd=ROOT, env=projects.environment(), capture_output=True)
        if done.returncode:
            raise RuntimeError(f"pillarbox {' '.join(arguments)} gave {done.returncode}: {done.stdout}{done.stderr}")
        return str(done.stdout)

    def command(self, host: Host, *arguments: str, plain: bool = False) -> list[str]:
        """The command line of a Pillarbox command on a host."""
        program = ["-c", _PLAIN] if plain else ["-m", "pillarbox"]
        return [sys.executable, *program, "-C", str(self.folder / host.name), *arguments]

    def asked(self, query: str, **values: Any) -> Any:
        """One value of the ledger."""
        engine = self.engine()
        try:
            with engine.connect() as connection:
                return connection.execute(text(query), values).scalar()
        finally:
            engine.dispose()


def plan(network: Network, database: Database, folder: Path, supporters: int) -> Shared:
    """Plan a mailing from host a, and give every host its folder."""
    made = Shared(folder=folder, database=database.create())
    home = folder / "a"
    letter = home / "appeals" / projects.MAILING
    letter.mkdir(parents=True)
    (letter / "appeal.toml").write_text(projects._APPEAL, "utf-8")
    (letter / "letter.md").write_text(projects._LETTER, "utf-8")
    (home / "pillarbox.key").write_text("a key for the lab only, thirty-two bytes at least\n", "utf-8")
    (home / "pillarbox.toml").write_text(projects._SETTINGS.format(
        database=made.database, key=KEY, url=f"http://{PROVIDER}:{PROVIDER_PORT}", connections=CONNECTIONS,
        timeout=TIMEOUT_SECONDS), "utf-8")
    people = home / "people.csv"
    people.write_text("email,first_name,last_name,tracking\n" + "".join(
        f"supporter{n}@example.org,Name{n},Surname{n},{'no' if n % 3 else 'yes'}\n" for n in range(supporters)),
        "utf-8")
    made.on(network["a"], "lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "lab")
    made.on(network["a"], "plan", projects.MAILING, "--list", "all")
    for name in WORKERS[1:]:
        shutil.copytree(home, folder / name)
    return made


# ------------------------------------------------------------------------------------------------ the rounds


@dataclass(kw_only=True)
class Outcome:
    """What one round came to."""

    what: str
    planned: int
    duplicates: int = 0
    lost: int = 0
    doubt: int = 0
    """Messages in doubt when all was quiet, before any event was heard."""
    allowed: int = 0
    """Messages that the lost host had in flight."""
    doubt_of_others: int = 0
    healed: int = 0
    hosts_after: int = 0
    """Hosts that handed something over after the trouble."""
    seconds: float = 0.0
    found_after: float = 0.0
    """Seconds from the loss until the ledger knew of it."""
    breaches: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every promise held."""
        return not (self.duplicates or self.lost or self.breaches or self.doubt_of_others
                    or self.doubt > self.allowed)


Say = Callable[[str], None]


def trouble(network: Network, shared: Shared, provider: Provider, what: str, supporters: int, say: Say, *,
            lost: str = "", cut: str = "", empty: bool = False, plain: bool = False) -> Outcome:
    """Send a mailing from three hosts, and let one be lost, one cut off, or the queue thrown away in mid-send."""
    outcome = Outcome(what=what, planned=supporters)
    judge = Judge(shared, provider)  # type: ignore[arg-type] - the same questions are answered
    names = {name: network[name] for name in WORKERS}
    began = time.monotonic()
    try:
        for host in names.values():
            for _ in range(WORKERS_A_HOST):
                host.start(*shared.command(host, "worker", plain=plain), cwd=ROOT, env=projects.environment(),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _until(lambda: shared.asked("SELECT count(*) FROM workers") == len(WORKERS) * WORKERS_A_HOST,
               "not every worker came up", 120)
        machines = _machines(names, shared)
        began = time.monotonic()
        _start(shared)
        _until(lambda: len(_senders(shared)) == len(WORKERS), "not every host began to send", 60)
        say(f"{what}: {len(WORKERS)} hosts send")
        if lost:
            names[lost].lose()
            gone = time.monotonic()
            # What it had begun is committed; a claim that was not, the database has undone or will undo.
            outcome.allowed = int(shared.asked(
                "SELECT coalesce(sum(size), 0) FROM attempts WHERE finished_at IS NULL AND worker LIKE :who",
                who=f"{machines[lost]}:%"))
            say(f"host {lost} is lost with {outcome.allowed:,} messages in flight")
        if cut:
            network[cut].cut_off()
            time.sleep(CUT_SECONDS)
            network[cut].put_back()
            say(f"host {cut} was cut off for {CUT_SECONDS:.0f} s")
        if empty:
            _throw_away_the_queue(shared)
            say("the queue was dropped")
        after = datetime.now(UTC)
        judge.hear()
        _until(lambda: judge.counts()["planned"] == 0, "not everything was sent")
        say(f"nothing is left to send after {time.monotonic() - began:.0f} s")
        _until(lambda: judge.counts()["submitting"] == 0, "something stays on its way for ever")
        if lost:
            outcome.found_after = time.monotonic() - gone
        outcome.seconds = time.monotonic() - began
        outcome.hosts_after = len(_senders(shared, after))
        standing = judge.at_the_end()
        outcome.doubt = standing["in_doubt"]
        outcome.doubt_of_others = int(shared.asked(
            "SELECT count(*) FROM messages JOIN attempts ON attempts.id = attempt_id WHERE state = 'in_doubt' "
            "AND worker NOT LIKE :who", who=f"{machines[lost]}:%" if lost else "nobody"))
        _settle(network, shared, provider, judge, outcome)
        outcome.duplicates, outcome.lost, outcome.breaches = judge.duplicates, judge.lost, judge.breaches
    except TimeoutError as fault:
        outcome.breaches = [*judge.breaches, f"{fault}: {dict(judge.counts())}"]
        outcome.duplicates, outcome.lost = judge.duplicates, judge.lost
    finally:
        judge.close()
        for name, host in names.items():
            host.kill()
            if name == lost:
                host.put_back()
    say(f"{what}: {'sound' if outcome.sound else 'BROKEN'}")
    return outcome


def _settle(network: Network, shared: Shared, provider: Provider, judge: Judge, outcome: Outcome) -> None:
    """Events are read, staff decide on the rest, the workers that are left send it: one letter each."""
    told = shared.folder / "events.json"
    told.write_text(json.dumps(provider.events()))
    shared.on(network["a"], "events", "import", str(told))
    outcome.healed = outcome.doubt - judge.at_the_end(healed=True)["in_doubt"]
    if judge.counts()["in_doubt"]:
        shared.on(network["a"], "reconcile", projects.MAILING, "--assume", "unsent")
        _start(shared)
    _until(lambda: judge.counts()["accepted"] == outcome.planned, "not everybody has a letter at the very end")
    _until(lambda: judge.mailing_state() == "sent", "the mailing is not closed at the very end", 60)
    judge.at_the_end(healed=True)


def _start(shared: Shared) -> None:
    """Open the mailing's gate, as a worker does at the time that `send --at` named."""
    engine = shared.engine()
    with engine.begin() as connection:
        connection.execute(text("UPDATE mailings SET state = 'sending', started_at = now() WHERE state <> 'sending'"))
    engine.dispose()


def _throw_away_the_queue(shared: Shared) -> None:
    engine = shared.engine()
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA pillarbox_queue CASCADE"))
    engine.dispose()


def _machines(names: dict[str, Host], shared: Shared) -> dict[str, str]:
    """Host → the machine's name that its workers write into the ledger."""
    return {name: str(shared.asked("SELECT min(split_part(id, ':', 1)) FROM workers WHERE host = :host",
                                   host=f"{name}.lab")) for name in names}


def _senders(shared: Shared, since: datetime | None = None) -> set[str]:
    """The machines that finished an attempt."""
    engine = shared.engine()
    with engine.connect() as connection:
        found = connection.execute(text(
            "SELECT DISTINCT split_part(worker, ':', 1) FROM attempts WHERE size > 0 AND provider_id <> '' "
            "AND finished_at >= :since"), {"since": since or datetime(2000, 1, 1, tzinfo=UTC)}).scalars().all()
    engine.dispose()
    return set(found)


def _until(what: Callable[[], bool], words: str, seconds: float = _PATIENCE_SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not what():
        if time.monotonic() > ends:
            raise TimeoutError(words)
        time.sleep(0.2)


# ------------------------------------------------------------------------------------------------ the table

ROUNDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("c is lost, then b is cut off for 10 s", {"lost": "c", "cut": "b"}),
    ("the database's host is cut off for 10 s", {"cut": "db"}),
    ("the provider's host is cut off for 10 s", {"cut": "provider"}),
    ("the queue is dropped, then b is cut off for 10 s", {"empty": True, "cut": "b"}),
    ("without the extra: c is lost, then b is cut off for 10 s", {"lost": "c", "cut": "b", "plain": True}),
)
_HEAD = ("| what befell them | messages | twice | lost in silence | broken promises | in doubt (in flight on the lost "
         "host) | of them healed by events | hosts that sent afterwards | the loss was known after |")


def markdown(outcomes: list[Outcome], *, command: str, minutes: float) -> str:
    """The table, with what made it."""
    lines = [_HEAD, "|" + "---|" * (_HEAD.count("|") - 1)]
    for one in outcomes:
        known = f"{one.found_after:.0f} s" if one.found_after else ""
        lines.append(f"| {one.what} | {one.planned:,} | {one.duplicates} | {one.lost} | {len(one.breaches)} | "
                     f"{one.doubt:,} ({one.allowed:,}) | {one.healed:,} | {one.hosts_after} | {known} |")
    when = f"{datetime.now(UTC):%d %B %Y}".lstrip("0")
    return f"Made by `{command}` on {when}, in {minutes:.0f} minutes.\n\n" + "\n".join(lines)


def write(path: Path, table: str) -> None:
    """Put the table between the markers of a document."""
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


def main() -> None:
    """Run the rounds, print the table, write it where asked; exit code 1 when a promise broke."""
    parser = argparse.ArgumentParser(prog="python -m lab.cluster", description="Three hosts, one mailing, and trouble.")
    parser.add_argument("--supporters", type=int, default=SUPPORTERS, help="of each mailing")
    parser.add_argument("--only", default="", metavar="WORDS", help="rounds that have these words")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the markers of this file")
    parser.add_argument("--provider-at", metavar="ADDRESS", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.provider_at:
        listener = _Provider(given.provider_at)
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=listener.shutdown).start())
        listener.serve_forever(0.05)
        return
    if why := hosts.able():
        sys.exit(f"The cluster lab cannot run here: {why}.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    outcomes, table = [], ""
    for what, more in ROUNDS:
        if given.only not in what:
            continue
        outcomes.append(_round(what, more, given.supporters, say))
        table = markdown(outcomes, command=shlex.join(["python", "-m", "lab.cluster", *sys.argv[1:]]),
                         minutes=(time.monotonic() - began) / 60)
        if given.write:
            write(given.write, table)
    print(f"\n{table}")
    for one in outcomes:
        for words in one.breaches:
            print(f"{one.what}: {words}")
    if not all(one.sound for one in outcomes):
        sys.exit("\nA promise was broken: see above.")


def _round(what: str, more: dict[str, Any], supporters: int, say: Say) -> Outcome:
    """One round, on a network of its own."""
    with (tempfile.TemporaryDirectory(prefix="pillarbox-cluster-") as folder,
          Network(("db", "provider", *WORKERS), known_as={"provider": PROVIDER}) as network,
          Database(network["db"]) as database):
        provider = Provider(network["provider"])
        shared = plan(network, database, Path(folder), supporters)
        return trouble(network, shared, provider, what, supporters, say, **more)


if __name__ == "__main__":
    main()
