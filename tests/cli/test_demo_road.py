"""The demo's made-up supporters go the real road: through our own donate links to the page, and back as gifts."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import orjson

from tests import forked, projects


def pillarbox(*arguments: str) -> str:
    """What a command prints; it must succeed."""
    done = forked.run(arguments, folder=projects.ROOT, environment=os.environ, timeout_seconds=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gifts_carry_the_code_that_the_donate_link_handed_on(tmp_path: Path) -> None:
    """Some through a supporter's own link, some by the mailing's code; the page stands among the links followed."""
    folder = tmp_path / "demo"
    printed = pillarbox("demo", str(folder))
    with (folder / "donations.csv").open(encoding="utf-8-sig") as file:
        codes = {len(row["Reference"]) for row in csv.DictReader(file)}
    assert codes == {0, 8, 30}, "none, the mailing's, the supporter's own"
    assert "Supporter’s own link" in printed
    assert "renecassin.org/donate" in printed
    found = orjson.loads(pillarbox("-C", str(folder), "report", "uyghur-freedom", "--json"))
    assert found["donations"]["count"] >= 10
    assert found["donations"]["donors"] > 5
