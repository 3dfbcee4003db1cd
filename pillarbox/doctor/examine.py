"""The whole examination: everything that can be looked at, in the order of what depends on what."""

from __future__ import annotations

from pathlib import Path

from pillarbox.doctor import configuration, database, provider, work
from pillarbox.doctor.finding import Finding, Report, well, wrong
from pillarbox.ground.errors import PillarboxError
from pillarbox.model.config import Settings
from pillarbox.store.project import open_project


def examine(folder: Path, *, thorough: bool = False) -> Report:
    """Look at a project from outside in; what cannot be looked at for want of something else is left out.

    Changes nothing beyond what opening a project does (tables are made or brought up to date).

    Args:
        folder: the project's.
        thorough: read the whole database, however large.
    """
    settings, found = configuration.read(folder)
    if settings is None:
        return Report.of(found, practice=False)
    found += configuration.examine(settings)
    if any(finding.code == "zone" for finding in found):
        return Report.of(found, practice=settings.practice)  # times cannot be told, and no project can be opened
    # Without the database nothing works at all: what is wrong with it is said first.
    found = _inside(folder, settings, thorough=thorough) + found
    return Report.of(found, practice=settings.practice)


def _inside(folder: Path, settings: Settings, *, thorough: bool) -> list[Finding]:
    try:
        project = open_project(folder)
    except PillarboxError as fault:
        return [wrong("database", fault.sentence())]
    found: list[Finding] = []
    if project.store.closed is not None:
        found.append(wrong("database", project.store.closed.what, project.store.closed.todo))
    try:
        found += database.examine(project, thorough=thorough)
        found += provider.examine(project)
        found += work.examine(project, thorough=thorough)
    except PillarboxError as fault:
        found.append(wrong("database", fault.what, fault.todo))
    finally:
        project.close()
    if not any(finding.code.startswith("clock") for finding in found):
        found.append(well("clock", f"The clock agrees with what was written before; times are told in "
                                   f"{settings.project.zone}."))
    return found
