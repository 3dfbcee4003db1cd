"""The words after the subject are chosen."""

from __future__ import annotations

from pillarbox.checking.preheader import look
from tests.checking.looking import matter


def test_a_missing_preheader_is_told() -> None:
    """Without one, advice says where to set it; with one, nothing is said; a service letter needs none."""
    assert [each.code for each in look(matter(appeal='preheader = ""'))] == ["no-preheader"]
    assert list(look(matter())) == []
    assert list(look(matter(appeal='preheader = ""\nkind = "service"\nlayout = "service"'))) == []
