"""Approving: somebody comes to stand for a mailing, and a new plan keeps who stood for the one before it."""

from __future__ import annotations

from sqlalchemy import Connection

from pillarbox.ground.errors import Refused
from pillarbox.mailings import approval, terms
from pillarbox.mailings.approval import Standing
from pillarbox.model.config import Settings
from pillarbox.model.states import MailingState, Role
from pillarbox.people.values import one_line
from pillarbox.staff.users import folded
from pillarbox.store import approvals, audit, mailings, staff
from pillarbox.store.approvals import Approval
from pillarbox.store.mailings import Mailing

_LONGEST_NAME = 80


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
    if folded(name) in approval.BY_ITSELF:
        raise Refused(f"{name!r} is nobody's name.", todo="An approval needs the name of a person.")
    person = approval.person_of(rules.who, name)
    if person is None:
        raise Refused(f"{name} may not approve mailings.", where="[approval] who",
                      todo=f"These may: {', '.join(rules.who)}.")
    user = staff.user(connection, folded(name))
    if user is not None and (user.disabled_at or not user.role.includes(Role.SEND)):
        why = "may not log in any more" if user.disabled_at else f"has the role “{user.role.value}” in the dashboard"
        raise Refused(f"{user.name} {why}, which does not include approving.",
                      todo="`pillarbox users role NAME send` gives somebody a role.")
    planner = approval.planner_of(connection, mailing)
    if rules.other_than_planner and planner and person == approval.person_of(rules.who, planner):
        raise Refused(f"{name} planned {mailing.name}, and somebody else must approve it (four eyes).",
                      where="[approval]", todo="Ask a colleague to look at it.")
    return person


def _note(connection: Connection, settings: Settings, mailing: Mailing) -> Standing:
    """Bring the mailing's own words up to date: once enough people stand for it, it bears their names."""
    found = approval.standing(connection, settings, mailing)
    by = found.by if found.complete else None
    mailings.change(connection, mailing.id, approved_by=by,
                    approved_at=max(each.approved_at for each in found.counted) if by else None)
    return found


def take_back(connection: Connection, settings: Settings, mailing: Mailing, *, by: str, reason: str, via: str,
              ) -> Standing:
    """Note, in the caller's transaction, that somebody no longer stands for a mailing.

    Raises:
        Refused: they do not stand for it.
    """
    name = one_line(by)[:_LONGEST_NAME]
    if not name:
        raise Refused("An approval is taken back by name.", todo="Say whose with --by NAME.")
    theirs = given_by(connection, settings, mailing, name)
    if theirs is None or not approvals.withdraw(connection, theirs.id):
        others = approval.standing(connection, settings, mailing).by
        raise Refused(f"{name} has not approved {mailing.name}; nothing was changed.",
                      todo=f"{others} did. Only who gave an approval takes it back; anybody may pause or cancel the "
                           "mailing." if others else "")
    audit.record(connection, actor=name, action="approval-withdrawn", subject=mailing.name,
                 detail={"reason": one_line(reason), "via": via})
    return _note(connection, settings, mailing)


def given_by(connection: Connection, settings: Settings, mailing: Mailing, name: str) -> Approval | None:
    """The approval of a mailing that somebody gave, by whichever form of their name, and did not take back."""
    who = settings.approval.who
    wanted = {folded(name), approval.person_of(who, name)} - {None}
    for each in approvals.of_mailing(connection, mailing.id):
        forms = {folded(each.approved_by), each.person, approval.person_of(who, each.approved_by)}
        if each.withdrawn_at is None and wanted & forms:
            return each
    return None


def keep(connection: Connection, settings: Settings, mailing: Mailing) -> Standing:
    """Give a mailing that was planned just now the approvals of the plan that it replaces, if they are true of it too.

    Call it in the transaction that makes it ``planned``.
    """
    now, growth = terms.of(connection, mailing), settings.approval.growth
    earlier = _replaced(connection, mailing)
    for each in approvals.of_mailing(connection, earlier.id) if earlier else []:
        was = terms.given(each)
        if each.withdrawn_at:
            continue
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
        replaced = earlier.state is MailingState.CANCELLED and earlier.state_reason == approval.REPLACED
        if earlier.started_at or not (replaced or earlier.state is MailingState.PLANNED):
            return None
        if approvals.of_mailing(connection, earlier.id):
            return earlier
    return None
