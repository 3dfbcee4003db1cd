"""Stopped between any two statements, a sender leaves nothing that goes twice or is lost; a part of all such rounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab import commands
from lab.explorer import Act, exploring
from lab.postgres import Cluster, binaries
from tests import forked
from tests.conftest import missing

SUPPORTERS = 3
OFTEN = ("a commit", "the request", "INSERT INTO attempts", "UPDATE messages")
EVERY = 30


@pytest.mark.parametrize("act", ["killed", "refused"])
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_stopped_at_every_seam(engine: str, act: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each commit, request, claim and record of one unit, and now and then elsewhere: everybody gets one letter."""
    for name in [name for name in os.environ if name.startswith(("PILLARBOX_", "SENDGRID_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(commands, "begin", forked.begin)
    if engine == "postgresql" and binaries() is None:
        missing("postgres", "PostgreSQL is not installed here: its tests run in CI")
    cluster = Cluster() if engine == "postgresql" else None
    try:
        with exploring(tmp_path, supporters=SUPPORTERS, cluster=cluster) as explorer:
            points = explorer.points()
            first = next(number for number, words in enumerate(points) if words == "after the request")
            seams = [number for number, words in enumerate(points)
                     if number % EVERY == 0 or (abs(number - first) < 15 and any(word in words for word in OFTEN))]
            for at in seams:
                explorer.explore(at, act)
            assert len(seams) > 10
            assert explorer.breaches == []
    finally:
        if cluster:
            cluster.close()
