"""Approval: who stands for a mailing, for exactly what, and what has changed since somebody did.

An approval is a row. It binds to the mailing's bundle (letter, layouts, images, settings), to its audience's rule and
size, its day and its way out (``terms``). A plan that is made again keeps the approvals that are still true of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from pillarbox.content import bundle as bundles
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.mailings import terms
from pillarbox.mailings.changes import Change, Version, between
from pillarbox.model.config import Settings
from pillarbox.model.sections.approving import forms_of
from pillarbox.model.states import Kind, MailingState, Role
from pillarbox.people.values import one_line
from pillarbox.staff.users import folded
from pillarbox.store import approvals, audit, mailings, staff
from pillarbox.store.approvals import Approval
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

REPLACED = "replaced by a newer plan"
"""Why a mailing was cancelled whose approvals the newer plan may keep. Whatever staff cancel themselves is no longer
approved: they may have had their reasons."""
_LONGEST_NAME = 80
_BY_ITSELF = frozenset({"", "staff", "schedule", "the schedule", "worker", "pillarbox"})
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
    others: bool
    """Whether whoever planned it does not count."""
    who: tuple[str, ...]
    """Who may approve; empty: anybody."""

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
        if not self.counted:
            return "nobody has approved it" if self.needed == 1 else "nobody has approved it, and two people must"
        return f"{self.by} approved it, and one more person must"

    def whose_turn(self, name: str) -> str:
        """What to do about that, as a command and who may; empty: nothing."""
        if self.complete:
            return ""
        given = {each.person for each in self.counted}
        barred = {_person(self.who, self.planned_by)} if self.others and self.planned_by else set()
        may = [entry for entry in self.who if _person(self.who, next(iter(forms_of(entry)))) not in given | barred]
        whom = f" (one of: {', '.join(may)})" if may else ""
        but = f" Not {self.planned_by}, who planned it." if barred and not self.who else ""
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
    planner = approvals.planning(connection, mailing.id).planned_by
    planner = "" if folded(planner) in _BY_ITSELF else planner
    now = terms.of(connection, mailing)
    counted: dict[str, Approval] = {}
    for each in approvals.of_mailing(connection, mailing.id):
        person = _person(rules.who, each.approved_by)
        if person is None or (rules.other_than_planner and planner and person == _person(rules.who, planner)):
            continue
        if terms.same(connection, terms.given(each), now) and not terms.has_grown(terms.given(each), now, rules.growth):
            counted.setdefault(person, each)
    return Standing(counted=tuple(counted.values())[:rules.needed], needed=rules.needed, planned_by=planner,
                    others=rules.other_than_planner, who=rules.who)


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
    what = (f"{mailing.name} is a live mailing that nobody has approved." if not found.counted else
            f"{mailing.name} is a live mailing: {found.why_not}.")
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
    here = approvals.of_mailing(connection, mailing.id)
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


# ------------------------------------------------------------------------------------------------ giving


def give(connection: Connection, settings: Settings, mailing: Mailing, *, by: str, via: str) -> Standing:
    """Note, in the caller's transaction, that somebody stands for a mailing as it is; harmless when said twice.

    Raises:
        Refused: no name, or somebody who may not.
    """
    name = one_line(by)[:_LONGEST_NAME]
    person = _may(connection, settings, mailing, name)
    now = terms.of(connection, mailing)
    if approvals.add(connection, mailing_id=mailing.id, approved_by=name, person=person, via=via,
                     bundle_id=now.bundle_id, count=now.count, terms=now.facts):
        audit.record(connection, actor=name, action="approve", subject=mailing.name,
                     detail={"content_hash": mailing.content_hash, "planned": mailing.planned, "via": via})
    return _note(connection, settings, mailing)


def _may(connection: Connection, settings: Settings, mailing: Mailing, name: str) -> str:
    """Who that is, the same for the same person.

    Raises:
        Refused: they may not approve this mailing.
    """
    rules = settings.approval
    if not name:
        raise Refused("An approval needs a name.", todo="Say who approves with --by NAME.")
    if folded(name) in _BY_ITSELF:
        raise Refused(f"{name!r} is nobody's name.", todo="An approval needs the name of a person.")
    person = _person(rules.who, name)
    if person is None:
        raise Refused(f"{name} may not approve mailings.", where="[approval] who",
                      todo=f"These may: {', '.join(rules.who)}.")
    user = staff.user(connection, folded(name))
    if user is not None and (user.disabled_at or not user.role.includes(Role.SEND)):
        why = "may not log in any more" if user.disabled_at else f"has the role “{user.role.value}” in the dashboard"
        raise Refused(f"{user.name} {why}, which does not include approving.",
                      todo="`pillarbox users role NAME send` gives somebody a role.")
    planner = approvals.planning(connection, mailing.id).planned_by
    if rules.other_than_planner and folded(planner) not in _BY_ITSELF and person == _person(rules.who, planner):
        raise Refused(f"{name} planned {mailing.name}, and somebody else must approve it (four eyes).",
                      where="[approval]", todo="Ask a colleague to look at it.")
    return person


def _person(who: tuple[str, ...], name: str) -> str | None:
    """Who a name means, the same for each form of it; None: nobody who is on the list. An empty list is everybody."""
    wanted = folded(name)
    if not who:
        return wanted
    return next((folded(entry) for entry in who if wanted in forms_of(entry) or wanted == folded(entry)), None)


def _note(connection: Connection, settings: Settings, mailing: Mailing) -> Standing:
    """Bring the mailing's own words up to date: once enough people stand for it, it bears their names."""
    found = standing(connection, settings, mailing)
    if found.complete:
        mailings.change(connection, mailing.id, approved_by=found.by,
                        approved_at=max(each.approved_at for each in found.counted))
    return found


