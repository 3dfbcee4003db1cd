"""Letters for anybody: nobody's name in them, found by search engines, gone when they are taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from lxml import etree
from sqlalchemy import delete, select, update

from pillarbox.content import images
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.mailings import control, publishing
from pillarbox.model.config import Settings
from pillarbox.store import schema
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from tests import photographs
from tests.mailings.conftest import planned, project
from tests.web.joining import visiting, with_form
from tests.web.site import TestClient

__all__ = ["project"]
PLANNING: list[bool] = []
BASE = "https://letters.harbour-trust.org.uk"


@pytest.fixture
def live(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project with a server, taken to reach people."""
    settings = project.settings.model_copy(update={
        "project": project.settings.project.model_copy(update={"base_url": BASE})})
    project = replace(project, settings=settings)
    # Nobody at example.org can be mailed: while a test plans, it practises.
    monkeypatch.setattr(Settings, "practice", property(lambda _settings: bool(PLANNING)))
    return project


def mailed(project: Project, **more: object) -> Mailing:
    """A live mailing that somebody approved."""
    PLANNING.append(True)
    mailing = planned(project, **more)
    PLANNING.clear()
    with project.store.writing() as connection:
        connection.execute(update(schema.mailings).values(practice=False))
    return control.approve(project, mailing.name, by="Dana")


@pytest.fixture
def client(live: Project) -> Iterator[TestClient]:
    """A visitor of a site on which one letter is published."""
    mailing = mailed(live)
    publishing.publish(live, mailing.name, by="Dana")
    with visiting(live) as client:
        yield client


def test_nobodys_name_and_no_personal_link(client: TestClient, live: Project) -> None:
    """Fallbacks for names, gifts counted by the mailing's code, and no way to leave anybody's list."""
    html = client.get("/letters/harbour").text
    with live.store.reading() as connection:
        code = connection.execute(select(schema.mailings.c.source_code)).scalar_one()
        keys = connection.execute(select(schema.messages.c.key).limit(5)).scalars().all()
    assert "Dear Supporter" in html
    assert "Every gift counts" not in html
    assert f'/d/{code}"' in html, "through our own page, by the mailing's code"
    assert "unsubscribe" not in html.lower()
    assert not re.search(r"/[uv]/", html)
    assert not any(key in html for key in keys)
    assert "<script" not in html


def test_it_can_be_found_and_shared(client: TestClient) -> None:
    """Indexable, with one canonical address, a picture and words for social networks, and plain links to share."""
    answer = client.get("/letters/harbour")
    url = f"{BASE}/letters/harbour"
    assert answer.headers["x-robots-tag"] == "all"
    assert "noindex" not in answer.text
    assert answer.headers["cache-control"].startswith("public")
    assert "script-src" not in answer.headers["content-security-policy"]
    page = etree.HTML(answer.text)
    assert page.xpath("//link[@rel='canonical']/@href") == [url]
    told = {meta.get("property") or meta.get("name"): meta.get("content") for meta in page.iter("meta")}
    assert told["og:title"] == "A letter about the harbour"
    assert told["og:url"] == url
    assert told["og:image"] == told["twitter:image"] == f"{url}/card"
    assert told["twitter:card"] == "summary_large_image"
    ways = page.xpath("//section[@aria-label='Pass this letter on']//a/@href")
    hosts = {urlsplit(way).scheme if way.startswith("mailto") else urlsplit(way).hostname for way in ways}
    assert hosts == {"mailto", "wa.me", "www.facebook.com", "x.com", "bsky.app"}
    assert all(url in unquote(way) for way in ways)
    assert parse_qs(urlsplit(ways[0]).query)["subject"] == ["A letter about the harbour"]
    alternates = page.xpath("//link[@rel='alternate']/@href")
    assert alternates == [f"{BASE}/letters/feed.rss", f"{BASE}/letters/feed.atom"]


