"""Pairs of what composing a letter finds."""

from __future__ import annotations

from tests.checking.pairs.case import Pair, beside, pair, said

_TWENTY = "".join(f"{{% if supporter.number == '{number}' %}}\n\n{{{{ supporter.none{number} }}}}\n\n{{% endif %}}\n"
                  for number in range(20))
_ONE_MORE = _TWENTY + "{% if supporter.number == '20' %}\n\n{{ supporter.none20 }}\n\n{% endif %}\n"
RING = {"templates/lamp.html": b"{% include 'light.html' %}"}

PAIRS: tuple[Pair, ...] = (
    said("template-syntax", "{{ supporter.salutation }", "{{ supporter.salutation }}"),
    said("too-deep", "{{ " + "(" * 2_000 + "1" + ")" * 2_000 + " }}", "{{ " + "(" * 20 + "1" + ")" * 20 + " }}"),
    said("tag-crosses-blocks", "{% if supporter.title %}One.\n\nTwo.{% endif %}",
         "{% if supporter.title %}\nOne.\n\nTwo.\n{% endif %}"),
    said("unknown-directive", "::: donat\nGive now\n:::", "::: donate\nGive now\n:::"),
    said("directive-open", "::: donate\nGive now", "::: donate\nGive now\n:::"),
    said("directive-link", "::: button\nThe lamp\n:::", "::: button https://harbour.example/lamp\nThe lamp\n:::"),
    said("directive-body", "::: donate\nGive\n\nnow\n:::", "::: donate\nGive now\n:::"),
    said("directive-language", "::: lang\nVenez.\n:::", "::: lang fr\nVenez.\n:::"),
    pair("no-link", "appeal", "", '[links]\nsign_up = "https://harbour.example/join"\n',
         letter="::: sign-up\nJoin us\n:::\n"),
    said("footnote", "Come.[^1]", "Come.[^1]\n\n[^1]: To the harbour."),
    beside("circular-template", {**RING, "templates/light.html": b"{% include 'lamp.html' %}"},
           {**RING, "templates/light.html": b"A lamp."}, html="<p>Come.</p>{% include 'lamp.html' %}\n"),
    said("raw-html", "Come <b>now</b>.", "Come **now**."),
    said("undefined-name", "{{ supporter.salutaton }}", "{{ supporter.salutation }}"),
    beside("template-name", {"templates/lamp\u200b.html": b"A lamp."}, {"templates/lamp.html": b"A lamp."}),
    beside("missing-template", {"templates/lamps.html": b"A lamp."}, {"templates/lamp.html": b"A lamp."},
           html="<p>Come.</p>{% include 'lamp.html' %}\n"),
    said("syntax", "{{ supporter.salutation | uper }}", "{{ supporter.salutation | upper }}"),
    said("template", "{% if supporter.title %}{{ supporter.title | uper }}{% endif %}",
         "{% if supporter.title %}{{ supporter.title | upper }}{% endif %}"),
    said("unsafe", "{{ supporter.salutation.__class__ }}", "{{ supporter.salutation.upper() }}"),
    said("over-budget", "{% for number in range(1000000) %}{{ number }}{% endfor %}",
         "{% for number in range(10) %}{{ number }}{% endfor %}"),
    said("filter-failed", "{{ supporter.salutation + 1 }}", "{{ supporter.salutation ~ 1 }}"),
    said("slow-path", "{{ ('Hi! ' ~ supporter.salutation) | safe }}", "{{ 'Hi! ' ~ supporter.salutation }}"),
    pair("more-faults", "letter", _ONE_MORE, _TWENTY, people="crowd", besides=("nobody-has", "no-fallback")),
)
