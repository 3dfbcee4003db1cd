"""The counting server on a host of its own."""

from __future__ import annotations

import subprocess
import sys

from lab.cluster.hosts import Host
from lab.commands import ROOT
from lab.server import Witness

NAME, PORT = "sendgrid.localhost", 8025
LATENCY_SECONDS = 3.0
_SEED = 1887


def start(host: Host) -> Witness:
    """Start it; it is heard as the crash lab's own is. All hosts find it under its name."""
    host.start(sys.executable, "-m", "lab.listener", str(_SEED), "--address", host.address, "--port", str(PORT),
               "--latency", str(LATENCY_SECONDS), cwd=ROOT, stdout=subprocess.DEVNULL)
    found = Witness(f"http://{host.address}:{PORT}")
    found.posts()  # it answers
    return found
