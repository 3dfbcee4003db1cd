"""A proof takes its mailing's road, reaches whom staff named and nobody else, and counts for nothing."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from lab.harbour import write_list
from pillarbox.ground.errors import PillarboxError, Refused
from pillarbox.mailings import proof as proofs
from pillarbox.mailings.proof import Wish
from pillarbox.model.states import Kind, MailingState, SuppressionReason
from pillarbox.people import holder, rights
from pillarbox.people.holder import Standing
from pillarbox.reports import across
from pillarbox.runner.proofing import Proofed, prove
from pillarbox.standin.behaviour import API_KEY, Act, Behaviour, Fault, Stage
from pillarbox.standin.server import Standin
from pillarbox.store import mailings, schema
from pillarbox.store.project import Project, open_project
from tests.projects import TestProject, make
from tests.web.site import TestClient

DANA, EVE = "dana@harbour.example", "eve@harbour.example"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> TestProject:
    """The harbour project on each engine."""
    url = request.getfixturevalue("postgres_for_project") if request.param == "postgresql" else ""
    made = make(tmp_path / "p", database=url, light=False)
    people = [{"email": "alice@example.org", "first_name": "Alice", "last_name": "Okafor", "tracking": "yes"},
              {"email": "bob@example.org", "first_name": "Bob", "last_name": "Levi", "tracking": "no"}]
    file = write_list(made.folder / "people.csv", people)
    made.run("lists", "import", str(file), "--list", "news", "--basis", "consent", "--source", "test")
    return made


@pytest.fixture
def project(folder: TestProject, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The same, opened."""
    for name, value in folder.environment.items():
        monkeypatch.setenv(name, value)
    opened = open_project(folder.folder)
    yield opened
    opened.close()


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A local SendGrid."""
    with Standin() as server:
        yield server


def by_sendgrid(project: Project, server: Standin, **sendgrid: object) -> Project:
    """The same project, which now sends through the local SendGrid."""
    settings = project.settings
    return replace(project, settings=settings.model_copy(update={
        "project": settings.project.model_copy(update={"transport": "sendgrid"}),
        "sendgrid": settings.sendgrid.model_copy(
            update={"url": server.url, "api_key": SecretStr(API_KEY), **sendgrid})}))


def proofed(project: Project, *to: str, **wish: str) -> Proofed:
    return prove(project, Wish(appeal="harbour", to=to or (DANA, EVE), **wish))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------ the road


def test_a_proof_is_written_as_the_mailing_will_be(project: Project) -> None:
    """Subject marked, to the addresses named, in the words of a made-up supporter."""
    done = proofed(project)
    told = done.to_json()
    assert told.pop("findings") == done.planned.levels()
    assert told == {
        "mailing": done.status.mailing.name, "appeal": "harbour", "practice": True, "proofs": 2, "accepted": 2,
        "subject": "[Proof] The harbour needs you, Dear Ms Sample", "failed": 0, "in_doubt": 0, "cancelled": 0,
        "shapes": 1}
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
             for path in sorted((project.folder / "var/mail/new").glob("*.eml"))]
    assert [mail["To"] for mail in mails] == [DANA, EVE]
    assert all(mail["Subject"].startswith("[Proof] ") for mail in mails)
    assert "Every gift counts, Ada." in mails[0].get_body(("plain",)).get_content()


def test_sendgrid_fills_in_a_proof_as_it_will_the_mailing(project: Project, standin: Standin) -> None:
    """One request, a personalization an address, everything of the supporter's by substitution; nothing tracked."""
    proofed(by_sendgrid(project, standin))
    first, second = standin.messages
    assert first.request_id == second.request_id
    assert {first.address, second.address} == {DANA, EVE}
    assert "Dear Ms Sample" in first.substitutions.values()
    assert "Ms Sample" not in first.body.text + first.body.html + first.body.subject
    assert first.text.count("Dear Ms Sample") == 1
    assert first.subject == "[Proof] The harbour needs you, Dear Ms Sample"
    assert first.headers["List-Unsubscribe"] != second.headers["List-Unsubscribe"]
    assert {first.open_tracking, first.click_tracking, first.subscription_tracking} == {False}


def test_a_single_proof_is_filled_in_by_sendgrid_too(project: Project, standin: Standin) -> None:
    """Or it would travel another road than the mailing; staff are told that two show more."""
    done = proofed(by_sendgrid(project, standin), DANA)
    [only] = standin.messages
    assert done.alone
    assert "Ada" in only.substitutions.values()


