"""The composer: every supporter's message or fault, byte-equal to the plain way."""
# ruff: noqa: E501 - templates read best on one line

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pillarbox.compose.finish import SlowPath
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.ground.errors import LetterError
from pillarbox.model.records import Composed, Fault, Letter, Shape
from pillarbox.shape.bodies import Body, body

finish = finisher(PremailerInliner())
HTML = """<html><head><style>p { color: #333 } .big { font-size: 20px }</style></head><body>
<p class="big">{{ supporter.salutation }},</p>{% if supporter.gifts %}<ul>{% for gift in supporter.gifts %}
<li>{{ gift.date }}: {{ gift.amount }}</li>{% endfor %}</ul>{% else %}<p>You could be our first, {{ supporter.first_name }}.</p>
{% endif %}<p title="For {{ supporter.first_name }}"><a href="{{ links.donate }}">{{ charity }} thanks you</a></p></body></html>"""
TEXT = "{{ supporter.salutation }},\n\n{% for gift in supporter.gifts %}* {{ gift.date }}: {{ gift.amount }}\n{% endfor %}{{ links.donate }}"
SUBJECT = "{{ supporter.first_name }}, today"


def letter(html: str = HTML, text: str = TEXT, subject: str = SUBJECT, **more: Any) -> Letter:
    """A letter from its three sources."""
    return Letter(subject=subject, html="letter.html", text="letter.txt", constants={"charity": "Ours & Yours"},
                  templates={"letter.html": html, "letter.txt": text}, **more)


def person(**fields: Any) -> dict[str, Any]:
    """A context: Alice, unless told otherwise."""
    return {"supporter": {"first_name": "Alice", "salutation": "Dear Alice", "gifts": [], **fields},
            "links": {"donate": "https://example.org/give?a=1&b=2"}}


def alone(made: Letter, context: Mapping[str, Any]) -> Body:
    """The plain way: rendered and finished for one supporter alone."""
    from pillarbox.compose.environment import plain_environment

    plain = plain_environment(made)
    html, text, subject = (plain.rendered(name, context) for name in ("letter.html", "letter.txt", "subject"))
    return body(finish(subject=subject, html=html, text=text, marks={}, private=True), ())


def whole(message: Composed | Fault) -> Body:
    """What a composed message says."""
    assert isinstance(message, Composed), message
    return body(message.shape, message.values)


def test_messages_share_shapes_and_equal_the_plain_way() -> None:
    """A few shapes serve a list, and each message is byte for byte what rendering it alone gives."""
    people = [person(first_name=f"N{i} <&>\"'", gifts=[{"date": f"May {i}", "amount": "£5"}] * (i % 3)) for i in range(12)]
    composer = Composer(letter(), finish, prove_every=5)
    messages = composer.compose(people)
    assert [whole(message) for message in messages] == [alone(letter(), context) for context in people]
    assert (len(composer.shapes), composer.slow_path, composer.reasons) == (3, 0, ())
    assert all("N1 " not in shape.html + shape.text + shape.subject for shape in composer.shapes.values())


WORDS = st.text(st.one_of(st.sampled_from("&<>\"'\n\t\r\0 x7f0001{}%/"), st.sampled_from("éשלוםئۇيغۇر🕊️\u2028\ufeff\x85"),
                          st.characters(exclude_categories=["Cs"])), max_size=12)
PEOPLE = st.lists(st.builds(person, first_name=WORDS, salutation=WORDS,
                            gifts=st.lists(st.fixed_dictionaries({"date": WORDS, "amount": WORDS}), max_size=2)),
                  min_size=20, max_size=20)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=PEOPLE)
def test_a_thousand_random_supporters_equal_the_plain_way(people: list[dict[str, Any]]) -> None:
    """Markup characters, newlines, NUL, emoji, Hebrew, Uyghur and nothing at all: always the plain way's bytes."""
    messages = RANDOM.compose(people)
    for message, context in zip(messages, people, strict=True):
        assert whole(message) == alone(letter(), context)


RANDOM = Composer(letter(), finish)


def test_a_line_and_file_are_staffs_own() -> None:
    """A fault names the file that staff wrote and the line in it, and no supporter's words."""
    made = letter("<p>x</p>\n<p>{{ supporter.nick }}</p>", files={"letter.html": "appeals/a/letter.md"},
                  lines={"letter.html": (7, 9)})
    messages = Composer(made, finish).compose([person(nick="N"), person(), person(nick="M")])
    assert isinstance(messages[0], Composed)
    assert isinstance(messages[2], Composed)
    fault = messages[1]
    assert isinstance(fault, Fault)
    assert fault.position == 1
    assert (fault.finding.file, fault.finding.line, fault.finding.code) == ("appeals/a/letter.md", 9, "undefined-name")
    assert "nick" in fault.finding.message
    assert "Alice" not in fault.finding.message


