"""What SendGrid says of our key and of its event webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pillarbox.doctor import provider
from pillarbox.doctor.examine import examine
from pillarbox.doctor.finding import Level, Report
from pillarbox.standin import account
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.server import Standin
from pillarbox.standin.webhook import Signer
from tests import projects

BASE = "https://letters.harbour.example"
HOOK = f"{BASE}/hooks/sendgrid"
SIGNER = Signer()
Ask = Callable[..., Report]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Examine a project that sends through a local SendGrid with this behaviour."""
    folder = projects.make(tmp_path / "project", transport="sendgrid").folder
    (folder / "pillarbox.key").chmod(0o600)
    with ExitStack() as stack:
        def asked(*, api_key: str = "SG.k", webhook_key: str = SIGNER.public_key, **behaviour: object) -> Report:
            standin = stack.enter_context(Standin(Behaviour(api_key="SG.k", **behaviour)))  # type: ignore[arg-type]
            for name, value in {"SENDGRID_API_KEY": api_key, "PILLARBOX_SENDGRID_URL": standin.url,
                                "PILLARBOX_BASE_URL": BASE, "PILLARBOX_SENDGRID_WEBHOOK_KEY": webhook_key}.items():
                monkeypatch.setenv(name, value)
            return examine(folder)

        yield asked


def codes(report: Report, level: Level) -> set[str]:
    """The names of the findings of one level."""
    return {finding.code for finding in report.at(level)}


def test_all_is_well_with_sendgrid(ask: Ask) -> None:
    """The key may do all that is asked of it, and the webhook tells us everything, signed."""
    report = ask(webhooks=(account.webhook(f"{HOOK}/", public_key=SIGNER.public_key),))
    assert {"api-key", "webhook"} <= codes(report, Level.WELL)
    assert report.ok


@pytest.mark.parametrize("key", ["", "SG.other"])
def test_a_key_that_is_not_accepted(ask: Ask, key: str) -> None:
    """Wrong in practice too: nothing would be sent."""
    assert "api-key" in codes(ask(api_key=key), Level.WRONG)


def test_a_key_that_may_not_send(ask: Ask) -> None:
    """mail.send is what everything needs."""
    assert "scope-mail-send" in codes(ask(scopes=("stats.read",)), Level.WRONG)


def test_a_key_that_may_only_send(ask: Ask) -> None:
    """What would not work without the other scopes is said, scope by scope."""
    report = ask(scopes=("mail.send",))
    said = " ".join(finding.words for finding in report.findings if finding.code == "scope")
    for scope in ("mail.batch.create", "user.scheduled_sends.create", "messages.read", "suppression.read",
                  "user.webhooks.event.settings.read"):
        assert scope in said
    assert "mail.send" not in codes(report, Level.WRONG)


@pytest.mark.parametrize(("hook", "code"), [
    (account.webhook("https://elsewhere.example/hooks", public_key=SIGNER.public_key), "webhook-url"),
    (account.webhook(HOOK, public_key=SIGNER.public_key, enabled=False), "webhook-off"),
    (account.webhook(HOOK, public_key=SIGNER.public_key, bounce=False), "webhook-deaf"),
    (account.webhook(HOOK, public_key=SIGNER.public_key, open=False), "webhook-less"),
    (account.webhook(HOOK), "webhook-unsigned"),
    (account.webhook(HOOK, public_key=Signer().public_key), "webhook-key"),
    ({}, "webhook-url"),
], ids=["elsewhere", "off", "deaf", "no opens", "unsigned", "another key", "none"])
def test_a_webhook_that_is_not_set_right(ask: Ask, hook: dict[str, object], code: str) -> None:
    """Each fault by itself; in practice it is something to look at."""
    assert code in codes(ask(webhooks=(hook,)), Level.LOOK)


def test_a_verification_key_that_is_none(ask: Ask) -> None:
    """Half of it, or something else altogether."""
    assert "webhook-key-unsound" in codes(ask(webhook_key="MFkwEwYHKoZI"), Level.WRONG)
    assert "webhook-no-key" in codes(ask(webhook_key=""), Level.LOOK)


def test_a_key_in_pem_is_the_same_key() -> None:
    """Some copy it with its armour."""
    pem = f"-----BEGIN PUBLIC KEY-----\n{SIGNER.public_key[:64]}\n{SIGNER.public_key[64:]}\n-----END PUBLIC KEY-----\n"
    assert provider._der(pem) == provider._der(SIGNER.public_key) != b""
    assert provider._is_p256(provider._der(pem))


def test_sendgrid_away(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody listens there."""
    ask()
    monkeypatch.setenv("PILLARBOX_SENDGRID_URL", "http://127.0.0.1:9")
    assert "sendgrid-away" in codes(examine(tmp_path / "project"), Level.WRONG)


def test_a_clock_that_is_wrong(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """SendGrid's answers carry its time: a minute and a half apart, and signatures and schedules go astray."""
    monkeypatch.setattr("pillarbox.standin.handler.formatdate", lambda **_: "Mon, 23 Nov 2020 02:00:00 GMT")
    assert "clock" in codes(ask(), Level.WRONG)


def test_no_key_is_ever_shown(ask: Ask) -> None:
    """Neither SendGrid's nor ours."""
    said = str(ask(api_key="SG.k").to_json())
    assert "SG.k" not in said
    assert "a key for tests only" not in said
