"""Pairs of what is wrong with a link, with the pages behind it, and with what was to become one."""

from __future__ import annotations

from tests.checking.pairs.case import SITE, Pair, pair, said, written


def asked(code: str, page: str, other: str) -> Pair:
    """Two letters that lead to different pages of the website, and are checked with --online."""
    return said(code, f"See [the lamp]({SITE}/{page}).", f"See [the lamp]({SITE}/{other}).", online=20,
                besides=("http-link",))


PAIRS: tuple[Pair, ...] = (
    said("bad-link", "See [the lamp](ftp://harbour.example/lamp).", "See [the lamp](https://harbour.example/lamp)."),
    said("http-link", "See [the lamp](http://harbour.example/lamp).", "See [the lamp](https://harbour.example/lamp)."),
    written("anchor-nowhere", '<h2 id="lamp">It</h2><a href="#lmap">The lamp</a>',
            '<h2 id="lamp">It</h2><a href="#lamp">The lamp</a>', besides=("client-support",)),
    said("bad-mailto", "Write to [the keeper](mailto:keeper.example.org).",
         "Write to [the keeper](mailto:keeper@example.org)."),
    written("link-without-words", '<a href="https://harbour.example/lamp"></a>',
            '<a href="https://harbour.example/lamp">The lamp</a>'),
    said("vague-link", "See the lamp [here](https://harbour.example/lamp).",
         "See the lamp [in its tower](https://harbour.example/lamp)."),
    said("link-deceives", "See [www.lamp.example](https://harbour.example/).",
         "See [www.harbour.example](https://harbour.example/)."),
    said("short-link", "See [the lamp](https://bit.ly/lamp).", "See [the lamp](https://harbour.example/lamp)."),
    said("same-words", "[The lamp](https://harbour.example/lamp) and [the lamp](https://harbour.example/light).",
         "[The lamp](https://harbour.example/lamp) and [its light](https://harbour.example/light)."),
    said("nearly-same-link", "[The lamp](https://harbour.example/lamp), [its light](https://harbour.example/lamp/).",
         "[The lamp](https://harbour.example/lamp), [its light](https://harbour.example/lamp)."),
    said("untracked-donation", "[Give now](https://give.harbour.example/now).", "[Give now]({{ links.donate }})."),
    said("tracking-conflict", "See [the lamp](https://harbour.example/lamp?fbclid=a).",
         "See [the lamp](https://harbour.example/lamp?page=a)."),
    said("link-not-made", "See [the lamp] (https://harbour.example/lamp).",
         "See [the lamp](https://harbour.example/lamp)."),
    # ------------------------------------------------------------------------------------------ only when asked
    asked("dead-link", "gone", "there"),
    asked("link-unanswered", "broken", "members"),
    asked("moved-link", "old", "lent"),
    pair("links-unasked", "online", 0.2, 20, letter=f"See [the lamp]({SITE}/slow).\n", besides=("http-link",)),
)
