"""What the tests of joining share: a project with a form, its letters, and the links in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from pillarbox.deliver import single
from pillarbox.mailings import service
from pillarbox.model.sections import JoinSettings
from pillarbox.store.project import Project
from pillarbox.web.app import create
from tests.web.site import TestClient

WORDING = "Please send me “updates” & news by email."
TRACKING = "You may also count what I open."
SITE = "https://harbour.example"
FORM = {"email": "Miriam@Example.org", "first_name": "מרים", "last_name": 'O’Brien "Mimi"'}


def with_form(project: Project, **more: Any) -> Project:
    """The project with a sign-up form."""
    join = JoinSettings(lists=("newsletter",), wording=WORDING, tracking_wording=TRACKING, sites=(SITE,), **more)
    return replace(project, settings=project.settings.model_copy(update={"join": join}))


@contextmanager
def visiting(project: Project) -> Iterator[TestClient]:
    """A visitor of its web application."""
    with TestClient(create(project.store, project.settings, project.id), raise_server_exceptions=False) as client:
        yield client


def letters(project: Project) -> list[EmailMessage]:
    """Service letters that were written, oldest first; whatever waits is delivered first."""
    service.deliver(project)
    folder = project.folder.joinpath(*single.FOLDER)
    return [message_from_bytes(path.read_bytes(), policy=default) for path in  # type: ignore[misc]
            sorted(folder.glob("*.eml"), key=lambda path: int(path.stem.rpartition("-")[2]))]


def text_of(letter: EmailMessage) -> str:
    """The plain-text part."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_of(letter: EmailMessage) -> str:
    """The path of the link that confirms."""
    found = re.search(r"/join/confirm/[a-z2-7]{30}", text_of(letter))
    assert found is not None
    return found.group()
