"""Pairs of what is wrong with a link, with the pages behind it, and with what was to become one."""

from __future__ import annotations

from tests.checking.pairs.case import SITE, Pair, pair, said, written

PAIRS: tuple[Pair, ...] = (
    said("bad-link", "See [the lamp](ftp://harbour.example/lamp).", "See [the lamp](https://harbour.example/lamp)."),
    said("http-link", "See [the lamp](http://harbour.example/lamp).", "See [the lamp](https://harbour.example/lamp)."),
    written("anchor-nowhere", '<h2 id="lamp">It</h2><a href="#lmap">The lamp</a>',
            '<h2 id="lamp">It</h2><a href="#lamp">The lamp</a>'),
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
    said("dead-link", f"See [the lamp]({SITE}/gone).", f"See [the lamp]({SITE}/there).", online=20),
    said("link-unanswered", f"See [the lamp]({SITE}/broken).", f"See [the lamp]({SITE}/members).", online=20),
    said("moved-link", f"See [the lamp]({SITE}/old).", f"See [the lamp]({SITE}/lent).", online=20),
    pair("links-unasked", "online", 0.2, 20, letter=f"See [the lamp]({SITE}/slow).\n"),
)
