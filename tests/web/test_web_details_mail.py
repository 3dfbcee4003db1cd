"""The letters behind the pages for name and address, as they are really sent: the links in them work."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from pillarbox.mailings import service
from pillarbox.store import schema
from pillarbox.store.project import Project
from tests import builders
from tests.mailings.conftest import project
from tests.web.joining import letters, text_of, visiting

__all__ = ["project"]


def link_of(letter: EmailMessage) -> str:
    """The path of the link in it."""
    found = re.search(r"/(details|address)/[a-z2-7]{30}", text_of(letter))
    assert found is not None
    return found.group()


def test_from_the_letter_to_a_new_address(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for, mailed, opened, changed; mailed to both addresses, confirmed: the next letter goes to the new one."""
    monkeypatch.setattr(service, "soon", lambda _project: None)
    with project.store.writing() as connection:
        person = connection.execute(select(schema.supporters).order_by(schema.supporters.c.id).limit(1)).one()
        message = builders.message(connection, builders.mailing(connection), person.id)
        key = connection.execute(select(schema.messages.c.key).where(schema.messages.c.id == message)).scalar_one()
    with visiting(project) as web:
        web.post(f"/p/{key}/link")
        [fresh] = letters(project)
        assert person.address in fresh["To"]
        link = link_of(fresh)
        assert f'value="{person.address}"' in web.get(link).text
        web.post(link, data={"first_name": "Ally", "email": "new@example.org"})
        told = {letter["To"]: text_of(letter) for letter in letters(project)[1:]}
        [confirm] = [letter for letter in letters(project) if "new@example.org" in letter["To"]]
        [note] = [words for to, words in told.items() if person.address in to]
        assert "new@example.org" not in note
        assert "Ally" not in text_of(confirm)
        assert web.post(link_of(confirm)).status_code == 200
    with project.store.reading() as connection:
        assert connection.execute(select(schema.supporters.c.address, schema.supporters.c.first_name).where(
            schema.supporters.c.id == person.id)).one() == ("new@example.org", "Ally")
        # What was mailed once is of no use to who reads the database.
        assert all(link.rpartition("/")[2] not in str(row) for row in connection.execute(
            select(schema.service_letters.c["values"])))


def test_it_is_sent_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits before the page: no worker’s round is waited for, and what fails there is not called unsaved."""
    asked = []
    monkeypatch.setattr(service, "soon", asked.append)
    with project.store.writing() as connection:
        person = connection.execute(select(schema.supporters.c.id).limit(1)).scalar_one()
        message = builders.message(connection, builders.mailing(connection), person)
        key = connection.execute(select(schema.messages.c.key).where(schema.messages.c.id == message)).scalar_one()
    with visiting(project) as web:
        assert web.post(f"/p/{key}/link").status_code == 200
        assert len(asked) == 1

        def broken(_project: Project) -> None:
            raise RuntimeError("away")

        monkeypatch.setattr(service, "soon", broken)
        assert "Please look into your inbox" in web.post(f"/p/{key}/link").text
