"""Pairs of what shows only when a letter is composed for a list, and of what the law and good manners want in it."""

from __future__ import annotations

from tests.checking.pairs.case import Pair, laid_out, pair, said

_FOLLOWING = "{% for _ in range(supporter.number | int) %}.{% endfor %}"

PAIRS: tuple[Pair, ...] = (
    said("no-fallback", "Come, {{ supporter.first_name }}.", "Come, {{ supporter.first_name or 'friend' }}.",
         people="few"),
    said("nobody-has", "Come to {{ supporter.twon or 'us' }}.", "Come to {{ supporter.town or 'us' }}.", people="few"),
    said("many-versions", f"You are one of many{_FOLLOWING}", "You are number {{ supporter.number }}.", people="crowd"),
    laid_out("no-unsubscribe", ">Unsubscribe<", ">Leave us<"),
    laid_out("no-address", "{{ charity.address }}, ", ""),
    laid_out("no-charity-number", "{{ charity.number }}", "of England"),
    pair("no-text-part", "letter", None, "Come.\n", html="<p>Come.</p>\n"),
    pair("unknown-client", "settings", "[check]\nclients = { gmial = 0.4 }\n", "[check]\nclients = { gmail = 0.4 }\n"),
    pair("check-failed", "failing", True, False),
    pair("ignore-error", "appeal", '[check]\nignore = { bad-link = "It is ours." }\n',
         '[check]\nignore = { http-link = "It is ours." }\n',
         letter="See [the lamp](ftp://harbour.example/lamp).\n", besides=("bad-link", "ignore-nothing")),
    pair("ignore-nothing", "appeal", '[check]\nignore = { vague-link = "It is ours." }\n',
         '[check]\nignore = { http-link = "It is ours." }\n',
         letter="See [the lamp](http://harbour.example/lamp).\n", besides=("http-link",)),
)
