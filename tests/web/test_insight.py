"""The dashboard's reading pages: what they tell, to whom, and what they do not let in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, select, update

from pillarbox.ground.address import keyed_hash
from pillarbox.model.records import Place, Token
from pillarbox.model.states import MessageState, Outcome, Role
from pillarbox.people.rights.forgetting import forget
from pillarbox.store import letters
from pillarbox.store.connect import Store
from pillarbox.store.schema import audit, donations, mailings, message_values, messages, shapes
from pillarbox.web import cursors
from pillarbox.web.app import create
from pillarbox.web.insight import drawing
from tests.builders import SECRET
from tests.reports.builders import Builder
from tests.web.asking import NAME, join
from tests.web.desk import NAMES, login, post, staff, token, with_pictures
from tests.web.site import PROJECT, TestClient, settings_for

pytestmark = pytest.mark.usefixtures("quick_passwords")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7777*7 }}"
AT = f"/staff/mailings/{NAME}"
PATHS = (AT, f"{AT}/clicks", f"{AT}/clicks/letter", f"{AT}/messages", f"{AT}/donations", "/staff/compare",
         f"/staff/compare?m={NAME}&m=practice-20261101", "/staff/lists", "/staff/lists/1")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A dashboard with Alice's letter, of a mailing with many, and one of another mailing."""

    client: TestClient
    store: Store
    message: int
    other: int


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    """Sarah, who may do everything, is logged in."""
    staff(store)
    with store.writing() as connection:
        built = Builder(connection, title=f"Help {HOSTILE}")
        alice = built.message(address="alice@example.org", address_hash=keyed_hash("alice@example.org", SECRET),
                              to_name=f"Alice {HOSTILE}", detail=HOSTILE)
        for n in range(60):
            built.message(address=f"crowd{n}@example.org")
        connection.execute(insert(message_values).values(
            message_id=alice, values=letters.pack_values([f"Alice {HOSTILE}", "k" * 30])))
        built.opened(alice, device="phone")
        built.clicked(alice, f"https://donate.example.org/{HOSTILE}")
        built.gift(25_00, message_id=alice, name=f"Alice {HOSTILE}", address="alice@example.org", code=HOSTILE,
                   method="card", note=HOSTILE)
        connection.execute(update(shapes).values(
            subject="For x7f00000x", text="",
            html='<html><body><p>Dear x7f00000x</p><a href="https://l.example.org/u/x7f00001x">leave</a></body></html>',
            tokens=letters.pack_tokens([Token(mark="x7f00000x", value=0, place=Place.SUBJECT),
                                        Token(mark="x7f00000x", value=0, place=Place.TEXT),
                                        Token(mark="x7f00001x", value=1, place=Place.URL)])))
        another = Builder(connection, name="practice-20261101", practice=True)
        other = another.message(address="zoe@example.org")
        another.gift(5_00, name="Zoe")
        join(connection, f"news {HOSTILE}", "list@example.org")
    with TestClient(create(store, settings_for(None), PROJECT), raise_server_exceptions=False) as client:
        login(client)
        yield Desk(client=client, store=store, message=alice, other=other)


def test_a_mailings_page_tells_figures_with_their_ranges(desk: Desk) -> None:
    """Money first, then rates with their denominators, pictures with their numbers."""
    first = desk.client.get(AT).text
    assert "The pictures are being drawn" in first
    assert "£25" in first
    page = with_pictures(desk.client, AT)
    for said in ("£25", "1 of 61 who agreed", "0.29–8.7%", "From sent to gave", "What happened over time",
                 "What it was read on", "The numbers as a table", "Supporter’s own link", "var(--accent)"):
        assert said in page
    assert page.count('role="img"') == 8


def test_pages_without_a_pen_tell_their_numbers_and_that_pictures_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch,
                                                                         ) -> None:
    """Nothing is said to be empty that is not, nobody waits for ever, and the old numbers are no new ones."""
    def broken(_spec: object) -> str:
        raise OSError("the process that draws ended without an answer")

    monkeypatch.setattr(drawing.pen, "render", broken)
    page = with_pictures(desk.client, AT)
    assert "The pictures could not be drawn" in page
    assert "Nothing to draw yet" not in page
    assert "£25" in page
    compared = desk.client.get(f"/staff/compare?m={NAME}&m=practice-20261101")
    assert (compared.status_code, "<table" in compared.text) == (200, True)
    listed = desk.client.get("/staff/lists/1")
    assert (listed.status_code, "could not be drawn" in listed.text, "Nobody has ever" in listed.text) == (
        200, True, False)


