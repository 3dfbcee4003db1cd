"""Pairs of what is said in a letter: spelling, marks, quotations, and what still waits for words."""

from __future__ import annotations

from itertools import product

from pillarbox.checking.spelling import MOST
from tests.checking.pairs.case import Pair, pair, said

_UNKNOWN = ["".join(each) for each in product(("zbrq", "qvbz", "xkwz"), ("awq", "ewq", "iwq", "owq", "uwq"),
                                              ("bz", "dz", "gz"))]
"""Words of no language."""

PAIRS: tuple[Pair, ...] = (
    said("spelling", "It has a particuar light.", "It has a particular light."),
    said("spelling-many", " ".join(_UNKNOWN[:MOST + 1]), " ".join(_UNKNOWN[:MOST]), besides=("spelling",)),
    pair("spelling-off", "appeal", 'language = "fr"\n', 'language = "en-US"\n'),
    said("accent-lost", "Rene Cassin lit it.", "René Cassin lit it."),
    said("mixed-up", "It has it’s own light.", "It has its own light."),
    said("doubled-word", "It has the the light.", "It has the light."),
    # ------------------------------------------------------------------------------------------ marks
    said("blank-before-mark", "It burns , and shines.", "It burns, and shines."),
    said("doubled-mark", "It burns,, and shines.", "It burns, and shines."),
    said("no-blank-after-mark", "It burns,and shines.", "It burns, and shines."),
    said("two-blanks", "It burns  and shines.", "It burns and shines."),
    said("quote-not-closed", "She said, “It burns.", "She said, “It burns.”"),
    said("quote-not-opened", "She said, It burns.”", "She said, “It burns.”"),
    said("quote-without-stop", "She said: “The lamp has burned through every winter night”",
         "She said: “The lamp has burned through every winter night.”"),
    said("false-apostrophe", "It doesn´t burn.", "It doesn’t burn."),
    said("straight-quotes", "“It doesn't burn.”", "“It doesn’t burn.”"),
    # ------------------------------------------------------------------------------------------ what was to become
    said("foreign-field", "Come, *|FNAME|*.", "Come, {{ supporter.first_name or 'friend' }}."),
    said("stars-left", "Come ** now**.", "Come **now**."),
    said("stand-in-words", "Your £XX lights it.", "Your £10 lights it."),
    said("table-not-made", "| Day | Hour |\n|-----|------|\n| Mon | 10am |", "- Mon: 10am"),
    said("not-yet-written", "Come on [[a Tuesday in March]].", "Come on a Tuesday in March."),
    # ------------------------------------------------------------------------------------------ days (10 December 2026)
    said("other-day", "Today, 11th December, it burns.", "Today, 10th December, it burns."),
    said("weekday", "On Friday 10 December it burns.", "On Thursday 10 December it burns."),
    said("no-such-day", "It burns on 31 November.", "It burns on 30 November."),
    said("past-day", "Join us on 9 December 2026.", "Join us on 11 December 2026."),
    said("stale-year", "It burns next year, 2025.", "It burns next year, 2027."),
    said("anniversary", "This is the 70th anniversary of the lamp of 1948.",
         "This is the 78th anniversary of the lamp of 1948."),
    said("date-comma", "It burned on 10 December, 1948.", "It burned on 10 December 1948."),
    pair("old-date", "appeal", "date = 2025-12-10\n", "date = 2026-12-09\n", letter="It burns next year.\n"),
)