@pytest.mark.parametrize(("html", "code"), [
    ("{% for i in range(9999999) %}{% endfor %}", "over-budget"), ("{{ supporter.__class__ }}", "unsafe"),
    ("{{ supporter.first_name|round }}", "filter-failed"), ("{% include 'gone.html' %}", "missing-template"),
    ("{{ supporter.first_name|money }}", "template"), ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "over-budget")])
def test_each_kind_of_fault_has_its_code(html: str, code: str) -> None:
    """What goes wrong is told apart, on its line, without the supporter's words."""
    fault = Composer(letter(f"<p>\n{html}</p>"), finish).compose([person()])[0]
    assert isinstance(fault, Fault)
    assert (fault.finding.code, fault.finding.line) == (code, 2)
    assert "Alice" not in fault.finding.message


TWICE = "".join(f"{{% set s{n + 1} %}}{{{{ s{n} }}}}{{{{ s{n} }}}}{{% endset %}}" for n in range(40))


@pytest.mark.parametrize(("name", "source", "line"), [
    ("html", "{% set x = 'x' * 20000 %}\n{% for i in range(4000) %}\n{{ x }}{% endfor %}", 3),
    ("text", "\n{% set s0 %}xx{% endset %}" + TWICE + "{{ s40 }}", 2),
    ("html", "\n{% set s0 %}{{ supporter.first_name }}{% endset %}" + TWICE + "{{ s40 }}", 2),
    ("subject", "{% for i in range(4000) %}{{ supporter.first_name * 20000 }}{% endfor %}", 1)])
def test_what_prints_without_end_is_told_with_its_place(name: str, source: str, line: int) -> None:
    """Endless output is stopped, before memory fills, at the file and line that print it: text that doubles too."""
    fault = Composer(letter(**{name: source}), finish).compose([person()])[0]
    assert isinstance(fault, Fault)
    assert fault.finding.code == "over-budget"
    assert (fault.finding.file, fault.finding.line) == ("letter.txt" if name == "text" else "letter.html", line)


@pytest.mark.parametrize("deep", ["{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "{% if charity %}" * 500 + "{% endif %}" * 500,
                                  "{% for i in [1] %}" * 30 + "{% endfor %}" * 30, "{{ " + "-" * 3000 + "1 }}",
                                  "{{ " + " + ".join(["charity"] * 2000) + " }}", "{% if charity %}" * 120 + "{% endif %}" * 120])
def test_what_nests_too_deep_to_be_read_is_told(deep: str) -> None:
    """Brackets, loops and choices beyond what Python reads are a finding with its line, not a crash."""
    with pytest.raises(LetterError) as caught:
        Composer(letter("<p>\n" + deep + "</p>"), finish)
    assert [(f.code, f.file, f.line) for f in caught.value.findings] == [("too-deep", "letter.html", 2)]  # type: ignore[attr-defined]


def test_what_nests_too_deep_when_drawn_together_is_composed() -> None:
    """Loops that only a macro's or an include's drawing in puts into one another still make a right letter."""
    inner = "{% for a in [1, 1] %}" * 1 + "{% for i in supporter.gifts %}" * 10 + "{{ supporter.first_name }}" + "{% endfor %}" * 11
    made = letter("{% for i in supporter.gifts %}" * 12 + "{% include 'part.html' %}" + "{% endfor %}" * 12)
    made = replace(made, templates={**made.templates, "part.html": inner})
    who = person(gifts=[{"date": "May", "amount": "£5"}])
    composer = Composer(made, finish)
    assert whole(composer.compose([who])[0]) == alone(made, who)


def test_every_unreadable_template_is_told_at_once() -> None:
    """Syntax errors and unknown filters stop the letter before any supporter, with file and line."""
    with pytest.raises(LetterError) as caught:
        Composer(letter("<p>\n{% if %}</p>", "{{ x|nofilter }}"), finish)
    found = {(f.file, f.line, f.code) for f in caught.value.findings}  # type: ignore[attr-defined]
    assert found == {("letter.html", 2, "syntax"), ("letter.txt", 1, "syntax")}


def test_a_token_that_cannot_stand_takes_the_slow_path() -> None:
    """Where a value decides on style, each message is rendered alone: right, private, counted, and said why."""
    made = letter("<style>.red { color: red }</style><p class='{{ supporter.first_name }}'>x</p>")
    composer = Composer(made, finish)
    people = [person(first_name="red"), person(first_name="blue")]
    messages = composer.compose(people)
    assert [whole(message) for message in messages] == [alone(made, context) for context in people]
    assert all(isinstance(m, Composed) and m.slow and m.shape.private and m.values == () for m in messages)
    assert composer.slow_path == 2
    assert composer.reasons
    assert composer.shapes == {}


