"""Markdown and Jinja meet before any supporter does: two templates, with every line traced back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined, TemplateSyntaxError
from jinja2.exceptions import UndefinedError

from pillarbox.compose import hypertext, markdown, plain
from pillarbox.compose.placeholders import Placeholders

COMPONENTS = """
{%- macro pull_quote() %}[{{ caller() }}]{% endmacro %}
{%- macro panel() %}<panel>{{ caller() }}</panel>{% endmacro %}
{%- macro button(href) %}<b {{ href }}>{{ caller() }}</b>{% endmacro %}
{%- macro signature() %}{{ caller() }}{% endmacro %}
{%- macro divider() %}<rule>{% endmacro %}"""


def compiled(source: str) -> tuple[str, str]:
    document = markdown.read(source, "letter.md")
    assert not document.findings
    return hypertext.write(document, lambda _source, _line, _measure: {})[0], plain.write(document)[0]


def rendered(source: str, **values: Any) -> tuple[str, str]:
    """HTML without line breaks, and text."""
    html, text = compiled(source)
    head = '{% import "components" as components %}'
    found = []
    for body, escape in ((html, True), (text, False)):
        environment = Environment(autoescape=escape, undefined=StrictUndefined,
                                  loader=DictLoader({"components": COMPONENTS, "letter": head + body}))
        found.append(environment.get_template("letter").render(values))
    return found[0].replace("\n", ""), found[1].strip("\n")


def test_paragraphs_headings_and_emphasis() -> None:
    """Plain Markdown becomes plain HTML, and text without marks."""
    html, text = rendered("# Title\n\nSome *fine* and **bold**\nwords & more.\n\n---\n")
    assert html == "<h1>Title</h1><p>Some <em>fine</em> and <strong>bold</strong>words &amp; more.</p><rule>"
    assert text == "Title\n=====\n\nSome fine and bold words & more.<rule>"


def test_a_line_of_statements_is_no_paragraph() -> None:
    """{% if %} on a line of its own wraps blocks, and what is left out leaves no gap in the text."""
    source = "One\n\n{% if x %}\nTwo\n{% else %}\nThree\n{% endif %}\n\nFour"
    assert rendered(source, x=True) == ("<p>One</p><p>Two</p><p>Four</p>", "One\n\nTwo\n\nFour")
    assert rendered(source, x=False)[1] == "One\n\nThree\n\nFour"
    assert rendered("One\n\n{% if x %}\nTwo\n{% endif %}\n\nFour", x=False)[1] == "One\n\nFour"


def test_a_statement_ends_the_paragraph_above() -> None:
    """No blank line is needed before a statement's line."""
    assert rendered("One\n{% if x %}\nTwo\n{% endif %}\n", x=True)[0] == "<p>One</p><p>Two</p>"


def test_inline_statements_stay_inline() -> None:
    """A statement among words stays in its paragraph."""
    source = "Dear {% if name %}{{ name }}{% else %}friend{% endif %},\nhello"
    assert rendered(source, name="Ann & Bo") == ("<p>Dear Ann &amp; Bo,hello</p>", "Dear Ann & Bo, hello")


def test_a_loop_round_items_makes_one_list() -> None:
    """A loop round list items gives one list, in both parts."""
    html, text = rendered("Before\n\n{% for x in xs %}\n- {{ x }}\n{% endfor %}\n\nAfter", xs=["a", "b"])
    assert html == "<p>Before</p><ul><li>a</li><li>b</li></ul><p>After</p>"
    assert text == "Before\n\n  • a\n  • b\n\nAfter"


@pytest.mark.parametrize(("x", "middle"), [(True, "b"), (False, "c")])
def test_an_if_between_items_makes_one_list(x: bool, middle: str) -> None:
    """if and else between items give one list; blank lines round them change nothing but its looseness."""
    html, text = rendered("- a\n{% if x %}\n- b\n{% else %}\n- c\n{% endif %}\n- d\n", x=x)
    assert html == f"<ul><li>a</li><li>{middle}</li><li>d</li></ul>"
    assert text == f"  • a\n  • {middle}\n  • d"


def test_an_if_round_a_whole_list_leaves_no_empty_list() -> None:
    """Where the list is left out, its <ul> is too."""
    assert rendered("{% if x %}\n- a\n{% endif %}\n\nEnd", x=False) == ("<p>End</p>", "End")


def test_loops_nest_in_lists() -> None:
    """A loop inside an item's own list joins that list."""
    source = "- a\n  {% for x in xs %}\n  - {{ x }}\n  {% endfor %}\n- b\n"
    assert rendered(source, xs=[1, 2])[0] == "<ul><li>a<ul><li>1</li><li>2</li></ul></li><li>b</li></ul>"


def test_lists_of_different_kinds_stay_apart() -> None:
    """Bullets and numbers are two lists, loop or not."""
    assert rendered("{% for x in xs %}\n- {{ x }}\n{% endfor %}\n\n1. one\n2. two\n", xs=[1])[0] == \
        "<ul><li>1</li></ul><ol><li>one</li><li>two</li></ol>"


