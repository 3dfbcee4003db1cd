"""A unit through SendGrid: its requests, their answers, and what is thereby known of every message."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from urllib.parse import urlsplit

from pillarbox.deliver.headers import ascii_address
from pillarbox.deliver.sendgrid import payload, scheduled, verdicts
from pillarbox.deliver.sendgrid.client import CONNECT_SECONDS, NoAnswerError, SendgridClient
from pillarbox.deliver.sendgrid.verdicts import Meaning, Reading
from pillarbox.deliver.words import plain
from pillarbox.ground import clock
from pillarbox.ground.errors import TransportError
from pillarbox.model.config import is_loopback
from pillarbox.model.records import Outgoing, Receipt, Result, Unit
from pillarbox.model.sections import SendgridSettings
from pillarbox.model.states import Verdict

MOST_REFUSALS = 24
"""Requests refused one after another, none accepted between, before it is taken that all would be. To find one guilty
message among 1,000 takes at most 11 in a row; a dozen more leave room for neighbours that are guilty too."""
MOST_REFUSALS_ALONE = 3
"""The same for units of one message, counted over units: with nothing to halve, three alike are enough."""
MOST_REQUESTS = 120
"""Requests that the search for guilty messages may add to those of one unit."""
_PATIENCE = 5
"""No new request of a unit is begun after this many times the time limit of one."""
_SPARE_SECONDS = 60.0
_KEY_TODO = "Set SENDGRID_API_KEY (or SENDGRID_API_KEY_FILE) to a key with the permission mail.send."


class SendgridTransport:
    """Up to 1,000 messages a request, or one; one object serves many threads.

    Args:
        settings: key, address, way of personalising, time limit, connections.
    """

    name = "sendgrid"
    repeatable = False

    def __init__(self, settings: SendgridSettings) -> None:
        self._settings = settings
        self._individual = settings.personalise == "individual"
        self._client: SendgridClient | None = None
        self._lock = Lock()
        self._alone: tuple[str, int] = ("", 0)
        self.hurried = False

    @property
    def unit(self) -> int:
        """1,000 by substitutions, 1 when every message has its own request."""
        return 1 if self._individual else payload.MOST_MESSAGES

    @property
    def lease_seconds(self) -> float:
        """All requests of a unit, the last begun at the end of our patience, and time to spare."""
        limit = self._settings.timeout_seconds
        return _PATIENCE * limit + CONNECT_SECONDS + 2 * limit + _SPARE_SECONDS

    def check(self) -> None:
        """Ask SendGrid what the key may do.

        Raises:
            TransportError: no key, a wrong one, one that may not send, or no such host.
        """
        client = self._connected()
        try:
            answer = client.scopes()
        except NoAnswerError as fault:
            raise TransportError(f"SendGrid cannot be reached at {self._settings.url} ({fault.why}).", retry=True,
                                 todo="Nothing was sent. See that this machine is online, then try again.") from None
        if answer.status in (401, 403):
            raise TransportError(f"SendGrid does not accept the API key ({answer.status}).",
                                 todo=f"Nothing was sent. {_KEY_TODO}")
        if answer.status != 200:
            raise TransportError(f"SendGrid at {self._settings.url} answered {answer.status} when asked about the key.",
                                 retry=answer.status >= 500 or answer.status == 429,
                                 todo="Nothing was sent. If it stays so, see [sendgrid] url.")
        if not verdicts.may_send(answer):
            raise TransportError("The SendGrid API key lacks the permission mail.send.",
                                 todo=f"Nothing was sent. {_KEY_TODO}")

    def send(self, unit: Unit) -> Result:
        """Post the unit and tell what is known of each message.

        A refusal that names messages fails those, and the rest is posted again; one that names none is halved down to
        the guilty. After any other trouble nothing further is posted and what was not yet tried goes back.

        Raises:
            TransportError: there is no key, or no safe address.
        """
        return _Submission(unit, self).run(self._connected())

    def hurry(self) -> None:
        """Post no further request of the units in hand; the one under way is waited for."""
        self.hurried = True

    def new_batch(self) -> str:
        """Ask SendGrid for the name of a batch that it shall keep until its time.

        Raises:
            TransportError: it gives none.
        """
        return scheduled.new_batch(self._connected())

    def cancel_batch(self, batch: str) -> None:
        """Have SendGrid discard what it keeps under a batch's name; returns when SendGrid has confirmed it.

        Raises:
            TransportError: it has not.
        """
        scheduled.cancel(self._connected(), batch)

    def batch_is_cancelled(self, batch: str) -> bool:
        """Whether SendGrid will discard what it keeps under a batch's name.

        Raises:
            TransportError: it does not say.
        """
        return scheduled.is_cancelled(self._connected(), batch)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def count_alone(self, words: str) -> bool:
        """Note what befell a unit of one message (empty: accepted); whether it now befalls them all."""
        with self._lock:
            last, times = self._alone
            self._alone = (words, times + 1 if words == last else 1) if words else ("", 0)
            return bool(words) and self._alone[1] >= MOST_REFUSALS_ALONE

    @property
    def individual(self) -> bool:
        """Whether every message has a request of its own."""
        return self._individual

    @property
    def patience_seconds(self) -> float:
        """How long after its beginning a unit may begin another request."""
        return _PATIENCE * self._settings.timeout_seconds

    def _connected(self) -> SendgridClient:
        with self._lock:
            if self._client is None:
                self._client = connected(self._settings)
            return self._client


def connected(settings: SendgridSettings) -> SendgridClient:
    """A client for the account that the settings name; nothing is asked yet.

    Raises:
        TransportError: there is no key, or no safe address.
    """
    return SendgridClient(api_key=_sound_key(settings), url=_sound_url(settings),
                          timeout_seconds=settings.timeout_seconds, connections=settings.connections)


def _sound_key(settings: SendgridSettings) -> str:
    key = settings.api_key.get_secret_value()
    if not key:
        raise TransportError("There is no SendGrid API key.", todo=_KEY_TODO)
    # http.client would refuse such a header too, with the key in its sentence.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise TransportError("The SendGrid API key holds signs that no key has (a space or a line break?).",
                             todo=_KEY_TODO)
    return key


def _sound_url(settings: SendgridSettings) -> str:
    parts = urlsplit(settings.url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not safe or not parts.hostname:
        raise TransportError("The address of SendGrid must begin with https:// (http:// only on this machine): the key "
                             "and the letters would travel in clear text.", where="[sendgrid] url",
                             todo="Usually it is https://api.sendgrid.com.")
    return settings.url


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


class _Submission:
    """The requests of one unit, until every message has a receipt."""

    def __init__(self, unit: Unit, transport: SendgridTransport) -> None:
        self._unit, self._transport = unit, transport
        self._known = _Known()
        self._waiting: deque[payload.Request] = deque()
        self._posted = 0
        self._planned = 0
        self._row = 0
        """Requests refused since the last that was accepted."""
        self._suspects: list[Outgoing] = []
        """Messages failed in that row without being named."""
        self._until = monotonic() + transport.patience_seconds

    def run(self, client: SendgridClient) -> Result:
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
        made = list(payload.requests(self._unit, messages, individual=self._transport.individual))
        self._waiting.extendleft(reversed(made))

    def _spent(self) -> bool:
        known = self._known
        if not known.over and self._posted >= self._planned + MOST_REQUESTS:
            known.over = "Too many requests of this batch were refused; the rest will be tried again."
        if not known.over and self._transport.hurried:
            known.over = "The sender was told to end before this message was tried."
        if not known.over and monotonic() > self._until:
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
            return self._transport.count_alone(words)
        return self._row >= MOST_REFUSALS
