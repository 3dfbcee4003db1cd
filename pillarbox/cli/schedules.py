"""schedule, calendar: what is mailed again and again, and what is due."""

from __future__ import annotations

from datetime import datetime

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.audience import audience_options
from pillarbox.cli.opening import opened
from pillarbox.mailings import agenda, moments, schedules
from pillarbox.mailings.rhythm import in_words
from pillarbox.people.audience import Rule
from pillarbox.store import schedules as table
from pillarbox.store.project import Project
from pillarbox.store.schedules import Schedule

_NEXT_SHOWN = 3
_LONGEST_NAME = 40


@click.group()
def schedule() -> None:
    """Mailings that come back: added, listed, removed."""


@schedule.command()
@click.argument("appeal")
@click.option("--rule", required=True, metavar="RRULE", help='When: "FREQ=MONTHLY;BYDAY=1TH", the first Thursday.')
@click.option("--at", required=True, metavar="HH:MM", help="At what time of day.")
@click.option("--zone", default="", metavar="ZONE", help="On whose clocks: Europe/London; the charity's when not said.")
@audience_options
@click.option("--late", type=float, default=schedules.LATE_HOURS, show_default=True, metavar="HOURS",
              help="Send at most so much later when no worker ran; then ask.")
@click.option("--starts", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="The day from which the rule counts; today when not said.")
@click.option("--own-zone", is_flag=True, help="Each supporter gets it at that time where they live.")
@printing.json_option
@click.pass_context
def add(ctx: click.Context, appeal: str, rule: str, at: str, zone: str, lists: tuple[str, ...],
        segments: tuple[str, ...], exclude: tuple[str, ...], late: float, starts: datetime | None, own_zone: bool,
        as_json: bool) -> None:
    """Mail a folder again and again.

    APPEAL names the folder of each time: newsletter-{yyyy}-{mm} is newsletter-2026-12 in December. It is planned two
    days ahead; somebody approves it; what is not approved, missing or the same as last time is not sent.
    """
    wanted = schedules.Wanted(
        appeal=appeal, rule=rule, at=at, zone=zone, audience=Rule(lists=lists, segments=segments, exclude=exclude),
        late_hours=late, starts_on=starts.date() if starts else None, own_zone=own_zone)
    with opened(ctx) as project:
        made = schedules.add(project, wanted)
    if as_json:
        printing.as_json(_json(made))
        return
    printing.say(f"Schedule {made.id}: {escape(made.appeal)}, {'in practice, ' if made.practice else ''}next on")
    printing.items(_next(made))
    printing.say("\nEach is planned 48 hours ahead by the worker, and sent when somebody has approved it.")


@schedule.command("list")
@printing.json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Show what is scheduled, and when it comes next."""
    with opened(ctx) as project, project.store.reading() as connection:
        standing = table.standing(connection)
    if as_json:
        printing.as_json({"schedules": [_json(each) for each in standing]})
        return
    if not standing:
        printing.say("Nothing is scheduled.")
    for each in standing:
        rule = Rule.from_json(each.audience)
        to = ", ".join((*rule.lists, *rule.segments)) + (f", without {', '.join(rule.exclude)}" if rule.exclude else "")
        printing.say(f"[bold]{each.id}  {escape(each.appeal)}[/]{'  PRACTICE' if each.practice else ''}")
        printing.below(f"{in_words(each.rule)} at {each.at} ({each.zone}), to {to}, "
                       f"at most {each.late_hours:g} hours late"
                       f"{', in each supporter’s own zone' if each.own_zone else ''}")
        printing.items(_next(each) or ["Its last time has passed."])


@schedule.command()
@click.argument("named", metavar="NUMBER")
@printing.json_option
@click.pass_context
def remove(ctx: click.Context, named: str, as_json: bool) -> None:
    """End a schedule, by its number or its folder's name.

    Nothing of it leaves by itself any more.
    """
    with opened(ctx) as project:
        gone, left = schedules.remove(project, named)
    if as_json:
        printing.as_json({"schedule": gone.id, "appeal": gone.appeal, "left": [mailing.name for mailing in left]})
        return
    printing.say(f"Schedule {gone.id} ({escape(gone.appeal)}) is removed.")
    if left:
        printing.say("\nThese are planned already, and now wait for you. `send` sends them, `cancel` ends them:")
        for mailing in left:
            printing.to_copy(mailing.name)


@click.command()
@click.option("--weeks", type=click.IntRange(1, 104), default=agenda.WEEKS, show_default=True, metavar="N",
              help="How far ahead.")
@click.option("--ics", is_flag=True, help="Print it as iCalendar, for a calendar program.")
@printing.json_option
@click.pass_context
def calendar(ctx: click.Context, weeks: int, ics: bool, as_json: bool) -> None:
    """What is due in the next weeks."""
    with opened(ctx) as project:
        found = agenda.agenda(project, weeks=weeks)
        if ics:
            click.echo(agenda.to_ics(found, project_id=project.id).encode(), nl=False)
        elif as_json:
            printing.as_json({"due": [entry.to_json() for entry in found]})
        else:
            _show(project, found, weeks)


def _show(project: Project, found: list[agenda.Entry], weeks: int) -> None:
    if not found:
        printing.say(f"Nothing is due in the next {weeks} weeks.")
        return
    grid = printing.table("when", "what", "how it stands")
    names = [entry.mailing or entry.appeal for entry in found]
    grid.columns[0].no_wrap = True
    grid.columns[1].no_wrap = max(map(len, names)) <= _LONGEST_NAME  # a name is there to be copied
    grid.columns[1].overflow = "fold"
    for name, entry in zip(names, found, strict=True):
        state = f"{'PRACTICE, ' if entry.practice else ''}{entry.state}" + (f": {entry.reason}" if entry.reason else "")
        grid.add_row(escape(_when(entry, project.settings.project.zone)), escape(name), escape(state))
    printing.console.print(grid)
    if len(found) == agenda.MOST:
        printing.say(f"Only the first {agenda.MOST} are shown; `--weeks` looks less far ahead.")


def _when(entry: agenda.Entry, zone: str) -> str:
    """Short, for a column: ``Thu 3 Dec 2026 08:00``; below it, on whose clocks when that is not the charity's."""
    shown = entry.at.astimezone(moments.zone_of(entry.zone))
    below = "where each lives" if entry.own_zone else "" if entry.zone == zone else entry.zone
    return f"{shown:%a} {shown.day} {shown:%b %Y %H:%M}" + (f"\n({below})" if below else "")


def _json(each: Schedule) -> dict[str, object]:
    return {"schedule": each.id, "appeal": each.appeal, "rule": each.rule, "at": each.at, "zone": each.zone,
            "starts": each.starts_on.isoformat(), **Rule.from_json(each.audience).to_json(),
            "late_hours": each.late_hours, "own_zone": each.own_zone, "practice": each.practice,
            "next": [occasion.due.isoformat() for occasion in schedules.upcoming(each, _NEXT_SHOWN)]}


def _next(each: Schedule) -> list[str]:
    return [f"{moments.in_words(occasion.due, each.zone)} ({each.zone})"
            for occasion in schedules.upcoming(each, _NEXT_SHOWN)]
