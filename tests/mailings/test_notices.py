"""Staff are told what happened by itself: once, plainly, and without disturbing anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from pillarbox.deliver import staff
from pillarbox.ground import clock
from pillarbox.ground.keys import new_key
from pillarbox.mailings import status
from pillarbox.mailings.notices import MOST, deliver
from pillarbox.model.sections import StaffSettings
from pillarbox.standin.behaviour import Act, Behaviour, Fault
from pillarbox.standin.server import Standin
from pillarbox.store import notices
from pillarbox.store.project import Project
from tests.deliver.mailserver import Inbox, running
from tests.mailings.conftest import planned

NIGHT = datetime(2026, 11, 5, 23, 30, tzinfo=UTC)
STAFF = ("office@harbour.example", "director@harbour.example")


def settled(given: Project, **sections: object) -> Project:
    """The project with other settings."""
    return replace(given, settings=given.settings.model_copy(update={
        "staff": StaffSettings(email=STAFF), **sections}))


def note(project: Project, words: str = "The mailing paused itself.", *, mailing_id: int | None = None) -> None:
    """Something happened by itself."""
    with project.store.writing() as connection:
        notices.add(connection, kind="paused", words=words, mailing_id=mailing_id)


def untold(project: Project) -> int:
    """How many nobody has been mailed."""
    with project.store.reading() as connection:
        return len(notices.untold(connection))


def mails(project: Project) -> list[EmailMessage]:
    """What was written for staff, oldest first."""
    folder = project.folder.joinpath(*staff.FOLDER)
    return [message_from_bytes(path.read_bytes(), policy=default) for path in  # type: ignore[misc]
            sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)]


@pytest.fixture
def at_night() -> Iterator[Callable[[timedelta], None]]:
    """The clock stands still; the test moves it."""
    with clock.freeze(NIGHT) as _:
        def later(by: timedelta) -> None:
            clock._frozen = clock.now() + by

        yield later


def test_one_plain_mail_tells_them_all(project: Project, at_night: Callable[[timedelta], None]) -> None:
    """To every address of [staff] email, in the charity's zone, with the mailing's name and PRACTICE where it is."""
    project = settled(project)
    mailing = planned(project)
    note(project, "3% of the first letters bounced.", mailing_id=mailing.id)
    at_night(timedelta(minutes=-5))
    note(project, "The newsletter was not sent: nobody approved it.")
    at_night(timedelta(minutes=5))
    assert deliver(project) == 2
    (mail,) = mails(project)
    text = mail.get_content().replace("\r\n", "\n")
    assert mail["To"] == ", ".join(STAFF)
    assert mail["Subject"] == f"[Pillarbox] PRACTICE: {mailing.name}: 2 notices"
    assert f"Thu 05 Nov 2026, 23:30, {mailing.name}, PRACTICE: nobody is mailed\n  3% of the first letters" in text
    assert "nobody approved it." in text
    assert mail.get_content_type() == "text/plain"
    assert untold(project) == 0


def test_told_once(project: Project, at_night: Callable[[timedelta], None]) -> None:
    """What was told is not told again; what is new comes after a minute, together."""
    project = settled(project)
    note(project)
    assert deliver(project) == 1
    assert mails(project)[0]["Subject"] == "[Pillarbox] The mailing paused itself."
    note(project, "Another.")
    assert deliver(project) == 0
    at_night(timedelta(seconds=61))
    assert deliver(project) == 1
    at_night(timedelta(days=1))
    assert deliver(project) == 0
    assert len(mails(project)) == 2


def test_many_processes_send_one_mail(project: Project) -> None:
    """Two workers by mistake, or four: staff get it once."""
    project = settled(project)
    note(project)
    gate = threading.Barrier(4)
    done: list[int] = []

    def one() -> None:
        gate.wait()
        done.append(deliver(project))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 0, 0, 1]


def test_a_death_after_the_mail_tells_again(project: Project, at_night: Callable[[timedelta], None],
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """At least once: a process that died between mail and record holds the others up for ten minutes."""
    project = settled(project)
    note(project)
    with monkeypatch.context() as patch:
        patch.setattr(notices, "went", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            deliver(project)
    assert deliver(project) == 0
    at_night(timedelta(minutes=10))
    assert deliver(project) == 1
    assert len(mails(project)) == 1, "the same mail again replaces its file"


def test_a_clock_that_jumped_back_does_not_silence(project: Project, at_night: Callable[[timedelta], None]) -> None:
    """A turn taken in a future that never came is nobody's."""
    project = settled(project)
    at_night(timedelta(days=400))
    note(project)
    assert deliver(project) == 1
    at_night(timedelta(days=-400))
    note(project)
    assert deliver(project) == 1


