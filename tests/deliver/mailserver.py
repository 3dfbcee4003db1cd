"""A real SMTP server on loopback (aiosmtpd), and one that breaks off wherever it is told to."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Inbox:
    """Keeps what arrives; an answer set for a stage is given instead of yes."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.sessions: set[int] = set()
        self.mail_answer = self.rcpt_answer = self.data_answer = ""

    async def handle_MAIL(self, server: Any, session: Session, envelope: Envelope, address: str,
                          options: list[str]) -> str:
        self.sessions.add(id(session))
        if self.mail_answer:
            return self.mail_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str,
                          options: list[str]) -> str:
        if self.rcpt_answer:
            return self.rcpt_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self.data_answer:
            return self.data_answer
        assert isinstance(envelope.content, bytes)
        self.mails.append((list(envelope.rcpt_tos), envelope.content))
        return "250 taken"


@contextmanager
def running(inbox: Inbox, **options: Any) -> Iterator[int]:
    """An SMTP server with this inbox; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def knows(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Lets Alice in."""
    ok = isinstance(data, LoginPassword) and (data.login, data.password) == (b"alice", b"right")
    return AuthResult(success=ok, handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for 127.0.0.1, and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    pem = folder / "server.pem"
    pem.write_bytes(made.public_bytes(Encoding.PEM)
                    + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


class Breaking:
    """An SMTP server that closes the connection right after the given stage, each time. A context manager.

    Args:
        stage: ``connect``, ``ehlo``, ``mail``, ``rcpt``, ``data`` (instead of 354), ``body`` (within the body),
            ``dot`` (after the final dot, without an answer), ``idle`` (after one whole message).
        answer: given to the final dot before the connection ends, as it stands; for the stage ``dot``.
        seconds: waited before that.
        secure: speak TLS from the first byte; the end is then a cut, without TLS's goodbye.
    """

    def __init__(self, stage: str, *, answer: bytes = b"", seconds: float = 0.0,
                 secure: ssl.SSLContext | None = None) -> None:
        self.stage = stage
        self._secure = secure
        self._answer, self._seconds = answer, seconds
        self.taken = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Breaking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._secure is not None:
                connection = self._secure.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as lines:
                self._talk(connection, lines)

    def _talk(self, connection: socket.socket, lines: Any) -> None:
        if self.stage == "connect":
            return
        connection.sendall(b"220 hello\r\n")
        for line in lines:
            word = line[:4].upper().decode().strip().lower()
            if word == self.stage:
                return
            if word == "data":
                connection.sendall(b"354 go on\r\n")
                if self.stage == "body":
                    lines.readline()
                    return
                for body in lines:
                    if body == b".\r\n":
                        break
                if self.stage == "dot":
                    time.sleep(self._seconds)
                    with suppress(OSError):
                        connection.sendall(self._answer)
                    return
                self.taken += 1
            connection.sendall(b"250 OK\r\n")
            if word == "data" and self.stage == "idle":
                return
