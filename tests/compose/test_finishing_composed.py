"""Tracing and finishing together: what leaves is what rendering and inlining each letter would give."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.model.records import Composed, Letter
from pillarbox.shape.bodies import body

HTML = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><style>p { color: red } @media (a) { p { margin: 0 } }</style></head><body>
{% macro cell(words) %}<tr>{{ words }}<td>{{ words }}</td></tr>{% endmacro -%}
<p title="{{ supporter.name }}">Dear {{ supporter.name }}
{% if supporter.town %} of {{ supporter.town|upper }}{% endif %}</p>
<ul>{% for gift in supporter.gifts %}<li>{{ loop.index }}: {{ gift }}</li>{% else %}<li>none</li>{% endfor %}</ul>
<!--[if mso]><a href="{{ links.give }}">Give</a> <![endif]-->
<a href="{{ links.give }}?n={{ supporter.name|urlencode }}&amp;t={{ supporter.town }}">Give</a>
<img src="cid:{{ supporter.town }}" alt="{{ supporter.name }}"><table>{{ cell(supporter.name) }}</table></body></html>
"""
TEXT = "Dear {{ supporter.name }},\n{% for gift in supporter.gifts %}- {{ gift }}\n{% endfor %}{{ links.give }}\n"
LETTER = Letter(subject="{{ supporter.name }}: news", html="a.html", text="a.txt",
                templates={"a.html": HTML, "a.txt": TEXT}, constants={})
WORDS = st.one_of(st.sampled_from(["", " ", "Ann & <Bob>", 'The "Boss"', "O'Brien", "x7f00001x", "%41 é", "-->",
                                   "ئۇيغۇر", "a\nb", "a\0b", "a\rb", "😀"]),
                  st.text(max_size=10).filter(lambda text: text.isprintable()))
CONTEXTS = st.lists(st.fixed_dictionaries({
    "supporter": st.fixed_dictionaries({"name": WORDS, "town": WORDS, "gifts": st.lists(WORDS, max_size=3)}),
    "links": st.fixed_dictionaries({"give": WORDS})}), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None)
@given(contexts=CONTEXTS)
def test_what_leaves_is_the_plain_letter(contexts: list[dict[str, object]]) -> None:
    """Shared shapes filled by value, and slow letters, equal each supporter's own rendering; most shapes are shared."""
    finish = finisher(PremailerInliner())
    shared = Composer(LETTER, finish, prove_every=0)
    for context, message in zip(contexts, shared.compose(contexts), strict=True):
        assert isinstance(message, Composed)
        assert body(message.shape, message.values) == body(shared._rendered(context), ())
    assert not [reason for reason in shared.reasons if "control characters" not in reason]
