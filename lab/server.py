"""The counting server as the lab sees it: started, told its mood, and heard as a witness."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import asdict
from typing import Any, Self

from lab import commands
from lab.commands import ROOT
from lab.moods import Mood
from lab.patience import again, until


class Witness:
    """What a counting server tells of itself; asked again for as long as it does not answer.

    Args:
        url: where it listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def posts(self) -> int:
        """How many requests have begun."""
        return int(self._get("traffic")["posts"])

    def count(self) -> dict[str, Any]:
        """What was accepted: message → how often; how many came twice; the troubles there were."""
        found: dict[str, Any] = self._get("count")
        return found

    def events(self) -> list[dict[str, Any]]:
        """What the provider would tell of all that it accepted."""
        found: list[dict[str, Any]] = self._get("events")
        return found

    def mood(self, mood: Mood) -> None:
        """Answer like this from now on."""
        self._ask(urllib.request.Request(f"{self.url}/lab/mood", data=json.dumps(asdict(mood)).encode()))

    def until_idle(self) -> None:
        """Wait until no request is under way: what the count says of the past is then the whole of it."""
        until(lambda: not self._get("traffic")["busy"], "the server still deals with a request")

    def until_alone(self) -> None:
        """Wait until whatever senders that are gone left in their connections has been dealt with.

        Connections are taken in the order in which they came, so none of theirs can still stand behind ours.
        """
        until(lambda: self._get("traffic")["open"] == 1, "the server still has a connection of a sender that is gone")

    def _get(self, what: str) -> Any:
        return self._ask(urllib.request.Request(f"{self.url}/lab/{what}"))

    @staticmethod
    def _ask(request: urllib.request.Request) -> Any:
        def ask() -> Any:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())

        return again(ask, OSError)


class Server(Witness):
    """A counting server of this machine, as a process; a context manager.

    Args:
        seed: chooses which requests meet trouble.
    """

    def __init__(self, seed: int) -> None:
        self._process = commands.begin([sys.executable, "-m", "lab.listener", str(seed)], cwd=ROOT, text=True,
                                       env=dict(os.environ), stdout=subprocess.PIPE, start_new_session=True)
        assert self._process.stdout is not None
        super().__init__(self._process.stdout.readline().strip())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._process.kill()  # it keeps nothing
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
