"""doctor: what is wrong with this project, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from pillarbox.cli import printing

if TYPE_CHECKING:
    from pillarbox.doctor.finding import Finding, Report


@click.command()
@click.option("--thorough", is_flag=True, help="Read the whole database and the newest backup, however large they are.")
@printing.json_option
@click.pass_context
def doctor(ctx: click.Context, thorough: bool, as_json: bool) -> None:
    """Say what is wrong with this project, in plain words.

    What is wrong comes first, with what to do; then what to look at; then what is well. Exit 1 when something is wrong.
    """
    from pillarbox.doctor.examine import examine

    report = examine(ctx.obj, thorough=thorough)
    if as_json:
        printing.as_json(report.to_json())
    else:
        _show(report)
    if not report.ok:
        ctx.exit(1)


def _show(report: Report) -> None:
    from pillarbox.doctor.finding import Level

    if report.practice:
        printing.practice_banner()
    wrong, look, fine = (report.at(level) for level in Level)
    _part("Wrong", wrong, style="bold red", mark="✗")
    _part("Before it can be live, or to look at" if report.practice else "To look at", look, style="yellow", mark="!")
    _part("Well", fine, style="green", mark="✓")
    if not wrong and not look:
        printing.say("\nAll is well.")
    elif not wrong:
        printing.say("\nNothing is wrong.")


def _part(title: str, findings: Sequence[Finding], *, style: str, mark: str) -> None:
    if findings:
        printing.say(f"[{style}]{escape(title)}[/]")
        printing.items((finding.sentence for finding in findings), mark=mark, style=style)
