"""What the tests of limits, launch and brakes share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from sqlalchemy import insert, select, update

from pillarbox.ground import clock
from pillarbox.mailings import control
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.submit import Submitted, submit
from pillarbox.model.states import Agent, EventKind
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import events, messages
from tests.mailings.conftest import Scripted

_numbers = count()


def configured(project: Project, section: str, **values: object) -> Project:
    """The same project with other values in one section of its settings."""
    changed = getattr(project.settings, section).model_copy(update=values)
    return replace(project, settings=project.settings.model_copy(update={section: changed}))


def live(project: Project, mailing: Mailing) -> Mailing:
    """The mailing as if it were live, and approved."""
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, practice=False)
    return control.approve(project, mailing.name, by="Ann")


def now(project: Project, mailing: Mailing) -> Mailing:
    """The mailing as it stands."""
    with project.store.reading() as connection:
        return mailings.by_id(connection, mailing.id)


def sending(project: Project, mailing: Mailing, transport: Scripted, **how: object) -> Dispatch:
    """Start a mailing, ready for submit."""
    return Dispatch.of(project, control.start(project, mailing.name, actor="test", **how), transport)  # type: ignore[arg-type]


def until_it_waits(dispatch: Dispatch, most: int = 200) -> Submitted | None:
    """Submit until nothing may leave; what the gate said, or None when nothing is left."""
    for _ in range(most):
        done = submit(dispatch)
        if done is None or done.waiting:
            return done
    raise AssertionError("it neither ended nor waited")


def ids(project: Project, mailing: Mailing) -> list[int]:
    """The ids of its messages."""
    with project.store.reading() as connection:
        return list(connection.execute(select(messages.c.id).where(messages.c.mailing_id == mailing.id)
                                       .order_by(messages.c.id)).scalars())


def move_to(project: Project, which: Iterable[int], domain: str) -> None:
    """Let these messages be for another recipient domain."""
    with project.store.writing() as connection:
        connection.execute(update(messages).where(messages.c.id.in_(list(which))).values(domain=domain))


def hear(project: Project, mailing: Mailing, kind: EventKind, which: Iterable[int], domain: str = "") -> None:
    """Events about these messages of the mailing."""
    with project.store.writing() as connection:
        for message_id in which:
            connection.execute(insert(events).values(
                message_id=message_id, mailing_id=mailing.id, kind=kind, at=clock.now(), received_at=clock.now(),
                provider="sendgrid", provider_key=str(next(_numbers)), fingerprint=str(next(_numbers)),
                agent=Agent.HUMAN, domain=domain))
