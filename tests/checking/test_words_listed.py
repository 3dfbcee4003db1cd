"""docs/words.md shows every code of these checks, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.checking.wording import MODULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "words.md"


def test_the_docs_show_every_code() -> None:
    """A row for each."""
    listed = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(code for module in MODULES for code in module.CODES)


def test_every_code_is_given_and_explained() -> None:
    """Each stands in its module beside the list, and its sentence is whole."""
    for module in MODULES:
        source = Path(module.__file__ or "").read_text("utf-8")
        for code, words in module.CODES.items():
            assert source.count(f'"{code}"') >= 2, code
            assert words.endswith((".", ".”")), code
