"""Approval: who stands for a mailing, for exactly what, and what has changed since somebody did.

An approval is a row. It binds to the mailing's bundle (letter, layouts, images, settings), to its audience's rule and
size, its day and its way out (``terms``). A plan that is made again keeps the approvals that are still true of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pillarbox.ground.errors import Refused, StoreError
from pillarbox.mailings import terms
from pillarbox.mailings.changes import Change
from pillarbox.model.config import Settings
from pillarbox.model.sections.approving import forms_of
from pillarbox.model.states import Kind
from pillarbox.staff.users import folded
from pillarbox.store import approvals, mailings
from pillarbox.store.approvals import Approval
from pillarbox.store.mailings import Mailing

REPLACED = "replaced by a newer plan"
"""Why a mailing was cancelled whose approvals the newer plan may keep. Whatever staff cancel themselves is no longer
approved: they may have had their reasons."""
BY_ITSELF = frozenset({"", "staff", "schedule", "the schedule", "worker", "pillarbox"})
_UNNAMED = frozenset({"", "staff"})
"""Those of them that stand for a person who did not say who they are."""
"""Words that stand for who planned a mailing and name nobody."""


class NotApprovedError(Refused):
    """A live mailing for which not enough people stand; carries what changed since somebody stood for it."""

    def __init__(self, what: str, *, todo: str, changes: tuple[Change, ...] = (), since: str = "") -> None:
        super().__init__(what, todo=todo)
        self.changes = changes
        self.since = since
        """Against which version: ``what Ann approved on 3 December 2026``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Who stands for a mailing, and whether that is enough."""

    counted: tuple[Approval, ...]
    """Each by another person who may, and true of the mailing as it is."""
    needed: int
    planned_by: str
    """A person's name; empty: nobody said."""
    unknown: bool
    """Whether four eyes are asked for and nobody said who planned it: then two different people have to look."""
    others: bool
    """Whether whoever planned it does not count."""
    who: tuple[str, ...]
    """Who may approve; empty: anybody."""
    taken_back: str
    """Who approved it and took that back: ``Ann and Ben``; empty: nobody."""

    @property
    def complete(self) -> bool:
        """Whether enough people stand for it."""
        return len(self.counted) >= self.needed

    @property
    def by(self) -> str:
        """Who does: ``Ann and Ben``; empty: nobody."""
        return " and ".join(each.approved_by for each in self.counted)

    @property
    def why_not(self) -> str:
        """Why it may not go, without a full stop; empty: it may."""
        if self.complete:
            return ""
        back = f"{self.taken_back} took back the approval, and " if self.taken_back else ""
        if not self.counted:
            two = "" if self.needed == 1 else ", and two people must"
            return f"{back}nobody{' else' if back else ''} has approved it{two}"
        return f"{back}{self.by} approved it, and one more person must"

    def whose_turn(self, name: str) -> str:
        """What to do about that, as a command and who may; empty: nothing."""
        if self.complete:
            return ""
        given = {each.person for each in self.counted}
        barred = {person_of(self.who, self.planned_by)} if self.others and self.planned_by else set()
        may = [entry for entry in self.who if person_of(self.who, next(iter(forms_of(entry)))) not in given | barred]
        whom = f" (one of: {', '.join(may)})" if may else ""
        but = f" Not {self.planned_by}, who planned it." if barred and not self.who else ""
        if self.unknown:
            but = " Nobody said who planned it (`plan --by NAME`), so it takes two."
        return f"Look at it, then `pillarbox approve {name} --by NAME`{whom}.{but}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A mailing beside the version for which somebody stood last."""

    approved_by: str
    approved_at: datetime
    mailing: str
    changes: tuple[Change, ...]
    """What differs; empty: nothing."""
    grown: bool = False
    """Whether the audience has grown by more than is let pass."""

    @property
    def since(self) -> str:
        """Against which version."""
        return f"what {self.approved_by} approved on {self.approved_at.day} {self.approved_at:%B %Y}"


# ------------------------------------------------------------------------------------------------ where it stands


