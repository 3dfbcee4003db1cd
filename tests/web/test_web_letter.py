"""What a letter's key opens: that letter, and the way out; and what surrounds every page."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import update

from pillarbox.model.states import Basis, Kind, SuppressionReason
from pillarbox.people import rights
from pillarbox.store import schema
from tests.builders import SECRET
from tests.web.site import Site, rows

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def left(site: Site) -> bool:
    """Whether Alice is suppressed as unsubscribed and her consent withdrawn."""
    reasons = rows(site.store, schema.suppressions.c.reason)
    bases = rows(site.store, schema.consents.c.basis)
    assert (reasons == [(SuppressionReason.UNSUBSCRIBED,)]) == (bases == [(Basis.NONE,)])
    return bool(reasons)


def test_looking_changes_nothing(site: Site) -> None:
    """GET and HEAD show a page with a button; link scanners follow links, and nobody leaves by that."""
    page = site.client.get(f"/u/{site.key}")
    assert page.status_code == 200
    assert 'method="post"' in page.text
    assert site.client.head(f"/u/{site.key}").status_code == 200
    assert not left(site)


@pytest.mark.parametrize("form", [ONE_CLICK, {"leave": "yes"}, None])
def test_one_post_is_enough(site: Site, form: dict[str, str] | None) -> None:
    """The mail program's one click (RFC 8058) and the page's button act at once, without cookie or redirect."""
    answer = site.client.post(f"/u/{site.key}", data=form, follow_redirects=False)
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert "set-cookie" not in answer.headers
    assert left(site)


def test_one_click_as_multipart(site: Site) -> None:
    """RFC 8058 lets mail programs send the form as multipart, too."""
    assert site.client.post(f"/u/{site.key}", files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert left(site)


def test_twice_is_harmless(site: Site) -> None:
    """Leaving twice is leaving; the mailing counts it once, and the page then says so without a button."""
    for _ in range(2):
        assert site.client.post(f"/u/{site.key}", data=ONE_CLICK).status_code == 200
    assert rows(site.store, schema.events.c.kind, schema.events.c.mailing_id, schema.events.c.provider) == [
        ("unsubscribed", 1, "pillarbox")]
    assert len(rows(site.store, schema.consent_changes.c.id)) == 1
    assert "<button" not in site.client.get(f"/u/{site.key}").text


def test_someone_who_came_back_can_leave_again(site: Site) -> None:
    """The link of an old letter still works after the supporter joined anew."""
    site.client.post(f"/u/{site.key}", data=ONE_CLICK)
    with site.store.writing() as connection:
        connection.execute(schema.suppressions.delete())
        connection.execute(update(schema.consents).values(basis=Basis.CONSENT))
    assert "<button" in site.client.get(f"/u/{site.key}").text
    site.client.post(f"/u/{site.key}", data=ONE_CLICK)
    assert left(site)


@pytest.mark.parametrize("key", ["a2b3c4d5e6f7a2b3c4d5e6f7ab", "short", "%00", "a" * 5000, "' OR 1=1 --"])
@pytest.mark.parametrize("door", ["u", "v"])
def test_an_unknown_key_is_a_kind_404(site: Site, door: str, key: str) -> None:
    """A key that was never given out opens nothing and changes nothing."""
    for answer in (site.client.get(f"/{door}/{key}"), *([site.client.post(f"/u/{key}")] if door == "u" else [])):
        assert answer.status_code == 404
        assert "We cannot find this page" in answer.text
    assert not left(site)


def test_a_proof_changes_nobody(site: Site) -> None:
    """The link in a proof explains itself; the supporter whose name it borrows stays."""
    with site.store.writing() as connection:
        connection.execute(update(schema.mailings).values(kind=Kind.PROOF))
    for answer in (site.client.get(f"/u/{site.key}"), site.client.post(f"/u/{site.key}", data=ONE_CLICK)):
        assert "proof" in answer.text
    assert not left(site)


def test_what_could_not_be_saved_is_said(site: Site) -> None:
    """When saving fails the page says so, gives a way out, and the status is no success."""
    schema.consent_changes.drop(site.store.writer)
    answer = site.client.post(f"/u/{site.key}", data=ONE_CLICK)
    assert answer.status_code == 500
    assert rows(site.store, schema.suppressions.c.id) == []
    assert "We could not save this" in answer.text
    assert "hello@example.org" in answer.text


def test_supporters_read_their_own_letter(site: Site) -> None:
    """The letter is made from shape and values, escaped, private and out of search engines."""
    answer = site.client.get(f"/v/{site.key}")
    assert answer.text == '<!DOCTYPE html><p>Dear Alice &amp; &lt;Co&gt;, <a href="/u/k">leave</a></p>'
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"].startswith("private")
    assert "noindex" in answer.headers["x-robots-tag"]
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_forgotten_supporters_key_opens_nothing(site: Site) -> None:
    """After forgetting, the letter is gone, the way out says that nothing will come, and nothing is written down."""
    rights.forget(site.store, secret=SECRET, email="alice@example.org")
    before = rows(site.store, schema.suppressions.c.address_hash, schema.suppressions.c.reason)
    assert site.client.get(f"/v/{site.key}").status_code == 404
    assert "You are unsubscribed" in site.client.get(f"/u/{site.key}").text
    assert "You are unsubscribed" in site.client.post(f"/u/{site.key}", data=ONE_CLICK).text
    assert rows(site.store, schema.suppressions.c.address_hash, schema.suppressions.c.reason) == before


@pytest.mark.parametrize("path", ["/", "/health", "/u/nothing", "/hooks/sendgrid", "/pillarbox-probe/12345678"])
def test_every_answer_is_sheltered(site: Site, path: str) -> None:
    """No answer sets a cookie, names a referrer, or lets a script or frame in."""
    headers = site.client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "noindex" in headers["x-robots-tag"]
    assert "set-cookie" not in headers


def test_the_probe_names_the_project(site: Site) -> None:
    """A live plan learns that its base URL reaches this very project."""
    assert site.client.get("/pillarbox-probe/abcDEF123456").json() == {"project": "testproj", "nonce": "abcDEF123456"}
    assert site.client.get("/pillarbox-probe/%3Cscript%3E").status_code == 404


def test_health_follows_the_database(site: Site) -> None:
    """Health is the database's."""
    assert site.client.get("/health").json() == {"ok": True}


def test_a_fault_tells_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours shows a kind page; neither key nor data reach page or log."""
    schema.metadata.drop_all(site.store.writer)
    with caplog.at_level(logging.DEBUG):
        answer = site.client.get(f"/v/{site.key}")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("pillarbox")]
    assert ours
    assert not any(site.key in line for line in ours)


def test_it_has_a_main_part(site: Site) -> None:
    """What mail programs are told is an article is a page's main part to who listens; once."""
    with site.store.writing() as connection:
        connection.execute(schema.shapes.update().values(
            html='<!DOCTYPE html><div role="article">Dear x7f00000x, <a href="/u/x7f00001x">leave</a></div>'))
    html = site.client.get(f"/v/{site.key}").text
    assert html.count('role="main"') == 1
    assert "article" not in html
