"""Doubled words are found, across lines too, and those that good sentences double are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.checking.doubled import review
from pillarbox.checking.examine import examine
from tests.checking.wording import matter, passages


@pytest.mark.parametrize(("text", "line"), [
    ("We wrote to to you", 1), ("We wrote\nto the\nthe harbour", 2), ("The the harbour", 1), ("It is a a lamp", 1),
    ("> for\n> for", 1), ("a the lamp", 1), ("to an the lamp", 1), ("**and** and so", 1),
])
def test_a_doubled_word_is_told(text: str, line: int) -> None:
    """With the line where it begins."""
    [finding] = review(passages(text))
    assert (finding.code, finding.line) == ("doubled-word", line)


@pytest.mark.parametrize("text", [
    "All that she had had was that that lamp", "a long, long way", "very very good", "Duran Duran sang",
    "the day-to-day day", "so-so so", "We wrote to\n\nto be clear", "{{ a }} {{ a }}", "he said he is", "10 10",
    "win-win",
    "Vitamin A a day", "::: lang fr\nnous nous voyons\n:::", "the {% if x %}the lamp{% endif %}", "in the A list",
    "{% if x %}today{% else %}the day{% endif %}",
])
def test_what_may_be_doubled_is_left_in_peace(text: str) -> None:
    """Had had, that that, names, hyphens, commas, values, other paragraphs, other languages."""
    assert list(review(passages(text))) == []


def test_doubled_words_are_among_the_checks(tmp_path: Path) -> None:
    """``check`` runs them."""
    assert "doubled-word" in {each.code for each in examine(matter(tmp_path, "to to you\n"))}
