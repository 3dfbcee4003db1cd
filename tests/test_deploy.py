"""What is shipped for the box fits the program: units, proxies, container, pages of the guide."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pillarbox.cli.main import COMMANDS
from pillarbox.model import config

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
KNOWN = {*COMMANDS, "worker"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_sound_and_hardened(path: Path) -> None:
    """It runs a command that there is, as nobody special, and may write to its own data alone."""
    text = path.read_text("utf-8")
    command = re.search(r"^ExecStart=/opt/pillarbox/bin/pillarbox -C /srv/pillarbox (\S+)", text, re.MULTILINE)
    assert command is not None
    assert command[1] in KNOWN
    for line in ("User=pillarbox", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "UMask=0077",
                 "CapabilityBoundingSet=", "ReadWritePaths=/srv/pillarbox/var", "KillSignal=SIGTERM",
                 "EnvironmentFile=/etc/pillarbox/environment", "WantedBy=multi-user.target"):
        assert line in text.splitlines(), line
    assert "\nProtectProc=" not in text
    assert "\nPrivatePIDs=" not in text


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_can_read_the_unit(path: Path, tmp_path: Path) -> None:
    """By its own word, with a program in place of the one that is not installed here."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd is not on this machine")
    unit = tmp_path / path.name
    unit.write_text(path.read_text("utf-8").replace("/opt/pillarbox/bin/pillarbox", sys.executable), "utf-8")
    done = subprocess.run([tool, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)
    said = [line for line in done.stderr.splitlines() if path.name in line]
    assert said == []


def test_the_worker_is_given_time_to_drain() -> None:
    """Longer than the longest unit: a batch that is killed in mid-act is in doubt."""
    from pillarbox.deliver.sendgrid.transport import SendgridTransport
    from pillarbox.model.sections import SendgridSettings

    text = (DEPLOY / "systemd" / "pillarbox-worker.service").read_text("utf-8")
    limit = int(re.search(r"TimeoutStopSec=(\d+)", text)[1])  # type: ignore[index]
    lease = SendgridTransport(SendgridSettings()).lease_seconds
    assert lease - 60 <= limit <= lease


def test_the_proxies_lead_to_serve_and_keep_no_keys() -> None:
    """The port is serve's own; no access log; /metrics is shut."""
    for name in ("Caddyfile", "nginx.conf"):
        text = (DEPLOY / name).read_text("utf-8")
        assert "127.0.0.1:8025" in text
        assert "/metrics" in text
        assert "letters.your-charity.org" in text
    assert (DEPLOY / "nginx.conf").read_text("utf-8").count("access_log off;") == 3
    assert not re.search(r"^\s*log\b", (DEPLOY / "Caddyfile").read_text("utf-8"), re.MULTILINE)


def test_the_environment_names_settings_that_there_are() -> None:
    """A slip there would do nothing, and nobody would know."""
    names = re.findall(r"^#? ?([A-Z_]+)=", (DEPLOY / "environment.example").read_text("utf-8"), re.MULTILINE)
    assert len(names) >= 5
    assert {name.removesuffix("_FILE") for name in names} <= set(config.ENVIRONMENT)


def test_the_container_gets_all_that_the_wheel_packs() -> None:
    """What the build reads is copied, and is not ignored; secrets and lists are."""
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = " ".join(line for line in text.splitlines() if line.startswith("COPY"))
    for name in (*packed["packages"], *packed["force-include"], "pyproject.toml", "README.md", "LICENSE"):
        assert name in copied, name
    for source in re.findall(r"COPY (?!--from)(.+) \S+", text):
        for name in source.split():
            assert (ROOT / name).exists(), name
    ignored = (ROOT / ".containerignore").read_text("utf-8").splitlines()
    assert {"pillarbox.key", "var", "lists/*", ".git"} <= set(ignored)
    assert (ROOT / ".dockerignore").read_text("utf-8").splitlines() == ignored
    assert "USER pillarbox" in text


def test_the_wrapper_is_plain_shell() -> None:
    """It parses, and hands on what it was given, word by word."""
    shell = shutil.which("sh")
    assert shell is not None
    subprocess.run([shell, "-n", str(DEPLOY / "appeals")], check=True)
    assert '"$@"' in (DEPLOY / "appeals").read_text("utf-8")


def test_the_guide_names_commands_that_there_are() -> None:
    """The wrapper for staff hands on what it is given: `appeals …` too begins with a command of the program."""
    text = re.sub(r"\s+", " ", (ROOT / "docs" / "box.md").read_text("utf-8"))
    found = re.findall(r"`appeals ([a-z]+)", text)
    assert len(found) >= 5
    assert set(found) <= set(COMMANDS)


def test_every_event_in_the_guide_is_one_that_is_written() -> None:
    """And every one that is written at info or above stands in the guide."""
    guide = set(re.findall(r"`([a-z]+\.[a-z-]+)`", (ROOT / "docs" / "logs.md").read_text("utf-8")))
    written = set()
    for path in (ROOT / "pillarbox").rglob("*.py"):
        written |= set(re.findall(r'\blog\.(?:info|warning|error|fault)\(\s*"([a-z.-]+)"', path.read_text("utf-8")))
    written |= {"batch.settled", "library.said", "process.broke", "thread.broke"}
    assert written - guide - {"serve.began", "serve.ended", "metrics.no-ledger", "notices.broke",
                              "unsubscribe.not-shown"} == set()
    assert guide - written == set()
