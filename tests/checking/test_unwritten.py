"""Words that a new letter was begun with are told, until they are written; nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pillarbox.checking import unwritten
from pillarbox.checking.matter import Matter
from pillarbox.compose.letter import build
from pillarbox.model.config import Settings
from pillarbox.model.records import Finding, Level
from pillarbox.model.sections import ProjectSettings
from tests.compose.test_letter import DAY, TOML, bundle_of

LIVE = ProjectSettings(transport="sendgrid")


def found(folder: Path, letter: str, toml: str = TOML, **settings: Any) -> list[Finding]:
    bundle = bundle_of(folder, letter, toml=toml)
    return list(unwritten.look(Matter(bundle=bundle, letter=build(bundle, date=DAY, mailing={}), day=DAY,
                                      settings=Settings(folder=folder, **settings), shapes=())))


def test_what_waits_is_told_once_a_file_with_its_lines(tmp_path: Path) -> None:
    """Subject and letter; hints in comments may say [[anything]]."""
    toml = 'title = "A"\nsubject = "On [[a day]]"\n'
    said = found(tmp_path, "{# [[hint]]\n #}\nOn [[a day]] we [[met]].\n\n{% if 1 %}\n[[Ada]]\n{% endif %}\n", toml)
    assert [(each.code, each.level.value, each.file, each.line) for each in said] == [
        ("not-yet-written", "warning", "appeals/spring/appeal.toml", 2),
        ("not-yet-written", "warning", "appeals/spring/letter.md", 3)]
    assert "3 places" in said[1].message
    assert "lines 3, 6" in said[1].message


def test_a_live_mailing_does_not_leave_with_them(tmp_path: Path) -> None:
    """What a warning is while staff practise, stops a plan when people would read it."""
    assert [each.level for each in found(tmp_path, "Dear [[name]]\n", project=LIVE)] == [Level.ERROR]
    assert [each.level for each in found(tmp_path, "Dear [[name]]\n")] == [Level.WARNING]


def test_a_written_letter_is_silent(tmp_path: Path) -> None:
    """Links, notes and single brackets are a writer's own."""
    assert found(tmp_path, "A [link](https://example.org/), a note[^1] and {{ [[1, 2], [3]] | length }} [sic].\n\n"
                           "[^1]: Here.\n") == []
