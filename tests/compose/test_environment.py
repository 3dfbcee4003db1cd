"""A letter's templates are sandboxed, strict and bounded, and know our few filters."""
# ruff: noqa: E501 - templates read best on one line

from __future__ import annotations

from datetime import date

import pytest
from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pillarbox.compose.bounds import OverBudget
from pillarbox.compose.environment import LetterEnvironment, long_date, ordinal, plain_environment
from pillarbox.model.records import Letter

LONG = "{% set s = 'ab' * 10000 %}{% set s = s ~ s ~ s ~ s ~ s ~ s ~ s ~ s ~ s %}"
CONTEXT = {"supporter": {"first_name": "Ada <", "gifts": [1, 2]}}


def environment(html: str, text: str = "") -> LetterEnvironment:
    """The plain environment of a small letter."""
    return plain_environment(Letter(subject="", html="a.html", text="a.txt",
                                    templates={"a.html": html, "a.txt": text}, constants={"charity": {"name": "R & C"}}))


def rendered(html: str) -> str:
    """One small HTML part, for Ada."""
    return environment(html).rendered("a.html", CONTEXT)


def test_the_sandbox_and_strictness_hold() -> None:
    """Letters run in Jinja's immutable sandbox, and an undefined name is a fault."""
    made = environment("")
    assert isinstance(made, ImmutableSandboxedEnvironment)
    assert issubclass(made.undefined, StrictUndefined)


def test_html_is_escaped_and_text_is_not() -> None:
    """Escaping goes by the template's name."""
    made = environment("{{ supporter.first_name }}", "{{ supporter.first_name }}")
    assert made.rendered("a.html", CONTEXT) == "Ada &lt;"
    assert made.rendered("a.txt", CONTEXT) == "Ada <"


@pytest.mark.parametrize(("number", "written"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"),
                                                 (13, "13th"), (21, "21st"), (76, "76th"), (78, "78th"), (112, "112th")])
def test_ordinals(number: int, written: str) -> None:
    """Numbers become first, second, third as they are written in Britain."""
    assert ordinal(number) == written


def test_dates_and_money() -> None:
    """Days are written out, pence become pounds."""
    assert long_date(date(2024, 12, 10)) == "10 December 2024"
    assert rendered("{{ 125050|money }} {{ charity.name }}") == "£1,250.50 R &amp; C"


@pytest.mark.parametrize("source", [
    "{{ supporter.nobody }}", "{{ nobody }}", "{{ nobody|upper }}", "{% if nobody %}{% endif %}",
    "{% for x in nobody %}{% endfor %}", "{{ supporter.first_name.nobody.more }}"])
def test_undefined_is_a_fault(source: str) -> None:
    """Whatever is missing is named, never printed as nothing."""
    with pytest.raises(UndefinedError, match="nobody"):
        rendered(source)


def test_a_letter_may_ask_whether_a_supporter_has_a_field() -> None:
    """An empty cell of a list makes no field: a test or an "or" takes it as nothing, printed it stays a fault."""
    source = "{% if supporter.town %}in {{ supporter.town }}{% endif %}{{ supporter.town or 'near you' }}"
    context = {"supporter": {"salutation": "Dear Ada"}}
    made = environment(source, source)
    assert made.rendered("a.html", context) == "near you"
    with pytest.raises(UndefinedError, match="town"):
        environment("{{ supporter.town }}", "").rendered("a.html", context)
    with pytest.raises(UndefinedError, match="tarhet"):
        environment("{% if charity.tarhet %}{% endif %}", "").rendered("a.html", context)


@pytest.mark.parametrize("source", [
    "{{ supporter.__class__ }}", "{{ ''.__class__.__mro__ }}", "{{ '{0.__class__}'.format(supporter) }}",
    "{{ supporter['__class__'] }}", "{{ supporter|attr('__class__') }}", "{{ range.__globals__ }}",
    "{{ supporter.gifts.append(3) }}", "{{ supporter.clear() }}", "{{ '%s'|format('{0.__class__}'.format(1)) }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}", "{{ self.__init__.__globals__ }}",
    "{{ (5).to_bytes(10 ** 9, 'big')|length }}", "{{ ('x'.encode() * 10 ** 9)|length }}", "{{ 'x'|attr('encode')() }}",
    "{{ ('x' * 20000).translate({120: 'y' * 20000})|length }}", "{{ 'x'.maketrans({'x': 'y'}) }}"])
def test_pythons_insides_are_out_of_reach(source: str) -> None:
    """A template that tries to reach Python's insides, or to change data, is a fault."""
    with pytest.raises((SecurityError, UndefinedError)):
        rendered(source)


