"""serve: the pages behind the letters, and SendGrid's events."""

from __future__ import annotations

import click

from pillarbox.cli import printing
from pillarbox.cli.opening import opened


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; put a proxy before it.")
@click.option("--port", default=8025, show_default=True, type=int)
@click.pass_context
def serve(ctx: click.Context, host: str, port: int) -> None:
    """Answer supporters and SendGrid: unsubscribe, letters, events."""
    from pillarbox.web import serve as serving

    with opened(ctx) as project:
        printing.say(f"Listening on http://{host}:{port}; Ctrl-C ends it.")
        serving.serve(project.store, project.settings, project.id, host=host, port=port)
