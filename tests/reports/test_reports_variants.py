"""Variants beside each other: every letter counts for the one that was drawn, and chance is never called a winner."""

from __future__ import annotations

from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook
from rich.console import Console

from pillarbox.model.states import Attribution, MessageState, Outcome
from pillarbox.reports import page, terminal, workbook
from pillarbox.reports.rates import difference, pounds_each, proportion
from pillarbox.reports.report import Report, gather
from pillarbox.reports.variants import Gap, Variants, cells, shown, verdict
from pillarbox.store import tallies
from pillarbox.store.connect import Store
from tests.reports.builders import Builder
from tests.reports.samples import sample_mailing

SAID = {"a": {"subject": "Freedom", "differs": [], "planned": 0},
        "b": {"subject": "Will you write?", "differs": ["subject"], "planned": 0}}


def told(built: Builder) -> Report:
    tallies.remake(built.connection, built.mailing_id)
    return gather(built.connection, built.mailing_id)


def compared(built: Builder) -> Variants:
    found = told(built).variants
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ counting


def test_a_mailing_without_variants_tells_of_none(store: Store) -> None:
    """The report is what it was: no section, no keys more."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message()
        report = told(built)
    assert report.variants is None
    assert report.to_json() == report.figures.to_json()


def test_each_letter_counts_for_its_variant(store: Store) -> None:
    """Planned, delivered, opened and clicked of the variants add up to those of the mailing."""
    with store.writing() as connection:
        built = Builder(connection, variants=SAID)
        one, two = built.message(variant="a"), built.message(variant="b")
        built.message(variant="b", tracked=False)
        built.message(variant="b", state=MessageState.FAILED, outcome=Outcome.NONE)
        built.opened(one)
        built.opened(two)
        built.clicked(two)
        report = told(built)
    found = report.variants
    assert found is not None
    a, b = found.each
    assert (a.planned, a.delivered, a.opened_human, a.clicked_human) == (1, 1, 1, 0)
    assert (b.planned, b.accepted, b.delivered, b.tracked, b.opened_human, b.clicked_human) == (3, 2, 2, 1, 1, 1)
    assert b.rates["opened"] == proportion(1, 1)
    for name in ("planned", "accepted", "remaining", "delivered", "tracked", "opened_human", "opened_machine",
                 "clicked_human", "clicked_scanner", "unsubscribed", "complained", "gave"):
        assert getattr(a, name) + getattr(b, name) == getattr(report.figures, name), name


def test_a_gift_counts_for_the_letter_that_raised_it(store: Store) -> None:
    """By the code of a letter, else by who gave; and what nobody can tell stands apart and is said."""
    with store.writing() as connection:
        built = Builder(connection, variants=SAID)
        one = built.message(variant="a", address="alice@example.org")
        two = built.message(variant="b", address="bob@example.org")
        supporter = connection.exec_driver_sql(f"SELECT supporter_id FROM messages WHERE id = {two}").scalar_one()
        hashed = connection.exec_driver_sql(f"SELECT address_hash FROM messages WHERE id = {two}").scalar_one()
        built.gift(10_00, message_id=one)
        built.gift(20_00, supporter_id=supporter, attribution=Attribution.SOURCE_CODE)
        built.gift(30_00, address_hash=hashed, attribution=Attribution.ADDRESS)
        built.gift(40_00, attribution=Attribution.SOURCE_CODE)
        built.gift(50_00, message_id=one, supporter_id=supporter)  # a's link, passed on to whoever got b
        report = told(built)
    found = report.variants
    assert found is not None
    a, b = found.each
    assert (a.gifts, a.amount_pence, a.donors) == (2, 60_00, 2)
    assert (b.gifts, b.amount_pence, b.donors) == (2, 50_00, 1)
    assert (found.unknown_gifts, found.unknown_pence) == (1, 40_00)
    assert found.unknown.startswith("1 gift (£40) came with this mailing’s code alone")
    money = report.figures.donations
    assert (a.gifts + b.gifts + found.unknown_gifts, a.amount_pence + b.amount_pence + found.unknown_pence) == (
        money.count, money.amount_pence)


def test_the_json_has_three_keys_more(store: Store) -> None:
    """Beside the contract's keys: each variant, the differences, what is not known."""
    with store.writing() as connection:
        built = Builder(connection, variants=SAID)
        for label in "ab":
            built.message(variant=label)
        found = told(built).to_json()
    assert list(found)[-3:] == ["variants", "variant_differences", "variant_unknown"]
    assert found["variants"]["b"]["rates"]["gave"] == {"value": 0.0, "of": 1, "low": 0.0, "high": 0.793451}
    assert found["variant_unknown"] == {"count": 0, "amount_pence": 0}
    assert {gap["sure"] for gap in found["variant_differences"]} == {False}


# ------------------------------------------------------------------------------------------------ comparing


def test_the_difference_of_two_rates_has_a_range() -> None:
    """Newcombe's own example (1998, table II a): 56 of 70 against 48 of 80 is +0.20, from 0.0524 to 0.3339."""
    one, other = proportion(56, 70), proportion(48, 80)
    assert one is not None
    assert other is not None
    assert difference(one, other) == pytest.approx((0.0524, 0.3339), abs=0.00005)
    low, high = difference(other, one)
    assert (low, high) == pytest.approx((-0.3339, -0.0524), abs=0.00005)


