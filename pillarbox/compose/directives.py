"""The directives that a writer may use between ``:::`` lines, and the component that each becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Body(StrEnum):
    """What stands between a directive's two ``:::`` lines."""

    BLOCKS = "blocks"
    """Paragraphs, lists, other directives."""
    LABEL = "label"
    """One line of words, for a button or a link."""
    LINES = "lines"
    """Lines that stay lines: an address, a signature."""
    NOTHING = "nothing"
    STORY = "story"
    """A picture, if there is one; a heading, words, and perhaps a link alone that leads on (see ``stories``)."""
    DATES = "dates"
    """Perhaps a heading, and a list whose items begin with a bold date."""
    CONTENTS = "contents"
    """One line of words; the headings of the letter's stories are listed below it."""
    PICTURE = "picture"
    """An image alone in its paragraph, then perhaps paragraphs: its caption."""
    HALVES = "halves"
    """Blocks, a line of dashes, blocks."""
    RUNGS = "rungs"
    """Lines or list items, each an amount and what it does: ``£10: buys …``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Directive:
    """One directive."""

    body: Body
    component: str
    """Name of the macro in components.html and components.txt."""
    arguments: str = ""
    """Jinja expressions that the component is called with."""
    takes_link: bool = False
    """Whether a link follows the name: ``::: button https://example.org/``."""
    takes_language: bool = False
    """Whether a language follows the name: ``::: lang ug``."""
    in_panel: bool = False
    """LABEL: whether more blocks may come before the label; they and the button then stand in a panel."""
    needs: str = ""
    """Name of the link without which it is no use (see content.bundle.LINKS)."""
    measure: int = 0
    """Pixels that an image in its body may fill; 0: as many as around it."""
    indent: int = 0
    """Columns by which its body is set in, in plain text."""
    classes: tuple[str, ...] = ()
    """LINES: the class of each line in HTML, the last line last."""
    beside: bool = False
    """STORY: whether the picture stands beside the words rather than above them."""


DIRECTIVES: Mapping[str, Directive] = {
    "pull-quote": Directive(body=Body.BLOCKS, component="pull_quote", measure=490, indent=4),
    "quote": Directive(body=Body.BLOCKS, component="quote", measure=490, indent=4),
    "panel": Directive(body=Body.BLOCKS, component="panel", measure=456),
    "milestones": Directive(body=Body.BLOCKS, component="milestones"),
    "ps": Directive(body=Body.BLOCKS, component="ps"),
    "donate": Directive(body=Body.LABEL, component="button", arguments="links.donate", needs="donate"),
    "donate-monthly": Directive(body=Body.LABEL, component="quiet_button", arguments="links.donate_monthly",
                                needs="donate_monthly"),
    "sign-up": Directive(body=Body.LABEL, component="button", arguments="appeal.links.sign_up", needs="sign_up",
                         in_panel=True),
    "button": Directive(body=Body.LABEL, component="button", takes_link=True),
    "share": Directive(body=Body.LABEL, component="share", needs="share"),
    "address": Directive(body=Body.LINES, component="address", indent=4, classes=("line",)),
    "signature": Directive(body=Body.LINES, component="signature", classes=("signed", "signatory", "role")),
    "divider": Directive(body=Body.NOTHING, component="divider"),
    "story": Directive(body=Body.STORY, component="story"),
    "brief": Directive(body=Body.STORY, component="brief", beside=True),
    "dates": Directive(body=Body.DATES, component="dates"),
    "contents": Directive(body=Body.CONTENTS, component="contents"),
    "figure": Directive(body=Body.PICTURE, component="figure"),
    "columns": Directive(body=Body.HALVES, component="columns", measure=246),
    "ask-ladder": Directive(body=Body.RUNGS, component="ladder", needs="donate"),
    "ask-ladder-monthly": Directive(body=Body.RUNGS, component="ladder", arguments="true", needs="donate_monthly"),
    "lang": Directive(body=Body.BLOCKS, component="lang", takes_language=True),
}
COLUMN = Directive(body=Body.BLOCKS, component="half")
"""Each half of ``columns``; called with whether it is the last."""
RUNG = Directive(body=Body.LABEL, component="rung")
"""Each amount of an ask ladder; called with the amount for the link, and whether it is monthly."""
RUNG_ALONE = Directive(body=Body.LABEL, component="rung_alone")
"""The same of a line that says no more: another amount."""
RUNG_WORDS = Directive(body=Body.LABEL, component="rung_words")
"""What that amount does; right behind its rung."""
NOTES = Directive(body=Body.BLOCKS, component="notes")
"""The footnotes, at the end of the letter."""
