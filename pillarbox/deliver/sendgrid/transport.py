"""SendGrid as a way out: the account, its key, and what a unit may cost in time."""

from __future__ import annotations

from threading import Lock
from urllib.parse import urlsplit

from pillarbox.deliver.sendgrid import payload, scheduled, verdicts
from pillarbox.deliver.sendgrid.client import CONNECT_SECONDS, NoAnswerError, SendgridClient
from pillarbox.deliver.sendgrid.submission import Submission
from pillarbox.ground.errors import TransportError
from pillarbox.model.config import is_loopback
from pillarbox.model.records import Result, Unit
from pillarbox.model.sections import SendgridSettings

MOST_REFUSALS_ALONE = 3
"""Units of one message refused alike before it is taken that all would be: with nothing to halve, three are enough."""
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
        return Submission(unit, self).run(self._connected())

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
