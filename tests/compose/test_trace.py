"""A trace, decoded and filled in, is what plain Jinja prints: one test for each of Jinja's constructs."""
# ruff: noqa: E501 - templates read best on one line

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from jinja2.exceptions import UndefinedError
from markupsafe import escape

from pillarbox.compose.environment import SUBJECT, plain_environment
from pillarbox.compose.finish import SlowPath
from pillarbox.compose.trace import TraceEnvironment, decode
from pillarbox.model.records import Letter

ADA = {"supporter": {"first_name": "Ada <&>", "salutation": "Dear Ada", "town": "York's", "monthly": True, "age": 36,
                     "gifts": [{"date": "May", "amount": "£5", "fund": "A&B"}, {"date": "June", "amount": "£7", "fund": "C"}],
                     "tree": [{"t": "one", "c": [{"t": "two", "c": []}]}, {"t": "three", "c": []}]},
       "links": {"donate": "https://example.org/?a=1&b=2", "unsubscribe": "https://example.org/u"}}
BOB = {"supporter": {**ADA["supporter"], "first_name": "", "town": "ئۈرۈمچى", "monthly": False, "gifts": [], "tree": []},
       "links": ADA["links"]}
CONSTANTS = {"charity": {"name": "René & Co", "since": 1948}, "theme": {"accent": "#c00", "font": "'Gill Sans', serif"},
             "mailing": {"date": date(2026, 12, 10)}}


def letter(html: str, *, text: str = "", subject: str = "", **files: str) -> Letter:
    """A letter from sources; ``files`` are named with _ for the dot."""
    others = {name.replace("_", "."): source for name, source in files.items()}
    return Letter(subject=subject, html="main.html", text="main.txt", constants=CONSTANTS,
                  templates={"main.html": html, "main.txt": text, **others})


def filled(traces: TraceEnvironment, context: Mapping[str, Any]) -> tuple[str, str, str]:
    """The trace of one supporter, decoded and filled in with Jinja's own escaping."""
    key, printed = traces.trace(context)
    masked = decode(traces.runs, key)
    values = masked.pick(printed)
    marks = re.compile("|".join(masked.marks) or "(?!)")
    return (marks.sub(lambda m: str(escape(values[masked.marks[m[0]]])), masked.html),
            marks.sub(lambda m: values[masked.marks[m[0]]], masked.text),
            marks.sub(lambda m: values[masked.marks[m[0]]], masked.subject))


def assert_equal_to_plain(made: Letter, *contexts: Mapping[str, Any]) -> None:
    """Each part equals what plain Jinja prints, for every context."""
    traces, plain = TraceEnvironment(made), plain_environment(made)
    for context in contexts or (ADA, BOB):
        assert filled(traces, context) == tuple(plain.rendered(name, context)
                                                for name in (made.html, made.text, SUBJECT))