def test_the_card_is_a_picture(client: TestClient) -> None:
    """1200 by 630, for anybody's page to show."""
    answer = client.get("/letters/harbour/card")
    assert answer.headers["content-type"] == "image/png"
    assert images.size(answer.content) == (1200, 630)
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_the_appeals_own_picture_comes_first(live: Project) -> None:
    """An image that is large enough is the card; a small one is not."""
    folder = live.folder / "appeals" / "harbour" / "images"
    folder.mkdir()

    (folder / "a-small.png").write_bytes(photographs.drawing(100, 100))
    (folder / "harbour.png").write_bytes(photographs.photograph(1600, 900))
    publishing.publish(live, mailed(live).name)
    with visiting(live) as client:
        answer = client.get("/letters/harbour/card")
        assert (answer.headers["content-type"], images.size(answer.content)) == ("image/jpeg", (1040, 585))
        assert 'og:image:width" content="1040"' in client.get("/letters/harbour").text


def test_the_archive_and_its_feeds(client: TestClient, live: Project) -> None:
    """Each published letter once, newest first, as a page, as RSS and as Atom."""
    again = mailed(live, again="winter", span_hours=0)
    done = publishing.publish(live, again.name)
    assert done.slug == again.name, "the appeal's own name is taken by its first edition"
    archive = client.get("/letters")
    assert archive.headers["x-robots-tag"] == "all"
    assert re.findall(r'href="/letters/([a-z0-9-]+)"', archive.text) == [again.name, "harbour"]
    assert 'type="application/rss+xml"' in archive.text
    rss = etree.fromstring(client.get("/letters/feed.rss").content)
    links = [f"{BASE}/letters/{again.name}", f"{BASE}/letters/harbour"]
    assert rss.xpath("//item/link/text()") == links
    assert rss.xpath("/rss/channel/link/text()") == [f"{BASE}/letters"]
    atom = etree.fromstring(client.get("/letters/feed.atom").content)
    names = {"a": "http://www.w3.org/2005/Atom"}
    assert atom.xpath("//a:entry/a:id/text()", namespaces=names) == links
    assert client.get("/letters/feed.rss").headers["content-type"].startswith("application/rss+xml")
    assert client.get("/letters/feed.atom").headers["content-type"].startswith("application/atom+xml")


def test_a_withdrawn_letter_is_gone(client: TestClient, live: Project) -> None:
    """410, out of archive and feeds, its words deleted; published again, it is back at the same address."""
    assert publishing.withdraw(live, "harbour", by="Dana") == "harbour"
    answer = client.get("/letters/harbour")
    assert answer.status_code == 410
    assert "noindex" in answer.headers["x-robots-tag"]
    assert client.get("/letters/harbour/card").status_code == 410
    for path in ("/letters", "/letters/feed.rss", "/letters/feed.atom"):
        assert "letters/harbour" not in client.get(path).text
    with live.store.reading() as connection:
        assert connection.execute(select(schema.public_letters.c.html)).scalar_one() == ""
    with pytest.raises(Refused):
        publishing.withdraw(live, "harbour")
    assert publishing.publish(live, "harbour").news
    assert client.get("/letters/harbour").status_code == 200


def test_what_is_unchanged_is_not_sent_again(client: TestClient, live: Project) -> None:
    """An ETag; another one once it was published anew."""
    tag = client.get("/letters/harbour").headers["etag"]
    assert client.get("/letters/harbour", headers={"if-none-match": tag}).status_code == 304
    publishing.publish(live, "harbour")
    assert client.get("/letters/harbour", headers={"if-none-match": tag}).status_code == 200


