"""A new letter's folder: whole or not there at all, and what is copied says what must change."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pillarbox.content import starters
from pillarbox.ground.errors import LetterError, Refused

TOML = """# The winter letter.
title = "Old title"      # the headline
subject = "Old subject"
"subject.b" = 'Another'
preheader = "Old words"
date = 2021-02-03
series = "winter"

[links]
share = "https://example.org/old"
donate = "https://example.org/give"

[variants.c]
subject = "A third"
"""


def old(project: Path, toml: str = TOML) -> Path:
    folder = project / "appeals" / "old"
    (folder / "images").mkdir(parents=True)
    (folder / "appeal.toml").write_text(toml, "utf-8")
    (folder / "letter.md").write_text("Dear friend,\n\nOn 24 January 2021, a Sunday, may we march?\n", "utf-8")
    (folder / "letter.b.md").write_text("Next year.\n", "utf-8")
    (folder / "CORRECTIONS.md").write_text("ours", "utf-8")
    (folder / "images" / "a.png").write_bytes(b"\x89PNG")
    (folder / "images" / ".DS_Store").write_bytes(b"x")
    return folder


def test_a_copy_keeps_words_and_images_and_loses_what_was_the_other_letters(tmp_path: Path) -> None:
    """Title, subjects and preheader wait to be written; date and series go; comments stay."""
    old(tmp_path)
    copy = starters.copied(tmp_path, "old", "New title")
    assert sorted(copy.files) == ["appeal.toml", "images/a.png", "letter.b.md", "letter.md"]
    settings = tomllib.loads(copy.files["appeal.toml"].decode())
    assert settings == {
        "title": "New title", "subject": "[[What a friend would write above it]]",
        "subject.b": "[[What a friend would write above it]]",
        "preheader": "[[The next thing that you would say]]",
        "links": {"share": "https://example.org/old", "donate": "https://example.org/give"},
        "variants": {"c": {"subject": "[[What a friend would write above it]]"}}}
    assert b"# The winter letter." in copy.files["appeal.toml"]
    said = " ".join(copy.todo)
    for words in ("title", "subject.b", "2021-02-03", "series: winter", "share",
                  "letter.md, line 3: is “24 January 2021”, “Sunday” still right?",
                  "letter.b.md, line 1: is “Next year”"):
        assert words in said
    assert "“may”" not in said


@pytest.mark.parametrize(("toml", "code"), [("title = ", "bad-toml"), (None, "missing-file")])
def test_what_cannot_be_read_is_not_copied(toml: str | None, code: str, tmp_path: Path) -> None:
    """The findings say why."""
    folder = old(tmp_path, toml or TOML)
    if toml is None:
        (folder / "appeal.toml").unlink()
    with pytest.raises(LetterError) as caught:
        starters.copied(tmp_path, "old", "New")
    assert [each.code for each in caught.value.findings] == [code]  # type: ignore[attr-defined]


def test_what_exists_is_refused(tmp_path: Path) -> None:
    """A folder, a file or a link that leads nowhere: none is written over."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("folder", "file", "link"):
        with pytest.raises(Refused, match="already"):
            starters.place(tmp_path / name, {"letter.md": b"x"})


def test_a_full_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    """The second file cannot be written: no folder is there afterwards, under any name."""
    code = ("import resource, sys; from pathlib import Path; from pillarbox.content import starters\n"
            "from pillarbox.ground.errors import Refused\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try: starters.place(Path(sys.argv[1]), {'a.toml': b'x' * 10, 'letter.md': b'x' * 5000})\n"
            "except Refused as fault: print(fault.sentence())")
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path / "appeals" / "new")], text=True, check=True,
                          capture_output=True).stdout
    assert "nothing was made" in said
    assert list((tmp_path / "appeals").iterdir()) == []


@pytest.mark.parametrize("slug", ["", ".", "..", "../x", "a/b", "Big", "a--b", "-a", "a b", "ä", "a" * 101, "a\0b",
                                  "a\nb"])
def test_a_name_that_cannot_be_a_folder_is_refused(slug: str) -> None:
    """Small letters, digits and single hyphens, not too many of them."""
    with pytest.raises(Refused):
        starters.sound_slug(slug)


def test_a_project_may_have_starting_letters_of_its_own(tmp_path: Path) -> None:
    """``templates/new/<kind>/`` comes before the shipped one."""
    folder = tmp_path / "templates" / "new" / "appeal"
    folder.mkdir(parents=True)
    (folder / "appeal.toml").write_text('title = "%TITLE%"\nsubject = "x"\n', "utf-8")
    (folder / "letter.md").write_text("Ours, %SLUG%, {{ x }}, 100%\n", "utf-8")
    made = starters.starter(tmp_path, "appeal", {"TITLE": 'A "b" \\', "SLUG": "ours"})
    assert tomllib.loads(made["appeal.toml"].decode())["title"] == 'A "b" \\'
    assert made["letter.md"] == b"Ours, ours, {{ x }}, 100%\n"