CONSTRUCTS = {
    "values": "<p>{{ supporter.first_name }} {{ supporter['town'] }} {{ supporter.age }} {{ supporter.first_name }}</p>",
    "if": "{% if supporter.monthly %}a{{ supporter.town }}{% elif supporter.age > 40 %}b{% else %}c{% endif %}",
    "nested if": "{% if supporter.gifts %}{% if supporter.gifts|length > 1 %}x{{ supporter.town }}{% endif %}{% else %}y"
                 "{{ supporter.first_name }}{% endif %}z",
    "inline if": "{{ 'yes' if supporter.monthly else supporter.town }}{{ 'only' if supporter.monthly }}",
    "for": "{% for g in supporter.gifts %}<b>{{ g.date }}/{{ loop.index }} {{ g.fund }}</b>{{ ', ' if not loop.last }}"
           "{% else %}none for {{ supporter.first_name }}{% endfor %}",
    "for with a test": "{% for g in supporter.gifts if g.amount != '£7' %}{{ loop.index }}{{ g.amount }}{% endfor %}",
    "nested for": "{% for g in supporter.gifts %}{% for c in 'ab' %}{{ c }}{{ g.fund }}{{ loop.index }}{% endfor %}"
                  "{% endfor %}",
    "for over items": "{% for k, v in links|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "loop helpers": "{% for g in supporter.gifts %}{{ loop.cycle('odd', 'even') }}{% if loop.changed(g.fund) %}*{% endif %}"
                    "{{ loop.previtem.date if loop.previtem is defined else '' }}{% endfor %}",
    "recursive for": "{% for n in supporter.tree recursive %}<li>{{ n.t }}{% if n.c %}<ul>{{ loop(n.c) }}</ul>{% endif %}"
                     "</li>{% endfor %}",
    "macro": "{% macro m(x, y='d') %}<i>{{ x }}{{ y }}</i>{% endmacro %}{{ m(supporter.first_name) }}"
             "{{ m(supporter.town, y=supporter.age) }}{% if supporter.monthly %}{{ m('k') }}{% endif %}",
    "recursive macro": "{% macro t(n) %}({{ n }}{% if n > 0 %}{{ t(n - 1) }}{% endif %}){% endmacro %}"
                       "{{ t(supporter.gifts|length) }}",
    "varargs": "{% macro l() %}{% for v in varargs %}{{ v }}{% endfor %}{% for k, v in kwargs|dictsort %}{{ k }}{{ v }}"
               "{% endfor %}{% endmacro %}{{ l(supporter.town, 5, a=supporter.age) }}",
    "call block": "{% macro box() %}<div>{{ caller(supporter.town, 5) }}</div>{% endmacro %}{% call(a, b) box() %}{{ a }}/"
                  "{{ b }}{% if supporter.monthly %}!{% endif %}{% endcall %}",
    "caller twice": "{% macro box() %}{{ caller() }}-{{ caller() }}{% endmacro %}{% call box() %}{{ supporter.town }}"
                    "{% endcall %}",
    "set": "{% set who = supporter.first_name|upper %}{{ who }}{% set who = 'x' ~ who %}{{ who }}",
    "set block": "{% set cap %}<b>{{ supporter.town }}{% if supporter.monthly %}!{% endif %}</b>{% endset %}{{ cap }}-"
                 "{{ cap }}{% set two = cap %}{{ two }}{{ cap if supporter.monthly else 'no' }}",
    "unused set block": "{% set cap %}{{ supporter.town }}{% endset %}{{ supporter.first_name }}",
    "namespace": "{% set ns = namespace(n=0, last='') %}{% for g in supporter.gifts %}{% set ns.n = ns.n + 1 %}"
                 "{% set ns.last = g.fund %}{{ ns.n }}{% endfor %}{{ ns.last }}",
    "with": "{% with a = supporter.town, b = 3 %}{{ a }}{{ b }}{{ supporter.first_name }}{% endwith %}",
    "whitespace": "  {%- if supporter.monthly -%}  \n  {{- supporter.town -}}  \n {%- endif +%}\n <p>\n {{ supporter.town -}}"
                  " \n </p>{# note {{ x }} #}{% raw %}{{ not }} {% if %}{% endraw %}\n\n",
    "filters": "{{ supporter.first_name|upper|truncate(9) }} {{ supporter.nick|default('friend') }} "
               "{{ supporter.gifts|map(attribute='fund')|join(', ') }} {{ '%s gave'|format(supporter.town) }} "
               "{{ supporter.first_name ~ ' & ' ~ supporter.town }} {{ supporter.age * 2 }} {{ supporter.first_name[:2] }}"
               " {{ supporter.age|ordinal }} {{ supporter.town|replace('a', 'b') }}",
    "tests": "{{ supporter.age is even }}{% if supporter.nick is defined %}n{% endif %}{{ 'Y' in supporter.town }}",
    "methods": "{{ supporter.first_name.upper() }}{{ supporter.items()|length }}{{ links.get('donate') }}",
    "attributes": "<a href=\"{{ links.donate }}&amp;n={{ supporter.first_name }}\" title='{{ supporter.town }}'>x</a>",
    "literals": "{{ 'lit & <' }}{{ 1 + 1 }}{{ '<b>'|safe }}{{ none }}{{ 3.5 }}",
    "constants": "{{ charity.name }}{{ (mailing.date.year - charity.since)|ordinal }}{{ mailing.date|long_date }}"
                 "{% if charity.since > 1900 %}a{{ supporter.town }}{% else %}b{% endif %}"
                 "{% for c in charity.name %}{{ c }}.{% endfor %}{{ 125050|money }}",
    "shadowed constant": "{% for charity in supporter.gifts %}{{ charity.fund }}{% endfor %}{{ charity.name }}",
    "self": "{% block t %}{{ supporter.town }}{% endblock %}<i>{{ self.t() }}</i>",
    "unprintable": "{{ supporter.age + 0.5 }}{{ true }}{{ supporter.monthly }}",
}


