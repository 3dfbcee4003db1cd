"""What the tests of the checking room share: the smallest whole page, and the findings of one check on it."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from pillarbox.checking.matter import Matter
from pillarbox.checking.page import Page
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.letter import build
from pillarbox.compose.message import Composer
from pillarbox.content import templates as layouts
from pillarbox.content import theme as themes
from pillarbox.content.appeal import Appeal, Source
from pillarbox.content.bundle import freeze
from pillarbox.content.settings import AppealSettings
from pillarbox.model.config import Settings
from pillarbox.model.records import Composed, Finding, Shape

ROOT = Path(__file__).resolve().parents[2]
DAY = datetime.date(2026, 12, 10)
LINKS = ("donate", "donate_monthly", "unsubscribe", "preferences", "view")
WHOLE = ('<!DOCTYPE html><html lang="en" dir="ltr"><head><title>Hi</title>'
         '<meta name="viewport" content="width=device-width"></head><body style="">{}</body></html>')


def page(body: str, *, marks: tuple[str, ...] = ("x7f00001x",), whole: str = WHOLE, tracking: str = "ref") -> Page:
    """A page of these words; ``x7f00001x`` stands for a supporter's own."""
    return Page(html=whole.replace("{}", body), marks=marks, tracking=tracking)


def codes(check: Callable[[Page], Iterator[Finding]], body: str, *, whole: str = WHOLE) -> list[str]:
    """The codes of what a check finds in a page of these words."""
    return [finding.code for finding in check(page(body, whole=whole))]


def matter(*, letter: str = "Hello.\n", appeal: str = "", shapes: tuple[Shape, ...] | None = None,
           people: tuple[dict[str, str], ...] = ({},)) -> Matter:
    """A letter in Markdown with the shipped layouts, composed for these people."""
    theme, _ = themes.read(ROOT)
    templates, _ = layouts.read(ROOT)
    assert theme is not None
    settings = AppealSettings.model_validate({
        "title": "The harbour", "subject": "The harbour",
        "preheader": "Come and see what your help has made of the old sea wall.", **tomllib.loads(appeal)})
    read = Appeal(slug="harbour", title=settings.title, subject=settings.subject, subject_line=2,
                  preheader=settings.preheader, preheader_line=3, kind=settings.kind, layout=settings.layout,
                  language=settings.language, series="", date=None, topics=(), text=None, facts={},
                  links={name: link for name, link in settings.links.model_dump().items() if link},
                  ignored=settings.check.ignore, letter=Source(file="appeals/harbour/letter.md", content=letter))
    bundle = freeze(read, theme, templates, {}, {})
    built = build(bundle, date=DAY, mailing={"name": "check"})
    if shapes is None:
        composer = Composer(built, finisher(PremailerInliner()))
        links = {name: f"https://example.org/{name}/key" for name in LINKS}
        made = composer.compose([{"supporter": {"salutation": "Dear Supporter"} | says, "links": links}
                                 for says in people])
        shapes = tuple(each.shape for each in made if isinstance(each, Composed))
    return Matter(bundle=bundle, letter=built, day=DAY, settings=Settings(folder=ROOT), shapes=shapes)