def test_a_proof_is_personalised_as_the_mailing_is(project: Project, standin: Standin) -> None:
    """With personalise = "individual" every copy is a request with a body of its own."""
    proofed(by_sendgrid(project, standin, personalise="individual"))
    first, second = standin.messages
    assert first.request_id != second.request_id
    assert not first.substitutions


def test_in_the_laptop_home_a_proof_cannot_unsubscribe_its_reader(project: Project, standin: Standin) -> None:
    """SendGrid's own link, which would, is not put in."""
    sending = by_sendgrid(project, standin)
    settings = sending.settings.model_copy(update={
        "project": sending.settings.project.model_copy(update={"home": "laptop"})})
    sending = replace(sending, settings=settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pillarbox.mailings.envelopes.PRACTICE_BASE_URL", "")
        proofed(sending)
    assert not standin.messages[0].subscription_tracking
    assert "xpillarboxunsubscribex" not in standin.messages[0].html


# ------------------------------------------------------------------------------------------ it counts for nothing


def test_a_proof_is_never_taken_for_the_mailing(folder: TestProject, project: Project) -> None:
    """Neither by the appeal's name, nor as the newest, nor as sent already; and it makes nobody a supporter."""
    done = proofed(project)
    with project.store.reading() as connection:
        with pytest.raises(Refused, match="no mailing called 'harbour'"):
            mailings.find(connection, "harbour")
        with pytest.raises(Refused, match="No mailing"):
            mailings.newest(connection)
        assert across.all_mailings(connection) == ()
        assert mailings.find(connection, done.status.mailing.name).state is MailingState.SENT
        assert connection.execute(select(func.count()).where(schema.supporters.c.address.is_not(None))).scalar() == 2
    planned = folder.json("plan", "harbour", "--list", "news")
    assert (planned["planned"], planned["excluded"]) == (2, {})
    assert folder.json("status")["mailing"] == planned["mailing"]


def test_the_links_of_a_proof_change_nothing(project: Project) -> None:
    """Also for a reader who is a supporter, and one-click too: each page says that it is a proof."""
    from pillarbox.web.app import create

    proofed(project, "alice@example.org")
    with project.store.reading() as connection:
        key = connection.execute(select(schema.messages.c.key)).scalar_one()
        assert holder.of(connection, key).standing is Standing.PROOF
    with TestClient(create(project.store, project.settings, project.id)) as client:
        assert "proof" in client.get(f"/u/{key}").text
        client.post(f"/u/{key}", data={"List-Unsubscribe": "One-Click"})
        assert "Dear Ms Sample" in client.get(f"/v/{key}").text
        assert "needs you" in client.get(f"/v/{key}").text
    with project.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(schema.suppressions)).scalar() == 0


def test_proofs_come_again_and_again(project: Project) -> None:
    """To the same people, whatever was sent before."""
    assert [proofed(project).status.accepted for _ in range(3)] == [2, 2, 2]


# ------------------------------------------------------------------------------------------ whose words, to whom


def test_a_proof_holds_the_words_of_the_supporter_named_until_they_are_forgotten(project: Project) -> None:
    """And goes to staff all the same."""
    done = proofed(project, email="alice@example.org")
    assert done.planned.subject == "[Proof] The harbour needs you, Dear Alice"
    rights.forget(project.store, secret=project.secret, email="alice@example.org")
    with project.store.reading() as connection:
        kept = json.dumps([list(row) for table in (schema.message_values, schema.shapes, schema.messages)
                           for row in connection.execute(select(table))], default=str)
    assert "Alice" not in kept


def test_a_forgotten_reader_is_gone_from_proofs(project: Project) -> None:
    """Staff have rights too."""
    proofed(project)
    assert rights.forget(project.store, secret=project.secret, email=DANA).messages == 1
    with project.store.reading() as connection:
        assert set(connection.execute(select(schema.messages.c.address)).scalars()) == {"", EVE}


def test_unfit_addresses_are_told_all_at_once(project: Project) -> None:
    """And nothing is sent."""
    rights.suppress_address(project.store, secret=project.secret, email=EVE, reason=SuppressionReason.BOUNCED,
                            source="test")
    with pytest.raises(Refused) as fault:
        proofed(project, "nonsense", EVE, DANA)
    assert "'nonsense' is not an address" in fault.value.what
    assert f"Nothing may go to {EVE} (bounced)" in fault.value.what
    with pytest.raises(Refused, match="20 addresses at most"):
        proofed(project, *(f"p{n}@example.org" for n in range(21)))
    with pytest.raises(Refused, match="Nobody with that address"):
        proofed(project, DANA, email="nobody@example.org")
    with project.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(schema.mailings)).scalar() == 0


