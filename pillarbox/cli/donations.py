"""donations: imported from a platform's export, added by hand, listed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.lists import parse_map
from pillarbox.cli.opening import opened
from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.money import Money, parse_money
from pillarbox.model.states import Attribution

if TYPE_CHECKING:
    from pillarbox.giving.record import Recorded

_REJECTED_SHOWN = 20
METHODS = ("cheque", "caf-voucher", "cash", "bank-transfer", "standing-order", "card", "other")
_KNOWN_BY = {
    Attribution.LINK_CODE: "by the supporter's own link",
    Attribution.SOURCE_CODE: "by the mailing's code",
    Attribution.ADDRESS: "by the address, soon after a letter",
    Attribution.NONE: "of no mailing",
}


class MoneyType(click.ParamType[Money]):
    """An amount such as 25, £25.00 or "EUR 10"."""

    name = "amount"

    def convert(self, value: str | Money, param: click.Parameter | None, ctx: click.Context | None) -> Money:
        """Read the amount."""
        if isinstance(value, Money):
            return value
        try:
            return parse_money(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


def _as_json(done: Recorded) -> dict[str, object]:
    return {"added": done.added, "repeated": done.repeated, "differing": done.differing,
            "attributed": {kind.value: count for kind, count in done.attributed.items()}}


@click.group()
def donations() -> None:
    """Import and add donations; see what raised them."""


@donations.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--map", "mapping", multiple=True, metavar="COL=FIELD", help="Say what a column holds.")
@printing.json_option
@click.pass_context
def import_(ctx: click.Context, file: Path, mapping: tuple[str, ...], as_json: bool) -> None:
    """Read donations from a platform's CSV or Excel export; doing it twice counts once."""
    from pillarbox.giving.record import record
    from pillarbox.money import csv_file

    with opened(ctx) as project:
        gifts, rejected = csv_file.read(file, mapping=parse_map(mapping), zone=project.settings.project.zone)
        done = record(project.store, gifts, secret=project.secret, actor="staff",
                      window_days=project.settings.attribution.window_days)
    if as_json:
        printing.as_json({"rows": len(gifts) + len(rejected), **_as_json(done),
                          "rejected": [{"line": row.line, "reason": row.reason} for row in rejected]})
        return
    printing.counts([
        ("donations added", done.added),
        *((f"  {_KNOWN_BY[kind]}", count) for kind, count in done.attributed.items() if count),
        ("known already", done.repeated), ("rejected", len(rejected))])
    if rejected:
        printing.say("\nRejected:")
        printing.items(f"line {row.line}: {row.reason}" for row in rejected[:_REJECTED_SHOWN])
    if len(rejected) > _REJECTED_SHOWN:
        printing.say(f"  … and {len(rejected) - _REJECTED_SHOWN:,} more; --json lists them all.")
    if done.differing:
        printing.say("\nNote:")
        printing.items([f"{done.differing:,} have the id of a known donation but another amount, and were not added: a "
                        "part may have been given back since. If two platforms use the same ids instead, import this "
                        "file with its id column mapped to note: --map \"COLUMN=note\"."])


@donations.command()
@click.option("--amount", type=MoneyType(), required=True, metavar="AMOUNT", help="25, £25.00 or \"EUR 10\".")
@click.option("--method", type=click.Choice(METHODS), default="cheque", show_default=True)
@click.option("--email", default="", metavar="EMAIL", help="The giver's address, when known.")
@click.option("--name", default="", metavar="NAME", help="The giver's name.")
@click.option("--received", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day it came, or today.")
@click.option("--mailing", default="", metavar="MAILING", help="The mailing that brought it, or its source code.")
@click.option("--gift-aid", is_flag=True, help="The giver has made a Gift Aid declaration.")
@click.option("--reference", default="", metavar="TEXT", help="The cheque's number: the same one counts once.")
@click.option("--note", default="", metavar="TEXT", help="A remark.")
@printing.json_option
@click.pass_context
def add(ctx: click.Context, amount: Money, method: str, email: str, name: str, received: datetime | None, mailing: str,
        gift_aid: bool, reference: str, note: str, as_json: bool) -> None:
    """Add a cheque or voucher by hand."""
    from pillarbox.giving import offline

    with opened(ctx) as project:
        zone = ZoneInfo(project.settings.project.zone)
        if received and received.date() > clock.today(project.settings.project.zone):
            raise Refused(f"{received:%d %B %Y} is still to come.", where="--received",
                          todo="Give the day on which the donation came, as year-month-day.")
        done = offline.add(project.store, secret=project.secret, amount=amount, method=method, email=email, name=name,
                           received=received.replace(tzinfo=zone) if received else clock.now(), mailing=mailing,
                           gift_aid=gift_aid, reference=reference, note=note, actor="staff",
                           window_days=project.settings.attribution.window_days)
    if as_json:
        printing.as_json(_as_json(done))
    else:
        printing.say(f"{amount} added." if done.added else
                     f"A {method.replace('-', ' ')} with the reference {escape(reference)} is known already; nothing "
                     "was added. If this is another one, give it another reference.")


@donations.command("list")
@click.option("--unmatched", is_flag=True, help="Only those that no mailing is known to have raised.")
@printing.json_option
@click.pass_context
def list_(ctx: click.Context, unmatched: bool, as_json: bool) -> None:
    """Donations, newest first, with the mailing that raised each and how that is known."""
    from pillarbox.store import donations as store_donations

    with opened(ctx) as project, project.store.reading() as connection:
        rows = store_donations.listed(connection, unmatched=unmatched)
    if as_json:
        printing.as_json([row.to_json() for row in rows])
        return
    if not rows:
        printing.say("No donation is without a mailing." if unmatched else "There are no donations yet.")
        return
    back = any(row.refunded_minor for row in rows)
    table = printing.table("Received", "Amount>", *(["Given back>"] if back else []), "Method", "Mailing", "Known by")
    for row in rows:
        amount = Money(minor=row.amount_minor, currency=row.currency)
        returned = Money(minor=row.refunded_minor, currency=row.currency)
        table.add_row(f"{row.received_at.day} {row.received_at:%b %Y}", str(amount),
                      *([str(returned) if row.refunded_minor else ""] if back else []), row.method.replace("-", " "),
                      row.mailing or "–", row.attribution.replace("-", " ") if row.mailing else "")
    printing.console.print(table)


@donations.command("pledges")
@printing.json_option
@click.pass_context
def pledges_(ctx: click.Context, as_json: bool) -> None:
    """Regular gifts that Stripe and GoCardless tell of, newest first."""
    from pillarbox.store import pledges as store_pledges

    with opened(ctx) as project, project.store.reading() as connection:
        rows = store_pledges.listed(connection)
    if as_json:
        printing.as_json([row.to_json() for row in rows])
        return
    if not rows:
        printing.say("No regular gift has been told of yet. docs/donations-live.md says how to connect Stripe and "
                     "GoCardless.")
        return
    table = printing.table("Since", "Amount>", "Every", "In a year>", "State", "Mailing", "Payment failed")
    for row in rows:
        every = row.unit if row.every == 1 else f"{row.every} {row.unit}s"
        table.add_row(f"{row.started_at.day} {row.started_at:%b %Y}",
                      str(Money(minor=row.amount_minor, currency=row.currency)), every,
                      str(Money(minor=row.yearly_minor, currency=row.currency)), row.state, row.mailing or "–",
                      f"{row.failed_at.day} {row.failed_at:%b %Y}" if row.failed_at else "")
    printing.console.print(table)
