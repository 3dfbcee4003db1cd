"""What the tests of the checking room share: the smallest whole page, and the findings of one check on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pillarbox.checking.page import Page
from pillarbox.model.records import Finding

WHOLE = ('<!DOCTYPE html><html lang="en" dir="ltr"><head><title>Hi</title>'
         '<meta name="viewport" content="width=device-width"></head><body style="">{}</body></html>')


def page(body: str, *, marks: tuple[str, ...] = ("x7f00001x",), whole: str = WHOLE, tracking: str = "ref") -> Page:
    """A page of these words; ``x7f00001x`` stands for a supporter's own."""
    return Page(html=whole.replace("{}", body), marks=marks, tracking=tracking)


def codes(check: Callable[[Page], Iterator[Finding]], body: str, *, whole: str = WHOLE) -> list[str]:
    """The codes of what a check finds in a page of these words."""
    return [finding.code for finding in check(page(body, whole=whole))]