@pytest.mark.parametrize("source", [
    "{% for x in range(10000) %}{% endfor %}",
    "{% for x in range(100) %}{% for y in range(100) %}{{ y }}{% endfor %}{% endfor %}",
    "{% for x in range(3000) recursive %}{{ loop(range(3000)) }}{% endfor %}",
    "{{ range(10 ** 9)|list }}", "{{ 'a' * 10 ** 9 }}", "{{ [1] * 10 ** 9 }}", "{{ 9 ** (9 ** 9) }}", "{{ 10 ** 9999 }}",
    "{{ 'a'|center(10 ** 9) }}", "{{ 'a'.center(10 ** 9) }}", "{{ 'a'.ljust(width) if false else 'a'.zfill(10 ** 8) }}",
    "{{ 'a'|indent(10 ** 9) }}", "{{ 'a\\n' * 3000 }}{{ ('a\\n' * 3000)|indent(3000) }}", "{{ [1]|batch(10 ** 9, 'x')|list }}",
    "{{ [1]|slice(10 ** 9)|list }}", "{{ '%999999999d'|format(1) }}", "{{ '%999999999d' % 1 }}", "{{ '%*d' % (999999999, 1) }}",
    "{{ '{:>999999999}'.format(1) }}", "{{ '{:>{w}}'.format(1, w=999999999) }}", "{{ {'a': 1}|tojson(indent=10 ** 9) }}",
    "{{ 3|round(10 ** 9) }}", "{% set a = 'a' * 20000 %}{{ a|replace('a', a) }}", "{% set a = 'a' * 20000 %}{{ a.replace('a', a) }}",
    "{% set a = 'a' * 19000 %}{{ range(4000)|join(a) }}", "{% set a = 'a' * 19000 %}{{ a.join(['x'] * 4000) }}",
    "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x=3) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=1) %}{% for i in range(60) %}{% set ns.x = dict(a=ns.x, b=ns.x) %}{% endfor %}{{ ns.x }}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% include 'a.html' %}",
    "{% for x in range(4000) %}{% set y = ('ab' * 10000)|upper|lower|upper %}{% endfor %}",
    "{% set a = 'a' * 20000 %}{% for x in range(200) %}{{ a }}{% endfor %}",
    LONG + "{{ [s] * 5000 }}", LONG + "{{ ([s] * 3000)|string|length }}", LONG + "{{ {'a': [s] * 3000}|tojson|length }}",
    LONG + "{{ ([s] * 3000 ~ '')|length }}", LONG + "{{ [[s] * 2000]|join|length }}", LONG + "{{ '%s'|format([s] * 2000)|length }}",
    LONG + "{{ (('%(a)s' * 4000) % {'a': s})|length }}", LONG + "{{ ('{0}' * 5000).format(s)|length }}",
    "{% set f = '{0:9999}' * 2500 %}{% set f = f ~ f ~ f %}{{ f.format('x')|length }}", LONG + "{{ s|wordwrap(1)|length }}",
    "{% for i in range(4000) %}{{ range(5000)|map('string')|map('upper')|map('length')|sum }}{% endfor %}",
    "{% for i in range(4000) %}{{ range(5000)|select('odd')|reject('even')|map('string')|join|length }}{% endfor %}",
    LONG + "{% for i in range(4000) %}{% if s|wordcount == 1 %}{% endif %}{% endfor %}",
    LONG + "{% for i in range(4000) %}{% if ('<!---->' * 2000)|striptags %}{% endif %}{% endfor %}",
    "".join(f"{{% set a{n} = range(5000)|map('center', 4000)|list %}}" for n in range(9))])
def test_a_silly_or_hostile_template_ends(source: str) -> None:
    """Endless loops, huge texts and numbers, and deep recursion are faults, soon and in little memory."""
    with pytest.raises((OverBudget, RecursionError)):
        rendered(source)


def test_a_namespace_printed_whole_shows_nothing() -> None:
    """What it holds could be any size."""
    assert rendered("{% set ns = namespace(a='x' * 20000) %}{{ ns }}{{ ns.a|length }}") == "&lt;Namespace&gt;20000"


def test_ordinary_letters_are_far_from_the_bounds() -> None:
    """Two hundred gifts of a faithful supporter, a long text and padded columns are nothing special."""
    made = environment("{% for g in gifts %}{{ loop.index|string|center(10) }}{{ '%05.2f'|format(g) }}{{ [g, 1]|join(', ') }}"
                       "{% endfor %}{{ 123456789|tojson }}{{ words|wordwrap(72)|replace('a', 'b') }}")
    assert made.rendered("a.html", {"gifts": [5] * 200, "words": "a word " * 5000})
