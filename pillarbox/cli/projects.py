"""init: the project's folder."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.ground.errors import Refused
from pillarbox.ground.keys import new_secret
from pillarbox.ground.resources import shipped
from pillarbox.model import config

_IGNORED = """# Supporters, keys and letters to real people never enter git.
pillarbox.key
var/
preview/
lists/*
!lists/sample-supporters.csv
!lists/segments.toml
"""


def make(folder: Path, *, settings: str | None = None) -> None:
    """Make a project in ``folder``: settings, a secret key, two example appeals, a sample list, a theme to change.

    Files that are there already stay as they are.

    Raises:
        Refused: there is a project already.
    """
    if (folder / config.FILE).exists():
        raise Refused(f"There is a project in {folder} already.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(shipped("appeals"), folder / "appeals", dirs_exist_ok=True, copy_function=_copy_new)
    for name in ("sample-supporters.csv", "segments.toml"):
        (folder / "lists").mkdir(exist_ok=True)
        _copy_new(shipped("lists") / name, folder / "lists" / name)
    (folder / "templates").mkdir(exist_ok=True)
    for name in ("theme.toml", "words.txt"):
        _copy_new(shipped("templates") / name, folder / "templates" / name)
    _ignore(folder / ".gitignore")
    if not (folder / config.KEY_FILE).exists():
        _write_secret(folder / config.KEY_FILE)
    (folder / config.FILE).write_text(settings or config.template(), "utf-8")


def _copy_new(source: str | Path, target: str | Path) -> None:
    if not Path(target).exists():
        shutil.copyfile(source, target)


def _ignore(path: Path) -> None:
    """Our lines behind those of a folder that is under git already."""
    before = path.read_text("utf-8") if path.exists() else ""
    if _IGNORED not in before:
        path.write_text(f"{before.rstrip()}\n\n{_IGNORED}" if before.strip() else _IGNORED, "utf-8")


def _write_secret(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(new_secret() + "\n")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Make a project folder."""
    make(folder)
    printing.say(f"[bold]{escape(str(folder))}[/] is a Pillarbox project.")
    printing.items(("appeals/ holds the letters, two examples among them.",
                    "templates/theme.toml holds the charity's name, address, colours and type.",
                    f"{config.FILE} holds the settings.",
                    f"{config.KEY_FILE} holds the secret key. Keep a copy safe, apart from the database: without it, "
                    "nobody who left is recognised."), style="dim")
    printing.say("\nNext, to try it on made-up people:")
    printing.to_copy(f"cd {shlex.quote(str(folder))}")
    printing.to_copy("pillarbox lists import lists/sample-supporters.csv --list test --basis consent")


