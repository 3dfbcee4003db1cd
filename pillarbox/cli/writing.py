"""new: the folder of a letter, ready to be written."""

from __future__ import annotations

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened

_KINDS = ("appeal", "newsletter", "message")  # content.starters.KINDS, which --help need not load
_SAYS = {"appeal.toml": "title, subject and what an inbox shows", "letter.md": "the letter, with hints in {# … #}",
         "letter.html": "the letter", "letter.txt": "its plain-text part", "words.txt": "words spelt in our own way"}


@click.command()
@click.argument("slug")
@click.option("--kind", type=click.Choice(_KINDS), help="What it is; an appeal when not said.")
@click.option("--from", "source", metavar="SLUG", help="Take over the words and images of another appeal.")
@click.option("--reminder-of", metavar="MAILING", help="A reminder for those whom a mailing reached and who have not "
              "given.")
@click.pass_context
def new(ctx: click.Context, slug: str, kind: str | None, source: str | None, reminder_of: str | None) -> None:
    """Begin a letter: a folder that already reads like one.

    Words in [[double brackets]] wait for yours; `check` lists those that are left.
    """
    from pillarbox.mailings import writing

    with opened(ctx) as project:
        begun = writing.begin(project, slug, kind=kind or "", source=source or "", reminder_of=reminder_of or "")
    printing.say(f"[bold]appeals/{escape(begun.slug)}/[/] is ready to be written:")
    width = max(map(len, begun.files))
    printing.items([f"{name:{width}}  {_SAYS.get(name, '')}".rstrip() for name in begun.files], style="dim")
    if begun.todo:
        printing.say("\nTo change or decide:")
        printing.items(begun.todo)
    if begun.segment:
        printing.say("\nWho has given since is left out by a saved rule; add it to lists/segments.toml:")
        for line in begun.segment.split("\n"):
            printing.to_copy(line)
    printing.say("\nNext:")
    printing.to_copy(f"pillarbox preview {begun.slug}")
    printing.to_copy(f"pillarbox check {begun.slug}")
    if begun.plan:
        printing.to_copy(begun.plan)
