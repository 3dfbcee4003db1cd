"""What differs between two versions of a letter, as people read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from pillarbox.content import bundle as bundles
from pillarbox.content.bundle import Bundle
from pillarbox.mailings.changes import Change, Version, between, flat, print_of, shown
from pillarbox.model.config import Settings
from tests import projects


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder."""
    return projects.make(tmp_path / "project", light=False).folder


def frozen(folder: Path, **sender: str) -> Bundle:
    """Its appeal, frozen."""
    settings = Settings.model_validate({"folder": folder, "sender": {"name": "The Harbour Trust", **sender}})
    made, found = bundles.gather(settings, "harbour", folder)
    assert made, found
    return made


def changed(before: Bundle, after: Bundle) -> tuple[Change, ...]:
    """What differs."""
    return between(Version(bundle=before, facts={"Messages": "40"}), Version(bundle=after, facts={"Messages": "40"}))


def rewrite(folder: Path, old: str, new: str, file: str = "letter.md") -> None:
    """Change words in the appeal's folder."""
    path = folder / "appeals" / "harbour" / file
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_nothing_changed_is_no_change(folder: Path) -> None:
    """The same folder read twice."""
    assert changed(frozen(folder), frozen(folder)) == ()
    assert print_of(frozen(folder)) == print_of(frozen(folder))


def test_words_are_compared_by_line_and_the_differing_ones_marked(folder: Path) -> None:
    """With the number of the line in the file that staff edit."""
    before = frozen(folder)
    rewrite(folder, "burned since 1862", "burnt since 1862")
    [change] = changed(before, frozen(folder))
    assert change.what == "Words of appeals/harbour/letter.md"
    assert [(line.sign, line.number) for line in change.lines] == [("-", 5), ("+", 5)]
    assert [part.text for line in change.lines for part in line.parts if part.changed] == ["burned", "burnt"]
    assert print_of(before) != print_of(frozen(folder))


def test_lines_that_came_and_went_are_shown_whole(folder: Path) -> None:
    """A new paragraph, and one that is gone."""
    before = frozen(folder)
    rewrite(folder, "::: donate", "A new line.\n\n::: donate")
    [change] = changed(before, frozen(folder))
    assert [(line.sign, line.text) for line in change.lines] == [("+", "A new line."), ("+", "")]


def test_far_from_a_change_a_long_line_is_cut(folder: Path) -> None:
    """A paragraph is one line of Markdown: nobody looks for one word in six hundred."""
    rewrite(folder, "Please", "word " * 300 + "Please")
    before = frozen(folder)
    rewrite(folder, "Please", "Kindly")
    [change] = changed(before, frozen(folder))
    assert all(len(line.text) < 160 for line in change.lines)
    assert "…" in change.lines[0].text


def test_subject_sender_and_links_have_names_of_their_own(folder: Path) -> None:
    """What staff call them; the subject comes first."""
    before = frozen(folder)
    rewrite(folder, "needs you,", "calls you,", "appeal.toml")
    rewrite(folder, 'kind = "appeal"', 'kind = "appeal"\n[links]\nshare = "https://harbour.example/s"', "appeal.toml")
    after = frozen(folder, reply_to="ann@harbour.example")
    assert [change.what for change in changed(before, after)] == ["Subject", "Link: share", "Reply address",
                                                                  "Link: share"]


def test_layout_files_and_images_are_compared(folder: Path) -> None:
    """A layout by its lines, an image by its name and weight."""
    before = frozen(folder)
    (folder / "templates").mkdir()
    (folder / "templates" / "letter.css").write_text("p { color: red }\n", "utf-8")
    images = folder / "appeals" / "harbour" / "images"
    images.mkdir()
    Image.new("RGB", (40, 20), "navy").save(images / "pier.png")
    found = {change.what: change for change in changed(before, frozen(folder))}
    assert any(what.startswith("Layout ") and what.endswith("letter.css") for what in found)
    [line] = found["Image pier.png"].lines
    assert line.sign == "+"
    assert re.match(r"\d+ bytes \(fingerprint [0-9a-f]{8}\)", line.text)


def test_facts_are_compared_in_words(folder: Path) -> None:
    """Whom it is for, and how many."""
    one = frozen(folder)
    [change] = between(Version(bundle=one, facts={"Messages": "40"}), Version(bundle=one, facts={"Messages": "43"}))
    assert (change.what, [line.text for line in change.lines]) == ("Messages", ["40", "43"])


def test_a_huge_letter_is_counted_not_compared(folder: Path) -> None:
    """Six thousand lines are told apart at once."""
    rewrite(folder, "Please", "A line.\n" * 6_000)
    before = frozen(folder)
    rewrite(folder, "A line", "B line")
    [change] = changed(before, frozen(folder))
    assert all("too many to compare" in line.text for line in change.lines)


def test_what_cannot_be_seen_is_named() -> None:
    """Nothing in a letter steers the terminal of whoever approves it, or hides in it."""
    assert shown("a\x1b[2Jb\u202ec") == "a‹U+001B›[2Jb‹U+202E›c"
    assert shown("سالام\u200c") == "سالام\u200c"


def test_every_field_of_a_bundle_is_compared(folder: Path) -> None:
    """Whatever a bundle learns to carry, an approval binds to it: none is left out by a list of names."""
    paths = flat(frozen(folder))
    for wanted in ("appeal.subject", "appeal.layout", "appeal.language", "appeal.kind", "appeal.letter",
                   "theme.colours.accent", "sender.name", "templates.letter.css"):
        assert wanted in paths, wanted
    assert not any(path.endswith("_line") for path in paths)


def test_of_a_variant_only_what_is_its_own_is_told(folder: Path) -> None:
    """What it shares with the letter changes once; its own words stand under its name."""
    rewrite(folder, "kind =", 'subject.b = "Storm"\nkind =', "appeal.toml")
    before = frozen(folder)
    rewrite(folder, "burned since 1862", "burnt since 1862")
    rewrite(folder, "Storm", "A storm", "appeal.toml")
    after = frozen(folder)
    assert {change.what for change in changed(before, after)} == {"Words of appeals/harbour/letter.md",
                                                                  "Subject of variant b"}
    assert len(changed(before, after)) == 2
    assert print_of(before) != print_of(after)
    (folder / "appeals" / "harbour" / "letter.b.md").write_text("Dear you\n", "utf-8")
    [change] = changed(after, frozen(folder))
    assert change.what == "Words of appeals/harbour/letter.b.md"
