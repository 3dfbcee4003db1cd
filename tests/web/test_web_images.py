"""Images of letters: fetched by a name nobody can guess, kept for ever by caches, and nobody is asked who they are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import event, select

from pillarbox.content import images
from pillarbox.mailings import publishing
from pillarbox.store import schema
from pillarbox.store.project import Project
from pillarbox.web.insight.papers import paper
from tests.mailings.conftest import planned, project
from tests.mailings.test_mailing_pictures import harbour, setting
from tests.web.joining import visiting
from tests.web.site import TestClient

__all__ = ["harbour", "project"]


@pytest.fixture
def name(harbour: Project) -> str:
    """The name of a planned letter's image."""
    planned(harbour)
    with harbour.store.reading() as connection:
        return str(connection.execute(select(schema.images.c.name)).scalar_one())


@pytest.fixture
def client(harbour: Project, name: str) -> Iterator[TestClient]:
    with visiting(harbour) as client:
        yield client


def test_an_image_is_kept_for_ever_and_sets_no_cookie(client: TestClient, name: str) -> None:
    """Immutable, by anybody's page, with its kind; HEAD and If-None-Match spare the bytes."""
    answer = client.get(f"/i/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert images.public_name(answer.content) == name
    assert client.head(f"/i/{name}").content == b""
    again = client.get(f"/i/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", [
    "0" * 32 + ".png", "lamp.jpg", "x", "0" * 32 + ".svg", "..%2f..%2fpillarbox.toml", "%00", "A" * 32 + ".png"])
def test_nothing_else_can_be_fetched(client: TestClient, path: str) -> None:
    """Neither an unknown image nor any file."""
    answer = client.get(f"/i/{path}")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers["cache-control"]


def test_the_database_is_asked_once(harbour: Project, client: TestClient, name: str) -> None:
    """Thousands of mail programs fetch the same few images within minutes."""
    asked: list[str] = []
    event.listen(harbour.store.reader, "before_cursor_execute",
                 lambda _c, _k, statement, *_: asked.append(statement) if "images" in statement else None)
    for _ in range(5):
        assert client.get(f"/i/{name}").status_code == 200
    assert len(asked) == 1


@pytest.mark.parametrize("how", ["hosted", "embedded"])
def test_a_letter_in_the_browser_shows_them(harbour: Project, how: str) -> None:
    """A supporter's own copy fetches them from the same place as itself, however they travelled."""
    travelling = setting(harbour, images=how)
    planned(travelling)
    with harbour.store.reading() as connection:
        key = connection.execute(select(schema.messages.c.key).limit(1)).scalar_one()
    with visiting(travelling) as client:
        html = client.get(f"/v/{key}").text
        [source] = re.findall(r'<img src="([^"]*)"', html)
        assert source.startswith("../i/")
        assert client.get(source.removeprefix("..")).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("how", ["hosted", "embedded"])
def test_a_public_letter_shows_them(harbour: Project, how: str) -> None:
    """On the open web, too, and the first that is large enough is its card."""
    travelling = setting(harbour, images=how)
    mailing = planned(travelling)
    publishing.publish(travelling, mailing.name)
    with visiting(travelling) as client:
        html = client.get("/letters/harbour").text
        [source] = re.findall(r'<img src="([^"]*)" alt="The lamp at night"', html)
        assert source.startswith("http")
        assert client.get("/i/" + source.rpartition("/")[2]).status_code == 200
        assert images.kind(client.get("/letters/harbour/card").content) == "jpg"


def test_the_dashboard_shows_them() -> None:
    """A copy to look at takes its images from the dashboard's own place, whose name the letter need not know."""
    name = f"{'0' * 32}.png"
    for address in (f"cid:{name}@pillarbox", f"https://letters.example.org/i/{name}"):
        assert bytes(paper(f'<img src="{address}">').body) == f'<img src="/i/{name}">'.encode()


def test_a_letter_is_as_it_was_when_its_folder_has_gone(harbour: Project, client: TestClient, name: str) -> None:
    """Years later somebody opens it: the image comes from the database."""
    shutil.rmtree(harbour.folder / "appeals")
    assert client.get(f"/i/{name}").status_code == 200
