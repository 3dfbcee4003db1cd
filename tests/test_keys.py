"""Keys for links: nobody guesses them, and a large table takes them kindly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pillarbox.ground.keys import dated_digest, new_key, new_keys


def test_keys_are_26_letters_and_never_the_same() -> None:
    """Every key is 30 letters and digits that survive a change of case, and no two are alike."""
    keys = [*new_keys(2_000), *new_keys(2_000), new_key()]
    assert len(set(keys)) == 4_001
    assert all(len(key) == 30 and key.isalnum() and key == key.lower() for key in keys)


def test_keys_made_together_stand_side_by_side() -> None:
    """The keys of one call share their first letters, so that an index takes them in one place; the rest is random."""
    keys = new_keys(500)
    assert len({key[:4] for key in keys}) == 1
    assert len({key[4:9] for key in keys}) > 490
    assert len({new_keys(1)[0][:4] for _ in range(50)}) > 1


@given(first=st.integers(0, 2**32 - 1), second=st.integers(0, 2**32 - 1), told=st.lists(st.text(), max_size=3))
def test_dated_digests_sort_by_their_second(first: int, second: int, told: list[str]) -> None:
    """What is told together stands together in an index, whatever is told; 16 letters that any engine keeps as text."""
    one, other = dated_digest(first, *told), dated_digest(second, "else")
    assert len(one) == len(other) == 16
    assert one.isascii()
    assert first == second or (first < second) == (one < other)


def test_dated_digests_tell_texts_and_seconds_apart() -> None:
    """The same texts of the same second agree; another second, another text, or a text parted elsewhere does not."""
    one = dated_digest(1_795_000_000, "open", "ab", "c")
    assert one == dated_digest(1_795_000_000, "open", "ab", "c")
    others = {dated_digest(1_795_000_001, "open", "ab", "c"), dated_digest(1_795_000_000, "open", "a", "bc"),
              dated_digest(1_795_000_000, "open", "abc"), dated_digest(1_795_000_000, "click", "ab", "c")}
    assert len({one, *others}) == 5
