"""A few letters of a rehearsal as a page to look at: as their supporters would have got them, to the byte."""

from __future__ import annotations

import html
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pillarbox.content.images import at_home
from pillarbox.ground.errors import Refused
from pillarbox.standin.mailbox import Kept

FOLDER = Path("var") / "rehearsals"
MARK = ".pillarbox-rehearsal"
_STYLE = """:root{color-scheme:light dark;--line:#0002;--quiet:#5c5c5c}
@media (prefers-color-scheme:dark){:root{--line:#fff3;--quiet:#b5b5b5}}
*{box-sizing:border-box}body{margin:0;font:1rem/1.5 system-ui,sans-serif}
header,main{max-width:76rem;margin:auto;padding:1.25rem clamp(1rem,4vw,2rem)}
h1{font:400 clamp(1.6rem,5vw,2.2rem)/1.2 Georgia,serif;margin:0 0 .4rem;text-wrap:balance}
h2{font-size:1.1rem;margin:0;overflow-wrap:anywhere}
p{margin:.2rem 0}.quiet{color:var(--quiet);overflow-wrap:anywhere}
ol{list-style:none;padding:0;margin:0;display:grid;gap:2rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,34rem),1fr))}
li{border:1px solid var(--line);border-radius:8px;overflow:hidden}
li>div{padding:.9rem 1rem}iframe{display:block;width:100%;height:42rem;border:0;background:#fff}
details{padding:.7rem 1rem;border-top:1px solid var(--line)}summary{cursor:pointer;padding:.4rem 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:.9rem/1.5 ui-monospace,monospace}
a{color:inherit}"""


def write(folder: Path, sample: Sequence[Kept], *, title: str, words: str,
          images: Mapping[str, bytes] = MappingProxyType({})) -> Path:
    """Write letters and the page that shows them; what an earlier rehearsal wrote there is replaced.

    Only this user may open the folder: real supporters' letters lie in it.

    Returns:
        the page.

    Raises:
        Refused: something else lies there.
    """
    refuse_taken(folder)
    if folder.exists() and any(folder.iterdir()):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    _put(folder / MARK, "Made by `pillarbox rehearse`, which replaces this folder when it runs again.\n")
    for number, one in enumerate(sample, 1):
        _put(folder / f"{number:02}.html", at_home(one.html, "images/"))
        _put(folder / f"{number:02}.txt", f"Subject: {one.subject}\n\n{one.text}")
    if images:
        (folder / "images").mkdir(mode=0o700)
    for name, content in images.items():  # where the letters fetch them from, nothing of the rehearsal lies
        (folder / "images" / name).write_bytes(content)
    page = folder / "index.html"
    _put(page, _page(sample, title, words))
    return page


def refuse_taken(folder: Path) -> None:
    """See that letters may be written to a folder.

    Raises:
        Refused: something else lies there.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Refused(f"{folder} is not empty, and no rehearsal made it.", todo="Name another folder with --out.")


def _put(path: Path, text: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8", newline="\n") as out:
        out.write(text)


def _page(sample: Sequence[Kept], title: str, words: str) -> str:
    letters = "\n".join(_letter(number, one) for number, one in enumerate(sample, 1))
    return (f'<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" '
            f'content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n<body><header>"
            f"<h1>{html.escape(title)}</h1><p>{html.escape(words)}</p>"
            f'<p class="quiet">Nobody was mailed. These letters are of real supporters: delete this folder when you '
            f"have looked.</p></header><main><ol>\n{letters}\n</ol></main></body></html>\n")


def _letter(number: int, one: Kept) -> str:
    to = f"{one.to_name} <{one.address}>" if one.to_name else one.address
    tracked = "opens and clicks counted" if one.open_tracking or one.click_tracking else "nothing counted"
    return (f'<li><div><h2 dir="auto">{html.escape(one.subject)}</h2><p class="quiet">To {html.escape(to)} · '
            f'{tracked}</p></div>'
            # No script of a letter runs: the frame is sandboxed, and may load nothing but its images.
            f'<iframe src="{number:02}.html" sandbox="" loading="lazy" title="Letter {number}"></iframe>'
            f'<details><summary>As plain text</summary><pre dir="auto">{html.escape(one.text)}</pre></details></li>')


def forget(project: Path) -> bool:
    """Delete every page of letters that rehearsals wrote to their usual place; returns whether there were any."""
    folder = project / FOLDER
    if not folder.is_dir():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
