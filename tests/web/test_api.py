"""The API: what it answers, to whom, and what it never says."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from pillarbox.model.states import TokenScope
from pillarbox.reports.figures import figures
from pillarbox.staff import tokens
from pillarbox.store.connect import Store
from pillarbox.store.mailings import named
from pillarbox.store.schema import mailings, public_letters
from pillarbox.web import cursors
from pillarbox.web.api.guard import accepts_json
from tests.reports.builders import LAUNCH
from tests.web.asking import NAME, Desk, desk, fill

PROBLEM = "application/problem+json"
PATHS = ("/mailings", f"/mailings/{NAME}", f"/mailings/{NAME}/timeline", f"/mailings/{NAME}/links",
         f"/mailings/{NAME}/donations", "/lists", "/lists/1/growth", "/letters")


@pytest.fixture
def asked(store: Store) -> Desk:
    """A filled project, on each engine in turn."""
    fill(store)
    return desk(store)


def test_a_mailings_figures_are_those_of_the_report(asked: Desk) -> None:
    """The same keys and values as ``report --json``."""
    with asked.store.reading() as connection:
        mailing = named(connection, NAME)
        assert mailing
        expected = figures(connection, mailing.id).to_json()
    answer = asked.get(f"/mailings/{NAME}").json()
    assert answer.pop("heard_until")
    assert expected.pop("heard_until")
    assert answer == expected


def test_mailings_are_listed_without_practice_unless_asked(asked: Desk) -> None:
    """What raised pounds for nobody is not added up by a web site."""
    assert [one["mailing"] for one in asked.get("/mailings").json()["items"]] == [NAME]
    assert [one["mailing"] for one in asked.get("/mailings?practice=only").json()["items"]] == ["practice-20261101"]
    assert len(asked.get("/mailings?practice=with").json()["items"]) == 2


def test_pages_go_on_where_the_last_ended(asked: Desk) -> None:
    """Cursors lead through all donations, each once."""
    seen, cursor = [], ""
    for _ in range(5):
        page = asked.get(f"/mailings/{NAME}/donations?limit=2&cursor={cursor}").json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 5


def test_lists_tell_their_health_and_growth(asked: Desk) -> None:
    """Who is on a list, who went, and on which basis."""
    friends, newsletter = asked.get("/lists").json()["items"]
    assert (friends["name"], friends["on_it"]) == ("friends", 1)
    assert newsletter | {"id": 0} == {
        "id": 0, "name": "newsletter", "on_it": 2, "left": 1, "bounced": 1, "tracking": 1, "watched": 0, "silent": 0,
        "consents": {"consent": 1, "soft_opt_in": 1, "none": 0}}
    months = asked.get(f"/lists/{newsletter['id']}/growth").json()["months"]
    assert months[0] == {"month": "2026-11", "joined": 4, "left": 1, "bounced": 1, "on_it": 2}


@pytest.mark.parametrize("path", PATHS)
def test_nothing_of_a_supporter_is_said(asked: Desk, path: str) -> None:
    """No name, address, code, note or key, at any address of the API."""
    said = asked.get(path).text.lower()
    for own in ("alice", "bob", "carol", "eve@", "alicecode", "in memory", "?ref="):
        assert own not in said


@pytest.mark.parametrize("path", PATHS)
def test_without_a_good_token_nothing_is_answered(asked: Desk, path: str) -> None:
    """401 with a challenge: for none, a wrong one, a revoked one, one of another form."""
    tokens.revoke(asked.store, "letters")
    for shown in ("", "pbx_" + "a" * 43, asked.letters_token, "' OR 1=1 --", "é"):
        answer = asked.client.get(f"/api/v1{path}", headers=[(b"authorization", f"Bearer {shown}".encode())])
        assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_published_letters_are_read_and_withdrawn_ones_are_not(asked: Desk) -> None:
    """With where everybody reads them; practice and what was withdrawn are not public."""
    common = {"language": "en-GB", "html": "<p>To all", "card": b"", "card_kind": "png", "published_at": LAUNCH,
              "published_by": "Dana", "updated_at": LAUNCH, "dated": LAUNCH.date(), "title": "A letter"}
    with asked.store.writing() as connection:
        ids = list(connection.execute(select(mailings.c.id).order_by(mailings.c.id)).scalars())
        connection.execute(insert(public_letters).values(mailing_id=ids[0], slug="to-all", practice=False, **common))
        connection.execute(insert(public_letters).values(mailing_id=ids[1], slug="tried", practice=True, **common))
    [one] = asked.get("/letters", token=asked.letters_token).json()["items"]
    assert (one["slug"], one["url"], "Dana" in str(one)) == ("to-all", "/letters/to-all", False)
    assert asked.get("/letters/to-all").json()["html"] == "<p>To all"
    assert asked.get("/letters/tried").status_code == 404
    with asked.store.writing() as connection:
        connection.execute(update(public_letters).values(withdrawn_at=LAUNCH))
    assert asked.get("/letters").json()["items"] == []
    assert asked.get("/letters/to-all").status_code == 404


def test_a_web_sites_token_reads_letters_alone(asked: Desk) -> None:
    """403 for figures: such a token stands in a page that everybody can read."""
    assert asked.get("/letters", token=asked.letters_token).status_code == 200
    refused = asked.get("/mailings", token=asked.letters_token)
    assert (refused.status_code, refused.headers["content-type"]) == (403, PROBLEM)


@pytest.mark.parametrize("path", [
    "/mailings/nobody", "/mailings/%00", "/mailings/..%2f..%2fetc", f"/mailings/{'a' * 400}", "/lists/999/growth",
    "/lists/x/growth", f"/lists/{9**40}/growth", "/letters/none", "/nothing", "/mailings/", "/mailings/%ed%a0%80",
    f"/mailings/{NAME}%27--", f"/mailings/{NAME}/donations/1"])
def test_what_is_not_there_is_404(asked: Desk, path: str) -> None:
    """In problem+json, whatever trick stands in the path."""
    answer = asked.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json()["status"] == 404


def test_only_reading_is_answered(asked: Desk) -> None:
    """405 names what is allowed."""
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = asked.client.request(method, "/api/v1/mailings", headers={"Authorization": f"Bearer {asked.token}"})
        assert (answer.status_code, answer.headers["content-type"]) == (405, PROBLEM)
        assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("query", [
    "limit=0", "limit=201", "limit=x", "limit=1_0", "limit=", "limit=1&limit=2", "cursor=x", "cursor=%00",
    "practice=yes", "unknown=1", "limit=-1", "limit=1.0", f"cursor={'a' * 300}", "cursor=%E2%82%AC"])
def test_what_cannot_be_read_is_400_and_not_repeated(asked: Desk, query: str) -> None:
    """Each fault is named; what was sent stands nowhere in the answer."""
    answer = asked.get(f"/mailings?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    assert "a" * 300 not in answer.text


def test_a_cursor_of_another_list_or_of_nobodys_making_leads_nowhere(asked: Desk) -> None:
    """Bound to its list by a mark under the project's key; one changed letter is refused."""
    good = asked.get(f"/mailings/{NAME}/donations?limit=1").json()["next"]
    assert asked.get(f"/mailings/{NAME}/donations?cursor={good}").status_code == 200
    for forged in (good[:-1] + ("A" if good[-1] != "A" else "B"), good + "A", good[4:],
                   cursors.seal(asked.settings, "api donations 999", "2026-11-23", 1)):
        assert asked.get(f"/mailings/{NAME}/donations?cursor={forged}").status_code == 400
    assert asked.get(f"/mailings?cursor={good}").status_code == 400