def test_values_in_links_and_attributes() -> None:
    """A value may be a link's target, or stand in it; the text part writes the target out."""
    html, text = rendered("Go [here]({{ url }}) or to <https://example.org/>.\n\n[Give]({{ url }}?a=1&b={{ x }})",
                          url="https://example.org/d", x=2)
    assert '<a href="https://example.org/d">here</a>' in html
    assert '<a href="https://example.org/d?a=1&amp;b=2">Give</a>' in html
    assert text == "Go here <https://example.org/d>\nor to https://example.org/.\n\nGive: https://example.org/d?a=1&b=2"


def test_tags_are_found_as_jinja_finds_them() -> None:
    """Quotes, several lines, comments, raw blocks and filters survive Markdown untouched."""
    source = ("A {{ '}} *not* {%' }} and {{ [1,\n  2] | join('*') }}\n{# a\n\ncomment #}\n"
              "B {% raw %}{{ x }}{% endraw %} *{{ 'y_z_' }}*")
    html, text = rendered(source)
    assert html == "<p>A }} *not* {% and 1*2B {{ x }} <em>y_z_</em></p>"
    assert " ".join(text.split()) == "A }} *not* {% and 1*2 B {{ x }} y_z_"


def test_escaped_braces_never_wake_up() -> None:
    """Braces that Markdown's escapes or entities produce are letters, not Jinja."""
    html, text = rendered("\\{\\{ 7 * 7 }} &#123;% if x %} &#123;{{ 1 }}")
    assert html == "<p>{{ 7 * 7 }} {% if x %} {1</p>"
    assert text == "{{ 7 * 7 }} {% if x %} {1"


def test_quotes_and_html_stay_as_written() -> None:
    """The writer's quotes are not bettered, and HTML is shown, not obeyed."""
    html, text = rendered("\"Don't\" -- <script>x</script> ...")
    assert html == "<p>&quot;Don't&quot; -- &lt;script&gt;x&lt;/script&gt; ...</p>"
    assert text == "\"Don't\" -- <script>x</script> ..."


def test_javascript_links_are_no_links() -> None:
    """A target that a browser would run stays words."""
    assert "<a" not in rendered("[x](javascript:alert)")[0]


def test_indented_lines_and_dashes_are_no_code_or_heading() -> None:
    """Four blanks before a line, or dashes under it, do what a letter writer expects."""
    assert rendered("    Dear you\n\nWords\n---\n")[0] == "<p>Dear you</p><p>Words</p><rule>"


def test_directives_become_component_calls() -> None:
    """::: names a component; one may stand in another; its text is set in where quotes are."""
    html, text = rendered("::: pull-quote\n“Yes {{ x }}”\n:::\n\n::: panel\nHi\n\n"
                          "::: button https://e.org/{{ x }}\nGo\n:::\n:::\n\nEnd", x=1)
    assert html == "[<p>“Yes 1”</p>]<panel><p>Hi</p><b https://e.org/1>Go</b></panel><p>End</p>"
    assert text == "[\n\n    “Yes 1”]<panel>\n\nHi<b https://e.org/1>Go</b></panel>\n\nEnd"


def test_a_signature_keeps_its_lines() -> None:
    """Lines stay lines, and each has its class; two lines are name and title."""
    html, text = rendered("::: signature\nMia\nMia H\nDirector\n:::")
    assert html == '<p class="signed">Mia</p><p class="signatory">Mia H</p><p class="role">Director</p>'
    assert text == "Mia\nMia H\nDirector"
    assert rendered("::: signature\nMia H\nDirector\n:::")[0] == \
        '<p class="signatory">Mia H</p><p class="role">Director</p>'


def test_text_is_wrapped_at_72_columns() -> None:
    """Long paragraphs, items and quotes are wrapped with their indent; a link is never broken."""
    long = "word " * 40
    _, text = rendered(f"{long}\n\n- {long}\n\n> {long}\n\n<https://example.org/{'x' * 90}>")
    lines = text.split("\n")
    assert max(len(line) for line in lines if "https" not in line) <= 72
    assert sum(line.startswith("    word") for line in lines) > 4
    assert f"https://example.org/{'x' * 90}" in lines


def test_an_open_directive_is_told() -> None:
    """A directive without its end is a finding at its line."""
    found = markdown.read("One\n\n::: panel\nTwo\n", "letter.md").findings
    assert [(each.code, each.line) for each in found] == [("directive-open", 3)]


@pytest.mark.parametrize(("source", "line"), [
    ("A {% if x %} b\n\nc {% endif %} d", 1), ("- {% for x in y %} a\n- b {% endfor %}", 1),
    ("{% if x %}\nA {% else %} B\n{% endif %}", 2), ("A *b {% if x %}c* d{% endif %}", 1),
    ("A [b {% if x %}c](https://e.org) d{% endif %}", 1),
    ("{% if x %}\nA\n\n::: panel\nB\n{% endif %}\n:::", 1)])