def test_who_is_forgotten_takes_their_reason_out_of_a_page_that_was_looked_at(desk: Desk) -> None:
    """As many were left out as before; what the server remembers of totals does not hold on to the reason."""
    with desk.store.writing() as connection:
        gone = connection.execute(select(messages.c.id).where(messages.c.address == "crowd7@example.org")).scalar_one()
        connection.execute(update(messages).where(messages.c.id == gone).values(
            state=MessageState.WITHDRAWN, outcome=Outcome.NONE, detail="unsubscribed",
            address_hash=keyed_hash("crowd7@example.org", SECRET)))
    assert "Asked not to be mailed" in desk.client.get(AT).text
    forget(desk.store, secret=SECRET, email="crowd7@example.org")
    page = desk.client.get(AT).text
    assert "Asked not to be mailed" not in page
    assert "No reason kept" in page


@pytest.mark.parametrize("path", [*PATHS, f"{AT}/messages/1", f"{AT}/messages/1/letter"])
def test_what_supporters_wrote_is_words_and_nothing_else(desk: Desk, path: str) -> None:
    """HTML, script and template code in every field that is shown."""
    page = desk.client.get(path)
    assert page.status_code == 200
    for alive in ("<script>alert", "<img src=x", "54439"):
        assert alive not in page.text
    if "letter" in path:
        assert "sandbox" in page.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    else:
        assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", [*PATHS, f"{AT}/messages/1", f"{AT}/messages/1/letter"])
def test_nobody_reads_without_logging_in(desk: Desk, path: str) -> None:
    """Every page leads to the login first."""
    desk.client.cookies.clear()
    answer = desk.client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/staff/login")


@pytest.mark.parametrize("path", PATHS)
def test_whoever_may_view_may_read(desk: Desk, path: str) -> None:
    """The smallest role suffices."""
    login(desk.client, Role.VIEW)
    assert desk.client.get(path).status_code == 200


def test_a_message_shows_its_events_gift_and_the_copy_as_sent(desk: Desk) -> None:
    """The supporter's own words in the letter; its links dead."""
    page = desk.client.get(f"{AT}/messages/{desk.message}").text.replace("<wbr>", "")
    for said in ("alice@example.org", "Opened", "on a phone", "Link followed", "£25", "Supporter’s own link"):
        assert said in page
    copy = desk.client.get(f"{AT}/messages/{desk.message}/letter").text
    assert "Dear Alice &lt;script&gt;" in copy
    assert "href" not in copy
    assert "k" * 30 not in copy


@pytest.mark.parametrize("below", ["", "/letter"])
def test_a_message_of_another_mailing_is_not_there(desk: Desk, below: str) -> None:
    """Whoever guesses numbers finds nothing beyond the mailing of the path."""
    for number in (desk.other, 999_999, 10**30):
        assert desk.client.get(f"{AT}/messages/{number}{below}").status_code == 404
    assert desk.client.get(f"/staff/mailings/practice-20261101/messages/{desk.other}").status_code == 200


@pytest.mark.parametrize("path", [
    "/staff/mailings/nobody", "/staff/mailings/nobody/clicks", "/staff/mailings/nobody/messages",
    "/staff/mailings/nobody/donations", "/staff/mailings/%00/messages", f"/staff/mailings/{'a' * 300}",
    "/staff/mailings/..%2f..%2fetc/clicks", f"{AT}/messages/x", f"{AT}/messages/-1", "/staff/lists/99",
    f"/staff/lists/{9**40}", f"{AT}/messages?show=nothing", f"{AT}/messages?from=forged", f"{AT}/donations?from=x",
    f"{AT}%27--/clicks", "/staff/insight/../app.py"])
def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    """Unknown mailings, lists, messages, pages of lists; tricks in the path."""
    assert desk.client.get(path).status_code == 404


def test_a_cursor_serves_its_own_list_alone(desk: Desk) -> None:
    """Neither another mailing's, nor another choice's, nor one changed by a letter."""
    page = desk.client.get(f"{AT}/messages").text
    word = page.split("?from=")[1].split('"')[0]
    assert desk.client.get(f"{AT}/messages?from={word}").status_code == 200
    for path in (f"{AT}/messages?show=delivered&from={word}", f"/staff/mailings/practice-20261101/messages?from={word}",
                 f"{AT}/donations?from={word}", f"{AT}/messages?from={word[:-1]}", f"{AT}/messages?from=A{word[1:]}"):
        assert desk.client.get(path).status_code == 404
    other = cursors.seal(settings_for(None), "messages 999 all", 1)
    assert desk.client.get(f"{AT}/messages?from={other}").status_code == 404


