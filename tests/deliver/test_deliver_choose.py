"""The settings name the transport."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pillarbox.deliver.choose import transport
from pillarbox.model.config import Settings
from pillarbox.model.sections import ProjectSettings


@pytest.mark.parametrize(("name", "unit"), [("files", 100), ("smtp", 1), ("sendgrid", 1000)])
def test_each_name_has_its_transport(tmp_path: Path, name: str, unit: int) -> None:
    """files, smtp and sendgrid each give their own."""
    chosen = transport(Settings(project=ProjectSettings(transport=name), folder=tmp_path))
    assert (chosen.name, chosen.unit) == (name, unit)
    chosen.close()


def test_choosing_costs_nothing_until_it_is_done() -> None:
    """Importing the chooser brings none of the providers' libraries."""
    code = ("import sys, pillarbox.deliver.choose; "
            "print([m for m in ('sendgrid', 'urllib3', 'smtplib', 'cryptography') if m in sys.modules])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).resolve().parents[2]).stdout.strip() == "[]"
