"""Layouts and components by name: the project's own first, then the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pillarbox.content.appeal import Source
from pillarbox.content.source import Desk, printable
from pillarbox.content.words import FILE as WORDS
from pillarbox.ground.resources import shipped
from pillarbox.model.records import Finding

KINDS = (".html", ".txt", ".css")


def read(project: Path) -> tuple[Mapping[str, Source], tuple[Finding, ...]]:
    """Every template that a letter may use.

    Returns:
        Name from the templates folder (``layouts/letter.html``) → source; and everything found.
    """
    desk = Desk(project=project)
    found: dict[str, Source] = {}
    for root in dict.fromkeys((shipped("templates").resolve(), (project / "templates").resolve())):
        for path in sorted(root.rglob("*")) if root.is_dir() else ():
            name = path.relative_to(root).as_posix()
            if name == WORDS or any(part.startswith(".") for part in Path(name).parts):
                continue
            if path.suffix in KINDS and name != printable(name):
                desk.fault("template-name", path, "The name of this file has characters that no letter can write: "
                                                  "rename it, to letters, digits and hyphens.")
            elif path.suffix in KINDS and path.is_file():
                content = desk.text(path, root)
                if content is not None:
                    found[name] = Source(file=f"templates/{name}", content=content)
    return found, tuple(desk.findings)