def test_the_list_is_turned_over_to_its_end(desk: Desk) -> None:
    """All sixty-one letters, each once."""
    seen: list[str] = []
    path = f"{AT}/messages"
    for _ in range(5):
        page = desk.client.get(path).text
        seen += [part.split('"')[0] for part in page.split(f'href="{AT}/messages/')[1:]]
        if "?from=" not in page:
            break
        path = f"{AT}/messages?from=" + page.split("?from=")[1].split('"')[0]
    assert len(seen) == len(set(seen)) == 61


def test_an_address_is_searched_by_posting_and_stands_in_no_url(desk: Desk) -> None:
    """The search is a form with a token; nothing of it is repeated in a link; wildcards mean themselves."""
    found = post(desk.client, f"{AT}/messages", address="alice@example.org")
    assert found.status_code == 200
    assert f"{AT}/messages/{desk.message}" in found.text
    links = [part.split('"')[0] for part in found.text.split('href="')[1:]]
    assert not [link for link in links if "alice" in link]
    for wanted in ("%", "_", "zoe@example.org", "*", "' OR '1'='1"):
        assert "No letter of this mailing went to such an address." in post(
            desk.client, f"{AT}/messages", address=wanted).text
    many = post(desk.client, f"{AT}/messages", address="crowd")
    word = many.text.split('name="from" value="')[1].split('"')[0]
    assert "crowd25<wbr>@" in post(desk.client, f"{AT}/messages", address="crowd", **{"from": word}).text
    assert post(desk.client, f"{AT}/messages", address="other", **{"from": word}).status_code == 404
    assert desk.client.post(f"{AT}/messages", data={"address": "alice"}).status_code == 403


def taken(desk: Desk, below: str = "", **fields: str) -> bytes:
    """An exported file."""
    answer = post(desk.client, f"{AT}/export{below}", AT, **fields)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return answer.content


@pytest.mark.parametrize("table", ["figures", "over-time", "links", "donations", "messages"])
def test_every_table_can_be_taken_away(desk: Desk, table: str) -> None:
    """As CSV and as a workbook, without names; each taking stands in the audit log with the user's name."""
    sheet = load_workbook(io.BytesIO(taken(desk, table=table, kind="xlsx"))).worksheets[0]
    rows = list(csv.reader(io.StringIO(taken(desk, table=table, kind="csv").decode("utf-8-sig"))))
    assert [cell.value for cell in sheet[1]] == rows[0]
    assert "alice" not in str(rows).lower()
    with desk.store.reading() as connection:
        told = connection.execute(select(audit.c.actor, audit.c.subject, audit.c.detail).where(
            audit.c.action == "export")).all()
    assert [(row.actor, row.subject) for row in told] == [(NAMES[Role.SEND], NAME)] * 2
    assert told[0].detail == {"table": table, "as": "xlsx", "with_names": False}


def test_names_are_taken_away_by_those_who_may_prepare(desk: Desk) -> None:
    """Whoever may only view may not, and the attempt is noted."""
    assert b"alice@example.org" in taken(desk, "/named", table="messages", kind="csv")
    login(desk.client, Role.VIEW)
    assert "With names" not in desk.client.get(AT).text.replace("With names and", "")
    refused = post(desk.client, f"{AT}/export/named", AT, table="messages", kind="csv")
    assert refused.status_code == 403
    assert b"alice" not in refused.content
    with desk.store.reading() as connection:
        assert connection.execute(select(audit.c.actor).where(audit.c.action == "refused")).scalar_one() == (
            NAMES[Role.VIEW])


@pytest.mark.parametrize("fields", [{"table": "users", "kind": "csv"}, {"table": "messages", "kind": "exe"}, {}])
def test_what_is_no_table_is_not_given(desk: Desk, fields: dict[str, str]) -> None:
    """Refused, and nothing noted."""
    assert post(desk.client, f"{AT}/export", AT, **fields).status_code == 400
    with desk.store.reading() as connection:
        assert connection.execute(select(audit.c.id).where(audit.c.action == "export")).all() == []


