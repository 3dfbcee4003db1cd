"""``pillarbox tokens``: shown once, listed without the secret, revoked by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pillarbox.cli.main import main
from pillarbox.model.states import TokenScope
from pillarbox.staff import tokens
from pillarbox.store.project import open_project
from tests import projects


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project."""
    return projects.make(tmp_path / "project").folder


def run(folder: Path, *arguments: str) -> Result:
    """A command in the project."""
    return CliRunner().invoke(main, ["-C", str(folder), "tokens", *arguments])


def test_a_token_is_shown_once_and_serves_until_it_is_revoked(folder: Path) -> None:
    """The list never shows it again; a revoked one is nobody's, and its name is free."""
    made = json.loads(run(folder, "add", "web site", "--letters-only", "--json").output)
    assert (made["name"], made["scope"]) == ("web site", "letters")
    listed = run(folder, "list")
    assert "web site" in listed.output
    assert made["token"] not in listed.output
    project = open_project(folder)
    found = tokens.holder(project.store, project.settings, made["token"])
    assert found is not None
    assert found.scope is TokenScope.LETTERS
    assert run(folder, "revoke", "web site").exit_code == 0
    assert tokens.holder(project.store, project.settings, made["token"]) is None
    assert run(folder, "add", "web site").exit_code == 0
    project.close()


@pytest.mark.parametrize("name", ["", "x" * 61, "<b>", "a\nb\x00", "-rf", "naughty/../name"])
def test_an_impossible_name_is_refused(folder: Path, name: str) -> None:
    """And nothing is made."""
    assert run(folder, "add", "--", name).exit_code == 1
    assert "There is no token" in run(folder, "list").output


def test_a_name_that_is_taken_or_unknown_is_refused(folder: Path) -> None:
    """With what to do instead."""
    assert run(folder, "add", "sheet").exit_code == 0
    assert "already" in run(folder, "add", "sheet").output
    assert "tokens list" in run(folder, "revoke", "nobody").output