@pytest.mark.parametrize("slug", ["nothing", "Harbour", "..%2f..%2fetc", "%00", "a" * 5_000, "harbour.html", "'--"])
def test_other_names_lead_nowhere(client: TestClient, slug: str) -> None:
    """A name that was never published is a 404 which no search engine keeps."""
    for path in (f"/letters/{slug}", f"/letters/{slug}/card"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "noindex" in answer.headers["x-robots-tag"]


def test_practice_stays_practice(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a practice site it says so and is not indexed; on a live one it cannot be published, and what was is not
    shown."""
    mailing = planned(project)
    done = publishing.publish(project, mailing.name)
    assert done.practice
    with visiting(project) as client:
        answer = client.get("/letters/harbour")
        assert "sent to nobody" in answer.text
        assert "noindex" in answer.headers["x-robots-tag"]
        assert "noindex" in client.get("/letters").headers["x-robots-tag"]
    monkeypatch.setattr(Settings, "practice", property(lambda _settings: False))
    project = replace(project, settings=project.settings.model_copy(update={
        "project": project.settings.project.model_copy(update={"base_url": BASE})}))
    with pytest.raises(Refused, match="practice"):
        publishing.publish(project, mailing.name)
    with visiting(project) as client:
        assert client.get("/letters/harbour").status_code == 404
        assert "letters/harbour" not in client.get("/letters").text + client.get("/letters/feed.rss").text


def test_what_cannot_be_published(live: Project) -> None:
    """Unapproved, cancelled, a proof, without a server, under another's name: refused, nothing changed."""
    mailing = mailed(live)

    def refused(**columns: object) -> None:
        with live.store.writing() as connection:
            before = connection.execute(select(schema.mailings)).one()
            connection.execute(update(schema.mailings).values(**columns))
        with pytest.raises(Refused):
            publishing.publish(live, mailing.name)
        with live.store.writing() as connection:
            connection.execute(update(schema.mailings).values(**{name: getattr(before, name) for name in columns}))

    with live.store.writing() as connection:
        connection.execute(delete(schema.approvals))
    with pytest.raises(Refused, match="nobody has approved"):
        publishing.publish(live, mailing.name)
    control.approve(live, mailing.name, by="Dana")
    refused(state="cancelled")
    refused(kind="proof")
    for slug in ("Ä", "../x", "a--b", "x" * 101, "feed.rss"):
        with pytest.raises(Refused):
            publishing.publish(live, mailing.name, slug=slug)
    laptop = live.settings.model_copy(update={"project": live.settings.project.model_copy(update={"home": "laptop"})})
    with pytest.raises(Refused, match="server"):
        publishing.publish(replace(live, settings=laptop), mailing.name)
    with live.store.reading() as connection:
        assert connection.execute(select(schema.public_letters.c.id)).all() == []


def test_a_letter_about_its_reader_is_refused(live: Project) -> None:
    """It reads what only a supporter has: said with file and line."""
    (live.folder / "appeals" / "harbour" / "letter.md").write_text("Dear friend in {{ supporter.town }},\n", "utf-8")
    with live.store.writing() as connection:
        connection.execute(update(schema.supporters).values(fields={"town": "Whitby"}))
    mailing = mailed(live)
    with pytest.raises(LetterError) as caught:
        publishing.publish(live, mailing.name)
    (finding,) = caught.value.findings
    assert finding.file == "appeals/harbour/letter.md"  # type: ignore[attr-defined]


def test_the_bundle_alone_is_read(live: Project) -> None:
    """What changes in the folder after the plan changes no published letter."""
    mailing = mailed(live)
    (live.folder / "appeals" / "harbour" / "letter.md").write_text("Something else.\n", "utf-8")
    publishing.publish(live, mailing.name)
    with visiting(live) as client:
        assert "It has burned since 1862" in client.get("/letters/harbour").text


def test_script_in_a_title_is_words(live: Project) -> None:
    """Whatever a letter is called, its title is words on every page and in every feed."""
    file = live.folder / "appeals" / "harbour" / "appeal.toml"
    file.write_text(file.read_text("utf-8").replace("A letter about the harbour", "</title><script>alert(1)</script>"),
                    "utf-8")
    publishing.publish(live, mailed(live).name)
    with visiting(live) as client:
        for path in ("/letters", "/letters/harbour", "/letters/feed.rss", "/letters/feed.atom"):
            assert "<script>" not in client.get(path).text
        assert images.size(client.get("/letters/harbour/card").content) == (1200, 630)


def test_the_way_to_join_stands_below(live: Project) -> None:
    """Where there is a form, the letter leads to it."""
    mailing = mailed(live)
    publishing.publish(with_form(live), mailing.name)
    with visiting(live) as client:
        assert f'href="{BASE}/join"' in client.get("/letters/harbour").text
