"""Events from a file count like posted ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from pillarbox.events.apply import Applied
from pillarbox.events.importing import import_file
from pillarbox.ground.errors import Refused
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SECRET
from tests.signing import body, event


def taken_in(store: Store, path: Path, content: bytes) -> Applied:
    path.write_bytes(content)
    return import_file(store, path, project="testproj", secret=SECRET)


@pytest.mark.parametrize("dress", ["array", "lines", "arrays on lines", "pretty", "BOM", "trailing commas"])
def test_arrays_and_lines(store: Store, tmp_path: Path, dress: str) -> None:
    """A JSON array, one event a line, or posts line by line: the same events."""
    with store.writing() as connection:
        builders.message(connection, builders.mailing(connection), builders.supporter(connection))
    events = [event("delivered"), event("open"), event("bounce", project="another1")]
    content = {
        "array": body(events), "pretty": json.dumps(events, indent=1).encode(), "BOM": b"\xef\xbb\xbf" + body(events),
        "lines": b"\n".join(body([one])[1:-1] for one in events) + b"\n\n",
        "arrays on lines": body(events[:1]) + b"\r\n" + body(events[1:]),
        "trailing commas": b",\n".join(body([one])[1:-1] for one in events),
    }[dress]
    assert taken_in(store, tmp_path / "events.json", content) == Applied(new=2, foreign=1)
    assert taken_in(store, tmp_path / "events.json", content) == Applied(repeated=2, foreign=1)


@pytest.mark.parametrize(("content", "sentence"), [
    (body([event("open")])[1:-1] + b"\n{broken\n", r"events\.json: Line 2 is no JSON"),
    (body([event("open")])[1:-1] + b'\n\n{"event": "open"}\n', r"Line 3: Item 1 \(open\): timestamp"),
    (body([event("open"), {"x": 1}]), r"Item 2 has no event"),
    (b"", "holds no events"),
])
def test_a_fault_is_told_with_its_line_and_nothing_is_taken_in(store: Store, tmp_path: Path, content: bytes,
                                                               sentence: str) -> None:
    """Where it is wrong, and no change."""
    with pytest.raises(Refused, match=sentence):
        taken_in(store, tmp_path / "events.json", content)
    with store.reading() as connection:
        assert connection.execute(select(schema.events.c.id)).all() == []


def test_a_missing_file(store: Store, tmp_path: Path) -> None:
    """A wrong name is a sentence."""
    with pytest.raises(Refused, match=r"gone\.json: The file cannot be read"):
        import_file(store, tmp_path / "gone.json", project="testproj", secret=SECRET)