def test_a_tag_that_tears_blocks_is_told(source: str, line: int) -> None:
    """What opens in one paragraph, item or directive and closes in another would tear the HTML."""
    found = markdown.read(source, "letter.md").findings
    assert ("tag-crosses-blocks", line) in [(each.code, each.line) for each in found]


def test_a_tag_that_jinja_cannot_read_names_its_line() -> None:
    """An unclosed tag raises Jinja's own fault with the letter's line."""
    with pytest.raises(TemplateSyntaxError) as caught:
        markdown.read("One\n\n{{ 'x }}\n", "letter.md")
    assert caught.value.lineno == 3


def undefined_line(template: str, lines: tuple[int, ...], values: Mapping[str, Any]) -> int:
    environment = Environment(undefined=StrictUndefined)
    with pytest.raises(UndefinedError) as caught:
        environment.from_string(template).render(values)
    trace = caught.value.__traceback__
    number = 0
    while trace:
        if trace.tb_frame.f_code.co_filename == "<template>":
            number = trace.tb_lineno
        trace = trace.tb_next
    return lines[number - 1]


@pytest.mark.parametrize("hole", range(6))
def test_an_error_names_the_letters_line(hole: int) -> None:
    """Wherever an undefined name stands, in HTML and in wrapped text, its line is the Markdown's."""
    source = ("First {{ a0 }}\n{# a\ncomment #}\n\nA paragraph of\n{{ a1 }} and\nof {{ a2 }} here {{ a3 }}.\n\n"
              "{% if true %}\n- {{ [1,\n 2] | join }} {{ a4 }}\n{% endif %}\n\n[x]({{ a5 }})")
    expected = next(n for n, text in enumerate(source.split("\n"), 1) if f"a{hole}" in text)
    values = {f"a{n}": "x" for n in range(6) if n != hole}
    document = markdown.read(source, "letter.md")
    for template, lines in (hypertext.write(document, lambda _s, _l, _m: {}), plain.write(document)):
        assert template.count("\n") + 1 == len(lines)
        assert undefined_line(template, lines, values) == expected


@given(st.lists(st.sampled_from(["a", " ", "\n", "{{ x }}", "{%- if x -%}", "{% endif %}", "{# c\n #}", "*", "-", "{",
                                 "}", "{{ 'q\n}}' }}", "qj", "::: panel\n", "\n:::\n", "{% raw %}{{{% endraw %}"])))
def test_placeholders_come_back_whole(pieces: list[str]) -> None:
    """Masking and restoring any text gives it back: same words, same lines."""
    source = "".join(pieces)
    try:
        masked = Placeholders(source)
    except TemplateSyntaxError:
        return
    assert "{{" not in masked.pattern.sub("", masked.text)
    assert len(masked.origin) == masked.text.count("\n") + 1
    restored, lines = masked.restore(masked.text)
    assert len(lines) == restored.count("\n") + 1
    environment = Environment()
    try:
        plainly = environment.from_string(source).render(x="X")
    except TemplateSyntaxError:
        return
    if "{#" not in source and "%-" not in source and "-%" not in source:
        assert environment.from_string(restored).render(x="X").split() == plainly.split()


@given(st.lists(st.sampled_from([
    "word ", "\n", "\n\n", "- a\n", "1. b\n", "  ", "> q\n", "# H\n", "{{ x }}", "{% if x %}", "{% else %}",
    "{% endif %}", "{% for y in z %}", "{% endfor %}", "{% set v %}", "{% endset %}", "::: panel\n", ":::\n",
    "::: pull-quote\n", "*", "**w", "w**", "[w ", "](u)", "[a](b)", "![i](c)", "---\n", "\\{\\{", "&#123;", "`c`",
    "<b>", "\t", "{{ [1,\n2] }}", "{%- if x -%}"]), max_size=25), st.booleans())
def test_any_markdown_is_compiled_or_told(pieces: list[str], x: bool) -> None:
    """Whatever is written becomes two templates with a line for each line and HTML that is never torn, or a finding."""
    source = "".join(pieces)
    try:
        Environment().parse(source)
    except TemplateSyntaxError:
        return
    document = markdown.read(source, "letter.md")
    if document.findings:
        return
    for template, lines in (hypertext.write(document, lambda _s, _l, _m: {}), plain.write(document)):
        Environment().parse(template)
        assert len(lines) == template.count("\n") + 1
        assert all(1 <= line <= source.count("\n") + 1 for line in lines)
        assert not document.placeholders.pattern.search(template)
    assert torn(rendered(source, x=x, z=[1, 2] if x else [])[0]) == []


def torn(html: str) -> list[str]:
    """Tags that are not closed in order."""
    open_tags: list[str] = []
    for slash, name in re.findall(r"<(/?)(p|ul|ol|li|h\d|blockquote|em|strong|a|panel|code)\b", html):
        if not slash:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            return [name]
    return open_tags
