"""Service letters: faults, what waits for approval, what nobody is sure went."""

from __future__ import annotations

from collections.abc import Iterator

from pillarbox.doctor.finding import Finding, look, unless_practice
from pillarbox.ground.errors import LetterError
from pillarbox.mailings import service
from pillarbox.people import joining
from pillarbox.store.project import Project


def examine(project: Project) -> Iterator[Finding]:
    """Everything that keeps somebody from the letter that they asked for. Says nothing when nothing does."""
    settings = project.settings
    wanted = {joining.CONFIRM} if settings.join.lists else set()
    if settings.join.lists and settings.join.welcome:
        wanted.add(joining.WELCOME)
    try:
        standing = service.overview(project)
    except LetterError as fault:
        yield unless_practice(settings.practice, "service-faults", fault.what, "Mend it in templates/service/.")
        return
    for one in standing:
        waiting = one.letters.get("waiting", 0)
        if not settings.practice and not one.approved_by and (one.kind in wanted or waiting):
            yield look("service-approval", f"Nobody has approved the service letter {one.kind} as it is now"
                       f"{f', and {waiting:,} people wait for it' if waiting else ''}.",
                       f"Read it (`pillarbox preview {one.kind}`), then `pillarbox approve {one.kind} --by NAME`.")
        if doubtful := one.letters.get("in_doubt", 0):
            yield look("service-doubt", f"Nobody is sure whether {doubtful:,} service letters ({one.kind}) went.",
                       "Nothing needs doing: whoever misses one can ask again.")
