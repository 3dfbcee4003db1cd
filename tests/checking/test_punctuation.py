"""Marks that stand wrong are found, and what only looks like it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.checking.examine import examine
from pillarbox.checking.punctuation import review
from tests.checking.wording import matter, passages


@pytest.mark.parametrize(("text", "code"), [
    ("his co-author , the lawyer", "blank-before-mark"), ("Really ?", "blank-before-mark"),
    ("Dear {{ supporter.first_name }} ,", "blank-before-mark"), ("We came .", "blank-before-mark"),
    ("yes,, no", "doubled-mark"), ("and so.. on", "doubled-mark"), ("yes,. no", "doubled-mark"),
    ("the end., then", "doubled-mark"),
    ("clothing,housing and", "no-blank-after-mark"), ("It ended.Then it began", "no-blank-after-mark"),
    ("‘give regularly’  button", "two-blanks"),
])
def test_a_mark_that_stands_wrong_is_told(text: str, code: str) -> None:
    """One finding each."""
    assert [each.code for each in review(passages(text))] == [code]


@pytest.mark.parametrize("text", [
    "Yes, no; so: well. “Really?” he asked, and went …", "an end …\n\n… and on", "Wait... what",
    "etc., e.g., i.e., Ltd., U.S., so",
    "£1,000.50 at 10.30 or 10:30", "See https://x.example/a,b or example.org.uk, a@example.org.", "Dear {{ x }},",
    "It ended.  Then it began.", "P.S. Yes", "the 1–2 of :) it", "No.Ten", "Node.js and .NET", "A.B.C",
    "::: lang fr\nVraiment ?\n:::", "Where are you? – here",
])
def test_marks_that_are_right_are_left_in_peace(text: str) -> None:
    """Ellipses, abbreviations, numbers, addresses, French, two blanks after a full stop."""
    assert list(review(passages(text))) == []


def test_punctuation_is_among_the_checks(tmp_path: Path) -> None:
    """``check`` runs it."""
    assert "blank-before-mark" in {each.code for each in examine(matter(tmp_path, "one , two\n"))}
