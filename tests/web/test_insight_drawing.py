"""Pictures are drawn when their numbers change, and nobody waits for one twice."""

from __future__ import annotations

import threading

import pytest

from pillarbox.reports.plots import Plot
from pillarbox.web.insight import drawing
from pillarbox.web.insight.drawing import Gallery


def picture(title: str) -> Plot:
    """A picture."""
    return Plot(id="x", title=title, says="", wide="", narrow="", head=(), rows=())


def test_the_same_numbers_are_drawn_once() -> None:
    """Another mailing's place has a picture of its own."""
    gallery, drawn = Gallery(), []
    for place in ("a", "a", "b"):
        shown, behind = gallery.show(place, lambda: drawn.append(1) or picture("one"), 1)
        assert (shown, behind) == (picture("one"), False)
    assert len(drawn) == 2


def test_while_it_is_drawn_again_the_one_before_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the page is told that it is behind; the next visitor sees the new one."""
    monkeypatch.setattr(drawing, "FRESH_SECONDS", -1.0)
    gallery, free = Gallery(), threading.Event()
    gallery.show("a", lambda: picture("old"), 1)

    def slowly() -> Plot:
        free.wait(10)
        return picture("new")

    assert gallery.show("a", slowly, 2) == (picture("old"), True)
    assert gallery.show("a", lambda: pytest.fail("drawn twice at once"), 2) == (picture("old"), True)
    free.set()
    for thread in threading.enumerate():
        if thread.name == "draw":
            thread.join(10)
    assert gallery.show("a", slowly, 2) == (picture("new"), False)


def test_a_picture_that_is_too_old_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes behind, and no more."""
    monkeypatch.setattr(drawing, "STALE_SECONDS", -1.0)
    gallery = Gallery()
    gallery.show("a", lambda: picture("old"), 1)
    assert gallery.show("a", lambda: picture("new"), 2) == (picture("new"), False)