@pytest.mark.parametrize("html", ["<p>{{ supporter.first_name|safe }}</p>", "<p>{% filter upper %}{{ charity }}{% endfilter %}</p>",
                                  "{% set a %}{{ supporter.first_name }}{% endset %}<p>{{ a|length }}</p>"])
def test_what_cannot_be_traced_is_rendered_alone(html: str) -> None:
    """Printed HTML and captured text used as data are right, by the slow path."""
    composer = Composer(letter(html), finish)
    assert whole(composer.compose([person(first_name="<b>A</b>")])[0]) == alone(letter(html), person(first_name="<b>A</b>"))
    assert composer.slow_path == 1
    assert len(composer.reasons) == 1


def test_a_wrong_shape_is_found_out() -> None:
    """A finished letter that differs from the plain way is not believed: its messages are rendered alone."""

    def wrong(*, subject: str, html: str, text: str, marks: Mapping[str, int], private: bool) -> Shape:
        return finish(subject=subject, html=html + (" " if marks else ""), text=text + ("!" if marks else ""), marks=marks,
                      private=private)

    composer = Composer(letter(), wrong)
    assert whole(composer.compose([person()])[0]) == alone(letter(), person())
    assert composer.slow_path == 1
    assert composer.shapes == {}


def test_a_shape_that_goes_wrong_later_is_dropped() -> None:
    """The sample that is proved while it runs catches what the first message did not show."""
    calls = []

    def sometimes(*, subject: str, html: str, text: str, marks: Mapping[str, int], private: bool) -> Shape:
        calls.append(private)
        return finish(subject=subject, html=html, text=text + ("!" if calls.count(True) > 1 and private else ""),
                      marks=marks, private=private)

    composer = Composer(letter(), sometimes, prove_every=3)
    messages = composer.compose([person()] * 6)
    assert [isinstance(m, Composed) and m.slow for m in messages] == [False, False, True, True, True, True]


def test_letters_that_differ_for_everybody_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of shapes, messages are rendered alone."""
    monkeypatch.setattr("pillarbox.compose.message.MAX_SHAPES", 1)
    composer = Composer(letter(), finish)
    people = [person(), person(gifts=[{"date": "May", "amount": "£5"}]), person()]
    messages = composer.compose(people)
    assert [isinstance(m, Composed) and m.slow for m in messages] == [False, True, False]
    assert [whole(m) for m in messages] == [alone(letter(), context) for context in people]


def test_control_characters_take_the_slow_path_for_that_message_alone() -> None:
    """One supporter's odd data slows only that one's message, even when it comes first."""
    composer = Composer(letter(), finish)
    messages = composer.compose([person(first_name="A\rB"), person(), person(first_name="\0")])
    assert [isinstance(m, Composed) and m.slow for m in messages] == [True, False, True]
    assert whole(messages[0]) == alone(letter(), person(first_name="A\rB"))


def test_values_refuse_what_cannot_be_traced() -> None:
    """The measuring entry says so when a letter has no traces."""
    with pytest.raises(SlowPath):
        Composer(letter("{% filter upper %}x{% endfilter %}"), finish).values([person()])


def test_a_style_sheet_may_be_included_whatever_its_name() -> None:
    """A file that prints constants alone is the same for everybody: no slow path, and the plain way's very words."""
    letter = Letter(
        subject="Hello", html="letter.html", text="letter.txt",
        templates={"letter.html": "<html><head><style>{% include 'look.css' %}</style></head>"
                                  "<body><p>{{ supporter.first_name }}</p></body></html>",
                   "letter.txt": "{{ supporter.first_name }}",
                   "look.css": "p { color: {{ theme.ink }}; font-family: 'Gill Sans' }"},
        constants={"theme": {"ink": "#123456"}})
    composer = Composer(letter, finisher(PremailerInliner()))
    made = composer.compose([{"supporter": {"first_name": name}} for name in ("Ada", "Bo")])
    assert (composer.slow_path, len(composer.shapes)) == (0, 1)
    assert isinstance(made[1], Composed)
    plain = replace(letter, templates={**letter.templates, "letter.html": letter.templates["letter.html"].replace(
        "{{ supporter.first_name }}", "Bo")})
    [alone] = Composer(plain, finisher(PremailerInliner())).compose([{"supporter": {"first_name": "Bo"}}])
    assert isinstance(alone, Composed)
    assert body(made[1].shape, made[1].values).html == alone.shape.html
    assert "font-family:'Gill Sans'" in alone.shape.html.replace(": ", ":")
