"""What stands behind the figures."""

from __future__ import annotations

from pillarbox.model.states import Agent, EventKind, MessageState, Outcome
from pillarbox.reports import words
from pillarbox.reports.details import devices, left_out_at_planning, links, returned, standing
from pillarbox.reports.rates import Rate
from pillarbox.store.connect import Store
from tests.reports.builders import Builder


def test_bounces_are_told_in_plain_words_once_each(store: Store) -> None:
    """A server's words become a reason without anybody's address; a message that bounced twice counts once."""
    with store.writing() as connection:
        built = Builder(connection)
        for name in ("alice", "bob"):
            message = built.message(outcome=Outcome.BOUNCED)
            built.event(message, EventKind.BOUNCED, reason=f"550 5.1.1 <{name}@example.org> gone", domain="a.example")
        built.event(message, EventKind.BOUNCED, reason="552 5.2.2 full", domain="a.example")
        built.event(built.message(outcome=Outcome.BLOCKED), EventKind.BLOCKED, reason="421 4.7.0 try later",
                    domain="alice-smith.example")
        found = returned(connection, built.mailing_id, {Outcome.BOUNCED: 2, Outcome.BLOCKED: 1, Outcome.DROPPED: 0})
    assert found.by_reason == ((Outcome.BOUNCED, "No such mailbox", 2),
                               (Outcome.BLOCKED, "Refused for now by the mailbox’s policy", 1))
    assert found.total == 3


def test_a_domain_of_one_is_not_named(store: Store) -> None:
    """A domain with one message could be somebody's own name: it is counted, not listed."""
    with store.writing() as connection:
        built = Builder(connection)
        for domain in ("large.example", "large.example", "alice-smith.example"):
            built.event(built.message(outcome=Outcome.BOUNCED), EventKind.BOUNCED, domain=domain)
        found = returned(connection, built.mailing_id, {Outcome.BOUNCED: 3, Outcome.BLOCKED: 0, Outcome.DROPPED: 0})
    assert found.by_domain == (("large.example", 2),)
    assert found.lone_domains == 1


def test_a_bounce_without_an_event_is_counted(store: Store) -> None:
    """What the ledger knows is told even when the reason was never heard."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(outcome=Outcome.DROPPED)
        ledger = {Outcome.BOUNCED: 0, Outcome.BLOCKED: 0, Outcome.DROPPED: 1}
        assert returned(connection, built.mailing_id, ledger).by_reason == ((Outcome.DROPPED, "No reason given", 1),)


def test_links_are_folded_without_anybodys_code(store: Store) -> None:
    """The same link with each supporter's code is one link; scanners stand apart; the code never shows."""
    key = "abcdefghijklmnopqrstuvwxyz2345"
    with store.writing() as connection:
        built = Builder(connection)
        one, two, three = (built.message() for _ in range(3))
        built.clicked(one, url="https://donate.example.org/give?ref=aaa")
        built.clicked(one, url="https://donate.example.org/give?ref=aaa&again=1")
        built.clicked(two, url="https://donate.example.org/give?ref=bbb")
        built.clicked(three, url="https://donate.example.org/give?ref=ccc", agent=Agent.MACHINE)
        built.clicked(two, url=f"https://mail.example.org/view/{key}/")
        built.clicked(built.message(tracked=False), url="https://donate.example.org/give")
        found = links(connection, built.mailing_id)
    assert [(link.link, link.human, link.scanner) for link in found] == [
        ("donate.example.org/give", 2, 1), ("mail.example.org/view/…", 1, 0)]
    assert [(link.clicks_human, link.clicks_scanner) for link in found] == [(3, 1), (1, 0)]


def test_devices_count_messages_that_people_opened_and_clicked(store: Store) -> None:
    """Machines' opens have no device, a message counts once for each device, and only those who agreed are counted."""
    with store.writing() as connection:
        built = Builder(connection)
        one, two = built.message(), built.message()
        for message, device in ((one, "phone"), (one, "phone"), (one, "desktop"), (two, "phone")):
            built.opened(message, device=device)
        built.opened(two, agent=Agent.MACHINE, device="unknown")
        built.clicked(two, device="phone")
        built.clicked(two, device="desktop", agent=Agent.MACHINE)
        built.opened(built.message(tracked=False), device="tablet")
        found = devices(connection, built.mailing_id)
    assert [(row.device, row.opened, row.clicked) for row in found] == [("phone", 2, 1), ("desktop", 1, 0)]


def test_what_did_not_go_says_why(store: Store) -> None:
    """Refused, and left out since planning, with reasons that name nobody."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(state=MessageState.FAILED, outcome=Outcome.NONE, detail="Bad address carol@example.org here")
        built.message(state=MessageState.WITHDRAWN, outcome=Outcome.NONE, detail="unsubscribed")
        built.message(state=MessageState.PLANNED, outcome=Outcome.NONE, detail="of a million these are not looked at")
        built.message()
        found = standing(connection, built.mailing_id)
    assert [(row.state, row.detail, row.count) for row in found] == [
        (MessageState.FAILED, "Bad address (address) here", 1),
        (MessageState.WITHDRAWN, "Asked not to be mailed (unsubscribed)", 1)]


def test_exclusions_read_as_sentences() -> None:
    """Known reasons are told in plain words, unknown ones as they stand; zeros are left out."""
    assert left_out_at_planning({"no-consent": 2, "no_basis": 3, "paid-in-shells": 1, "fps": 0}) == (
        ("No consent or soft opt-in for email", 5), ("Paid in shells", 1))


def test_a_letter_s_own_pages_are_named() -> None:
    """Staff read what the two pages of a letter are, not the address of a server."""
    key = "a" * 30
    assert words.link(f"https://letters.example.org/u/{key}") == "The unsubscribe page"
    assert words.link(f"https://letters.example.org/v/{key}") == "The letter in the browser"
    assert words.link("https://example.org/v/about?ref=1") == "example.org/v/about"


def test_a_range_is_as_fine_as_its_coarser_end() -> None:
    """16–25%, not 16.3–25%; small rates keep the digits that mean something."""
    def spread(low: float, high: float) -> str:
        return words.spread(Rate(part=1, of=2, value=(low + high) / 2, low=low, high=high))

    assert spread(0.163, 0.25) == "16–25%"
    assert spread(0.0004, 0.012) == "0.04–1.2%"
    assert spread(0.959, 0.986) == "95.9–98.6%"
