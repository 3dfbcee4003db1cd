"""What a process keeps of a letter that it drew together: the same letter is not compiled again, another one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from jinja2.exceptions import UndefinedError
from markupsafe import Markup

from pillarbox.compose import drawing
from pillarbox.compose.environment import SUBJECT, plain_environment
from pillarbox.compose.trace import TraceEnvironment, decode
from pillarbox.model.records import Letter

ADA = {"supporter": {"first_name": "Ada", "town": "York"}}


def letter(**constants: Any) -> Letter:
    """It prints a constant, and two of the supporter's fields through a layout."""
    return Letter(
        subject="For {{ supporter.first_name }}", html="main.html", text="main.txt", constants=constants,
        templates={"base.html": "<b>{{ kept }}</b>{% block words %}{% endblock %}", "main.txt": "{{ supporter.town }}",
                   "main.html": '{% extends "base.html" %}{% block words %}{{ supporter.first_name }}{% endblock %}'})


def printed(made: Letter, context: Mapping[str, Any] = ADA) -> tuple[str, str]:
    """A trace's HTML with the marks filled in, and what plain Jinja prints."""
    traces = TraceEnvironment(made)
    assert traces.is_flat
    key, values = traces.trace(context)
    masked = decode(traces.runs, key)
    html = masked.html
    for mark, index in masked.marks.items():
        html = html.replace(mark, masked.pick(values)[index])
    return html, plain_environment(made).rendered(made.html, context)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is drawn together from now on: its subject."""
    seen: list[str] = []
    draw = drawing.draw

    def watched(environment: Any, plain: Any, sources: Mapping[str, str], names: Any) -> Any:
        seen.append(sources[SUBJECT])
        return draw(environment, plain, sources, names)

    monkeypatch.setattr(drawing, "draw", watched)
    return seen


def test_the_same_letter_is_drawn_once(drawn: list[str]) -> None:
    """A second look at a letter, equal but not the same object, compiles nothing and prints the same."""
    first, second = (printed(letter(kept="once", day=date(2026, 12, 10), more={"a": ["b"]})) for _ in range(2))
    assert first == second
    assert first[0] == first[1] == "<b>once</b>Ada"
    assert len(drawn) == 1


@pytest.mark.parametrize(("one", "other"), [
    (1, True), (1, 1.0), (Decimal("1.5"), Decimal("1.50")), ("<i>", Markup("<i>")), ("a", "b"), (0.0, -0.0),
    (["a"], ("a",)), ({"a": 1, "b": 2}, {"b": 2, "a": 1})], ids=repr)
def test_constants_that_print_otherwise_are_another_letter(one: Any, other: Any) -> None:
    """Values that are equal to Python, and print differently, never get each other's letter."""
    for value in (one, other):
        traced, plain = printed(letter(kept=value, case="otherwise"))
        assert traced == plain


def test_another_text_is_another_letter(drawn: list[str]) -> None:
    """One changed word of one template, or of the subject, and it is drawn anew."""
    made = letter(kept="text")
    others = [replace(made, templates={**made.templates, "base.html": "{% block words %}{% endblock %}!"}),
              replace(made, subject="Again {{ supporter.first_name }}")]
    assert [printed(each)[0] for each in (made, *others)] == ["<b>text</b>Ada", "Ada!", "<b>text</b>Ada"]
    assert len(drawn) == 3


def test_who_lacks_a_field_is_told_by_the_second_look_too() -> None:
    """What is kept of a letter does not hide a gap: it is then read file by file, which says where."""
    made = letter(kept="gap")
    printed(made)
    with pytest.raises(UndefinedError):
        TraceEnvironment(made).trace({"supporter": {"town": "York"}})
