"""Links carry opaque keys and codes, and nothing else of anybody."""

from __future__ import annotations

import pytest

from pillarbox.compose.links import LinkMaker
from pillarbox.model.records import UNSUBSCRIBE_TAG


def maker(**values: str) -> LinkMaker:
    """A link maker of a charity with a server."""
    known = {"base_url": "https://letters.example.org", "donate": "https://give.example.org/now",
             "donate_monthly": "", "code_parameter": "ref", "source_code": "HARB26"}
    return LinkMaker(**{**known, **values})


def test_a_message_has_its_own_code_or_the_mailings() -> None:
    """Who agreed to tracking is known by the link; who did not is one of the mailing's many."""
    assert maker().links("k" * 26, "abc")["donate"] == "https://give.example.org/now?ref=abc"
    assert maker().links("k" * 26, None)["donate"] == "https://give.example.org/now?ref=HARB26"


@pytest.mark.parametrize(("url", "expected"), [
    ("https://give.example.org/", "https://give.example.org/?ref=abc"),
    ("https://give.example.org/?a=1&b=%26", "https://give.example.org/?a=1&b=%26&ref=abc"),
    ("https://give.example.org/#top", "https://give.example.org/?ref=abc#top"), ("", "")])
def test_the_code_joins_what_the_page_has_already(url: str, expected: str) -> None:
    """The donation page's own query and place stay."""
    assert maker(donate=url).links("k", "abc")["donate"] == expected
    assert maker(donate=url).links("k", "abc")["donate_monthly"] == expected


def test_without_a_server_sendgrid_answers_unsubscribe() -> None:
    """The Laptop home has no page of ours."""
    assert maker(base_url="").links("k", None)["unsubscribe"] == UNSUBSCRIBE_TAG


def test_preferences_are_offered_where_a_page_can_be_reached() -> None:
    """Beside the way out there is a way to ask for less; in the Laptop home nobody would answer it."""
    assert maker().links("k" * 30, None)["preferences"] == f"https://letters.example.org/p/{'k' * 30}"
    assert maker(base_url="").links("k", None)["preferences"] == ""
    assert maker(base_url="").inert()["preferences"] == ""


def test_looking_at_a_letter_counts_nothing() -> None:
    """A preview's links carry no code and open nobody's letter."""
    links = maker().inert()
    assert "ref=" not in links["donate"]
    assert links["unsubscribe"].endswith("/u/preview")


@pytest.mark.parametrize(("page", "parameter", "asks"), [
    ("https://give.example.org/now", "amount", "https://give.example.org/now?ref=abc&amount"),
    ("https://give.example.org/now", "", ""),
    ("https://give.example.org/now#form", "amount", ""),
    ("https://link.justgiving.com/v1/charity/donate/charityId/1", "",
     "https://link.justgiving.com/v1/charity/donate/charityId/1?reference=abc&currency=GBP&amount"),
    ("https://donate.stripe.com/x", "amount", ""), ("", "amount", "")])
def test_a_sum_is_asked_for_where_the_page_takes_one(page: str, parameter: str, asks: str) -> None:
    """What an ask ladder's links begin with, up to the sum; empty where nothing would fill it in."""
    made = maker(donate=page, amount_parameter=parameter, platforms=("auto", "auto"))  # type: ignore[arg-type]
    links = made.links("k", "abc")
    assert (links["donate_amount"], links["donate_monthly_amount"]) == (asks, asks)
    inert = made.inert()["donate_amount"]
    assert bool(inert) == bool(asks)
    assert "abc" not in inert


def test_our_own_door_takes_any_sum() -> None:
    """Which page is behind it may change later, so that the door decides."""
    made = maker(through_us=True)  # type: ignore[arg-type]
    assert made.links("k" * 26, "abc")["donate_amount"] == f"https://letters.example.org/d/{'k' * 26}?amount"
    assert made.links("k", "abc")["donate_monthly_amount"] == "https://letters.example.org/d/k/monthly?amount"
