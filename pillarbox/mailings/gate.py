"""The gate that every unit passes: what of a mailing may leave now, and otherwise how long to wait, and why.

Asked and paid within the claim's transaction. Whoever is told to wait holds nothing meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.mailings import launch
from pillarbox.mailings.throttle import HALF_MINUTE, MINUTE, SECOND, Limit
from pillarbox.model.states import Kind, MailingState
from pillarbox.store import mailings, messages, throttles, waves
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.waves import Domains, Group

WARM_UP = "warm-up"
_NO_END = 10 ** 9
# Waited when the messages that were there a moment ago have been taken by another sender.
_TAKEN_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What may leave now."""

    group: Group | None = None
    """The messages whose turn it is; None: none may leave now, or none is left."""
    most: int = 0
    """As many of them."""
    wait_seconds: float = 0.0
    """When none may leave now: how long that lasts at least. 0 with no group: nothing is left."""
    why: str = ""
    """What is waited for, in words."""
    limits: tuple[Limit, ...] = ()
    """What is paid when they are taken."""
    now: float = 0.0
    """The database's clock when it was asked, in epoch seconds."""
    day: date | None = None
    """The day on which they count for the warm-up plan; None: they do not."""


@dataclass(kw_only=True, slots=True)
class Gate:
    """The gate of one mailing; shared by the threads that send it."""

    project: Project
    mailing_id: int
    _barren: set[tuple[int, str]] = field(default_factory=set)
    """Waves and domains with a cap in which this mailing had nothing left when it was last looked."""
    _rest: int | None = None
    _launching: bool = True
    """Whether its launch may have to be taken further from here: then the mailing is held alone."""

    def mailing(self, connection: Connection) -> Mailing:
        """The mailing as it stands; it stays so until the transaction ends, so that no pause slips in between."""
        found = mailings.hold(connection, self.mailing_id, alone=self._launching)
        if found.wave and found.state is MailingState.SENDING:
            self._launching = False
        return found

    def ask(self, connection: Connection, mailing: Mailing, *, most: int) -> Turn:
        """What may leave now. Call it in the claim's transaction; limits are held until that ends.

        Args:
            connection: the claim's.
            mailing: as it stands in this transaction.
            most: messages in a unit, if nothing limits them.
        """
        turn = self._ask(connection, mailing, most)
        if turn.group or mailing.wave or waves.next_group(connection, mailing.id) is None:
            return turn
        # The first wave is out, or waits for the caps of its domains: that shall not keep everybody else waiting.
        after = launch.advance_within(connection, self.project, mailing,
                                      without=tuple(self.project.settings.limits.domains) if turn.wait_seconds else ())
        if after.state is not MailingState.SENDING:
            return Turn()
        if after.wave:
            return self._ask(connection, after, most)
        if after.watch_until is None and turn.wait_seconds:
            return turn
        return Turn(wait_seconds=launch.wait_seconds(after),
                    why=launch.words(after, self.project.settings.project.zone))

    def _ask(self, connection: Connection, mailing: Mailing, most: int) -> Turn:
        """The same, as far as the launch has come."""
        group = waves.next_group(connection, mailing.id, wave=mailing.wave)
        if group is None:
            return Turn()
        day, left, words = self._warm_up(connection, mailing)
        if day and not left:
            return Turn(wait_seconds=self._until_midnight(), why=words)
        limits = self._limits(connection, mailing)
        caps = self._caps(mailing)
        if not limits and not caps:
            return Turn(group=group, most=min(most, left), day=day)
        paid = throttles.hold(connection, [limit.name for limit in (*limits, *caps.values())])
        now = throttles.now(connection)
        slowest = max(limits, key=lambda limit: limit.wait(paid[limit.name], now), default=None)
        if slowest and (wait := slowest.wait(paid[slowest.name], now)):
            return Turn(wait_seconds=wait, why=slowest.why)
        if caps:
            waits = {domain: limit.wait(paid[limit.name], now) for domain, limit in caps.items()}
            group = self._whose_turn(connection, mailing, waits)
            if group is None:
                soonest = min((domain for domain, wait in waits.items() if wait), key=lambda name: waits[name],
                              default="")
                return Turn(wait_seconds=waits.get(soonest, _TAKEN_SECONDS), why=caps[soonest].why if soonest else "")
            if group.domains.only:
                limits = [*limits, caps[group.domains.only]]
        return Turn(group=group, most=min([most, left, *(limit.most for limit in limits)]), limits=tuple(limits),
                    now=now, day=day)

    def pay(self, connection: Connection, turn: Turn, count: int) -> None:
        """Note that so many of a turn's messages leave; in the transaction in which it was asked for."""
        throttles.pay(connection, {limit.name: limit.paid(count, turn.now) for limit in turn.limits})
        if turn.day:
            throttles.use(connection, WARM_UP, turn.day, count)

    def give_back(self, connection: Connection, turn: Turn, count: int) -> None:
        """Of these it is known that they did not leave: the warm-up plan's day is not charged with them."""
        if turn.day and count:
            throttles.use(connection, WARM_UP, turn.day, -count)

    def _limits(self, connection: Connection, mailing: Mailing) -> list[Limit]:
        found = []
        if rate := self.project.settings.limits.per_second:
            found.append(Limit(name=f"1:{'practice' if mailing.practice else 'live'}", per_second=rate, grain=SECOND,
                               why=f"[limits] per_second lets {rate:,g} leave a second"))
        if rate := mailing.per_second:
            found.append(Limit(name=f"2:mailing:{mailing.id}", per_second=rate, grain=SECOND,
                               why=f"--rate lets {rate:,g} of it leave a second"))
        if mailing.spread_seconds and mailing.wave:
            rate = self._to_spread(connection) / mailing.spread_seconds
            found.append(Limit(name=f"3:spread:{mailing.id}", per_second=rate, grain=HALF_MINUTE,
                               why=f"it is spread out over {mailing.spread_seconds / 3600:,g} hours"))
        return found

    def _to_spread(self, connection: Connection) -> int:
        """Messages after the first wave, whatever became of them; counted once."""
        if self._rest is None:
            self._rest = max(1, messages.count(connection, self.mailing_id, after_wave=0))
        return self._rest

    def _caps(self, mailing: Mailing) -> dict[str, Limit]:
        """Recipient domains with a cap, in the order in which their rows are locked."""
        kind = "practice:" if mailing.practice else ""
        return {domain: Limit(name=f"4:{kind}{domain}", per_second=rate / 3600, grain=MINUTE,
                              why=f"{domain} gets at most {rate:,g} an hour ([limits] domains)")
                for domain, rate in sorted(self.project.settings.limits.domains.items())}

    def _whose_turn(self, connection: Connection, mailing: Mailing, waits: dict[str, float]) -> Group | None:
        """A domain that has a cap and may have some now goes first: what it does not use is lost. Then all others."""
        free = [domain for domain, wait in waits.items() if not wait]
        for domain in free:
            if (mailing.wave, domain) not in self._barren:
                if group := self._of_domain(connection, mailing, domain):
                    return group
                self._barren.add((mailing.wave, domain))
        if others := waves.next_group(connection, mailing.id, wave=mailing.wave,
                                         domains=Domains(without=tuple(waits))):
            return others
        # What came back since may be of a domain that had been emptied: look at all of them once more.
        self._barren.clear()
        return next((group for domain in free if (group := self._of_domain(connection, mailing, domain))), None)

    def _of_domain(self, connection: Connection, mailing: Mailing, domain: str) -> Group | None:
        return waves.next_group(connection, mailing.id, wave=mailing.wave, domains=Domains(only=domain))

    def _warm_up(self, connection: Connection, mailing: Mailing) -> tuple[date | None, int, str]:
        """The day that counts for the warm-up plan (None: none does), what it leaves today, and the plan in words."""
        plan = self.project.settings.limits.warm_up
        if not plan or mailing.practice or mailing.kind is Kind.PROOF:
            return None, _NO_END, ""
        today = clock.today(self.project.settings.project.zone)
        before, used = throttles.days(connection, WARM_UP, today)
        if before >= len(plan):
            return today, _NO_END, ""
        return today, max(0, plan[before] - used), (
            f"today is day {before + 1} of the warm-up plan, and its {plan[before]:,} messages have left")

    def _until_midnight(self) -> float:
        zone = ZoneInfo(self.project.settings.project.zone)
        tomorrow = datetime.combine(clock.today(zone.key) + timedelta(days=1), time(), zone)
        return max(1.0, (tomorrow - clock.now()).total_seconds())

