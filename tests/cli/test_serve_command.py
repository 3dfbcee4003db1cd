"""`pillarbox serve`: the project's own pages, over a real connection."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

import httpx
import pytest

from pillarbox.ground.resources import shipped
from tests import projects


def page_of(project: projects.TestProject) -> tuple[str, str]:
    """What the server answers under an unknown key, and what it printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = project.start("serve", "--port", str(port))
    try:
        for _ in range(200):
            try:
                found = httpx.get(f"http://127.0.0.1:{port}/u/nobody").text
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        else:
            pytest.fail("the server never answered")
    finally:
        server.terminate()
        printed = "".join(server.communicate(timeout=30))
    assert server.returncode == 0
    return found, printed


def test_the_pages_wear_the_projects_theme(tmp_path: Path) -> None:
    """Who leaves sees the charity whose letter they had; a faulty theme does not keep them from leaving."""
    project = projects.make(tmp_path / "project", light=False)
    theme = project.folder / "templates" / "theme.toml"
    theme.parent.mkdir()
    shutil.copyfile(shipped("templates") / "theme.toml", theme)
    theme.write_text(theme.read_text("utf-8").replace('accent = "#0f5c7a"', 'accent = "#abcdef"'), "utf-8")
    found, _ = page_of(project)
    assert "#abcdef" in found
    assert "The Harbour Trust" in found
    theme.write_text('[charity]\nname = "x"\n', "utf-8")
    found, printed = page_of(project)
    assert "We cannot find this page" in found
    assert "The theme has faults" in printed


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """One sentence and exit 1, and no word of listening."""
    project = projects.make(tmp_path / "project", light=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = project.run("serve", "--port", str(other.getsockname()[1]), expect=1)
    assert "Nobody can listen on 127.0.0.1" in done.stderr
    assert "Listening" not in done.stdout
    project.run("serve", "--port", "99999", expect=2)
