"""Keys for links: nobody guesses them, and a large table takes them kindly."""

from __future__ import annotations

from pillarbox.ground.keys import new_key, new_keys


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
