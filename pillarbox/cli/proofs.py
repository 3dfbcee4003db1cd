"""proof: a letter in staff's own inboxes, before it is planned."""

from __future__ import annotations

from datetime import datetime

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.audience import date_option
from pillarbox.cli.opening import opened

_TAKERS = {"files": "written to var/mail", "smtp": "handed to the mail server", "sendgrid": "handed to SendGrid"}


@click.command()
@click.argument("slug")
@click.option("--to", multiple=True, required=True, metavar="ADDRESS",
              help="Who gets the proof (again for more; two show how SendGrid fills in copies).")
@click.option("--as", "email", metavar="EMAIL", help="Filled in as for this supporter; a made-up one when not said.")
@date_option
@click.option("--variant", default="", metavar="LABEL",
              help="Which variant of the letter: b; the letter itself when not said.")
@click.argument("more", nargs=-1, metavar="[ADDRESS]...")
@printing.json_option
@click.pass_context
def proof(ctx: click.Context, slug: str, to: tuple[str, ...], email: str | None, for_date: datetime | None,
          variant: str, more: tuple[str, ...], as_json: bool) -> None:
    """Send real proofs of a letter to addresses that you name.

    A proof takes the very road that the mailing will take: the same transport, the same request, filled in on the way
    in the same manner. Its subject begins with [Proof]. It counts for nothing, its links change nothing, it needs no
    approval, and nobody else gets it. It is of one variant: send one for each.
    """
    from pillarbox.mailings.proof import Wish
    from pillarbox.runner.proofing import prove

    wish = Wish(appeal=slug, to=(*to, *more), email=email, for_date=for_date.date() if for_date else None,
                variant=variant)
    with opened(ctx) as project:
        done = prove(project, wish)
    if as_json:
        printing.as_json(done.to_json())
        return
    found, planned = done.status, done.planned
    if found.mailing.practice:
        printing.practice_banner()
    printing.say(f"[bold]{escape(planned.subject)}[/]")
    printing.say(f"[dim]{escape(found.mailing.name)}, read as {escape(planned.read_as)}[/]")
    many = f"{found.accepted} proofs were" if found.accepted > 1 else "1 proof was"
    printing.say(f"{many} {_TAKERS[found.mailing.transport]}.")
    rest = {"refused": found.failed, "not sure it went": found.in_doubt, "not sent": found.cancelled}
    for words, count in rest.items():
        if count:
            printing.say(f"[bold red]{count} {words}:[/] {escape('; '.join(found.details))}")
    if planned.others:
        printing.below(f"This was variant {planned.variant}. People will get {' and '.join(planned.others)} too: "
                       f"see it with --variant {planned.others[0]}.", indent=0)
    if done.alone:
        printing.below("With a second --to, SendGrid fills in two copies in one request, as it will for the mailing.",
                       indent=0)
    if levels := planned.levels():
        told = ", ".join(f"{count} {level}{'s' if count > 1 and level != 'advice' else ''}"
                         for level, count in levels.items())
        printing.say(f"\n`pillarbox check {escape(slug)}` has {told} for it.")
    if found.mailing.practice and planned.warnings:
        printing.say("\nBefore it can be live:")
        printing.items(planned.warnings)