def keep(connection: Connection, settings: Settings, mailing: Mailing) -> Standing:
    """Give a mailing that was planned just now the approvals of the plan that it replaces, if they are true of it too.

    Call it in the transaction that makes it ``planned``.
    """
    now, growth = terms.of(connection, mailing), settings.approval.growth
    earlier = _replaced(connection, mailing)
    for each in approvals.of_mailing(connection, earlier.id) if earlier else []:
        was = terms.given(each)
        if terms.same(connection, was, now) and not terms.has_grown(was, now, growth):
            approvals.add(connection, mailing_id=mailing.id, approved_by=each.approved_by, person=each.person,
                          via=each.via, bundle_id=each.bundle_id, count=each.count, terms=each.terms,
                          approved_at=each.approved_at, kept_from_id=each.id)
            audit.record(connection, actor="pillarbox", action="approval-kept", subject=mailing.name,
                         detail={"by": each.approved_by, "from": earlier.name if earlier else "",
                                 "planned": now.count, "then": each.count})
    return _note(connection, settings, mailing)


def _replaced(connection: Connection, mailing: Mailing) -> Mailing | None:
    """The approved plan whose place a new one takes, perhaps by way of others that nobody stood for.

    They are of the same edition, never begun, and not cancelled by staff. A practice plan without a label is an
    edition of its own: there all of the appeal count.
    """
    for earlier in mailings.all_of(connection, appeal=mailing.appeal, practice=mailing.practice):
        if earlier.id >= mailing.id or not (mailing.practice or earlier.edition_id == mailing.edition_id):
            continue
        replaced = earlier.state is MailingState.CANCELLED and earlier.state_reason == REPLACED
        if earlier.started_at or not (replaced or earlier.state is MailingState.PLANNED):
            return None
        if approvals.of_mailing(connection, earlier.id):
            return earlier
    return None


# ------------------------------------------------------------------------------------------------ the folder since


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """An appeal's folder is not what its mailing was planned from: that leaves, and not what lies there now."""

    changes: tuple[Change, ...]
    """Empty: the folder cannot be read as it is now."""


def drift(project: Project, mailing: Mailing) -> Drift | None:
    """Whether the folder has changed since a mailing was planned; None: it has not, or is not on this host."""
    if not (project.folder / "appeals" / mailing.appeal).is_dir():
        return None
    with project.store.reading() as connection:
        planned = bundles.unpack(mailings.bundle(connection, mailing.bundle_id))
    now, _ = bundles.gather(project.settings, mailing.appeal, project.folder)
    if now is None:
        return Drift(changes=())
    if now.id == planned.id:
        return None
    # A sender that is missing altogether is ``live``'s to tell.
    now = replace(now, sender={**planned.sender, **{name: said for name, said in now.sender.items() if said}})
    nothing: Mapping[str, str] = {}
    found = between(Version(bundle=planned, facts=nothing), Version(bundle=now, facts=nothing))
    return Drift(changes=found) if found else None
