"""What must be true before a letter may go to people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pillarbox.ground.errors import Refused
from pillarbox.mailings import live
from pillarbox.store.project import Project
from pillarbox.web.serve import background


def with_settings(of: Project, /, **sections: dict[str, str]) -> Project:
    """The project with other settings; a live one, unless they say otherwise."""
    sections = {"sender": {"email": "hello@harbour-trust.org.uk"}, **sections}
    sections["project"] = {"transport": "sendgrid", **sections.get("project", {})}
    return replace(of, settings=of.settings.model_copy(update={
        name: getattr(of.settings, name).model_copy(update=values) for name, values in sections.items()}))


@pytest.mark.parametrize(("url", "words"), [
    ("", "nobody could unsubscribe"),
    ("http://letters.harbour-trust.org.uk", "not https"),
    ("letters.harbour-trust.org.uk", "not https"),
    ("https://localhost:8025", "this machine only"),
    ("https://127.0.0.1", "this machine only"),
    ("https://127.8.8.8", "this machine only"),
    ("https://[::1]:8025", "this machine only"),
    ("https://mailbox", "this machine only"),
    ("https://0.0.0.0", "inside a network"),
    ("https://192.168.1.20", "inside a network"),
    ("https://10.1.2.3:8025", "inside a network"),
    ("https://[fe80::1]", "inside a network"),
    ("https://box.local", "inside a network"),
    ("https://abc123.trycloudflare.com", "quick tunnel"),
    ("https://ABC.ngrok-free.app/", "quick tunnel"),
    ("https://letters.harbour.example", "does not exist for the outside"),
    ("https://letters.harbour.invalid", "does not exist for the outside"),
    ("https://[not-an-address", "cannot be read"),
    ("https://letters.harbour-trust.org.uk:port", "cannot be read"),
])
def test_a_base_url_that_nobody_outside_can_reach_is_refused(url: str, words: str, project: Project) -> None:
    """Each kind has its sentence; live it refuses, in practice it is a warning."""
    [said] = live.faults(with_settings(project, project={"base_url": url}))
    assert words in said
    with pytest.raises(Refused, match="cannot go to people"):
        live.refuse(with_settings(project, project={"base_url": url}))
    assert live.refuse(with_settings(project, project={"base_url": url, "transport": "files"})) == [said]


def test_without_a_server_no_base_url_is_asked_for(project: Project) -> None:
    """The Laptop home: SendGrid answers "unsubscribe"."""
    assert live.faults(with_settings(project, project={"home": "laptop"})) == []


@pytest.mark.parametrize(("email", "words"), [("", "No From address"), ("hello@harbour.example", "cannot send")])
def test_a_sender_who_does_not_exist_is_refused(email: str, words: str, project: Project) -> None:
    """Live mail never comes from a made-up address."""
    [said] = live.faults(with_settings(project, project={"home": "laptop"}, sender={"email": email}))
    assert words in said


def test_the_probe_knows_this_projects_own_server(project: Project) -> None:
    """The real server answers the nonce with its project's id; another project's, or none, is told apart.

    Over http: the scheme is looked at before.
    """
    with background(project.store, project.settings, project.id) as base:
        assert live._probe(project, base) == []
        [said] = live._probe(replace(project, id="another1"), base)
        assert "not for this project" in said
        assert "BASE_PATH" not in said
        [said] = live._probe(project, f"{base}/deeper")
        assert "not for this project" in said
        assert "takes /deeper off each request" in said
    [said] = live._probe(project, base)
    assert "Nothing answers" in said
