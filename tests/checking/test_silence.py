"""Findings that an appeal asks not to be told."""

from __future__ import annotations

from pillarbox.checking.silence import heed
from pillarbox.model.records import Finding, Level


def finding(code: str, level: Level) -> Finding:
    return Finding(level=level, code=code, file="appeals/a/letter.md", line=1, message="So: do this.")


def test_a_warning_is_silenced_and_counted() -> None:
    """What is ignored with a reason is left out; the rest stays."""
    told, silenced = heed([finding("a", Level.WARNING), finding("b", Level.ADVICE)], {"a": "It is a joke."}, "f")
    assert ([each.code for each in told], silenced) == (["b"], 1)


def test_an_error_is_never_silenced() -> None:
    """An error stays, and the line that would ignore it is told."""
    told, silenced = heed([finding("a", Level.ERROR)], {"a": "It is a joke."}, "f")
    assert ([each.code for each in told], silenced) == (["a", "ignore-error"], 0)


def test_a_line_that_silences_nothing_is_told() -> None:
    """A reason for what is not there could hide something later."""
    told, silenced = heed([], {"a": "It is a joke."}, "appeals/a/appeal.toml")
    assert ([(each.code, each.file) for each in told], silenced) == ([("ignore-nothing", "appeals/a/appeal.toml")], 0)
