"""What the command line says, and how it stands on a screen of eighty columns."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import click
import pytest
from rich.console import Console

from pillarbox.cli import printing
from pillarbox.cli.main import COMMANDS, main
from pillarbox.model.records import Finding, Level
from tests import projects

ROOT = projects.ROOT
LONG = "A sentence that is much longer than one line of a terminal, so that it has to wrap somewhere in its middle."


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of eighty columns, without colours."""
    shown = io.StringIO()
    for name in ("console", "_errors"):
        monkeypatch.setattr(printing, name, Console(
            file=shown, force_terminal=True, width=80, color_system=None, highlight=False))
    return shown


def test_what_wraps_lines_up(screen: io.StringIO) -> None:
    """A sentence with a mark wraps between words, and goes on below its own first word."""
    printing.items([LONG])
    first, second = screen.getvalue().splitlines()
    assert first.startswith("  • A sentence")
    assert second.startswith("    ")
    assert f"{first[4:].strip()} {second.strip()}" == LONG


def test_numbers_end_in_one_column(screen: io.StringIO) -> None:
    """Counts are right-aligned, whatever their length."""
    printing.counts((("rows read", 12_345), ("added", 7)))
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert lines == ["  rows read  12,345", "  added           7"]


def test_a_finding_and_a_refusal_break_between_words(screen: io.StringIO) -> None:
    """Neither is cut in the middle of a word at the edge of a terminal."""
    printing.findings([Finding(level=Level.ERROR, code="undefined", file="appeals/a/letter.md", line=3, message=LONG)])
    printing.refused(LONG)
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert set(re.findall(r"\w+", screen.getvalue())) >= set(re.findall(r"\w+", LONG))


def test_commands_and_paths_are_never_broken(screen: io.StringIO) -> None:
    """What is there to be copied stands on one line."""
    printing.to_copy(f"pillarbox send {'x' * 90}")
    assert screen.getvalue() == f"  pillarbox send {'x' * 90}\n"


def test_nothing_is_wrapped_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal is, a sentence is one line: scripts look for it."""
    printing.items([LONG])
    printing.say(LONG)
    assert capsys.readouterr().out.splitlines() == [f"  • {LONG}", LONG]


def _sentences() -> list[tuple[str, str]]:
    """Every text of the engine, and every document, with its place."""
    found = [(path.name, path.read_text("utf-8")) for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))]
    for path in (ROOT / "pillarbox").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((path.name, node.value))
    return found


def test_every_command_that_a_text_names_exists() -> None:
    """No sentence on screen and no document sends staff to a command that is not there."""
    context = click.Context(main)
    for place, text in _sentences():
        for name, sub in re.findall(r"(?:`|^|^  )pillarbox ([a-z]+)\b(?!:)(?: ([a-z]+))?", text, re.MULTILINE):
            assert name in COMMANDS, f"{place}: pillarbox {name}"
            command = main.get_command(context, name)
            if isinstance(command, click.Group):
                assert sub in command.commands, f"{place}: pillarbox {name} {sub}"


def test_shapes_are_not_a_word_for_staff(tmp_path: Path) -> None:
    """A plan speaks of versions of the letter."""
    project = projects.make(tmp_path / "project")
    listed = projects.write_list(tmp_path / "list.csv", projects.crowd(3))
    project.run("lists", "import", str(listed), "--list", "all", "--basis", "consent", "--source", "test")
    shown = project.run("plan", "harbour", "--list", "all").stdout
    assert "shape" not in shown
    assert re.search(r"messages composed +3\n", shown)
