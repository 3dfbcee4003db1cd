"""approve: who stands for a mailing, and what has changed since somebody did."""

from __future__ import annotations

import sys

import click
from rich.markup import escape

from pillarbox.cli import changes, printing
from pillarbox.cli.mailings import mailing_argument
from pillarbox.cli.opening import opened
from pillarbox.ground.errors import Refused
from pillarbox.mailings import approval, control, drift, summary
from pillarbox.mailings.approval import Comparison, Standing
from pillarbox.store import approvals, mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project


@click.command()
@mailing_argument
@click.option("--by", metavar="NAME", help="Who approves, or takes that back.")
@click.option("--show", is_flag=True, help="Only show what would be approved, and what has changed; approve nothing.")
@click.option("--withdraw", is_flag=True, help="Take back the approval that NAME gave; unapproved it does not go.")
@click.option("--reason", default="", metavar="TEXT", help="With --withdraw: why, for those who look later.")
@printing.json_option
@click.pass_context
def approve(ctx: click.Context, name: str, by: str | None, show: bool, withdraw: bool, reason: str,
            as_json: bool) -> None:
    """Stand for a planned mailing, by name. A live mailing cannot be sent without.

    It shows first what has changed since somebody approved this appeal. What is approved is the letter as it was
    planned, its layout, images and settings, and whom it is for; after any change of these it is asked for again, and
    when the audience has grown by more than 5%. See [approval] in pillarbox.toml, and docs/approving.md.

    Who has thought better of it takes the approval back with --withdraw: then it does not go, also at a time that was
    set for it. What is leaving already is held back by `pause`.

    A service letter (confirm, welcome …) is approved once, as it is now: after any change of its words again.
    """
    from pillarbox.mailings import service

    if by is None and not show:
        raise click.UsageError("Say who approves with --by NAME (or look at it only, with --show).")
    if show and withdraw:
        raise click.UsageError("--show changes nothing, and --withdraw does: leave one of them out.")
    if reason and not withdraw:
        raise click.UsageError("--reason goes with --withdraw.")
    with opened(ctx) as project:
        if service.is_meant(project, name):
            if show:
                raise Refused("A service letter is looked at with `pillarbox preview`.")
            if withdraw:
                raise Refused(f"The approval of the service letter {name} cannot be taken back.",
                              todo=f"Change its words in templates/service/{name}: then nobody stands for it, and it "
                                   "waits until somebody does.")
            letter = service.approve(project, name, by=by or "")
            if as_json:
                printing.as_json({"service": name, "content_hash": letter.content_hash,
                                  "approved_by": (by or "").strip()})
            else:
                printing.say(f"The service letter {escape(name)} is approved by {escape((by or '').strip())}, as it is "
                             "now.")
            return
        mailing, before = _look(project, name)
        if withdraw:
            mailing = control.withdraw(project, mailing.name, by=by or "", reason=reason)
            if as_json:
                printing.as_json(_data(project, mailing, _standing(project, mailing), before))
            else:
                printing.say(f"{escape((by or '').strip())} no longer stands for {escape(mailing.name)}.")
                _conclude(mailing, _standing(project, mailing))
            return
        if not as_json:
            _show(project, mailing, before)
        if not show:
            if sys.stdin.isatty() and not as_json:
                click.confirm(f"\nDo you, {by}, stand for it as it is?", default=False, abort=True, err=True)
            mailing = control.approve(project, mailing.name, by=by or "")
        found = _standing(project, mailing)
        if as_json:
            printing.as_json(_data(project, mailing, found, before))
        else:
            _conclude(mailing, found)


def _look(project: Project, name: str) -> tuple[Mailing, Comparison | None]:
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
        return mailing, approval.compared(connection, project.settings, mailing)


def _standing(project: Project, mailing: Mailing) -> Standing:
    with project.store.reading() as connection:
        return approval.standing(connection, project.settings, mailing)


def _show(project: Project, mailing: Mailing, before: Comparison | None) -> None:
    if mailing.practice:
        printing.practice_banner()
    told = summary.summary(project, mailing)
    printing.say(f"[bold]{escape(mailing.title)}[/]")
    printing.say(f"[dim]{escape(mailing.name)}[/]")
    printing.facts((("Subject", " / ".join(told.subjects) or "none"), ("From", told.sender),
                    *((("Replies to", told.reply_to),) if told.reply_to not in told.sender else ()),
                    ("To", f"{told.audience or 'chosen supporters'}: {mailing.planned:,} messages"),
                    ("Through", told.account), ("Dated", f"{mailing.for_date.day} {mailing.for_date:%B %Y}")))
    printing.say()
    if before is None:
        printing.say("Nobody has approved this appeal before, so there is nothing to compare it with. Read it whole:")
        printing.to_copy(f"pillarbox preview {mailing.appeal}")
    else:
        show_since(before)
    if drifted := drift.of(project, mailing):
        printing.say("\n[yellow]What this was planned from has changed since.[/] You approve what was planned; this "
                     "is not in it:")
        if drifted.changes:
            changes.show(drifted.changes)
        else:
            printing.below("(the folder, or segments.toml, has faults now)")


def show_since(before: Comparison) -> None:
    """What has changed since somebody stood for it."""
    if not before.changes:
        printing.say(f"Nothing has changed since {escape(before.since)} ({escape(before.mailing)}).")
        return
    printing.say(f"What has changed since {escape(before.since)} ({escape(before.mailing)}):")
    changes.show(before.changes)
    if before.grown:
        printing.say("[yellow]The audience has grown by more than was approved.[/]")


def _conclude(mailing: Mailing, found: Standing) -> None:
    printing.say()
    if found.complete:
        printing.say(f"{escape(mailing.name)} is approved by {escape(found.by)}.")
        return
    if approval.is_asked(mailing):
        printing.say(f"{escape(mailing.name)} may not go yet: {escape(found.why_not)}.")
    else:
        printing.say(f"{escape(mailing.name)}: {escape(found.why_not)}. In practice it may go all the same.")
    printing.say(escape(found.whose_turn(mailing.name)))


def to_approve(name: str) -> None:
    """The command that approves, to copy."""
    printing.to_copy(f'pillarbox approve {name} --by "Your Name"')


def _data(project: Project, mailing: Mailing, found: Standing, before: Comparison | None) -> dict[str, object]:
    with project.store.reading() as connection:
        rows = approvals.of_mailing(connection, mailing.id)
    return {"mailing": mailing.name, "approved_by": mailing.approved_by, "approved": found.complete,
            "needed": found.needed, "why_not": found.why_not,
            "approvals": [{"by": row.approved_by, "at": row.approved_at.isoformat(), "via": row.via,
                           "kept": row.kept_from_id is not None} for row in rows if row.withdrawn_at is None],
            "withdrawn": [{"by": row.approved_by, "at": row.withdrawn_at.isoformat()}
                          for row in rows if row.withdrawn_at],
            "compared_with": before.mailing if before else None,
            "changes": [change.to_json() for change in before.changes] if before else []}
