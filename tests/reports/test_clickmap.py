"""Clicks over the letter: a badge beside each link, and nothing of a supporter, nothing that acts."""

from __future__ import annotations

from sqlalchemy import insert, update

from pillarbox.model.records import Place, Shape, Token
from pillarbox.reports import clickmap
from pillarbox.reports.details import Link, donation_pages, links
from pillarbox.store import letters
from pillarbox.store.connect import Store
from pillarbox.store.schema import message_values, shapes
from tests.reports.builders import Builder

HTML = ('<!DOCTYPE html><html><body><p>x7f00000x</p><a href="x7f00001x">Give <b>now</b></a> '
        '<a href="https://charity.example.org/share?m=1"><img alt="Share it" src="s.png"></a> '
        '<a href="x7f00001x">again</a> <a href="mailto:us@example.org">write</a>'
        '<a href="https://letters.example.org/u/x7f00002x">leave</a></body></html>')
TOKENS = (Token(mark="x7f00000x", value=0, place=Place.TEXT), Token(mark="x7f00001x", value=1, place=Place.URL_START),
          Token(mark="x7f00002x", value=2, place=Place.URL))
VALUES = ("Dear Alice Bold", "https://donate.example.org/give?ref=alicecode&who=alice@example.org", "k" * 30)


def lay(store: Store, html: str = HTML, **shape: object) -> Builder:
    """A mailing whose letter has these links, to two supporters."""
    with store.writing() as connection:
        built = Builder(connection)
        for _ in range(2):
            message = built.message()
            connection.execute(insert(message_values).values(
                message_id=message, values=letters.pack_values(VALUES)))
        built.clicked(message, VALUES[1])
        connection.execute(update(shapes).values({"html": html, "tokens": letters.pack_tokens(TOKENS), **shape}))
    return built


def test_the_letter_holds_nobodys_words(store: Store) -> None:
    """Neither a name, nor a code, nor a key, nor an address."""
    built = lay(store)
    with store.reading() as connection:
        found = clickmap.nameless(connection, built.mailing_id)
    assert found is not None
    for own in ("Alice", "alicecode", "k" * 30, "alice@example.org"):
        assert own not in found.html
    assert "…" in found.html


def test_each_link_has_its_people_beside_it(store: Store) -> None:
    """Clicks are laid over the link that they were made on, once for each place; links lead nowhere."""
    built = lay(store)
    with store.reading() as connection:
        found = clickmap.nameless(connection, built.mailing_id)
        followed = links(connection, built.mailing_id)
        clicked = clickmap.followers(connection, built.mailing_id)
    assert found is not None
    drawn = clickmap.draw(found.html, followed, clicked)
    give, share, leave = drawn.spots
    assert (give.label, give.link.link, give.link.human, give.places, give.share) == (
        "Give now", "donate.example.org/give", 1, 2, 1.0)
    assert (share.label, share.number, share.link.human) == ("Share it", 2, 0)
    assert leave.link.link == "The unsubscribe page"
    assert drawn.html.count("1 · 100%") == 2
    assert "href" not in drawn.html


def test_a_link_that_does_not_stand_in_this_form_is_listed_all_the_same() -> None:
    """Another form of the letter may have it."""
    drawn = clickmap.draw(HTML, [Link(link="elsewhere.example.org", human=3, scanner=1)], 3)
    assert (drawn.spots[0].number, drawn.spots[0].places, drawn.spots[0].link.human) == (0, 0, 3)


def test_a_form_that_one_supporter_alone_has_is_never_shown(store: Store) -> None:
    """It may hold their words."""
    built = lay(store, private=True)
    with store.reading() as connection:
        assert clickmap.nameless(connection, built.mailing_id) is None


def test_nothing_in_a_letter_acts() -> None:
    """Scripts, forms, frames, refreshes and handlers are gone from what staff look at."""
    hostile = ('<html><head><meta http-equiv="refresh" content="0;url=https://evil.example"><base '
               'href="//evil.example"></head><body onload="x()"><script>x()</script>'
               '<form action="/staff/logout"><input></form>'
               '<iframe src="//evil.example"></iframe><a href="javascript:x()" onclick="x()">a</a>'
               '<a href="https://e.example/<script>x()</script>">b</a><svg onload="x()"></svg></body></html>')
    for html in (clickmap.inert(hostile), clickmap.draw(hostile, (), 0).html):
        for act in ("<script", "refresh", "<base", "onload", "onclick", "<form", "<iframe", "javascript:", "href"):
            assert act not in html


def test_an_empty_letter_has_no_links() -> None:
    """A shape that was blanked is no fault."""
    assert clickmap.draw("", (), 0).spots == ()
    assert clickmap.blanked(Shape(id="a", subject="", html="", text="", tokens=()), ()) == ""


def test_the_donate_button_has_its_people(store: Store) -> None:
    """Who followed our own donate link is noted under the page that it led to, and shown at the button; also when the
    page was another one for some of them, and in a form of the letter that carries the mailing's code."""
    with store.writing() as connection:
        built = Builder(connection)
        for page in (*["https://give.example.org/winter"] * 2, "https://give.example.org/new"):
            message = built.message()
            built.clicked(message, page + "?code=abc", provider="pillarbox")
    with store.reading() as connection:
        followed, pages = links(connection, built.mailing_id), donation_pages(connection, built.mailing_id)
        clicked = clickmap.followers(connection, built.mailing_id)
    for key in ("a" * 30, "4YAXVFNZ"):
        html = (f'<a href="https://letters.example.org/d/{key}">Give now</a> '
                '<a href="https://example.org/share">Share</a>')
        give, share = clickmap.draw(html, followed, clicked, pages).spots
        assert (give.label, give.number, give.link.link, give.link.human, give.share) == (
            "Give now", 1, "The donation page", 3, 1.0)
        assert (share.label, share.link.human) == ("Share", 0)