def test_without_addresses_nothing_is_told(project: Project) -> None:
    """The notices stay, for `status` and `doctor`."""
    note(project)
    assert deliver(project) == 0
    assert untold(project) == 1


def test_nothing_of_a_person_leaves(project: Project) -> None:
    """Should a notice ever hold an address or a letter's key, the mail does not."""
    project = settled(project)
    key = new_key()
    note(project, f"alice@example.org could not open https://letters.harbour.example/u/{key}\nBcc: x@y.example")
    assert deliver(project) == 1
    text = mails(project)[0].get_content().replace("\r\n", "\n")
    assert "alice" not in text
    assert key not in text
    assert "\nBcc" not in text


def test_a_flood_comes_in_parts(project: Project, at_night: Callable[[timedelta], None]) -> None:
    """A mail stays readable; the rest follows."""
    project = settled(project)
    for number in range(MOST + 3):
        note(project, f"Number {number}.")
    assert deliver(project) == MOST
    assert "And 3 more" in mails(project)[0].get_content()
    at_night(timedelta(minutes=2))
    assert deliver(project) == 3


def test_by_sendgrid_without_tracking(project: Project) -> None:
    """One ordinary Mail Send: everything that tracks is off, no category, no argument of a message."""
    note(project)
    with Standin(Behaviour(api_key="SG.k")) as standin:
        given = project.settings
        project = settled(
            project, project=given.project.model_copy(update={"transport": "sendgrid"}),
            sendgrid=given.sendgrid.model_validate({"api_key": "SG.k", "url": standin.url}))
        assert deliver(project) == 1
        (mail,) = standin.messages
    assert (mail.address, mail.from_email) == (STAFF[0], "letters@harbour.example")
    assert (mail.open_tracking, mail.click_tracking, mail.subscription_tracking) == (False, False, False)
    assert (mail.categories, mail.custom_args, mail.html) == ((), {}, "")
    assert "paused itself" in mail.text


def test_a_provider_that_is_away_is_asked_ever_more_rarely(project: Project,
                                                          at_night: Callable[[timedelta], None]) -> None:
    """After a minute, then after as long as it has failed, at most an hour; nothing is raised, nothing is lost."""
    note(project)
    down = dict.fromkeys(range(1, 30), Fault(act=Act.ANSWER, status=503))
    with Standin(Behaviour(api_key="SG.k", faults=down)) as standin:
        given = project.settings
        project = settled(
            project, project=given.project.model_copy(update={"transport": "sendgrid"}),
            sendgrid=given.sendgrid.model_validate({"api_key": "SG.k", "url": standin.url}))
        tries = []
        for minute in range(240):
            before = standin.mailbox.counts()["requests"]
            assert deliver(project) == 0
            if standin.mailbox.counts()["requests"] > before:
                tries.append(minute)
            at_night(timedelta(minutes=1))
    assert tries == [0, 1, 2, 4, 8, 16, 32, 64, 124, 184]
    assert untold(project) == 1
    with project.store.reading() as connection:
        assert notices.failing_since(connection) == NIGHT


def test_by_smtp(project: Project) -> None:
    """To each of staff by the project's mail server."""
    note(project)
    inbox = Inbox()
    with running(inbox) as port:
        given = project.settings
        project = settled(project, project=given.project.model_copy(update={"transport": "smtp"}),
                          smtp=given.smtp.model_validate({"host": "127.0.0.1", "port": port, "security": "none"}))
        assert deliver(project) == 1
    assert [to for to, _ in inbox.mails] == [[address] for address in STAFF]
    assert b"paused itself" in inbox.mails[0][1]
    assert b"List-Unsubscribe" not in inbox.mails[0][1]


def test_a_broken_disk_disturbs_nobody(project: Project, tmp_path: Path) -> None:
    """Whatever stands in the way of a mail to staff, the caller goes on."""
    project = settled(project)
    project.folder.joinpath("var", "mail").mkdir(parents=True)
    project.folder.joinpath(*staff.FOLDER).write_text("not a folder", "utf-8")
    note(project)
    assert deliver(project) == 0
    assert untold(project) == 1


def test_status_knows_the_newest_of_its_mailing(project: Project) -> None:
    """Newest first, and those of others are left out."""
    mailing = planned(project)
    note(project, "Of no mailing.")
    for number in range(5):
        note(project, f"Number {number}.", mailing_id=mailing.id)
    found = status.status(project, mailing.name)
    assert [words for _, words in found.notices] == ["Number 4.", "Number 3.", "Number 2."]
