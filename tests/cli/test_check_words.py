"""``check``: what is said in a letter, for the day that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import make

LETTER = "Dear friend\n\nToday, 10th December, has a particuar significance.\n"


def test_check_reads_the_letter_for_a_day(tmp_path: Path) -> None:
    """``--for 2026-12-10``: the day holds, and the misprint is told; on another day both are. Neither stops a plan."""
    project = make(tmp_path, letter=LETTER)
    found = project.json("check", "harbour", "--for", "2026-12-10")
    assert found["ok"]
    assert [(each["code"], each["level"], each["file"], each["line"]) for each in found["findings"]
            if each["code"] in ("other-day", "spelling")] == [
        ("spelling", "warning", "appeals/harbour/letter.md", 3)]
    codes = [each["code"] for each in project.json("check", "harbour", "--for", "2026-12-12")["findings"]]
    assert "other-day" in codes


def test_check_refuses_what_is_no_date(tmp_path: Path) -> None:
    """Usage: exit 2."""
    make(tmp_path).run("check", "harbour", "--for", "tomorrow", expect=2)


def test_check_says_when_spam_was_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line at its end, and nothing in the findings that are counted."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    project = make(tmp_path)
    assert "SpamAssassin is not installed here" in project.run("check", "harbour").stdout
    assert "spam" not in str(project.json("check", "harbour")["findings"])


def test_a_new_project_has_a_list_of_words(tmp_path: Path) -> None:
    """``init`` puts templates/words.txt there to be changed."""
    make(tmp_path / "other").run("init", str(tmp_path / "new"))
    assert "René" in (tmp_path / "new" / "templates" / "words.txt").read_text("utf-8")
