"""Dead links, asked for at a website of our own: bounded, polite, and never inside the house."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pillarbox.checking.online import Answer, Fate, ask, is_public, look
from pillarbox.model.records import Level
from tests.checking.looking import matter
from tests.checking.outside import anywhere, website


@pytest.fixture
def site() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A website on this machine, and what it was asked."""
    with website() as found:
        yield found


@pytest.mark.parametrize(("path", "fate"), [
    ("/there", Fate.THERE), ("/gone", Fate.GONE), ("/head-is-refused", Fate.THERE), ("/broken", Fate.SILENT),
    ("/members", Fate.THERE), ("/old", Fate.MOVED), ("/lent", Fate.THERE), ("/round", Fate.SILENT),
    ("/slash", Fate.THERE)])
def test_what_a_website_says(path: str, fate: Fate, site: tuple[str, list[tuple[str, str]]]) -> None:
    """There, gone, moved for good, broken; what keeps robots out is there, and so is what only gained a slash."""
    url, _ = site
    assert ask((url + path,), allowed=anywhere)[url + path].fate is fate


def test_it_asks_with_head_first(site: tuple[str, list[tuple[str, str]]]) -> None:
    """A page is asked for without its words; GET comes only where HEAD is not answered."""
    url, asked = site
    ask((url + "/there", url + "/head-is-refused"), allowed=anywhere)
    assert sorted(asked) == [("GET", "/head-is-refused"), ("HEAD", "/head-is-refused"), ("HEAD", "/there")]


def test_the_house_is_never_asked(site: tuple[str, list[tuple[str, str]]]) -> None:
    """A link to this machine or the office's network is not followed, wherever its name leads."""
    url, asked = site
    assert ask((url + "/there",))[url + "/there"].fate is Fate.SILENT
    assert asked == []


@pytest.mark.parametrize(("number", "public"), [
    ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.1", False), ("169.254.169.254", False), ("::1", False),
    ("fe80::1%eth0", False), ("224.0.0.1", False), ("0.0.0.0", False), ("nonsense", False), ("8.8.8.8", True),
    ("2606:4700:4700::1111", True)])
def test_what_is_public(number: str, public: bool) -> None:
    """Loopback, private, link-local and multicast numbers are not of the public internet."""
    assert is_public(number) is public


def test_time_is_bounded(site: tuple[str, list[tuple[str, str]]]) -> None:
    """When the time is over, what was not asked yet is said to be so."""
    url, _ = site
    answers = ask(tuple(f"{url}/slow?{number}" for number in range(40)), seconds=1.5, allowed=anywhere)
    fates = [answer.fate for answer in answers.values()]
    assert 0 < fates.count(Fate.UNASKED) < 40


def test_a_website_that_nobody_knows() -> None:
    """A name without a machine is told as silent, not as gone: it may be our own line that is down."""
    [answer] = ask(("https://nobody.invalid/",)).values()
    assert answer.fate is Fate.SILENT


def test_what_is_the_supporters_own_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only addresses that are the same in every copy are asked for, each once."""
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr("pillarbox.checking.online.ask", lambda addresses: seen.append(addresses) or {})
    list(look(matter(letter="[One](https://e.org/a) [Two](https://e.org/a) [Three](https://e.org/{{ supporter.town }}) "
                            "[Four]({{ links.donate }})\n", people=({"town": "Leeds"},))))
    assert [address for address in seen[0] if address.startswith("https://e.org")] == ["https://e.org/a"]
    assert not any("key" in address for address in seen[0])


def test_what_is_found_is_told_at_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is gone is an error at the link's own line; one that moved is advice; one that is there, nothing."""
    fates = {"https://e.org/gone": Answer(fate=Fate.GONE, words="404 Not Found"),
             "https://e.org/old": Answer(fate=Fate.MOVED, words="https://e.org/new")}
    monkeypatch.setattr("pillarbox.checking.online.ask", lambda addresses: {
        address: fates.get(address, Answer(fate=Fate.THERE)) for address in addresses})
    found = list(look(matter(letter="[One](https://e.org/there)\n\n[Two](https://e.org/gone)\n\n"
                                    "[Three](https://e.org/old)\n")))
    assert [(each.code, each.level, each.line) for each in found] == [
        ("dead-link", Level.ERROR, 3), ("moved-link", Level.ADVICE, 5)]


def test_a_machine_that_is_offline_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing answers, it is the line that is down, and one finding says so."""
    monkeypatch.setattr("pillarbox.checking.online.ask", lambda addresses: {
        address: Answer(fate=Fate.SILENT) for address in addresses})
    [found] = look(matter(letter="[One](https://e.org/a) [Two](https://e.org/b)\n"))
    assert "online" in found.message


def test_a_page_that_sends_on_slowly_keeps_to_the_time(site: tuple[str, list[tuple[str, str]]]) -> None:
    """What our own time cut short was not asked: it is told so, and not as a website that takes too long."""
    url, _ = site
    began = time.monotonic()
    [answer] = ask((url + "/slow",), seconds=0.2, allowed=anywhere).values()
    assert answer.fate is Fate.UNASKED
    assert time.monotonic() - began < 5


def test_why_nothing_was_asked(site: tuple[str, list[tuple[str, str]]]) -> None:
    """A machine inside a house, and one that refuses: each is told as what it is."""
    url, _ = site
    assert "own network" in ask((url + "/there",))[url + "/there"].words
    [refused] = ask(("http://localhost:1/",), allowed=anywhere).values()
    assert (refused.fate, refused.words) == (Fate.SILENT, "the connection failed")


def test_pages_unanswered_and_unasked_have_their_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent page is a warning at its line, what was left is counted; nothing is said of pages that are there."""
    fates = {"https://e.org/silent": Answer(fate=Fate.SILENT, words="500"),
             "https://e.org/left": Answer(fate=Fate.UNASKED)}
    monkeypatch.setattr("pillarbox.checking.online.ask", lambda addresses: {
        address: fates.get(address, Answer(fate=Fate.THERE)) for address in addresses})
    letter = "[One](https://e.org/there)\n\n[Two](https://e.org/silent)\n\n[Three](https://e.org/left)\n"
    assert [(each.code, each.line) for each in look(matter(letter=letter))] == [
        ("link-unanswered", 3), ("links-unasked", None)]
    assert list(look(matter(letter="[One](https://e.org/there)\n"))) == []
