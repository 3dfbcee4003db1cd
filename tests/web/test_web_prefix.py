"""Below a path of the charity's website, every link of ours stays below it."""

from __future__ import annotations

import re
from pathlib import Path

from pillarbox.web import render

_PAGES = Path(render.__file__).parent / "pages"


def test_no_page_writes_down_where_the_site_begins() -> None:
    """Every path in a template is written with what stands before it."""
    found = [f"{page.name}: {line.strip()}" for page in sorted(_PAGES.rglob("*.html"))
             for line in page.read_text("utf-8").splitlines() if re.search(r"=[\"']/|set \w+ = \"/staff/mailings/\" ~ m"
                                                                           r".*(at|back)", line)]
    assert found == []
