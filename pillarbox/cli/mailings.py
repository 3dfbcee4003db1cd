"""status, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from zoneinfo import ZoneInfo

import click
from rich.markup import escape

from pillarbox.cli import departures, printing
from pillarbox.cli.opening import opened
from pillarbox.content import variants
from pillarbox.mailings import control, holding, launch, outlook
from pillarbox.mailings import status as standing
from pillarbox.reports import words
from pillarbox.store.project import Project

mailing_argument = click.argument("name", metavar="MAILING")


@click.command()
@click.argument("name", metavar="[MAILING]", required=False)
@click.option("--watch", is_flag=True, help="Show it again and again until the mailing has ended.")
@printing.json_option
@click.pass_context
def status(ctx: click.Context, name: str | None, watch: bool, as_json: bool) -> None:
    """Where a mailing stands.

    The newest when none is named. The counts add up, or it says that they do not.
    """
    with opened(ctx) as project:
        def look() -> standing.Status:
            holding.release(project)
            return standing.status(project, name)

        if watch:
            name = look().mailing.name
            departures.watch(look, partial(show_status, project), as_json=as_json)
        elif as_json:
            printing.as_json(look().to_json())
        else:
            show_status(project, look())


def show_status(project: Project, found: standing.Status) -> None:
    mailing = found.mailing
    if mailing.practice:
        printing.practice_banner()
    printing.say(f"[bold]{escape(mailing.title)}[/]")
    printing.say(f"[dim]{escape(mailing.name)}, {departures.state_words(mailing)}[/]")
    if told := outlook.said(project, mailing):
        printing.say(escape(told))
    if found.unapproved and "unapproved it is not sent" not in told:
        printing.say(f"[yellow]{escape(found.unapproved)}[/]")
    handed = {"sendgrid": "handed to SendGrid", "smtp": "handed to the mail server", "files": "written to files"}
    counted = ((handed[mailing.transport], found.accepted), ("still to go", found.remaining),
               ("not sure it went", found.in_doubt), ("refused", found.failed),
               ("left out since planning", found.withdrawn), ("cancelled", found.cancelled))
    printing.counts([("planned", mailing.planned), *((f"  {what}", number) for what, number in counted if number)])
    if found.variants:
        said = {label: variants.words(label, kept) for label, kept in mailing.variants.items()}
        printing.variants((label, counts["planned"], f"{said[label]}: {_stand(counts, handed[mailing.transport])}")
                          for label, counts in found.variants.items())
    if found.left_out:
        printing.say("\nLeft out since planning:")
        printing.items(f"{number:,} × {words.left_out(reason)}" for reason, number in found.left_out.items())
    if waiting := launch.words(mailing, project.settings.project.zone):
        printing.say(f"\nWaiting: {escape(waiting)}.")
    if found.details:
        printing.say("\nWhy:")
        printing.items(f"{number:,} × {why}" for why, number in found.details.items())
    if found.notices:
        zone = ZoneInfo(project.settings.project.zone)
        printing.say("\nWhat happened by itself, newest first:")
        printing.items(f"{moment.astimezone(zone):%d %b %H:%M}: {told}" for moment, told in found.notices)
    if found.in_doubt:
        printing.say("\nWhat nobody is sure went is never sent again on a guess. Wait for events, or look into it:")
        printing.to_copy(f"pillarbox reconcile {mailing.name}")


def _stand(counts: Mapping[str, int], handed: str) -> str:
    """Where a variant's letters stand, in words."""
    named = (("accepted", handed), ("remaining", "still to go"), ("in_doubt", "not sure it went"),
             ("failed", "refused"), ("withdrawn", "left out since planning"), ("cancelled", "cancelled"))
    return ", ".join(f"{counts[key]:,} {words_}" for key, words_ in named if counts[key]) or "nobody drew it"


def _reins(name: str, help_text: str) -> click.Command:
    @click.command(name, help=help_text)
    @mailing_argument
    @click.option("--reason", default="", metavar="TEXT", help="Why, for those who look later.")
    @printing.json_option
    @click.pass_context
    def rein(ctx: click.Context, name: str, reason: str, as_json: bool) -> None:
        told = ""
        with opened(ctx) as project:
            match ctx.info_name:
                case "pause":
                    mailing = control.pause(project, name, reason=reason or "by staff")
                case "resume":
                    mailing = control.resume(project, name)
                    told = outlook.said(project, mailing)
                case _:
                    mailing = holding.cancel(project, name, reason=reason or "by staff")
        if as_json:
            printing.as_json({"mailing": mailing.name, "state": mailing.state.value})
        else:
            printing.say(f"{escape(mailing.name)} is now {departures.state_words(mailing)}.")
            if ctx.info_name == "resume" and told:
                printing.say(escape(told))

    return rein


pause = _reins("pause", "Hold a mailing back. What is in flight finishes.")
resume = _reins("resume", "Let a paused mailing go on. `send` then continues it.")
cancel = _reins("cancel", "End a mailing; what has left has left.")
