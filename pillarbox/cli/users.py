"""users: who may work in the dashboard."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Role
from pillarbox.store.staff import User

_ROLES = click.Choice([role.value for role in Role])
_file_option = click.option(
    "--password-file", "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Read the password from a file's first line (- for stdin) instead of asking for it.")


@click.group()
def users() -> None:
    """Who may log in to the dashboard, and what they may do there."""


@users.command()
@click.argument("name")
@click.option("--role", required=True, type=_ROLES,
              help="view: look; prepare: also hold mailings back and take out supporters' data; send: everything.")
@_file_option
@printing.json_option
@click.pass_context
def add(ctx: click.Context, name: str, role: str, file: Path | None, as_json: bool) -> None:
    """Let somebody log in. NAME is what the audit log will call them.

    Their password is asked for twice, or read from a pipe or a file; it is never an argument.
    """
    from pillarbox.staff import users as staff

    with opened(ctx) as project:
        made = staff.add(project.store, name=name, role=Role(role), password=_password(file))
        where = f"{project.settings.project.base_url}/staff/" if project.settings.project.base_url else "/staff/"
    _told(made, f"{escape(made.name)} may log in, with the role {made.role.value}.", as_json)
    if not as_json:
        printing.to_copy(where)


@users.command("list")
@printing.json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Everybody who may log in, or might."""
    from pillarbox.staff import users as staff

    with opened(ctx) as project:
        found = staff.everybody(project.store)
    if as_json:
        printing.as_json({"users": [_json(user) for user in found]})
        return
    if not found:
        printing.say("Nobody may log in yet. The first:")
        printing.to_copy('pillarbox users add "Ann Lee" --role send')
        return
    grid = printing.table("name", "role", "last logged in", "")
    for user in found:
        grid.add_row(escape(user.name), user.role.value,
                     f"{user.seen_at:%d %b %Y}" if user.seen_at else "never", "disabled" if user.disabled_at else "")
    printing.console.print(grid)


@users.command()
@click.argument("name")
@click.argument("role", type=_ROLES)
@printing.json_option
@click.pass_context
def role(ctx: click.Context, name: str, role: str, as_json: bool) -> None:
    """Give somebody another role. It holds from their next click."""
    from pillarbox.staff import users as staff

    with opened(ctx) as project:
        changed = staff.change_role(project.store, name, Role(role))
    _told(changed, f"{escape(changed.name)} now has the role {changed.role.value}.", as_json)


@users.command()
@click.argument("name")
@_file_option
@printing.json_option
@click.pass_context
def password(ctx: click.Context, name: str, file: Path | None, as_json: bool) -> None:
    """Give somebody another password. Wherever they are logged in, they are no more."""
    from pillarbox.staff import users as staff

    with opened(ctx) as project:
        with project.store.reading() as connection:
            staff.find(connection, name)
        changed = staff.set_password(project.store, name, _password(file))
    _told(changed, f"{escape(changed.name)} has another password.", as_json)


@users.command()
@click.argument("name")
@printing.json_option
@click.pass_context
def disable(ctx: click.Context, name: str, as_json: bool) -> None:
    """Let somebody in no more; whatever they have open ends now. What they did stays in the audit log."""
    from pillarbox.staff import users as staff

    with opened(ctx) as project:
        changed = staff.disable(project.store, name)
    _told(changed, f"{escape(changed.name)} can log in no more.", as_json)


@users.command()
@click.argument("name")
@printing.json_option
@click.pass_context
def enable(ctx: click.Context, name: str, as_json: bool) -> None:
    """Let somebody in again who was disabled, with the password that they had."""
    from pillarbox.staff import users as staff

    with opened(ctx) as project:
        changed = staff.enable(project.store, name)
    _told(changed, f"{escape(changed.name)} may log in again.", as_json)


def _password(file: Path | None) -> str:
    """The password: of a file's first line, of a pipe's, or typed twice."""
    if file is None and sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
        return typed
    text = sys.stdin.readline() if file is None or str(file) == "-" else _first_line(file)
    if not (found := text.rstrip("\r\n")):
        raise Refused("No password was given; nothing was changed.",
                      todo="Run it in a terminal, or name a file with --password-file.")
    return found


def _first_line(file: Path) -> str:
    try:
        return file.read_text("utf-8").partition("\n")[0]
    except UnicodeDecodeError:
        raise Refused(f"{file} holds no text in UTF-8; nothing was changed.") from None


def _told(user: User, words: str, as_json: bool) -> None:
    if as_json:
        printing.as_json(_json(user))
    else:
        printing.say(words)


def _json(user: User) -> dict[str, object]:
    return {"name": user.name, "role": user.role.value, "disabled": user.disabled_at is not None,
            "last_login": user.seen_at.isoformat() if user.seen_at else None}
