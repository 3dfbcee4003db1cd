"""The page is whole, honest, and names nobody."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from pillarbox.model.states import EventKind, MessageState, Outcome
from pillarbox.reports import ink, page, plots, words
from pillarbox.reports.bars import Bar, funnel_bars
from pillarbox.reports.report import Report, gather
from pillarbox.store.connect import Store
from tests.reports.builders import HOUR, Builder
from tests.reports.samples import sample_mailing


class Reader(HTMLParser):
    """The words that a reader sees, and every address that the page would fetch."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self._silent = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._silent += tag == "style"
        self.fetched += [value for name, value in attrs if name in ("src", "href", "data", "action") and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)

    @property
    def text(self) -> str:
        """All of it, with single spaces."""
        return re.sub(r"\s+", " ", " ".join(self.said))


def report_of(store: Store, count: int = 300, **more: object) -> Report:
    """A report of a sample mailing."""
    with store.writing() as connection:
        return gather(connection, sample_mailing(connection, count, **more))  # type: ignore[arg-type]


def test_the_page_stands_alone(store: Store) -> None:
    """Nothing is fetched and no script is needed."""
    source = page.html(report_of(store))
    reader = Reader(source)
    assert reader.fetched == []
    assert "script" not in reader.tags
    assert "url(" not in source
    assert "@import" not in source


def test_the_page_names_nobody(store: Store) -> None:
    """No supporter's address, name or code is on the page."""
    source = page.html(report_of(store))
    # CSS at-rules apart, nothing looks like an address.
    assert re.findall(r"[\w.-]+@[\w-]+\.\w+", source) == []
    assert "A. Supporter" not in source
    assert "ref=" not in source


def test_a_title_cannot_break_the_page(store: Store) -> None:
    """Markup in a title is text, in the page and in the plots."""
    with store.writing() as connection:
        mailing = sample_mailing(connection, 50, title='<script>alert("x")</script> & more')
        source = page.html(gather(connection, mailing))
    assert "<script" not in source
    assert '<script>alert("x")</script> & more' in Reader(source).text


def test_practice_looks_like_practice(store: Store) -> None:
    """A practice mailing says so at the very top; a real one does not."""
    assert words.PRACTICE in Reader(page.html(report_of(store, practice=True))).text[:120]
    assert words.PRACTICE not in page.html(report_of(store, name="real-20261123"))


def test_money_comes_first(store: Store) -> None:
    """What was raised stands before any rate."""
    report = report_of(store)
    text = Reader(page.html(report)).text
    raised = words.pounds(report.figures.donations.amount_pence)
    assert 0 < text.index(raised) < text.index("Opened by people")


def test_open_rates_say_who_agreed(store: Store) -> None:
    """The denominator of the open rate is in the page, in words."""
    report = report_of(store)
    opened = report.figures.rates["opened"]
    assert opened is not None
    assert f"{opened.part:,} of {opened.of:,} who agreed" in Reader(page.html(report)).text
    assert opened.of < report.figures.delivered


def test_nothing_heard_is_unknown_not_zero(store: Store) -> None:
    """Before any event the page does not say that nothing was delivered."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(outcome=Outcome.NONE)
        report = gather(connection, built.mailing_id)
    assert page.cards(report)[0].value == "–"
    assert any("No event has been heard" in item.what for item in page.attention(report))
    assert "0%" not in Reader(page.html(report)).text.split("From sent to gave")[0]
    assert {card.of for card in page.cards(report)} == {"unknown: no events heard yet"}
    assert [bar.label for bar in funnel_bars(report)] == ["Handed to SendGrid"]


def test_a_mailing_without_messages_has_a_page(store: Store) -> None:
    """The emptiest mailing still gives a page."""
    with store.writing() as connection:
        report = gather(connection, Builder(connection).mailing_id)
    assert "Nothing to draw yet" in Reader(page.html(report)).text


def test_doubt_and_refusals_say_what_to_do(store: Store) -> None:
    """Letters that may not have gone, or did not, come with the next step."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(state=MessageState.IN_DOUBT, outcome=Outcome.NONE)
        built.message(state=MessageState.FAILED, outcome=Outcome.NONE, detail="The address has no domain")
        built.opened(built.message(tracked=False))
        text = Reader(page.html(gather(connection, built.mailing_id))).text
    assert "1 letter: not sure it went." in text
    assert "pillarbox reconcile uyghur-freedom-20261123" in text
    assert "The address has no domain (1)" in text
    assert "1 letter without tracking consent was tracked." in text