def test_an_export_needs_the_sessions_own_form(desk: Desk) -> None:
    """No other site can have a browser take a list."""
    page = desk.client.get(AT)
    fields = {"table": "messages", "kind": "csv", "form_token": token(page)}
    assert desk.client.post(f"{AT}/export", data={**fields, "form_token": "x"}).status_code == 403
    assert desk.client.post(f"{AT}/export", data=fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert desk.client.get(f"{AT}/export").status_code in (404, 405)


def test_a_large_mailing_is_not_made_a_workbook(desk: Desk) -> None:
    """It is offered as CSV instead."""
    with desk.store.writing() as connection:
        connection.execute(update(mailings).values(planned=200_000))
    answer = post(desk.client, f"{AT}/export", AT, table="messages", kind="xlsx")
    assert (answer.status_code, "Take them as CSV" in answer.text) == (409, True)


@pytest.mark.parametrize(("query", "says"), [
    (f"m={NAME}", "Choose two at least"), ("m=a&m=b", "is not there"), (f"m={NAME}&m={NAME}", "Choose two at least"),
    ("&".join(f"m=x{n}" for n in range(9)), "6 at most"), (f"m={NAME}&m=%00", "is not there")])
def test_two_to_six_mailings_are_compared(desk: Desk, query: str, says: str) -> None:
    """Anything else says what to do."""
    page = desk.client.get(f"/staff/compare?{query}")
    assert page.status_code == 200
    assert says in page.text


def test_comparing_says_what_chance_allows(desk: Desk) -> None:
    """Words beside the ranges, and a warning about practice."""
    page = desk.client.get(f"/staff/compare?m={NAME}&m=practice-20261101").text
    assert "Too close to tell" in page
    assert "B was practice: nobody was mailed" in page


def test_gifts_show_their_evidence_and_what_was_given_back(desk: Desk) -> None:
    """Name, amount, code, and the letter that brought it."""
    with desk.store.writing() as connection:
        connection.execute(update(donations).where(donations.c.code != "").values(refunded_minor=5_00))
    page = desk.client.get(f"{AT}/donations").text
    for said in ("£25", "£5 given back", "<div>£20</div>", "Supporter’s own link", f"{AT}/messages/{desk.message}"):
        assert said in page


def test_who_was_forgotten_is_named_nowhere(desk: Desk) -> None:
    """Their row stays in the list, without a word of theirs; no copy is shown."""
    with desk.store.writing() as connection:
        connection.execute(update(messages).where(messages.c.id == desk.message).values(
            address="", to_name="", detail=""))
        connection.execute(update(message_values).values(values="[]"))
    page = desk.client.get(f"{AT}/messages/{desk.message}")
    assert "(forgotten)" in page.text
    assert "Their copy is not kept any more." in page.text
    assert desk.client.get(f"{AT}/messages/{desk.message}/letter").status_code == 404


def test_variants_stand_beside_each_other(desk: Desk) -> None:
    """The page tells each variant and what may be said of them, offers them as a table, and lets no markup in."""
    assert "Variants of the letter" not in desk.client.get(AT).text
    assert 'value="variants"' not in desk.client.get(AT).text
    with desk.store.writing() as connection:
        varied = Builder(connection, name="varied", variants={
            "a": {"subject": "Freedom", "differs": [], "planned": 1},
            "b": {"subject": HOSTILE, "differs": ["subject", "letter"], "planned": 1}})
        for label in "ab":
            message = varied.message(variant=label)
    first = desk.client.get("/staff/mailings/varied").text
    assert "data-awaited" in first
    assert "<svg" not in first, "nobody waits for variants' pictures either"
    assert "Too close to tell" in first
    page = with_pictures(desk.client, "/staff/mailings/varied")
    assert "<svg" in page.partition('id="variant-pictures"')[2].partition('id="pictures"')[0]
    assert "Variants of the letter" in page
    assert "Too close to tell: b may be anything from" in page
    assert ", another letter" in page
    assert "<script>alert" not in page
    assert "<dt>Variant</dt><dd>b</dd>" in desk.client.get(f"/staff/mailings/varied/messages/{message}").text
    answer = post(desk.client, "/staff/mailings/varied/export", "/staff/mailings/varied", table="variants", kind="csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["Variant", "Figure", "Value"]
    assert ["a", "Letters", "1"] in [row[:3] for row in rows]