def test_who_takes_no_json_is_told_406(asked: Desk) -> None:
    """Answers are JSON, and nothing else."""
    answer = asked.get("/mailings", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (406, PROBLEM)


@pytest.mark.parametrize(("accept", "taken"), [
    ("*/*", True), ("application/json", True), ("text/html, application/*;q=0.5", True), ("", True),
    ("application/json;q=0, */*", False), ("text/*", False), ("application/json;q=0", False), ("*/*;q=0.1", True),
    ("application/*;q=0, application/json", True), (";;;,,", False)])
def test_accept_is_read_as_it_should_be(accept: str, taken: bool) -> None:
    """The most particular range decides."""
    assert accepts_json(accept) is taken


def test_what_is_sent_along_is_413(asked: Desk) -> None:
    """However large: it is not read."""
    for sent in (b"x" * 2000, b"x" * 20_000_000):
        answer = asked.client.request("GET", "/api/v1/mailings", content=sent,
                                      headers={"Authorization": f"Bearer {asked.token}"})
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
    streamed = asked.client.request("GET", "/api/v1/mailings", content=iter([b"x" * 800] * 5),
                                    headers={"Authorization": f"Bearer {asked.token}"})
    assert streamed.status_code == 413


def test_who_asks_too_often_waits(store: Store) -> None:
    """429 says for how long; another token is not slowed by it."""
    asked = desk(store, per_minute=3)
    assert [asked.get("/letters").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = asked.get("/letters")
    assert refused.headers["content-type"] == PROBLEM
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert asked.get("/letters", token=asked.letters_token).status_code == 200


def test_who_guesses_tokens_waits(asked: Desk) -> None:
    """A minute's worth of wrong tokens from one network, and no more."""
    found = {asked.get("/letters", token=f"guess{n}").status_code for n in range(70)}
    assert found == {401, 429}


def test_an_answer_that_has_not_changed_is_not_sent_again(asked: Desk) -> None:
    """ETag and If-None-Match; a change brings a new one."""
    first = asked.get(f"/mailings/{NAME}")
    tag = first.headers["etag"]
    for shown in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = asked.get(f"/mailings/{NAME}", headers={"If-None-Match": shown})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert asked.get(f"/mailings/{NAME}", headers={"If-None-Match": '"other"'}).status_code == 200
    assert asked.get("/mailings").headers["etag"] != tag


def test_no_web_site_may_ask_by_script_unless_it_is_named(store: Store) -> None:
    """CORS is off by default; a named origin is answered, others are not."""
    origin = "https://www.charity.example"
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET",
             "Access-Control-Request-Headers": "authorization"}
    closed = desk(store)
    assert "access-control-allow-origin" not in closed.get("/letters", headers={"Origin": origin}).headers
    assert closed.client.options("/api/v1/letters", headers=asked).status_code == 405
    tokens.revoke(store, "all")
    tokens.revoke(store, "letters")
    opened = desk(store, allowed_origins=(origin,))
    assert opened.get("/letters", headers={"Origin": origin}).headers["access-control-allow-origin"] == origin
    assert opened.client.options("/api/v1/letters", headers=asked).status_code == 200
    stranger = opened.get("/letters", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


def test_a_token_is_kept_as_a_hash_and_noted_when_used(store: Store) -> None:
    """Who reads the database cannot ask; staff see when a token was last used."""
    asked = desk(store)
    assert asked.get("/letters").status_code == 200
    used = {token.scope: token.used_at for token in tokens.everyone(store)}
    assert used[TokenScope.ALL] is not None
    assert used[TokenScope.LETTERS] is None
    with store.reading() as connection:
        kept = connection.exec_driver_sql("SELECT token_hash FROM api_tokens").scalars().all()
    assert asked.token not in kept
    assert len(asked.token) == 47
