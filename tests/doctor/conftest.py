"""A project to be examined, and a look at what was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pillarbox.doctor.examine import examine
from pillarbox.doctor.finding import Level, Report
from tests import projects

Look = Callable[..., Report]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound practice project: mail goes to files."""
    made = projects.make(tmp_path / "project", light=False).folder
    (made / "pillarbox.key").chmod(0o600)
    return made


def level_of(report: Report, code: str) -> Level | None:
    """How bad the first finding of this name is; None when there is none."""
    return next((finding.level for finding in report.findings if finding.code == code), None)


def set_to(folder: Path, text: str) -> None:
    """Write the settings anew."""
    (folder / "pillarbox.toml").write_text(text, "utf-8")


@pytest.fixture
def look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Examine the project, with settings of the environment."""
    def examined(**environment: str) -> Report:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return examine(folder)

    return examined
