"""check on the command line: what staff read, and what scripts get."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from pillarbox.cli import printing
from pillarbox.model.records import Finding, Level
from tests import projects

FOUND = [Finding(level=Level.ERROR, code="bad-link", file="appeals/a/letter.md", line=12, message="Mend [this]: now."),
         Finding(level=Level.WARNING, code="http-link", file="appeals/a/letter.md", line=None, message="So: do it."),
         Finding(level=Level.ADVICE, code="no-preheader", file="appeals/a/appeal.toml", line=1, message="Or: not.")]


def test_scripts_get_what_is_promised(tmp_path: Path) -> None:
    """``--json`` has ok and findings with level, code, file, line and message; errors give exit code 1."""
    project = projects.make(tmp_path, letter="Hello, [you](ftp://harbour.example/).\n")
    told = json.loads(project.run("check", "harbour", "--json", expect=1).stdout)
    assert set(told) == {"ok", "findings", "silenced"}
    assert told["ok"] is False
    first = told["findings"][0]
    assert (first["level"], first["code"], first["file"], first["line"]) == (
        "error", "bad-link", "appeals/harbour/letter.md", 1)
    assert "https://" in first["message"]


def test_a_plan_of_a_faulty_letter_is_refused(tmp_path: Path) -> None:
    """``plan`` prints the finding on stderr with its place and exits with 1; nothing is planned."""
    project = projects.make(tmp_path, letter="Hello, [you](ftp://harbour.example/).\n")
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(3))
    project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    done = project.run("plan", "harbour", "--list", "all", expect=1)
    assert "nothing was planned" in done.stderr
    assert "appeals/harbour/letter.md:1" in done.stderr


def test_a_pipe_gets_a_line_for_each_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Level, place, words and code stand on one line each, for grep."""
    out = Console(width=40, record=True, file=io.StringIO(), highlight=False)
    monkeypatch.setattr(printing, "console", out)
    printing.findings(FOUND)
    assert out.export_text().splitlines() == [
        "error appeals/a/letter.md:12: Mend [this]: now. (bad-link)",
        "warning appeals/a/letter.md: So: do it. (http-link)",
        "advice appeals/a/appeal.toml:1: Or: not. (no-preheader)"]


def test_a_terminal_groups_them_by_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's findings stand below its name, with line and level in columns."""
    out = Console(width=60, record=True, force_terminal=True, file=io.StringIO())
    monkeypatch.setattr(printing, "console", out)
    printing.findings(FOUND)
    lines = [line.rstrip() for line in out.export_text().splitlines() if line.strip()]
    assert lines == ["appeals/a/letter.md", "  12  error    Mend [this]: now. bad-link",
                     "      warning  So: do it. http-link", "appeals/a/appeal.toml",
                     "   1  advice  Or: not. no-preheader"]


def test_they_are_counted() -> None:
    """How many of each, in words; nothing when there is nothing."""
    assert printing.tally(FOUND) == "1 error, 1 warning, 1 piece of advice."
    assert printing.tally([*FOUND, *FOUND[2:]], silenced=2).startswith("1 error, 1 warning, 2 pieces of advice, 2 not")
    assert printing.tally([]) == ""
