"""Opening the project that a command speaks of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click
from pydantic import SecretStr

from pillarbox.ground import logs
from pillarbox.model.config import Settings
from pillarbox.rehearsal.scratch import sweep
from pillarbox.store.project import Project, open_project

LEVEL = "PILLARBOX_LOG_LEVEL"
"""Set, every command writes its log to stderr; otherwise those that run for long do (`serve`, `worker`)."""


def logging_from(settings: Settings) -> None:
    """Write the log from now on, as [logs] says; the project's secrets never stand in it."""
    for section in (settings.project, settings.sendgrid, settings.smtp, settings.backup, settings.metrics):
        logs.conceal(*(value.get_secret_value() for _, value in section if isinstance(value, SecretStr)))
    if url := settings.project.database:
        logs.conceal(urlsplit(url).password or "")
    logs.start(settings.logs.level, settings.logs.form)


@contextmanager
def opened(ctx: click.Context) -> Iterator[Project]:
    """The project in the folder that ``-C`` names, closed afterwards."""
    sweep()
    project = open_project(ctx.obj)
    if os.environ.get(LEVEL):
        logging_from(project.settings)
    if project.store.closed is not None:
        click.echo(f"READ ONLY: {project.store.closed.sentence()}", err=True)
    try:
        yield project
    finally:
        project.close()
