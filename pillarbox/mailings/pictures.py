"""The images of a mailing: which of them its letter shows, where they are kept, whether the world can fetch them."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import urllib3
from sqlalchemy import Connection

from pillarbox.content import images
from pillarbox.content.bundle import Bundle
from pillarbox.ground.errors import Refused
from pillarbox.mailings import envelopes
from pillarbox.model.records import Letter
from pillarbox.store import images as kept
from pillarbox.store.project import Project

_FETCH_SECONDS = 10.0
_AT_ONCE = 4


def used(bundle: Bundle, *versions: Letter) -> Mapping[str, bytes]:
    """Public name → content of the images that a letter's versions can show.

    Those that only lie in its folder are not for all.
    """
    sources = "".join(source for letter in versions for source in letter.templates.values())
    found = {images.public_name(data): data for data in bundle.appeal.images.values()}
    return {name: data for name, data in found.items() if name in sources}


def keep(connection: Connection, bundle: Bundle, *versions: Letter) -> None:
    """Keep what a letter shows, so that it can be fetched for as long as somebody opens the letter."""
    kept.keep(connection, used(bundle, *versions))


def see_to(project: Project, bundle: Bundle, versions: Collection[Letter]) -> None:
    """Keep what a letter shows; when it is live, see that all of it can be fetched from outside.

    Raises:
        Refused: live, and an image does not come back from the base URL as it is.
    """
    if not used(bundle, *versions):
        return
    with project.store.writing() as connection:
        keep(connection, bundle, *versions)
    # The images of a rehearsal lie in its scratch copy, which nobody outside reaches.
    if not project.settings.practice and project.settings.rehearsal is None:
        refuse_unreachable(bundle, *versions)


def shown_within(html: str, bundle: Bundle) -> str:
    """A letter that shows its images wherever it lies: for a look at it before anything is kept or served."""
    for data in bundle.appeal.images.values():
        within = f"data:{images.media_type(data)};base64,{base64.b64encode(data).decode()}"
        for prefix in (images.CID, *_prefixes(bundle)):
            html = html.replace(images.address(prefix, data), within)
    return html


def _prefixes(bundle: Bundle) -> set[str]:
    found = {envelopes.images_at(bundle, practice=practice) for practice in (True, False)}
    return found - {images.CID, ""}


def refuse_unreachable(bundle: Bundle, *versions: Letter) -> None:
    """See that each image can be fetched from outside as it will be by mail programs, before a live letter leaves.

    Raises:
        Refused: one cannot, or something else answers in its place.
    """
    base = envelopes.images_at(bundle, practice=False)
    if base == images.CID:
        return
    wanted = used(bundle, *versions)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
        wrong = [name for name, well in zip(wanted, threads.map(lambda name: _answers(base + name, wanted[name]),
                                                                wanted), strict=True) if not well]
    if wrong:
        names = sorted(name for name, data in bundle.appeal.images.items() if images.public_name(data) in wrong)
        raise Refused(_UNREACHABLE.format(names=_listed(names), base=base), retry=True,
                      todo="See that `pillarbox serve` runs there on this database, and that nothing before it holds "
                           f'{envelopes.IMAGES_PATH} back. Or set images = "embedded" in {bundle.appeal.file}.')


_UNREACHABLE = "Supporters would not see {names}: it cannot be fetched from {base} as it is."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"images/{name}" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _answers(url: str, content: bytes) -> bool:
    try:
        answer = urllib3.request("GET", url, timeout=_FETCH_SECONDS, retries=False, redirect=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200 and answer.data == content
