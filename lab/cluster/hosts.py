"""Hosts on one machine: network namespaces with addresses and host names of their own, joined by a bridge.

Needs root and iproute2. What is made here is named ``pbxlab…`` and lies in 198.18.77.0/24, a network that is set apart
for such tests (RFC 2544); it is all taken away again at the end, whatever happens.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

BRIDGE, PREFIX, NET = "pbxlab0", "pbxlab-", "198.18.77"
HERE = f"{NET}.254"
"""The address of this machine on the bridge."""
_HOSTS_FILES = Path("/etc/netns")


def able() -> str:
    """Why this machine cannot have such hosts; empty when it can."""
    if os.geteuid() != 0:
        return "it needs root"
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return "it needs iproute2 and unshare"
    if subprocess.run(["ip", "netns", "add", f"{PREFIX}try"], capture_output=True, check=False).returncode:
        return "this machine allows no network namespaces"
    _ip("netns", "del", f"{PREFIX}try")
    return ""


@dataclass(kw_only=True)
class Host:
    """One host: a network of its own, a name of its own, and the processes that run on it."""

    name: str
    number: int
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """The network namespace's name."""
        return PREFIX + self.name

    @property
    def address(self) -> str:
        """Where the others reach it."""
        return f"{NET}.{self.number}"

    @property
    def inside(self) -> list[str]:
        """What stands before a command that is to see this host's network."""
        return ["ip", "netns", "exec", self.namespace]

    def command(self, *words: str) -> list[str]:
        """A command as it runs on this host; the process keeps the number that it is started with."""
        return [*self.inside, "unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', f"{self.name}.lab", *words]

    @property
    def cable(self) -> str:
        """The bridge's end of its cable."""
        return f"pbx{self.number}"

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Start a process on this host."""
        process = subprocess.Popen(self.command(*words), text=True, **more)
        self.processes.append(process)
        return process

    def cut_off(self) -> None:
        """Pull its cable: nothing comes or goes, and nobody is told."""
        _ip("link", "set", self.cable, "down")

    def put_back(self) -> None:
        """Plug the cable in again."""
        _ip("link", "set", self.cable, "up")

    def lose(self) -> None:
        """As a host is lost: first its cable, so that its processes can say no goodbye, then they."""
        self.cut_off()
        self.kill()

    def kill(self) -> None:
        """Kill what runs on it."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        self.processes.clear()


class Network:
    """Hosts on a bridge; a context manager, after which nothing of it is left."""

    def __init__(self, names: tuple[str, ...], *, known_as: dict[str, str]) -> None:
        """Make ready.

        Args:
            names: of the hosts.
            known_as: host → another name by which all of them find it.
        """
        self.hosts = {name: Host(name=name, number=10 + place) for place, name in enumerate(names)}
        self._known_as = known_as

    def __enter__(self) -> Self:
        self._clear()  # what a run left behind that was killed
        try:
            _ip("link", "add", BRIDGE, "type", "bridge")
            _ip("address", "add", f"{HERE}/24", "dev", BRIDGE)
            _ip("link", "set", BRIDGE, "up")
            for host in self.hosts.values():
                self._plug_in(host)
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(self, *_fault: object) -> None:
        for host in self.hosts.values():
            with suppress(Exception):
                host.kill()
        self._clear()

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def _plug_in(self, host: Host) -> None:
        inside, outside = "eth0", host.cable
        _ip("netns", "add", host.namespace)
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", host.namespace)
        _ip("link", "set", outside, "master", BRIDGE)
        _ip("link", "set", outside, "up")
        _ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", inside)
        _ip("-n", host.namespace, "link", "set", inside, "up")
        _ip("-n", host.namespace, "link", "set", "lo", "up")
        folder = _HOSTS_FILES / host.namespace
        folder.mkdir(parents=True)
        names = "".join(f"{self.hosts[name].address} {other}\n" for name, other in self._known_as.items())
        (folder / "hosts").write_text(f"127.0.0.1 localhost {host.name}.lab\n{names}")

    def _clear(self) -> None:
        for host in self.hosts.values():  # a namespace takes its end of the cable along only when it is quite gone
            with suppress(subprocess.CalledProcessError):
                _ip("link", "del", host.cable)
        there = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.split("\n")
        for namespace in {line.split()[0] for line in there if line.startswith(PREFIX)}:
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", namespace)
        for folder in _HOSTS_FILES.glob(f"{PREFIX}*"):
            shutil.rmtree(folder)
        with suppress(OSError):
            _HOSTS_FILES.rmdir()
        with suppress(subprocess.CalledProcessError):
            _ip("link", "del", BRIDGE)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)
