"""Random templates × random supporters: a trace equals plain Jinja. Guards upgrades of Jinja.

PILLARBOX_FUZZ multiplies the work (1 is about 20 seconds); PILLARBOX_FUZZ_SEED starts elsewhere.
"""
# ruff: noqa: E501 - templates read best on one line

from __future__ import annotations

import os
import random
import re
from typing import Any

import pytest
from markupsafe import escape

from pillarbox.compose.environment import SUBJECT, plain_environment
from pillarbox.compose.finish import SlowPath
from pillarbox.compose.trace import TraceEnvironment, decode
from pillarbox.model.records import Letter

ROUNDS = int(150 * float(os.environ.get("PILLARBOX_FUZZ", "1")))
SEED = int(os.environ.get("PILLARBOX_FUZZ_SEED", "1"))
CONSTANTS = {"charity": {"name": "R & C", "years": [1948, 2026]}, "accent": "#c00", "live": True}
WORDS = ["", "Ada", "<b>&\"'", "שלום", "🕊️", "a b c", "{{ x }}", "x7f00000x", "0"]


class Maker:
    """Writes random templates, and random supporters for them."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.simple = self.pick.random() < 0.6
        """Only what can be drawn into one flat template."""

    def path(self, names: list[str]) -> str:
        """Something that a template may read."""
        return self.pick.choice(["supporter.first_name", "supporter.town", "supporter['age']", "supporter.monthly", "links.donate",
                                 "charity.name", "accent", *names, *names])

    def value(self, names: list[str], depth: int = 2) -> str:
        """An expression."""
        one = self.path(names)
        if depth == 0:
            return one
        inner = self.value(names, depth - 1)
        return self.pick.choice([
            one, one, one, f"{inner}|string|upper", f"({inner}) ~ {one}", f"({one} if {inner} else {inner})",
            "supporter.gifts|length", f"{inner}|string|truncate(5)", "'lit <'", "3", f"{inner}|default('d')",
            "supporter.nick|default('n')", "supporter.gifts|map(attribute='fund')|join('/')", "supporter.age|ordinal",
            f"{inner}|string|replace('a', '<')", f"({inner})|string|length", "supporter.town.upper()", "charity.years[0] - 1",
            f"'%s!'|format({one})"])

    def body(self, names: list[str], depth: int) -> str:
        """A stretch of template."""
        return "".join(self.statement(names, depth) for _ in range(self.pick.randint(1, 4)))

    def statement(self, names: list[str], depth: int) -> str:
        """One statement, or text."""
        kind = self.pick.choice([0, 3, 4, 7, 9, 11, 13, 17, 19] if self.simple and depth else range(20 if depth else 7))
        value, fresh = self.value(names), f"n{self.pick.randrange(4)}"

        def inner(*more: str) -> str:
            return self.body([*names, *more], depth - 1)

        match kind:
            case 0 | 1 | 2:
                return self.pick.choice(["<p>", " text & more ", "\n", "{# note #}", "</p>"])
            case 3 | 4 | 5 | 6:
                return f"{{{{ {value} }}}}"
            case 7 | 8:
                return f"{{% if {value} %}}{inner()}{{% elif {self.value(names)} %}}{inner()}{{% else %}}{inner()}{{% endif %}}"
            case 9 | 10:
                return (f"{{% for g in supporter.gifts %}}{inner('g.fund', 'loop.index', 'loop.last')}"
                        f"{{% else %}}{inner()}{{% endfor %}}")
            case 11:
                return f"{{% for {fresh} in {self.pick.choice(['charity.years', 'supporter.tags'])} %}}{inner(fresh)}{{% endfor %}}"
            case 12:
                return f"{{% set {fresh} = {value} %}}{{{{ {fresh} }}}}"
            case 13:
                return f"{{% with {fresh} = {value} %}}{inner(fresh)}{{% endwith %}}"
            case 14:
                return f"{{% set c{fresh} %}}{inner()}{{% endset %}}{{{{ c{fresh} }}}}{{{{ c{fresh} }}}}"
            case 15:
                name = f"m{self.pick.randrange(10 ** 9)}"
                return (f"{{% macro {name}(a, b={self.pick.choice(['1', 'accent', repr('d')])}) %}}{self.body(['a', 'b'], depth - 1)}"
                        f"{{% endmacro %}}{{{{ {name}({value}) }}}}{{{{ {name}({value}, b={self.value(names)}) }}}}")
            case 16:
                name = f"m{self.pick.randrange(10 ** 9)}"
                return (f"{{% macro {name}() %}}[{{{{ caller() }}}}]{{% endmacro %}}"
                        f"{{% call {name}() %}}{inner()}{{% endcall %}}")
            case 17:
                return self.pick.choice(["{% include 'part.html' %}", "{% call lib.box() %}%s{% endcall %}".replace("%s", inner()), "{% set once = charity.years[1] %}{{ once }}", f"{{{{ lib.btn({value}) }}}}",
                                         "{{ lib.btn(links.donate, 'Give') }}"])
            case 18:
                return "{% set ns = namespace(v=0) %}{% for g in supporter.gifts %}{% set ns.v = ns.v + 1 %}{% endfor %}{{ ns.v }}"
            case _:
                return f"{{%- if live -%}} {inner()} {{%- endif %}}"

    def letter(self) -> Letter:
        """A letter: sometimes with a layout, an include, an import."""
        head = "{% import 'lib.html' as lib %}"
        if self.pick.random() < 0.5:
            head = "{% import 'lib.html' as lib with context %}"
        lib = ("{% macro btn(url, label='go', colour=accent) %}<a style='{{ colour }}' href='{{ url }}'>{{ label }}"
               "{% if label == 'Give' %}{{ charity.name }}{% endif %}</a>{% endmacro %}{% macro box() %}<div>{{ caller() }}</div>{% endmacro %}")
        main = head + self.body([], 3)
        files = {"lib.html": lib, "part.html": head + self.body([], 1).replace("{% include 'part.html' %}", "")}
        if self.pick.random() < 0.5:
            files["base.html"] = (head + f"<h1>{self.body([], 1)}</h1>{{% block one %}}{self.body([], 1)}{{% endblock %}}"
                                  f"{{% if supporter.monthly %}}{{% block two %}}{self.body([], 1)}{{% endblock %}}{{% endif %}}")
            main = (f"{{% extends 'base.html' %}}{head}{{% block one %}}{head}{self.body([], 2)}"
                    f"{self.pick.choice(['', '{{ super() }}'])}{{% endblock %}}")
        files |= {name.replace(".html", ".txt"): source.replace(".html", ".txt") for name, source in files.items()}
        text = (head + self.body([], 1)).replace(".html", ".txt")
        return Letter(subject=self.value([]).join(("{{ ", " }}")), html="main.html", text="main.txt", constants=CONSTANTS,
                      templates={**files, "main.html": main, "main.txt": text})

    def context(self) -> dict[str, Any]:
        """A supporter."""
        word, choice = (lambda: self.pick.choice(WORDS)), self.pick.choice
        supporter = {"first_name": word(), "town": word(), "age": choice([0, 7, 41]), "monthly": choice([True, False]),
                     "gifts": [{"fund": word()} for _ in range(self.pick.randrange(4))],
                     "tags": [word() for _ in range(self.pick.randrange(3))]}
        if self.pick.random() < 0.1:
            del supporter[choice(["town", "age"])]
        return {"supporter": supporter, "links": {"donate": "https://example.org/?a=1&b=" + word()}}


def filled(traces: TraceEnvironment, context: dict[str, Any]) -> tuple[str, str, str]:
    """The trace, decoded and filled in with Jinja's own escaping."""
    key, printed = traces.trace(context)
    masked = decode(traces.runs, key)
    values = masked.pick(printed)
    marks = re.compile("|".join(masked.marks) or "(?!)")
    return (marks.sub(lambda m: str(escape(values[masked.marks[m[0]]])), masked.html),
            marks.sub(lambda m: values[masked.marks[m[0]]], masked.text),
            marks.sub(lambda m: values[masked.marks[m[0]]], masked.subject))


def test_random_templates_trace_to_what_jinja_prints() -> None:
    """Over random templates and supporters, what a trace gives is what plain Jinja prints, or is left to it."""
    templates = refused = renders = faults = slow = flat = 0
    for number in range(ROUNDS):
        maker = Maker(SEED * 10 ** 6 + number)
        made = maker.letter()
        plain = plain_environment(made)
        templates += 1
        try:
            traces = TraceEnvironment(made)
        except SlowPath:
            refused += 1
            continue
        flat += getattr(traces, "is_flat", False)
        for _ in range(10):
            context = maker.context()
            try:
                expected = tuple(plain.rendered(name, context) for name in (made.html, made.text, SUBJECT))
            except Exception:  # noqa: BLE001 - a fault of any kind must be one in the trace too
                faults += 1
                with pytest.raises(Exception):  # noqa: B017 - whichever: the plain way then tells it
                    filled(traces, context)
                continue
            renders += 1
            try:
                found = filled(traces, context)
            except SlowPath:
                slow += 1
                continue
            assert found == expected, (number, made.templates, made.subject, context)
    print(f"templates {templates}, refused {refused}, flat {flat}, renders {renders}, faults {faults}, slow {slow}")
    assert refused < templates / 4
    assert slow < renders / 4
