"""The charity's own words: read from two files, known in their forms, kept out of letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.content import templates
from pillarbox.content.words import parse, read
from pillarbox.ground.resources import shipped


@pytest.mark.parametrize(("word", "known"), [
    ("zorblat", True), ("Zorblat", True), ("ZORBLAT", True), ("zorblats", True), ("zorblat’s", True),
    ("zorblats’", True),
    ("Kippa", True), ("kippa", False), ("Kippas", True), ("Kippa’s", True), ("zorb", False), ("remark", False),
    ("Ren\u00e9", True), ("Rene\u0301", True), ("Rene", False), ("quilpies", True)])
def test_words_are_known_in_their_forms(word: str, known: bool) -> None:
    """Small letters however they are written, capitals as they are; plurals and possessives; composed accents."""
    assert parse("zorblat # remark\n\nKippa Rene\u0301\nquilpy").know(word) is known


def test_a_project_without_a_list_has_the_one_that_ships(tmp_path: Path) -> None:
    """And its own takes that one's place; an appeal's is added."""
    assert read(tmp_path, "spring")[0].know("Uyghur")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "words.txt").write_text("zorblat", "utf-8")
    (tmp_path / "appeals" / "spring").mkdir(parents=True)
    (tmp_path / "appeals" / "spring" / "words.txt").write_text("quilpy", "utf-8")
    known, findings = read(tmp_path, "spring")
    assert known.words == {"zorblat", "quilpy"}
    assert findings == ()


def test_a_list_that_leads_elsewhere_is_told(tmp_path: Path) -> None:
    """A link out of the folder is not followed."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "secret.txt").write_text("zorblat", "utf-8")
    (tmp_path / "templates" / "words.txt").symlink_to(tmp_path / "secret.txt")
    known, [finding] = read(tmp_path, "spring")
    assert (known.words, finding.code) == (frozenset(), "path-outside")


def test_the_list_is_no_template(tmp_path: Path) -> None:
    """It is in no bundle: a word that is added asks for no new approval."""
    assert (shipped("templates") / "words.txt").exists()
    assert "words.txt" not in templates.read(tmp_path)[0]