def standing(connection: Connection, settings: Settings, mailing: Mailing) -> Standing:
    """Who stands for a mailing as it is, by the rules of [approval] as they are now."""
    rules = settings.approval
    planner = planner_of(connection, mailing)
    unknown = rules.four_eyes and is_by_hand(connection, mailing) and not planner
    now = terms.of(connection, mailing)
    counted: dict[str, Approval] = {}
    found = approvals.of_mailing(connection, mailing.id)
    for each in found:
        person = person_of(rules.who, each.approved_by)
        planned_it = rules.other_than_planner and planner and person == person_of(rules.who, planner)
        if each.withdrawn_at or person is None or planned_it:
            continue
        if terms.same(connection, terms.given(each), now) and not terms.has_grown(terms.given(each), now, rules.growth):
            counted.setdefault(person, each)
    needed = max(rules.needed, 2) if unknown else rules.needed
    return Standing(counted=tuple(counted.values())[:needed], needed=needed, planned_by=planner, unknown=unknown,
                    others=rules.other_than_planner, who=rules.who,
                    taken_back=" and ".join(each.approved_by for each in found if each.withdrawn_at))


def planner_of(connection: Connection, mailing: Mailing) -> str:
    """Who planned a mailing, by name; empty: nobody said, or nobody did."""
    planner = approvals.planning(connection, mailing.id).planned_by
    return "" if folded(planner) in BY_ITSELF else planner


def is_by_hand(connection: Connection, mailing: Mailing) -> bool:
    """Whether a person planned a mailing, named or not, and no schedule."""
    planner = approvals.planning(connection, mailing.id).planned_by
    return folded(planner) not in BY_ITSELF - _UNNAMED


def is_asked(mailing: Mailing) -> bool:
    """Whether a mailing needs somebody to stand for it before it is sent: a proof goes to staff, practice to nobody."""
    return not mailing.practice and mailing.kind is not Kind.PROOF


def refuse_unapproved(connection: Connection, settings: Settings, mailing: Mailing) -> None:
    """See that enough people stand for a live mailing.

    Raises:
        NotApprovedError: too few; says who may, and carries what changed since the last approval.
    """
    if not is_asked(mailing) or settings.rehearsal is not None:
        return
    found = standing(connection, settings, mailing)
    if found.complete:
        return
    what = (f"{mailing.name} is a live mailing: {found.why_not}." if found.counted or found.taken_back else
            f"{mailing.name} is a live mailing that nobody has approved.")
    before = compared(connection, settings, mailing)
    if before is None:
        raise NotApprovedError(what, todo=found.whose_turn(mailing.name))
    raise NotApprovedError(f"{what} {words_of(before)}", todo=found.whose_turn(mailing.name), changes=before.changes,
                           since=before.since)


def words_of(before: Comparison) -> str:
    """What has changed since somebody stood for it, in one sentence."""
    if not before.changes:
        return f"Nothing has changed since {before.approved_by} approved {before.mailing}."
    names = [change.what for change in before.changes]
    some = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"Since {before.approved_by} approved {before.mailing}, this has changed: {some}."


def compared(connection: Connection, settings: Settings, mailing: Mailing) -> Comparison | None:
    """A mailing beside the version for which somebody stood last; None: nobody ever did for any of its appeal."""
    here = [each for each in approvals.of_mailing(connection, mailing.id) if each.withdrawn_at is None]
    before = here[-1] if here else approvals.newest_before(
        connection, appeal=mailing.appeal, practice=mailing.practice, mailing_id=mailing.id)
    if before is None:
        return None
    was, now = terms.given(before), terms.of(connection, mailing)
    try:
        found = terms.differences(connection, was, now)
    except StoreError:  # an earlier bundle that cannot be read: there is nothing to compare with
        return None
    return Comparison(approved_by=before.approved_by, approved_at=before.approved_at, changes=found,
                      mailing=mailings.by_id(connection, before.mailing_id).name,
                      grown=terms.has_grown(was, now, settings.approval.growth))


def person_of(who: tuple[str, ...], name: str) -> str | None:
    """Who a name means, the same for each form of it; None: nobody who is on the list. An empty list is everybody."""
    wanted = folded(name)
    if not who:
        return wanted
    return next((folded(entry) for entry in who if wanted in forms_of(entry) or wanted == folded(entry)), None)
