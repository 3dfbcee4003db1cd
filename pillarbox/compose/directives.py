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
    needs: str = ""
    """Name of the link without which it is no use (see content.bundle.LINKS)."""
    measure: int = 0
    """Pixels that an image in its body may fill; 0: as many as around it."""
    indent: int = 0
    """Columns by which its body is set in, in plain text."""
    classes: tuple[str, ...] = ()
    """LINES: the class of each line in HTML, the last line last."""


DIRECTIVES: Mapping[str, Directive] = {
    "pull-quote": Directive(body=Body.BLOCKS, component="pull_quote", measure=490, indent=4),
    "quote": Directive(body=Body.BLOCKS, component="quote", measure=490, indent=4),
    "panel": Directive(body=Body.BLOCKS, component="panel", measure=456),
    "milestones": Directive(body=Body.BLOCKS, component="milestones"),
    "ps": Directive(body=Body.BLOCKS, component="ps"),
    "donate": Directive(body=Body.LABEL, component="button", arguments="links.donate", needs="donate"),
    "donate-monthly": Directive(body=Body.LABEL, component="quiet_button", arguments="links.donate_monthly",
                                needs="donate_monthly"),
    "sign-up": Directive(body=Body.LABEL, component="button", arguments="appeal.links.sign_up", needs="sign_up"),
    "button": Directive(body=Body.LABEL, component="button", takes_link=True),
    "share": Directive(body=Body.LABEL, component="share", needs="share"),
    "address": Directive(body=Body.LINES, component="address", indent=4, classes=("line",)),
    "signature": Directive(body=Body.LINES, component="signature", classes=("signed", "signatory", "role")),
    "divider": Directive(body=Body.NOTHING, component="divider"),
}
