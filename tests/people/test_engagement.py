"""The most engaged come first: readers who agreed to be counted, givers, and lately more than long ago."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import Connection, insert

from pillarbox.ground import clock
from pillarbox.model.states import Agent, Attribution, EventKind, MailingState, MessageState
from pillarbox.people.engagement import most_engaged
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders

numbers = count()


class Cast:
    """A mailing that is about to leave, an earlier one, and people on both."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.earlier = builders.mailing(connection, "spring")
        self.practice = builders.mailing(connection, "rehearsal", practice=True)
        self.next = builders.mailing(connection, "autumn", state=MailingState.PLANNED)

    def person(self, name: str, *, key: str = "k", tracked: bool = True) -> int:
        """A supporter who got the earlier mailing and is to get the next; returns their id."""
        supporter = builders.supporter(self.connection, f"{name}@example.org")
        builders.message(self.connection, self.next, supporter, state=MessageState.PLANNED, tracked=tracked,
                         key=key + name)
        return supporter

    def did(self, supporter: int, kind: EventKind, *, days: int = 10, agent: Agent = Agent.HUMAN, times: int = 1,
            mailing: int | None = None) -> None:
        """Something that they did with an earlier letter."""
        message = builders.message(self.connection, mailing or self.earlier, supporter)
        for _ in range(times):
            self.connection.execute(insert(schema.events).values(
                message_id=message, mailing_id=mailing or self.earlier, kind=kind, agent=agent, provider="sendgrid",
                at=clock.now() - timedelta(days=days), received_at=clock.now(), provider_key=str(next(numbers)),
                fingerprint=str(next(numbers))))

    def gave(self, supporter: int, *, days: int = 10) -> None:
        """A gift."""
        self.connection.execute(insert(schema.donations).values(
            amount_minor=500, currency="GBP", received_at=clock.now() - timedelta(days=days), source="csv",
            external_id=str(next(numbers)), gift_aid=False, regular=False, supporter_id=supporter,
            attribution=Attribution.NONE, created_at=clock.now()))

    def first(self, most: int) -> list[str]:
        """The names of those who come first."""
        found = most_engaged(self.connection, self.next, most)
        rows = self.connection.execute(schema.messages.select().where(schema.messages.c.id.in_(found)))
        by_id = {row.id: row.address.partition("@")[0] for row in rows}
        return [by_id[id_] for id_ in found]


def test_givers_then_clickers_then_readers_then_chance(store: Store) -> None:
    """A gift weighs more than a click, a click more than an open; the random key decides between equals."""
    with store.writing() as connection:
        cast = Cast(connection)
        cast.person("zoe", key="a")
        cast.person("yan", key="b")
        cast.did(cast.person("oona"), EventKind.OPENED)
        cast.did(cast.person("carl"), EventKind.CLICKED)
        cast.gave(cast.person("gina"))
        assert cast.first(10) == ["gina", "carl", "oona", "zoe", "yan"]
        assert cast.first(2) == ["gina", "carl"]


def test_lately_counts_more_than_long_ago(store: Store) -> None:
    """A click of last week before one of two years ago; what is older than three years is over."""
    with store.writing() as connection:
        cast = Cast(connection)
        for name, days in (("old", 700), ("fresh", 7), ("over", 1_200), ("recent", 200)):
            cast.did(cast.person(name, key="z" if name == "over" else "a"), EventKind.CLICKED, days=days)
        cast.person("nobody", key="b")
        assert cast.first(5) == ["fresh", "recent", "old", "nobody", "over"]


@pytest.mark.parametrize(("tracked", "agent", "practice"), [
    (False, Agent.HUMAN, False), (True, Agent.MACHINE, False), (True, Agent.HUMAN, True)])
def test_what_does_not_count(store: Store, tracked: bool, agent: Agent, practice: bool) -> None:
    """Opens of those who do not agree to tracking, of machines, and of what was only practice."""
    with store.writing() as connection:
        cast = Cast(connection)
        cast.did(cast.person("late", key="z", tracked=tracked), EventKind.OPENED, agent=agent,
                 mailing=cast.practice if practice else None)
        cast.person("early", key="a")
        assert cast.first(2) == ["early", "late"]


def test_one_letter_opened_often_is_one_letter(store: Store) -> None:
    """A preview pane that opens a letter forty times does not make its owner the most engaged."""
    with store.writing() as connection:
        cast = Cast(connection)
        cast.did(cast.person("pane"), EventKind.OPENED, times=40)
        cast.did(cast.person("carl"), EventKind.CLICKED)
        assert cast.first(2) == ["carl", "pane"]


def test_who_gave_counts_without_tracking(store: Store) -> None:
    """A gift is no tracking of what somebody reads."""
    with store.writing() as connection:
        cast = Cast(connection)
        cast.gave(cast.person("gina", key="z", tracked=False))
        cast.person("early", key="a")
        assert cast.first(1) == ["gina"]
