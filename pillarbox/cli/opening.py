"""Opening the project that a command speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from pillarbox.store.project import Project, open_project


@contextmanager
def opened(ctx: click.Context) -> Iterator[Project]:
    """The project in the folder that ``-C`` names, closed afterwards."""
    project = open_project(ctx.obj)
    if project.store.closed is not None:
        click.echo(f"READ ONLY: {project.store.closed.sentence()}", err=True)
    try:
        yield project
    finally:
        project.close()
