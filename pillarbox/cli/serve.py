"""serve: the pages behind the letters, and SendGrid's events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pillarbox.cli import printing
from pillarbox.cli.opening import logging_from, opened

if TYPE_CHECKING:
    from pillarbox.store.project import Project
    from pillarbox.web.theme import Theme


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; put a proxy before it.")
@click.option("--port", default=8025, show_default=True, type=click.IntRange(0, 65_535),
              help="Port to listen on; 0 takes a free one.")
@click.pass_context
def serve(ctx: click.Context, host: str, port: int) -> None:
    """Answer supporters and SendGrid: unsubscribe, letters, events."""
    from pillarbox.web import serve as serving

    with opened(ctx) as project:
        if project.store.closed is not None:  # nobody's unsubscribing may be lost in a copy
            raise project.store.closed
        logging_from(project.settings)
        serving.serve(
            project.store, project.settings, project.id, host=host, port=port, theme=theme_of(project),
            ready=lambda taken: printing.say(f"Listening on http://{host}:{taken}; Ctrl-C ends it."))


def theme_of(project: Project) -> Theme | None:
    """The project's own theme for the pages; None, with a word on the screen, when it has none or one with faults.

    A slip in a colour must not keep anybody from unsubscribing.
    """
    from pillarbox.content import theme as content
    from pillarbox.web.theme import Theme

    if not (project.folder / "templates" / content.FILE).exists():
        return None
    found, faults = content.read(project.folder)
    if found is None:
        printing.say("[yellow]note[/] The theme has faults, so the pages look plain:")
        printing.findings(faults)
        return None
    sender, website = project.settings.sender, project.settings.links.website
    return Theme.from_toml(found.constants(), name=sender.name, website=website,
                           contact=sender.unsubscribe_mailto or sender.reply_to or sender.email)
