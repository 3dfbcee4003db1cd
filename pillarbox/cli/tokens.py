"""tokens: who may read the API."""

from __future__ import annotations

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened
from pillarbox.model.states import TokenScope
from pillarbox.store.tokens import Token


@click.group()
def tokens() -> None:
    """Which programs and web sites may read the API."""


@tokens.command()
@click.argument("name")
@click.option("--letters-only", is_flag=True,
              help="Published letters alone: for a token that a web site's pages show to everybody.")
@printing.json_option
@click.pass_context
def add(ctx: click.Context, name: str, letters_only: bool, as_json: bool) -> None:
    """Make a token. NAME says what will use it. The token is shown now, and never again."""
    from pillarbox.staff import tokens as staff

    scope = TokenScope.LETTERS if letters_only else TokenScope.ALL
    with opened(ctx) as project:
        made = staff.add(project.store, project.settings, name=name, scope=scope)
    if as_json:
        printing.as_json({**_json(made.token), "token": made.secret})
        return
    printing.say(f"A token for {escape(made.token.name)}. Copy it now: it is shown this once.")
    printing.to_copy(made.secret)


@tokens.command("list")
@printing.json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """The tokens that can be used, and when each last was."""
    from pillarbox.staff import tokens as staff

    with opened(ctx) as project:
        found = staff.everyone(project.store)
    if as_json:
        printing.as_json({"tokens": [_json(token) for token in found]})
        return
    if not found:
        printing.say("There is no token: nobody can read the API. The first:")
        printing.to_copy("pillarbox tokens add website --letters-only")
        return
    grid = printing.table("name", "may read", "made", "last used")
    for token in found:
        grid.add_row(escape(token.name), "everything" if token.scope is TokenScope.ALL else "published letters",
                     f"{token.created_at:%d %b %Y}", f"{token.used_at:%d %b %Y}" if token.used_at else "never")
    printing.console.print(grid)


@tokens.command()
@click.argument("name")
@printing.json_option
@click.pass_context
def revoke(ctx: click.Context, name: str, as_json: bool) -> None:
    """Make a token worthless, from this moment."""
    from pillarbox.staff import tokens as staff

    with opened(ctx) as project:
        gone = staff.revoke(project.store, name)
    if as_json:
        printing.as_json(_json(gone))
    else:
        printing.say(f"{escape(gone.name)} can read nothing any more.")


def _json(token: Token) -> dict[str, object]:
    return {"name": token.name, "scope": token.scope.value, "created_at": token.created_at.isoformat(),
            "used_at": token.used_at.isoformat() if token.used_at else None}
