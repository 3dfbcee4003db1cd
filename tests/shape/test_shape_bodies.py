"""A shape and values become bodies, one by one, by column, or with tags."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox.model.records import Place, Shape, Token
from pillarbox.shape import columns
from pillarbox.shape.bodies import Body, Tagged, bodies, body, tagged
from pillarbox.shape.escape import ESCAPE, passes

HTML_PLACES = [Place.TEXT, Place.ATTRIBUTE, Place.URL, Place.URL_START, Place.COMMENT]
FEW_WORDS = st.sampled_from(["", "Ann", "<b>", 'say "hi" & go', "O'Brien", "שלום", "ئۇيغۇر", "😀", "a\nb", "x7f00001x",
                             "%41", " lead", "~0", "\x7f", "\\u0000", '","', "~^`|_*@!", "─", "a b/é?q=1&r=2"])
VALUES = st.one_of(FEW_WORDS, st.text(max_size=12)).filter(passes)
FEW_LITERALS = st.sampled_from(["", " ", "Dear ", "x7f00099x", "~", "~0", "0", "é"])
LITERALS = st.one_of(FEW_LITERALS, st.text(max_size=12).filter(passes))


def made(subject: str, html: str, text: str, tokens: Sequence[Token], key: str = "0" * 32) -> Shape:
    return Shape(id=key, subject=subject, html=html, text=text, tokens=tuple(tokens))


@st.composite
def shapes_and_rows(draw: st.DrawFn) -> tuple[Shape, list[tuple[str, ...]]]:
    """A shape with tokens anywhere, and rows for it."""
    width = draw(st.integers(1, 5))
    tokens: list[Token] = []

    def part(places: list[Place]) -> str:
        out = draw(LITERALS)
        for _ in range(draw(st.integers(0, 6))):
            value, place = draw(st.integers(0, width - 1)), draw(st.sampled_from(places))
            known = [t for t in tokens if (t.value, t.place) == (value, place)]
            token = known[0] if known else Token(mark=f"x7f{len(tokens):05d}x", value=value, place=place)
            if not known:
                tokens.append(token)
            out += token.mark + draw(LITERALS)
        return out

    shape = made(part([Place.SUBJECT]), part(HTML_PLACES), part([Place.PLAIN]), tokens)
    row = st.tuples(*[VALUES] * width)
    return shape, draw(st.lists(row, min_size=1, max_size=6))


def substituted(batch: Tagged, row: int) -> Body:
    """What a provider makes of a batch that seeks tags case-blind and over again, in any order."""

    def fill(text: str) -> str:
        for tag, column in reversed(batch.tags):
            text = re.sub(re.escape(tag), lambda _, c=column: c[row], text, flags=re.IGNORECASE)
        return text

    return Body(subject=fill(batch.subject), html=fill(batch.html), text=fill(batch.text))


@given(shapes_and_rows())
def test_many_bodies_are_the_single_ones(drawn: tuple[Shape, list[tuple[str, ...]]]) -> None:
    """Working by column gives the same bytes as filling the shape for one supporter."""
    shape, rows = drawn
    alone = [body(shape, row) for row in rows]
    assert list(bodies(shape, rows)) == [(b.subject, b.html.encode(), b.text.encode()) for b in alone]


@given(shapes_and_rows())
def test_filling_the_tags_gives_each_body(drawn: tuple[Shape, list[tuple[str, ...]]]) -> None:
    """A tagged batch, filled in case-blind one tag after another, is each supporter's body."""
    shape, rows = drawn
    batch = tagged(shape, rows)
    assert [substituted(batch, n) for n in range(len(rows))] == [body(shape, row) for row in rows]


@given(shapes_and_rows())
def test_tags_cannot_be_mistaken(drawn: tuple[Shape, list[tuple[str, ...]]]) -> None:
    """No tag is part of another or of any value, none is constant, and no two columns are equal."""
    shape, rows = drawn
    batch = tagged(shape, rows)
    names = [tag.lower() for tag, _ in batch.tags]
    assert not [1 for a in names for b in names if a is not b and a in b]
    assert not [1 for tag in names for _, column in batch.tags for value in column if tag in value.lower()]
    assert all(len(set(column)) > 1 and len(column) == len(rows) for _, column in batch.tags)
    assert len({tuple(column) for _, column in batch.tags}) == len(batch.tags)


def test_only_what_differs_takes_a_tag() -> None:
    """Values that are the same for a whole batch stand in the body; equal columns share one short tag."""
    shape = made("To x7f00000x", "<p>x7f00001x of x7f00002x</p>", "x7f00003x", [
        Token(mark="x7f00000x", value=0, place=Place.SUBJECT), Token(mark="x7f00001x", value=0, place=Place.TEXT),
        Token(mark="x7f00002x", value=1, place=Place.TEXT), Token(mark="x7f00003x", value=0, place=Place.PLAIN)])
    batch = tagged(shape, [("Alice", "Leeds"), ("Bob", "Leeds")])
    assert batch == Tagged(subject="To ~0", html="<p>~0 of Leeds</p>", text="~0", tags=(("~0", ("Alice", "Bob")),))


def test_a_clash_moves_the_tags() -> None:
    """When a letter or a value holds the tags' first character, another is taken."""
    shape = made("", "~0 x7f00000x", "", [Token(mark="x7f00000x", value=0, place=Place.TEXT)])
    assert [tag for tag, _ in tagged(shape, [("a",), ("^",)]).tags] == ["`0"]
    worst = "".join(map(chr, range(0x20, 0x3000)))
    (tag, _), = tagged(shape, [("a",), (worst,)]).tags
    assert tag == "\u30000"


def test_many_tags_have_one_length() -> None:
    """Beyond 36 tags all take three characters, so that none begins another."""
    tokens = [Token(mark=f"x7f{n:05d}x", value=n, place=Place.TEXT) for n in range(50)]
    shape = made("", "".join(t.mark for t in tokens), "", tokens)
    rows = [tuple(f"{r}.{n}" for n in range(50)) for r in range(2)]
    assert {len(tag) for tag, _ in tagged(shape, rows).tags} == {3}


def test_no_rows() -> None:
    """No rows make no bodies; a tagged batch without rows is a fault of ours."""
    shape = made("s", "h", "t", [])
    assert list(bodies(shape, [])) == []
    with pytest.raises(ValueError, match="at least one row"):
        tagged(shape, [])


def test_a_shape_without_tokens_serves_every_row() -> None:
    """A letter that says the same to everyone is made once and repeated."""
    assert list(bodies(made("s", "hé", "t", []), [(), ()])) == [("s", "hé".encode(), b"t")] * 2


def test_shapes_that_share_an_id_are_not_confused() -> None:
    """A kept shape is used only for the very same shape, even when ids repeat."""
    assert body(made("", "a", "", []), ()).html == "a"
    assert body(made("", "b", "", []), ()).html == "b"


@given(st.lists(VALUES))
def test_json_by_column_is_json(column: list[str]) -> None:
    """A column's JSON, made at once, reads back as the column."""
    assert [json.loads(item) for item in columns.json_column(column)] == column


@given(st.sampled_from(list(Place)), st.lists(st.text()))
def test_a_column_is_escaped_like_its_values(place: Place, column: list[str]) -> None:
    """Escaping a column at once equals escaping each of its values."""
    assert list(columns.escaped(column, place)) == [ESCAPE[place](value) for value in column]