def test_a_difference_of_pounds_has_one_too() -> None:
    """One large gift on one side proves nothing."""
    large = pounds_each(1_000_00, 500, squares=1_000_00**2, largest=1_000_00)
    small = pounds_each(200_00, 500, squares=10 * 20_00**2, largest=20_00)
    assert large is not None
    assert small is not None
    low, high = difference(large, small)
    assert low < 0 < high


@pytest.mark.parametrize(("gaps", "says"), [
    ([("b", "a", .031, .006, .056)], "Higher for b than for a by 3.1 points (0.6 to 5.6)."),
    ([("b", "a", -.031, -.056, -.006)], "Higher for a than for b by 3.1 points (0.6 to 5.6)."),
    ([("b", "a", .01, -.012, .041)],
     "Too close to tell: b may be anything from 1.2 points lower to 4.1 points higher than a."),
    ([("b", "a", .1, .05, .15), ("c", "a", .0, -.1, .1), ("c", "b", -.1, -.2, -.01)],
     "Higher for b than for a by 10.0 points (5.0 to 15.0). Higher for b than for c by 10.0 points (1.0 to 20.0). "
     "Too close to tell between a and c."),
    ([], "Nothing to compare yet."),
])
def test_the_verdict_never_goes_further_than_the_range(gaps: list[tuple[str, str, float, float, float]],
                                                       says: str) -> None:
    """A difference is told where its range leaves out nothing at all; else, how far either way it may be."""
    found = [Gap(measure="opened", one=one, other=other, value=value, low=low, high=high)
             for one, other, value, low, high in gaps]
    assert verdict("opened", found) == says


def test_pounds_are_told_in_pounds() -> None:
    """A letter's worth is not in points."""
    gap = Gap(measure="pounds_per_letter", one="b", other="a", value=.12, low=.02, high=.22)
    assert verdict("pounds_per_letter", [gap]) == "Higher for b than for a by £0.12 (£0.02 to £0.22)."


def test_more_variants_must_be_further_apart(store: Store) -> None:
    """What two variants show for sure, five do not: with ten pairs something looks like a difference by chance."""
    def sure(labels: str) -> bool:
        with store.writing() as connection:
            built = Builder(connection, name=f"mailing-{labels}", variants=dict.fromkeys(labels, SAID["a"]))
            for label in labels:
                for number in range(100):
                    message = built.message(variant=label)
                    if number < {"b": 38}.get(label, 25):
                        built.opened(message)
            return any(gap.sure for gap in compared(built).gaps if gap.measure == "opened")

    assert sure("ab")
    assert not sure("abcde")


def test_few_letters_are_warned_of(store: Store) -> None:
    """Of a handful nothing can be learnt, and the report says so; and that many rates invite chance."""
    with store.writing() as connection:
        built = Builder(connection, variants=SAID)
        built.message(variant="a")
        warnings = compared(built).warnings
    assert any(warning.startswith("Of a, b fewer than 30 letters") for warning in warnings)
    assert "decide before you send" in warnings[-1]


# ------------------------------------------------------------------------------------------------ showing


@pytest.fixture
def report(store: Store) -> Report:
    with store.writing() as connection:
        mailing = sample_mailing(connection, 1200, variants="ab")
        return gather(connection, mailing)


def test_the_terminal_shows_them_beside_each_other(report: Report) -> None:
    """A line each, what each says, and what may be said of them; within eighty columns."""
    target = StringIO()
    terminal.show(report, Console(file=target, width=80, highlight=False))
    told = target.getvalue()
    assert "Variants of the letter, given out by lot" in told
    assert "b: “…, will you write to Beijing?”, another letter" in told
    assert "Opened by people: Higher for b than for a by" in told
    assert max(map(len, told.splitlines())) <= 80


def test_the_page_shows_them_with_pictures(report: Report) -> None:
    """A table, and a picture for each rate, each with its verdict."""
    html = page.html(report)
    assert "Variants of the letter</h2>" in html
    assert html.count('class="plot') > 8
    assert "Too close to tell" in html


def test_the_workbook_has_a_sheet_of_them(store: Store) -> None:
    """Every figure of every variant; and each message says which it was."""
    with store.writing() as connection:
        mailing = sample_mailing(connection, 60, variants="ab")
        book = load_workbook(BytesIO(workbook.workbook(gather(connection, mailing), connection, mailing)))
    rows = list(book["Variants"].iter_rows(values_only=True))
    assert rows[2][:3] == ("a", "Letters", 30)
    assert [cell.value for cell in book["Messages"][1]][-1] == "Variant"
    assert {row[-1] for row in book["Messages"].iter_rows(min_row=2, values_only=True)} == {"a", "b"}


def test_measures_that_matter_are_shown_always(report: Report) -> None:
    """Opened, clicked, gave and pounds; others when they differ for sure."""
    assert report.variants is not None
    assert [measure.key for measure in shown(report.variants)][:2] == ["opened", "clicked"]
    assert cells(report.variants.each[0])[:2] == ("a", "600")
