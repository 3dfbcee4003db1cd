"""Segments are read whole: every fault at once, with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pillarbox.ground.errors import ListError
from pillarbox.people import segments
from pillarbox.people.segments import Segment

ROOT = Path(__file__).resolve().parents[2]

GOOD = """
[lapsed]
gave = true
not_gave_since = 2025-01-01
country = "gb"

[northern]
lists = ["newsletter"]
fields = { town = ["Leeds", "York"], member = "yes" }
"""
BAD = """[everybody]

[lapsed]
gave = true
never_gave = true

[typo]
lists = ["a"]
contry = "GB"

[where]
country = ["England"]
joined_after = "soon"

[Odd_Name]
gave = true

[inner]
[inner.fields]
"Bad Name" = "x"
"""


def test_a_segment_is_read_as_written(tmp_path: Path) -> None:
    """One word or several; dates as dates; and the same again from what a bundle keeps."""
    path = tmp_path / "segments.toml"
    path.write_text(GOOD, "utf-8")
    found = segments.read(path)
    assert found == {
        "lapsed": Segment(gave=True, not_gave_since=date(2025, 1, 1), country=("GB",)),
        "northern": Segment(lists=("newsletter",), fields={"town": ("Leeds", "York"), "member": ("yes",)})}
    assert segments.from_json({name: segment.to_json() for name, segment in found.items()}) == found


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Name of the segment, key and line of each."""
    path = tmp_path / "segments.toml"
    path.write_text(BAD, "utf-8")
    with pytest.raises(ListError) as caught:
        segments.read(path)
    said = caught.value.sentence()
    for words in ("line 1: [everybody] an empty segment", "line 3: [lapsed] never_gave cannot hold",
                  "line 9: [typo] contry: not known", "line 12: [where] country: 'England' is no two-letter",
                  "line 13: [where] joined_after", "line 15: 'Odd_Name' should be",
                  "line 19: [inner] fields: 'Bad Name'"):
        assert words in said


@pytest.mark.parametrize("rule", ["gave = false", "lists = []", "fields = {}"])
def test_a_rule_that_asks_for_nothing_is_refused(tmp_path: Path, rule: str) -> None:
    """It would be everybody, and could not be read again from a bundle, which keeps only what a segment asks for."""
    path = tmp_path / "segments.toml"
    path.write_text(f"[idle]\n{rule}\n", "utf-8")
    with pytest.raises(ListError, match=r"line 1: \[idle\] an empty segment"):
        segments.read(path)


def test_no_file_means_no_segments(tmp_path: Path) -> None:
    """A project without segments is in order; one with broken TOML is told so."""
    assert segments.read(tmp_path / "segments.toml") == {}
    (tmp_path / "segments.toml").write_text("[x", "utf-8")
    with pytest.raises(ListError, match="not valid TOML"):
        segments.read(tmp_path / "segments.toml")


def test_the_shipped_segments_are_in_order() -> None:
    """What ships in lists/ can be used as it is."""
    assert segments.read(ROOT / "lists" / "segments.toml")