def test_one_address_named_twice_gets_one_proof(project: Project) -> None:
    """In whatever letter case."""
    assert proofed(project, DANA, DANA.title()).status.accepted == 1


def test_who_left_may_still_be_shown_a_proof(project: Project) -> None:
    """A colleague who unsubscribed reads it as staff."""
    rights.suppress_address(project.store, secret=project.secret, email=DANA, reason=SuppressionReason.UNSUBSCRIBED,
                            source="test")
    assert proofed(project).status.accepted == 2


def test_a_live_proof_is_refused_where_a_live_mailing_is(project: Project) -> None:
    """Settings with which nothing must go to people, and addresses that nobody reads."""
    settings = project.settings.model_copy(update={"project": project.settings.project.model_copy(
        update={"transport": "smtp"}), "smtp": project.settings.smtp.model_copy(update={"host": "mail.charity.org"})})
    live = replace(project, settings=settings)
    assert not live.settings.practice
    with pytest.raises(Refused, match="cannot go to people"):
        proofs.plan(live, Wish(appeal="harbour", to=("dana@charity.org",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pillarbox.mailings.live.faults", lambda _project: [])
        with pytest.raises(Refused, match="made for examples"):
            proofs.plan(live, Wish(appeal="harbour", to=("dana@example.org",)))
        planned = proofs.plan(live, Wish(appeal="harbour", to=("dana@charity.org",)))
    assert (planned.mailing.practice, planned.mailing.kind) == (False, Kind.PROOF)
    assert proofs.begin(live, planned.mailing).state is MailingState.SENDING  # nobody approved it


@pytest.mark.parametrize(("fault", "words"), [
    (Fault(act=Act.ANSWER, status=400), "The proof did not leave"),
    (Fault(act=Act.CLOSE, stage=Stage.AFTER_ACCEPTING), "Nobody knows whether the proof went")])
def test_a_proof_that_sendgrid_does_not_take_is_a_fault(project: Project, fault: Fault, words: str) -> None:
    """Said as it is: surely not gone, or nobody knows."""
    with Standin(Behaviour(faults=lambda _number: fault)) as server, pytest.raises(PillarboxError, match=words):
        proofed(by_sendgrid(project, server))


def test_what_did_not_leave_is_never_sent_later(project: Project, standin: Standin) -> None:
    """A proof whose sending ended early is cancelled; one that could not begin was not planned."""
    sending = by_sendgrid(project, standin)
    planned = proofs.plan(sending, Wish(appeal="harbour", to=(DANA,)))
    proofs.end(sending, proofs.begin(sending, planned.mailing))
    with project.store.reading() as connection:
        assert mailings.by_id(connection, planned.mailing.id).state is MailingState.CANCELLED
    standin.stop()
    with pytest.raises(PillarboxError, match="cannot be reached"):
        proofed(sending)


# ------------------------------------------------------------------------------------------ the command


def test_a_proof_says_which_variants_it_does_not_show(folder: TestProject) -> None:
    """Nobody takes the first variant's proof for all that will be sent; without variants nothing is said."""
    assert "variant" not in folder.run("proof", "harbour", "--to", DANA).stdout
    toml = folder.folder / "appeals/harbour/appeal.toml"
    toml.write_text('"subject.b" = "Another subject"\n' + toml.read_text("utf-8"), "utf-8")
    first = " ".join(folder.run("proof", "harbour", "--to", DANA).stdout.split())
    assert "This was variant a. People will get b too: see it with --variant b" in first
    other = folder.run("proof", "harbour", "--to", DANA, "--variant", "b").stdout
    assert "This was variant b. People will get a too" in other


def test_the_command_says_what_went_and_to_look_at_the_check(folder: TestProject) -> None:
    """Practice is told first; faults of the letter stop it with file and line."""
    said = folder.run("proof", "harbour", "--to", DANA, EVE, "--for", "2026-12-10").stdout
    assert said.startswith(" PRACTICE ")
    assert "2 proofs were written to var/mail." in said
    assert "pillarbox check harbour" in said
    (folder.folder / "appeals/harbour/letter.md").write_text("{{ supporter.gift }}", "utf-8")
    assert "appeals/harbour/letter.md:1" in folder.run("proof", "harbour", "--to", DANA, expect=1).stderr
    assert "--to" in folder.run("proof", "harbour", expect=2).stderr
