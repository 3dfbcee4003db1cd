"""Settings that nobody can mean are refused when they are read, not when letters leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.ground.errors import SettingsError
from pillarbox.model import config


@pytest.mark.parametrize(("said", "words"), [
    ('[project]\nzone = "Europe/Lundon"', "no time zone called 'Europe/Lundon'"),
    ('[project]\nzone = "Europe"', "no time zone called 'Europe'"),
    ('[project]\nzone = ""', "no time zone"),
    ("[limits]\nwarm_up = [500, 0]", "at least 1 message"),
    ("[limits]\nwarm_up = [-5]", "at least 1 message"),
    ('[limits]\ndomains = { "sky.com" = inf }', "above 0"),
    ('[limits]\ndomains = { "sky.com" = nan }', "above 0"),
    ('[limits]\ndomains = { "@sky.com" = 10 }', "the part after the @"),
    ("[limits]\nper_second = nan", "per_second"),
    ("[brakes]\nunsure_batches = 0", "unsure_batches"),
])
def test_each_is_said_in_a_sentence(said: str, words: str, tmp_path: Path) -> None:
    """Section, setting, and what is wrong."""
    (tmp_path / config.FILE).write_text(said, "utf-8")
    with pytest.raises(SettingsError, match="The settings have faults") as fault:
        config.load(tmp_path, environ={})
    assert words in fault.value.sentence()


def test_what_can_be_is_taken(tmp_path: Path) -> None:
    """Domains in any letter case; a plan that grows."""
    (tmp_path / config.FILE).write_text(
        '[project]\nzone = "America/New_York"\n[limits]\nwarm_up = [500, 1000]\ndomains = { "Sky.com" = 10 }', "utf-8")
    limits = config.load(tmp_path, environ={}).limits
    assert (limits.warm_up, dict(limits.domains)) == ((500, 1000), {"sky.com": 10.0})