@pytest.mark.parametrize("source", CONSTRUCTS.values(), ids=CONSTRUCTS)
def test_a_construct_traces_to_what_jinja_prints(source: str) -> None:
    """Every construct prints the same through a trace, in HTML, in text and in the subject."""
    assert_equal_to_plain(letter(source, text=source, subject=source))


FILES = {
    "extends": ("{% extends 'mid.html' %}{% block title %}{{ supporter.town }} - {{ super() }}{% endblock %}{% block body %}"
                "<p>{{ supporter.first_name }}</p>{{ super() }}{{ super.super() }}{% endblock %}",
                {"base_html": "<title>{% block title %}{{ charity.name }}{% endblock %}</title>{% block head scoped %}<h1>h</h1>"
                              "{% endblock %}<i>{{ self.title() }}</i>{% block body %}{{ supporter.age }}{% endblock %}"
                              "{% for g in supporter.gifts %}{% block row scoped %}<b>{{ g.date }}{{ loop.index }}</b>"
                              "{% endblock %}{% endfor %}<p>{{ supporter.town }}</p>",
                 "mid_html": "{% extends 'base.html' %}{% set k = 3 %}{% block head %}[{{ super() }}|{{ supporter.town }}]"
                             "{% endblock %}{% block body %}mid{{ super() }}{% endblock %}"}),
    "dynamic extends": ("{% extends ('a.html' if supporter.monthly else 'b.html') %}{% block b %}{{ supporter.town }}"
                        "{{ super() }}{% endblock %}",
                        {"a_html": "A{% block b %}{{ supporter.age }}{% endblock %}", "b_html": "B{% block b %}{% endblock %}"}),
    "conditional extends": ("{% if supporter.monthly %}{% extends 'a.html' %}{% endif %}x{{ supporter.town }}{% block b %}"
                            "<i>{{ supporter.age }}</i>{% endblock %}y",
                            {"a_html": "A{% block b %}{% endblock %}"}),
    "include": ("{% set v = supporter.town %}{% include 'foot.html' %}{% for g in supporter.gifts %}{% include 'foot.html' %}"
                "{% endfor %}{% include ['nope.html', 'foot.html'] %}{% include 'nope.html' ignore missing %}",
                {"foot_html": "<p>{{ links.unsubscribe }}{{ g.fund if g is defined else '' }}{{ v }}</p>"
                              "{% if supporter.monthly %}m{{ supporter.age }}{% endif %}"}),
    "include without context": ("{{ supporter.town }}{% include 'c.html' without context %}{{ supporter.town }}",
                                {"c_html": "<hr>{{ charity.name }}{{ 1 + 1 }}"}),
    "import": ("{% import 'lib.html' as lib %}{% from 'lib.html' import btn as bb, lst with context %}{{ lib.btn(links.donate) }}"
               "{{ bb(links.donate, supporter.town) }}{% call lib.btn(links.donate) %}<i>{{ supporter.town }}</i>{% endcall %}"
               "{{ lst(supporter.age) }}{% for g in supporter.gifts %}{{ lib.btn(g.fund) }}{% endfor %}",
               {"lib_html": "junk{{ 7 }}{% macro btn(url, text='go', colour=theme.accent) %}<a style='{{ colour }}' "
                            "href='{{ url }}'>{{ text }}{{ caller() if caller is defined else '' }}</a>{% endmacro %}"
                            "{% macro lst(n) %}{{ n }}{{ charity.name }}{% endmacro %}"}),
    "style sheet": ("<style>{% include 'page.css' %}</style>{{ supporter.town }}{% set x = supporter.age %}{{ x }}",
                    {"page_css": "p { font-family: {{ theme.font }} }"}),
    "import with context": ("{% import 'lib.html' as lib with context %}{% for g in supporter.gifts %}{% call lib.box(g.fund) %}"
                            "{{ g.date }}{% endcall %}{% endfor %}{% call lib.box('x') %}{{ supporter.age }}{% endcall %}",
                            {"lib_html": "{% macro box(t) %}<i>{{ t }}{{ supporter.town }}{{ caller() }}{{ caller() }}</i>{% endmacro %}"}),
    "set block in include": ("{% set cap %}{{ supporter.town }}{% endset %}{% include 'foot.html' %}",
                             {"foot_html": "<p>{{ cap }}</p>"}),
}


@pytest.mark.parametrize(("source", "files"), FILES.values(), ids=FILES)
def test_templates_of_several_files_trace_to_what_jinja_prints(source: str, files: Mapping[str, str]) -> None:
    """Inheritance, includes and imports print the same through a trace."""
    assert_equal_to_plain(letter(source, **files))


