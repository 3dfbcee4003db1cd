"""A browser for the drawn letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import missing
from tests.golden import drawing


@pytest.fixture(scope="module")  # while one is open, no other can be opened, nor a loop of events run
def chrome() -> Iterator[Any]:
    """The system's Chromium, with the pictures' own type."""
    if drawing.CHROMIUM is None:
        missing("browser", "Chromium is not installed here: letters are drawn in CI")
    with drawing.chromium() as browser:
        if lacking := drawing.fonts_lacking(browser):
            missing("browser", f"{' and '.join(lacking)} are not installed here (Debian: fonts-noto-core)")
        yield browser
