"""One message at a time through an SMTP server, with what each stage of the talk proves about it."""

from __future__ import annotations

import smtplib
import ssl
from threading import Lock

from pillarbox.deliver.headers import ascii_address
from pillarbox.deliver.mime import mails, message_id
from pillarbox.deliver.words import plain
from pillarbox.ground import clock
from pillarbox.ground.errors import TransportError
from pillarbox.model.config import is_loopback
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.sections import SmtpSettings
from pillarbox.model.states import Verdict

_EXCHANGES = 14
"""Socket waits of the longest talk: greeting, EHLO, STARTTLS, EHLO, login (3), MAIL (twice), RCPT, DATA, body, end."""
_SOON, _LATER = 10.0, 60.0
"""Seconds to wait after a server that could not be reached, and after one that said "not now" (a 4xx reply)."""

_SERVER_GONE = (smtplib.SMTPServerDisconnected, OSError)


class _Halt(Exception):
    """The talk ended before the message could have been taken; says what follows."""

    def __init__(self, verdict: Verdict, detail: str, *, stop: bool = False, wait: float = 0.0) -> None:
        super().__init__(detail)
        self.verdict, self.detail, self.stop, self.wait = verdict, detail, stop, wait


class SmtpTransport:
    """Keeps its connections open between units; as many as there are threads that send at once."""

    name = "smtp"
    unit = 1
    repeatable = False

    def __init__(self, settings: SmtpSettings, *, context: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._context = context
        self._idle: list[smtplib.SMTP] = []
        self._lock = Lock()

    @property
    def lease_seconds(self) -> float:
        """Longer than every wait of the longest talk together."""
        return _EXCHANGES * self._settings.timeout_seconds + 60

    def check(self) -> None:
        """Connect and log in.

        Raises:
            TransportError: the server cannot be reached or does not let us in.
        """
        try:
            server = self._connect()
            self._keep(server)
        except _Halt as fault:
            raise TransportError(fault.detail, where=self._place(), retry=not fault.stop,
                                 todo="Nothing was sent. See the [smtp] settings.") from None

    def send(self, unit: Unit) -> Result:
        """Send the unit's messages, each in its own transaction; after a fault of the server the rest go back."""
        receipts: list[Receipt] = []
        stop, wait = "", 0.0
        for message, content in mails(unit, clock.now()):
            if stop or wait:
                receipts.append(Receipt(message_id=message.message_id, verdict=Verdict.RETURNED, detail=stop))
                continue
            try:
                self._deliver(unit.envelope.from_email, message.address, content)
                receipts.append(Receipt(message_id=message.message_id, verdict=Verdict.ACCEPTED,
                                        provider_id=message_id(unit.envelope, message)))
            except _Halt as fault:
                receipts.append(Receipt(message_id=message.message_id, verdict=fault.verdict, detail=fault.detail))
                stop, wait = fault.detail if fault.stop else "", fault.wait
        return Result(receipts=tuple(receipts), stop=stop, wait_seconds=wait)

    def hurry(self) -> None:
        """Nothing to do: a unit is one message."""

    def post(self, sender: str, to: str, content: bytes) -> None:
        """Send one finished mail that belongs to no mailing (to staff).

        Raises:
            TransportError: it did not go, or nobody knows.
        """
        try:
            self._deliver(sender, to, content)
        except _Halt as fault:
            raise TransportError(fault.detail, where=self._place(), retry=not fault.stop) from None

    def carry(self, sender: str, to: str, content: bytes) -> Result:
        """Send one finished mail that belongs to no mailing, and tell what is known of it (its receipt has no id)."""
        try:
            self._deliver(sender, to, content)
        except _Halt as fault:
            return Result(receipts=(Receipt(message_id=0, verdict=fault.verdict, detail=fault.detail),),
                          stop=fault.detail if fault.stop else "", wait_seconds=fault.wait)
        return Result(receipts=(Receipt(message_id=0, verdict=Verdict.ACCEPTED),))

    def close(self) -> None:
        """Say QUIT on every connection."""
        with self._lock:
            idle, self._idle = self._idle, []
        for server in idle:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def _deliver(self, sender: str, address: str, content: bytes) -> None:
        to = ascii_address(address)
        if to is None:
            raise _Halt(Verdict.REFUSED, "The mailbox name has letters outside ASCII, which this way out cannot carry.")
        server = self._greeted(ascii_address(sender) or sender)
        try:
            self._name(server, to)
            self._hand_over(server, content)
        except _Halt as fault:
            self._after(server, fault)
            raise
        self._keep(server)

    def _greeted(self, sender: str) -> smtplib.SMTP:
        """A connection on which MAIL FROM was accepted; a kept one that has died meanwhile is replaced."""
        while True:
            kept = self._take()
            server = kept or self._connect()
            try:
                code, words = server.mail(sender)
            except _SERVER_GONE as fault:
                server.close()
                if kept is None:
                    raise _Halt(Verdict.RETURNED, self._lost(fault), wait=_SOON) from None
                continue
            if code == 421 and kept is not None:
                server.close()
                continue
            if code >= 400:
                halt = _Halt(Verdict.RETURNED, _said("does not take mail from the sender's address", code, words),
                             stop=code >= 500, wait=_LATER if code < 500 else 0.0)
                self._after(server, halt)
                raise halt
            return server

    def _name(self, server: smtplib.SMTP, to: str) -> None:
        """RCPT TO."""
        try:
            code, words = server.rcpt(to)
        except _SERVER_GONE as fault:
            raise _Halt(Verdict.RETURNED, self._lost(fault), wait=_SOON) from None
        if code == 530:
            raise _Halt(Verdict.RETURNED, _said("wants a user name and password", code, words), stop=True)
        if code >= 500:
            raise _Halt(Verdict.REFUSED, _said("refused the address", code, words))
        if code >= 400:
            raise _Halt(Verdict.RETURNED, _said("asks to try later", code, words), wait=_LATER)

    def _hand_over(self, server: smtplib.SMTP, content: bytes) -> None:
        """DATA. Until the final dot leaves, nothing can have been accepted; after it, only the answer tells."""
        try:
            code, words = server.docmd("DATA")
            if code == 354:
                # RFC 5321, section 4.5.2: a line that begins with a dot gets one more.
                body = content.replace(b"\r\n.", b"\r\n..")
                server.send(b"." + body if body.startswith(b".") else body)
                if not body.endswith(b"\r\n"):
                    server.send(b"\r\n")
        except _SERVER_GONE as fault:
            raise _Halt(Verdict.RETURNED, self._lost(fault), wait=_SOON) from None
        if code == 354:
            try:
                server.send(b".\r\n")
                code, words = server.getreply()
            except _SERVER_GONE as fault:
                raise _Halt(Verdict.UNKNOWN, f"The whole message was handed over, then: {self._lost(fault)}") from None
            if code != 250 and not 400 <= code < 600:
                # Half an answer ("25"), or one that no rule knows: the message may have been taken.
                raise _Halt(Verdict.UNKNOWN, _said("took the whole message, then answered strangely", code, words))
        if code >= 500:
            raise _Halt(Verdict.REFUSED, _said("refused the message", code, words))
        if code != 250:
            raise _Halt(Verdict.RETURNED, _said("asks to try later", code, words), wait=_LATER)

    def _connect(self) -> smtplib.SMTP:
        """A connection that is greeted, secured and logged in."""
        settings = self._settings
        if settings.username and settings.security == "none" and not is_loopback(settings.host):
            raise _Halt(Verdict.RETURNED, "A password would travel in clear text.", stop=True)
        context = self._context or ssl.create_default_context()
        try:
            server = (smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout_seconds, context=context)
                      if settings.security == "tls"
                      else smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds))
        except ssl.SSLError as fault:
            raise _Halt(Verdict.RETURNED, _no_tls(fault), stop=True) from None
        except smtplib.SMTPConnectError as fault:
            raise _Halt(Verdict.RETURNED, _said("does not serve us", fault.smtp_code, fault.smtp_error),
                        wait=_LATER) from None
        except (smtplib.SMTPException, OSError) as fault:
            raise _Halt(Verdict.RETURNED, self._unreachable(fault), wait=_SOON) from None
        try:
            self._enter(server, context)
        except _Halt:
            server.close()
            raise
        return server

    def _enter(self, server: smtplib.SMTP, context: ssl.SSLContext) -> None:
        try:
            server.ehlo_or_helo_if_needed()
            if self._settings.security == "starttls":
                server.starttls(context=context)
                server.ehlo()
            if self._settings.username:
                self._log_in(server)
        except ssl.SSLError as fault:
            raise _Halt(Verdict.RETURNED, _no_tls(fault), stop=True) from None
        except smtplib.SMTPNotSupportedError:
            raise _Halt(Verdict.RETURNED, "The mail server offers no STARTTLS or no login that we know.",
                        stop=True) from None
        except smtplib.SMTPServerDisconnected as fault:
            raise _Halt(Verdict.RETURNED, self._lost(fault), wait=_SOON) from None
        except smtplib.SMTPResponseException as fault:
            told = _said("does not let us in", fault.smtp_code, fault.smtp_error)
            raise _Halt(Verdict.RETURNED, told, stop=fault.smtp_code >= 500,
                        wait=_LATER if fault.smtp_code < 500 else 0.0) from None
        except smtplib.SMTPException:
            raise _Halt(Verdict.RETURNED, "The mail server offers no login that we know.", stop=True) from None
        except OSError as fault:
            raise _Halt(Verdict.RETURNED, self._unreachable(fault), wait=_SOON) from None

    def _log_in(self, server: smtplib.SMTP) -> None:
        try:
            server.login(self._settings.username, self._settings.password.get_secret_value())
        except smtplib.SMTPServerDisconnected:
            # smtplib tries one way to log in after another; some servers hang up after the first refusal.
            raise _Halt(Verdict.RETURNED, "The mail server hung up during the login: the user name or password may be "
                                          "wrong.", stop=True) from None

    def _after(self, server: smtplib.SMTP, fault: _Halt) -> None:
        """Keep a connection whose transaction the server refused in words; drop one that is broken or in doubt."""
        try:
            if fault.verdict is Verdict.UNKNOWN or server.sock is None or server.rset()[0] != 250:
                server.close()
                return
        except (smtplib.SMTPException, OSError):
            server.close()
            return
        self._keep(server)

    def _take(self) -> smtplib.SMTP | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _keep(self, server: smtplib.SMTP) -> None:
        with self._lock:
            self._idle.append(server)

    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _unreachable(self, fault: Exception) -> str:
        return f"The mail server {self._place()} cannot be reached ({_why(fault)})."

    def _lost(self, fault: Exception) -> str:
        return f"The connection to the mail server {self._place()} was lost ({_why(fault)})."


def _said(what: str, code: int, words: bytes | str) -> str:
    told = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"The mail server {what}: {code} {plain(told)}".rstrip()


def _no_tls(fault: ssl.SSLError) -> str:
    why = getattr(fault, "verify_message", "") or fault.reason
    return f"No secure connection to the mail server could be made ({why})."


def _why(fault: Exception) -> str:
    if isinstance(fault, TimeoutError) or isinstance(fault.__context__, TimeoutError):  # smtplib wraps it
        return "no answer in time"
    return str(getattr(fault, "strerror", None) or "it closed the connection")