REFUSED = {
    "filter block": "{% filter upper %}Dear {{ supporter.town }}{% endfilter %}",
    "set block with filter": "{% set a | upper %}{{ supporter.town }}{% endset %}{{ a }}",
    "set block filtered": "{% set a %}{{ supporter.town }}{% endset %}{{ a|upper }}",
    "set block tested": "{% set a %}{% if supporter.monthly %}x{% endif %}{% endset %}{% if a %}y{% endif %}",
    "set block passed": "{% set a %}{{ supporter.town }}{% endset %}{% macro m(x) %}{{ x }}{% endmacro %}{{ m(a) }}",
    "caller filtered": "{% macro m() %}{{ caller()|upper }}{% endmacro %}{% call m() %}{{ supporter.town }}{% endcall %}",
    "macro joined": "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(supporter.town) ~ '!' }}",
    "macro passed": "{% macro m(x) %}{{ x }}{% endmacro %}{% set f = m %}{{ f(supporter.town) }}",
    "autoescape": "{% autoescape false %}{{ supporter.town }}{% endautoescape %}",
    "block tested": "{% block t %}{{ supporter.town }}{% endblock %}{% if self.t() == 'York' %}x{% endif %}",
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_a_trace_cannot_follow_is_refused(source: str) -> None:
    """Captured output that is used as data is refused when the letter is compiled, with file and line."""
    with pytest.raises(SlowPath, match=r"main\.html, line 1"):
        TraceEnvironment(letter(source))


@pytest.mark.parametrize("source", ["{{ supporter.town|safe }}", "{{ supporter.town|e }}", "{{ supporter.town|tojson }}",
                                    "{{ '<b>%s</b>'|safe|format(supporter.town) }}", "{{ ['<b>'|safe, supporter.town]|join }}",
                                    "<p{{ {'id': supporter.town}|xmlattr }}>", "{{ supporter.town|urlize }}",
                                    "{{ supporter.gifts }}"])
def test_html_made_from_a_value_never_enters_a_shape(source: str) -> None:
    """Printed HTML and printed lists take the slow path: a shape holds no supporter's words."""
    with pytest.raises(SlowPath):
        TraceEnvironment(letter(source)).trace(ADA)


@pytest.mark.parametrize(("html", "text"), [("{% include 'part.txt' %}", ""), ("", "{% include 'part.html' %}")])
def test_html_and_text_do_not_use_each_others_files(html: str, text: str) -> None:
    """Whether a value is escaped must follow from the part that it stands in."""
    with pytest.raises(SlowPath, match="part"):
        TraceEnvironment(letter(html, text=text, part_txt="{{ supporter.town }}", part_html="{{ supporter.town }}")).trace(ADA)


LAYOUT = {"base_html": "{% import 'lib.html' as lib %}<h1>{% block head %}{{ charity.name }}{% endblock %}</h1>{% block body %}"
                       "{% endblock %}{{ lib.btn(links.unsubscribe, 'Leave') }}",
          "page_css": "p { font-family: {{ theme.font }} }", "part_html": "<i>{{ supporter.town }}</i>",
          "lib_html": "{% macro btn(url, label='go', colour=theme.accent) %}<a style='color:{{ colour }}' href='{{ url }}'>{{ label }}"
                      "</a>{% endmacro %}{% macro box(tag) %}<{{ tag }}>{{ caller() }}</{{ tag }}>{% endmacro %}"}
LAID = ("{% extends 'base.html' %}{% from 'lib.html' import btn %}{% block head %}{{ super() }}!{% endblock %}{% block body %}"
        "<style>{% include 'page.css' %}</style>{% set year = mailing.date.year %}{% from 'lib.html' import box %}"
        "{% call box('b') %}{{ supporter.town }}{% call box('i') %}{{ btn(links.donate, supporter.town) }}{% endcall %}{% endcall %}<p>{{ supporter.first_name }} {{ year }}{% include 'part.html' %}</p>"
        "{% for gift in supporter.gifts %}{{ gift.fund }}{% endfor %}{{ btn(links.donate) }}{% endblock %}")


def test_a_layout_and_its_components_are_drawn_together() -> None:
    """An ordinary letter becomes one flat template, and a component's constant colour is text, not a value."""
    made = letter(LAID, text="{{ supporter.first_name }}", subject="{{ supporter.town }}", **LAYOUT)
    traces = TraceEnvironment(made)
    assert traces.is_flat
    key, printed = traces.trace(ADA)
    assert "#c00" not in printed
    assert "color:#c00" in decode(traces.runs, key).html
    assert_equal_to_plain(made)


def test_a_missing_field_is_a_fault_in_a_flat_letter_too() -> None:
    """The fast way leaves what is missing to the exact one, which raises as Jinja does."""
    made = letter(LAID + "{{ supporter.nobody }}", text="{{ supporter.nobody }}", **LAYOUT)
    with pytest.raises(UndefinedError, match="nobody"):
        TraceEnvironment(made).trace(ADA)
    defaulted = letter("{{ supporter.first_name }}{{ supporter.nick|default('n') }}{% if supporter.nick is defined %}x{% endif %}")
    assert_equal_to_plain(defaulted)


@pytest.mark.parametrize("own", ["{% set who = supporter.first_name or 'friend' %}{{ who }}",
                                 "{{ supporter.nick|default('friend') }}"])
def test_what_a_macro_prints_of_constants_alone_is_text_in_every_letter(own: str) -> None:
    """Also where the letter cannot be drawn together: else the night's colours would be a supporter's value in <style>,
    and each copy of such a letter a version of its own."""
    files = {"night_html": "{% macro rules(at) %}{{ at }}p { color: {{ theme.accent }} }{% endmacro %}"
                           "{% macro greeting(word) %}{{ word }} {{ supporter.town }}{% endmacro %}"}
    made = letter("{% import 'night.html' as night with context %}<style>{{ night.rules('[data-x] ') }}</style>" + own
                  + "{{ night.greeting('To') }}", **files)
    traces = TraceEnvironment(made)
    key, printed = traces.trace(ADA)
    assert "<style>[data-x] p { color: #c00 }</style>" in decode(traces.runs, key).html
    assert ADA["supporter"]["town"] in printed
    assert_equal_to_plain(made)


@pytest.mark.parametrize("source", [
    "{% import 'a.html' as m %}{% if supporter.monthly %}{% import 'b.html' as m %}{% endif %}{{ m.word('x') }}",
    "{% import 'a.html' as m %}{{ m.word('x', 'y') if supporter.first_name == 'Nobody' else m.word(supporter.town) }}"])
def test_a_name_for_two_modules_or_with_a_value_is_left_alone(source: str) -> None:
    """Which macro is meant, and with what, shows only in a supporter's copy."""
    assert_equal_to_plain(letter(source, a_html="{% macro word(w) %}a{{ w }}{% endmacro %}",
                                 b_html="{% macro word(w) %}b{{ w }}{% endmacro %}"))


def test_equal_paths_are_kept_once() -> None:
    """A field that stands in HTML, text and subject is one value."""
    source = "{{ supporter.first_name }} {{ supporter.town }} {{ supporter.first_name }}"
    traces = TraceEnvironment(letter(source, text=source, subject=source))
    key, printed = traces.trace(ADA)
    assert decode(traces.runs, key).pick(printed) == ("Ada <&>", "York's")


def test_constants_are_text_not_values() -> None:
    """What is the same for everybody prints as it is: no token stands for it."""
    traces = TraceEnvironment(letter(CONSTRUCTS["literals"] + "{{ charity.name }}{% if charity.since %}x{% endif %}"))
    key, printed = traces.trace(ADA)
    assert printed == ()
    assert "René &amp; Co" in decode(traces.runs, key).html


def test_marks_avoid_what_the_letter_says() -> None:
    """No mark occurs in the letter's own text, in whatever case, and none is part of another."""
    traces = TraceEnvironment(letter("x7f00000x X7F x7g {{ supporter.town }}{{ supporter.age }}"))
    key, _ = traces.trace(ADA)
    masked = decode(traces.runs, key)
    for mark in masked.marks:
        assert masked.html.casefold().count(mark) == 1
        assert mark.isalnum()
        assert mark.casefold() == mark


def test_a_value_cannot_forge_a_reference() -> None:
    """A value that looks like the reference to a capture, or like a template, is plain text."""
    source = "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(supporter.town.strip()) }}{{ supporter.town }}"
    for words in ("\ufdd01\ufdd1", "{{ 7 * 7 }}", "x7f00000x"):
        assert_equal_to_plain(letter(source), {**ADA, "supporter": {**ADA["supporter"], "town": words}})
