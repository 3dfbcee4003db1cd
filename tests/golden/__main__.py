"""``python -m tests.golden``: draw every letter anew, and keep the pictures that changed. Look at them then.

``--show FOLDER`` puts pictures of full size into a folder instead, to look at.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.golden import comparing, drawing


def main() -> None:
    """Draw, compare, keep."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description="Draw the layouts' golden pictures.")
    parser.add_argument("--show", type=Path, metavar="FOLDER", help="full pictures into this folder; keep nothing")
    parser.add_argument("--only", default="", metavar="WORD", help="only pictures with this in their name")
    given = parser.parse_args()
    views = [view for view in drawing.VIEWS if given.only in view.name]
    with drawing.chromium() as browser:
        for view in views:
            with drawing.drawn(browser, view) as page:
                shot = page.screenshot(full_page=True)
            if given.show:
                given.show.mkdir(exist_ok=True, parents=True)
                (given.show / f"{view.name}.png").write_bytes(shot)
            elif said := comparing.difference(shot, comparing.kept(view.name)):
                print(f"{said}: {comparing.keep(shot, comparing.kept(view.name)) // 1024 + 1} KB kept")
    if not given.show and not given.only:
        wanted = {comparing.kept(view.name) for view in views}
        for stray in set(comparing.PICTURES.glob("*.png")) - wanted:
            stray.unlink()
            print(f"{stray.name} is of no letter: removed")
        print(f"{len(wanted)} pictures, {sum(path.stat().st_size for path in wanted) // 1024} KB")


if __name__ == "__main__":
    main()
