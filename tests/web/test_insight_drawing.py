"""Pictures are drawn when their numbers change, and nobody waits for one twice."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from pillarbox.reports.plots import Plot
from pillarbox.web.insight import drawing
from pillarbox.web.insight.drawing import Gallery, Place


def picture(title: str) -> Plot:
    """A picture."""
    return Plot(id="x", title=title, says="", wide="", narrow="", head=(), rows=())


def drawn(gallery: Gallery, place: str, make: Callable[[], Plot | None], of: object) -> Place:
    """What a visitor sees who looks once more when nothing is being drawn any more."""
    gallery.show(place, make, of)
    settle()
    return gallery.show(place, make, of)


def settle() -> None:
    """Until nothing is being drawn."""
    for thread in threading.enumerate():
        if thread.name == "draw":
            thread.join(10)


def test_nobody_waits_for_the_first_picture() -> None:
    """The page comes without it and says so; the next one has it."""
    gallery, free = Gallery(), threading.Event()

    def slowly() -> Plot:
        free.wait(10)
        return picture("one")

    assert gallery.show("a", slowly, 1) == Place(plot=None, awaited=True)
    free.set()
    settle()
    assert gallery.show("a", slowly, 1) == Place(plot=picture("one"))


def test_the_same_numbers_are_drawn_once() -> None:
    """Another mailing's place has a picture of its own."""
    gallery, times = Gallery(), []
    for place in ("a", "a", "b"):
        assert drawn(gallery, place, lambda: times.append(1) or picture("one"), 1) == Place(plot=picture("one"))
    assert len(times) == 2


def test_while_it_is_drawn_again_the_one_before_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the page is told that it is behind; the next visitor sees the new one."""
    monkeypatch.setattr(drawing, "FRESH_SECONDS", -1.0)
    gallery, free = Gallery(), threading.Event()
    drawn(gallery, "a", lambda: picture("old"), 1)

    def slowly() -> Plot:
        free.wait(10)
        return picture("new")

    assert gallery.show("a", slowly, 2) == Place(plot=picture("old"), behind=True)
    assert gallery.show("a", lambda: pytest.fail("drawn twice at once"), 2) == Place(plot=picture("old"), behind=True)
    free.set()
    settle()
    assert gallery.show("a", slowly, 2) == Place(plot=picture("new"))


def test_a_picture_that_is_long_behind_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown meanwhile, and the page comes again for the new one."""
    monkeypatch.setattr(drawing, "FRESH_SECONDS", -1.0)
    monkeypatch.setattr(drawing, "STALE_SECONDS", -1.0)
    gallery = Gallery()
    drawn(gallery, "a", lambda: picture("old"), 1)
    assert gallery.show("a", lambda: picture("new"), 2) == Place(plot=picture("old"), behind=True, awaited=True)


def test_a_picture_that_cannot_be_drawn_is_not_waited_for_for_ever() -> None:
    """Its fault is logged, the one before stays, and no page comes again and again."""
    gallery = Gallery()

    def fails() -> Plot:
        raise ValueError("no pen")

    assert drawn(gallery, "a", fails, 1) == Place(plot=None, failed=True)
    assert drawn(gallery, "b", lambda: picture("old"), 1) == Place(plot=picture("old"))


def test_a_picture_that_could_not_be_drawn_anew_is_not_taken_for_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one stays with a word that it is old, and is drawn again by who looks later."""
    gallery = Gallery()
    drawn(gallery, "a", lambda: picture("old"), 1)
    monkeypatch.setattr(drawing, "FRESH_SECONDS", -1.0)

    def fails() -> Plot:
        raise OSError("no process")

    gallery.show("a", fails, 2)
    settle()
    monkeypatch.setattr(drawing, "FRESH_SECONDS", 20.0)
    assert gallery.show("a", lambda: pytest.fail("at once"), 2) == Place(plot=picture("old"), failed=True)
    monkeypatch.setattr(drawing, "FRESH_SECONDS", -1.0)
    gallery.show("a", lambda: picture("new"), 2)
    settle()
    assert gallery.show("a", fails, 2) == Place(plot=picture("new"))
