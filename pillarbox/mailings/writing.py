"""A new appeal: from a letter that already reads well, from another appeal, or as a reminder of a mailing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pillarbox.compose.environment import long_date
from pillarbox.content import appeal as appeals
from pillarbox.content import starters
from pillarbox.content import templates as layouts
from pillarbox.content.theme import read as read_theme
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Kind
from pillarbox.people import segments
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

_EXAMPLE = "https://example.org/donate"
_LAYOUTS = {"newsletter": "newsletter"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A folder that was made."""

    slug: str
    folder: Path
    files: tuple[str, ...]
    todo: tuple[str, ...]
    """What the writer should change or decide, a sentence each."""
    plan: str = ""
    """A reminder: how it is planned for those who have not given."""
    segment: str = ""
    """A reminder: the lines for lists/segments.toml that ``plan`` wants; empty when they are there."""


def begin(project: Project, slug: str, *, kind: str = "", source: str = "", reminder_of: str = "") -> Begun:
    """Make ``appeals/<slug>/``.

    Args:
        project: the project.
        slug: the folder's name.
        kind: one of ``starters.KINDS``; an appeal when not said.
        source: another appeal, whose words and images are taken over.
        reminder_of: a mailing, for whose people a reminder is written.

    Raises:
        Refused: the name cannot be or is taken, there is no such appeal or mailing, two beginnings are asked for, the
            folder cannot be written.
        LetterError: the other appeal cannot be read.
    """
    starters.sound_slug(slug)
    if len([True for asked in (kind, source, reminder_of) if asked]) > 1:
        raise Refused("A letter begins in one way: --kind, --from or --reminder-of.", todo="Leave all but one out.")
    folder = project.folder / "appeals" / slug
    if source:
        copy = starters.copied(project.folder, source, starters.titled(slug))
        starters.place(folder, copy.files)
        return Begun(slug=slug, folder=folder, files=tuple(copy.files), todo=copy.todo)
    if reminder_of:
        return _reminder(project, slug, folder, reminder_of)
    chosen = kind or Kind.APPEAL.value
    files = starters.starter(project.folder, chosen, _words(project, slug, chosen))
    starters.place(folder, files)
    return Begun(slug=slug, folder=folder, files=tuple(files), todo=_links_to_set(project))


def _words(project: Project, slug: str, kind: str, donate: str = "") -> dict[str, str]:
    known, _ = layouts.read(project.folder)
    layout = _LAYOUTS.get(kind, "letter")
    return {"SLUG": slug, "TITLE": starters.titled(slug),
            "LAYOUT": layout if f"layouts/{layout}.html" in known else "letter",
            "LINKS": _links(project, donate)}


def _links(project: Project, donate: str) -> str:
    """The [links] of a new appeal.toml: a donation page where the project has none."""
    page = donate or ("" if project.settings.links.donate else _EXAMPLE)
    why = "  # the page of the letter before" if donate else "  # your donation page; better in pillarbox.toml, for all"
    lines = [f'donate = "{starters.quoted(page)}"{why}' if page else
             '# donate = "https://example.org/winter"   # another page than pillarbox.toml names',
             '# share = "https://example.org/winter"    # the page to pass on; then ::: share can stand in the letter']
    return "\n".join(["", "[links]", *lines]) if page else "\n".join(["", "# [links]", *lines])


def _links_to_set(project: Project) -> tuple[str, ...]:
    todo = () if project.settings.links.donate else (
        f"[links] donate: this project has no donation page yet; {_EXAMPLE} stands for it.",)
    theme, findings = read_theme(project.folder)
    return todo if theme is not None and not findings else (
        *todo, "templates/theme.toml: it holds your charity's name and address; see that they are yours.")


def _reminder(project: Project, slug: str, folder: Path, name: str) -> Begun:
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    if mailing.kind in (Kind.SERVICE, Kind.PROOF):
        raise Refused(f"{mailing.name} is a {mailing.kind}: nobody is reminded of it.")
    before = project.folder / "appeals" / mailing.appeal
    series, told = _series(before, mailing.appeal)
    day = mailing.started_at.date() if mailing.started_at else mailing.for_date
    segment = f"gave-since-{mailing.name}".lower()
    plan = _plan(slug, mailing, segment)
    files = starters.starter(project.folder, starters.REMINDER, {
        **_words(project, slug, mailing.kind), "APPEAL": mailing.appeal, "BEFORE": mailing.title,
        "DAY": long_date(day), "ISO": day.isoformat(), "SEGMENT": segment, "PLAN": plan, "SERIES": series,
        "KIND": mailing.kind.value})
    starters.place(folder, files)
    known = segments.read(project.folder / "lists" / segments.FILE)
    todo = (*_links_to_set(project), *((told,) if told else ()))
    return Begun(slug=slug, folder=folder, files=tuple(files), todo=todo, plan=plan,
                 segment="" if segment in known else f"[{segment}]\ngave_since = {day.isoformat()}")


def _series(folder: Path, appeal: str) -> tuple[str, str]:
    """The series of a letter that is reminded of, and what to do when it has none."""
    found, _ = appeals.read(folder.parent.parent, appeal)
    if found is not None and found.series:
        return found.series, ""
    return appeal, (f'appeals/{appeal}/appeal.toml: add series = "{appeal}", so that later reports know the two '
                    "letters as one.")


def _plan(slug: str, mailing: Mailing, segment: str) -> str:
    """The command that plans a reminder for the same people without those who gave."""
    rule = mailing.audience
    said = [f"--{option} {name}" for option, key in (("list", "lists"), ("segment", "segments"), ("exclude", "exclude"))
            for name in rule.get(key, ())]
    return " ".join(["pillarbox plan", slug, *said, f"--exclude {segment}"])
