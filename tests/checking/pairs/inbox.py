"""Pairs of what an inbox, and the filter before it, make of a letter."""

from __future__ import annotations

from pillarbox.checking.essentials import MAX_SUBJECT
from pillarbox.checking.subject import LONG, LONG_PREHEADER, SHORT_PREHEADER
from tests.checking.pairs.case import Pair, pair

_WORDS = "Every ship has come home to us from the sea since then and we thank you for it with all our heart in " * 2


def long(count: int) -> str:
    """Words of so many characters, with a number at their end."""
    return (_WORDS[: count - 1].rpartition(" ")[0] + " ").ljust(count, "1")


PAIRS: tuple[Pair, ...] = (
    pair("empty-subject", "subject", "{% if supporter.title %}The lamp{% endif %}",
         "{% if supporter.title %}The lamp{% else %}A light{% endif %}"),
    pair("broken-subject", "subject", "Come{% if supporter.first_name %}, friend{% endif %} , and see",
         "Come{% if supporter.first_name %}, friend{% endif %}, and see"),
    pair("long-subject", "subject", long(MAX_SUBJECT + 1), long(MAX_SUBJECT), besides=("subject-on-phones",)),
    pair("subject-on-phones", "subject", long(LONG + 1), long(LONG)),
    pair("subject-capitals", "subject", "THE LAMP BURNS", "The LAMP burns"),
    pair("subject-shouting", "subject", "The lamp burns!!", "The lamp burns!"),
    pair("subject-reply", "subject", "Re: The lamp", "Report: The lamp"),
    pair("subject-emoji", "subject", "The lamp burns 🔥🔥", "The lamp burns 🔥"),
    pair("preheader-emoji", "preheader", "Your help keeps it burning, all the winter. 🔥🔥",
         "Your help keeps it burning, all the winter. 🔥"),
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
