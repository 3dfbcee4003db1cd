"""Pairs of what an inbox, and the filter before it, make of a letter."""

from __future__ import annotations

from pillarbox.checking.essentials import MAX_SUBJECT
from pillarbox.checking.subject import LONG, LONG_PREHEADER, SHORT_PREHEADER
from tests.checking.pairs.case import Pair, pair

_WORDS = "The lamp in the tower of the harbour burns again and every ship comes home "


def long(words: int) -> str:
    """A sentence of so many characters."""
    return (_WORDS * 3)[: words - 1].replace("  ", " ").rstrip().ljust(words, "s")


PAIRS: tuple[Pair, ...] = (
    pair("empty-subject", "subject", "{% if supporter.title %}The lamp{% endif %}",
         "{% if supporter.title %}The lamp{% else %}A light{% endif %}"),
    pair("broken-subject", "subject", "Come{% if supporter.first_name %}, friend{% endif %} , and see",
         "Come{% if supporter.first_name %}, friend{% endif %}, and see"),
    pair("long-subject", "subject", long(MAX_SUBJECT + 1), long(MAX_SUBJECT)),
    pair("subject-on-phones", "subject", long(LONG + 1), long(LONG)),
    pair("subject-capitals", "subject", "THE LAMP BURNS", "The LAMP burns"),
    pair("subject-shouting", "subject", "The lamp burns!!", "The lamp burns!"),
    pair("subject-reply", "subject", "Re: The lamp", "Report: The lamp"),
    pair("subject-emoji", "subject", "The lamp burns 🔥🔥", "The lamp burns 🔥"),
    pair("new-emoji", "subject", "The lamp burns \U0001faff", "The lamp burns 🔥"),
    pair("no-preheader", "preheader", "", "Your help keeps it burning, all the winter."),
    pair("preheader-repeats", "preheader", "The lamp burns again: come and see it",
         "Your help has lit it: come and see it"),
    pair("preheader-short", "preheader", long(SHORT_PREHEADER - 1), long(SHORT_PREHEADER)),
    pair("preheader-long", "preheader", long(LONG_PREHEADER + 1), long(LONG_PREHEADER)),
    pair("spam-score", "score", "No, score=1.5 required=5.0 tests=URG_BIZ version=4",
         "No, score=0.0 required=5.0 tests=HTML_MESSAGE version=4"),
    pair("spam-unknown", "score", "out of order", "No, score=0.0 required=5.0 tests=none version=4"),
)
