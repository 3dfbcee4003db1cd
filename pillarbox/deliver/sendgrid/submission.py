"""A unit through SendGrid: its requests, their answers, and what is thereby known of every message."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Protocol

from pillarbox.deliver.headers import ascii_address
from pillarbox.deliver.sendgrid import payload, verdicts
from pillarbox.deliver.sendgrid.client import NoAnswerError, SendgridClient
from pillarbox.deliver.sendgrid.verdicts import Meaning, Reading
from pillarbox.deliver.words import plain
from pillarbox.ground import clock
from pillarbox.model.records import Outgoing, Receipt, Result, Unit
from pillarbox.model.states import Verdict

MOST_REFUSALS = 24
"""Requests refused one after another, none accepted between, before it is taken that all would be. To find one guilty
message among 1,000 takes at most 11 in a row; a dozen more leave room for neighbours that are guilty too."""
MOST_REQUESTS = 120
"""Requests that the search for guilty messages may add to those of one unit."""


class Account(Protocol):
    """What the submissions of all units share: how they are made, and what befell the others."""

    @property
    def individual(self) -> bool:
        """Whether every message has a request of its own."""

    @property
    def patience_seconds(self) -> float:
        """How long after its beginning a unit may begin another request."""

    @property
    def hurried(self) -> bool:
        """Whether no further request is to be posted."""

    def count_alone(self, words: str) -> bool:
        """Note what befell a unit of one message (empty: accepted); whether it now befalls them all."""


@dataclass(kw_only=True)
class _Known:
    """What is known so far."""

    receipts: dict[int, Receipt] = field(default_factory=dict)
    stop: str = ""
    wait_seconds: float = 0.0
    over: str = ""
    """Why nothing further is posted; empty while there is no reason."""

    def note(self, messages: tuple[Outgoing, ...], verdict: Verdict, detail: str = "", provider_id: str = "") -> None:
        for message in messages:
            self.receipts[message.message_id] = Receipt(message_id=message.message_id, verdict=verdict,
                                                        detail=detail, provider_id=provider_id)


class Submission:
    """The requests of one unit, until every message has a receipt."""

    def __init__(self, unit: Unit, account: Account) -> None:
        self._unit, self._account = unit, account
        self._known = _Known()
        self._waiting: deque[payload.Request] = deque()
        self._posted = 0
        self._planned = 0
        self._row = 0
        """Requests refused since the last that was accepted."""
        self._suspects: list[Outgoing] = []
        """Messages failed in that row without being named."""
        self._until = monotonic() + account.patience_seconds
        # A machine that is put to sleep does not count that time in its monotonic clock; its wall clock tells.
        self._until_by_the_wall = clock.now() + timedelta(seconds=account.patience_seconds)

    def run(self, client: SendgridClient) -> Result:
        """Post the requests, split what is refused, until nothing is left or nothing more is to be tried."""
        self._plan(self._sendable())
        self._planned = len(self._waiting)
        while self._waiting and not self._spent():
            self._post(client, self._waiting.popleft())
        known = self._known
        for request in self._waiting:
            known.note(request.messages, Verdict.RETURNED, known.over)
        return Result(receipts=tuple(known.receipts[message.message_id] for message in self._unit.messages),
                      stop=known.stop, wait_seconds=known.wait_seconds)

    def _sendable(self) -> list[Outgoing]:
        """The messages that SendGrid can carry at all; the others are refused here."""
        fit = []
        for message in self._unit.messages:
            if ascii_address(message.address) is None:
                self._known.note((message,), Verdict.REFUSED, "SendGrid does not carry mailbox names with letters "
                                                              "outside ASCII.")
            else:
                fit.append(message)
        return fit

    def _plan(self, messages: list[Outgoing]) -> None:
        """Put the requests for these messages at the head of the queue."""
        if not messages:
            return
        made = list(payload.requests(self._unit, messages, individual=self._account.individual))
        self._waiting.extendleft(reversed(made))

    def _spent(self) -> bool:
        known = self._known
        if not known.over and self._posted >= self._planned + MOST_REQUESTS:
            known.over = "Too many requests of this batch were refused; the rest will be tried again."
        if not known.over and self._account.hurried:
            known.over = "The sender was told to end before this message was tried."
        if not known.over and (monotonic() > self._until or clock.now() > self._until_by_the_wall):
            known.over = "Time ran out before this message was tried."
        return bool(known.over)

    def _post(self, client: SendgridClient, request: payload.Request) -> None:
        if len(request.content) > payload.MOST_REQUEST_BYTES:
            self._known.note(request.messages, Verdict.REFUSED, "The message is larger than the 30 MB that SendGrid "
                                                                "carries.")
            return
        self._posted += 1
        try:
            reading = verdicts.read(client.send(request.content), clock.now())
        except NoAnswerError as fault:
            self._silent(request, fault)
            return
        match reading.meaning:
            case Meaning.ACCEPTED:
                self._row = 0
                self._suspects.clear()
                self._count_alone("")
                self._known.note(request.messages, Verdict.ACCEPTED, provider_id=reading.provider_id)
            case Meaning.REFUSED:
                self._refused(request, reading)
            case Meaning.UNKNOWN:
                self._end(request, Verdict.UNKNOWN, reading)
            case Meaning.LATER:
                self._end(request, Verdict.RETURNED, reading)
            case Meaning.STOP:
                self._end(request, Verdict.RETURNED, reading, stop=reading.words)

    def _silent(self, request: payload.Request, fault: NoAnswerError) -> None:
        """No answer. What had not left whole cannot have been acted upon; anything else may have been."""
        words = (f"The request was sent to SendGrid, then: {fault.why}." if fault.left
                 else f"SendGrid could not be reached: {fault.why}.")
        verdict = Verdict.UNKNOWN if fault.left else Verdict.RETURNED
        self._end(request, verdict, Reading(meaning=Meaning.UNKNOWN, words=words,
                                            wait_seconds=verdicts.PAUSE_SECONDS))

    def _end(self, request: payload.Request, verdict: Verdict, reading: Reading, stop: str = "") -> None:
        known = self._known
        known.note(request.messages, verdict, reading.words)
        known.stop, known.wait_seconds, known.over = stop, reading.wait_seconds, reading.words

    def _refused(self, request: payload.Request, reading: Reading) -> None:
        """Some of the request's messages are at fault: those named, or those that halving finds."""
        self._row += 1
        named = {number: words for number, words in reading.named.items() if number < len(request.messages)}
        if len(request.messages) == 1:
            self._fail(request.messages[0], named.get(0) or reading.words)
            if not named:
                self._suspects.append(request.messages[0])
                if self._count_alone(reading.words):
                    self._all_alike(reading)
        elif named:
            for number, words in named.items():
                self._fail(request.messages[number], words)
            self._plan([message for number, message in enumerate(request.messages) if number not in named])
        elif self._row >= MOST_REFUSALS:
            self._known.note(request.messages, Verdict.RETURNED)
            self._all_alike(reading)
        else:
            half = len(request.messages) // 2
            self._plan(list(request.messages[half:]))
            self._plan(list(request.messages[:half]))

    def _fail(self, message: Outgoing, words: str) -> None:
        self._known.note((message,), Verdict.REFUSED, plain(words, message.to_name, *message.to_name.split()))

    def _all_alike(self, reading: Reading) -> None:
        """Every request is refused and none says why: it is not the messages' fault, so the suspects go back too."""
        known = self._known
        known.stop = known.over = f"SendGrid refuses every message of this mailing: {reading.words}"
        known.note(tuple(self._suspects), Verdict.RETURNED, reading.words)

    def _count_alone(self, words: str) -> bool:
        """Whether what befell one message (empty: it was accepted) is by now taken to befall all."""
        if len(self._unit.messages) == 1:
            return self._account.count_alone(words)
        return self._row >= MOST_REFUSALS
