"""The whole main road with the log at its most talkative: no supporter's word, key or secret stands in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pillarbox.standin import donations, events
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.reactions import reactions
from pillarbox.standin.server import Standin
from pillarbox.standin.webhook import Signer, post
from pillarbox.store import schema
from pillarbox.store.project import open_project
from tests import forked, projects

API_KEY = "SG.a-key-that-nobody-may-see.0123456789abcdef"
TOKEN = "a-token-for-metrics-only"
PEOPLE = 40
LOUD = {"PILLARBOX_LOG_LEVEL": "debug", "PILLARBOX_LOG_FORM": "json"}
# What the letter says of itself, and what donors wrote: no part of either may be seen.
WORDS = ("lamp burning", "harbour needs you", "Every gift counts", "Dear ", "Surname", "example.org")


def run(project: projects.TestProject, *arguments: str) -> tuple[str, str]:
    """A command's output and its log."""
    done = forked.run(project.command(*arguments)[3:], folder=projects.ROOT, timeout_seconds=120,
                      environment={**os.environ, **project.environment, **LOUD})
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout, done.stderr


@contextmanager
def serving(project: projects.TestProject, log: Path, **environment: str) -> Iterator[str]:
    """`pillarbox serve` on a free port, its log in a file."""
    with log.open("w", encoding="utf-8") as errors:
        server = forked.begin(project.command("serve", "--port", "0"), cwd=projects.ROOT, stdout=subprocess.PIPE,
                              stderr=errors,
                              env={**os.environ, **project.environment, **LOUD, **environment})
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split()[2].rstrip(";")
        finally:
            server.terminate()
            server.wait(30)
            if server.stdout is not None:
                server.stdout.close()


def fetch(url: str, *, data: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and text of a page."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, fault.read().decode()


def lines(text: str) -> list[dict[str, Any]]:
    """The log's lines; what is none (a progress line) is left out here, and searched all the same."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_word_of_anybody_stands_in_the_log(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """List, plan, send, events by the webhook, letter, unsubscribe, gifts, report: logged at DEBUG, and searched."""
    database = request.getfixturevalue("postgres_for_project") if engine == "postgresql" else ""
    signer = Signer()
    with Standin(Behaviour(api_key=API_KEY)) as standin:
        project = projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url=standin.url,
                                database=database)
        project = projects.TestProject(folder=project.folder, environment={
            **project.environment, "SENDGRID_API_KEY": API_KEY, "PILLARBOX_SENDGRID_WEBHOOK_KEY": signer.public_key,
            "PILLARBOX_METRICS_TOKEN": TOKEN})
        listed = projects.write_list(tmp_path / "list.csv", projects.crowd(PEOPLE))
        told = [run(project, "lists", "import", str(listed), "--list", "all", "--basis", "consent", "--source",
                    "test")[1]]
        told.append(run(project, "plan", "harbour", "--list", "all")[1])
        told.append(run(project, "send", "harbour", "--yes")[1])
        heard = reactions(standin.messages, seed=7)
        donations.write(donations.rows(heard, seed=7), tmp_path / "gifts.csv")
    keys = _keys(project)
    with serving(project, tmp_path / "serve.log") as base:
        posted = post(events.events_of(heard, seed=7), f"{base}/hooks/sendgrid", signer)
        assert posted.lost == 0
        assert post(events.events_of(heard, seed=7), f"{base}/hooks/sendgrid", Signer(), tries=1).lost > 0
        assert fetch(f"{base}/v/{keys[0]}")[0] == 200
        assert fetch(f"{base}/u/{keys[2]}")[0] == 200
        assert fetch(f"{base}/u/{keys[2]}", data=b"List-Unsubscribe=One-Click")[0] == 200
        assert fetch(f"{base}/u/{keys[4]}/nowhere")[0] == 404
        status, numbers = fetch(f"{base}/metrics", Authorization=f"Bearer {TOKEN}")
        assert status == 200
    told.append((tmp_path / "serve.log").read_text("utf-8"))
    told.append(run(project, "donations", "import", str(tmp_path / "gifts.csv"))[1])
    told.append(run(project, "report", "harbour")[1])
    whole = "\n".join(told)
    _search(whole, keys, signer)
    _search(numbers, keys, signer)
    happened = {line["event"] for line in lines(whole)}
    assert {"plan.done", "mailing.moved", "run.began", "batch.settled", "mailing.sent", "run.ended", "serve.began",
            "events.taken-in", "webhook.not-taken", "donations.recorded", "serve.ended"} <= happened
    ours = [line for line in lines(whole) if line["event"] != "library.said"]
    assert not [line for line in ours if "withheld" in json.dumps(line)], "a field of ours had to be withheld"
    assert 'pillarbox_events_total{result="new"}' in numbers


def _keys(project: projects.TestProject) -> list[str]:
    """Each message's key, then its donate code, or ``-`` where it has none."""
    code = ("import sys; from pathlib import Path; from sqlalchemy import select\n"
            "from pillarbox.store.project import open_project; from pillarbox.store import schema\n"
            "p = open_project(Path(sys.argv[1]))\n"
            "with p.store.reading() as c:\n"
            "    for key, code in c.execute(select(schema.messages.c.key, schema.messages.c.code)):\n"
            "        print(key, code or '-')\n")
    done = subprocess.run([sys.executable, "-c", code, str(project.folder)], cwd=projects.ROOT, text=True, check=True,
                          capture_output=True, env={**os.environ, **project.environment})
    return done.stdout.split()


def _search(text: str, keys: list[str], signer: Signer) -> None:
    for secret in (API_KEY, TOKEN, "a key for tests only", signer.public_key, *(set(keys) - {"-"}), *WORDS):
        assert secret.lower() not in text.lower(), secret
    assert not re.search(r"\bName\d+\b|supporter\d+", text)


def test_a_server_under_fire_tells_nothing(tmp_path: Path) -> None:
    """The database is gone in mid-flight: the faults are logged, with their kind and place, and no key."""
    project = projects.make(tmp_path / "project")
    listed = projects.write_list(tmp_path / "list.csv", projects.crowd(5))
    project.run("lists", "import", str(listed), "--list", "all", "--basis", "consent", "--source", "test")
    project.run("plan", "harbour", "--list", "all")
    opened = open_project(project.folder)
    with opened.store.reading() as connection:
        key = connection.execute(select(schema.messages.c.key)).scalars().first()
    opened.close()
    with serving(project, tmp_path / "serve.log") as base:
        for path in (project.folder / "var").glob("pillarbox.db*"):
            path.write_bytes(b"no database at all" * 1_000)
        assert fetch(f"{base}/v/{key}")[0] >= 500
        assert fetch(f"{base}/u/{key}", data=b"List-Unsubscribe=One-Click")[0] >= 500
        assert fetch(f"{base}/metrics")[0] == 404, "without a token there is no such page"
    text = (tmp_path / "serve.log").read_text("utf-8")
    assert str(key) not in text
    broke = [line for line in lines(text) if line["level"] == "error"]
    assert {"supporter.not-saved"} <= {line["event"] for line in broke}
    assert all(line["trace"] for line in broke)
