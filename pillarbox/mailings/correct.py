"""An apology to exactly those whom a mailing reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pillarbox.content import appeal as appeals
from pillarbox.ground.errors import Refused
from pillarbox.mailings import planning
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.model.states import Kind, MailingState, MessageState
from pillarbox.people.audience import Rule
from pillarbox.store import mailings, messages
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

SUFFIX = "-correction"
_ENDED = (MailingState.SENT, MailingState.CANCELLED, MailingState.PAUSED)
_NOBODY = "so there is nobody to apologise to"

# The letter's one field does not exist: it cannot be planned before somebody has written what happened.
_SETTINGS = '''title = "A correction"
# The subject should say at once that this puts something right, and of which letter.
subject = "Correction: our letter “{title}”"
kind = "message"
layout = "message"
'''
_LETTER = '''{{{{ supporter.salutation }}}},

{{# Three short paragraphs are enough. Write them over the line below: until then this letter cannot be planned.
   1. What was wrong in the letter, in one sentence.
   2. What is right: the date, the link, the figure.
   3. That you are sorry, and whom to ask. Ask for nothing in this letter: no donation, no signature. #}}
{{{{ write_here_what_was_wrong_and_what_is_right }}}}

We are sorry for the mistake.
'''


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """There was no letter of apology: one was begun, and somebody has to write it."""

    mailing: str
    """The one to be corrected."""
    appeal: str
    folder: Path

    @property
    def sentence(self) -> str:
        """What staff do next."""
        return (f"A letter of apology was begun in {self.folder}; nothing was planned yet. Write in letter.md what was "
                f"wrong and what is right, look at it with `pillarbox check {self.appeal}`, then run "
                f"`pillarbox correct {self.mailing}` again.")


def correct(project: Project, name: str, *, appeal: str | None = None, actor: str = "staff",
            on_progress: Callable[[int], None] = lambda _done: None) -> planning.Planned | Begun:
    """Plan an apology to everyone whom a mailing reached, or may have, and who may still be written to.

    Args:
        project: the project.
        name: the mailing's, or its appeal's: then its newest.
        appeal: folder of the apology; ``<appeal>-correction`` when not said, begun when it is not there.
        actor: who asks for it.
        on_progress: called with the number of messages just kept.

    Raises:
        Refused: it reached nobody, is on its way, was practice while the settings are live, or was corrected already.
        LetterError: faults in the letter, or in some supporter's copy.
    """
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    bury_the_dead(project, mailing, repeatable=mailing.transport == "files")
    _refuse(project, mailing)
    slug = appeal or mailing.appeal.removesuffix(SUFFIX) + SUFFIX
    if appeal is None and not (project.folder / "appeals" / slug).exists():
        return _begin(project.folder, mailing, slug)
    wish = planning.Wish(
        appeal=slug, again=mailing.name, corrects_id=mailing.id, span_hours=0.0, actor=actor,
        rule=Rule(lists=tuple(mailing.audience.get("lists", ())), corrects=mailing.id))
    return planning.plan(project, wish, on_progress=on_progress)


def _refuse(project: Project, mailing: Mailing) -> None:
    if mailing.kind is Kind.PROOF:
        raise Refused(f"{mailing.name} was a proof: it went to staff alone, {_NOBODY}.")
    if mailing.practice and not project.settings.practice:
        raise Refused(f"{mailing.name} was practice: nobody was mailed, {_NOBODY}.")
    with project.store.reading() as connection:
        state = mailings.state(connection, mailing.id)
        count = messages.states(connection, mailing.id)
    if state not in _ENDED and count.keys() - {MessageState.PLANNED, MessageState.WITHDRAWN}:
        raise Refused(f"{mailing.name} may still leave, and everyone whom it reaches needs the correction.",
                      todo=f"End it first with `pillarbox cancel {mailing.name}` (or hold it with `pause`).")
    if count.get(MessageState.SUBMITTING):
        raise Refused(f"{count[MessageState.SUBMITTING]:,} messages of {mailing.name} are on their way at this moment.",
                      todo="Wait until they have arrived (`pillarbox status`), then run this again.")
    if not count.get(MessageState.ACCEPTED) and not count.get(MessageState.IN_DOUBT):
        raise Refused(f"{mailing.name} reached nobody, {_NOBODY}.")


def _begin(project: Path, mailing: Mailing, slug: str) -> Begun:
    """Write the letter's beginning."""
    folder = project / "appeals" / slug
    folder.mkdir(parents=True)
    title = mailing.title.replace("\\", "").replace('"', "’")
    (folder / appeals.FILE).write_text(_SETTINGS.format(title=title), "utf-8")
    (folder / "letter.md").write_text(_LETTER.format(), "utf-8")
    return Begun(mailing=mailing.name, appeal=slug, folder=folder.relative_to(project))
