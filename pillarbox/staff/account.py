"""What users do to their own account."""

from __future__ import annotations

from pillarbox.ground.errors import Refused
from pillarbox.staff import login, passwords, sessions, users
from pillarbox.staff.sessions import Visitor
from pillarbox.store import staff
from pillarbox.store.project import Project


def change_password(project: Project, visitor: Visitor, *, current: str, new: str) -> str:
    """Set another password; the session goes on under another token, which is returned, and all others end.

    Raises:
        Refused: not the current password, too many tries, or a weak new one.
    """
    name = visitor.user.name
    if wait := login.pay_for_name(project, name):
        raise Refused(f"Too many tries. Wait {round(wait) + 1} seconds, and try again.", retry=True)
    with project.store.reading() as connection:
        kept = staff.password_hash(connection, visitor.user.id)
    if not passwords.agrees(kept, current):
        raise Refused("The current password is another one. Nothing was changed.")
    fresh = users.hashed_for(name, new)
    # All or nothing: whoever is told that it failed still has the old password, and is still logged in.
    with project.store.writing() as connection:
        users.replace_password(connection, visitor.user, fresh, actor=name, but=visitor.session.id)
        return sessions.rotate(connection, project.settings, visitor.session.id)
