"""What the settings and the secret key alone tell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pillarbox.doctor import configuration
from pillarbox.doctor.examine import examine
from pillarbox.doctor.finding import Level
from tests.doctor.conftest import Look, level_of, set_to

SENDER = '[sender]\nname = "The Harbour Trust"\nemail = "letters@harbour.example"\n'


def test_a_sound_practice_project_has_nothing_wrong(look: Look) -> None:
    """What stands only against a live mailing is something to look at."""
    report = look()
    assert report.practice
    assert report.ok, report.at(Level.WRONG)
    assert level_of(report, "not-live") is Level.LOOK
    assert {"settings", "key", "database", "database-whole", "transport", "mailings", "worker", "clock"} <= {
        finding.code for finding in report.at(Level.WELL)}


def test_no_project_here(tmp_path: Path) -> None:
    """A sentence, and nothing is made."""
    report = examine(tmp_path)
    assert [finding.code for finding in report.findings] == ["no-project"]
    assert not list(tmp_path.iterdir())


def test_every_fault_of_the_settings_at_once(folder: Path) -> None:
    """Nobody mends one only to hear of the next."""
    set_to(folder, '[project]\nhome = "boat"\n[limits]\nper_second = -1\n[brakes]\ncomplaintz = 1\n')
    (finding,) = examine(folder).findings
    assert finding.level is Level.WRONG
    for name in ("home", "per_second", "complaintz"):
        assert name in finding.words


def test_a_zone_that_does_not_exist(folder: Path) -> None:
    """Said before anything would need it."""
    set_to(folder, f'[project]\nzone = "Europe/Londn"\n{SENDER}')
    (finding,) = examine(folder).at(Level.WRONG)
    assert "Europe/Londn" in finding.words


def test_addresses_and_links_that_cannot_be(folder: Path) -> None:
    """Each by the name of its setting."""
    set_to(folder, f'[staff]\nemail = ["office"]\n[links]\ndonate = "give.harbour.example"\n{SENDER}reply_to = "a b"\n')
    report = examine(folder)
    wrong = [finding.words for finding in report.at(Level.WRONG)]
    assert any("[staff] email" in words for words in wrong)
    assert any("[sender] reply_to" in words for words in wrong)
    assert any("[links] donate" in words for words in wrong)


def test_a_free_mailbox_is_no_from_address(folder: Path) -> None:
    """Others refuse letters that claim to come from one."""
    set_to(folder, '[project]\ntransport = "smtp"\n[smtp]\nhost = "mail.harbour.example"\n'
                   '[sender]\nname = "H"\nemail = "harbour@gmail.com"\n')
    settings, _ = configuration.read(folder)
    assert settings is not None
    assert "from-free-mail" in [finding.code for finding in configuration.examine(settings)
                                if finding.level is Level.WRONG]


def test_secrets_do_not_stand_in_the_settings_file(folder: Path) -> None:
    """They come from the environment; and what they are is not repeated."""
    set_to(folder, f'{SENDER}[sendgrid]\napi_key = "SG.very-secret"\n')
    report = examine(folder)
    assert level_of(report, "secret-in-file") is Level.LOOK
    assert "very-secret" not in str(report.to_json())


def test_a_slip_in_the_environment(look: Look) -> None:
    """A name that no setting has is said, since it does nothing."""
    report = look(PILLARBOX_TRANSPROT="sendgrid", PILLARBOX_BACKUP_KEY_FILE="/dev/null")
    found = [finding.words for finding in report.findings if finding.code == "environment"]
    assert len(found) == 1
    assert "PILLARBOX_TRANSPROT" in found[0]


def test_a_key_that_others_can_read(folder: Path, look: Look) -> None:
    """Wrong, with the command that mends it."""
    (folder / "pillarbox.key").chmod(0o644)
    report = look()
    assert level_of(report, "key-open") is Level.WRONG
    assert "chmod 600" in next(finding.todo for finding in report.findings if finding.code == "key-open")


def test_a_missing_key(folder: Path, look: Look) -> None:
    """Without it nobody who left would be recognised."""
    (folder / "pillarbox.key").unlink()
    assert level_of(look(), "key-missing") is Level.WRONG


@pytest.mark.parametrize("below", ["", "charity"])
def test_a_key_in_git(tmp_path: Path, below: str) -> None:
    """Found in git's own index, wherever in the repository the project lies."""
    home = tmp_path / below
    home.mkdir(exist_ok=True)
    key = home / "pillarbox.key"
    key.write_text("x", "utf-8")
    assert not configuration.in_git(key)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert not configuration.in_git(key)
    subprocess.run([*git, "add", "-f", str(key)], check=True)
    assert configuration.in_git(key)


def test_worst_first(folder: Path, look: Look) -> None:
    """What is wrong, what to look at, what is well."""
    (folder / "pillarbox.key").chmod(0o644)
    levels = [finding.level for finding in look().findings]
    assert levels == sorted(levels, key=list(Level).index)
    assert levels[0] is Level.WRONG