def test_the_words_are_defined(store: Store) -> None:
    """Every key figure on the page has a definition on the page."""
    text = Reader(page.html(report_of(store, 50))).text
    for term, meaning in words.DEFINITIONS:
        assert term in text
        assert meaning in text


def test_plots_have_their_numbers_as_tables(store: Store) -> None:
    """Someone who does not see the plots gets a sentence and the numbers."""
    report = report_of(store)
    source = page.html(report)
    assert source.count("The numbers as a table") == 3
    assert source.count('role="img"') == 6
    assert f'aria-label="By the hour, each with a scale of its own: delivered {report.figures.delivered:,}' in source


def test_plots_follow_the_page_in_dark_and_light(store: Store) -> None:
    """Colours are the page's variables and letters its font: no stand-in is left, no font named, every SVG is XML."""
    source = page.html(report_of(store))
    drawn = re.findall(r"<svg.*?</svg>", source, flags=re.DOTALL)
    assert len(drawn) == 6
    for svg in drawn:
        ElementTree.fromstring(svg)
        assert "font-family" not in svg
        assert re.findall(r'(?:fill|stroke)="(?!none|transparent|var)[^"]*"', svg) == []
    assert ink.ACCENT not in source


@pytest.mark.parametrize("pence", [1, 25_00, 1_234_567_89])
def test_a_single_gift_is_drawn(store: Store, pence: int) -> None:
    """One gift, however small or large, makes a page."""
    with store.writing() as connection:
        built = Builder(connection)
        built.event(built.message(), EventKind.DELIVERED, after=timedelta())
        built.gift(pence, after=20 * HOUR)
        text = Reader(page.html(gather(connection, built.mailing_id))).text
    assert words.pounds(pence) in text


def test_a_refund_does_not_break_the_plot(store: Store) -> None:
    """More given back than given is shown as it is."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message()
        built.gift(10_00)
        built.gift(-25_00, after=3 * HOUR)
        text = Reader(page.html(gather(connection, built.mailing_id))).text
    assert "−£15" in text


def test_only_foreign_money_makes_a_page(store: Store) -> None:
    """Gifts in euros alone are told, and not drawn as pounds."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message()
        built.gift(10_00, currency="EUR")
        text = Reader(page.html(gather(connection, built.mailing_id))).text
    assert "€10.00" in text


def test_drawing_is_loaded_only_when_drawn() -> None:
    """Importing the reports leaves the plotting libraries alone: a terminal report starts quickly."""
    code = ("import sys, pillarbox.reports.page, pillarbox.reports.terminal, pillarbox.reports.across; "
            "sys.exit(bool({'vl_convert', 'openpyxl', 'pandas'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_long_numbers_do_not_run_into_their_label() -> None:
    """On a phone a bar's numbers give way before they cover its name."""
    bar = Bar(label="Opened by people", says="446,669 of 619,837 who agreed · 72%", part=1, whole=2)
    assert bar.fitting(ink.WIDE) == bar.says
    assert bar.fitting(ink.NARROW) == "446,669 of 619,837 · 72%"


def test_gifts_of_one_moment_stay_in_their_picture(store: Store) -> None:
    """A file of gifts has days and no hours: however many came at one moment, what was raised is drawn to its scale."""
    with store.writing() as connection:
        built = Builder(connection)
        built.opened(built.message())
        for _ in range(12):
            built.gift(25_00)
        built.gift(25_00, after=3 * HOUR)
        drawn = plots.raised(gather(connection, built.mailing_id, "Europe/London")).wide
    _, _, _, height = map(float, ElementTree.fromstring(drawn).attrib["viewBox"].split())
    assert height < 400
